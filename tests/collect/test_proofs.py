"""What columns are taken for is proven by the numbers: units by row, whole prices, scales, doubles, header marks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.collect.columns.guess import Guess, guess_mapping
from core.collect.columns.picks import Pick, correct
from core.collect.mapping import MappedTable, apply_mapping
from core.collect.mapping_file import mapping_from_json, mapping_to_json
from core.collect.reading.reader import parse_table
from core.collect.reading.table import RawTable
from core.schema import SQFT_PER_SQM, Source

ROWS = 240
RNG = np.random.default_rng(11)
AREA = RNG.integers(60, 300, ROWS)
RATE = RNG.integers(1_500, 6_000, ROWS)
DAYS = pd.Timestamp("2021-01-04") + pd.to_timedelta(RNG.integers(0, 700, ROWS), unit="D")


def _columns(**more: object) -> dict[str, object]:
    return {
        "Sale Price": AREA * RATE,
        "Sale Date": DAYS.strftime("%Y-%m-%d"),
        "Zip": RNG.choice(["98001", "98002", "98003"], ROWS),
        "Living Area": AREA,
    } | more


def _table(columns: dict[str, object]) -> RawTable:
    return parse_table(pd.DataFrame(columns).to_csv(index=False).encode(), "sales.csv")


def _guess(columns: dict[str, object], source: Source = Source.SALES) -> tuple[Guess, MappedTable]:
    table = _table(columns)
    guess = guess_mapping(table, source)
    return guess, apply_mapping(table, guess.mapping)


def _fields(guess: Guess) -> dict[str, str]:
    return {rule.column: rule.field for rule in guess.mapping.rules}


def _claims(guess: Guess, column: str) -> str:
    return "; ".join(map(str, (one for one in guess.mapping.inferences if one.column == column)))


@pytest.mark.parametrize("source", [Source.SALES, Source.TAX])
def test_the_unit_of_an_area_is_read_row_by_row_from_the_column_beside_it(source: Source) -> None:
    metric = np.arange(ROWS) % 5 == 0
    sqft = AREA * SQFT_PER_SQM
    columns = _columns(LivingAreaUnits=np.where(metric, "Square Meters", "SquareFeet"))
    columns["LivingArea"] = np.where(metric, AREA, sqft).round(1)
    columns["LotSizeArea"] = np.where(metric, 0.25, 10_890)
    columns["LotSizeUnits"] = np.where(metric, "Acres", "Square Feet")
    del columns["Living Area"]
    guess, mapped = _guess(columns, source)
    assert mapped.frame["living_area_sqft"].to_numpy() == pytest.approx(sqft, rel=1e-3)
    assert mapped.frame["lot_area_sqft"].to_numpy() == pytest.approx(10_890)
    assert "LivingAreaUnits" not in _fields(guess)
    assert "Square Meters in 48" in _claims(guess, "LivingArea")


def test_an_area_with_some_rows_in_hectares_is_the_lot_and_not_the_home() -> None:
    place = np.arange(ROWS)
    columns = {name: values for name, values in _columns().items() if name != "Living Area"}
    columns |= {"Area": np.where(place % 4, 600.0 + place, 1.25), "Area Type": np.where(place % 4, "M", "H")}
    guess, mapped = _guess(columns)
    assert _fields(guess)["Area"] == "lot_area_sqft"
    assert mapped.frame["lot_area_sqft"].iloc[0] == pytest.approx(12_500 * SQFT_PER_SQM)
    assert mapped.frame["lot_area_sqft"].iloc[1] == pytest.approx(601 * SQFT_PER_SQM)


def test_of_two_usual_names_the_column_with_fewer_gaps_is_the_area() -> None:
    gaps = np.where(np.arange(ROWS) % 5, "", (AREA * 1.3).round().astype(int).astype(str))
    guess, _ = _guess(_columns() | {"Floor Area": gaps})
    assert _fields(guess)["Living Area"] == "living_area_sqft"


def test_a_unit_that_a_person_picks_overrules_the_one_by_row() -> None:
    table = _table(_columns() | {"LotSizeArea": 600, "LotSizeUnits": "Acres"})
    guess = guess_mapping(table, Source.SALES)
    picks = [Pick(rule.column, rule.field, rule.parse, rule.unit) for rule in guess.mapping.rules]
    picked = correct(
        guess.mapping, [replace(one, unit="sqm") if one.field == "lot_area_sqft" else one for one in picks]
    )
    lots = apply_mapping(table, picked).frame["lot_area_sqft"]
    assert lots.to_numpy() == pytest.approx(600 * SQFT_PER_SQM)


def test_a_price_per_area_is_never_the_sale_price() -> None:
    columns = _columns() | {"Sale Price": RATE, "Worth": AREA * RATE}
    guess, mapped = _guess(columns)
    assert _fields(guess)["Worth"] == "sale_price"
    assert "Sale Price" not in _fields(guess)
    assert mapped.frame["sale_price"].tolist() == (AREA * RATE).tolist()
    assert "in 100% of rows" in _claims(guess, "Worth")


def test_a_price_that_is_area_times_a_rate_is_shown_as_proven() -> None:
    guess, _ = _guess(_columns(rate=RATE))
    assert "no price per area" in _claims(guess, "Sale Price")
    assert "rate" not in _fields(guess)


@pytest.mark.parametrize(
    ("header", "factor"),
    [("Price (in Lakhs)", 1e5), ("Sale Price (000s)", 1e3), ("总价(万元)", 1e4), ("거래금액(만원)", 1e4)],
)
def test_the_scale_that_a_header_states_is_applied(header: str, factor: float) -> None:
    columns = _columns() | {header: AREA * RATE / factor}
    del columns["Sale Price"]
    guess, mapped = _guess(columns)
    assert mapped.frame["sale_price"].to_numpy() == pytest.approx(AREA * RATE)
    assert "its header says so" in _claims(guess, header)


def test_prices_that_no_home_sells_at_are_in_thousands_and_asked_about() -> None:
    guess, mapped = _guess(_columns() | {"Sale Price": AREA * RATE / 1000})
    assert mapped.frame["sale_price"].median() == pytest.approx(np.median(AREA * RATE))
    assert [one.sure for one in guess.mapping.inferences if one.field == "sale_price"] == [False]


@pytest.mark.parametrize(
    "prices",
    [np.full(ROWS, 7), np.where(np.arange(ROWS) == 5, 8, 7), np.arange(ROWS) % 5 + 1, np.where(AREA > 290, AREA, 1)],
)
def test_a_lone_figure_or_a_mark_from_one_to_five_has_no_scale(prices: np.ndarray) -> None:
    guess, mapped = _guess(_columns() | {"Sale Price": prices})
    assert _claims(guess, "Sale Price") == ""
    assert mapped.frame["sale_price"].max() < 1_000


@pytest.mark.parametrize(("factor", "scale"), [(1e3, 1e3), (1e6, 1e6)])
def test_prices_that_differ_as_prices_do_are_scaled_and_asked_about(factor: float, scale: float) -> None:
    guess, mapped = _guess(_columns() | {"Sale Price": AREA * RATE / factor})
    assert mapped.frame["sale_price"].to_numpy() == pytest.approx(AREA * RATE)
    [inference] = [one for one in guess.mapping.inferences if one.field == "sale_price"]
    assert (inference.claim, inference.sure) == (f"in units of {scale:,.0f}", False)


@pytest.mark.parametrize(
    "names", [("Full Baths", "Half Baths", "Baths 1/2"), ("Bathrooms Full", "Baths 1/2", "Half Bathrooms")]
)
def test_half_baths_that_stand_in_two_columns_count_once(names: tuple[str, str, str]) -> None:
    full, half = AREA % 3 + 1, RATE % 2
    _, mapped = _guess(_columns(**dict(zip(names, (full, half, half), strict=True))))
    assert mapped.frame["bathrooms"].to_numpy() == pytest.approx(full + 0.5 * half)


@pytest.mark.parametrize("total", ["Total Baths", "Bathrooms"])
def test_a_count_of_all_baths_gives_way_to_full_and_half_ones(total: str) -> None:
    full, half = AREA % 3 + 1, RATE % 2
    parts = {"Full Baths": full, "Half Baths": half}
    for counted in (full + half, full + 0.5 * half):
        _, mapped = _guess(_columns(**parts, **{total: counted}))
        assert mapped.frame["bathrooms"].to_numpy() == pytest.approx(full + 0.5 * half)


def test_list_prices_in_whole_money_give_the_scale_of_the_sale_prices() -> None:
    guess, mapped = _guess(_columns() | {"Sale Price": AREA * RATE / 1000, "List Price": AREA * RATE * 1.02})
    assert mapped.frame["sale_price"].median() == pytest.approx(np.median(AREA * RATE))
    assert "list prices are about 1,000 times it" in _claims(guess, "Sale Price")


def test_baths_with_half_baths_behind_the_point_are_told_from_decimals() -> None:
    _, dotted = _guess(_columns(BA=RNG.choice(["1.0", "1.1", "2.1", "3.0"], ROWS)))
    assert set(dotted.frame["bathrooms"]) == {1.0, 1.5, 2.5, 3.0}
    _, decimal = _guess(_columns(BA=RNG.choice(["1.0", "1.5", "2.25", "3.0"], ROWS)))
    assert set(decimal.frame["bathrooms"]) == {1.0, 1.5, 2.25, 3.0}


def test_a_room_count_of_minus_one_is_a_studio() -> None:
    rooms = np.where(AREA < 80, -1, 3)
    guess, mapped = _guess(_columns(rooms=rooms))
    assert set(mapped.frame["bedrooms"]) == {0.0, 3.0}
    assert "studio" in _claims(guess, "rooms")


def test_doubles_of_the_sale_day_are_no_facts_of_the_home() -> None:
    sold = pd.Series(DAYS)
    quarter = sold.dt.year.astype(str) + "Q" + sold.dt.quarter.astype(str)
    doubles = {
        "sale_year": sold.dt.year,
        "sale_month": sold.dt.month,
        "sale_age_days": (pd.Timestamp("2024-01-01") - sold).dt.days,
        "sale_year_month": sold.dt.strftime("%Y-%m"),
        "sale_year_quarter": quarter,
    }
    guess, _ = _guess(_columns() | doubles)
    ignored = dict(guess.mapping.ignored)
    assert all("sale date" in ignored[column] for column in doubles)


def test_a_month_is_no_range_of_numbers() -> None:
    guess, _ = _guess(_columns(inspected=RNG.choice(["2024-08", "2023-01", "2022-12"], ROWS)))
    assert "a date" in dict(guess.mapping.ignored)["inspected"]


def test_the_sale_date_is_made_of_year_and_month_and_the_parcel_of_its_parts() -> None:
    sold = pd.Series(DAYS)
    columns = _columns() | {
        "Yr Sold": sold.dt.year,
        "Mo Sold": sold.dt.month,
        "Major": AREA * 1000,
        "Minor": range(ROWS),
    }
    del columns["Sale Date"]
    guess, mapped = _guess(columns)
    assert mapped.frame["sale_date"].tolist() == sold.dt.to_period("M").dt.start_time.tolist()
    assert mapped.frame["property_id"].is_unique
    assert mapped.frame["property_id"].iloc[7] == f"{AREA[7] * 1000}".zfill(6).lstrip("0") + "007"
    assert "Yr Sold and Mo Sold" in _claims(guess, "Yr Sold")
    assert mapping_from_json(mapping_to_json(guess.mapping)) == guess.mapping


def test_fractions_under_a_header_of_numbers_are_facts_and_whole_numbers_are_not() -> None:
    quality = RNG.normal(3, 0.7, ROWS).clip(1, 5).round(2)
    guess, _ = _guess(
        _columns(bldg_quality_num=quality, view_exposure_num=quality[::-1], map_num=RNG.permutation(9_000)[:ROWS])
    )
    assert _fields(guess)["bldg_quality_num"] == "grade"
    assert _fields(guess)["view_exposure_num"] == "x_view_exposure_num"
    assert "map_num" not in _fields(guess)


def test_a_district_number_and_a_tax_lot_are_no_areas() -> None:
    columns = _columns() | {
        "area": RNG.integers(1, 100, ROWS),
        "tot_sf": AREA * 10,
        "BLOCK": AREA,
        "LOT": range(1, ROWS + 1),
    }
    del columns["Living Area"]
    guess, mapped = _guess(columns)
    assert _fields(guess)["tot_sf"] == "living_area_sqft"
    assert "lot_area_sqft" not in mapped.frame
    assert {"area", "LOT"}.isdisjoint(column for column, field in _fields(guess).items() if field.endswith("_sqft"))


def test_a_condition_out_of_ten_is_kept_in_its_order() -> None:
    condition = RNG.integers(1, 11, ROWS)
    guess, mapped = _guess(_columns() | {"Overall Cond": condition})
    assert _fields(guess)["Overall Cond"] == "x_overall_cond"
    assert mapped.frame["x_overall_cond"].tolist() == condition.tolist()


def test_an_area_in_a_second_unit_is_left_out() -> None:
    lot = RNG.integers(4_000, 40_000, ROWS)
    guess, mapped = _guess(_columns() | {"LotSizeSquareFeet": lot, "LotSizeAcres": (lot / 43_560).round(4)})
    assert mapped.frame["lot_area_sqft"].tolist() == lot.tolist()
    assert "lot area over again" in dict(guess.mapping.ignored)["LotSizeAcres"]


def test_ages_give_the_year_built_and_are_asked_about() -> None:
    guess, mapped = _guess(_columns() | {"bldg_age_years": 10})
    assert mapped.frame["year_built"].between(2010, 2013).all()
    assert "please check" in _claims(guess, "bldg_age_years")


def test_ids_that_a_spreadsheet_spoiled_are_left_out_and_named() -> None:
    ids = [f"6.{n}E+11" if n % 9 == 0 else str(622_280_000_000 + n) for n in range(ROWS)]
    guess, _ = _guess(_columns() | {"Parcel Number": ids})
    assert "Parcel Number" not in _fields(guess)
    assert "spreadsheet" in _claims(guess, "Parcel Number")


def test_a_day_first_pattern_in_the_header_settles_the_order() -> None:
    columns = _columns() | {"Date of Sale (dd/mm/yyyy)": ["03/04/2021", "05/06/2021"] * (ROWS // 2)}
    del columns["Sale Date"]
    _, mapped = _guess(columns)
    assert mapped.frame["sale_date"].iloc[0] == pd.Timestamp("2021-04-03")


BEDS = RNG.integers(1, 6, ROWS)


@pytest.mark.parametrize(
    ("one", "other", "fields", "values"),
    [
        ("Lat", "Lon", ("longitude", "latitude"), (RNG.uniform(-94, -93, ROWS), RNG.uniform(41, 42, ROWS))),
        ("latitude", "longitude", ("longitude", "latitude"), (150 + AREA / 300, -AREA / 10)),
        ("Beds", "SqFt", ("living_area_sqft", "bedrooms"), (AREA * 10, BEDS)),
        ("Bathrooms", "Year Built", ("year_built", "bathrooms"), (1900 + AREA // 3, BEDS)),
    ],
)
def test_two_columns_with_each_others_values_are_exchanged_and_asked_about(
    one: str, other: str, fields: tuple[str, str], values: tuple[np.ndarray, np.ndarray]
) -> None:
    columns = _columns() | {one: values[0], other: values[1]}
    if "living_area_sqft" in fields:
        del columns["Living Area"]
    guess, mapped = _guess(columns)
    found = _fields(guess)
    assert (found[one], found[other]) == fields
    claims = [_claims(guess, name) for name in (one, other)]
    assert all("look swapped" in claim and "please check" in claim for claim in claims)
    assert mapped.frame[fields[0]].notna().all()


def test_prices_under_the_header_of_the_area_are_the_prices_though_they_would_pass_for_lots() -> None:
    prices, areas = _columns()["Sale Price"], _columns().pop("Living Area")
    columns = _columns() | {"Lot Size": AREA * 4, "SqFt": prices, "Sale Price": areas}
    del columns["Living Area"]
    guess, _ = _guess(columns)
    found = _fields(guess)
    assert (found["SqFt"], found["Sale Price"], found["Lot Size"]) == (
        "sale_price",
        "living_area_sqft",
        "lot_area_sqft",
    )
    assert "taken for the sale price, as 'SqFt' and 'Sale Price' look swapped" in _claims(guess, "SqFt")


def test_columns_in_their_place_are_not_exchanged() -> None:
    columns = _columns() | {"Lat": RNG.uniform(41, 42, ROWS), "Lon": RNG.uniform(-94, -93, ROWS), "Beds": BEDS}
    columns |= {"Year Built": 1900 + AREA // 3, "Bathrooms": BEDS}
    guess, _ = _guess(columns)
    assert _fields(guess)["Lat"] == "latitude"
    assert _fields(guess)["Lon"] == "longitude"
    assert not any("swapped" in str(one) for one in guess.mapping.inferences)
