"""Guessing what columns are: real files of four countries by guess alone, and the guards against leaks and names."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.collect.columns.guess import Guess, describe, guess_mapping, guess_source
from core.collect.columns.sheet import guess_marks
from core.collect.mapping import MappedTable, apply_mapping
from core.collect.mapping_file import mapping_from_json, mapping_to_json
from core.collect.privacy.findings import reason
from core.collect.privacy.read_file import without_persons
from core.collect.reading.reader import read_table
from core.collect.reading.table import RawTable
from core.schema import SQFT_PER_SQM, Source


def _table(folder: Path, columns: dict[str, list[str]], separator: str = ",") -> RawTable:
    path = folder / "sales.csv"
    pd.DataFrame(columns).to_csv(path, index=False, sep=separator)
    return read_table(path)


def _fields(guess: Guess) -> dict[str, str]:
    return {rule.column: rule.field for rule in guess.mapping.rules}


def _ignored(guess: Guess) -> dict[str, str]:
    return dict(guess.mapping.ignored)


# Files of thousands of rows, each looked at by tests that stand next to one another.
@lru_cache(maxsize=3)
def _by_guess(path: Path) -> tuple[Guess, MappedTable]:
    table = without_persons(read_table(path)).table
    guess = guess_mapping(table, guess_source(table))
    return guess, apply_mapping(table, guess.mapping)


def _sales(rows: int = 200) -> dict[str, list[str]]:
    rng = np.random.default_rng(7)
    area = rng.integers(700, 4000, rows)
    price = (area * rng.uniform(80, 420, rows)).round(-2)
    days = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 700, rows), unit="D")
    return {
        "Sale Price": [f"{value:.0f}" for value in price],
        "Sale Date": days.strftime("%Y-%m-%d").tolist(),
        "Zip": rng.choice(["98001", "98002", "98003"], rows).tolist(),
        "Living Area": area.astype(str).tolist(),
    }


KING_COUNTY = {
    "id": "property_id",
    "date": "sale_date",
    "price": "sale_price",
    "bedrooms": "bedrooms",
    "bathrooms": "bathrooms",
    "sqft_living": "living_area_sqft",
    "sqft_lot": "lot_area_sqft",
    "floors": "floors",
    "waterfront": "waterfront",
    "view": "view",
    "condition": "condition",
    "grade": "grade",
    "yr_built": "year_built",
    "yr_renovated": "year_renovated",
    "zipcode": "zipcode",
    "lat": "latitude",
    "long": "longitude",
    "sqft_above": "x_sqft_above",
    "sqft_basement": "x_sqft_basement",
    "sqft_living15": "x_sqft_living15",
    "sqft_lot15": "x_sqft_lot15",
}


@pytest.mark.parametrize(
    ("file", "rows", "date_format"),
    [("kc_house_data_2014_2015.csv", 21_613, "%Y%m%d"), ("kc_house_data_dirty.csv", 21_597, "%m/%d/%Y")],
)
def test_king_county_is_mapped_by_guess(sales_data: Path, file: str, rows: int, date_format: str) -> None:
    guess, mapped = _by_guess(sales_data / "king_county" / file)
    assert guess.mapping.source is Source.SALES
    assert _fields(guess) == KING_COUNTY
    assert guess.mapping.date_format == date_format
    assert len(mapped.frame) == mapped.rows_in == rows
    assert mapped.problems.empty
    dates = mapped.frame["sale_date"]
    assert (dates.min(), dates.max()) == (pd.Timestamp("2014-05-02"), pd.Timestamp("2015-05-27"))
    assert mapped.frame["living_area_sqft"].median() == 1910
    assert mapped.frame["condition"].between(1, 5).all()
    assert (mapped.frame["year_renovated"].dropna() > 1900).all()


def test_spoiled_and_clean_king_county_agree(sales_data: Path) -> None:
    (_, clean), (_, dirty) = (
        _by_guess(sales_data / "king_county" / file)
        for file in ("kc_house_data_2014_2015.csv", "kc_house_data_dirty.csv")
    )
    fields = [name for name in clean.frame if name not in {"source_row", "property_id", "sale_date"}]
    both = clean.frame.merge(
        dirty.frame, on=["property_id", "sale_date"], validate="one_to_one", suffixes=("", "_dirty")
    )
    assert len(both) == 21_597
    agreeing = compared = 0
    for name in fields:
        one, other = both[name], both[f"{name}_dirty"]
        # What the other publisher left out is no disagreement about what it says.
        said = one.notna() & other.notna()
        equal = (one == other) if str(one.dtype) == "str" else np.isclose(one.fillna(0), other.fillna(0))
        agreeing += int((equal & said).sum())
        compared += int(said.sum())
    assert compared > 0.95 * len(both) * (len(fields) - 1)  # year_renovated is missing in most of both
    assert agreeing / compared >= 0.995


def test_an_id_stays_one_although_all_rows_stand_twice_in_the_file(tmp_path: Path) -> None:
    once = {"id": [f"{7_129_300_520 + 977 * number}" for number in range(200)], **_sales()}
    for times in (1, 2):
        table = _table(tmp_path, {name: cells * times for name, cells in once.items()})
        assert _fields(guess_mapping(table, Source.SALES))["id"] == "property_id"


def test_a_tab_file_of_another_publisher_loses_its_leaking_columns(sales_data: Path) -> None:
    guess, mapped = _by_guess(sales_data / "king_county/house_sales_2006_2015.tsv.gz")
    assert _fields(guess) == {
        "DocumentDate": "sale_date",
        "SalePrice": "sale_price",
        "PropertyID": "property_id",
        "PropertyType": "property_type",
        "NbrLivingUnits": "units",
        "SqFtLot": "lot_area_sqft",
        "SqFtTotLiving": "living_area_sqft",
        "SqFtFinBasement": "x_sq_ft_fin_basement",
        "Bathrooms": "bathrooms",
        "Bedrooms": "bedrooms",
        "BldgGrade": "grade",
        "YrBuilt": "year_built",
        "YrRenovated": "year_renovated",
        "TrafficNoise": "x_traffic_noise",
        "ZipCode": "zipcode",
        "NewConstruction": "x_new_construction",
    }
    ignored = _ignored(guess)
    assert set(ignored) == {"ym", "zhvi_px", "zhvi_idx", "AdjSalePrice", "LandVal", "ImpsVal"}
    assert "computed from the price" in ignored["AdjSalePrice"]
    assert "after the sale" in ignored["LandVal"]
    assert mapped.problems.empty
    assert len(mapped.frame) == 22_687
    assert set(mapped.frame["property_type"]) == {"single_family", "townhouse", "multiplex"}
    assert set(mapped.frame["x_new_construction"]) == {0.0, 1.0}


def test_ids_of_two_publishers_meet(sales_data: Path) -> None:
    (_, earlier), (_, later) = (
        _by_guess(sales_data / "king_county" / file)
        for file in ("house_sales_2006_2015.tsv.gz", "kc_house_data_2014_2015.csv")
    )
    shared = set(earlier.frame["property_id"]) & set(later.frame["property_id"])
    assert len(shared) > 5_000


def test_neighbourhood_figures_are_told_by_their_shape(sales_data: Path) -> None:
    guess, mapped = _by_guess(sales_data / "king_county/zipcode_demographics.csv")
    assert guess.mapping.source is Source.NEIGHBOURHOOD
    assert _fields(guess)["zipcode"] == "zipcode"
    assert mapped.frame.shape == (70, 28)
    assert mapped.frame["x_medn_hshld_incm_amt"].median() == 56_933
    assert mapped.problems.empty


def test_homes_without_a_price_are_no_sales(sales_data: Path) -> None:
    guess, mapped = _by_guess(sales_data / "king_county/subject_properties.csv")
    assert guess.mapping.source is Source.TAX
    assert {"latitude", "zipcode", "living_area_sqft"} <= set(mapped.frame)
    assert len(mapped.frame) == 100


def test_melbourne_is_mapped_by_guess(sales_data: Path) -> None:
    guess, mapped = _by_guess(sales_data / "melbourne/melbourne_housing_full.csv.gz")
    assert _fields(guess) == {
        "Suburb": "neighbourhood",
        "Address": "address",
        "Rooms": "x_rooms",
        "Type": "property_type",
        "Price": "sale_price",
        "Date": "sale_date",
        "Distance": "x_distance",
        "Postcode": "zipcode",
        "Bedroom2": "bedrooms",
        "Bathroom": "bathrooms",
        "Car": "garage_spaces",
        "Landsize": "lot_area_sqft",
        "BuildingArea": "living_area_sqft",
        "YearBuilt": "year_built",
        "CouncilArea": "x_council_area",
        "Lattitude": "latitude",
        "Longtitude": "longitude",
        "Regionname": "x_regionname",
        "Propertycount": "x_propertycount",
    }
    assert "SellerG" not in {one.column for one in guess.columns}
    assert "after the sale" in _ignored(guess)["Method"]
    assert mapped.problems.empty
    assert len(mapped.frame) == 34_857
    assert mapped.frame["sale_price"].notna().sum() == 27_247
    dates = mapped.frame["sale_date"]
    assert (dates.min(), dates.max()) == (pd.Timestamp("2016-01-28"), pd.Timestamp("2018-03-17"))
    assert mapped.frame["living_area_sqft"].median() == pytest.approx(136 * SQFT_PER_SQM)
    assert mapped.frame["lot_area_sqft"].min() > 0
    assert mapped.frame["latitude"].dropna().between(-39, -37).all()
    assert mapped.frame["longitude"].dropna().between(144, 146).all()


def test_singapore_is_mapped_by_guess(sales_data: Path) -> None:
    guess, mapped = _by_guess(sales_data / "singapore/hdb_resale_2017_2023.csv.gz")
    assert _fields(guess) == {
        "month": "sale_date",
        "town": "neighbourhood",
        "flat_type": "x_flat_type",
        "storey_range": "x_storey_range",
        "floor_area_sqm": "living_area_sqft",
        "flat_model": "x_flat_model",
        "lease_commence_date": "x_lease_commence_date",
        "remaining_lease": "x_remaining_lease",
        "resale_price": "sale_price",
        "address": "address",
        "postal": "zipcode",
        "latitude": "latitude",
        "longitude": "longitude",
    }
    assert mapped.problems.empty
    assert len(mapped.frame) == 169_151
    dates = mapped.frame["sale_date"]
    assert (dates.min(), dates.max()) == (pd.Timestamp("2017-01-01"), pd.Timestamp("2023-12-01"))
    assert mapped.frame["zipcode"].str.len().eq(6).all()
    assert mapped.frame["living_area_sqft"].median() == pytest.approx(93 * SQFT_PER_SQM)
    assert mapped.frame["x_storey_range"].median() == 8
    assert mapped.frame["x_remaining_lease"].between(40, 99).all()
    assert "row counter" in _ignored(guess)["_id"]


def test_a_listing_export_is_mapped_by_guess(sales_data: Path) -> None:
    guess, mapped = _by_guess(sales_data / "mls_sample/acadiana_sold_2023.csv")
    expected = {
        "Listing Number": "sale_id",
        "Subdivision": "neighbourhood",
        "Listing Date": "list_date",
        "Listing Price": "list_price",
        "Original List Price": "first_list_price",
        "Sold Price": "sale_price",
        "Sold Date": "sale_date",
        "SqFt - Living": "living_area_sqft",
        "# Bedrooms": "bedrooms",
        "Baths - Full": "bathrooms",
        "Baths - 1/2": "bathrooms",
        "Lot Dimensions": "lot_area_sqft",
        "Zip Code": "zipcode",
        "Unit #": "unit",
    }
    assert expected.items() <= _fields(guess).items()
    assert guess.mapping.address_columns == ("Street Number", "Street Name", "City")
    for column in ("Sold Price/SqFt", "Cumulative DOM", "Agent Days On Market", "Sold Terms"):
        assert column in _ignored(guess)
    frame = mapped.frame
    assert len(frame) == 186
    assert frame["address"].iloc[0] == "230 Stephanie Eunice"
    assert frame["bathrooms"].iloc[0] == 1.5
    assert frame["lot_area_sqft"].iloc[0] == 64 * 120
    assert set(mapped.problems["column"]) == {"Lot Dimensions"}
    assert "irregular" in set(mapped.problems["value"].str.lower())


def test_every_column_is_explained_once_and_in_order(sales_data: Path) -> None:
    table = read_table(sales_data / "mls_sample/acadiana_sold_2023.csv")
    guess = guess_mapping(table, Source.SALES)
    assert [one.column for one in guess.columns] == list(table.frame)
    assert all(one.why and 0 < one.confidence <= 1 for one in guess.columns)
    kept = set(_fields(guess)) | set(guess.mapping.address_columns)
    assert kept | set(_ignored(guess)) == set(table.frame)
    assert {one.column for one in guess.columns if one.field} == kept
    assert len(describe(guess).splitlines()) == 35
    assert mapping_from_json(mapping_to_json(guess.mapping)) == guess.mapping


def test_columns_that_move_with_the_price_are_left_out_whatever_their_name(tmp_path: Path) -> None:
    columns = _sales()
    price, area = (np.array(columns[name], dtype=float) for name in ("Sale Price", "Living Area"))
    columns["figure a"] = [f"{value:.0f}" for value in price * 1.07 + 5]
    columns["figure b"] = [f"{value:.4f}" for value in price / area]
    columns["figure c"] = [f"{value:.1f}" for value in np.random.default_rng(1).normal(size=len(price))]
    guess = guess_mapping(_table(tmp_path, columns), Source.SALES)
    assert "the sale price" in _ignored(guess)["figure a"]
    assert "the price per area" in _ignored(guess)["figure b"]
    assert _fields(guess)["figure c"] == "x_figure_c"


@pytest.mark.parametrize(
    "header",
    [
        "Price per SqFt",
        "adj_sale_price",
        "DaysOnMarket",
        "DOM",
        "Price/m2",
        "closing costs",
        "house price index",
        "Sale Method",
    ],
)
def test_columns_named_after_what_is_known_later_are_left_out(tmp_path: Path, header: str) -> None:
    columns = _sales() | {header: [str(place % 17) for place in range(200)]}
    assert header in _ignored(guess_mapping(_table(tmp_path, columns), Source.SALES))


@pytest.mark.parametrize("header", ["Seller", "BuyerName", "listing agent", "Owner 1", "Phone", "e-mail address"])
def test_columns_named_after_persons_are_left_out_and_not_shown(tmp_path: Path, header: str) -> None:
    columns = _sales() | {header: [f"Ann {'ABCDE'[place % 5]}" for place in range(200)]}
    read = without_persons(_table(tmp_path, columns))
    assert "personal data" in {one.column: reason(one) for one in read.personal}[header]
    assert header not in {one.column for one in guess_mapping(read.table, Source.SALES).columns}


def test_persons_are_found_by_content_too(tmp_path: Path) -> None:
    columns = _sales()
    columns["remark"] = [f"ann{place % 9}@example.com" for place in range(200)]
    columns["reach"] = [f"(206) 555-01{place % 9}0" for place in range(200)]
    found = {one.column: reason(one) for one in without_persons(_table(tmp_path, columns)).personal}
    assert all("personal data" in found[name] for name in ("remark", "reach"))


def test_a_fact_of_the_home_is_no_person(tmp_path: Path) -> None:
    columns = _sales() | {"owner_occupied": ["Y", "N"] * 100, "heating method": ["gas", "oil"] * 100}
    fields = _fields(guess_mapping(_table(tmp_path, columns), Source.SALES))
    assert fields["owner_occupied"] == "x_owner_occupied"
    assert fields["heating method"] == "x_heating_method"


@pytest.mark.parametrize(("factor", "unit"), [(1.0, "sqft"), (1 / SQFT_PER_SQM, "sqm")])
def test_an_unstated_area_unit_is_told_from_the_median(tmp_path: Path, factor: float, unit: str) -> None:
    columns = _sales()
    columns["Living Area"] = [f"{float(value) * factor:.1f}" for value in columns["Living Area"]]
    guess = guess_mapping(_table(tmp_path, columns), Source.SALES)
    assert next(rule.unit for rule in guess.mapping.rules if rule.field == "living_area_sqft") == unit
    assert "no unit stated" in next(one.why for one in guess.columns if one.column == "Living Area")


def test_acres_are_told_from_the_header_or_the_size(tmp_path: Path) -> None:
    for header in ("Lot Acres", "Acreage", "Lot Size"):
        columns = _sales() | {header: [f"{0.1 + place / 300:.3f}" for place in range(200)]}
        guess = guess_mapping(_table(tmp_path, columns), Source.SALES)
        assert next(rule.unit for rule in guess.mapping.rules if rule.field == "lot_area_sqft") == "acre"


def test_decimal_commas_are_told_from_the_cells(tmp_path: Path) -> None:
    columns = _sales() | {"Distance": [f"{place},5" for place in range(200)]}
    table = _table(tmp_path, columns, ";")
    assert guess_marks(table).decimal == ","
    mapped = apply_mapping(table, guess_mapping(table, Source.SALES).mapping)
    assert mapped.frame["x_distance"].tolist() == [place + 0.5 for place in range(200)]


def test_a_row_counter_a_constant_and_free_text_are_left_out_with_the_reason(tmp_path: Path) -> None:
    columns = _sales() | {
        "id": [str(place) for place in range(1, 201)],
        "country": ["US"] * 200,
        "remarks": [f"lovely home no {place}" for place in range(200)],
        "blank": [""] * 200,
    }
    ignored = _ignored(guess_mapping(_table(tmp_path, columns), Source.SALES))
    assert "row counter" in ignored["id"]
    assert ignored["country"] == "the same value in every row"
    assert "200 different values" in ignored["remarks"]
    assert ignored["blank"] == "no values"


def test_a_tax_roll_is_told_from_sales_and_keeps_its_values(tmp_path: Path) -> None:
    columns = {
        "Parcel Number": [f"{place * 37:06d}" for place in range(50)],
        "Situs Address": [f"{place} Oak St" for place in range(50)],
        "Total Assessed Value": [str(100_000 + 91 * place) for place in range(50)],
        "Prior Assessed Value": [str(90_000 + 91 * place) for place in range(50)],
        "Owner Name": [f"Ann {place}" for place in range(50)],
        "Last Sale Price": [str(120_000 + 77 * place) for place in range(50)],
    }
    read = without_persons(_table(tmp_path, columns))
    guess = guess_mapping(read.table, Source.TAX)
    assert _fields(guess) == {
        "Parcel Number": "property_id",
        "Situs Address": "address",
        "Total Assessed Value": "assessed_value",
        "Prior Assessed Value": "prior_assessed_value",
    }
    assert [one.column for one in read.personal] == ["Owner Name"]
    del columns["Last Sale Price"]
    assert guess_source(_table(tmp_path, columns)) is Source.TAX


@pytest.mark.parametrize("unit", ["sqft", "sqm"])
def test_areas_without_a_unit_are_in_the_unit_asked_for(tmp_path: Path, unit: str) -> None:
    columns = {"Zip": ["98001", "98002"], "Living Area": ["120", "95"], "Lot": ["600", "420"]}
    guess = guess_mapping(_table(tmp_path, columns), Source.TAX, unit)
    units = {rule.field: rule.unit for rule in guess.mapping.rules}
    assert (units["living_area_sqft"], units["lot_area_sqft"]) == (unit, unit)
    [why] = [one.why for one in guess.columns if one.column == "Living Area"]
    assert why.endswith(f"no unit stated: {unit}, as is usual in the market")


def test_a_unit_that_is_stated_goes_before_the_one_asked_for(tmp_path: Path) -> None:
    columns = {"Zip": ["98001", "98002"], "sqft_living": ["1200", "950"], "Lot": ["6000 sqft", "4200 sqft"]}
    guess = guess_mapping(_table(tmp_path, columns), Source.TAX, "sqm")
    units = {rule.field: rule.unit for rule in guess.mapping.rules}
    assert (units["living_area_sqft"], units["lot_area_sqft"]) == ("sqft", "sqft")


def test_a_column_of_ones_counts_dwellings_and_one_of_numbers_names_a_flat(tmp_path: Path) -> None:
    path = tmp_path / "roll.csv"
    rows = [f"P{n},{n} Oak St,9810{n % 5},{2 if n % 9 == 0 else 1},{n % 40 if n % 3 else ''}" for n in range(100)]
    path.write_text("parcel id,situs address,zip,UNITS,Unit no\n" + "\n".join(rows), encoding="utf-8")
    found = {one.column: one.field for one in guess_mapping(read_table(path), Source.TAX).columns}
    assert (found["UNITS"], found["Unit no"]) == ("units", "unit")


def test_a_city_is_no_neighborhood_where_zip_codes_are_finer(tmp_path: Path) -> None:
    columns = _sales(200)
    columns["Zip"] = [f"9810{row % 9}" for row in range(200)]
    columns["City"] = [("Ashford", "Brightwater")[row % 2] for row in range(200)]
    assert _fields(guess_mapping(_table(tmp_path, columns), Source.SALES))["City"] == "x_city"
    columns["City"] = [f"Borough {row % 30}" for row in range(200)]
    assert _fields(guess_mapping(_table(tmp_path, columns), Source.SALES))["City"] == "neighbourhood"
