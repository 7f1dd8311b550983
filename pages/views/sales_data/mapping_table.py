"""The column mapping as a table a person corrects by picking, and back from the table to a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pandas as pd

from core.collect.columns.guess import Guess
from core.collect.leaks import leak_by_name
from core.collect.mapping import ColumnMapping, ColumnRule, check_mapping
from core.collect.parsers import DATE_FORMATS, EXCEL_SERIAL, PARSERS, TEXT_PARSERS, UNIT_FACTORS
from core.collect.vocabulary import load_vocabulary, snake
from core.errors import MappingError
from core.schema import EXTRA_PREFIX, FIELD_BY_NAME, FIELDS, FieldKind, Source, is_extra, label_of

IGNORE: Final = "ignore"
EXTRA: Final = "extra"
ADDRESS_PART: Final = "address part"
NOTHING: Final = "–"
"""Code and label of no reading and no unit: a select box takes an empty code for a missing one."""

FIELD_LABELS: Final[Mapping[str, str]] = {
    IGNORE: "Leave out",
    EXTRA: "Keep as extra",
    ADDRESS_PART: "Part of the address",
    **{field.name: field.label for field in FIELDS},
}
"""What a column can be taken for, in the words shown."""

_UNIT_WORDS: Final = {"sqft": "sq ft", "sqm": "m²"}
PARSE_LABELS: Final[Mapping[str, str]] = {NOTHING: NOTHING} | {name: name.replace("_", " ") for name in PARSERS}
UNIT_LABELS: Final[Mapping[str, str]] = {
    unit or NOTHING: _UNIT_WORDS.get(unit, unit or NOTHING) for unit in UNIT_FACTORS
}
COLUMNS: Final = ("Column", "Field", "Samples", "Sure", "Read as", "Unit", "Why")

_PICKED: Final = "picked by you"
_MEASURED_LEAKS: Final = ("computed from", "bands of the sale price")
_BY_KIND: Final = {FieldKind.DATE: "date", FieldKind.FLAG: "flag", FieldKind.NUMBER: "number"}
_PREFERRED: Final = {names.field: names.parse for names in load_vocabulary().fields}


def table_of(mapping: ColumnMapping, guess: Guess) -> pd.DataFrame:
    """Return one row per column of the file: COLUMNS, with codes (not labels) in Field, Read as and Unit."""
    rules = {rule.column: rule for rule in mapping.rules}
    guessed = {rule.column: rule for rule in guess.mapping.rules}
    rows = []
    for one in guess.columns:
        rule = rules.get(one.column)
        field = _code(one.column, rule, mapping)
        as_guessed = rule == guessed.get(one.column) and field == _code(one.column, rule, guess.mapping)
        rows.append(
            {
                "Column": one.column,
                "Samples": ", ".join(one.samples),
                "Field": field,
                "Sure": 100.0 * one.confidence if as_guessed else 100.0,
                "Read as": rule.parse if rule else NOTHING,
                "Unit": (rule.unit if rule else "") or NOTHING,
                "Why": one.why if as_guessed else _PICKED,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def mapping_of(table: pd.DataFrame, mapping: ColumnMapping) -> ColumnMapping:
    """Return the mapping the table now says, keeping of ``mapping`` what the table does not show.

    Raises MappingError for a choice that cannot be, such as one field for two columns.
    """
    before = {rule.column: rule for rule in mapping.rules}
    rules, parts, left_out = [], [], []
    whys = dict(mapping.ignored)
    for row in table.to_dict("records"):
        column, field = str(row["Column"]), str(row["Field"])
        if field == IGNORE:
            left_out.append((column, whys.get(column, _PICKED)))
        elif field == ADDRESS_PART:
            parts.append(column)
        else:
            rules.append(_rule(row, before.get(column)))
    parts.sort(key=lambda column: _place(column, mapping.address_columns))
    ordered = sorted(rules, key=lambda rule: rule.weight != 1.0)
    _refuse_twice(ordered, before)
    changed = replace(mapping, rules=tuple(ordered), address_columns=tuple(parts), ignored=tuple(left_out))
    check_mapping(changed)
    return changed


def fitted(mapping: ColumnMapping, columns: tuple[str, ...], name: str) -> ColumnMapping:
    """Return a saved mapping if the file has all columns it names; raises MappingError naming those it lacks."""
    named = [*(rule.column for rule in mapping.rules), *mapping.address_columns]
    lacking = [column for column in named if column not in columns]
    if lacking:
        shown = ", ".join(map(repr, lacking[:5])) + (" and others" if len(lacking) > 5 else "")
        raise MappingError(f"{name} lacks {shown}, which this preset names. Choose another preset, or map by hand.")
    return mapping


def telling(mapping: ColumnMapping) -> tuple[str, ...]:
    """Return the columns left out because they would tell the model the price."""
    vocabulary = load_vocabulary()
    return tuple(
        column
        for column, why in mapping.ignored
        if leak_by_name(column, mapping.source, vocabulary) or why.startswith(_MEASURED_LEAKS)
    )


def taken_in(mapping: ColumnMapping, column: str, words: Mapping[str, Mapping[str, int]]) -> ColumnMapping:
    """Return the mapping with a column that was left out kept as an extra, as words where it has few, else as numbers.

    Raises MappingError if the mapping names it already.
    """
    parse = "text" if column in words and not _are_figures(words[column]) else "number"
    rule = ColumnRule(column, EXTRA_PREFIX + snake(column), parse)
    changed = replace(
        mapping,
        rules=(*mapping.rules, rule),
        ignored=tuple(one for one in mapping.ignored if one[0] != column),
    )
    check_mapping(changed)
    return changed


def date_example(date_format: str) -> str:
    """Write a date format as an example, the last day of 2024 in it; without one each column is read as it shows."""
    if not date_format:
        return "As all its values show"
    if date_format == EXCEL_SERIAL:
        return "45657 (day number of a spreadsheet)"
    return pd.Timestamp(2024, 12, 31).strftime(date_format)


def date_formats(mapping: ColumnMapping) -> tuple[str, ...]:
    """Return the formats to choose from, the mapping's own among them where it is a rare one."""
    return tuple(dict.fromkeys(("", *DATE_FORMATS, EXCEL_SERIAL, mapping.date_format)))


