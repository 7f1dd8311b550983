"""The bins of the figures, which give medians and p95 of many rows from a database without percentiles."""

from __future__ import annotations

import math
from typing import Final

import pandas as pd

LATENCY_RATIO: Final = 1.05
"""Each latency bin ends at this multiple of its start, so that percentiles are accurate to 2.5%."""

ERROR_WIDTH: Final = 0.001
"""Width of the bins of signed relative errors; medians are accurate to it, 0.1% of the price, or exact (medians)."""

_LATENCY_FIRST: Final = -200
_LATENCY_LAST: Final = 400
_ERROR_LAST: Final = 10_000


def latency_bin(milliseconds: float) -> int:
    """Return the bin of a latency: bin n spans 1.05^n to 1.05^(n+1) ms; the bins end at 0.06 µs and 80 hours."""
    if milliseconds <= 0:
        return _LATENCY_FIRST
    return min(max(math.floor(math.log(milliseconds) / math.log(LATENCY_RATIO)), _LATENCY_FIRST), _LATENCY_LAST)


def latency_of(number: float) -> float:
    """Return the milliseconds at a position among the bins; 2.5 is the (geometric) middle of bin 2."""
    return 0.0 if number <= _LATENCY_FIRST + 1 else float(LATENCY_RATIO**number)


def error_bin(error: float) -> int:
    """Return the bin of a relative error: bin n spans 0.001 n to 0.001 (n + 1); the last takes all beyond 1,000%."""
    return min(math.floor(error / ERROR_WIDTH), _ERROR_LAST)


def quantiles(groups: pd.Series, bins: pd.Series, counts: pd.Series, share: float) -> pd.Series:
    """Return each group's quantile as a position among the bins: the middle of the bin that holds it.

    The quantile is the smallest value that at least ``share`` of the group's values do not exceed. All three series
    have the same length; a group without counts is left out.
    """
    table = pd.DataFrame({"group": groups, "bin": bins, "count": counts})
    table = table[table["count"] > 0].sort_values(["group", "bin"])
    tolerance = table.groupby("group")["count"]
    reached = tolerance.cumsum() >= share * tolerance.transform("sum") - 1e-9
    return table[reached].groupby("group")["bin"].first() + 0.5


def medians(groups: pd.Series, bins: pd.Series, counts: pd.Series, sums: pd.Series) -> pd.Series:
    """Return each group's median: the middle value, or the mean of the two middle ones.

    ``sums`` are the sums of the values in a bin, which stand for them by their mean: a median is exact where no bin
    with a middle value holds more than one, and otherwise off by less than a bin. All four series have the same length;
    a group without counts is left out.
    """
    table = pd.DataFrame({"group": groups, "bin": bins, "count": counts, "sum": sums})
    table = table[table["count"] > 0].groupby(["group", "bin"], as_index=False)[["count", "sum"]].sum()
    own = table.groupby("group")["count"]
    twice, n = 2 * own.cumsum(), own.transform("sum")
    means = table.assign(mean=table["sum"] / table["count"])
    lower, upper = (means[reached].groupby("group")["mean"].first() for reached in (twice >= n, twice > n))
    return (lower + upper) / 2
