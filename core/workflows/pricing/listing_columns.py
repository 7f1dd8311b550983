"""Maps the columns of a list of homes to the facts of a market's model, by name, since a few rows show little."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from core.collect.columns.candidates import field_of_header, header_score
from core.collect.columns.guess import ColumnGuess, guess_mapping
from core.collect.columns.leftovers import NO_VALUES
from core.collect.mapping import LOCATIONS, PROBLEM_COLUMNS, ColumnMapping, ColumnRule, MappedTable, read_column
from core.collect.parsers import Marks
from core.collect.reading.table import RawTable
from core.collect.vocabulary import FieldNames, load_vocabulary, snake
from core.errors import MappingError
from core.prepare.features.facts import FactColumns
from core.schema import AREAS, EXTRA_PREFIX, FIELD_BY_NAME, ONLY_ON_ROLL, Source, is_extra, label_of
from core.serve.reading.cells import stated_unit
from core.serve.reading.facts import LIST_PRICE
from core.serve.subject import nearest_fact
from core.wording import either

REFERENCE: Final = "reference"
"""The file's own name of a row: it names a home in the answers, and is no fact of it."""

_NAMED_SO: Final = 0.9
_MISSPELLED: Final = 0.85
_EXTRA_PARSERS: Final = ("number", "flag", "years_months", "range_midpoint")
# What names a home is kept with its estimate, whether or not the model uses it.
_NAMING: Final = frozenset({*LOCATIONS, "unit", "property_id"})
# Addresses and numbers of parcels are read by their heading, whatever some cells hold: "The Barn", one home twice.
_BY_HEADING: Final = ("address", "property_id")
# In files of sales a bare year may be that of the sale; in a list of homes it is that of the house.
_IN_LISTS: Final = {"year_built": ("year",)}
_PART: Final = "a part of the address"

NOT_RECOGNIZED: Final = "not recognized"
"""Why a column is left out whose heading says nothing that Doorstep knows."""


_REFERENCES: Final = frozenset({"reference", "ref", "listing_id", "listing_number", "mls_number", "mls_id", "mls"})


REASONS: Final = {
    "row": "Row",
    "status": "Status",
    "field": "Fact",
    "value": "As given",
    "reason": "Why",
    "remedy": "What helps",
}
"""The headings of the reasons why a row was not priced, in the file of those rows."""

ESTIMATE: Final = "Estimate"
"""The heading of the id in the ledger."""


@dataclass(frozen=True)
class ColumnRead:
    """How a column of the file was read: ``field`` is empty if it was left out, and ``why`` then says why.

    ``field`` is REFERENCE for the file's own name of its rows. A column of blanks is left out, and missed by nobody.
    """

    column: str
    field: str
    why: str


def map_listings(table: RawTable, facts: FactColumns, area_unit: str) -> tuple[ColumnMapping, tuple[ColumnRead, ...]]:
    """Return the mapping of a list of homes for a model that uses ``facts``, and its explanation column by column.

    The guess for whole tax rolls comes first, but for its units: an area is in that of its heading, else in
    ``area_unit``, for the size of a few homes tells no unit. Columns it leaves out because
    of their values (an impossible one, a single one, a list without gaps) are mapped by name: their values are then
    refused or flagged row by row, while leaving them out would silently assume the usual ones. A heading that is one of
    the market's own facts is that fact, even where it resembles the name of another.
    """
    guess = guess_mapping(table, Source.TAX, area_unit)
    # In files of sales, a reference may be the number of the parcel; here it is the file's own name of its rows.
    kept = [
        rule
        for rule in guess.mapping.rules
        if rule.field in FIELD_BY_NAME and rule.column != reference_column(table) and not _is_own(rule, facts)
    ]
    reader = _Reader(table, Marks(guess.mapping.decimal, guess.mapping.thousands), area_unit)
    kept += reader.own(facts, kept)
    joined = [ColumnRule(column, "address") for column in guess.mapping.address_columns]
    kept += reader.rules_by_name((*facts.all, *_BY_HEADING, LIST_PRICE), [*kept, *joined])
    rules = (_in_stated_unit(rule, area_unit) for rule in kept)
    mapping = replace(guess.mapping, rules=tuple(rules))
    return mapping, tuple(_column_read(one, mapping, facts) for one in guess.columns)


def _in_stated_unit(rule: ColumnRule, area_unit: str) -> ColumnRule:
    """Return a rule whose area is in the unit of its heading, else in the market's; a column of units stays."""
    if rule.field not in AREAS or rule.unit_column:
        return rule
    return replace(rule, unit=stated_unit(rule.column, area_unit))


