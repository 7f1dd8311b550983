"""Cleaning: one outcome per row, with its reasons; resales stay; the same sales again are all duplicates."""

from __future__ import annotations

import dataclasses
import string
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.accounting import Outcome
from core.prepare.quality.cleaning import Cleaned, clean_sales
from core.problem import Problem, load_problem
from core.schema import conform

TODAY = date(2024, 6, 30)
PROBLEM: Problem = load_problem()

GOOD: dict[str, Any] = {
    "property_id": "P1",
    "address": "12 Main St",
    "unit": None,
    "zipcode": "98103",
    "latitude": 47.6,
    "longitude": -122.3,
    "property_type": "single_family",
    "living_area_sqft": 1800.0,
    "lot_area_sqft": 5000.0,
    "bedrooms": 3.0,
    "bathrooms": 2.0,
    "year_built": 1975.0,
    "year_renovated": None,
    "waterfront": 0.0,
    "condition": 3.0,
    "sale_id": None,
    "sale_date": "2024-05-01",
    "sale_price": 500_000.0,
    "list_date": "2024-04-01",
    "list_price": 510_000.0,
    "validity": "market",
    "x_storey": 4.0,
}


def table(*changes: dict[str, Any]) -> pd.DataFrame:
    """Good sales with changes; each has its own property id unless given one."""
    rows = [{**GOOD, "property_id": f"P{number}", **change} for number, change in enumerate(changes)]
    frame = pd.DataFrame(rows, columns=list(GOOD))
    for name in ("sale_date", "list_date"):
        frame[name] = pd.to_datetime(frame[name])
    return conform(frame).assign(source_row=np.arange(len(frame)) + 1)


def clean(*changes: dict[str, Any], known: pd.DataFrame | None = None) -> Cleaned:
    return clean_sales(table(*changes), PROBLEM, TODAY, known)


def outcomes(cleaned: Cleaned) -> list[tuple[str, str]]:
    return list(zip(cleaned.ledger["outcome"], cleaned.ledger["reasons"], strict=True))


def test_a_sound_sale_is_accepted_unchanged() -> None:
    frame = table({})
    cleaned = clean_sales(frame, PROBLEM, TODAY)
    assert outcomes(cleaned) == [("accepted", "")]
    pd.testing.assert_frame_equal(cleaned.sales, frame)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sale_price": None}, "price_missing"),
        ({"sale_price": 1.0}, "price_impossible"),
        ({"sale_price": np.inf}, "price_impossible"),
        ({"sale_price": -500_000.0}, "price_impossible"),
        ({"sale_date": None}, "date_missing"),
        ({"sale_date": "2024-07-01"}, "date_in_future"),
        ({"sale_date": "0201-05-01", "year_built": None, "list_date": None}, "date_impossible"),
        ({"living_area_sqft": -1800.0}, "living_area_sqft_impossible"),
        ({"living_area_sqft": 0.0}, "living_area_sqft_impossible"),
        ({"living_area_sqft": 1e6}, "living_area_sqft_impossible"),
        ({"bedrooms": 1000.0}, "bedrooms_impossible"),
        ({"bathrooms": -1.0}, "bathrooms_impossible"),
        ({"lot_area_sqft": -1.0}, "lot_area_sqft_impossible"),
        ({"validity": "Non Market"}, "non_market_sale"),
        ({"validity": "FORECLOSURE"}, "non_market_sale"),
        ({"address": None, "zipcode": None, "latitude": None, "longitude": None}, "no_location"),
        ({"address": None, "zipcode": None, "latitude": 0.0, "longitude": 0.0}, "no_location"),
        ({"sale_price": 1.0, "living_area_sqft": -2.0}, "price_impossible;living_area_sqft_impossible"),
    ],
)
def test_an_untrustworthy_sale_is_rejected(change: dict[str, Any], reason: str) -> None:
    cleaned = clean({}, change)
    assert outcomes(cleaned) == [("accepted", ""), ("rejected", reason)]
    assert cleaned.sales["source_row"].tolist() == [1]
    assert cleaned.ledger["detail"].iloc[1] != ""


