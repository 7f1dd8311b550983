"""Columns that a header alone misreads: districts, asking prices, storeys of flats, rooms, units, scales and ids."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.collect.cells.currencies import written_currency
from core.collect.columns.guess import Guess, guess_file
from core.collect.columns.near_misses import why_no_sales
from core.collect.reading.reader import parse_table

ROWS = 160
RNG = np.random.default_rng(23)
SQFT = RNG.integers(700, 3_500, ROWS)
PRICE = (SQFT * RNG.uniform(120, 260, ROWS)).round(-3).astype(int)
SOLD = pd.Timestamp("2022-01-03") + pd.to_timedelta(RNG.integers(0, 700, ROWS), unit="D")
ZIPS = RNG.choice(["50309", "50310", "50311"], ROWS)


def _guess(columns: dict[str, object], *without: str) -> Guess:
    base: dict[str, object] = {
        "Address": [f"{n + 11} Oak Street" for n in range(ROWS)],
        "Zip": ZIPS,
        "Sale Price": PRICE,
        "Sale Date": SOLD.strftime("%Y-%m-%d"),
        "SqFt": SQFT,
    }
    kept = {name: values for name, values in base.items() if name not in without}
    return guess_file(parse_table(pd.DataFrame(kept | columns).to_csv(index=False).encode(), "sales.csv"))


def _fields(guess: Guess) -> dict[str, str]:
    return {rule.column: rule.field for rule in guess.mapping.rules}


def _units(guess: Guess) -> dict[str, str]:
    return {rule.field: rule.unit for rule in guess.mapping.rules}


def _to_check(guess: Guess) -> dict[str, str]:
    return {one.column: str(one) for one in guess.mapping.inferences if not one.sure}


@pytest.mark.parametrize("districts", [[100, 120, 140, 160], [1, 8, 15, 22]])
def test_a_column_that_states_its_unit_goes_before_one_called_area(districts: list[int]) -> None:
    area = np.array(districts)[(PRICE // 1_000 % 4)]
    guess = _guess({"Area": area, "Beds": np.clip(SQFT // 600, 1, 5)})
    assert _fields(guess)["SqFt"] == "living_area_sqft"
    [rule] = [one for one in guess.mapping.rules if one.column == "Area"]
    assert (rule.field, rule.parse) == ("x_area", "text")


def test_a_column_called_area_alone_is_still_the_living_area() -> None:
    assert _fields(_guess({"Area": SQFT}, "SqFt"))["Area"] == "living_area_sqft"


@pytest.mark.parametrize("paid", ["Sold For", "Amount Paid"])
def test_what_was_paid_goes_before_a_bare_price_which_is_the_asking_price(paid: str) -> None:
    asked = (PRICE * RNG.uniform(0.94, 1.08, ROWS)).round(-3)
    guess = _guess({"Price": asked, paid: PRICE}, "Sale Price")
    assert (_fields(guess)[paid], _fields(guess)["Price"]) == ("sale_price", "list_price")
    assert "the asking price" in _to_check(guess)["Price"]


def test_a_bare_price_far_from_what_was_paid_is_no_asking_price() -> None:
    guess = _guess({"Price": (PRICE / SQFT).round(2), "Sold For": PRICE}, "Sale Price")
    assert "list_price" not in _fields(guess).values()


@pytest.mark.parametrize("header", ["Floor", "Planta"])
def test_the_storey_of_a_flat_is_no_count_of_storeys(header: str) -> None:
    assert _fields(_guess({header: RNG.integers(0, 14, ROWS)}))[header] != "floors"
    assert "floors" in _fields(_guess({"Floors": RNG.choice([1, 1.5, 2, 3], ROWS)})).values()


@pytest.mark.parametrize("header", ["Lp.", "LP"])
def test_a_running_number_is_no_list_price(header: str) -> None:
    guess = _guess({header: np.arange(1, ROWS + 1)})
    assert "row counter" in dict(guess.mapping.ignored)[header]
    assert _fields(_guess({header: PRICE + 5_000}))[header] == "list_price"


@pytest.mark.parametrize(
    "header", ["Rooms", "Liczba pokoi", "Locali", "Zimmer", "Pièces", "방수", "房间数", "Số phòng"]
)
def test_all_rooms_taken_for_bedrooms_are_to_be_checked(header: str) -> None:
    rooms = np.clip(SQFT // 400, 3, 8)
    assert "may count all rooms" in _to_check(_guess({header: rooms}))[header]
    beside = _guess({header: rooms, "Bedrooms": rooms - 2})
    assert header not in _to_check(beside)
    assert _fields(beside)["Bedrooms"] == "bedrooms"
    assert _fields(beside)[header].startswith("x_")


@pytest.mark.parametrize("cells", [["2LDK", "3LDK", "1K", "4DK"], ["3LDK", "2SLDK", "2DK", "1LDK"]])
def test_rooms_beside_living_dining_and_kitchen_are_bedrooms(cells: list[str]) -> None:
    guess = _guess({"間取り": RNG.choice(cells, ROWS)})
    assert _fields(guess)["間取り"] == "bedrooms"
    assert "間取り" not in _to_check(guess)
    assert any(one.column == "間取り" and "bedrooms" in one.claim for one in guess.mapping.inferences)


@pytest.mark.parametrize("header", ["Habitaciones", "Dormitorios", "Chambres"])
def test_columns_that_count_bedrooms_in_their_language_are_no_doubt(header: str) -> None:
    guess = _guess({header: np.clip(SQFT // 500, 1, 5)})
    assert _fields(guess)[header] == "bedrooms"
    assert header not in _to_check(guess)


@pytest.mark.parametrize(("header", "factor", "unit"), [("SqFt", 0.0929, "sqm"), ("Living Area m2", 1.0, "sqft")])
def test_an_area_no_median_home_has_in_the_stated_unit_is_read_in_the_other(
    header: str, factor: float, unit: str
) -> None:
    guess = _guess({header: (SQFT * factor).round(1)}, "SqFt")
    assert _units(guess)["living_area_sqft"] == unit
    assert "is not possible" in _to_check(guess)[header]


def test_all_areas_under_wrong_headers_follow_the_living_area_and_are_to_be_checked() -> None:
    m2 = (SQFT * 0.0929).round(1)
    columns = {"sqft_living": m2, "sqft_lot": (m2 * 5.1).round(), "sqft_above": (m2 * 0.8).round(2)}
    guess = _guess({**columns, "sqft_lot15": np.roll(m2, 7) * 5.3}, "SqFt")
    units = _units(guess)
    assert [units[name] for name in ("living_area_sqft", "lot_area_sqft", "x_sqft_above", "x_sqft_lot15")] == [
        "sqm"
    ] * 4
    for header in ("sqft_lot", "sqft_above", "sqft_lot15"):
        assert "its header says sqft as that of sqft_living does" in _to_check(guess)[header]


def test_a_lot_that_is_in_the_unit_of_its_header_stays_in_it() -> None:
    m2 = (SQFT * 0.0929).round(1)
    guess = _guess({"sqft_living": m2, "sqft_lot": SQFT * 5, "sqft_lot15": np.roll(SQFT, 7) * 5}, "SqFt")
    units = _units(guess)
    assert (units["living_area_sqft"], units["lot_area_sqft"], units["x_sqft_lot15"]) == ("sqm", "sqft", "")
    # Nothing proves the header right where the other one is wrong.
    assert {"sqft_lot", "sqft_lot15"} <= set(_to_check(guess))


def test_areas_beside_homes_that_fit_their_header_are_as_theirs_say() -> None:
    guess = _guess({"sqft_living": SQFT, "sqft_lot": SQFT // 2, "sqft_above": (SQFT * 0.8).round()}, "SqFt")
    assert (_units(guess)["lot_area_sqft"], _units(guess)["x_sqft_above"]) == ("sqft", "")
    assert not {"sqft_lot", "sqft_above"} & set(_to_check(guess))


@pytest.mark.parametrize(
    ("header", "lots", "unit", "words"),
    [
        ("Lot Acres", RNG.integers(2_500, 14_000, ROWS), "sqft", "its header says acre"),
        ("Lot Sq Ft", RNG.uniform(0.1, 0.4, ROWS).round(3), "acre", "its header says sqft"),
        ("Lot Size", np.where(np.arange(ROWS) % 2, 5_776, 0.133), "sqft", "some may be in acres"),
    ],
)
def test_lots_that_contradict_their_unit_are_to_be_checked(
    header: str, lots: np.ndarray, unit: str, words: str
) -> None:
    guess = _guess({header: lots})
    assert _units(guess)["lot_area_sqft"] == unit
    assert words in _to_check(guess)[header]


def test_lots_that_agree_with_their_unit_need_no_check() -> None:
    assert not _to_check(_guess({"Lot Acres": RNG.uniform(0.1, 40, ROWS).round(2)}))
    assert not _to_check(_guess({"Lot Size": RNG.integers(900, 14_000, ROWS)}))
    # Cells that name their unit are read in it, whatever that of the others is.
    assert not _to_check(_guess({"Lot Size": np.where(np.arange(ROWS) % 2, "5,776 sf", "0.133 acres")}))


def test_the_day_of_settlement_is_to_be_checked_beside_the_day_of_the_contract() -> None:
    settled = (SOLD + pd.Timedelta(days=45)).strftime("%Y-%m-%d")
    guess = _guess({"Contract Date": SOLD.strftime("%Y-%m-%d"), "Settlement Date": settled}, "Sale Date")
    assert "45 days earlier" in _to_check(guess)["Settlement Date"]
    assert "after the sale" not in dict(guess.mapping.ignored)["Contract Date"]


@pytest.mark.parametrize(("header", "form"), [("yrmo", "%Y%m"), ("saleday", "%Y%m%d")])
def test_a_month_written_as_a_number_is_the_sale_date_over_again(header: str, form: str) -> None:
    guess = _guess({header: SOLD.strftime(form)})
    assert header not in _fields(guess)


@pytest.mark.parametrize(
    ("header", "scale"),
    [
        ("Kaufpreis (TEUR)", 1e3),
        ("Price (HK$M)", 1e6),
        ("Consideration (HK$M)", 1e6),
        ("Giá bán (tỷ đồng)", 1e9),
        ("Agreement Value (Lakhs)", 1e5),
        ("Цена, тыс. руб.", 1e3),
        ("Price (£k)", 1e3),
    ],
)
def test_the_scale_of_prices_is_read_from_their_header(header: str, scale: float) -> None:
    guess = _guess({header: (PRICE / scale).round(4)}, "Sale Price")
    [rule] = [one for one in guess.mapping.rules if one.column == header]
    assert (rule.field, rule.scale) == ("sale_price", scale)


@pytest.mark.parametrize("header", ["Deed Amount", "Agreement Value"])
def test_a_price_that_may_not_be_what_was_paid_is_taken_and_to_be_checked(header: str) -> None:
    guess = _guess({header: PRICE}, "Sale Price")
    assert _fields(guess)[header] == "sale_price"
    assert header in _to_check(guess)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"MLS #": np.arange(ROWS) + 7_000_000}, "No column looks like a sale price."),
        ({"ΤΚ κτιρίου": RNG.integers(10_551, 10_599, ROWS)}, "No column looks like a sale price."),
        ({"Assessed Value": PRICE}, "'Assessed Value' is a valuation, not what was paid."),
        ({"Sold Price": [f"~{one}~" for one in PRICE]}, "'Sold Price' looks like the sale price, but '~"),
    ],
)
def test_a_file_without_prices_names_what_is_missing_and_no_id_or_postcode(
    columns: dict[str, object], words: str
) -> None:
    kept = {"Address": [f"{n + 11} Oak Street" for n in range(ROWS)], "Sold Date": SOLD.strftime("%m/%d/%Y")}
    table = parse_table(pd.DataFrame(kept | columns).to_csv(index=False).encode(), "sales.csv")
    why = why_no_sales(table, guess_file(table).mapping)
    assert words in why
    assert "No column looks like a sale date" not in why


@pytest.mark.parametrize(
    ("cell", "header", "code"),
    [
        ("4.007.000 TL", "Fiyat", "TRY"),
        ("425万元", "成交总价", "CNY"),
        ("4250000", "成交总价(万元)", "CNY"),
        ("4250000", "總價元", "TWD"),
        ("4250000", "售價(港元)", "HKD"),
    ],
)
def test_liras_and_yuan_are_told_by_how_they_are_written(cell: str, header: str, code: str) -> None:
    found = written_currency(pd.Series([cell] * 30), header)
    assert found is not None
    assert found.code == code


def test_a_column_called_as_a_field_is_read_with_its_own_decimal_mark_and_asked_about() -> None:
    floors = RNG.choice(["1.0", "1.5", "2.0"], ROWS)
    prices = [f"{price},50" for price in PRICE]
    guess = _guess({"Floors": floors, "Sale Price": prices, "Lot Area": [f"{area},25" for area in SQFT * 3]})
    rule = next(one for one in guess.mapping.rules if one.column == "Floors")
    assert (guess.mapping.decimal, rule.field, rule.decimal) == (",", "floors", ".")
    (doubt,) = (one for one in guess.mapping.inferences if one.column == "Floors")
    assert not doubt.sure
    assert "decimal point" in doubt.claim
