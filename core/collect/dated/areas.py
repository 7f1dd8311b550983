"""Recognizes figures of areas by date: one row for each area and day."""

from __future__ import annotations

from typing import Final

from core.collect.dates.guess import guess_date_format
from core.collect.parsers import Marks, as_number
from core.collect.reading.table import RawTable

_READ_SHARE: Final = 0.9
# Days written as numbers: any other number of five digits would be a spreadsheet's day.
_NUMBERED: Final = frozenset({"%Y", "%Y%m", "%Y%m%d"})


def day_column(table: RawTable, areas: str, marks: Marks) -> tuple[str, str]:
    """Return the column of the days of a table of figures by area and its date format, ("", "") where there is none.

    ``areas`` is the column of area codes. Each area has several rows, of another day each, and areas share their days.
    """
    frame = table.frame
    if frame[areas].is_unique:
        return "", ""
    found: list[tuple[bool, str, str]] = []
    for column in map(str, frame.columns):
        cells = frame[column].dropna()
        if column == areas or cells.empty or cells.nunique() > len(cells) / 2:
            continue
        guess = guess_date_format(cells)
        is_number = bool(as_number(cells, marks).notna().mean() >= _READ_SHARE)
        is_day = guess.share >= _READ_SHARE and (not is_number or guess.date_format in _NUMBERED)
        if is_day and frame.duplicated([areas, column]).mean() <= 1 - _READ_SHARE:
            found.append((is_number, column, guess.date_format))
    # Days that are written out come before numbers: 1950 may be the usual year of construction.
    return min(found, key=lambda one: one[0])[1:] if found else ("", "")