@pytest.mark.parametrize(
    ("change", "reason", "blanked"),
    [
        ({"bedrooms": 33.0}, "bedrooms_implausible", "bedrooms"),
        ({"bedrooms": 12.0, "living_area_sqft": 700.0}, "bedrooms_implausible", "bedrooms"),
        ({"bedrooms": 0.0}, "bedrooms_implausible", "bedrooms"),
        ({"bathrooms": 0.0}, "bathrooms_implausible", "bathrooms"),
        ({"bathrooms": 21.0}, "bathrooms_implausible", "bathrooms"),
        ({"lot_area_sqft": 0.0}, "lot_area_sqft_implausible", "lot_area_sqft"),
        ({"year_built": 1196.0}, "year_built_implausible", "year_built"),
        ({"year_built": 2106.0}, "year_built_implausible", "year_built"),
        ({"year_built": 2027.0}, "year_built_implausible", "year_built"),
        ({"year_renovated": 1970.0}, "year_renovated_implausible", "year_renovated"),
        ({"condition": 7.0}, "condition_implausible", "condition"),
        ({"waterfront": 2.0}, "waterfront_implausible", "waterfront"),
        ({"latitude": 0.0, "longitude": 0.0}, "coordinates_implausible", "latitude"),
        ({"latitude": 95.0}, "coordinates_implausible", "longitude"),
        ({"longitude": None}, "coordinates_implausible", "latitude"),
        ({"list_price": 1.0}, "list_price_implausible", "list_price"),
        ({"list_price": 5_100_000.0}, "list_price_implausible", "list_price"),
        ({"list_date": "2024-05-02"}, "listed_after_sold", "list_date"),
        ({"x_storey": np.inf}, "x_storey_implausible", "x_storey"),
    ],
)
def test_a_mistyped_secondary_fact_becomes_missing(change: dict[str, Any], reason: str, blanked: str) -> None:
    cleaned = clean(change)
    assert outcomes(cleaned) == [("repaired", reason)]
    assert "-> missing" in cleaned.ledger["detail"].iloc[0]
    assert cleaned.sales[blanked].isna().all()
    assert cleaned.sales["sale_price"].tolist() == [500_000.0]


@pytest.mark.parametrize(
    "change",
    [
        {"sale_price": 10_000.0, "list_price": 12_000.0},
        {"sale_date": "2024-06-30"},
        {"bedrooms": 0.0, "living_area_sqft": 450.0},
        {"year_built": 2026.0},
        {"living_area_sqft": None, "bedrooms": 5.0},
        {"validity": None},
        {"address": None, "latitude": None, "longitude": None},
    ],
)
def test_rare_but_possible_facts_are_left_alone(change: dict[str, Any]) -> None:
    assert outcomes(clean(change)) == [("accepted", "")]


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"address": "20 River Terrace, 11D"}, ("repaired", "area_of_building")),
        ({"address": "20 River Terrace Apt 5"}, ("repaired", "area_of_building")),
        ({"address": "20 River Terrace", "unit": "PH2"}, ("repaired", "area_of_building")),
        ({"address": "20 River Terrace"}, ("rejected", "living_area_sqft_impossible")),
        ({"address": "20 River Terrace, 10282"}, ("rejected", "living_area_sqft_impossible")),
    ],
)
def test_the_area_of_a_whole_building_is_not_that_of_its_flat(change: dict[str, Any], outcome: tuple[str, str]) -> None:
    cleaned = clean({"living_area_sqft": 356_483.0, "bedrooms": None} | change)
    assert outcomes(cleaned) == [outcome]
    assert cleaned.sales["living_area_sqft"].isna().all()


