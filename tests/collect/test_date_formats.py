"""Date formats of one's own: as people type them, refused where they give no date, used where they do."""

from __future__ import annotations

import io
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.collect.cells.date_formats import date_format_of, names_no_day
from core.collect.mapping import ColumnMapping, ColumnRule, apply_mapping, check_own_dates
from core.collect.parsers import DATE_FORMATS, Marks, as_date
from core.collect.reading.reader import parse_table
from core.errors import MappingError
from core.schema import Source

DAYS = st.dates(date(1970, 1, 1), date(2060, 1, 1))


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("DD~MM~YYYY", "%d~%m~%Y"),
        ("dd.mm.yy", "%d.%m.%y"),
        ("MMM D, YYYY", "%b %d, %Y"),
        ("D MMMM YYYY", "%d %B %Y"),
        ("YYYY/MM/DD hh:mm:ss", "%Y/%m/%d %H:%M:%S"),
        ("DD.MM.YYYY hh:mm", "%d.%m.%Y %H:%M"),
        (" %d~%m~%Y ", "%d~%m~%Y"),
        ("quarter", "quarter"),
        ("", ""),
        *((one, one) for one in DATE_FORMATS),
    ],
)
def test_a_date_format_is_understood_as_people_type_it(typed: str, means: str) -> None:
    assert date_format_of(typed) == means
    assert date_format_of(means) == means


@pytest.mark.parametrize("typed", ["DD.MM", "%d %Y", "%H:%M", "hello", "%Q", "%Y%", "%d/%m/%Y %z", "31.12.2024"])
def test_a_format_that_gives_no_date_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(MappingError, match=r"DD\.MM\.YYYY"):
        date_format_of(typed)


@given(st.lists(DAYS, min_size=1, max_size=20), st.sampled_from("~_*§"), st.permutations(["%d", "%m", "%Y"]))
def test_whatever_parts_and_marks_a_format_has_the_days_written_in_it_come_back(
    days: list[date], mark: str, parts: list[str]
) -> None:
    written = mark.join(parts)
    cells = pd.Series([day.strftime(written) for day in days], dtype="str")
    read = as_date(cells, Marks(date_format=date_format_of(written)))
    assert read.dt.date.tolist() == days


def test_a_format_with_a_time_of_day_gives_the_day() -> None:
    read = as_date(pd.Series(["25~11~2024 23:59"], dtype="str"), Marks(date_format=date_format_of("DD~MM~YYYY hh:mm")))
    assert read.tolist() == [pd.Timestamp(2024, 11, 25)]


def test_a_format_that_reads_no_cell_is_refused_by_its_column_and_one_that_reads_some_lists_the_rest(
    tmp_path: Path,
) -> None:
    lines = io.StringIO()
    lines.write("price,sold,address\n")
    for n in range(10):
        day = date(2024, 1, 1) + timedelta(days=31 * n)
        lines.write(f"{300_000 + n},{day:%d~%m~%Y},{n} Oak Street\n")
    lines.write("350000,soon,11 Oak Street\n")
    table = parse_table(lines.getvalue().encode(), "sales.csv")
    rules = (
        ColumnRule("price", "sale_price", "number"),
        ColumnRule("sold", "sale_date", "date"),
        ColumnRule("address", "address"),
    )
    mapped = apply_mapping(table, ColumnMapping(Source.SALES, rules, date_format="%d~%m~%Y"))
    assert mapped.frame["sale_date"].notna().tolist() == [True] * 10 + [False]
    assert mapped.problems["value"].tolist() == ["soon"]
    wrong = ColumnMapping(Source.SALES, rules, date_format="%Y~%m~%d")
    with pytest.raises(MappingError, match="Column 'sold': the date format '%Y~%m~%d' reads none of its 11 cells"):
        apply_mapping(table, wrong)
    with pytest.raises(MappingError, match="reads none"):
        check_own_dates(table, wrong)


@pytest.mark.parametrize(
    ("cell", "is_none"),
    [
        ("31/02/2015", True),
        ("2015-02-30", True),
        ("04.31.2015", True),
        ("31/04/15 00:00", True),
        ("29/02/2016", False),
        ("12/31/2015", False),
        ("31/12/2015", False),
        ("99/99/2015", False),
        ("soon", False),
        ("20150231", False),
    ],
)
def test_a_day_that_the_calendar_lacks_is_told_from_a_text_that_is_no_date(cell: str, is_none: bool) -> None:
    assert names_no_day(cell) == is_none
