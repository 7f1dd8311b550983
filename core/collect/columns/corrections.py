"""Corrections of single columns by name, "Selling Date=sale_date", on top of a guessed or saved mapping."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.collect.columns.area_units import add_area_units, unit_inferences
from core.collect.columns.candidates import best_reading
from core.collect.columns.leftovers import extra_reading
from core.collect.columns.picks import ADDRESS_PART, EXTRA, PICKED, can_read, usual_parse
from core.collect.columns.proofs import prove
from core.collect.columns.sheet import Candidate, Sheet, date_guess, open_sheet, sampled_values
from core.collect.inference import Inference
from core.collect.leaks import NEEDED, leak_by_numbers, parts_of_price
from core.collect.mapping import NEAR_NAME, ColumnMapping, ColumnRule, check_mapping
from core.collect.money.stated import with_currency
from core.collect.parsers import TEXT_PARSERS, Marks
from core.collect.reading.table import RawTable
from core.collect.vocabulary import snake
from core.errors import MappingError
from core.schema import EXTRA_PREFIX, FIELD_BY_NAME, is_extra

_FORM: Final = 'Write it as "COLUMN=FIELD", or "COLUMN=" to leave the column out.'


@dataclass(frozen=True)
class Correction:
    """What a person takes one column for.

    ``field`` is a field's name, one of one's own ("x_..."), EXTRA, ADDRESS_PART, or empty to leave the column out.
    ``file`` names the file, empty for every file that has the column. ``before`` is how the market's earlier files
    read it, where they decide and no person does.
    """

    column: str
    field: str
    file: str = ""
    before: ColumnRule | None = None


def correction_of(text: str, files: Mapping[str, str]) -> Correction:
    """Read "COLUMN=FIELD" or "FILE:COLUMN=FIELD"; ``files`` has the name of a file for all that can stand for FILE.

    Raises MappingError for another form and for a field that does not exist, naming the nearest.
    """
    column, mark, field = text.rpartition("=")
    if not mark or not column.strip():
        raise MappingError(f"The correction {text!r} names no column and field. {_FORM}")
    prefix = next((one for one in sorted(files, key=len, reverse=True) if column.startswith(f"{one}:")), "")
    column, field = column.removeprefix(f"{prefix}:") if prefix else column, field.strip()
    if field and field not in (*FIELD_BY_NAME, EXTRA, ADDRESS_PART) and not _is_own(field):
        raise MappingError(
            f"The correction {text!r} names {field!r}, which is not a field.{_nearest(field, list(FIELD_BY_NAME))} "
            f"Fields: {', '.join(FIELD_BY_NAME)}. {EXTRA_PREFIX}NAME keeps a fact of your own, {EXTRA!r} keeps the "
            f"column under its own name, {ADDRESS_PART!r} adds it to the address, and nothing after = leaves it out."
        )
    return Correction(column.strip(), field, files.get(prefix, ""))


def corrections_by_file(
    corrections: Iterable[Correction], tables: Mapping[str, RawTable]
) -> Mapping[str, tuple[Correction, ...]]:
    """Return the corrections of each file by its name.

    One without a file goes to the file that has its column; of several such files, to all of them if their columns are
    the same. Raises MappingError for a column that no file has, or that files of different columns have.
    """
    found: dict[str, list[Correction]] = {name: [] for name in tables}
    for one in corrections:
        among = {one.file: tables[one.file]} if one.file else tables
        having = [name for name, table in among.items() if one.column in table.frame.columns]
        if not having:
            raise MappingError(_no_column(one.column, among))
        if len({tuple(tables[name].frame.columns) for name in having}) > 1:
            raise MappingError(
                f"Column {one.column!r} is in {' and '.join(having)}. Say which is meant: "
                f'"{having[0]}:{one.column}={one.field}".'
            )
        for name in having:
            found[name].append(one)
    return {name: tuple(some) for name, some in found.items()}


def corrected(table: RawTable, mapping: ColumnMapping, corrections: Sequence[Correction]) -> ColumnMapping:
    """Return the mapping with each corrected column taken as its correction says, and the rest as it was.

    A column that held the field before is left out, and so is each reading of a corrected column beside another. Raises
    MappingError for one column corrected twice, two for one field, or a column none of whose values can be read so.
    """
    _refuse_twice(corrections)
    sheet = replace(open_sheet(table, mapping.source), marks=Marks(mapping.decimal, mapping.thousands))
    named = {one.column for one in corrections}
    for one in corrections:
        before = next((rule for rule in mapping.rules if (rule.column, rule.field) == (one.column, one.field)), None)
        mapping = _with(sheet, _without(sheet, mapping, one, named), one, before)
    if priced := [one.column for one in corrections if one.field == "sale_price"]:
        found_again = ("prices are in", "taken for the sale price, but its cells speak")
        unsaid = tuple(
            one for one in mapping.inferences if one.column != priced[0] or not one.claim.startswith(found_again)
        )
        mapping = with_currency(_without_leaks(sheet, replace(mapping, inferences=unsaid), named), table)
    check_mapping(mapping)
    return mapping


def _without_leaks(sheet: Sheet, mapping: ColumnMapping, named: set[str]) -> ColumnMapping:
    """Leave out the facts that tell the price a person picked, as a guess that knew the price would have."""
    numbers = {
        rule.field: sampled_values(sheet, replace(rule, date_format=rule.date_format or mapping.date_format))
        for rule in mapping.rules
        if rule.field in NEEDED
    }
    extras = [rule for rule in mapping.rules if is_extra(rule.field) and rule.column not in named]
    values = {rule.column: sampled_values(sheet, rule) for rule in extras}
    leaks = {column: leak.why for column, one in values.items() if (leak := leak_by_numbers(one, numbers, column))}
    leaks |= parts_of_price(numbers, values)
    kept = tuple(rule for rule in mapping.rules if rule.column not in leaks)
    return replace(mapping, rules=kept, ignored=(*mapping.ignored, *leaks.items()))


def inferences_that_hold(mapping: ColumnMapping, guessed: ColumnMapping) -> tuple[Inference, ...]:
    """Return what a guess inferred from a file that a given mapping of it agrees with, with this file's evidence."""
    ours, theirs = ({rule.column: replace(rule, date_format="") for rule in one.rules} for one in (mapping, guessed))
    return tuple(
        one
        for one in guessed.inferences
        if ours.get(one.column) == theirs.get(one.column)
        and (one.column != guessed.deed_column or mapping.deed_column == guessed.deed_column)
    )