def test_swapped_latitude_and_longitude_are_put_right_where_the_market_is_and_said_so() -> None:
    here = table({})[["latitude", "longitude"]].iloc[0]
    rows = [{"property_id": f"P{n}", "address": f"{n} Pine St", "latitude": here["latitude"]} for n in range(40)]
    rows[7] |= {"latitude": here["longitude"], "longitude": here["latitude"]}
    rows[8] |= {"latitude": 95.0, "longitude": 10.0}
    cleaned = clean(*rows)
    assert cleaned.sales.loc[[6, 7], ["latitude", "longitude"]].drop_duplicates().to_numpy().tolist() == [list(here)]
    entry = cleaned.ledger.iloc[7]
    assert (entry["outcome"], entry["reasons"]) == (Outcome.REPAIRED.value, "coordinates_swapped")
    assert entry["detail"].startswith("latitude and longitude were swapped: now ")
    assert np.isnan(cleaned.sales["latitude"][8])
    assert (
        cleaned.ledger["detail"][8] == "latitude 95 -> missing (off the globe); longitude 10 -> missing (off the globe)"
    )
    # A file of few rows is judged by the sales that the market has.
    few = clean(rows[7] | {"sale_date": "2024-06-01"}, known=clean(*rows).sales.drop(columns="source_row"))
    assert few.ledger["reasons"][0] == "coordinates_swapped"


def test_details_name_value_and_limit() -> None:
    cleaned = clean({"bedrooms": 33.0}, {"sale_price": 1.0}, {"living_area_sqft": 43.0556416668})
    details = cleaned.ledger["detail"].tolist()
    assert details[:2] == [
        "bedrooms 33 -> missing (outside 0 to 20)",
        "sale price 1 is impossible (limits 10000 to 500000000)",
    ]
    # 4 m²: a figure that was converted is rounded.
    assert details[2].startswith("living area 43.06 is impossible")


def test_never_renovated_is_no_fault() -> None:
    cleaned = clean({"year_renovated": 0.0})
    assert outcomes(cleaned) == [("accepted", "")]
    assert cleaned.sales["year_renovated"].isna().all()


def test_missing_columns_are_missing_facts() -> None:
    frame = table({}, {})[["zipcode", "source_row", "sale_price"]]
    cleaned = clean_sales(frame, PROBLEM, TODAY)
    assert outcomes(cleaned) == [("rejected", "date_missing")] * 2
    assert cleaned.sales.empty
    assert cleaned.sales["sale_date"].dtype == "datetime64[us]"


def test_an_empty_table_is_cleaned_to_nothing() -> None:
    cleaned = clean_sales(table({}).iloc[:0], PROBLEM, TODAY, table({}))
    assert len(cleaned.sales) == len(cleaned.ledger) == 0
    assert list(cleaned.ledger.columns) == ["source_row", "outcome", "reasons", "detail"]


# Duplicates


def test_the_same_home_date_and_price_is_one_sale_and_the_first_is_kept() -> None:
    cleaned = clean({"property_id": "A"}, {"property_id": "A", "bedrooms": 4.0, "sale_id": "second listing"})
    assert outcomes(cleaned) == [("accepted", ""), ("duplicate", "duplicate_sale")]
    assert cleaned.ledger["detail"].iloc[1] == "the same sale as row 1"
    assert cleaned.sales["bedrooms"].tolist() == [3.0]


def test_a_resale_is_no_duplicate() -> None:
    sales = clean({"property_id": "A"}, {"property_id": "A", "sale_date": "2024-05-09"})
    assert outcomes(sales) == [("accepted", "")] * 2
    sales = clean({"property_id": "A"}, {"property_id": "A", "sale_price": 503_000.0})
    assert outcomes(sales) == [("accepted", "")] * 2