def _is_own(rule: ColumnRule, facts: FactColumns) -> bool:
    """Tell whether a heading is a fact of the market itself and only resembles that of the rule: "Rooms", bedrooms."""
    if EXTRA_PREFIX + snake(rule.column) not in facts.all:
        return False
    vocabulary = load_vocabulary()
    names = next(one for one in vocabulary.fields if one.field == rule.field)
    return rule.field not in facts.all or header_score(vocabulary.fold(rule.column), names, vocabulary) < 1.0


@dataclass(frozen=True)
class _Reader:
    """Makes rules for columns by their names."""

    table: RawTable
    marks: Marks
    area_unit: str

    def own(self, facts: FactColumns, taken: Sequence[ColumnRule]) -> Iterator[ColumnRule]:
        """Yield rules for the market's own columns, beyond the canonical record."""
        by_name = {EXTRA_PREFIX + snake(column): column for column in self._free(taken)}
        for name in facts.all:
            # By the column's own name, or the one that screens show.
            column = by_name.get(name) or (
                by_name.get(EXTRA_PREFIX + snake(label_of(name))) if is_extra(name) else None
            )
            if column is not None:
                yield self._rule(column, name, _EXTRA_PARSERS if name in facts.numeric else ("text",))

    def rules_by_name(self, wanted: Sequence[str], taken: Sequence[ColumnRule]) -> Iterator[ColumnRule]:
        """Yield rules for columns that have a usual name of a field without a rule."""
        used = list(taken)
        for names in load_vocabulary().fields:
            if names.field in wanted and names.field not in {rule.field for rule in used}:
                column = self._called(names, used)
                if column is not None:
                    used.append(self._rule(column, names.field, names.parse))
                    yield used[-1]

    def _free(self, taken: Sequence[ColumnRule]) -> list[str]:
        columns = {rule.column for rule in taken}
        return [column for column in map(str, self.table.frame.columns) if column not in columns]

    def _called(self, names: FieldNames, taken: Sequence[ColumnRule]) -> str | None:
        vocabulary = load_vocabulary()
        scores = {
            column: header_score(vocabulary.fold(column), names, vocabulary)
            for column in self._free(taken)
            if names.field in AREAS or not vocabulary.fold(column).unit
        }
        best = max(scores, key=lambda column: scores[column], default=None)
        if best is not None and scores[best] >= _NAMED_SO:
            return best
        return next((column for column in scores if self._is_named_in_lists(column, names.field)), None)

    def _is_named_in_lists(self, column: str, field: str) -> bool:
        """Tell whether a heading means a field in a list of homes; a year that all share is no year of building."""
        is_so = load_vocabulary().fold(column).words == _IN_LISTS.get(field)
        return is_so and (len(self.table.frame) == 1 or self.table.frame[column].nunique() > 1)

    def _rule(self, column: str, name: str, parsers: Sequence[str]) -> ColumnRule:
        """Return the rule that reads the most cells, the first of several."""
        unit = stated_unit(column, self.area_unit) if name in AREAS else ""
        rules = [ColumnRule(column, name, parse, unit) for parse in parsers]
        cells: pd.Series = self.table.frame[column]
        unread = [int(read_column(cells, rule, self.marks)[1].sum()) for rule in rules]
        return rules[int(np.argmin(unread))]


def refuse_placeless(mapping: ColumnMapping, facts: FactColumns) -> None:
    """Raise MappingError for a list without a column that says where its homes are, naming those to add."""
    if mapping.address_columns or {rule.field for rule in mapping.rules} & {*LOCATIONS}:
        return
    wanted = either(map(label_of, ("address", *facts.area_codes)))
    raise MappingError(f"No column says where a home is. Add a column {wanted} (see the template).")


def refuse_misspelled(columns: Sequence[ColumnRead], facts: FactColumns) -> None:
    """Raise MappingError for a column left out whose name is almost that of a fact no other column gives."""
    given = {one.field for one in columns}
    missing = [name for name in facts.all if name not in given | ONLY_ON_ROLL]
    for one in columns:
        near = (
            ""
            if one.field
            else nearest_fact(one.column, missing, _MISSPELLED)
            or nearest_fact(f"{EXTRA_PREFIX}{one.column}", filter(is_extra, missing), _MISSPELLED)
        )
        if near:
            name = label_of(near) if is_extra(near) else near
            raise MappingError(
                f"Column {one.column!r} is not a fact of a home; the nearest is {name!r}. Rename the column so, or "
                "remove it."
            )


def reference_column(table: RawTable) -> str | None:
    """Return the column that holds the file's own names of its rows; None without one."""
    return next((name for name in map(str, table.frame.columns) if snake(name) in _REFERENCES), None)


