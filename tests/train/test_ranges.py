"""Ranges hold what they promise, bounds are ordered, and rounding is as a person says prices."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.problem import Problem
from core.train.ranges import RangeCalibration, find_segments, round_for_display

LEVELS = (0.5, 0.8, 0.9)


def sales(size: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features, log estimates, log prices with noise that grows with the first feature, and types."""
    rng = np.random.default_rng(seed)
    features = rng.random((size, 3))
    estimate = 12.5 + rng.normal(0, 0.5, size)
    price = estimate + rng.normal(0, 0.05 + 0.25 * features[:, 0])
    kinds = np.where(rng.random(size) < 0.02, "houseboat", "single_family").astype(object)
    return features, estimate, price, kinds


@pytest.fixture(scope="module")
def calibration(problem: Problem) -> RangeCalibration:
    return RangeCalibration(problem.estimate, seed=1).fit(*sales(6_000, 1))


def test_ranges_hold_their_level_on_sales_not_seen(calibration: RangeCalibration) -> None:
    features, estimate, price, kinds = sales(6_000, 2)
    size = calibration.expected_size(features, estimate)
    segments = calibration.segments_.of(estimate, kinds)
    for level in LEVELS:
        low, high = calibration.range(estimate, size, segments, level)
        held = np.mean((np.exp(price) >= low) & (np.exp(price) <= high))
        assert held == pytest.approx(level, abs=0.025)


def test_confidence_is_the_share_within_ten_percent(calibration: RangeCalibration) -> None:
    features, estimate, price, kinds = sales(6_000, 3)
    size = calibration.expected_size(features, estimate)
    promised = calibration.probability_within(estimate, size, calibration.segments_.of(estimate, kinds), 0.10)
    came_true = np.abs(np.exp(price - estimate) - 1) <= 0.10
    for sure in (promised < 0.4, (promised >= 0.4) & (promised < 0.7), promised >= 0.7):
        assert sure.sum() > 100
        assert came_true[sure].mean() == pytest.approx(promised[sure].mean(), abs=0.05)


def test_surer_homes_get_narrower_ranges(calibration: RangeCalibration) -> None:
    features, estimate, _, kinds = sales(2_000, 4)
    size = calibration.expected_size(features, estimate)
    low, high = calibration.range(estimate, size, calibration.segments_.of(estimate, kinds), 0.8)
    width = (high - low) / np.exp(estimate)
    assert width[features[:, 0] < 0.2].mean() < 0.5 * width[features[:, 0] > 0.8].mean()


@given(seed=st.integers(0, 1_000))
def test_bounds_are_ordered_positive_and_nested(calibration: RangeCalibration, seed: int) -> None:
    features, estimate, _, kinds = sales(50, seed)
    size = calibration.expected_size(features, estimate)
    segments = calibration.segments_.of(estimate, kinds)
    bounds = [calibration.range(estimate, size, segments, level) for level in LEVELS]
    for low, high in bounds:
        assert (low > 0).all()
        assert (low <= high).all()
    for (low, high), (wider_low, wider_high) in itertools.pairwise(bounds):
        assert (wider_low <= low).all()
        assert (wider_high >= high).all()


def test_fsd_is_near_the_true_spread(problem: Problem) -> None:
    rng = np.random.default_rng(5)
    estimate = rng.normal(12.5, 0.3, 5_000)
    kinds = np.full(5_000, "home", dtype=object)
    calibrated = RangeCalibration(problem.estimate, 1).fit(
        rng.random((5_000, 2)), estimate, estimate + rng.normal(0, 0.1, 5_000), kinds
    )
    size = calibrated.expected_size(rng.random((100, 2)), estimate[:100])
    spread = calibrated.forecast_sd(estimate[:100], size, calibrated.segments_.of(estimate[:100], kinds[:100]))
    assert spread.mean() == pytest.approx(0.10, abs=0.01)


def test_thin_types_fall_back_to_their_price_band(problem: Problem) -> None:
    _, estimate, _, kinds = sales(3_000, 6)
    segments = find_segments(estimate, kinds, problem.estimate.segment_min)
    names = set(segments.of(estimate, kinds))
    assert not any(name.startswith("houseboat") for name in names)
    assert any(name.startswith("single_family in price band") for name in names)
    assert set(segments.of(estimate[:2], np.array(["castle", "castle"], dtype=object))) <= {
        f"price band {band}" for band in range(1, 6)
    }


def test_too_few_sales_for_any_band_use_all_homes() -> None:
    _, estimate, _, kinds = sales(60, 7)
    segments = find_segments(estimate, kinds, 100)
    assert set(segments.of(estimate, kinds)) == {"all homes"}


@pytest.mark.parametrize(
    ("price", "spoken"),
    [(84_312, 84_500), (245_400, 245_000), (732_600, 735_000), (1_234_567, 1_235_000), (3_456_789, 3_460_000)],
)
def test_prices_are_rounded_as_said(price: float, spoken: float) -> None:
    assert round_for_display(price) == spoken