@pytest.mark.parametrize("change", [{"sale_date": "2024-05-08"}, {"sale_price": 502_000.0}])
def test_a_week_and_half_a_percent_apart_is_one_sale(change: dict[str, Any]) -> None:
    cleaned = clean({"property_id": "A"}, {"property_id": "A", **change})
    assert outcomes(cleaned) == [("accepted", ""), ("duplicate", "near_duplicate")]


def test_a_sale_of_another_price_in_between_does_not_chain_two_sales() -> None:
    cleaned = clean(
        {"property_id": "A", "sale_date": "2024-05-01"},
        {"property_id": "A", "sale_date": "2024-05-07", "sale_price": 600_000.0},
        {"property_id": "A", "sale_date": "2024-05-13"},
    )
    assert outcomes(cleaned) == [("accepted", "")] * 3


def test_a_rejected_row_makes_no_duplicate_of_a_good_one() -> None:
    cleaned = clean({"property_id": "A", "bedrooms": 1000.0}, {"property_id": "A"})
    assert outcomes(cleaned) == [("rejected", "bedrooms_impossible"), ("accepted", "")]


def test_a_duplicate_that_needs_repair_is_a_duplicate() -> None:
    cleaned = clean({"property_id": "A"}, {"property_id": "A", "bathrooms": 0.0})
    assert outcomes(cleaned) == [("accepted", ""), ("duplicate", "duplicate_sale")]


def test_without_an_id_a_house_is_known_by_its_address() -> None:
    spelt = clean({"property_id": None}, {"property_id": None, "address": "12 MAIN STREET", "bedrooms": 4.0})
    assert outcomes(spelt) == [("accepted", ""), ("duplicate", "duplicate_sale")]
    elsewhere = clean({"property_id": None}, {"property_id": None, "zipcode": "10001", "bedrooms": 4.0})
    assert outcomes(elsewhere) == [("accepted", "")] * 2


FLAT = {"property_id": None, "property_type": "apartment"}


def test_alike_flats_under_one_address_are_different_sales() -> None:
    cleaned = clean(FLAT, {**FLAT, "x_storey": 5.0}, {**FLAT, "unit": "7"}, {**FLAT, "unit": "8"})
    assert outcomes(cleaned) == [("accepted", "")] * 4


def test_equal_rows_without_an_id_are_one_sale_unless_the_publisher_numbers_them_apart() -> None:
    assert outcomes(clean(FLAT, FLAT)) == [("accepted", ""), ("duplicate", "duplicate_row")]
    same = clean({**FLAT, "sale_id": "7"}, {**FLAT, "sale_id": "7"})
    assert outcomes(same) == [("accepted", ""), ("duplicate", "duplicate_row")]
    apart = clean({**FLAT, "sale_id": "7"}, {**FLAT, "sale_id": "8"})
    assert outcomes(apart) == [("accepted", "")] * 2


def test_a_flat_with_its_unit_is_identified() -> None:
    cleaned = clean({**FLAT, "unit": "7"}, {**FLAT, "unit": "#7", "bedrooms": 2.0})
    assert outcomes(cleaned) == [("accepted", ""), ("duplicate", "duplicate_sale")]


def test_sales_held_already_are_duplicates_and_others_come_in() -> None:
    known = clean({}, FLAT).sales
    cleaned = clean({}, FLAT, {"property_id": "new"}, {"property_id": "P0", "sale_date": "2024-06-30"}, known=known)
    assert outcomes(cleaned) == [("duplicate", "already_held")] * 2 + [("accepted", "")] * 2


def test_columns_only_the_held_sales_have_do_not_hide_a_repeat() -> None:
    known = clean(FLAT).sales.assign(x_storey="fourth", walk_score=80.0)
    frame = table(FLAT).drop(columns="x_storey")
    assert outcomes(clean_sales(frame, PROBLEM, TODAY, known)) == [("duplicate", "already_held")]


