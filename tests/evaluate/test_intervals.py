"""Intervals hold what they promise, and equal their textbook values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.evaluate.intervals import (
    RESAMPLES,
    Ranked,
    group_medians,
    mean_interval,
    median_interval,
    resamples,
    share_interval,
)


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (10, 10), (3, 10), (1, 1), (250, 1_000), (0, 0)])
def test_share_interval_is_clopper_and_pearsons(hits: int, n: int) -> None:
    low, high = share_interval(hits, n)
    exact = stats.binomtest(hits, n).proportion_ci(method="exact") if n else (0.0, 1.0)
    assert (float(low), float(high)) == pytest.approx(tuple(exact), abs=1e-12)


def test_mean_interval_is_students() -> None:
    values = np.array([3.0, 5.0, 4.0, 8.0, 1.0])
    low, high = mean_interval(values.mean(), values.std(ddof=1), 5)
    expected = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
    assert (float(low), float(high)) == pytest.approx(expected)
    assert np.isnan(mean_interval(1.0, 0.0, 1)).all()


def test_medians_of_groups_are_each_groups_own() -> None:
    rng = np.random.default_rng(2)
    values, groups = rng.normal(size=200), rng.integers(0, 5, 200)
    middle, low, high = group_medians(values, groups, 6)
    for group in range(5):
        mine = values[groups == group]
        assert middle[group] == np.median(mine)
        assert (low[group], high[group]) == median_interval(mine)
        assert {low[group], high[group]} <= set(mine)
    assert np.isnan([middle[5], low[5], high[5]]).all()


def test_median_interval_holds_the_median_of_its_source() -> None:
    rng = np.random.default_rng(5)
    held = [low <= 0.0 <= high for low, high in (median_interval(rng.normal(size=15)) for _ in range(1_000))]
    # Exact, so conservative: 15 values give 96.5 %.
    assert 0.945 <= np.mean(held) <= 0.985
    assert np.isnan(median_interval(np.arange(5.0))).all()
    assert median_interval(np.arange(6.0)) == (0.0, 5.0)


@pytest.mark.parametrize("n", [1, 2, 7, 8])
def test_resampled_median_is_that_of_the_sample_drawn(n: int) -> None:
    values = np.random.default_rng(n).normal(size=n)
    ranked, samples = Ranked(values), list(resamples(n, 3))
    assert len(samples) == RESAMPLES
    for counts in samples[:50]:
        drawn = np.repeat(values, counts.astype(int))
        assert len(drawn) == n
        assert ranked.median(ranked.running(counts)) == np.median(drawn)
