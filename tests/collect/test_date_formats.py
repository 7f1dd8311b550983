"""Date formats of one's own: as people type them, refused where they give no date, used where they do."""

from __future__ import annotations

import io
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.collect.dates.formats import DATE_FORMATS, formats_of
from core.collect.dates.guess import guess_date_format
from core.collect.dates.own_formats import date_format_of, names_no_day
from core.collect.mapping import ColumnMapping, ColumnRule, apply_mapping, check_own_dates
from core.collect.parsers import Marks, as_date
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


def _written(days: list[date], form: str) -> list[str]:
    return [day.strftime(form) for day in days]


EARLY = [date(2015, 2, n) for n in (3, 5, 9, 11)]
LATE = [date(2015, 3, n) for n in (13, 20, 27, 30)]
OWN_STYLES = ("%Y-%m-%d", "%m/%d/%Y", "%d.%m.%Y", "%d %b %Y")


def test_each_cell_of_a_column_is_read_in_its_own_style_which_its_other_cells_settle() -> None:
    days = [*EARLY, *LATE] * len(OWN_STYLES)
    cells = [text for form in OWN_STYLES for text in _written([*EARLY, *LATE], form)]
    found = guess_date_format(pd.Series(cells, dtype="str"))
    assert set(formats_of(found.date_format)) == set(OWN_STYLES)
    assert (found.share, found.is_open, [one.is_open for one in found.styles]) == (1.0, False, [False] * 4)
    assert "02/03/2015 in 8 rows" in found.why
    assert as_date(pd.Series(cells, dtype="str"), Marks()).dt.date.tolist() == days
    # Kept in a mapping, the styles read a few of the cells as they read all: 02/03/2015 is in February.
    assert date_format_of(found.date_format) == found.date_format
    few = as_date(pd.Series(["02/03/2015", "03.02.2015"]), Marks(date_format=found.date_format))
    assert few.dt.date.tolist() == [date(2015, 2, 3)] * 2


def test_day_numbers_of_a_spreadsheet_are_read_beside_other_dates_of_their_time_alone() -> None:
    texts = _written([*EARLY, *LATE], "%d %b %Y")
    found = as_date(pd.Series([*texts, "42045"]), Marks())
    assert found.iloc[-1] == pd.Timestamp(2015, 2, 10)
    assert as_date(pd.Series([*texts, "23456"]), Marks()).isna().tolist() == [False] * 8 + [True]


def test_a_style_whose_cells_do_not_tell_its_order_is_in_doubt_and_never_two_orders_are_two_styles() -> None:
    words = _written([*EARLY, *LATE], "%d %b %Y")
    shuffled = [EARLY[at] for at in (2, 0, 3, 1)]
    found = guess_date_format(pd.Series([*words, *_written(shuffled, "%m/%d/%Y")]))
    assert [one.is_open for one in found.styles] == [False, True]
    assert "please check" in found.why
    both = pd.Series([*words, *_written(LATE, "%m/%d/%Y"), *_written(LATE[:1], "%d/%m/%Y")])
    assert as_date(both, Marks()).isna().tolist() == [False] * 12 + [True]


def test_a_column_of_junk_with_some_dates_is_no_column_of_dates() -> None:
    junk = [f"Lot {n} of 7" for n in range(40)]
    assert guess_date_format(pd.Series([*junk, *_written(LATE, "%Y-%m-%d"), *_written(LATE, "%d.%m.%Y")])).share < 0.5
