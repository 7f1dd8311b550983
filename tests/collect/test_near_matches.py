"""Near matches: slips of the keyboard are asked about, other homes are not, and an answer is not asked for again."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.collect.near_matches import NearMatch, near_matches

PAIRS = list(csv.DictReader(Path(__file__).with_name("address_pairs.csv").open(encoding="utf-8")))
COLUMNS = ["source_row", "property_id", "address", "unit", "zipcode"]


def places(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Rows of property id, address, unit and zip code, empty where not given."""
    frame = pd.DataFrame([(place, *row) for place, row in enumerate(rows, start=1)], columns=COLUMNS)
    return frame.mask(frame == "").astype(dict.fromkeys(COLUMNS[1:], "str"))


def asked(left: str, right: str, left_zip: str = "98103", right_zip: str = "98103") -> tuple[NearMatch, ...]:
    return near_matches(places(("", left, "", left_zip)), places(("", right, "", right_zip)), {})


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair["verdict"] == "misspelt"])
def test_a_misspelt_address_is_asked_about(pair: dict[str, str]) -> None:
    left, right = ((pair[side], pair[f"{side}_unit"], pair[f"{side}_zip"]) for side in ("left", "right"))
    (near,) = near_matches(places(("", *left)), places(("", *right)), {})
    assert (near.sales_row, near.tax_row) == (1, 1)
    assert near.why
    assert 50 < near.score <= 100


@pytest.mark.parametrize(
    "pair",
    [pair for pair in PAIRS if pair["verdict"] == "different" and pair["kind"] in {"number", "unit", "ordinal", "zip"}],
)
def test_another_number_unit_ordinal_or_zip_code_is_never_asked_about(pair: dict[str, str]) -> None:
    left, right = ((pair[side], pair[f"{side}_unit"], pair[f"{side}_zip"]) for side in ("left", "right"))
    assert not near_matches(places(("", *left)), places(("", *right)), {})


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("12 N Main St", "12 S Main St"),
        ("12 N Main St", "12 NE Main St"),
        ("12 N Maple St", "12 Mapel St"),
        ("12 N Main St", "12 Main Ave"),
        ("12 Maple St", "12 Mapel Ave"),
        ("12 E St", "12 East St"),
        ("12 Oak St", "12 Ash St"),
        ("12 Upper Lake Rd", "12 Lower Lake Rd"),
        ("12 Elm St", "12 ELM STREET"),
    ],
)
def test_two_homes_or_one_are_no_question(left: str, right: str) -> None:
    assert not asked(left, right)


def test_a_type_alone_is_asked_about_and_named() -> None:
    (near,) = asked("12 Oak Ln", "12 Oak Dr")
    assert near.why == "street type is LN or DR"


@pytest.mark.parametrize(("left", "right", "count"), [("98103", "98104", 0), ("98103", "", 1), ("", "98103", 1)])
def test_zip_codes_agree_or_one_has_none(left: str, right: str, count: int) -> None:
    assert len(asked("12 Maple St", "12 Mapel St", left, right)) == count


def test_answered_pairs_and_two_property_ids_are_not_asked_about() -> None:
    (near,) = asked("12 Maple St", "12 Mapel St")
    sales, tax = places(("", "12 Maple St", "", "98103")), places(("", "12 Mapel St", "", "98103"))
    for answer in (True, False):
        assert not near_matches(sales, tax, {(near.sales_key, near.tax_key): answer})
    with_ids = places(("A", "12 Maple St", "", "98103")), places(("B", "12 Mapel St", "", "98103"))
    assert not near_matches(*with_ids, {})


def test_sales_of_one_home_are_one_question_and_few_candidates_are_shown() -> None:
    sales = places(*[("", "12 Maple St", "", "98103")] * 5)
    tax = places(*[("", f"12 {name} St", "", "98103") for name in ("Mapel", "Maples", "Mable", "Naple", "Mapple")])
    found = near_matches(sales, tax, {})
    assert len(found) == 3
    assert {near.sales_row for near in found} == {1}
    assert [near.score for near in found] == sorted((near.score for near in found), reverse=True)


def test_a_sale_without_address_or_number_asks_nothing() -> None:
    assert not near_matches(places(("", "", "", "98103"), ("", "Maple St", "", "98103")), places(), {})
    assert not asked("Maple St", "Mapel St")


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_text_breaks_the_search(left: str, right: str) -> None:
    asked(left, right)
