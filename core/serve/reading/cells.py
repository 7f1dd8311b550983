"""The numbers in a list of homes, each cell read as the form reads it alone; no unit is guessed from magnitudes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from core.collect.cells.missing import is_null_word
from core.collect.cells.units import unit_words, units_of_rows
from core.collect.mapping import PROBLEM_COLUMNS, ColumnMapping, ColumnRule
from core.collect.reading.table import RawTable
from core.collect.vocabulary import load_vocabulary
from core.problem import Limit, Problem
from core.schema import AREAS, FIELD_BY_NAME, FieldKind, is_extra
from core.serve.reading.facts import LIST_PRICE, Unread, is_flag, possible_roles, read_text, split_unit
from core.serve.reading.figures import MarksSeen, decimal_mark, mark_of_either, sure_mark

_PARSERS: Final = frozenset({"number", "leading_number", "range_midpoint", "flag"})
_RANGE: Final = re.compile(r"\s*(.*?[0-9].*?)\s*(?:-|–|—|\bto\b|\band\b)\s*([0-9].*?)\s*\+?\s*", re.IGNORECASE)
_LEADING: Final = re.compile(r"\s*([-+]?[0-9][0-9.,]*)")


@dataclass(frozen=True)
class TypedCells:
    """A list of homes whose numbers are written one way, with the mapping that reads it; ``problems`` has the others.

    ``problems`` is as that of a MappedTable, with what helps as ``remedy``, "" where the usual does.
    """

    table: RawTable
    mapping: ColumnMapping
    problems: pd.DataFrame


@dataclass(frozen=True)
class _Column:
    """A column of numbers: its distinct texts and by what to read them."""

    rule: ColumnRule
    cells: pd.Series
    texts: tuple[str, ...]
    unit: str
    limit: Limit | None

    @property
    def field(self) -> str:
        return self.rule.field

    def figures(self) -> list[tuple[str, str]]:
        """Return each distinct text's figure and unit."""
        split = (split_unit(self.field, text) for text in self.texts)
        return [(figure, own or self.unit) for figure, own in split]


def stated_unit(column: str, area_unit: str) -> str:
    """Return the unit of area that a heading states, else the market's."""
    header = load_vocabulary().fold(column)
    return header.unit or ("acre" if "acreage" in header.words else area_unit)


def with_typed_cells(table: RawTable, mapping: ColumnMapping, area_unit: str, problem: Problem) -> TypedCells:
    """Read the numbers of a list of homes cell by cell, areas without a unit in the market's ``area_unit``.

    A mark that may be that of decimals or of thousands is read as the cells beside it show; where they contradict each
    other, the cell is a problem to correct.
    """
    fields, names = (Counter(getattr(rule, name) for rule in mapping.rules) for name in ("field", "column"))
    rules = [one for one in mapping.rules if fields[one.field] == names[one.column] == 1 and _is_typed(one)]
    columns = [_column(table.frame, rule, area_unit, problem) for rule in rules]
    shown = [_marks_shown(one) for one in columns]
    in_file = frozenset(mark for marks in shown for mark in marks)
    read, problems, changed = dict[str, pd.Series](), list[pd.DataFrame](), dict[str, ColumnRule]()
    for column, marks in zip(columns, shown, strict=True):
        seen = MarksSeen(marks, in_file, sum(1 for figure, _ in column.figures() if mark_of_either(figure)))
        values = _values(column, seen)
        read[column.rule.column] = column.cells.map({text: _plain(value) for text, value in values.items()})
        problems.append(_problems(table, column, values))
        changed[column.rule.column] = ColumnRule(
            column.rule.column, column.field, "flag" if is_flag(column.field) else "number", decimal="."
        )
    frame = table.frame.assign(**{name: cells.astype("str") for name, cells in read.items()})
    rules = [changed.get(rule.column, rule) if rule in rules else rule for rule in mapping.rules]
    found = [one for one in problems if len(one)]
    none = pd.DataFrame(columns=list(PROBLEM_COLUMNS))
    return TypedCells(
        replace(table, frame=frame),
        replace(mapping, rules=tuple(rules)),
        pd.concat(found, ignore_index=True) if found else none,
    )


