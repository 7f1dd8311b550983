"""The contract: every breach is listed with row, column, value, limit and remedy, and cleaning leaves none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.api.typing import NaTType

from core.collect.columns.guess import guess_file
from core.collect.mapping import ColumnMapping, ColumnRule, apply_mapping
from core.collect.reading.reader import parse_table, read_table
from core.errors import ContractBroken
from core.prepare.quality.cleaning import clean_sales
from core.prepare.quality.contract import PROBLEM_COLUMNS, all_problems, check_contract, problems_of
from core.problem import Problem
from core.schema import Source, conform

TODAY = date(2024, 6, 1)
Cell = float | str | pd.Timestamp | NaTType | None


def _sales(**changes: Cell) -> pd.DataFrame:
    """Three faultless sales; a change gives the second sale's value of a field."""
    frame = pd.DataFrame(
        {
            "sale_price": [300_000.0, 410_000.0, 520_000.0],
            "sale_date": pd.to_datetime(["2023-01-05", "2023-02-06", "2023-03-07"]).astype("datetime64[us]"),
            "zipcode": ["98001", "98002", "98003"],
            "living_area_sqft": [1500.0, 1800.0, 2100.0],
            "lot_area_sqft": [5000.0, 6000.0, np.nan],
            "bedrooms": [3.0, 3.0, 4.0],
            "bathrooms": [2.0, 2.5, 2.0],
            "year_built": [1990.0, 1985.0, 2001.0],
            "year_renovated": [np.nan, 0.0, 2015.0],
            "latitude": [47.5, 47.6, np.nan],
            "longitude": [-122.3, -122.2, np.nan],
            "waterfront": [0.0, 1.0, np.nan],
            "list_price": [305_000.0, 400_000.0, np.nan],
            "first_list_price": [315_000.0, 400_000.0, np.nan],
            "list_date": pd.to_datetime(["2022-12-05", "NaT", "2023-03-07"]).astype("datetime64[us]"),
            "validity": ["arm's length", None, "valid"],
            "x_distance": [1.0, 2.0, np.nan],
        }
    )
    for name, value in changes.items():
        frame.loc[1, name] = value
    return conform(frame).assign(source_row=[11, 12, 13])


def test_faultless_sales_have_no_problems(problem: Problem) -> None:
    listed = problems_of(_sales(), problem, TODAY)
    assert listed.empty
    assert tuple(listed.columns) == PROBLEM_COLUMNS
    check_contract(_sales(), problem, TODAY)


@pytest.mark.parametrize(
    ("field", "value", "code", "shown"),
    [
        ("sale_price", np.nan, "price_missing", ""),
        ("sale_price", 1.0, "price_impossible", "1"),
        ("sale_date", pd.NaT, "date_missing", ""),
        ("sale_date", pd.Timestamp("2091-07-04"), "date_in_future", "2091-07-04"),
        ("sale_date", pd.Timestamp("1196-07-04"), "date_impossible", "1196-07-04"),
        ("living_area_sqft", -1850.0, "living_area_sqft_impossible", "-1850"),
        ("lot_area_sqft", 0.0, "lot_area_sqft_zero", "0"),
        ("bedrooms", 1000.0, "bedrooms_impossible", "1000"),
        ("bedrooms", 0.0, "bedrooms_zero", "0"),
        ("bathrooms", 0.0, "bathrooms_zero", "0"),
        ("year_built", 1196.0, "year_built_impossible", "1196"),
        ("year_built", 2031.0, "year_built_after_sale", "2031"),
        ("year_renovated", 1900.0, "renovated_before_built", "1900"),
        ("latitude", 91.0, "latitude_impossible", "91"),
        ("latitude", np.nan, "coordinates_implausible", ""),
        ("waterfront", 3.0, "waterfront_flag", "3"),
        ("list_price", 4_000_000.0, "list_price_implausible", "4000000"),
        ("first_list_price", 4_000_000.0, "first_list_price_implausible", "4000000"),
        ("list_date", pd.Timestamp("2023-05-01"), "listed_after_sold", "2023-05-01"),
        ("validity", "Foreclosure", "non_market_sale", "Foreclosure"),
        ("x_distance", np.inf, "not_finite", "inf"),
    ],
)
def test_each_breach_names_row_column_value_limit_and_remedy(
    field: str, value: Cell, code: str, shown: str, problem: Problem
) -> None:
    listed = problems_of(_sales(**{field: value}), problem, TODAY)
    [one] = [line for line in listed.itertuples() if line.code == code]
    assert (one.row, one.column, one.field, one.value) == (12, field, field, shown)
    assert one.limit
    assert str(one.remedy).endswith(".")
    assert listed["row"].unique().tolist() == [12]


