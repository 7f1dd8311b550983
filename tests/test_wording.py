"""How amounts, areas, shares and dates read."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import wording as fmt


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (245312, "USD", "$245,312"),
        (1250000.4, "AUD", "A$1,250,000"),
        (980000, "SGD", "S$980,000"),
        (1250000, "CHF", "CHF\u00a01\u202f250\u202f000"),
        (1680, "EUR", "€1\u202f680"),
        (-1500, "USD", "−$1,500"),
        (-0.2, "USD", "$0"),
        (484_500.5, "USD", "$484,501"),
        (None, "USD", "–"),
        (math.nan, "USD", "–"),
        (math.inf, "USD", "–"),
    ],
)
def test_money_to_the_unit(value: float | None, currency: str, text: str) -> None:
    assert fmt.money(value, currency) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "$0"),
        (950, "$950"),
        (999.6, "$1K"),
        (9_460, "$9.5K"),
        (9_960, "$10K"),
        (245_312, "$245K"),
        (999_400, "$999K"),
        (999_600, "$1M"),
        (1_250_000, "$1.25M"),
        (1_200_000, "$1.2M"),
        (2_000_000, "$2M"),
        (1_835_000, "$1.835M"),
        (98_500, "$98.5K"),
        (484_500, "$485K"),
        (-12_250, "−$12.5K"),
        (12_540_000, "$12.54M"),
        (100_000_000, "$100M"),
        (3_100_000_000, "$3.1B"),
        (-12_400, "−$12.5K"),
        (None, "–"),
    ],
)
def test_money_as_it_is_said(value: float | None, text: str) -> None:
    assert fmt.money_short(value, "USD") == text


@given(st.floats(1, 9e11))
def test_a_short_amount_is_never_far_from_the_amount(value: float) -> None:
    text = fmt.money_short(value, "USD").removeprefix("$").replace(",", "")
    scale = {"K": 1e3, "M": 1e6, "B": 1e9}.get(text[-1], 1.0)
    said = float(text.rstrip("KMB")) * scale
    assert said == pytest.approx(value, rel=0.051, abs=0.5)


def test_a_range_names_both_ends_unless_they_read_the_same() -> None:
    assert fmt.money_range(245_000, 265_000, "USD") == "$245K to $265K"
    assert fmt.money_range(245_100, 245_300, "USD") == "$245K"


def test_areas_are_written_in_the_markets_unit() -> None:
    assert fmt.area(1680, "sqft", "USD") == "1,680 sq ft"
    assert fmt.area(1680, "sqm", "EUR") == "156 m²"
    assert fmt.area(None, "sqm", "EUR") == "–"
    with pytest.raises(ValueError, match="acre"):
        fmt.area(1680, "acre", "USD")


@given(st.floats(0.1, 1e7), st.sampled_from(["sqft", "sqm"]))
def test_an_area_goes_to_square_feet_and_back(value: float, unit: str) -> None:
    assert fmt.from_sqft(fmt.to_sqft(value, unit), unit) == pytest.approx(value)


def test_one_square_metre_in_square_feet() -> None:
    assert fmt.to_sqft(1, "sqm") == pytest.approx(10.7639, abs=1e-4)


def test_shares() -> None:
    assert fmt.percent(0.084, 1) == "8.4%"
    assert fmt.percent(0.8) == "80%"
    assert fmt.percent(-0.004, 1) == "−0.4%"
    assert fmt.percent(-0.0001) == "0%"
    assert fmt.percent(math.nan) == "–"
    assert fmt.signed_percent(0.031, 1) == "+3.1%"
    assert fmt.signed_percent(-0.031, 1) == "−3.1%"
    assert fmt.signed_percent(0.0001) == "0%"
    assert fmt.signed_percent(None) == "–"


def test_counts_and_days() -> None:
    assert fmt.count(1, "sale") == "1 sale"
    assert fmt.count(21613, "sale") == "21,613 sales"
    assert fmt.count(0, "city", "cities") == "0 cities"
    assert fmt.count(21613, "sale", currency="EUR") == "21\u202f613 sales"
    assert fmt.days(1.2) == "1 day"
    assert fmt.days(12) == "12 days"
    assert fmt.days(None) == "–"


def test_dates_do_not_depend_on_the_continent() -> None:
    assert fmt.day(date(2024, 3, 4)) == "4 Mar 2024"
    assert fmt.day(pd.Timestamp("2024-12-31")) == "31 Dec 2024"
    assert fmt.day(None) == "–"
    assert fmt.day(pd.NaT) == "–"


def test_a_market_in_dollars_reads_its_dates_month_first() -> None:
    assert fmt.market_day(date(2024, 3, 4), "USD") == "Mar 4, 2024"
    assert fmt.market_day(date(2024, 3, 4), "EUR") == "4 Mar 2024"
    assert fmt.market_day(None, "USD") == "–"


@pytest.mark.parametrize(
    ("kilometers", "unit", "words"),
    [
        *((0.0, "sqm", "0 m"), (0.35, "sqm", "350 m"), (1.0, "sqm", "1 km"), (1.24, "sqm", "1.2 km")),
        *((0.1, "sqft", "330 ft"), (0.8, "sqft", "0.5 mi"), (1.609344, "sqft", "1 mi"), (12.0, "sqft", "7.5 mi")),
    ],
)
def test_distances_are_in_the_markets_unit(kilometers: float, unit: str, words: str) -> None:
    assert fmt.distance(kilometers, unit) == words


@given(st.floats(1e3, 1e7), st.floats(1e3, 1e7))
def test_the_marks_of_an_axis_are_few_and_lie_on_it(low: float, width: float) -> None:
    marks = list(fmt.round_amounts(low, low + width, 4))
    assert 1 <= len(marks) <= 5
    assert all(low - 1e-6 <= mark <= low + width + 1e-6 for mark in marks)


def test_instants_are_told_in_utc() -> None:
    assert fmt.instant(datetime(2024, 3, 4, 23, 5, tzinfo=UTC)) == "4 Mar 2024, 23:05 UTC"
    east = timezone(timedelta(hours=8))
    assert fmt.instant(datetime(2024, 3, 4, 1, 5, tzinfo=east)) == "3 Mar 2024, 17:05 UTC"
    with pytest.raises(ValueError, match="time zone"):
        fmt.instant(datetime(2024, 3, 4))


@pytest.mark.parametrize(("share", "written"), [(0.1, "10%"), (0.025, "2.5%"), (0.5, "50%"), (-0.1, "−10%")])
def test_a_share_that_somebody_set_has_no_more_digits_than_it_has(share: float, written: str) -> None:
    assert fmt.bound(share) == written


@pytest.mark.parametrize(
    ("difference", "written"),
    [(0.0352, "+3.5 points"), (-0.004, "−0.4 points"), (-0.0001, "0.0 points"), (None, fmt.MISSING)],
)
def test_a_difference_of_shares_is_in_points(difference: float | None, written: str) -> None:
    assert fmt.points(difference) == written
