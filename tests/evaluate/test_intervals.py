"""Intervals hold what they promise, and equal their textbook values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from core.evaluate.intervals import (
    DRAWN_MAX,
    RESAMPLES,
    draws,
    group_medians,
    mean_interval,
    median_interval,
    share_interval,
    spread,
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
    # Of two values, it would reach from nothing to more than a price.
    assert np.isnan(mean_interval(0.425, 0.08, [1, 2, 4])).all()


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


@pytest.mark.parametrize("n", [1, 7, 8_000])
def test_samples_draw_as_many_rows_as_there_are_and_are_the_same_again(n: int) -> None:
    samples = np.concatenate(list(draws(n, 3)))
    assert samples.shape == (RESAMPLES, n)
    assert samples.min() >= 0
    assert samples.max() < n
    assert np.array_equal(samples, np.random.default_rng(3).integers(0, n, (RESAMPLES, n), dtype=np.int32))


def test_samples_of_many_rows_are_bounded_and_draw_from_all_of_them() -> None:
    samples = np.concatenate(list(draws(10 * DRAWN_MAX, 3)))
    assert samples.shape == (RESAMPLES, DRAWN_MAX)
    assert np.unique(samples // DRAWN_MAX).tolist() == list(range(10))


def test_spread_is_the_middle_of_the_samples() -> None:
    sampled = np.arange(1_001.0)
    assert spread(sampled, 500.0, DRAWN_MAX) == (25.0, 975.0)
    # Four times the rows: half as far from the figure.
    assert spread(sampled, 500.0, 4 * DRAWN_MAX) == (262.5, 737.5)
    assert np.isnan(spread([], 1.0, 5)).all()


@pytest.mark.parametrize("seed", [1, 2])
def test_interval_of_many_rows_is_as_wide_as_theory_says(seed: int) -> None:
    values = np.random.default_rng(seed).lognormal(0.0, 0.5, 8 * DRAWN_MAX)
    sampled = np.concatenate([values[rows].mean(axis=1) for rows in draws(len(values), seed)])
    low, high = spread(sampled, float(values.mean()), len(values))
    exact_low, exact_high = mean_interval(values.mean(), values.std(ddof=1), len(values))
    assert high - low == pytest.approx(float(exact_high - exact_low), rel=0.2)
    assert low < values.mean() < high
