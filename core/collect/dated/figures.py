"""Recognizes a table of dated figures: one day a row, or one day and name, and numbers beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from core.collect.dates.guess import guess_date_format
from core.collect.parsers import Marks, as_number
from core.collect.reading.table import RawTable

_ROWS_MIN: Final = 3
_COLUMNS_MAX: Final = 30
_READ_SHARE: Final = 0.9
_NAMES_MAX: Final = 60


@dataclass(frozen=True)
class DatedFigures:
    """The columns of a table of dated figures: the day with its format, the figures, and their names ("" for none)."""

    day: str
    date_format: str
    why: str
    values: tuple[str, ...]
    names: str = ""


def dated_figures(table: RawTable, marks: Marks) -> DatedFigures | None:
    """Return the columns of a table of dated figures, None for a table that is none.

    It has one column of days, numbers, and at most one column of words, which then names the one column of numbers. A
    day, or a day and name, stands in one row only: rows that share them are of homes.
    """
    frame = table.frame
    if not (len(frame) >= _ROWS_MIN and 2 <= len(frame.columns) <= _COLUMNS_MAX):
        return None
    filled = {str(name): frame[name].dropna() for name in frame if frame[name].notna().any()}
    numbers = [name for name, cells in filled.items() if float(as_number(cells, marks).notna().mean()) >= _READ_SHARE]
    others = [name for name in filled if name not in numbers]
    days = [name for name in others if _are_days(filled[name])]
    if not days:
        # Days may be written as numbers: 202403, or a year. Where others are written out, 1200 is no year.
        days = [name for name in numbers if _are_days(filled[name])][:1]
        numbers = [name for name in numbers if name not in days]
    words = [name for name in others if name not in days]
    if len(days) != 1 or not numbers or len(words) > 1:
        return None
    keys = [days[0], *words]
    if (words and not _are_names(filled[words[0]], len(numbers))) or frame.duplicated(keys).mean() > 1 - _READ_SHARE:
        return None
    found = guess_date_format(filled[days[0]])
    return DatedFigures(days[0], found.date_format, found.why, tuple(numbers), words[0] if words else "")


def _are_days(cells: pd.Series) -> bool:
    return guess_date_format(cells).share >= _READ_SHARE


def _are_names(cells: pd.Series, numbers: int) -> bool:
    return numbers == 1 and cells.nunique() <= min(_NAMES_MAX, len(cells) / 2)
