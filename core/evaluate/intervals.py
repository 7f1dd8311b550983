"""95% intervals: exact ones for shares and medians, Student's for means, and the bootstrap for everything else."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv
from scipy.stats import binom, t

from core.arrays import Floats, Ints, ShortInts

RESAMPLES: Final = 300
DRAWN_MAX: Final = 20_000
"""The most rows a bootstrap sample draws: enough for every figure here to vary as in a larger sample."""

MEAN_MIN: Final = 5
"""The interval of the mean error of two homes would reach from nothing to more than the price, and say nothing."""

_TAILS: Final = (0.025, 0.975)
# Positions drawn at a time: the rows they select stay in the processor's cache.
_BLOCK: Final = 50_000


def share_interval(successes: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Return the exact interval of the share ``successes`` / ``n`` (Clopper and Pearson 1934), shape (k,) each.

    For n = 0 it is 0 to 1.
    """
    hits, trials = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    some, missed = hits > 0, hits < trials
    low = np.where(some, betaincinv(np.where(some, hits, 1.0), trials - hits + 1, _TAILS[0]), 0.0)
    high = np.where(missed, betaincinv(hits + 1, np.where(missed, trials - hits, 1.0), _TAILS[1]), 1.0)
    return low, high


def mean_interval(mean: ArrayLike, sd: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Return Student's interval of means from sample standard deviations (n - 1), missing if n is below MEAN_MIN."""
    centre, count = np.asarray(mean, dtype=float), np.asarray(n, dtype=float)
    known = np.where(count >= MEAN_MIN, count, np.nan)
    half = t.ppf(_TAILS[1], known - 1) * np.asarray(sd, dtype=float) / np.sqrt(known)
    return centre - half, centre + half


def group_medians(values: Floats, groups: Ints, count: int) -> tuple[Floats, Floats, Floats]:
    """Return the median of each of ``count`` groups with its interval, shape (count,) each; empty groups are missing.

    ``groups``, shape (n,), is each value's group. The interval lies between the two order statistics that cut off 2.5%
    of a binomial with p = 1/2 at each end; below six values there is none.
    """
    by_value = np.argsort(values)
    # Small group numbers are sorted in one pass.
    place = groups.astype(np.min_scalar_type(max(count - 1, 0)))
    order = by_value[np.argsort(place[by_value], kind="stable")]
    ranked = np.append(values[order], np.nan)
    size = np.bincount(groups, minlength=count)
    start = np.cumsum(size) - size
    none = len(values)
    low_middle = np.where(size > 0, start + (size - 1) // 2, none)
    high_middle = np.where(size > 0, start + size // 2, none)
    below = binom.ppf(_TAILS[0], size, 0.5).astype(np.int64) - 1
    known = below >= 0
    return (
        (ranked[low_middle] + ranked[high_middle]) / 2,
        ranked[np.where(known, start + below, none)],
        ranked[np.where(known, start + size - 1 - below, none)],
    )


def median_interval(values: Floats) -> tuple[float, float]:
    """Return the exact interval of one median, missing below six values."""
    _, low, high = group_medians(values, np.zeros(len(values), dtype=np.int64), 1)
    return float(low[0]), float(high[0])


def draws(n: int, seed: int) -> Iterator[ShortInts]:
    """Yield the bootstrap samples of n rows, RESAMPLES in all, as row positions in blocks of shape (samples, drawn).

    A sample draws n rows with replacement, but at most DRAWN_MAX to limit the work. The figures of smaller samples
    scatter wider by the square root of n / DRAWN_MAX, which ``spread`` corrects (the m out of n bootstrap: Bickel,
    Goetze and van Zwet 1997). The same n and seed give the same samples.
    """
    rng, drawn = np.random.default_rng(seed), min(n, DRAWN_MAX)
    block = max(1, _BLOCK // drawn)
    for first in range(0, RESAMPLES, block):
        yield rng.integers(0, n, (min(block, RESAMPLES - first), drawn), dtype=np.int32)


def spread(sampled: ArrayLike, value: float, n: int) -> tuple[float, float]:
    """Return the interval of a figure of n rows: the middle 95% of its values in the ``draws``, missing for none.

    ``sampled``, shape (samples,), may leave out samples that have no such figure; ``value`` is the figure itself.
    """
    known = np.asarray(sampled, dtype=float)
    if not len(known):
        return np.nan, np.nan
    low, high = np.percentile(known, [100 * tail for tail in _TAILS])
    excess = 1.0 - math.sqrt(min(n, DRAWN_MAX) / n)
    return float(low + excess * (value - low)), float(high + excess * (value - high))
