"""The bins figures are counted in, so that a database without percentiles can give medians and p95 of many rows."""

from __future__ import annotations

import math
from typing import Final

import pandas as pd

LATENCY_RATIO: Final = 1.05
"""Each bin of latencies reaches this many times as far as the one before: a percentile is known to within 2.5 %."""

ERROR_WIDTH: Final = 0.001
"""Width of the bins of signed relative errors: a median is known to within half of it, 0.05 % of the price."""

_LATENCY_FIRST: Final = -200
_LATENCY_LAST: Final = 400
_ERROR_LAST: Final = 10_000


def latency_bin(milliseconds: float) -> int:
    """Return the bin of a latency: from 1.05^n to 1.05^(n+1) milliseconds is n; 0.06 µs and 80 hours are the ends."""
    if milliseconds <= 0:
        return _LATENCY_FIRST
    return min(max(math.floor(math.log(milliseconds) / math.log(LATENCY_RATIO)), _LATENCY_FIRST), _LATENCY_LAST)


def latency_of(number: float) -> float:
    """Return the milliseconds at a place among the bins, 2.5 being the (geometric) middle of bin 2."""
    return 0.0 if number <= _LATENCY_FIRST + 1 else float(LATENCY_RATIO**number)


def error_bin(error: float) -> int:
    """Return the bin of a relative error: from 0.001 n to 0.001 (n + 1) is n; errors beyond 1,000 % share the last."""
    return min(math.floor(error / ERROR_WIDTH), _ERROR_LAST)


def error_of(number: float) -> float:
    """Return the relative error at a place among the bins, 2.5 being the middle of bin 2."""
    return number * ERROR_WIDTH


def quantiles(groups: pd.Series, bins: pd.Series, counts: pd.Series, share: float) -> pd.Series:
    """Return, by group, where among its bins the quantile lies: the middle of the bin that holds it.

    The quantile is the smallest value that at least ``share`` of the group's do not exceed. All three as long as one
    another; a group without counts is left out.
    """
    table = pd.DataFrame({"group": groups, "bin": bins, "count": counts})
    table = table[table["count"] > 0].sort_values(["group", "bin"])
    tolerance = table.groupby("group")["count"]
    reached = tolerance.cumsum() >= share * tolerance.transform("sum") - 1e-9
    return table[reached].groupby("group")["bin"].first() + 0.5