def with_reference(columns: Sequence[ColumnRead], reference: str | None) -> tuple[ColumnRead, ...]:
    """Return how the columns were read, where one of them, if any, is the file's own name of its rows."""
    return tuple(
        replace(one, field=REFERENCE, why="names the home in the answers") if one.column == reference else one
        for one in columns
    )


def _column_read(guessed: ColumnGuess, mapping: ColumnMapping, facts: FactColumns) -> ColumnRead:
    """Say how a column was read in words of a list of homes; a guess explains itself to who brings in sales."""
    read = {rule.column: rule.field for rule in mapping.rules} | dict.fromkeys(mapping.address_columns, "address")
    field = read.get(guessed.column, "")
    if field == LIST_PRICE:
        return ColumnRead(guessed.column, field, "kept with the estimate, and does not move it")
    if field in facts.all or field in _NAMING:
        return ColumnRead(guessed.column, field, "")
    return ColumnRead(guessed.column, "", _why_not_used(guessed, field, mapping, {*read.values()}))


def _why_not_used(guessed: ColumnGuess, field: str, mapping: ColumnMapping, given: Set[str]) -> str:
    """Return why a column gives no fact: ``field`` is what it is read as, ``given`` what all columns are read as."""
    for rule in mapping.rules:
        if guessed.column in {rule.unit_column, *rule.with_columns}:
            return f"read with {rule.column!r}"
    if guessed.why.startswith(_PART) or guessed.why == NO_VALUES:
        return guessed.why
    named = field or field_of_header(guessed.column, Source.TAX, load_vocabulary())
    if not named:
        return NOT_RECOGNIZED
    return "this market’s model does not use it" if field or named not in given else "another column gives it"


def references(table: RawTable) -> dict[int, str]:
    """Return the file's own names of its rows, from a column that is called so; empty without one."""
    column = reference_column(table)
    if column is None:
        return {}
    return dict(zip(table.row_numbers.tolist(), table.frame[column].fillna("").astype("str"), strict=True))


def without_blank_rows(table: RawTable) -> RawTable:
    """Return the table without rows of nothing but separators, which are blank lines as they are in a workbook."""
    blank = table.frame.isna().all(axis=1).to_numpy()
    if not blank.any() or blank.all():
        return table
    numbers, left_out = table.row_numbers[~blank], table.row_numbers[blank]
    # The rows below a blank line move up: a number counts the homes.
    numbers = numbers - np.searchsorted(left_out, numbers)
    return replace(table, frame=table.frame[~blank].reset_index(drop=True), row_numbers=numbers)


def without_reasons(table: RawTable) -> RawTable:
    """Return the table without the columns of an earlier answer, where its rows are those not priced then."""
    columns = {*map(str, table.frame.columns)}
    ours = [beside(name) if beside(name) in columns else name for name in (*REASONS.values(), ESTIMATE)]
    if not {*ours} - {ESTIMATE} <= columns:
        return table
    return replace(table, frame=table.frame.drop(columns=ours, errors="ignore"))


def beside(heading: str) -> str:
    """Return how a reason's column is called in a file that has one of the same name."""
    return f"{heading} (Doorstep)"


def as_given(errors: pd.DataFrame, table: RawTable, columns: Sequence[ColumnRead]) -> pd.DataFrame:
    """Return the rows not priced, by ``row`` and ``field``, with ``value`` as the file writes it where it has it."""
    times = Counter(one.field for one in columns)
    column_of = {one.field: one.column for one in columns if one.field and times[one.field] == 1}
    cells = table.frame.set_index(table.row_numbers)
    values = [
        cell if isinstance(cell := cells.at[row, column_of[field]] if field in column_of else None, str) else value
        for row, field, value in errors[["row", "field", "value"]].itertuples(index=False)
    ]
    return errors.assign(value=values)


def unread_cells(mapped: MappedTable, facts: FactColumns, needed: Sequence[str]) -> dict[int, list[tuple[Any, ...]]]:
    """Return the rows with an unreadable cell for a fact in use; those ``needed`` cannot be left blank."""
    found: dict[int, list[tuple[Any, ...]]] = {}
    cells = mapped.problems[mapped.problems["field"].isin(facts.all)]
    for row, column, field, value, problem, helps in cells[list(PROBLEM_COLUMNS)].itertuples(index=False):
        reason = f"{label_of(field)} {value!r} in column {column!r} is {problem}."
        start = helps or "Correct the cell"
        remedy = f"{start}." if field in needed else f"{start}, or leave it blank if it is unknown."
        line = (row, "refused", field, value, reason, remedy)
        found.setdefault(row, []).append(line)
    return found