def test_zero_coordinates_and_a_home_nowhere_are_told(problem: Problem) -> None:
    assert problems_of(_sales(latitude=0.0, longitude=0.0), problem, TODAY)["code"].tolist() == [
        "coordinates_implausible"
    ]
    nowhere = _sales(latitude=np.nan, longitude=np.nan, zipcode=None)
    assert problems_of(nowhere, problem, TODAY)["code"].tolist() == ["no_location"]


def test_unreadable_cells_are_listed_beside_breaches_under_the_file_s_headers(problem: Problem) -> None:
    text = "Preis,Datum,PLZ,Zimmer\n300000,2023-01-05,10115,three\nabc,2023-02-05,10115,2\n5,2023-02-05,10115,2\n"
    rules = (
        ColumnRule("Preis", "sale_price", "number"),
        ColumnRule("Datum", "sale_date", "date"),
        ColumnRule("PLZ", "zipcode", "postcode"),
        ColumnRule("Zimmer", "bedrooms", "number"),
    )
    mapped = apply_mapping(parse_table(text.encode(), "sales.csv"), ColumnMapping(Source.SALES, rules))
    listed = all_problems(mapped, problem, TODAY)
    told = list(listed[["row", "column", "field", "value", "code"]].itertuples(index=False, name=None))
    # What could not be read is not told again as missing.
    assert told == [
        (1, "Zimmer", "bedrooms", "three", "unreadable"),
        (2, "Preis", "sale_price", "abc", "unreadable"),
        (3, "Preis", "sale_price", "5", "price_impossible"),
    ]


def test_a_breach_is_told_in_the_file_s_own_text_and_unit(problem: Problem) -> None:
    text = (
        "Preis T,Datum,PLZ,Wohnfläche m2,Grundstück\n300,05.01.2023,10115,9000,0.1\n5,06.01.2023,10115,3 m²,0\n"
        "400,07.01.2023,10115,80.50,-2 ha\n"
    )
    rules = (
        ColumnRule("Preis T", "sale_price", "number", scale=1000.0),
        ColumnRule("Datum", "sale_date", "date"),
        ColumnRule("PLZ", "zipcode", "postcode"),
        ColumnRule("Wohnfläche m2", "living_area_sqft", "number", unit="sqm"),
        ColumnRule("Grundstück", "lot_area_sqft", "number", unit="hectare"),
    )
    mapped = apply_mapping(parse_table(text.encode(), "sales.csv"), ColumnMapping(Source.SALES, rules))
    listed = all_problems(mapped, problem, TODAY)
    told = list(listed[["row", "column", "value", "limit"]].itertuples(index=False, name=None))
    assert told == [
        (1, "Wohnfläche m2", "9000 m²", "6.5 to 5,574 m²"),
        (2, "Wohnfläche m2", "3 m²", "6.5 to 5,574 m²"),
        (2, "Preis T", "5", "10 to 500,000"),
        (3, "Grundstück", "-2 ha", "0 to 8,094 hectare"),
    ]


@pytest.mark.parametrize(
    ("others", "odd", "is_none"),
    [
        (["98103", "98115-1234", "981"], "ABC", True),
        (["98103", "98115"], "98O03", True),
        (["98103", "98115"], "2138", False),
        (["1011", "1012"], "1011 AB", False),
        (["SW1A 1AA", "N1 9GU"], "LONDON", True),
        (["SW1A 1AA", "N1 9GU"], "EC1A", False),
        (["NE1 4LP", "NE9 5AB"], "NE30 1AA", False),
        (["Bishan", "Bedok"], "Yishun", False),
    ],
)
def test_a_zip_code_that_is_none_among_the_others_is_listed_and_emptied(
    problem: Problem, others: list[str], odd: str, is_none: bool
) -> None:
    codes = [*(others * 30)[:39], odd]
    lines = "".join(f"P{n},3{n:02}000,2023-01-05,{code}\n" for n, code in enumerate(codes))
    rules = (
        ColumnRule("Parcel", "property_id"),
        ColumnRule("Price", "sale_price", "number"),
        ColumnRule("Date", "sale_date", "date"),
        ColumnRule("Zip", "zipcode"),
    )
    table = parse_table(f"Parcel,Price,Date,Zip\n{lines}{lines.splitlines()[0].replace('P0', 'P99')}\n".encode(), "a")
    mapped = apply_mapping(table, ColumnMapping(Source.SALES, rules))
    listed = all_problems(mapped, problem, TODAY)
    found = [(40, "Zip", odd, "zipcode_unlike")] if is_none else []
    assert list(listed[["row", "column", "value", "code"]].itertuples(index=False, name=None)) == found
    address = pd.Series(["1 Oak St"] * len(mapped.frame), dtype="str")
    cleaned = clean_sales(mapped.frame.assign(address=address), problem, TODAY)
    row = cleaned.sales["source_row"] == 40
    assert cleaned.sales.loc[row, "zipcode"].isna().all() == is_none
    assert cleaned.ledger.loc[39, "outcome"] == ("repaired" if is_none else "accepted")
    check_contract(cleaned.in_use, problem, TODAY)