def _is_own(field: str) -> bool:
    return is_extra(field) and field == EXTRA_PREFIX + snake(field.removeprefix(EXTRA_PREFIX)) != EXTRA_PREFIX


def _refuse_twice(corrections: Sequence[Correction]) -> None:
    columns: set[str] = set()
    fields: dict[str, str] = {}
    for one in corrections:
        if one.column in columns:
            raise MappingError(f"Column {one.column!r} is corrected twice. Keep one of the corrections.")
        columns.add(one.column)
        if one.field and one.field not in (EXTRA, ADDRESS_PART, "validity") and one.field in fields:
            raise MappingError(
                f"Columns {fields[one.field]!r} and {one.column!r} are both taken for {one.field!r}. Keep one of them."
            )
        fields[one.field] = one.column


def _without(sheet: Sheet, mapping: ColumnMapping, correction: Correction, named: set[str]) -> ColumnMapping:
    """Take a corrected column out of the mapping, and the columns that held its field."""
    column = correction.column
    displaced = [
        rule.column
        for rule in mapping.rules
        if rule.field == correction.field != "validity" and rule.column not in named
    ]
    gone = {column, *displaced}
    rules = tuple(_read_without(sheet, rule, column) for rule in mapping.rules if rule.column not in gone)
    parts = () if correction.field == "address" else tuple(one for one in mapping.address_columns if one != column)
    left = replace(
        mapping,
        rules=rules,
        address_columns=parts,
        deed_column="" if mapping.deed_column == column else mapping.deed_column,
        inferences=tuple(one for one in mapping.inferences if one.column not in gone),
    )
    freed = [*displaced, *(one for one in mapping.address_columns if one not in (*parts, column))]
    instead = "was picked by you instead" if correction.before is None else "is what earlier files of the market have"
    why = f"{column} {instead}"
    ignored = (*(one for one in mapping.ignored if one[0] != column), *((one, why) for one in freed))
    return replace(left, ignored=ignored)


