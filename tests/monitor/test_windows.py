"""Windows tile time without gap or overlap, in UTC, whatever zone an instant is given in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.monitor.windows import earlier, later, window_named, window_of, windows
from core.states import Period

INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))


@given(INSTANTS, st.sampled_from(Period))
def test_windows_tile_time(when: datetime, period: Period) -> None:
    window = window_of(when, period)
    assert window.holds(when)
    assert window.start < window.end == later(window).start
    assert earlier(later(window)) == window
    assert window_named(window.key) == window
    assert window.key < later(window).key


def test_a_window_has_a_key_and_a_name() -> None:
    when = date(2024, 12, 31)
    assert [window_of(when, period).key for period in Period] == ["2024-12-31", "2025-W01", "2024-12"]
    assert [window_of(when, period).label for period in Period] == ["31 Dec 2024", "week of 30 Dec 2024", "Dec 2024"]


def test_an_instant_elsewhere_falls_in_the_window_of_its_utc() -> None:
    tokyo = datetime(2024, 3, 1, 8, 0, tzinfo=timezone(timedelta(hours=9)))
    assert window_of(tokyo, Period.MONTH).key == "2024-02"


def test_windows_between_two_times_include_the_empty_ones_and_both_ends() -> None:
    found = windows(date(2023, 11, 30), datetime(2024, 2, 1, tzinfo=UTC), Period.MONTH)
    assert [window.key for window in found] == ["2023-11", "2023-12", "2024-01", "2024-02"]
    assert windows(date(2024, 2, 1), date(2024, 1, 1), Period.DAY) == ()


def test_a_window_is_over_at_its_end() -> None:
    window = window_named("2024-02")
    assert not window.is_over(datetime(2024, 2, 29, 23, 59, tzinfo=UTC))
    assert window.is_over(datetime(2024, 3, 1, tzinfo=UTC))


@pytest.mark.parametrize("key", ["2024-13", "2024-W60", "2024-2", "soon", "", "2024-02-30"])
def test_a_key_of_no_window_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="is not a window"):
        window_named(key)


def test_an_instant_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        window_of(datetime(2024, 1, 1), Period.DAY)
