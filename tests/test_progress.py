"""What a person sees of long work while it runs: that it goes on, and how much is left."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.progress import AHEAD, expected_fraction, shown_fraction, time_left

FRACTIONS = st.floats(0, 1)
SECONDS = st.floats(0, 10_000)


@given(FRACTIONS, SECONDS, SECONDS, SECONDS)
def test_between_two_reports_the_fraction_only_grows_and_stays_near_the_reported_one(
    fraction: float, seconds: float, quiet: float, more: float
) -> None:
    sooner = expected_fraction(fraction, seconds + quiet, quiet)
    later = expected_fraction(fraction, seconds + quiet + more, quiet + more)
    assert fraction <= sooner <= later <= min(1.0, fraction + AHEAD)


def test_a_step_of_half_a_minute_moves_every_three_seconds() -> None:
    shown = [round(expected_fraction(0.2, 30 + quiet, quiet), 4) for quiet in range(0, 30, 3)]
    assert shown == sorted(set(shown))


@given(FRACTIONS, SECONDS, SECONDS, st.floats(0, AHEAD), SECONDS)
def test_a_bar_that_ran_ahead_never_falls_and_goes_on_slowly(
    fraction: float, seconds: float, quiet: float, ahead: float, since: float
) -> None:
    expected = expected_fraction(fraction, seconds + quiet, quiet)
    before = min(1.0, fraction + ahead)
    shown = shown_fraction(fraction, expected, before, since)
    assert max(expected, before) <= shown <= max(expected, before, min(1.0, fraction + AHEAD))


def test_a_bar_that_ran_ahead_moves_every_three_seconds() -> None:
    assert shown_fraction(0.30, 0.30, 0.34, 3.0) > 0.34
    assert shown_fraction(0.30, 0.36, 0.34, 3.0) == 0.36


def test_ended_work_and_a_clock_set_back_show_what_was_reported() -> None:
    assert expected_fraction(1.0, 60, 30) == 1.0
    assert expected_fraction(0.4, 60, -5) == 0.4


def test_the_words_follow_what_is_measured() -> None:
    assert time_left(0.01, 60) == time_left(0.5, 3) == time_left(1.0, 60) == ""
    assert time_left(0.5, 30) == "less than a minute left"
    assert time_left(0.5, 55) == "about a minute left"
    assert time_left(0.2, 120) == "about 6 to 12 min left"
