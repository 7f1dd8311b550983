"""The words of a column and what each is read as: a person's recoding of categories, as a table and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import pandas as pd

from core.collect.mapping import EMPTY, ColumnMapping, ColumnRule, read_column
from core.collect.parsers import Marks
from core.collect.reading.table import RawTable
from core.errors import MappingError
from core.schema import FIELD_BY_NAME, FieldKind, is_extra

WORDS_MAX: Final = 60
"""A column with more distinct values than this does not hold categories."""

WORD_COLUMNS: Final = ("value", "rows", "reads_as")

# Area codes are matched as they are: two files need the same spelling, not a better one.
_CODES: Final = frozenset({"zipcode", "neighbourhood"})
_PLAIN: Final = r"[-+]?[\d.,]+"


def words_of_columns(table: RawTable) -> Mapping[str, Mapping[str, int]]:
    """Return the different values of each column that has few of them, with their numbers of rows, most first.

    Blank cells come last, as the word EMPTY.
    """
    found: dict[str, Mapping[str, int]] = {}
    for column in map(str, table.frame):
        counts = table.frame[column].value_counts()
        if 0 < len(counts) <= WORDS_MAX:
            words = {str(word): int(rows) for word, rows in counts.items()}
            blank = int(table.frame[column].isna().sum())
            found[column] = MappingProxyType(words | ({EMPTY: blank} if blank else {}))
    return MappingProxyType(found)


def has_words(rule: ColumnRule, words: Mapping[str, int]) -> bool:
    """Tell whether a column is one whose words a person may want to recode.

    Categories and flags are; so are numbers some of whose values are written as words, and extras that are not figures.
    """
    if rule.field in FIELD_BY_NAME:
        kind = FIELD_BY_NAME[rule.field].kind
        if kind in (FieldKind.CATEGORY, FieldKind.FLAG):
            return rule.field not in _CODES
        if kind is not FieldKind.NUMBER:
            return False
    elif not is_extra(rule.field):
        return False
    written = [word for word in words if word != EMPTY]
    return not pd.Series(written, dtype="str").str.fullmatch(_PLAIN).all()


def words_of(words: Mapping[str, int], rule: ColumnRule, mapping: ColumnMapping) -> pd.DataFrame:
    """Return WORD_COLUMNS: each value of a column, its rows, and what the rule reads it as (empty: not read)."""
    values = pd.Series(list(words), dtype="str")
    marks = Marks(mapping.decimal, mapping.thousands, rule.date_format or mapping.date_format)
    read, _ = read_column(values, rule, marks)
    return pd.DataFrame({"value": values, "rows": list(words.values()), "reads_as": [_text(one) for one in read]})


def recoded(mapping: ColumnMapping, column: str, wanted: Mapping[str, str]) -> ColumnMapping:
    """Return the mapping with a column's values read as ``wanted`` says; an empty word makes a value missing.

    What is read so without a recoding is not written down. Raises MappingError if the column is not mapped, or its
    reading cannot read a wanted word.
    """
    rule = next((one for one in mapping.rules if one.column == column), None)
    if rule is None:
        raise MappingError(f"Column {column!r} is left out, so its words cannot be recoded. Map it first.")
    bare = replace(rule, recode=MappingProxyType({}))
    usual = words_of(dict.fromkeys(wanted, 0), bare, mapping).set_index("value")["reads_as"].to_dict()
    # A value of the column itself stands for what it is read as, so that picking another's word is enough.
    recoded = {_folded(value): word.strip() for value, word in wanted.items() if word.strip() != usual[value]}
    changed = replace(rule, recode=MappingProxyType(recoded))
    readable = words_of(dict.fromkeys(wanted, 0), changed, mapping)
    for value, read in zip(readable["value"], readable["reads_as"], strict=True):
        if wanted[value].strip() and not read:
            raise MappingError(
                f"Column {column!r}: {value!r} cannot be read as {wanted[value]!r}, for {rule.parse.replace('_', ' ')} "
                "is expected. Write one of the words in use, or leave it empty for missing."
            )
    return replace(mapping, rules=tuple(changed if one is rule else one for one in mapping.rules))


def _folded(value: str) -> str:
    return " ".join(value.casefold().split())


def _text(value: object) -> str:
    if pd.isna(value):  # type: ignore[call-overload]
        return ""
    return f"{value:.12g}" if isinstance(value, float) else str(value)
