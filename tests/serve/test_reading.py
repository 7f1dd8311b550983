"""The one reader of a home's numbers: units, marks, yes and no, whole numbers, and what it refuses."""

from __future__ import annotations

import pytest

from core.collect.cells.typed import read_typed
from core.errors import ImpossibleProperty
from core.problem import Problem
from core.schema import SQFT_PER_SQM
from core.serve.reading.facts import countable, in_numbers, is_countable, read_number
from core.serve.reso import own_facts
from core.serve.subject import check_subject
from core.serve.words import typed_number
from core.workflows.pricing.desk import Desk


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("living_area_sqft", "1500 sqft", 1500),
        ("living_area_sqft", "1,680 sq. ft.", 1680),
        ("living_area_sqft", "140 m2", 140 * SQFT_PER_SQM),
        ("living_area_sqft", "140 m²", 140 * SQFT_PER_SQM),
        ("lot_area_sqft", "0.25 acres", 10_890),
        ("lot_area_sqft", "1.125 acres", 49_005),
        ("lot_area_sqft", "0,125 acres", 5_445),
        ("lot_area_sqft", "4,500", 4500),
        ("lot_area_sqft", "4.500", 4500),
        ("lot_area_sqft", "4.500,5", 4500.5),
        ("lot_area_sqft", "4.5", 4.5),
        ("living_area_sqft", "1.680", 1680),
        ("living_area_sqft", "85.125 m2", 85.125 * SQFT_PER_SQM),
        ("assessed_value", "$600.000", 600_000),
        ("latitude", "47,512", 47.512),
        ("latitude", "47.512", 47.512),
        ("bathrooms", "2,5", 2.5),
        ("bathrooms", 1.75, 1.75),
        ("bedrooms", "3.000", 3),
        ("year_built", "1,985", 1985),
        ("waterfront", "Yes", 1),
        ("waterfront", "false", 0),
        ("waterfront", True, 1),
        ("waterfront", "0", 0),
        ("condition", "good", 4),
    ],
)
def test_a_number_is_read_as_people_and_programs_write_it(
    problem: Problem, name: str, value: object, number: float
) -> None:
    assert read_number(name, value, problem) == pytest.approx(number)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("waterfront", "2", "Waterfront '2' is not yes or no. Write yes or no"),
        ("waterfront", 2, "Waterfront 2 is not yes or no"),
        ("waterfront", 0.5, "Waterfront 0.5 is not yes or no"),
        ("bedrooms", 2.5, "Bedrooms cannot be 2.5: it must be a whole number"),
        ("bedrooms", "2,5", "Bedrooms cannot be 2.5: it must be a whole number"),
        ("bedrooms", True, "Bedrooms True is not a number"),
        ("bathrooms", "2.1", "Bathrooms cannot be 2.1: it must be a multiple of 0.25"),
        ("year_built", 1985.5, "Year built cannot be 1985.5: it must be a whole number"),
        ("living_area_sqft", 61_000, "Living area cannot be 61,000: it must lie between 70 and 60,000 sq ft."),
        ("living_area_sqft", "7000 m2", "Living area cannot be 75,347"),
        ("living_area_sqft", "2 acres", "Living area '2 acres' is in a unit of land"),
        ("living_area_sqft", "1500 beds", "Living area '1500 beds' is not a number"),
        ("latitude", 99, "must lie between -90 and 90 degrees"),
    ],
)
def test_what_no_home_has_is_refused_with_the_limit(problem: Problem, name: str, value: object, reason: str) -> None:
    with pytest.raises(ImpossibleProperty) as refused:
        read_number(name, value, problem)
    assert reason in str(refused.value)


def test_what_programs_send_as_text_is_kept_as_numbers(problem: Problem) -> None:
    facts = {"living_area_sqft": "1,500 sqft", "waterfront": "no", "bedrooms": "three", "zipcode": "98103"}
    kept = {"living_area_sqft": 1500.0, "waterfront": 0.0, "bedrooms": "three", "zipcode": "98103"}
    assert in_numbers(facts, problem) == kept


@pytest.mark.parametrize("blank", ["n/a", "Unknown", "-", "", "null"])
def test_a_word_for_nothing_is_a_blank_as_in_files(small_desk: Desk, problem: Problem, blank: str) -> None:
    assert small_desk.bundle is not None
    model = small_desk.bundle.model
    facts = {"living_area_sqft": 1500.0, "bedrooms": blank, "property_type": blank, "zipcode": blank}
    subject = check_subject(facts, model.profile.last_sale, model, problem)
    assert subject.facts == {"living_area_sqft": 1500.0}


@pytest.mark.parametrize("written", ["house", "H", "Detached  House", "single family", "Single-Family"])
def test_a_type_has_the_names_it_has_in_files(small_desk: Desk, problem: Problem, written: str) -> None:
    assert small_desk.bundle is not None
    model = small_desk.bundle.model
    subject = check_subject({"property_type": written}, model.profile.last_sale, model, problem)
    assert subject.facts == {"property_type": "single_family"}


def test_a_listing_systems_areas_are_read_by_the_same_reader() -> None:
    assert own_facts({"LivingArea": "1.680"}) == {"living_area_sqft": 1680}
    assert own_facts({"LotSizeAcres": "0,25"}) == {"lot_area_sqft": 10_890}
    assert own_facts({"LotSizeArea": "1 acre", "LotSizeUnits": "Square Feet"}) == {"lot_area_sqft": 43_560}


def test_the_form_reads_a_thousandth_of_an_acre_and_no_thousand_acres(small_desk: Desk) -> None:
    assert typed_number("lot_area_sqft", "1.125 acres", small_desk.market) == 49_005


def test_a_zero_begins_no_group_of_thousands() -> None:
    assert read_typed("0,500") == 0.5


def test_the_middle_of_two_counts_is_the_lower_one() -> None:
    assert [countable("bedrooms", 3.5), countable("bathrooms", 2.375), countable("year_built", 1960.5)] == [
        3,
        2.25,
        1960,
    ]
    assert countable("living_area_sqft", 1500.5) == 1500.5
    assert [is_countable("bathrooms", 2.1), is_countable("bathrooms", 2.25), is_countable("address", "1 Elm St")] == [
        False,
        True,
        True,
    ]