def sources() -> Mapping[str, str]:
    """Return the kinds of file in the words shown."""
    return {
        Source.SALES.value: "Sales (prices and dates)",
        Source.TAX.value: "Tax roll (facts of homes)",
        Source.NEIGHBOURHOOD.value: "Neighbourhoods (figures by area)",
    }


def _are_figures(words: Mapping[str, int]) -> bool:
    return bool(pd.Series(list(words), dtype="str").str.fullmatch(r"[-+$€£]?[\d.,]+%?").all())


def _place(column: str, order: tuple[str, ...]) -> int:
    return order.index(column) if column in order else len(order)


def _code(column: str, rule: ColumnRule | None, mapping: ColumnMapping) -> str:
    if rule is None:
        return ADDRESS_PART if column in mapping.address_columns else IGNORE
    return EXTRA if is_extra(rule.field) else rule.field


def _rule(row: Mapping[Any, Any], before: ColumnRule | None) -> ColumnRule:
    column, field, parse, unit = (str(row[name]) for name in ("Column", "Field", "Read as", "Unit"))
    unit = "" if unit == NOTHING else unit
    if field == EXTRA:
        field = before.field if before is not None and is_extra(before.field) else EXTRA_PREFIX + snake(column)
    if not _can_read(field, parse):
        parse = _usual(field)
    unit = _unit(field, parse, unit)
    if before is not None and before.field == field:
        return replace(before, parse=parse, unit=unit)
    return ColumnRule(column, field, parse, unit)


def _can_read(field: str, parse: str) -> bool:
    if parse not in PARSERS:
        return False
    if field not in FIELD_BY_NAME:
        return parse != "date"
    kind = FIELD_BY_NAME[field].kind
    if kind is FieldKind.DATE:
        return parse == "date"
    if kind is FieldKind.FLAG:
        return parse in {"flag", "number"}
    if kind is FieldKind.NUMBER:
        return parse not in TEXT_PARSERS and parse != "date"
    return parse in TEXT_PARSERS


def _usual(field: str) -> str:
    if field in _PREFERRED:
        return _PREFERRED[field][0]
    return _BY_KIND.get(FIELD_BY_NAME[field].kind, "text") if field in FIELD_BY_NAME else "text"


def _unit(field: str, parse: str, picked: str) -> str:
    if field not in FIELD_BY_NAME:
        return "" if parse in TEXT_PARSERS or parse == "flag" else picked
    # An area always says its unit, so that nobody has to know which one is meant by none.
    return (picked or "sqft") if FIELD_BY_NAME[field].unit == "sqft" else ""


def _refuse_twice(rules: list[ColumnRule], before: Mapping[str, ColumnRule]) -> None:
    """Refuse a field picked for a second column: the core would add the two, as it adds half baths to full ones."""
    by_field: dict[str, list[ColumnRule]] = {}
    for rule in rules:
        by_field.setdefault(rule.field, []).append(rule)
    for field, same in by_field.items():
        kept = all(rule.column in before and before[rule.column].field == field for rule in same)
        if len(same) > 1 and not kept:
            columns = " and ".join(repr(rule.column) for rule in same)
            raise MappingError(f"Columns {columns} are both taken for {label_of(field)}. Keep one of them.")
