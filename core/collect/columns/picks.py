"""A person's corrections of a column mapping: what each column is taken for, and the mapping that follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from core.collect.columns.leftovers import NO_VALUES, ONE_VALUE
from core.collect.inference import Inference
from core.collect.leaks import leak_by_name
from core.collect.mapping import ColumnMapping, ColumnRule, check_mapping, named_columns, parsers_of
from core.collect.parsers import PARSERS, TEXT_PARSERS
from core.collect.vocabulary import load_vocabulary, snake
from core.errors import MappingError
from core.schema import EXTRA_PREFIX, FIELD_BY_NAME, FieldKind, is_extra, label_of

IGNORE: Final = "ignore"
EXTRA: Final = "extra"
ADDRESS_PART: Final = "address part"

PICKED: Final = "picked by you"
"""Why a column is left out that the guess would have kept."""

_AMOUNTS: Final = ("sale_price", "list_price")
_MEASURED_LEAKS: Final = ("computed from", "bands of the sale price")
_BY_KIND: Final = {FieldKind.DATE: "date", FieldKind.FLAG: "flag", FieldKind.NUMBER: "number"}
_PREFERRED: Final = {names.field: names.parse for names in load_vocabulary().fields}


@dataclass(frozen=True)
class Pick:
    """What a person takes a column for.

    ``field`` is a field's name, IGNORE, EXTRA or ADDRESS_PART. ``parse`` and ``unit`` are empty where none is picked.
    """

    column: str
    field: str
    parse: str = ""
    unit: str = ""


def taken_for(mapping: ColumnMapping, column: str) -> str:
    """Return what the mapping takes a column for: a field's name, IGNORE, EXTRA or ADDRESS_PART."""
    rule = next((rule for rule in mapping.rules if rule.column == column), None)
    if rule is None:
        return ADDRESS_PART if column in mapping.address_columns else IGNORE
    return EXTRA if is_extra(rule.field) else rule.field


def correct(mapping: ColumnMapping, picks: Iterable[Pick]) -> ColumnMapping:
    """Return the mapping that the picks of all columns make, keeping of ``mapping`` what a pick does not say.

    A field that cannot be read as picked is read in its usual way. Raises MappingError for a choice that cannot be,
    such as one field for two columns.
    """
    before = {rule.column: rule for rule in mapping.rules}
    rules, parts, left_out = [], [], []
    whys = dict(mapping.ignored)
    for pick in picks:
        if pick.field == IGNORE:
            left_out.append((pick.column, whys.get(pick.column, PICKED)))
        elif pick.field == ADDRESS_PART:
            parts.append(pick.column)
        else:
            rules.append(_rule(pick, before.get(pick.column)))
    parts.sort(key=lambda column: _place(column, mapping.address_columns))
    ordered = sorted(rules, key=lambda rule: rule.weight != 1.0)
    _refuse_twice(ordered, before)
    after = {rule.column: rule for rule in ordered}
    changed = replace(
        mapping,
        rules=tuple(ordered),
        address_columns=tuple(parts),
        ignored=tuple(left_out),
        # What was inferred of a column that a person reads otherwise no longer holds.
        inferences=tuple(one for one in mapping.inferences if after.get(one.column) == before.get(one.column)),
    )
    check_mapping(changed)
    return changed


def confirm(mapping: ColumnMapping, doubt: Inference) -> ColumnMapping:
    """Return the mapping with a doubtful conclusion as a sure one, as a person confirmed it."""
    sure = replace(doubt, sure=True)
    return replace(mapping, inferences=tuple(sure if one == doubt else one for one in mapping.inferences))


def in_scale(mapping: ColumnMapping, scale: float) -> ColumnMapping:
    """Return the mapping with its amounts of money that had the scale of the sale price in another one.

    What was inferred of their columns no longer holds.
    """
    before = scale_of_prices(mapping)
    moved = {rule.column for rule in mapping.rules if rule.field in _AMOUNTS and rule.scale == before}
    return replace(
        mapping,
        rules=tuple(replace(rule, scale=scale) if rule.column in moved else rule for rule in mapping.rules),
        inferences=tuple(
            one for one in mapping.inferences if one.column not in moved or not one.claim.startswith("in units of")
        ),
    )


def scale_of_prices(mapping: ColumnMapping) -> float | None:
    """Return by how much the sale prices are multiplied, None where no column is mapped to them."""
    return next((rule.scale for rule in mapping.rules if rule.field == "sale_price"), None)


def fit_preset(mapping: ColumnMapping, columns: tuple[str, ...], name: str) -> ColumnMapping:
    """Return a saved mapping if the file has all columns it names; raises MappingError naming those it lacks."""
    lacking = [column for column in named_columns(mapping) if column not in columns]
    if lacking:
        shown = ", ".join(map(repr, lacking[:5])) + (" and others" if len(lacking) > 5 else "")
        raise MappingError(f"{name} lacks {shown}, which this preset names. Choose another preset, or map by hand.")
    return mapping


def leaking_columns(mapping: ColumnMapping) -> tuple[str, ...]:
    """Return the columns left out because they would give the model the price; one without values gives nothing."""
    vocabulary = load_vocabulary()
    return tuple(
        column
        for column, why in mapping.ignored
        if why not in (NO_VALUES, ONE_VALUE)
        and (leak_by_name(column, mapping.source, vocabulary) or why.startswith(_MEASURED_LEAKS))
    )


def keep_as_extra(mapping: ColumnMapping, column: str, words: Mapping[str, Mapping[str, int]]) -> ColumnMapping:
    """Return the mapping with a column that was left out kept as an extra, as words where it has few, else as numbers.

    ``words`` counts the values of each column that has few. Raises MappingError if the mapping has the column already.
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


def _are_figures(words: Mapping[str, int]) -> bool:
    return bool(pd.Series(list(words), dtype="str").str.fullmatch(r"[-+$€£]?[\d.,]+%?").all())


def _place(column: str, order: tuple[str, ...]) -> int:
    return order.index(column) if column in order else len(order)


def _rule(pick: Pick, before: ColumnRule | None) -> ColumnRule:
    field, parse = pick.field, pick.parse
    if field == EXTRA:
        field = before.field if before is not None and is_extra(before.field) else EXTRA_PREFIX + snake(pick.column)
    if not can_read(field, parse):
        parse = usual_parse(field)
    unit = _unit(field, parse, pick.unit)
    if before is not None and before.field == field:
        # A unit that a person picks goes for all rows.
        unit_column = before.unit_column if unit == before.unit else ""
        return replace(before, parse=parse, unit=unit, unit_column=unit_column)
    return ColumnRule(pick.column, field, parse, unit)


def can_read(field: str, parse: str) -> bool:
    """Tell whether a parser can read a field; a fact of one's own is no date."""
    if field not in FIELD_BY_NAME:
        return parse in PARSERS and parse != "date"
    one = FIELD_BY_NAME[field]
    # Yes and no are numbers, but no area.
    return parse in parsers_of(one.kind) and not (one.unit == "sqft" and parse == "flag")


def usual_parse(field: str) -> str:
    """Return the parser by which a field is usually read."""
    if field in _PREFERRED:
        return _PREFERRED[field][0]
    return _BY_KIND.get(FIELD_BY_NAME[field].kind, "text") if field in FIELD_BY_NAME else "text"


def _unit(field: str, parse: str, picked: str) -> str:
    if field not in FIELD_BY_NAME:
        return "" if parse in TEXT_PARSERS or parse == "flag" else picked
    # An area always names its unit, so that nobody has to know the default.
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
