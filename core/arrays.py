"""Type aliases for the package's numpy arrays, named by content, and evenly spaced places in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
"""Prices, areas, shares and other measured numbers; a missing one is NaN."""

Bools = NDArray[np.bool_]
"""A mask that selects rows."""

UInts = NDArray[np.uint64]
"""Hashes."""

Ints = NDArray[np.int64]
"""Whole numbers: counts, group numbers, and stored row numbers."""

Indices = NDArray[np.intp]
"""Row numbers returned by numpy, as from ``argsort`` or ``flatnonzero``."""

ShortInts = NDArray[np.int32]
"""Row numbers of many resamples at once, in half the memory of ``Ints``."""

Dates = NDArray[np.datetime64]
"""Dates or times without a time zone; a missing one is NaT."""

Objects = NDArray[np.object_]
"""Text and other Python objects, such as categories, area codes and lists of flags."""


def evenly(rows: int, wanted: int) -> Ints:
    """Return at most ``wanted`` places among ``rows``, evenly spaced, first and last included."""
    if rows <= wanted:
        return np.arange(rows, dtype=np.int64)
    return np.linspace(0, rows - 1, wanted).astype(np.int64)


def linear_correlation(one: Floats, other: Floats) -> float:
    """Return Pearson's correlation of two arrays of shape (n,) without missing values; NaN where one is constant."""
    centered = one - one.mean(), other - other.mean()
    lengths = [float(np.sqrt(values @ values)) for values in centered]
    if 0.0 in lengths:
        return float("nan")
    return float(np.clip(centered[0] / lengths[0] @ (centered[1] / lengths[1]), -1.0, 1.0))


def rank_correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's correlation of two arrays of shape (n,), equal values sharing their mean rank.

    Here, as scipy.stats takes seconds to import, which a cold command line would wait for.
    """
    return linear_correlation(_ranks(one), _ranks(other))


def _ranks(values: Floats) -> Floats:
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(times)
    return (last - (times - 1) / 2)[place].astype("float64")


def drawn(total: int, most: int, seed: int) -> Ints:
    """Return the places of all of ``total`` rows, or of ``most`` of them drawn at random, in ascending order."""
    return np.sort(np.random.default_rng(seed).choice(total, min(total, most), replace=False))


def distinct(rows: Floats) -> tuple[Ints, Ints]:
    """Return the places of the distinct rows of a matrix (n, p), in order, and for each row which of them it is, (n,).

    Rows are compared by their bits, so that a missing value equals itself. For some hundred rows this is faster than
    to sort them.
    """
    width, data = rows.itemsize * rows.shape[1], rows.tobytes()
    numbers: dict[bytes, int] = {}
    which = [numbers.setdefault(data[at : at + width], len(numbers)) for at in range(0, len(data), width)]
    first = np.flatnonzero(np.diff(np.maximum.accumulate(which), prepend=-1))
    return first.astype(np.int64), np.array(which, dtype=np.int64)