def test_a_held_extra_of_another_kind_is_compared_without_failing() -> None:
    known = clean(FLAT).sales.assign(x_storey="fourth")
    for storey in (None, 4.0):
        again = clean_sales(table({**FLAT, "x_storey": storey}), PROBLEM, TODAY, known)
        assert outcomes(again) == [("duplicate", "already_held")]


# Properties of any table

NUMBERS = st.one_of(st.none(), st.sampled_from([0.0, -1.0, 1.0, 3.0, 33.0, 1000.0, 1975.0, np.inf]))
ROWS = st.fixed_dictionaries(
    {
        "property_id": st.sampled_from(["A", "B", None]),
        "address": st.sampled_from(["1 Elm St", "2 Elm St Apt 3", None]),
        "unit": st.sampled_from([None, "4"]),
        "zipcode": st.sampled_from(["98103", None]),
        "property_type": st.sampled_from(["single_family", "apartment", None]),
        "sale_id": st.sampled_from([None, "1", "2"]),
        "sale_date": st.sampled_from([None, *(f"2024-05-{day:02}" for day in range(1, 29, 3)), "2025-01-01"]),
        "sale_price": st.sampled_from([None, 1.0, 300_000.0, 301_000.0, 302_000.0, 303_000.0, 305_000.0]),
        "list_price": st.sampled_from([None, 0.0, 310_000.0, 3_100_000.0]),
        "list_date": st.sampled_from([None, "2024-05-10"]),
        "living_area_sqft": st.sampled_from([None, -5.0, 0.0, 700.0, 1800.0]),
        "latitude": st.sampled_from([None, 0.0, 47.6, 123.0]),
        "longitude": st.sampled_from([None, 0.0, -122.3]),
        "validity": st.sampled_from([None, "market", "gift"]),
        **dict.fromkeys(("bedrooms", "bathrooms", "lot_area_sqft", "year_built", "year_renovated"), NUMBERS),
        "x_storey": NUMBERS,
    }
)
TABLES = st.lists(ROWS, max_size=14)


def frame_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return table(*rows)


def counts(cleaned: Cleaned) -> dict[str, int]:
    return {outcome.value: int((cleaned.ledger["outcome"] == outcome.value).sum()) for outcome in Outcome}


@given(TABLES)
@settings(max_examples=10)
def test_every_row_is_accounted_for_once(rows: list[dict[str, Any]]) -> None:
    cleaned = clean_sales(frame_of(rows), PROBLEM, TODAY)
    assert cleaned.ledger["source_row"].tolist() == list(range(1, len(rows) + 1))
    found = counts(cleaned)
    assert sum(found.values()) == len(rows)
    assert found["accepted"] + found["repaired"] == len(cleaned.sales)
    assert ((cleaned.ledger["reasons"] == "") == (cleaned.ledger["outcome"] == "accepted")).all()
    kept = cleaned.ledger.loc[cleaned.ledger["outcome"].isin(["accepted", "repaired"]), "source_row"]
    assert cleaned.sales["source_row"].tolist() == kept.tolist()


@given(TABLES)
@settings(max_examples=10)
def test_cleaning_the_clean_changes_nothing(rows: list[dict[str, Any]]) -> None:
    once = clean_sales(frame_of(rows), PROBLEM, TODAY).in_use
    twice = clean_sales(once, PROBLEM, TODAY)
    assert (twice.ledger["outcome"] == "accepted").all()
    pd.testing.assert_frame_equal(twice.sales, once)


@given(TABLES)
@settings(max_examples=10)
def test_the_same_sales_again_are_all_held_already(rows: list[dict[str, Any]]) -> None:
    frame = frame_of(rows)
    first = clean_sales(frame, PROBLEM, TODAY)
    again = clean_sales(frame, PROBLEM, TODAY, known=first.sales)
    assert again.sales.empty
    assert counts(again)["rejected"] == counts(first)["rejected"]