def test_a_broken_table_names_table_column_rows_and_remedy(problem: Problem) -> None:
    with pytest.raises(ContractBroken, match=r"may\.csv: column 'bedrooms'.*row 12.*1000.*Nothing was committed"):
        check_contract(_sales(bedrooms=1000.0), problem, TODAY, "may.csv")


_NUMBERS = st.one_of(
    st.none(),
    st.sampled_from([0.0, -1.0, 1.0, 4.0, 33.0, 1000.0, 1196.0, 1990.0, 2035.0, 2e5, 1e6, 1e12, float("inf")]),
    st.floats(-200, 3000),
)


@st.composite
def _any_sales(draw: st.DrawFn) -> pd.DataFrame:
    names = [name for name in _sales() if name not in {"source_row", "sale_date", "list_date", "zipcode", "validity"}]
    rows = draw(st.integers(1, 6))
    columns = {name: [draw(_NUMBERS) for _ in range(rows)] for name in names}
    dates = st.sampled_from([None, "1196-01-01", "2019-02-28", "2023-06-30", "2091-01-01"])
    frame = pd.DataFrame(columns, dtype="float64").assign(
        zipcode=pd.Series([draw(st.sampled_from([None, "98001"])) for _ in range(rows)], dtype="str"),
        validity=pd.Series(
            [draw(st.sampled_from([None, "valid", "gift", "Non Market"])) for _ in range(rows)], dtype="str"
        ),
        **{
            name: pd.to_datetime(pd.Series([draw(dates) for _ in range(rows)])).astype("datetime64[us]")
            for name in ("sale_date", "list_date")
        },
    )
    return conform(frame).assign(source_row=np.arange(1, rows + 1))


@settings(max_examples=12)
@given(frame=_any_sales())
def test_cleaning_leaves_nothing_that_breaks_the_contract(frame: pd.DataFrame, problem: Problem) -> None:
    cleaned = clean_sales(frame, problem, TODAY)
    check_contract(cleaned.sales, problem, TODAY)
    # And whatever cleaning rejected or repaired was announced.
    touched = cleaned.ledger.loc[cleaned.ledger["outcome"].isin(["rejected", "repaired"]), "source_row"]
    assert set(touched) <= set(problems_of(frame, problem, TODAY)["row"])


@pytest.mark.parametrize(
    ("file", "codes"),
    [
        (
            "king_county/kc_house_data_2014_2015.csv",
            {"bathrooms_zero": 10, "bedrooms_zero": 9, "bedrooms_impossible": 1},
        ),
        ("melbourne/melbourne_housing_full.csv.gz", {"price_missing": 7_610, "year_built_impossible": 1}),
        ("mls_sample/acadiana_sold_2023.csv", {"unreadable": 47, "price_impossible": 1}),
    ],
)
def test_real_files_show_their_known_faults_and_are_clean_after_cleaning(
    sales_data: Path, problem: Problem, file: str, codes: dict[str, int]
) -> None:
    table = read_table(sales_data / file)
    mapped = apply_mapping(table, guess_file(table).mapping)
    listed = all_problems(mapped, problem, date(2026, 1, 1))
    assert codes.items() <= listed["code"].value_counts().to_dict().items()
    assert set(listed["column"]) <= set(table.frame)
    check_contract(clean_sales(mapped.frame, problem, date(2026, 1, 1)).in_use, problem, date(2026, 1, 1))
