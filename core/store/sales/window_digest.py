"""The digest of a window of sales: equal for rows with the same values, and for no others, to the last bit.

It is quicker to work out than the window's file, so that windows without a change need not be encoded again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_TEXT: Final = pd.StringDtype(na_value=np.nan)


def is_cuttable(frame: pd.DataFrame) -> bool:
    """Tell whether a table has only columns that come back from parts as they were: each named, of a canonical kind."""
    names = list(frame.columns)
    return (
        all(isinstance(name, str) for name in names)
        and len(set(names)) == len(names)
        and all(_is_known(dtype) for dtype in frame.dtypes)
    )


def filled(frame: pd.DataFrame) -> list[str]:
    """Return the names of a window's columns that have a value in it, sorted."""
    return [name for name in sorted(frame.columns) if len(frame) and _has_value(frame[name])]


def digest(frame: pd.DataFrame, names: Sequence[str]) -> str:
    """Return the SHA-256 of columns of a window: names, dtypes and values. One missing value is like another."""
    total = hashlib.sha256()
    for name in names:
        head = f"{name!r} {frame[name].dtype} {len(frame)}\n"
        total.update(head.encode("utf-8", "surrogatepass"))
        for block in _blocks(frame[name]):
            total.update(block)
    return total.hexdigest()


def _has_value(values: pd.Series) -> bool:
    # The first row alone answers for most columns.
    return not pd.isna(values.iloc[0]) or bool(values.notna().any())


def _is_known(dtype: object) -> bool:
    if isinstance(dtype, np.dtype):
        return dtype in (np.dtype("float64"), np.dtype("int64")) or dtype in _DAYS
    return dtype == _TEXT


_DAYS: Final = tuple(np.dtype(f"datetime64[{unit}]") for unit in ("ms", "us", "ns"))


def _blocks(values: pd.Series) -> tuple[memoryview, ...]:
    """Return bytes that hold the values of a column and nothing else."""
    if isinstance(values.dtype, np.dtype):
        plain = np.ascontiguousarray(values.to_numpy())
        if plain.dtype.kind == "f" and (missing := np.isnan(plain)).any():
            # There are many bit patterns of NaN, and a part keeps only that it is one.
            plain = np.where(missing, np.nan, plain)
        return (plain.view(np.uint8).data,)
    array = pa.array(values, pa.large_string())
    text = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    lengths = pc.fill_null(pc.binary_length(text), -1).to_numpy(zero_copy_only=False)
    words = text.drop_null() if text.null_count else text
    return np.ascontiguousarray(lengths).view(np.uint8).data, _letters(words)


def _letters(words: pa.LargeStringArray) -> memoryview:
    """Return the letters of texts one after the other, without those of texts around a slice."""
    _, offsets, letters = words.buffers()
    if letters is None or not len(words):
        return memoryview(b"")
    places = np.frombuffer(offsets, dtype=np.int64)
    begin, end = int(places[words.offset]), int(places[words.offset + len(words)])
    return memoryview(letters)[begin:end]
