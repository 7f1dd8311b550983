"""What a file without sales holds instead, and which of its columns look almost like a price or a date."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

import pandas as pd

from core.collect.cells.missing import is_null_word
from core.collect.columns.candidates import field_of_header, header_score
from core.collect.columns.sheet import is_row_counter
from core.collect.dates.guess import guess_date_format
from core.collect.leaks import leak_by_name
from core.collect.mapping import ColumnMapping
from core.collect.parsers import Marks, as_date, as_number
from core.collect.reading.table import RawTable
from core.collect.vocabulary import Vocabulary, load_vocabulary
from core.schema import Source, is_extra

_DISTRICT_WORDS: Final = frozenset({"population", "household", "median", "tract", "lstat", "crim", "ptratio", "medv"})
_INDEX_WORDS: Final = frozenset({"index", "indice", "hpi", "zhvi", "hvi"})
_RENT_WORDS: Final = frozenset({"rent", "rental", "lease", "miete", "kaltmiete", "warmmiete", "loyer", "alquiler"})
_PRICE_WORDS: Final = frozenset({"price", "amount", "cost", "worth", "paid", "value", "consideration", "proceed"})
_PAID_WORDS: Final = frozenset({"sale", "sold", "paid", "selling", "close", "closed", "closing", "purchase"})
_DATE_WORDS: Final = frozenset({"date", "day", "month", "closed", "sold", "recorded", "time", "when"})
_HOME_PRICE: Final = (10_000.0, 1e11)
_MONTHS_MIN: Final = 12
_NUMERIC_MIN: Final = 5
_STANDARD_SLACK: Final = 0.15
_SAMPLE: Final = 500
_THEM_INSTEAD: Final = "price them instead"
_READ_SHARE: Final = 0.8
_WAYS_MAX: Final = 6
# Of what no earlier way reads: a way that reads less of it is chance.
_WAY_MIN: Final = 0.15
_ROUND_SHARE: Final = 0.3
_NAMES_OF_THINGS: Final = frozenset({"property_id", "sale_id", "zipcode", "unit", "address", "year_built"})


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
    dated = [column for column in _columns_of("sale_date", table, vocabulary) if _is_dated(table, column)]
    sought = [name for name in lacking if name != "sale_date" or not dated] or lacking
    near = [_near_miss(table, mapping, name, vocabulary) for name in sought]
    return " ".join(filter(None, near))


def _is_dated(table: RawTable, column: str) -> bool:
    present = _present(table, column)
    return len(present) > 0 and _is_date(present, Marks())


def are_listings(table: RawTable, mapping: ColumnMapping) -> bool:
    """Tell whether a file holds homes for sale: an asking or other price and a place, and no sale."""
    return _THEM_INSTEAD in why_no_sales(table, mapping)


def _kind(table: RawTable, mapping: ColumnMapping, vocabulary: Vocabulary) -> str:
    columns = [str(column) for column in table.frame]
    words = {column: set(vocabulary.all_words(column)) for column in columns}
    districts = [column for column in columns if words[column] & _DISTRICT_WORDS]
    if len(districts) > 2:
        return f"{table.name} describes districts ({', '.join(districts[:4])}), not single sales."
    fields = {rule.field for rule in mapping.rules}
    indices = [column for column in columns if words[column] & _INDEX_WORDS]
    if indices and not fields & {"address", "latitude", "living_area_sqft", "property_id"}:
        return f"{table.name} is an index ({indices[0]}), and holds no sale of a home."
    months = [column for column in columns if pd.Series([column]).str.fullmatch(_MONTH).all()]
    if len(months) >= _MONTHS_MIN:
        return f"{table.name} is an index: it has a column for each of {len(months)} months, and no sale of a home."
    rents = [column for column in columns if words[column] & _RENT_WORDS]
    if rents and not fields & {"sale_price", "list_price"} and not _asking_prices(table, mapping, vocabulary):
        return f"{table.name} holds rents ({rents[0]}), not sale prices."
    return _model_ready(table, mapping) or _listings(table, mapping, vocabulary)


def _listings(table: RawTable, mapping: ColumnMapping, vocabulary: Vocabulary) -> str:
    """Say that homes with a price and a place, but no day on which any was sold, are listings."""
    fields = {rule.field for rule in mapping.rules}
    asked = _asking_prices(table, mapping, vocabulary)
    priced = fields & {"sale_price", "list_price"} or asked
    if (
        not priced
        or _was_paid(table, mapping, vocabulary)
        or "sale_date" in fields
        or not fields & {"address", "latitude", "zipcode"}
    ):
        return ""
    unread = [column for column in _columns_of("sale_date", table, vocabulary) if _has_values(table, column)]
    if unread and _is_date(_present(table, unread[0]), Marks()) and asked and "sale_price" not in fields:
        return (
            f"{asked[0]!r} is an asking price, and no column holds the price that was paid: bring that price, or take "
            f"the file for listings and {_THEM_INSTEAD} (price --csv {table.name}, or Price a home)."
        )
    if unread:
        present = _present(table, unread[0])
        if mixed := mixed_dates(present):
            return f"{unread[0]!r} looks like the sale date, but {mixed}"
        read = _dates_read(present)
        cell = present[~read].iloc[0] if not read.all() else present.iloc[0]
        return f"{unread[0]!r} looks like the sale date, but {cell!r} is no date that is read: write it as 2024-05-31."
    listings = f"These are listings without a sale: {_THEM_INSTEAD} (price --csv {table.name}, or Price a home)."
    dates = _free_dates(table, mapping, vocabulary)
    return f"{listings} If {dates[0]!r} is the sale date, map it so." if dates else listings


def _was_paid(table: RawTable, mapping: ColumnMapping, vocabulary: Vocabulary) -> bool:
    """Tell whether a column is mapped to the sale price whose header says that it was paid.

    So does a full name of the sale price in another language, where some column may hold the days: "Verkoopprijs".
    """
    prices = [rule.column for rule in mapping.rules if rule.field == "sale_price"]
    if any(set(vocabulary.all_words(column)) & _PAID_WORDS for column in prices):
        return True
    names = next(one for one in vocabulary.fields if one.field == "sale_price")
    named = [
        column
        for column in prices
        if not set(vocabulary.all_words(column)) & _PRICE_WORDS
        and header_score(vocabulary.fold(column), names, vocabulary) == 1.0
    ]
    return bool(named and _free_dates(table, mapping, vocabulary))


def _free_dates(table: RawTable, mapping: ColumnMapping, vocabulary: Vocabulary) -> list[str]:
    """Return the columns with a date in most rows that neither the mapping nor their header gives to a field."""
    taken = {rule.column for rule in mapping.rules if not is_extra(rule.field)}
    free = [
        column
        for column in map(str, table.frame)
        if column not in taken and not field_of_header(column, Source.SALES, vocabulary)
    ]
    filled = [column for column in free if len(_present(table, column)) > min(_SAMPLE, len(table.frame)) / 2]
    return [column for column in filled if _is_date(_present(table, column), Marks())]


def _asking_prices(table: RawTable, mapping: ColumnMapping, vocabulary: Vocabulary) -> list[str]:
    """Return the columns of asking prices, which the mapping of a file without sales leaves out."""
    marks = Marks(mapping.decimal, mapping.thousands)
    named = _columns_of("list_price", table, vocabulary)
    return [column for column in named if _is_price(table.frame[column].dropna().head(_SAMPLE), marks)]


def _columns_of(field: str, table: RawTable, vocabulary: Vocabulary) -> list[str]:
    return [column for column in map(str, table.frame) if field_of_header(column, Source.SALES, vocabulary) == field]


def _present(table: RawTable, column: str) -> pd.Series:
    present = table.frame[column].dropna().head(_SAMPLE)
    return present[~is_null_word(present)]


def _has_values(table: RawTable, column: str) -> bool:
    return bool((~is_null_word(table.frame[column].fillna(""))).any())


def _model_ready(table: RawTable, mapping: ColumnMapping) -> str:
    """Say that a table was made for a model: numbers only, in standard deviations or as 0 and 1 for each category."""
    marks = Marks(mapping.decimal, mapping.thousands)
    figures = {str(column): as_number(table.frame[column].head(_SAMPLE), marks) for column in table.frame}
    if len(figures) < _NUMERIC_MIN or any(values.isna().any() for values in figures.values()):
        return ""
    standard = [
        column
        for column, values in figures.items()
        if abs(float(values.mean())) < _STANDARD_SLACK and abs(float(values.std()) - 1.0) < _STANDARD_SLACK
    ]
    flags = [column for column, values in figures.items() if set(values) <= {0.0, 1.0}]
    prefixes = Counter(re.split(r"[_=. -]", column)[0] for column in flags)
    hot = [column for column in flags if prefixes[re.split(r"[_=. -]", column)[0]] >= 2]
    what = ["standardized"] * (len(standard) > 2) + ["one-hot"] * (len(hot) > 2)
    if not what:
        return ""
    shown = ", ".join((standard if len(standard) > 2 else hot)[:3])
    return (
        f"{table.name} was prepared for a model: its columns are {' and '.join(what)} ({shown}). Bring the table it "
        "was made from, with prices, sale dates and the facts of the homes as they are."
    )


_MONTH: Final = r"(?:19|20)[0-9]{2}[-/.](?:0[1-9]|1[0-2])(?:[-/.][0-3][0-9])?"


def _near_miss(table: RawTable, mapping: ColumnMapping, field: str, vocabulary: Vocabulary) -> str:
    marks = Marks(mapping.decimal, mapping.thousands)
    wanted, reads, what = (
        (_PRICE_WORDS, _is_price, "sale price") if field == "sale_price" else (_DATE_WORDS, _is_date, "sale date")
    )
    named = []
    # A column that is another field already is not the one sought.
    taken = {rule.column for rule in mapping.rules if not is_extra(rule.field)}
    for column in (one for one in map(str, table.frame) if one not in taken):
        present, is_named_so = _present(table, column), bool(set(vocabulary.all_words(column)) & wanted)
        if not len(present) or not reads(present, marks) or leak_by_name(column, Source.SALES, vocabulary):
            continue
        if is_named_so or field != "sale_price" or not _names_things(table, column, vocabulary):
            named.append((not is_named_so, column))
    if named:
        return f"{min(named, key=lambda one: one[0])[1]!r} looks like the {what}: map it so if it is."
    return _unread(table, field, what, vocabulary) or f"No column looks like a {what}.{_valued(table, field)}"


def _unread(table: RawTable, field: str, what: str, vocabulary: Vocabulary) -> str:
    """Quote a cell of the column that its header gives to a field, but whose cells are not read."""
    column = next((one for one in _columns_of(field, table, vocabulary) if _has_values(table, one)), "")
    if not column:
        return ""
    if field == "sale_date" and (mixed := mixed_dates(_present(table, column))):
        return f"{column!r} looks like the sale date, but {mixed}"
    kind, form = ("number", "425000") if field == "sale_price" else ("date", "2024-05-31")
    present = _present(table, column)
    read = as_number(present, Marks()).notna() if kind == "number" else _dates_read(present)
    cell = present[~read].iloc[0] if not read.all() else present.iloc[0]
    return f"{column!r} looks like the {what}, but {cell!r} is no {kind} that is read: write it as {form}."


def _dates_read(present: pd.Series) -> pd.Series:
    """Tell for each cell whether the format of most cells reads it."""
    found = guess_date_format(present).date_format
    return as_date(present, Marks(date_format=found)).notna() if found else pd.Series(False, index=present.index)


def mixed_dates(present: pd.Series) -> str:
    """Say that dates are written in several ways, of which none reads most of them; "" where they are not."""
    rest = present
    found: list[tuple[str, int]] = []
    while len(rest) and len(found) < _WAYS_MAX:
        best = guess_date_format(rest).date_format
        read = as_date(rest, Marks(date_format=best)).notna() if best else pd.Series(False, index=rest.index)
        if read.mean() < _WAY_MIN:
            break
        found.append((str(rest[read].iloc[0]), int(read.sum())))
        rest = rest[~read]
    if len(found) < 2 or len(rest) > (1 - _READ_SHARE) * len(present):
        return ""
    shown = ", ".join(f"{cell!r} ({n:,})" for cell, n in found)
    return f"its dates are written in {len(found)} ways: {shown}. Write all of them in one way, such as 2024-05-31."


def _valued(table: RawTable, field: str) -> str:
    """Say that a valuation is no price, where a file without a price has one."""
    valuations = _columns_of_taxes(table) if field == "sale_price" else []
    return f" {valuations[0]!r} is a valuation, not what was paid." if valuations else ""


def _columns_of_taxes(table: RawTable) -> list[str]:
    vocabulary = load_vocabulary()
    columns = map(str, table.frame)
    return [one for one in columns if field_of_header(one, Source.TAX, vocabulary) == "assessed_value"]


def _names_things(table: RawTable, column: str, vocabulary: Vocabulary) -> bool:
    """Tell whether a column of figures is an id, a postcode or a row counter, and never a price."""
    words = vocabulary.all_words(column)
    if field_of_header(column, Source.SALES, vocabulary) in _NAMES_OF_THINGS or is_row_counter(table.frame[column]):
        return True
    if words and (words[-1] in vocabulary.identifiers or words[0] in vocabulary.identifiers):
        return True
    # Prices differ in length and mostly end in zeros; codes do neither.
    cells = _present(table, column)
    are_alike = cells.str.fullmatch(r"[0-9]+").all() and cells.str.len().nunique() == 1
    return bool(are_alike and cells.str.endswith("00").mean() < _ROUND_SHARE)


def _is_price(present: pd.Series, marks: Marks) -> bool:
    figures = as_number(present, marks)
    return float(figures.between(*_HOME_PRICE).mean()) >= _READ_SHARE


def _is_date(present: pd.Series, marks: Marks) -> bool:
    dates = guess_date_format(present)
    return dates.share >= _READ_SHARE and "%" in dates.date_format and dates.date_format != "%Y"
