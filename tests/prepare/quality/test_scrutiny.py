"""Scrutiny: wrong prices, areas and packages are found among plain sales, and plain sales are left alone."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.accounting import Outcome
from core.prepare.quality.cleaning import Cleaned, clean_sales
from core.prepare.quality.scrutiny import Scrutiny, in_words, scrutinise
from core.problem import load_problem
from core.schema import SQFT_PER_SQM, conform
from core.states import Doubt
from tests.doubtful_market import doubtful_sales

PROBLEM = load_problem()
TODAY = date(2025, 1, 1)
FIELDS = {
    "Parcel number": "property_id",
    "Street address": "address",
    "Zip code": "zipcode",
    "Sale date": "sale_date",
    "Sale price": "sale_price",
    "List price": "list_price",
    "Living area sqft": "living_area_sqft",
    "Bedrooms": "bedrooms",
    "Year built": "year_built",
}


def canonical(table: pd.DataFrame) -> pd.DataFrame:
    frame = table.rename(columns=FIELDS)
    return conform(frame.assign(sale_date=pd.to_datetime(frame["sale_date"])))


def plain(rows: int = 400, seed: int = 1) -> pd.DataFrame:
    """Sales with nothing wrong."""
    return canonical(doubtful_sales(rows, faults=0, seed=seed).table)


def look(frame: pd.DataFrame, known: pd.DataFrame | None = None) -> Scrutiny:
    return scrutinise(frame, np.ones(len(frame), dtype=bool), known)


def clean(frame: pd.DataFrame) -> Cleaned:
    return clean_sales(frame.assign(source_row=np.arange(len(frame)) + 1), PROBLEM, TODAY)


def changed(frame: pd.DataFrame, row: int, **facts: Any) -> pd.DataFrame:
    frame = frame.copy()
    for name, value in facts.items():
        frame.loc[row, name] = value
    return frame


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([300, 600, 1_000]), st.booleans())
def test_planted_faults_are_found_and_little_else(seed: int, rows: int, has_list_prices: bool) -> None:
    made = doubtful_sales(rows, faults=5, seed=seed)
    frame = canonical(made.table)
    queue = look(frame if has_list_prices else frame.drop(columns="list_price"))
    asked, strong, faulty = queue.mask(), queue.mask(strong=True), made.planted != ""
    assert asked[faulty].mean() >= 0.95
    assert faulty[asked].mean() >= 0.9
    assert faulty[strong].all()
    for planted, kind in (("price", Doubt.PRICE_DIGIT), ("area", Doubt.AREA_UNIT), ("package", Doubt.PACKAGE)):
        assert queue.mask(kind)[made.planted == planted].mean() >= 0.8


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_plain_sales_are_not_set_aside(seed: int) -> None:
    assert not look(plain(400, seed)).mask(strong=True).any()


@settings(max_examples=10)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_has_no_say(seed: int) -> None:
    frame = canonical(doubtful_sales(300, seed=seed).table)
    order = np.random.default_rng(seed).permutation(len(frame))
    straight, shuffled = look(frame), look(frame.iloc[order].reset_index(drop=True))
    assert (straight.mask(strong=True)[order] == shuffled.mask(strong=True)).all()


@pytest.mark.parametrize("factor", [10.0, 0.1, 100.0])
def test_the_price_is_corrected_by_the_factor_that_list_price_and_neighbours_agree_on(factor: float) -> None:
    frame = plain()
    right = float(frame["sale_price"][7])
    [doubt] = look(changed(frame, 7, sale_price=right * factor)).doubts.to_dict("records")
    assert (doubt["position"], doubt["kind"], doubt["strong"]) == (7, Doubt.PRICE_DIGIT, True)
    assert (doubt["field"], doubt["suggested"]) == ("sale_price", pytest.approx(right))
    assert doubt["list_price"] == frame["list_price"][7]
    assert f"{right:,.0f} would fit" in in_words(doubt)


@pytest.mark.parametrize(("times", "kind"), [(4.2, Doubt.FAR), (10.0, Doubt.PRICE_DIGIT)])
def test_a_digit_is_too_many_only_where_the_price_without_it_is_usual(times: float, kind: Doubt) -> None:
    frame = plain().drop(columns="list_price")
    [doubt] = look(changed(frame, 7, sale_price=float(frame["sale_price"][7]) * times)).doubts.to_dict("records")
    assert (doubt["position"], doubt["kind"], doubt["strong"]) == (7, kind, kind is Doubt.PRICE_DIGIT)


def test_the_wrong_sale_is_set_aside_and_its_right_list_price_kept() -> None:
    frame = plain()
    cleaned = clean(changed(frame, 7, sale_price=float(frame["sale_price"][7]) * 10))
    entry = cleaned.ledger.iloc[7]
    assert (entry["outcome"], entry["reasons"]) == (Outcome.SET_ASIDE.value, Doubt.PRICE_DIGIT.value)
    assert "list price" in entry["detail"]
    assert cleaned.sales["list_price"][7] == frame["list_price"][7]
    assert 7 not in cleaned.in_use.index


def test_a_wrong_list_price_beside_a_right_sale_is_blanked_and_the_sale_stays_in_use() -> None:
    frame = plain()
    cleaned = clean(changed(frame, 7, list_price=float(frame["list_price"][7]) * 10))
    entry = cleaned.ledger.iloc[7]
    assert (entry["outcome"], entry["reasons"]) == (Outcome.REPAIRED.value, "list_price_implausible")
    assert np.isnan(cleaned.sales["list_price"][7])
    assert cleaned.sales["sale_price"][7] == frame["sale_price"][7]


def test_a_home_in_square_meters_keeps_its_rooms_and_is_asked_about() -> None:
    frame = plain()
    row = int(frame["bedrooms"].to_numpy().argmax())
    area = float(frame["living_area_sqft"][row])
    cleaned = clean(changed(frame, row, living_area_sqft=round(area / 10.7639)))
    assert cleaned.set_aside[row] == Doubt.AREA_UNIT
    assert cleaned.sales["bedrooms"][row] == frame["bedrooms"][row]


@pytest.mark.parametrize("parts", ["with parts", "in m²", "none"])
def test_living_and_lot_area_that_stand_swapped_are_told_by_the_parts_or_by_what_is_usual(parts: str) -> None:
    frame = plain()
    living = frame["living_area_sqft"]
    frame["lot_area_sqft"] = 4_000.0 + 10.0 * np.arange(len(frame)) % 3_000
    if parts != "none":
        unit = SQFT_PER_SQM if parts == "in m²" else 1.0
        frame = frame.assign(x_above=(0.75 * living / unit), x_basement=(0.25 * living / unit), x_other=50.0)
    assert not look(frame).mask(Doubt.AREAS_SWAPPED).any()
    right = float(living[7])
    # With parts, a lot of about the size of the home is told too.
    lot = right * (1.15 if parts == "with parts" else 4.0)
    [doubt] = look(changed(frame, 7, living_area_sqft=lot, lot_area_sqft=right)).doubts.to_dict("records")
    assert (doubt["position"], doubt["kind"], doubt["strong"]) == (7, Doubt.AREAS_SWAPPED, True)
    assert (doubt["suggested"], doubt["suggested_lot"]) == (right, lot)
    assert f"seem swapped: {right:,.0f} and {lot:,.0f} sq ft would fit" in in_words(doubt)


def test_one_deed_over_two_homes_is_a_package_and_one_home_listed_twice_is_none() -> None:
    frame = plain()
    frame["sale_id"] = pd.Series([f"D{row}" for row in range(len(frame))], dtype="str")
    deed = {"sale_id": "D7", "sale_date": frame["sale_date"][7], "sale_price": frame["sale_price"][7]}
    assert look(changed(frame, 8, **deed)).mask(Doubt.PACKAGE, strong=True).nonzero()[0].tolist() == [7, 8]
    twice = pd.concat([frame, frame.iloc[[7]]], ignore_index=True)
    assert not look(twice).mask(Doubt.PACKAGE).any()


def test_the_last_sale_of_the_home_stands_beside_its_price() -> None:
    frame = plain()
    earlier = frame.iloc[[7]].assign(sale_date=pd.Timestamp("2022-05-01"), sale_price=250_000.0)
    wrong = changed(frame, 7, sale_price=float(frame["sale_price"][7]) * 10)
    [doubt] = look(wrong, known=conform(earlier)).doubts.to_dict("records")
    assert (doubt["position"], doubt["last_price"]) == (7, 250_000.0)
    assert doubt["last_date"] == pd.Timestamp("2022-05-01")


@pytest.mark.parametrize(
    ("column", "usual", "odd", "kind"),
    [
        ("validity", "Standard", "Quit Claim Deed", Doubt.NON_MARKET),
        ("validity", "Ordinary sale", "Not at arm's length", Doubt.NON_MARKET),
        ("x_num_parcels_sale", 1.0, 3.0, Doubt.NON_MARKET),
        ("x_is_multisale", "False", "True", Doubt.NON_MARKET),
        ("x_ownership_share_pct", 100.0, 50.0, Doubt.PART_SHARE),
    ],
)
def test_what_the_record_itself_says_against_a_sale_is_asked_about(
    column: str, usual: str | float, odd: str | float, kind: Doubt
) -> None:
    frame = plain()
    frame[column] = usual
    assert not look(conform(frame)).mask(kind).any()
    assert look(conform(changed(frame, 7, **{column: odd}))).mask(kind, strong=True).nonzero()[0].tolist() == [7]


def test_a_handful_of_sales_says_nothing_of_what_is_usual() -> None:
    frame = plain().head(20).reset_index(drop=True)
    assert not look(changed(frame, 7, sale_price=9e6, list_price=np.nan)).mask().any()
