"""What a file without sales holds instead, and which of its columns look almost like a price or a date."""

from __future__ import annotations

from typing import Final

import pandas as pd

from core.collect.leaks import leak_by_name
from core.collect.mapping import ColumnMapping
from core.collect.parsers import Marks, as_number, guess_date_format, is_null_word
from core.collect.reading.table import RawTable
from core.collect.vocabulary import Vocabulary, load_vocabulary
from core.schema import Source

_DISTRICT_WORDS: Final = frozenset({"population", "household", "median", "tract", "lstat", "crim", "ptratio", "medv"})
_RENT_WORDS: Final = frozenset({"rent", "rental", "lease", "miete", "kaltmiete", "warmmiete", "loyer", "alquiler"})
_PRICE_WORDS: Final = frozenset({"price", "amount", "cost", "worth", "paid", "value", "consideration", "proceed"})
_DATE_WORDS: Final = frozenset({"date", "day", "month", "closed", "sold", "recorded", "time", "when"})
_HOME_PRICE: Final = (10_000.0, 1e11)
_MONTHS_MIN: Final = 12
_READ_SHARE: Final = 0.8


def why_no_sales(table: RawTable, mapping: ColumnMapping) -> str:
    """Say what a file without sale prices or dates is, and which columns come close; "" if unknown."""
    fields = {rule.field for rule in mapping.rules}
    lacking = [name for name in ("sale_price", "sale_date") if name not in fields]
    if not lacking:
        return ""
    vocabulary = load_vocabulary()
    kind = _kind(table, mapping, vocabulary)
    if kind:
        return kind
    near = [_near_miss(table, mapping, name, vocabulary) for name in lacking]
    return " ".join(filter(None, near))


def _kind(table: RawTable, mapping: ColumnMapping, vocabulary: Vocabulary) -> str:
    columns = [str(column) for column in table.frame]
    words = {column: set(vocabulary.all_words(column)) for column in columns}
    districts = [column for column in columns if words[column] & _DISTRICT_WORDS]
    if len(districts) > 2:
        return f"{table.name} describes districts ({', '.join(districts[:4])}), not single sales."
    months = [column for column in columns if pd.Series([column]).str.fullmatch(_MONTH).all()]
    if len(months) >= _MONTHS_MIN:
        return f"{table.name} is an index: it has a column for each of {len(months)} months, and no sale of a home."
    rents = [column for column in columns if words[column] & _RENT_WORDS]
    fields = {rule.field for rule in mapping.rules}
    if rents and not fields & {"sale_price", "list_price"}:
        return f"{table.name} holds rents ({rents[0]}), not sale prices."
    priced = fields & {"sale_price", "list_price"}
    if priced and "sale_date" not in fields and fields & {"address", "latitude", "zipcode"}:
        return f"These are listings without a sale: price them instead (price --csv {table.name}, or Price a home)."
    return ""


_MONTH: Final = r"(?:19|20)[0-9]{2}[-/.](?:0[1-9]|1[0-2])(?:[-/.][0-3][0-9])?"


def _near_miss(table: RawTable, mapping: ColumnMapping, field: str, vocabulary: Vocabulary) -> str:
    marks = Marks(mapping.decimal, mapping.thousands)
    wanted, reads, what = (
        (_PRICE_WORDS, _is_price, "sale price") if field == "sale_price" else (_DATE_WORDS, _is_date, "sale date")
    )
    named = []
    for column in map(str, table.frame):
        present = table.frame[column].dropna().head(500)
        present = present[~is_null_word(present)]
        if len(present) and reads(present, marks) and not leak_by_name(column, Source.SALES, vocabulary):
            named.append((not set(vocabulary.all_words(column)) & wanted, column))
    if not named:
        return f"No column looks like a {what}."
    return f"{min(named, key=lambda one: one[0])[1]!r} looks like the {what}: map it so if it is."


def _is_price(present: pd.Series, marks: Marks) -> bool:
    figures = as_number(present, marks)
    return float(figures.between(*_HOME_PRICE).mean()) >= _READ_SHARE


def _is_date(present: pd.Series, marks: Marks) -> bool:
    dates = guess_date_format(present)
    return dates.share >= _READ_SHARE and "%" in dates.date_format and dates.date_format != "%Y"
