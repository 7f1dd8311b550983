"""Ages of homes in years, and the day they are counted back from, which gives the year built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from core.collect.columns.sheet import Candidate, Sheet
from core.collect.inference import Inference
from core.collect.mapping import ColumnMapping, ColumnRule, cells_of, read_column
from core.collect.parsers import Marks, as_number
from core.collect.reading.table import RawTable
from core.collect.vocabulary import load_vocabulary

_FITS: Final = 0.95
_OLDEST: Final = 500
_ROWS_MIN: Final = 20
_DAYS_MAX: Final = 40_000
_OF_HOMES: Final = frozenset(
    {"building", "house", "home", "property", "dwelling", "structure", "year", "in", "actual", "of", "approximate"}
)
_AGE: Final = frozenset({"age", "alter", "gebaudealter", "antiguedad", "屋齡", "屋龄", "房龄", "築年数"})


@dataclass(frozen=True)
class DayOfAges:
    """The day (ISO) that ages are counted back from, "" where none is known, and what was seen."""

    as_of: str
    seen: str
    n: int
    sure: bool


def age_column(frame: pd.DataFrame) -> str:
    """Return the column of the homes' ages in years, "" where there is none."""
    for column in map(str, frame):
        words = set(load_vocabulary().fold(column).words)
        if words & _AGE and words <= _AGE | _OF_HOMES:
            ages = as_number(frame[column], Marks())
            known = ages.dropna()
            if len(known) and float(known.between(-5, _OLDEST).mean()) >= _FITS:
                return column
    return ""


def year_from_age(sheet: Sheet) -> tuple[Candidate, Inference] | None:
    """Return the year built that the ages in a sales file give, counted back from each sale's day."""
    column = age_column(sheet.table.frame)
    if not column:
        return None
    n = len(sheet.present(column))
    claim = "the year built, the year of the sale less the age"
    inference = Inference(column, "year_built", claim, "nothing says from which other day", n, sure=False)
    return Candidate(ColumnRule(column, "year_built", "age"), 0.8, str(inference), False), inference


def day_of_ages(table: RawTable, mapping: ColumnMapping) -> DayOfAges:
    """Find the day that ages are counted back from: that of the sales' own ages in days, else the latest sale."""
    rule = next((rule for rule in mapping.rules if rule.field == "sale_date"), None)
    if rule is None:
        return DayOfAges("", "", 0, False)
    marks = Marks(mapping.decimal, mapping.thousands, rule.date_format or mapping.date_format)
    sold, _ = read_column(cells_of(table.frame, rule), rule, marks)
    for column in map(str, table.frame):
        days = as_number(table.frame[column], marks)
        both = days.notna() & sold.notna()
        if column == rule.column or both.sum() < _ROWS_MIN or days[both].nunique() < _ROWS_MIN:
            continue
        if not days[both].between(-_DAYS_MAX, _DAYS_MAX).all():
            continue
        for sign, words in ((1, "from each sale to it"), (-1, "from it to each sale")):
            counted = sold[both] + pd.to_timedelta(sign * days[both], unit="D")
            if counted.nunique() == 1:
                day = str(counted.iloc[0].date())
                return DayOfAges(day, f"{column} counts the days {words}", int(both.sum()), True)
    if sold.dropna().empty:
        return DayOfAges("", "", 0, False)
    return DayOfAges(str(sold.max().date()), "the latest sale", int(sold.notna().sum()), False)
