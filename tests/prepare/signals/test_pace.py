"""How fast homes sell: running means of days on market that know nothing of a home's own wait or of later sales."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.arrays import Floats, Objects
from core.prepare.signals.pace import WAIT_MAX, Pace, waits

AREAS = np.array(["A", "B"], dtype=object)


def on(pace: Pace, area: str, day: float) -> tuple[float, float, float]:
    market, apart, change = pace.on(np.array([area], dtype=object), np.array([day]))
    return float(market[0]), float(apart[0]), float(change[0])


def sales(areas: list[str]) -> Objects:
    return np.array(areas, dtype=object)


def test_a_sale_counts_half_as_much_after_sixty_days() -> None:
    pace = Pace.of(sales(["A", "A"]), np.array([0.0, 60.0]), np.array([2.0, 5.0]))
    # On day 61 the older sale has half the weight of the newer: (2 / 2 + 5) / 1.5.
    assert on(pace, "A", 61)[0] == pytest.approx(4.0)


def test_an_area_without_sales_has_the_pace_of_the_market() -> None:
    pace = Pace.of(sales(["A", "A", "B"]), np.array([0.0, 5.0, 9.0]), np.array([2.0, 5.0, 3.0]))
    assert on(pace, "nowhere", 20)[1] == 0.0


def test_an_area_whose_homes_wait_longer_is_above_the_market_and_a_change_shows() -> None:
    days = np.arange(0.0, 800.0, 2.0)
    areas = sales(["A", "B"] * 200)
    slow = np.where(areas == "A", 4.0, 3.0)
    # Since day 600 homes of B sell faster than they did.
    wait = np.where((areas == "B") & (days > 600), 2.0, slow)
    pace = Pace.of(areas, days, wait)
    _, apart_a, change_a = on(pace, "A", 800)
    _, apart_b, change_b = on(pace, "B", 800)
    assert apart_a > 0.5 > -0.5 > apart_b
    assert change_b < -0.3
    # With few sales of a season an area follows the market a little.
    assert abs(change_a) < 0.2


def test_before_the_first_sale_nothing_is_known() -> None:
    pace = Pace.of(sales(["A"]), np.array([10.0]), np.array([3.0]))
    assert np.isnan(on(pace, "A", 10)).all()
    assert not np.isnan(on(pace, "A", 11)).any()


def test_no_sales_with_list_dates_tell_nothing() -> None:
    pace = Pace.of(sales(["A", "B"]), np.array([1.0, 2.0]), np.array([np.nan, np.nan]))
    assert np.isnan(on(pace, "A", 30)).all()


@given(
    waited=st.lists(st.floats(0.0, 6.0), min_size=12, max_size=12),
    later=st.lists(st.floats(0.0, 6.0), min_size=6, max_size=6),
    day=st.integers(2, 9),
)
def test_no_sale_of_the_day_or_later_moves_a_digit(waited: list[float], later: list[float], day: int) -> None:
    days = np.repeat(np.arange(1.0, 13.0), 1)
    areas = sales(["A", "B"] * 6)
    wait = np.array(waited)
    changed: Floats = wait.copy()
    on_or_after = np.flatnonzero(days >= day)
    changed[on_or_after] = np.resize(later, len(on_or_after))
    asked = AREAS, np.full(2, float(day))
    before, after = (Pace.of(areas, days, one).on(*asked) for one in (wait, changed))
    np.testing.assert_array_equal(before, after)


def test_a_forgotten_listing_counts_as_two_years_and_an_impossible_one_not_at_all() -> None:
    sold = np.array(["2024-06-01", "2024-06-01", "2024-06-01", "2024-06-01"], dtype="datetime64[us]")
    listed = np.array(["2015-01-01", "2024-07-01", "NaT", "2024-06-01"], dtype="datetime64[us]")
    found = waits(sold, listed)
    assert found[0] == np.log1p(WAIT_MAX)
    assert np.isnan(found[1:3]).all()
    assert found[3] == 0.0