def _is_typed(rule: ColumnRule) -> bool:
    """Tell whether a column has numbers as people type them; those in further columns or other forms are as mapped."""
    if rule.parse not in _PARSERS or rule.with_columns or rule.recode:
        return False
    if is_extra(rule.field):
        return rule.parse == "number"
    return FIELD_BY_NAME[rule.field].kind in (FieldKind.NUMBER, FieldKind.FLAG)


def _column(frame: pd.DataFrame, rule: ColumnRule, area_unit: str, problem: Problem) -> _Column:
    cells = frame[rule.column].str.strip()
    words = load_vocabulary().words_of(rule.field)
    cells = cells.mask(is_null_word(cells) & ~cells.str.lower().isin(list(words)))
    if rule.unit_column:
        units = units_of_rows(frame[rule.unit_column])
        bare = cells.notna() & units.notna() & cells.map(lambda cell: not split_unit(rule.field, str(cell))[1])
        cells = cells.mask(bare, cells + " " + units)
    limit = problem.limits.get("sale_price" if rule.field == LIST_PRICE else rule.field)
    unit = stated_unit(rule.column, area_unit) if rule.field in AREAS else ""
    return _Column(rule, cells.astype("str"), tuple(cells.dropna().unique()), unit, limit)


def _marks_shown(column: _Column) -> dict[str, int]:
    """Count the decimal marks that the cells of a column show for certain, also those that only one reading allows."""
    marks = list[str]()
    for figure, unit in column.figures():
        if mark_of_either(figure):
            possible = possible_roles(column.field, figure, column.limit, unit, column.rule.scale)
            marks.append(sure_mark(figure, possible[0]) if len(possible) == 1 else "")
        else:
            marks.append(decimal_mark(figure))
    return Counter(filter(None, marks))


def _values(column: _Column, seen: MarksSeen) -> dict[str, float | Unread]:
    """Return what each distinct text of a column gives."""

    def read(text: str) -> float | Unread:
        return read_text(column.field, text, column.limit, column.unit, seen, column.rule.scale)

    values = {text: _with_more(text, read, column.rule.parse) for text in column.texts}
    if column.field not in AREAS or load_vocabulary().fold(column.rule.column).unit:
        return values
    others = {unit for text in column.texts if (unit := split_unit(column.field, text)[1])} - {column.unit}
    if not others:
        return values
    return {
        text: value if split_unit(column.field, text)[1] or not value else _unit_unknown(text, column.unit, others)
        for text, value in values.items()
    }


def _with_more(text: str, read: Callable[[str], float | Unread], parse: str) -> float | Unread:
    """Read a text, also a range or one that begins with a number where the column is of such."""
    value = read(text)
    if not isinstance(value, Unread) or value.remedy:
        return value
    if parse == "range_midpoint" and (found := _RANGE.fullmatch(text)):
        low, high = read(found[1]), read(found[2])
        return value if isinstance(low, Unread) or isinstance(high, Unread) else (low + high) / 2
    if parse == "leading_number" and (leading := _LEADING.match(text)):
        return read(leading[1].rstrip(".,"))
    return value


def _unit_unknown(text: str, unit: str, others: set[str]) -> Unread:
    """Say that a cell names no unit where others of its column name one that is not the market's."""
    units = [unit_words(one) for one in (unit, *sorted(others))]
    either = " or ".join(f"{text} {one}" for one in units)
    return Unread(f"without a unit, which other cells of the column name: it may be {either}", f"Write {either}")


def _plain(value: float | Unread) -> str | float:
    return np.nan if isinstance(value, Unread) else repr(float(value))


def _problems(table: RawTable, column: _Column, values: Mapping[str, float | Unread]) -> pd.DataFrame:
    wrong = {text: value for text, value in values.items() if isinstance(value, Unread)}
    cells = column.cells[column.cells.isin(list(wrong))]
    given: Sequence[object] = table.frame[column.rule.column].loc[cells.index].tolist()
    found = [wrong[str(cell)] for cell in cells]
    return pd.DataFrame(
        {
            "source_row": np.asarray(table.row_numbers)[cells.index.to_numpy()],
            "column": column.rule.column,
            "field": column.field,
            "value": given,
            "problem": [one.problem for one in found],
            "remedy": [one.remedy for one in found],
        },
        columns=list(PROBLEM_COLUMNS),
    )
