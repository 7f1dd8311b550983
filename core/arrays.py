"""What the numpy arrays of the package hold, one name each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
"""Prices, areas, shares and other measured numbers; a missing one is NaN."""

Bools = NDArray[np.bool_]
"""A mask: which rows are meant."""

Ints = NDArray[np.int64]
"""Whole numbers: counts, group numbers, and row numbers that are kept or stored."""

Indices = NDArray[np.intp]
"""Row numbers as numpy itself gives them, from ``argsort`` or ``flatnonzero``."""

ShortInts = NDArray[np.int32]
"""Row numbers of many resamples at once, in half the memory of ``Ints``."""

Dates = NDArray[np.datetime64]
"""Days or moments without a time zone; a missing one is NaT."""

Objects = NDArray[np.object_]
"""Words and other Python objects, such as categories, area codes and lists of flags."""