@given(TABLES, st.randoms(use_true_random=False))
@settings(max_examples=10)
def test_row_order_decides_only_which_of_a_pair_is_kept(rows: list[dict[str, Any]], random: Any) -> None:
    frame = frame_of(rows)
    order = list(range(len(rows)))
    random.shuffle(order)
    straight, shuffled = clean_sales(frame, PROBLEM, TODAY), clean_sales(frame.iloc[order], PROBLEM, TODAY)
    left, right = counts(straight), counts(shuffled)
    assert left["rejected"] == right["rejected"]
    assert left["duplicate"] == right["duplicate"]


@settings(max_examples=5)
@given(st.lists(st.text(string.printable, max_size=12), min_size=20, max_size=20))
def test_no_validity_word_breaks_cleaning(words: list[str]) -> None:
    assert len(clean(*({"validity": word or None} for word in words)).ledger) == len(words)


def test_limits_are_those_of_the_problem_statement() -> None:
    strict = dataclasses.replace(
        PROBLEM, limits={**PROBLEM.limits, "sale_price": dataclasses.replace(PROBLEM.limits["sale_price"], low=600_000)}
    )
    assert outcomes(clean_sales(table({}), strict, TODAY)) == [("rejected", "price_impossible")]


# Scale and real sales


def many(size: int) -> pd.DataFrame:
    """Simulated sales, a tenth of them without a price."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "property_id": pd.Series(rng.integers(0, size, size)).astype("str"),
            "zipcode": pd.Series(rng.integers(98_000, 98_200, size)).astype("str"),
            "sale_date": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1500, size), unit="D"),
            "sale_price": np.where(rng.random(size) < 0.1, np.nan, rng.lognormal(13, 0.4, size).round(-3)),
            "living_area_sqft": rng.normal(1800, 400, size).clip(400).round(),
            "bedrooms": rng.integers(0, 6, size),
            "bathrooms": rng.integers(0, 4, size),
            "year_built": rng.integers(1900, 2020, size),
        }
    )
    return conform(frame).assign(source_row=np.arange(size) + 1)


def test_fifty_thousand_sales_are_all_accounted_for() -> None:
    frame = many(50_000)
    cleaned = clean_sales(frame, PROBLEM, TODAY)
    assert counts(cleaned)["rejected"] == int(frame["sale_price"].isna().sum())


def test_real_resales_stay_and_real_typing_errors_are_repaired(sales_data: Path) -> None:
    raw = pd.read_csv(sales_data / "king_county" / "kc_house_data_2014_2015.csv", dtype={"id": str, "zipcode": str})
    frame = conform(
        pd.DataFrame(
            {
                "property_id": raw["id"],
                "zipcode": raw["zipcode"],
                "latitude": raw["lat"],
                "longitude": raw["long"],
                "living_area_sqft": raw["sqft_living"],
                "lot_area_sqft": raw["sqft_lot"],
                "bedrooms": raw["bedrooms"],
                "bathrooms": raw["bathrooms"],
                "year_built": raw["yr_built"],
                "year_renovated": raw["yr_renovated"],
                "waterfront": raw["waterfront"],
                "sale_date": pd.to_datetime(raw["date"].str[:8]),
                "sale_price": raw["price"],
            }
        )
    ).assign(source_row=np.arange(len(raw)) + 1)
    cleaned = clean_sales(frame, PROBLEM, TODAY)
    found = counts(cleaned)
    assert found["rejected"] == found["duplicate"] == 0
    assert cleaned.sales["property_id"].duplicated().sum() == 177
    assert found["repaired"] == int(((raw["bedrooms"] > 20) | (raw["bathrooms"] == 0) | zero_bedrooms(raw)).sum())
    assert clean_sales(frame, PROBLEM, TODAY, known=cleaned.sales).sales.empty


def zero_bedrooms(raw: pd.DataFrame) -> pd.Series:
    return (raw["bedrooms"] == 0) & (raw["sqft_living"] > 1000)
