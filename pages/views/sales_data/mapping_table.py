"""Converts the column mapping to a table for corrections, and the table back to a mapping."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace
from typing import Final

import pandas as pd

from core.collect.cells.dates import DECIMAL_YEAR, EXCEL_SERIAL, NAMED_FORMATS, QUARTER, ROC_YEAR
from core.collect.cells.units import UNIT_FACTORS, unit_words
from core.collect.columns import picks
from core.collect.columns.guess import Guess
from core.collect.columns.picks import Pick
from core.collect.dates.formats import DATE_FORMATS, OR, formats_of, is_own_format
from core.collect.inference import Inference
from core.collect.mapping import ColumnMapping
from core.collect.parsers import PARSERS
from core.schema import FIELDS, Source, label_of
from core.wording import either

NOTHING: Final = "–"
"""Code and label for no reading and no unit: a select box treats an empty code as missing."""

FIELD_LABELS: Final[Mapping[str, str]] = {
    picks.IGNORE: "Leave out",
    picks.EXTRA: "Keep as extra",
    picks.ADDRESS_PART: "Part of the address",
    **{field.name: field.label for field in FIELDS},
}
"""What a column can mean, with the labels shown."""

PARSE_LABELS: Final[Mapping[str, str]] = {NOTHING: NOTHING} | {name: name.replace("_", " ") for name in PARSERS}
UNIT_LABELS: Final[Mapping[str, str]] = {unit or NOTHING: unit_words(unit) or NOTHING for unit in UNIT_FACTORS}
_NAMED_EXAMPLES: Final[Mapping[str, str]] = {
    EXCEL_SERIAL: "45657 (spreadsheet day number)",
    QUARTER: "2024Q4 (first day of the quarter)",
    ROC_YEAR: "1131231 (year of the Republic of China)",
    DECIMAL_YEAR: "2024.997 (year and its fraction)",
}
# What a person corrects stands first: a phone shows three columns.
COLUMNS: Final = ("Column", "Field", "Read as", "Unit", "Samples", "Sure", "Why")


def table_of(mapping: ColumnMapping, guess: Guess) -> pd.DataFrame:
    """Return one row per column of the file: COLUMNS, with codes (not labels) in Field, Read as and Unit."""
    rules = {rule.column: rule for rule in mapping.rules}
    guessed = {rule.column: rule for rule in guess.mapping.rules}
    rows = []
    for one in guess.columns:
        rule = rules.get(one.column)
        field = picks.taken_for(mapping, one.column)
        # A name changes nothing of how a column is read.
        unnamed = replace(rule, label="") if rule is not None else None
        as_guessed = unnamed == guessed.get(one.column) and field == picks.taken_for(guess.mapping, one.column)
        rows.append(
            {
                "Column": one.column,
                "Samples": ", ".join(one.samples),
                "Field": field,
                "Sure": 100.0 * one.confidence if as_guessed else 100.0,
                "Read as": rule.parse if rule else NOTHING,
                "Unit": (rule.unit if rule else "") or NOTHING,
                "Why": one.why if as_guessed else picks.PICKED,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def mapping_of(table: pd.DataFrame, mapping: ColumnMapping) -> ColumnMapping:
    """Return the mapping the table now shows; raises MappingError for an impossible choice."""
    return picks.correct(mapping, (_pick(row) for row in table.to_dict("records")))


def _pick(row: Mapping[Hashable, object]) -> Pick:
    column, field, parse, unit = (str(row[name]) for name in ("Column", "Field", "Read as", "Unit"))
    return Pick(column, field, "" if parse == NOTHING else parse, "" if unit == NOTHING else unit)


def date_example(date_format: str) -> str:
    """Write a date format as an example, the last day of 2024; without one, each column's values decide."""
    if not date_format:
        return "Detected from the values"
    if date_format in _NAMED_EXAMPLES:
        return _NAMED_EXAMPLES[date_format]
    if OR in date_format:
        return either(map(date_example, formats_of(date_format)))
    return pd.Timestamp(2024, 12, 31).strftime(date_format)


def date_formats(mapping: ColumnMapping) -> tuple[str, ...]:
    """Return the formats to choose from, including the mapping's own if it is a rare one."""
    return tuple(dict.fromkeys(("", *DATE_FORMATS, *NAMED_FORMATS, mapping.date_format)))


def own_format(mapping: ColumnMapping) -> str:
    """Return the date format that a person wrote for the file; empty where it is one of those to choose from."""
    return mapping.date_format if is_own_format(mapping.date_format) else ""


def inferences_table(inferences: Iterable[Inference]) -> pd.DataFrame:
    """Return one row per inference: the column, what was concluded, the evidence and the rows it was seen on."""
    return pd.DataFrame(
        [
            {
                "Column": one.column,
                "Taken for": label_of(one.field) if one.field else "",
                "Concluded": one.claim,
                "Evidence": one.evidence,
                "Rows": one.n,
                "To check": "" if one.sure else "please check",
            }
            for one in inferences
        ]
    )


def sources() -> Mapping[str, str]:
    """Return the kinds of files with the labels shown."""
    return {
        Source.SALES.value: "Sales (prices and dates)",
        Source.TAX.value: "Tax roll (facts of homes)",
        Source.NEIGHBOURHOOD.value: "Neighborhoods (figures by area)",
        Source.INDICATORS.value: "Market indicators (figures by day)",
    }
