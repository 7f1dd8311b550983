"""Column mappings: every reading, what it refuses, and that no cell is lost without being listed."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.collect.columns.guess import guess_file
from core.collect.dates.guess import guess_date_format
from core.collect.mapping import ColumnMapping, ColumnRule, MappedTable, apply_mapping, read_column
from core.collect.mapping_file import mapping_from_json, mapping_to_json
from core.collect.parsers import Marks, read_number
from core.collect.reading.reader import parse_table, read_table
from core.collect.reading.table import RawTable
from core.errors import MappingError
from core.schema import SQFT_PER_SQM, Source

BASE = (
    ColumnRule("price", "sale_price", "number"),
    ColumnRule("date", "sale_date", "date"),
    ColumnRule("zip", "zipcode", "postcode"),
)


def _table(folder: Path, text: str) -> RawTable:
    path = folder / "sales.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path)


def _apply(folder: Path, header: str, cells: list[str], *rules: ColumnRule) -> MappedTable:
    lines = [f"price,date,zip,{header}", *(f"100000,2020-01-02,98001,{cell}" for cell in cells)]
    return apply_mapping(_table(folder, "\n".join(lines)), ColumnMapping(Source.SALES, (*BASE, *rules)))


def _read(values: list[str | None], field: str, parse: str, marks: Marks | None = None, unit: str = "") -> list[object]:
    series = pd.Series(values, dtype="str")
    parsed, _ = read_column(series, ColumnRule("c", field, parse, unit), marks or Marks())
    return [None if pd.isna(value) else value for value in parsed.tolist()]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1234", 1234),
        ("$1,234,567.50", 1_234_567.5),
        ("US$ 1,200", 1200),
        ("S$450,000", 450_000),
        ("(1,200)", -1200),
        ("450K", 450_000),
        ("1.2M", 1_200_000),
        ("12,34,567", 1_234_567),
        ("85%", 85),
        ("1,500 sq ft", 1500),
        ("93 sqm", 93),
        ("1e5", 100_000),
        ("1 234 567", 1_234_567),
        (" 7. ", 7),
        ("-.5", -0.5),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, value: float) -> None:
    assert read_number(text, Marks()) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "abc", "12abc", "1,2", "12,3456", "1.2.3", "inf", "nan", "1e999", "0x10", "3-4"])
def test_what_is_no_number_is_not_guessed_at(text: str) -> None:
    assert math.isnan(read_number(text, Marks()))


def test_decimal_commas_are_read_where_the_mapping_says_so() -> None:
    marks = Marks(",", ".")
    assert read_number("1.234.567,50 €", marks) == pytest.approx(1_234_567.5)
    assert read_number("93,5", marks) == pytest.approx(93.5)
    assert math.isnan(read_number("93.5", marks))


@given(st.floats(-1e12, 1e12, allow_nan=False), st.sampled_from([Marks(), Marks(",", ".")]))
def test_a_printed_number_is_read_back(value: float, marks: Marks) -> None:
    printed = f"{value:,.2f}".translate(str.maketrans(",.", marks.thousands + marks.decimal))
    assert read_number(printed, marks) == pytest.approx(round(value, 2), abs=0.006)


def test_each_parser_reads_its_kind() -> None:
    assert _read(["7 Average", "10", "?"], "grade", "leading_number") == [7, 10, None]
    assert _read(["10 TO 12", "31 - 40 Years", "5", "64x120"], "x_r", "range_midpoint") == [11, 35.5, 5, None]
    assert _read(["61 years 04 months", "95 years", "6 months", "x"], "x_l", "years_months") == [
        pytest.approx(61 + 4 / 12),
        95,
        0.5,
        None,
    ]
    assert _read(["64x120", "50' X 100.5'", "55X130X45X126", "irregular"], "lot_area_sqft", "dimensions") == [
        7680,
        5025,
        6400,
        None,
    ]
    assert _read(["YES", "n", "1", "False", "maybe"], "waterfront", "flag") == [1, 0, 1, 0, None]
    assert _read(["0795000620", "795000620.0", "A-01"], "property_id", "identifier") == [
        "795000620",
        "795000620",
        "A-01",
    ]


def test_areas_are_turned_into_square_feet() -> None:
    assert _read(["100"], "living_area_sqft", "number", unit="sqm") == [pytest.approx(1076.391, abs=0.001)]
    assert _read(["0.5"], "lot_area_sqft", "number", unit="acre") == [21_780]
    assert _read(["1"], "lot_area_sqft", "number", unit="hectare") == [pytest.approx(10_000 * SQFT_PER_SQM)]
    assert _read(["10x10"], "lot_area_sqft", "dimensions", unit="sqm") == [pytest.approx(100 * SQFT_PER_SQM)]


def test_words_become_the_numbers_and_types_of_the_record() -> None:
    assert _read(["Poor", "AVERAGE", "Very  Good", "3"], "condition", "number") == [1, 3, 5, 3]
    assert _read(["NONE", "excellent", "2", None], "view", "number") == [0, 4, 2, None]
    assert _read(["A", "c", "F"], "school_rating", "number") == [5, 3, 1]
    assert _read(["Single Family", "h", "Condominium", "Yurt (round)", "N/A"], "property_type", "property_word") == [
        "single_family",
        "single_family",
        "condo",
        "yurt_round",
        None,
    ]


def test_postal_codes_are_text_and_get_a_lost_zero_back() -> None:
    assert _read(["01234", "1235", "02139-4307", "02140.0"], "zipcode", "postcode") == [
        "01234",
        "01235",
        "02139",
        "02140",
    ]
    assert _read(["3067", "3068", "800"], "zipcode", "postcode") == ["3067", "3068", "0800"]
    assert _read(["SW1A 1AA", "M1 1AE"], "zipcode", "postcode") == ["SW1A 1AA", "M1 1AE"]


@pytest.mark.parametrize(
    ("texts", "date_format", "first"),
    [
        (["2020-03-04", "2020-12-31"], "%Y-%m-%d", "2020-03-04"),
        (["20141013T000000", "20141209T000000"], "%Y%m%d", "2014-10-13"),
        (["2020-03-04T23:30:00Z", "2020-03-05 10:00"], "%Y-%m-%d", "2020-03-04"),
        (["3/4/2020", "12/31/2020"], "%m/%d/%Y", "2020-03-04"),
        (["3/4/2020", "31/12/2020"], "%d/%m/%Y", "2020-04-03"),
        (["1/2/2020", "1/3/2020", "1/4/2020"], "%d/%m/%Y", "2020-02-01"),
        (["2017-01", "2017-02"], "%Y-%m", "2017-01-01"),
        (["04.03.2020", "31.12.2020"], "%d.%m.%Y", "2020-03-04"),
        (["4-Mar-2020"], "%d-%b-%Y", "2020-03-04"),
        (["March 4, 2020"], "%B %d, %Y", "2020-03-04"),
        (["45000", "45001"], "excel", "2023-03-15"),
    ],
)
def test_a_date_format_is_found_over_the_whole_column(texts: list[str], date_format: str, first: str) -> None:
    values = pd.Series(texts, dtype="str")
    assert guess_date_format(values).date_format == date_format
    parsed, _ = read_column(values, ColumnRule("d", "sale_date", "date"), Marks())
    assert parsed.iloc[0] == pd.Timestamp(first)
    assert str(parsed.dtype) == "datetime64[us]"


def test_an_undecidable_date_order_says_so() -> None:
    guess = guess_date_format(pd.Series(["3/4/2020", "5/6/2020"], dtype="str"))
    assert guess.date_format == "%m/%d/%Y"
    assert "please check" in guess.why


def test_every_unreadable_cell_is_listed_and_missing_words_are_not(tmp_path: Path) -> None:
    mapped = _apply(tmp_path, "beds", ["3", "three", "N/A", "", "?"], ColumnRule("beds", "bedrooms", "number"))
    assert mapped.frame["bedrooms"].isna().tolist() == [False, True, True, True, True]
    assert mapped.problems.to_dict("records") == [
        {
            "source_row": 2,
            "column": "beds",
            "field": "bedrooms",
            "value": "three",
            "problem": "not a number",
            "remedy": mapped.problems["remedy"].iloc[0],
        }
    ]
    assert "recode" in mapped.problems["remedy"].iloc[0]


def test_a_recoding_goes_before_the_shipped_words(tmp_path: Path) -> None:
    rule = ColumnRule("state", "condition", "number", recode={"wreck": "1", "Good": "5"})
    mapped = _apply(tmp_path, "state", ["WRECK", "good", "Average"], rule)
    assert mapped.frame["condition"].tolist() == [1, 5, 3]
    assert mapped.problems.empty


def test_half_baths_are_added_to_full_ones(tmp_path: Path) -> None:
    rules = (ColumnRule("full", "bathrooms", "number"), ColumnRule("half", "bathrooms", "number", weight=0.5))
    mapped = _apply(tmp_path, "full,half", ["2,1", "1,", ",1"], *rules)
    assert mapped.frame["bathrooms"].tolist()[:2] == [2.5, 1.0]
    assert np.isnan(mapped.frame["bathrooms"].iloc[2])


def test_zero_means_missing_in_years_and_areas_and_at_null_island(tmp_path: Path) -> None:
    rules = (
        ColumnRule("ren", "year_renovated", "number"),
        ColumnRule("lot", "lot_area_sqft", "number"),
        ColumnRule("lat", "latitude", "number"),
        ColumnRule("lon", "longitude", "number"),
        ColumnRule("beds", "bedrooms", "number"),
    )
    mapped = _apply(tmp_path, "ren,lot,lat,lon,beds", ["0,0,0,0,0", "1990,5,0,6,2"], *rules)
    first, second = (mapped.frame.iloc[row] for row in (0, 1))
    assert first[["year_renovated", "lot_area_sqft", "latitude", "longitude"]].isna().all()
    assert first["bedrooms"] == 0
    assert second[["year_renovated", "latitude"]].tolist() == [1990, 0]


def test_a_split_address_is_joined(tmp_path: Path) -> None:
    table = _table(tmp_path, "price,date,no,street,city\n1,2020-01-01,12, Main ,Rye\n1,2020-01-01,,,\n")
    mapping = ColumnMapping(Source.SALES, BASE[:2], address_columns=("no", "street", "city"))
    frame = apply_mapping(table, mapping).frame
    assert frame["address"].iloc[0] == "12 Main Rye"
    assert pd.isna(frame["address"].iloc[1])


def test_the_result_has_canonical_kinds_and_source_rows(tmp_path: Path) -> None:
    table = _table(tmp_path, "price,date,zip,sea\n1,2020-01-01,01234,y\nbroken\n2,2020-01-02,01235,n\n")
    mapped = apply_mapping(table, ColumnMapping(Source.SALES, (*BASE, ColumnRule("sea", "waterfront", "flag"))))
    assert {name: str(dtype) for name, dtype in mapped.frame.dtypes.items()} == {
        "zipcode": "str",
        "waterfront": "float64",
        "sale_date": "datetime64[us]",
        "sale_price": "float64",
        "source_row": "int64",
    }
    assert mapped.frame["source_row"].tolist() == [1, 3]
    assert (mapped.rows_in, len(mapped.bad_lines)) == (3, 1)


def test_a_mapping_survives_json() -> None:
    rules = (*BASE, ColumnRule("lot", "lot_area_sqft", "number", "acre", {"none": "0"}, weight=0.5))
    mapping = ColumnMapping(Source.SALES, rules, ("no", "street"), "%d/%m/%Y", ",", ".", (("agent", "personal data"),))
    assert mapping_from_json(mapping_to_json(mapping)) == mapping


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ((*BASE, ColumnRule("a", "bedroms", "number")), "'bedrooms'"),
        ((*BASE, ColumnRule("a", "bedrooms", "guess")), "'guess' must be one of"),
        ((*BASE, ColumnRule("a", "lot_area_sqft", "number", "rood")), "'rood' must be empty or one of"),
        ((*BASE, ColumnRule("a", "address", "text", "sqm")), "needs numbers"),
        ((*BASE, ColumnRule("a", "bedrooms", "text")), "cannot be read by 'text'"),
        ((*BASE, ColumnRule("a", "zipcode", "postcode")), "both mapped to 'zipcode'"),
        ((*BASE, ColumnRule("prise", "list_price", "number")), "nearest is 'price'"),
        (BASE[1:], "Sales need a sale price"),
        ((BASE[0], BASE[2]), "Sales need a sale date"),
        (BASE[:2], "where a property is"),
    ],
)
def test_an_impossible_mapping_is_refused_by_name(tmp_path: Path, rules: tuple[ColumnRule, ...], words: str) -> None:
    table = _table(tmp_path, "price,date,zip,a\n1,2020-01-01,98001,x\n")
    with pytest.raises(MappingError, match=words):
        apply_mapping(table, ColumnMapping(Source.SALES, rules))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"source": "sales", "rulez": []}',
        '{"source": "gossip", "rules": []}',
        '{"source": "sales", "rules": [{"column": "a"}]}',
        '{"source": "sales", "rules": [{"column": "a", "field": "b"}]}',
        '{"source": "sales"}',
    ],
)
def test_json_that_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(MappingError):
        mapping_from_json(text)


def test_an_unreadable_price_or_date_says_that_its_row_is_left_out_and_any_other_cell_that_it_is_empty() -> None:
    rows = [f"{n} Oak St,98101,{n % 28 + 1:02}/03/2014,{300_000 + 1_000 * n},3" for n in range(60)]
    rows += ["61 Oak St,98101,05/20/2014,300000,3", "62 Oak St,98101,04/03/2014,call us,3"]
    rows += ["63 Oak St,98101,04/03/2014,300000,three or so"]
    table = parse_table("\n".join(["Address,Zip,Sale Date,Sale Price,Bedrooms", *rows]).encode(), "sales.csv")
    problems = apply_mapping(table, guess_file(table).mapping).problems.set_index("field")["remedy"]
    assert problems["sale_date"].startswith("The row is left out")
    assert problems["sale_price"].startswith("The row is left out")
    assert problems["bedrooms"].startswith("The cell was left empty")
