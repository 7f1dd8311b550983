"""Intervals at 95 %: exact ones for shares and medians, Student's for means, and the bootstrap for all else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv
from scipy.stats import binom, t

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Counts = NDArray[np.float64]

RESAMPLES: Final = 300
_TAILS: Final = (0.025, 0.975)
_BLOCK: Final = 2_000_000


def share_interval(successes: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Return the exact interval of a share seen as ``successes`` of ``n`` (Clopper and Pearson 1934), shape (k,) each.

    Of no trial at all it is 0 to 1.
    """
    hits, trials = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    some, missed = hits > 0, hits < trials
    low = np.where(some, betaincinv(np.where(some, hits, 1.0), trials - hits + 1, _TAILS[0]), 0.0)
    high = np.where(missed, betaincinv(hits + 1, np.where(missed, trials - hits, 1.0), _TAILS[1]), 1.0)
    return low, high


def mean_interval(mean: ArrayLike, sd: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Return Student's interval of means from sample standard deviations (n - 1), missing where n is below 2."""
    centre, count = np.asarray(mean, dtype=float), np.asarray(n, dtype=float)
    known = np.where(count >= 2, count, np.nan)
    half = t.ppf(_TAILS[1], known - 1) * np.asarray(sd, dtype=float) / np.sqrt(known)
    return centre - half, centre + half


def group_medians(values: Floats, groups: Rows, count: int) -> tuple[Floats, Floats, Floats]:
    """Return the median of each of ``count`` groups with its interval, shape (count,) each; empty groups are missing.

    ``groups``, shape (n,), is each value's group. The interval lies between the two order statistics that a binomial
    count with p = 1/2 passes with 2.5 % each; below six values there is none.
    """
    order = np.lexsort((values, groups))
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


def resamples(n: int, seed: int) -> Iterator[Counts]:
    """Yield bootstrap samples of n rows as how often each row was drawn, shape (n,).

    The draws are those of the sealed test's figures (``accuracy.measure``) for the same n and seed.
    """
    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // n)
    for first in range(0, RESAMPLES, block):
        for drawn in rng.integers(0, n, (min(block, RESAMPLES - first), n), dtype=np.int32):
            yield np.bincount(drawn, minlength=n).astype(float)


def spread(sampled: ArrayLike) -> tuple[float, float]:
    """Return the interval of a figure from its bootstrap values, shape (resamples,): their middle 95 %."""
    low, high = np.percentile(np.asarray(sampled, dtype=float), [100 * tail for tail in _TAILS])
    return float(low), float(high)


class Ranked:
    """Values sorted once, so that the median of every bootstrap sample of them is found without sorting again."""

    def __init__(self, values: Floats) -> None:
        self.order = np.argsort(values, kind="stable")
        self.values = values[self.order]

    def running(self, counts: Counts) -> Counts:
        """Return how many of a sample's values are at or before each place in the order, shape (n,)."""
        return np.cumsum(counts[self.order])

    def median(self, running: Counts) -> float:
        """Return the median of a sample given by ``running``."""
        size = round(float(running[-1]))
        places = np.searchsorted(running, [(size - 1) // 2, size // 2], side="right")
        return float(self.values[places].mean())
