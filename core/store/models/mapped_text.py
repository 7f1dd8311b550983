"""A column of texts in one block of memory, which processes can map from a file and share."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.arrays import Ints, Objects

# A text that repeats this often is stored once, with a number for each row.
_REPEATS: Final = 4
# So few texts stored once are kept as objects: an estimate asks for thousands of them, and Arrow is slow to make them.
_KEPT_MAX: Final = 1_000
# So few are as fast to read one by one as Arrow is to begin with many at once.
_ONE_BY_ONE: Final = 64


class MappedText:
    """Texts that read like the array of objects they were made of, shape (n,), NaN where one is missing.

    They take no memory of a process until some are asked for. A position gives one text, positions or a mask give an
    array, and numpy makes an array of all.
    """

    dtype: Final = np.dtype(object)

    def __init__(self, texts: pa.Array) -> None:
        self._texts = texts

    @classmethod
    def of(cls, values: Objects) -> Self | None:
        """Return the texts of an array of objects, None if it holds anything but texts and missing values."""
        try:
            texts = pa.array(values, type=pa.large_string(), from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return None
        coded = texts.dictionary_encode()
        return cls(coded if len(coded.dictionary) * _REPEATS <= len(texts) else texts)

    @property
    def shape(self) -> tuple[int]:
        """The number of texts."""
        return (len(self._texts),)

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, key: Any) -> Any:
        if self._kept is not None:
            texts, numbers = self._kept
            return texts[numbers[key]]
        if isinstance(key, int | np.integer):
            found = self._texts[int(key)].as_py()
            return np.nan if found is None else found
        rows = _positions(key, len(self))
        if len(rows) <= _ONE_BY_ONE:
            return np.array([self[row] for row in rows], dtype=object)
        return _objects(self._texts.take(pa.array(rows)))

    @cached_property
    def _kept(self) -> tuple[Objects, NDArray[np.int32]] | None:
        """The texts that repeat, with NaN as the last, and the number of each row's text; None if there are many."""
        if not pa.types.is_dictionary(self._texts.type) or len(self._texts.dictionary) > _KEPT_MAX:
            return None
        texts = np.append(_objects(self._texts.dictionary), np.nan)
        return texts, self._texts.indices.fill_null(len(texts) - 1).to_numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Objects:
        return _objects(self._texts)

    def __reduce__(self) -> tuple[type[Self], tuple[pa.Array]]:
        return type(self), (self._texts,)


def _positions(key: Any, count: int) -> Ints:
    if isinstance(key, slice):
        return np.arange(count)[key]
    rows = np.asarray(key)
    found = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64)
    return np.where(found < 0, found + count, found)


def _objects(texts: pa.Array) -> Objects:
    plain = texts.dictionary_decode() if pa.types.is_dictionary(texts.type) else texts
    values: Objects = plain.to_numpy(zero_copy_only=False)
    if plain.null_count:
        values = values.copy()
        values[plain.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return values
