"""What a refusal says of columns that come near: dates in digits alone, coordinates called X and Y."""

from __future__ import annotations

import pytest

from core.collect.columns.guess import guess_file
from core.collect.reading.reader import parse_table
from core.errors import MappingError
from core.workflows.source_files.refusals import apply_or_explain


def _refusal(header: str, rows: list[str]) -> str:
    table = parse_table("\n".join([header, *rows]).encode(), "sales.csv")
    with pytest.raises(MappingError) as caught:
        apply_or_explain(table, guess_file(table).mapping, ())
    return str(caught.value)


@pytest.mark.parametrize(
    ("dates", "written"), [(["4222023", "12022022", "1132023"], "MMDDYYYY"), (["230422", "221202", "230113"], "YYMMDD")]
)
def test_dates_in_digits_alone_are_refused_with_their_format(dates: list[str], written: str) -> None:
    rows = [f"{n} Oak St,50309,{300_000 + 1_000 * n},{dates[n % 3]}" for n in range(1, 40)]
    refusal = _refusal("Address,Zip,Sale Price,Sold Date", rows)
    assert f"map 'Sold Date' to the sale date with the date format '{written}'" in refusal


@pytest.mark.parametrize(
    ("x", "y", "remedy"), [(-93.5, 41.6, "map them to longitude and latitude"), (1_600_000, 580_000, "a map grid")]
)
def test_columns_called_x_and_y_are_named_where_nothing_else_is_a_place(x: float, y: float, remedy: str) -> None:
    rows = [f"{300_000 + 1_000 * n},2023-01-{n % 28 + 1:02},{900 + 7 * n},{x + n / 1e3},{y}" for n in range(40)]
    refusal = _refusal("Sale Price,Sale Date,SqFt,X,Y", rows)
    assert "'X' and 'Y'" in refusal
    assert remedy in refusal
