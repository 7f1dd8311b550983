"""Fields in several columns, and the doubts about one: addresses, days of the sale, units row by row."""

from __future__ import annotations

import pandas as pd
import pytest

from core.collect.columns.guess import guess_file
from core.collect.mapping import MappedTable, apply_mapping
from core.collect.privacy.read_file import ReadFile, without_persons
from core.collect.reading.reader import parse_table
from core.schema import SQFT_PER_SQM

_ROWS = 60
_STREETS = ["Oak St", "Pine Dr", "Elm Ave", "Main St"]


def _file(columns: dict[str, list[str]]) -> ReadFile:
    """Return a file of sales with the columns given beside a price and a date."""
    sales = {
        "Sale Price": [str(250_000 + 1_700 * n) for n in range(_ROWS)],
        "Sale Date": [f"2023-{n % 12 + 1:02}-{n % 28 + 1:02}" for n in range(_ROWS)],
        "Zip": ["50309"] * _ROWS,
    }
    given = {name: cells for name, cells in (sales | columns).items() if cells}
    return without_persons(parse_table(pd.DataFrame(given).to_csv(index=False).encode(), "sales.csv"))


def _mapped(columns: dict[str, list[str]]) -> MappedTable:
    table = _file(columns).table
    return apply_mapping(table, guess_file(table).mapping)


@pytest.mark.parametrize("names", [("House No", "Street Name"), ("block", "street_name"), ("House", "Street")])
def test_numbers_and_few_streets_make_the_address(names: tuple[str, str]) -> None:
    numbers = [str(100 + n) for n in range(_ROWS)]
    mapped = _mapped({names[0]: numbers, names[1]: [_STREETS[n % 4] for n in range(_ROWS)]})
    assert mapped.frame["address"].head(2).tolist() == ["100 Oak St", "101 Pine Dr"]
    assert not [column for column in mapped.frame if str(column).startswith("x_")]


def test_a_direction_between_number_and_street_belongs_to_the_address() -> None:
    columns = {
        "House": [str(100 + n) for n in range(_ROWS)],
        "Dir": ["N", "SW"] * (_ROWS // 2),
        "Street": [_STREETS[n % 4] for n in range(_ROWS)],
    }
    assert _mapped(columns).frame["address"].head(2).tolist() == ["100 N Oak St", "101 SW Pine Dr"]


@pytest.mark.parametrize(("month", "day"), [("계약년월", "계약일"), ("Sale Month", "Sale Day")])
@pytest.mark.parametrize("written", ["2022{:02}", "2022-{:02}"])
def test_a_column_of_months_and_one_of_days_are_the_sale_date(month: str, day: str, written: str) -> None:
    months = [written.format(n % 12 + 1) for n in range(_ROWS)]
    mapped = _mapped({"Sale Date": [], month: months, day: [str(n % 28 + 1) for n in range(_ROWS)]})
    assert mapped.frame["sale_date"].iloc[30] == pd.Timestamp("2022-07-03")
    assert not [column for column in mapped.frame if str(column).startswith("x_")]


@pytest.mark.parametrize(("last", "in_doubt"), [("05/11/2023", True), ("05/13/2023", False), ("13/05/2023", False)])
def test_dates_without_a_day_above_12_are_a_doubt(last: str, in_doubt: bool) -> None:
    dates = [f"{n % 7 + 1:02}/{n % 11 + 1:02}/2023" for n in range(_ROWS - 1)]
    doubts = [one for one in _mapped({"Sale Date": [*dates, last]}).inferences if not one.sure]
    assert [(one.column, one.claim) for one in doubts] == [("Sale Date", "dates are month, then day")] * in_doubt


@pytest.mark.parametrize("title", ["Area UOM", "Living Area Unit"])
def test_unit_codes_beside_the_area_are_read_row_by_row(title: str) -> None:
    areas = [str(100 + n) if n % 2 else str(1_000 + 10 * n) for n in range(_ROWS)]
    mapped = _mapped({"Living Area": areas, title: ["SF", "SM"] * (_ROWS // 2)})
    assert mapped.frame["living_area_sqft"].head(2).tolist() == pytest.approx([1_000, 101 * SQFT_PER_SQM])


def test_a_unit_in_the_cell_and_in_a_column_counts_once() -> None:
    areas = [f"{100 + n} m²" if n % 2 else f"{1_000 + 10 * n} sf" for n in range(_ROWS)]
    mapped = _mapped({"Living Area": areas, "Living Area Unit": ["SF", "SM"] * (_ROWS // 2)})
    assert mapped.frame["living_area_sqft"].head(2).tolist() == pytest.approx([1_000, 101 * SQFT_PER_SQM])


@pytest.mark.parametrize(
    "cells", [["2/1", "1/0", "3/2"], ["2F 1H", "1F 0H", "3F 2H"], ["3 (2 1)", "1 (1 0)", "5 (3 2)"]]
)
def test_baths_in_parts_are_no_persons(cells: list[str]) -> None:
    file = _file({"Baths": cells * (_ROWS // 3)})
    assert not file.personal
    mapped = apply_mapping(file.table, guess_file(file.table).mapping)
    assert mapped.frame["bathrooms"].head(3).tolist() == [2.5, 1.0, 4.0]


def test_names_under_a_header_like_that_of_baths_are_persons() -> None:
    names = [f"{given} {family}" for given in ("Mary", "John", "Linda") for family in ("Smith", "Jones")]
    assert [one.column for one in _file({"BA": names * (_ROWS // 6)}).personal] == ["BA"]


@pytest.mark.parametrize(("title", "cell"), [("金額表", "{}"), ("도로명", "서울로 {}"), ("高樓層", "{}樓")])
def test_a_header_of_three_east_asian_letters_is_no_name(title: str, cell: str) -> None:
    file = _file({title: [cell.format(n % 20 + 1) for n in range(_ROWS)]})
    assert title in file.table.frame.columns


@pytest.mark.parametrize("title", ["王小明", "김민준"])
def test_a_header_that_is_a_name_above_names_is_not_shown(title: str) -> None:
    file = _file({title: ["李小龍", "陳大文", "林美玲"] * (_ROWS // 3)})
    assert title not in file.table.frame.columns
    assert title not in [one.column for one in file.personal]


@pytest.mark.parametrize("digits", ["٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९"])
def test_figures_in_other_digits_name_nobody(digits: str) -> None:
    figures = [str(90 + 3 * n).translate(str.maketrans("0123456789", digits)) for n in range(_ROWS)]
    file = _file({"المساحة": figures})
    assert not file.personal
