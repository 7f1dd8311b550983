"""The file under study: a sample of its rows and its number marks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pandas as pd

from core.collect.cells.missing import is_null_word
from core.collect.columns.unnamed import NOT_NAMED, Named, name_by_values
from core.collect.dates.guess import DateGuess, guess_date_format, with_day_first
from core.collect.leaks import leak_by_name
from core.collect.mapping import ColumnRule, cells_of, read_column
from core.collect.parsers import Marks
from core.collect.reading.table import RawTable
from core.collect.vocabulary import Header, Vocabulary, load_vocabulary
from core.schema import Source

_SAMPLE_ROWS: Final = 5_000
_FEW: Final = 200
_GROUPED_MIN: Final = 0.98

_DAY_FIRST: Final = re.compile(r"\bdd?[-/. ]mm?[-/. ]yy", re.IGNORECASE)


@dataclass(frozen=True)
class Candidate:
    """A field that a column may hold: the rule that reads it, a confidence from 0 to 1, and why.

    ``exact``: the header is one of the field's usual names.
    """

    rule: ColumnRule
    confidence: float
    why: str
    exact: bool


@dataclass(frozen=True)
class Sheet:
    """The file under study: a sample of its rows, evenly spaced and each once, beside the whole.

    ``named`` has the headers that the values give to the columns of a file without a header line.
    """

    table: RawTable
    sample: pd.DataFrame
    marks: Marks
    source: Source
    vocabulary: Vocabulary
    area_unit: str
    named: Named = NOT_NAMED
    # What was asked of the sample before: each column is compared with every field.
    _present: dict[str, pd.Series] = field(default_factory=dict, repr=False, compare=False)
    _grouped: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)
    _dates: dict[str, DateGuess] = field(default_factory=dict, repr=False, compare=False)

    @property
    def columns(self) -> list[str]:
        """The file's headers, in its order."""
        return [str(column) for column in self.table.frame.columns]

    def header(self, column: str) -> Header:
        """Fold a header, or what the values say it would be where the file has none."""
        return self.vocabulary.fold(self.named.headers.get(column, column))

    def present(self, column: str) -> pd.Series:
        """The sampled cells that hold a value."""
        if column not in self._present:
            values = self.sample[column]
            self._present[column] = values[~is_null_word(values)]
        return self._present[column]

    def groups_other_way(self, column: str) -> bool:
        """Tell whether a column groups thousands by the file's decimal mark: 493.200 is whole beside 1.035.000.

        A cell with two such marks settles it for the column, where all others are written so too.
        """
        if column not in self._grouped:
            mark, decimal = re.escape(self.marks.decimal), re.escape(self.marks.thousands)
            figures = rf"\D{{0,4}}-?[0-9]{{1,3}}(?:{mark}[0-9]{{3}})*(?:{decimal}[0-9]{{1,2}})?\D{{0,4}}"
            few = self.present(column).head(_FEW)
            whole = bool(few.str.fullmatch(figures).mean() >= _GROUPED_MIN) and len(few) > 0
            cells = self.table.frame[column] if whole else few.head(0)
            twice = cells.str.contains(rf"^\D{{0,4}}-?[0-9]{{1,3}}(?:{mark}[0-9]{{3}}){{2}}", na=False)
            settled = bool(twice.any()) and bool(cells.dropna().str.fullmatch(figures).mean() >= _GROUPED_MIN)
            self._grouped[column] = settled
        return self._grouped[column]

    def dates(self, column: str) -> DateGuess:
        """Guess how a column writes its dates, from all values: a single 13 settles the order of day and month."""
        if column not in self._dates:
            self._dates[column] = guess_date_format(self.table.frame[column])
        return self._dates[column]


def open_sheet(table: RawTable, source: Source, area_unit: str = "") -> Sheet:
    """Sample the file and find its number marks."""
    places = np.unique(np.linspace(0, len(table.frame) - 1, _SAMPLE_ROWS).astype(int))
    # Of rows pasted twice each says the same once: an id that repeats with its whole row still numbers one home.
    sample = table.frame.iloc[places].drop_duplicates().reset_index(drop=True)
    named = name_by_values(table.frame)
    return Sheet(table, sample, guess_marks(table), source, load_vocabulary(), area_unit, named)


def guess_marks(table: RawTable) -> Marks:
    """Tell whether the file writes 1,234.5 or 1.234,5, from the cells that can be only one of the two."""
    points = commas = 0
    head = table.frame.iloc[:: max(1, len(table.frame) // 500)]
    for column in head:
        values = head[column].dropna()
        if values.str.contains(",", regex=False).any():
            commas += _cells_like(values, r"\D{0,3}-?(?:\d+|\d{1,3}(?:\.\d{3})+),(?:\d{1,2}|\d{4,})\D{0,3}")
            points += _cells_like(values, r"\D{0,4}[0-9]{1,3}(?:,[0-9]{3}){2,}\D{0,4}")
        if values.str.contains(".", regex=False).any():
            commas += _cells_like(values, r"\D{0,4}[0-9]{1,3}(?:\.[0-9]{3}){2,}(?:,[0-9]{1,2}|,-+)?\D{0,4}")
            # Indonesia writes points between thousands, before its words for large numbers too.
            commas += _cells_like(values, r"Rp\.?\s*[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?(?:\s*[a-z]+)?")
            points += _cells_like(values, r"\D{0,3}-?(?:\d+|\d{1,3}(?:,\d{3})+)\.(?:\d{1,2}|\d{4,})\D{0,3}")
    return Marks(",", ".") if commas > points else Marks()


def _cells_like(values: pd.Series, pattern: str) -> int:
    return int(values.str.fullmatch(pattern).sum())


def date_guess(sheet: Sheet, column: str) -> DateGuess:
    """Guess how a column writes its dates."""
    found = sheet.dates(column)
    return with_day_first(found) if _DAY_FIRST.search(column) else found


def sampled_values(sheet: Sheet, rule: ColumnRule) -> pd.Series:
    """Return the sampled values of a column as its rule reads them."""
    marks = replace(sheet.marks, date_format=rule.date_format)
    return read_column(cells_of(sheet.sample, rule), rule, marks)[0]


def is_row_counter(values: pd.Series) -> bool:
    """Tell whether a column numbers the rows: whole numbers, each once, with hardly a gap, in any order."""
    if len(values) < 5 or values.isna().any() or not values.head(50).str.fullmatch(r"\d+").all():
        return False
    numbers = pd.to_numeric(values, errors="coerce")
    return bool(
        numbers.notna().all() and numbers.is_unique and len(numbers) > 0.9 * (numbers.max() - numbers.min() + 1)
    )


def leak_in_header(sheet: Sheet, column: str) -> str:
    """Return why a header points to a leak of the sale price; empty where it does not."""
    return leak_by_name(column, sheet.source, sheet.vocabulary)
