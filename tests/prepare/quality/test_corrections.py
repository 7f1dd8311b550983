"""Corrections: a later row that says something else of a held sale supersedes it, and the old row undoes nothing."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.prepare.quality.cleaning import Cleaned, clean_sales
from core.prepare.quality.corrections import Repeats
from tests.prepare.quality.test_cleaning import FLAT, PROBLEM, TODAY, outcomes, table

ONE: dict[str, Any] = {"property_id": "A", "sale_id": "7"}
NO_ID: dict[str, Any] = {"property_id": "A"}
NEW = ("accepted", "")
CORRECTS = ("accepted", "corrects_earlier")
HELD = ("duplicate", "already_held")
SUPERSEDED = ("duplicate", "superseded_before")


def against(held: list[dict[str, Any]], *rows: dict[str, Any], superseded: pd.DataFrame | None = None) -> Cleaned:
    known = clean_sales(table(*held), PROBLEM, TODAY).sales
    return clean_sales(table(*rows), PROBLEM, TODAY, known, superseded)


@pytest.mark.parametrize(
    "change",
    [
        {"sale_price": 540_000.0},
        {"sale_price": 500_500.0},
        {"sale_date": "2024-05-20"},
        {"sale_date": "2024-05-02"},
        {"bedrooms": 4.0},
        {"sale_price": 540_000.0, "sale_date": "2024-06-01", "living_area_sqft": 1900.0},
    ],
)
def test_the_same_sale_id_with_another_fact_corrects(change: dict[str, Any]) -> None:
    cleaned = against([{}, ONE], {**ONE, **change})
    assert outcomes(cleaned) == [CORRECTS]
    assert cleaned.corrects.tolist() == [1]
    assert cleaned.sales["sale_price"].tolist() == [change.get("sale_price", 500_000.0)]


@pytest.mark.parametrize("ids", [(None, None), ("7", None), (None, "7")])
def test_the_same_home_and_date_with_another_price_corrects(ids: tuple[str | None, str | None]) -> None:
    cleaned = against([{**NO_ID, "sale_id": ids[0]}], {**NO_ID, "sale_id": ids[1], "sale_price": 540_000.0})
    assert outcomes(cleaned) == [CORRECTS]
    assert cleaned.corrects.tolist() == [0]


def test_a_house_without_an_id_is_known_by_its_address() -> None:
    house = {"property_id": None}
    spelt = {"property_id": None, "address": "12 MAIN STREET", "sale_price": 540_000.0}
    assert outcomes(against([house], spelt)) == [CORRECTS]
    assert outcomes(against([house], {**spelt, "zipcode": "10001"})) == [NEW]


@pytest.mark.parametrize(
    ("held", "row"),
    [
        (NO_ID, {**NO_ID, "sale_date": "2024-05-20", "sale_price": 540_000.0}),
        (ONE, {**ONE, "sale_id": "8", "sale_price": 540_000.0}),
        (ONE, {"property_id": "B", "sale_id": "7", "sale_price": 540_000.0}),
        (FLAT, {**FLAT, "sale_price": 540_000.0}),
        ({**FLAT, "sale_id": "7"}, {**FLAT, "sale_id": "7", "sale_price": 540_000.0, "sale_date": "2024-05-20"}),
        ({**FLAT, "sale_id": "7"}, {**FLAT, "sale_id": "8", "sale_price": 540_000.0}),
    ],
)
def test_another_sale_corrects_nothing(held: dict[str, Any], row: dict[str, Any]) -> None:
    cleaned = against([held], row)
    assert outcomes(cleaned) == [NEW]
    assert cleaned.corrects.tolist() == [-1]


BARE: dict[str, Any] = {"property_id": None, "property_type": None, "sale_id": "7"}
NOWHERE: dict[str, Any] = {**BARE, "address": None}


@pytest.mark.parametrize(
    ("base", "change"),
    [
        *((base, {"sale_price": 540_000.0}) for base in (BARE, NOWHERE, {**FLAT, "sale_id": "7"})),
        *((base, {"sale_date": "2024-05-20"}) for base in (BARE, NOWHERE)),
        *((BARE, change) for change in ({"bedrooms": 4.0}, {"living_area_sqft": 1900.0})),
    ],
)
def test_a_sale_id_corrects_one_fact_of_a_home_of_no_known_type(base: dict[str, Any], change: dict[str, Any]) -> None:
    cleaned = against([{"sale_price": 600_000.0}, base], {**base, **change})
    assert outcomes(cleaned) == [CORRECTS]
    assert cleaned.corrects.tolist() == [1]
    old = clean_sales(table(base), PROBLEM, TODAY).sales
    assert outcomes(against([{**base, **change}], base, superseded=old)) == [SUPERSEDED]


def test_row_numbers_as_sale_ids_correct_no_home_of_no_known_type() -> None:
    def row(at: int, address: str, price: float) -> dict[str, Any]:
        return {**BARE, "sale_id": str(at), "address": address, "sale_price": price}

    held = [row(at, f"{at} Elm St", 500_000.0 + 9_000 * at) for at in range(5)]
    later = [row(0, "0 Elm St", 540_000.0), *(row(at, f"{at} Oak St", 600_000.0 + 9_000 * at) for at in range(1, 5))]
    assert outcomes(against(held, *later)) == [NEW] * 5


@pytest.mark.parametrize("base", [{**BARE, "sale_id": None}, {**NOWHERE, "sale_id": None}, BARE, NOWHERE])
def test_a_stored_row_is_known_again_whatever_other_columns_its_file_now_has(base: dict[str, Any]) -> None:
    held = table(base, {**base, "sale_id": None, "address": "9 Oak St", "bedrooms": 2.0}).assign(
        x_view="lake", x_age="9"
    )
    known = clean_sales(held, PROBLEM, TODAY).sales
    known["year_built"] = 1999.0
    for again in (table(base), table(base).assign(x_lot="7"), table(base).assign(x_age=9.0)):
        assert outcomes(clean_sales(again, PROBLEM, TODAY, known)) == [HELD]
    elsewhere = table(base).assign(x_view="street", sale_id=None)
    assert outcomes(clean_sales(elsewhere, PROBLEM, TODAY, known)) == [NEW]


def test_of_two_equal_condos_one_is_stored_and_the_other_new() -> None:
    two = table(FLAT, FLAT).assign(x_floor=["3", "4"])
    known = clean_sales(table(FLAT), PROBLEM, TODAY).sales
    assert outcomes(clean_sales(two, PROBLEM, TODAY, known)) == [HELD, NEW]


def test_a_flat_is_corrected_where_its_unit_is_told() -> None:
    flat = {**FLAT, "sale_id": "7", "unit": "3"}
    assert outcomes(against([flat], {**flat, "sale_price": 540_000.0})) == [CORRECTS]
    assert outcomes(against([flat], {**flat, "sale_date": "2024-05-20"})) == [CORRECTS]


@pytest.mark.parametrize(
    "change", [{"year_built": 1980.0}, {"assessed_value": 7.0}, {"bedrooms": None, "address": None}]
)
def test_a_retyped_sale_without_a_sale_id_is_a_duplicate(change: dict[str, Any]) -> None:
    assert outcomes(against([NO_ID], {**NO_ID, **change})) == [HELD]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"sale_price": 501_000.0}, "sale price (500000, here 501000)"),
        ({"sale_date": "2024-05-05"}, "sale date (2024-05-01, here 2024-05-05)"),
        ({"bedrooms": 4.0}, "bedrooms (3, here 4)"),
        ({"bedrooms": 4.0, "sale_price": 501_000.0}, "bedrooms (3, here 4), sale price (500000, here 501000)"),
    ],
)
def test_what_a_repeated_sale_without_a_sale_id_has_otherwise_is_named_and_corrects_nothing(
    change: dict[str, Any], named: str
) -> None:
    cleaned = against([NO_ID], {**NO_ID, **change})
    assert outcomes(cleaned) == [("duplicate", "already_held;other_facts")]
    assert cleaned.sales.empty
    [detail] = cleaned.ledger["detail"].tolist()
    assert detail == f"the sale is already stored; the stored sale has another {named}"


ANOTHER_HOME: dict[str, Any] = {
    **{"bedrooms": 4.0, "bathrooms": 1.0, "living_area_sqft": 900.0, "lot_area_sqft": 100.0, "waterfront": 1.0},
    **{
        "latitude": 47.0,
        "longitude": -122.0,
        "property_type": "apartment",
        "zipcode": "98001",
        "list_price": 480_000.0,
    },
}


def taking(held: list[dict[str, Any]], *rows: dict[str, Any], superseded: pd.DataFrame | None = None) -> Cleaned:
    known = clean_sales(table(*held), PROBLEM, TODAY).sales
    return clean_sales(table(*rows), PROBLEM, TODAY, known, superseded, Repeats.CORRECT)


def test_facts_are_taken_where_somebody_said_so_and_the_sale_is_surely_the_same() -> None:
    cleaned = taking([{"property_id": "B"}, NO_ID], {**NO_ID, "bedrooms": 4.0, "condition": None})
    assert (outcomes(cleaned), cleaned.corrects.tolist()) == ([CORRECTS], [1])
    assert (cleaned.sales["bedrooms"].tolist(), cleaned.sales["condition"].tolist()) == ([4.0], [3.0])
    house = {**NO_ID, "property_id": None}
    assert outcomes(taking([house], {**house, "bathrooms": 3.0})) == [CORRECTS]
    # The same facts, and a new sale beside it, are what they always were.
    assert outcomes(taking([NO_ID], NO_ID, {"property_id": "C"})) == [HELD, NEW]


@pytest.mark.parametrize(
    "rows",
    [
        [{**NO_ID, "bedrooms": 4.0, "sale_price": 501_000.0}],
        [{**NO_ID, "bedrooms": 4.0, "sale_date": "2024-05-03"}],
        # Two flats of one parcel, sold on one day at one price.
        [{**NO_ID, "bedrooms": 4.0, "unit": "7"}],
        [{**NO_ID, **ANOTHER_HOME}],
        [{**NO_ID, "bedrooms": 4.0}, {**NO_ID, "bedrooms": 5.0}],
        [NO_ID, {**NO_ID, "bedrooms": 5.0}],
    ],
)
def test_facts_of_a_sale_that_may_be_another_are_not_taken(rows: list[dict[str, Any]]) -> None:
    cleaned = taking([NO_ID], *rows)
    assert (cleaned.corrects == -1).all()
    assert "duplicate" in [outcome for outcome, _ in outcomes(cleaned)]


def test_earlier_facts_are_not_taken_again() -> None:
    superseded = clean_sales(table(NO_ID), PROBLEM, TODAY).sales
    [(outcome, _)] = outcomes(taking([{**NO_ID, "bedrooms": 4.0}], NO_ID, superseded=superseded))
    assert outcome == "duplicate"


def test_a_row_that_repeats_one_of_many_stored_sales_is_compared_with_that_one() -> None:
    others = [{"property_id": str(at), "sale_id": None, "bedrooms": 2.0} for at in range(5)]
    far = [{**NO_ID, "sale_date": "2020-01-05", "bedrooms": 1.0}]
    assert outcomes(against([*far, *others, NO_ID, *far], NO_ID)) == [HELD]


@pytest.mark.parametrize("change", [{"year_built": 1980.0}, {"bedrooms": None}, {"zipcode": "98103-1234"}])
def test_what_the_assessor_decides_and_what_is_left_out_correct_nothing(change: dict[str, Any]) -> None:
    assert outcomes(against([ONE], {**ONE, **change})) == [HELD]


@pytest.mark.parametrize("base", [ONE, NO_ID])
def test_a_file_with_both_prices_tells_of_two_sales_of_one_day(base: dict[str, Any]) -> None:
    cleaned = against([base], base, {**base, "sale_price": 540_000.0})
    assert outcomes(cleaned) == [HELD, NEW]


@pytest.mark.parametrize("base", [ONE, NO_ID])
def test_two_different_corrections_of_one_sale_correct_nothing(base: dict[str, Any]) -> None:
    cleaned = against([base], {**base, "sale_price": 540_000.0}, {**base, "sale_price": 560_000.0})
    assert outcomes(cleaned) == [NEW, NEW]


def test_a_correction_brought_twice_counts_once() -> None:
    cleaned = against([ONE], {**ONE, "sale_price": 540_000.0}, {**ONE, "sale_price": 540_000.0})
    assert outcomes(cleaned) == [CORRECTS, ("duplicate", "duplicate_sale")]
    cleaned = against([NO_ID], {**NO_ID, "sale_price": 540_000.0}, {**NO_ID, "sale_price": 540_000.0})
    assert outcomes(cleaned) == [CORRECTS, ("duplicate", "duplicate_row")]


def test_a_silent_cell_erases_nothing_and_a_misfit_is_dropped() -> None:
    row = {**ONE, "sale_date": "2024-03-20", "bedrooms": None, "list_date": None, "address": None}
    cleaned = against([ONE], row)
    assert outcomes(cleaned) == [CORRECTS]
    assert cleaned.sales["bedrooms"].tolist() == [3.0]
    assert cleaned.sales["address"].tolist() == ["12 Main St"]
    assert cleaned.sales["list_date"].isna().all(), "listed on 1 April, sold on 20 March"


def test_columns_the_file_lacks_are_kept() -> None:
    known = clean_sales(table(ONE), PROBLEM, TODAY).sales
    frame = table({**ONE, "sale_price": 540_000.0}).drop(columns=["living_area_sqft", "list_price", "x_storey"])
    cleaned = clean_sales(frame, PROBLEM, TODAY, known)
    assert cleaned.sales["living_area_sqft"].tolist() == [1800.0]


def test_a_correction_that_is_repaired_says_both() -> None:
    cleaned = against([ONE], {**ONE, "sale_price": 540_000.0, "bathrooms": 0.0})
    assert outcomes(cleaned) == [("repaired", "bathrooms_implausible;corrects_earlier")]


def test_an_impossible_correction_is_rejected() -> None:
    assert outcomes(against([ONE], {**ONE, "sale_price": 1.0})) == [("rejected", "price_impossible")]


@pytest.mark.parametrize("base", [ONE, NO_ID])
def test_the_superseded_row_brought_again_undoes_nothing(base: dict[str, Any]) -> None:
    corrected = {**base, "sale_price": 540_000.0}
    superseded = clean_sales(table(base), PROBLEM, TODAY).sales
    assert outcomes(against([corrected], base, superseded=superseded)) == [SUPERSEDED]
    assert outcomes(against([corrected], corrected, superseded=superseded)) == [HELD]


def test_the_superseded_facts_brought_again_undo_nothing() -> None:
    superseded = clean_sales(table(ONE), PROBLEM, TODAY).sales
    assert outcomes(against([{**ONE, "bedrooms": 4.0}], ONE, superseded=superseded)) == [SUPERSEDED]
    third = {**ONE, "bedrooms": 5.0}
    assert outcomes(against([{**ONE, "bedrooms": 4.0}], third, superseded=superseded)) == [CORRECTS]


HOMES: tuple[dict[str, Any], ...] = (
    {"property_id": "A"},
    {"property_id": "B"},
    {"property_id": None, "address": "1 Elm St"},
    {"property_id": None, "address": "2 Elm St", "unit": "3", "property_type": "apartment"},
    {"property_id": None, "address": "3 Elm St", "property_type": "apartment"},
)


def sale_of(home: int, number: int, day: str, price: float, bedrooms: float | None) -> dict[str, Any]:
    """Return a sale of one of the homes; number 0 stands for no sale id."""
    sale_id = f"{home}-{number}" if number else None
    return {**HOMES[home], "sale_id": sale_id, "sale_date": day, "sale_price": price, "bedrooms": bedrooms}


SALES = st.lists(
    st.builds(
        sale_of,
        st.integers(0, len(HOMES) - 1),
        st.integers(0, 2),
        st.sampled_from(["2024-05-01", "2024-05-03", "2024-05-20"]),
        st.sampled_from([500_000.0, 501_000.0, 540_000.0, 560_000.0]),
        st.sampled_from([None, 3.0, 4.0]),
    ),
    max_size=6,
)


def commit(known: pd.DataFrame, cleaned: Cleaned) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the held sales after a file, and what it superseded."""
    held = known.copy()
    corrects = cleaned.corrects >= 0
    before = held.iloc[cleaned.corrects[corrects]]
    for place, (_, row) in zip(cleaned.corrects[corrects], cleaned.sales[corrects].iterrows(), strict=True):
        for name in row.index:
            held.iloc[place, list(held.columns).index(name)] = row[name]
    return pd.concat([held, cleaned.sales[~corrects]], ignore_index=True), before


@given(SALES, SALES, st.randoms(use_true_random=False))
@settings(max_examples=5)
def test_a_file_brought_twice_in_any_order_changes_nothing_more(
    first: list[dict[str, Any]], second: list[dict[str, Any]], random: Any
) -> None:
    held = clean_sales(table(*first), PROBLEM, TODAY).sales
    cleaned = clean_sales(table(*second), PROBLEM, TODAY, held)
    held, superseded = commit(held, cleaned)
    assert (pd.Series(cleaned.corrects)[cleaned.corrects >= 0]).is_unique
    order = list(range(len(second)))
    random.shuffle(order)
    again = clean_sales(table(*second).iloc[order], PROBLEM, TODAY, held, superseded)
    assert again.sales.empty
    old = clean_sales(table(*first), PROBLEM, TODAY, held, superseded)
    assert old.sales.empty