def _read_without(sheet: Sheet, rule: ColumnRule, column: str) -> ColumnRule:
    """Return a rule that no longer reads a column beside its own: a year without its month is dated as a year."""
    if rule.unit_column == column:
        rule = replace(rule, unit_column="")
    if column not in rule.with_columns:
        return rule
    dates = date_guess(sheet, rule.column).date_format if rule.parse == "date" else rule.date_format
    return replace(rule, with_columns=tuple(one for one in rule.with_columns if one != column), date_format=dates)


def _with(sheet: Sheet, mapping: ColumnMapping, correction: Correction, before: ColumnRule | None) -> ColumnMapping:
    column, field = correction.column, correction.field
    if not field:
        return replace(mapping, ignored=(*mapping.ignored, (column, PICKED)))
    if field == ADDRESS_PART:
        return replace(mapping, address_columns=(*mapping.address_columns, column))
    field = EXTRA_PREFIX + snake(column) if field == EXTRA else field
    before = before or _as_it_was(correction)
    rule, inferences = (before, ()) if before else _read_as(sheet, mapping, column, field)
    if field == "sale_date" and not mapping.date_format:
        mapping, rule = replace(mapping, date_format=rule.date_format), replace(rule, date_format="")
    rules = sorted((*mapping.rules, rule), key=lambda one: one.weight != 1.0)
    return replace(mapping, rules=tuple(rules), inferences=(*mapping.inferences, *inferences))


def _as_it_was(correction: Correction) -> ColumnRule | None:
    """Return the rule of earlier files where it holds for the next one; figures and dates are read as each has them."""
    rule = correction.before
    holds = rule is not None and (rule.parse in TEXT_PARSERS or is_extra(rule.field) or rule.recode)
    return rule if holds else None


def _read_as(sheet: Sheet, mapping: ColumnMapping, column: str, field: str) -> tuple[ColumnRule, tuple[Inference, ...]]:
    """Return the rule that reads a column best as a field, its unit and scale found as for a guess, and why."""
    rule = _best_rule(sheet, column, field)
    others = [Candidate(one, 1.0, "", True) for one in mapping.rules if one.field in FIELD_BY_NAME]
    chosen = add_area_units(sheet, [*others, Candidate(rule, 1.0, "picked by you", True)])
    proven = prove(sheet, chosen)
    for one in (*chosen, *proven.chosen):
        if (one.rule.column, one.rule.field) == (column, field):
            rule = one.rule
    values = sampled_values(sheet, replace(rule, date_format=rule.date_format or mapping.date_format))
    if values.isna().all() and len(sheet.present(column)):
        raise MappingError(
            f"{sheet.table.name}: column {column!r} cannot be {field!r}: none of its values can be read as "
            f"{rule.parse.replace('_', ' ')}. Check the name of the column."
        )
    found = [*unit_inferences(list(chosen), sheet), *proven.inferences]
    return rule, tuple(one for one in found if (one.column, one.field) == (column, field))


def _best_rule(sheet: Sheet, column: str, field: str) -> ColumnRule:
    if field not in FIELD_BY_NAME:
        parse, _ = extra_reading(sheet, sheet.present(column))
        return ColumnRule(column, field, parse if can_read(field, parse) else "text")
    names = next((one for one in sheet.vocabulary.fields if one.field == field), None)
    if names is None:
        return ColumnRule(column, field, usual_parse(field))
    return best_reading(sheet, column, names)[0]


def _no_column(column: str, among: Mapping[str, RawTable]) -> str:
    columns = list(dict.fromkeys(str(one) for table in among.values() for one in table.frame.columns))
    where = next(iter(among)) if len(among) == 1 else f"None of {', '.join(among)}"
    return (
        f"{where} has {'no' if len(among) == 1 else 'a'} column {column!r}.{_nearest(column, columns)} "
        f"Columns: {', '.join(columns[:40])}{' and more' if len(columns) > 40 else ''}."
    )


def _nearest(name: str, names: Sequence[str]) -> str:
    folded = {one.casefold(): one for one in names}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=NEAR_NAME)
    return f" The nearest is {folded[near[0]]!r}." if near else ""
