"""The market's level: it follows a market that moves, keeps still in one that does not, and never looks ahead."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.train.level import MarketLevel, Residuals, day_of, join, market_level

AS_OF = date(2024, 7, 1)
NOW = day_of(AS_OF)
HELD = 0.8
NOISE = 0.12


def residuals(days: np.ndarray, log_ratio: np.ndarray, areas: list[str] | None = None) -> Residuals:
    named = np.array(areas if areas is not None else ["1"] * len(days), dtype=object)
    # Ranges that hold 80% of a noise of this size.
    reach = np.full(len(days), 1.2816 * NOISE)
    return Residuals(days.astype(float), log_ratio.astype(float), {"zipcode": named}, reach, reach)


def noisy(seed: int, sales: int, drift_per_month: float = 0.0, level: float = 0.0) -> Residuals:
    """Sales of the last 120 days whose level now is ``level`` and has moved by ``drift_per_month``."""
    rng = np.random.default_rng(seed)
    days = NOW - rng.integers(1, 120, sales)
    return residuals(days, level + drift_per_month * (days - NOW) / 30 + rng.normal(0, 0.12, sales))


def shift(found: MarketLevel, days: float = NOW, area: str = "1") -> float:
    return float(found.shift(np.array([days]), {"zipcode": np.array([area], dtype=object)})[0])


def test_market_that_rose_by_five_percent_lifts_estimates_by_about_as_much() -> None:
    found = market_level(noisy(1, 3_000, level=0.05), AS_OF, HELD)
    assert shift(found) == pytest.approx(0.05, abs=0.012)


def test_rising_market_is_carried_on_for_a_month_and_no_farther() -> None:
    carried = []
    for seed in range(12):
        found = market_level(noisy(seed, 4_000, drift_per_month=0.01, level=0.04), AS_OF, HELD)
        ahead = [shift(found, NOW + days) for days in (0, 15, 30, 300)]
        assert ahead[2] == ahead[3]
        assert ahead[1] - ahead[0] == pytest.approx((ahead[2] - ahead[0]) / 2)
        carried.append(ahead[2] - ahead[0])
    assert np.mean(carried) == pytest.approx(0.01, abs=0.004)


def test_market_that_does_not_move_is_hardly_corrected() -> None:
    shifts = [abs(shift(market_level(noisy(seed, 800), AS_OF, HELD))) for seed in range(20)]
    assert np.mean(shifts) < 0.012


def test_a_spring_that_does_not_last_is_hardly_followed_but_a_fall_that_does_is() -> None:
    """Months with a median of their own: what the months before foretold decides how far the last one is followed."""
    monthly = (0.0, 0.0, -0.02, 0.0, 0.03)
    fall = (0.0, -0.03, -0.06, -0.09, -0.12)
    follows = {medians: np.mean([shift(_by_month(medians, seed)) for seed in range(8)]) for medians in (monthly, fall)}
    assert abs(follows[monthly]) < 0.012
    assert follows[fall] == pytest.approx(-0.12, abs=0.025)


def _by_month(medians: tuple[float, ...], seed: int) -> MarketLevel:
    rng = np.random.default_rng(seed)
    months = np.repeat(np.arange(len(medians)), 220)
    days = NOW - 30.0 * (len(medians) - months) + rng.uniform(0, 30, len(months))
    return market_level(residuals(days, np.array(medians)[months] + rng.normal(0, 0.12, len(months))), AS_OF, HELD)


def test_few_sales_move_less_than_many_and_too_few_nothing() -> None:
    few, many = (
        np.mean([market_level(noisy(seed, sales, level=0.10), AS_OF, HELD).level for seed in range(12)])
        for sales in (40, 2_000)
    )
    assert 0.02 < few < many - 0.01 < 0.11
    assert market_level(residuals(NOW - np.arange(1, 15), np.full(14, 0.3)), AS_OF, HELD).level == 0.0


def test_one_absurd_price_moves_nothing() -> None:
    calm = noisy(3, 1_000)
    spoiled = join((calm, residuals(np.array([NOW - 3]), np.array([5.0]))))
    assert shift(market_level(spoiled, AS_OF, HELD)) == pytest.approx(shift(market_level(calm, AS_OF, HELD)), abs=0.002)


def test_areas_that_differ_are_told_apart_and_those_that_do_not_are_left_alone() -> None:
    rng = np.random.default_rng(4)
    days = NOW - rng.integers(1, 150, 4_000)
    areas = rng.choice(["1", "2", "3", "4", "5", "6", "7", "8"], 4_000)
    noise = rng.normal(0, 0.12, 4_000)
    apart = market_level(residuals(days, noise + np.where(areas == "2", 0.08, 0.0), list(areas)), AS_OF, HELD)
    alike = market_level(residuals(days, noise, list(areas)), AS_OF, HELD)
    assert shift(apart, area="2") - shift(apart, area="3") == pytest.approx(0.08, abs=0.02)
    assert abs(shift(alike, area="2") - shift(alike, area="3")) < 0.015
    assert shift(apart, area="never seen") == pytest.approx(apart.level)


def test_past_days_get_the_level_of_their_time() -> None:
    found = market_level(noisy(5, 6_000, drift_per_month=0.02, level=0.06), AS_OF, HELD)
    assert shift(found, NOW - 60) == pytest.approx(0.02, abs=0.015)


@settings(max_examples=25)
@given(seed=st.integers(0, 1_000), later=st.floats(-1, 1))
def test_later_sales_never_reach_an_earlier_level(seed: int, later: float) -> None:
    known = noisy(seed, 200)
    future = residuals(NOW + np.arange(0, 50), np.full(50, later))
    assert market_level(join((known, future)), AS_OF, HELD) == market_level(known, AS_OF, HELD)


@settings(max_examples=25)
@given(seed=st.integers(0, 1_000))
def test_order_of_sales_does_not_matter(seed: int) -> None:
    known = noisy(seed, 300)
    order = np.random.default_rng(seed).permutation(300)
    mixed = residuals(known.days[order], known.log_ratio[order])
    assert shift(market_level(mixed, AS_OF, HELD)) == pytest.approx(shift(market_level(known, AS_OF, HELD)), abs=1e-9)


def test_no_residual_at_all_is_no_correction() -> None:
    nothing = market_level(residuals(np.empty(0), np.empty(0), []), AS_OF, HELD)
    assert (nothing.level, nothing.slope, nothing.sales) == (0.0, 0.0, 0)
    assert shift(nothing, NOW + 10) == 0.0
    assert nothing.as_of - timedelta(days=1) < AS_OF


def test_width_follows_what_the_latest_errors_needed_and_few_sales_hardly_move_it() -> None:
    def width(spread: float, sales: int) -> float:
        known = noisy(3, sales)
        return market_level(replace(known, log_ratio=known.log_ratio * spread), AS_OF, HELD).width

    assert width(1.0, 4_000) == pytest.approx(1.0, abs=0.04)
    assert width(0.7, 4_000) == pytest.approx(0.7, abs=0.05)
    assert width(1.5, 4_000) == pytest.approx(1.5, abs=0.1)
    assert 1.0 < width(1.5, 40) < 1.2
    assert market_level(residuals(np.empty(0), np.empty(0), []), AS_OF, HELD).width == 1.0


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), sales=st.integers(0, 400), wider=st.floats(1.0, 3.0))
def test_width_is_never_narrower_with_narrower_past_ranges_or_moved_by_later_sales(
    seed: int, sales: int, wider: float
) -> None:
    known = noisy(seed, sales)
    found = market_level(known, AS_OF, HELD).width
    narrow = replace(known, below=known.below / wider, above=known.above / wider)
    assert market_level(narrow, AS_OF, HELD).width >= found > 0
    later = residuals(NOW + np.arange(5), np.full(5, 2.0))
    assert market_level(join((known, later)), AS_OF, HELD).width == found


def test_errors_older_than_half_a_year_do_not_count_for_the_width() -> None:
    rng = np.random.default_rng(1)
    days = NOW - np.arange(1, 361)
    calm = rng.normal(0, NOISE, 360)
    spoiled = np.where(days < NOW - 180, 5 * calm, calm)
    calm_width, spoiled_width = (market_level(residuals(days, one), AS_OF, HELD).width for one in (calm, spoiled))
    assert spoiled_width == pytest.approx(calm_width, abs=0.05)
