"""Homes as named arrays, passed between the steps of the feature pipeline, where a table would be too slow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.arrays import Bools, Ints, Objects

Columns = dict[str, NDArray[Any]]
"""Arrays of shape (n,) by name: numbers as float64, text as objects (NaN if missing), dates as datetime64."""


def columns_of(homes: pd.DataFrame, names: Iterable[str]) -> Columns:
    """Return the named columns of a table."""
    return {name: homes[name].to_numpy() for name in names}


def size(columns: Columns) -> int:
    """Return the number of homes."""
    return len(next(iter(columns.values())))


def stack(parts: Sequence[Columns]) -> Columns:
    """Return the homes of all parts, one below the other; all must have the columns of the first."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def take(columns: Columns, rows: Ints | Sequence[int]) -> Columns:
    """Return the homes at the given positions, in that order, repeats included; the arrays are new."""
    chosen = np.asarray(rows, dtype=np.int64)
    return {name: values[chosen] for name, values in columns.items()}


def blanks(values: NDArray[Any]) -> Bools:
    """Return which values are missing, shape (n,)."""
    # Every estimate asks this of every fact, and pandas takes three times as long to answer for numbers.
    return np.isnan(values) if values.dtype.kind == "f" else np.asarray(pd.isna(values))


def words(columns: Columns, name: str, missing: str) -> Objects:
    """Return a text column with ``missing`` in place of missing values, shape (n,)."""
    values = np.asarray(columns[name], dtype=object)
    blank = pd.isna(values)
    return np.where(blank, missing, values) if blank.any() else values
