"""Columns that fit no field: kept as extra facts, or left out with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from core.accounting import ADDED, ADDED_WORDS
from core.collect.cells.dates import EXCEL_SERIAL
from core.collect.cells.missing import is_null_word
from core.collect.columns.candidates import header_score
from core.collect.columns.doubles import double_of_area, double_of_sale_day
from core.collect.columns.proofs import is_spoiled, measures_something
from core.collect.columns.sheet import Sheet, is_row_counter, leak_in_header, sampled_values
from core.collect.dates.guess import guess_date_format
from core.collect.leaks import leak_by_numbers
from core.collect.mapping import ColumnRule
from core.collect.parsers import as_number
from core.collect.vocabulary import Tokens, snake
from core.schema import AREAS, EXTRA_PREFIX, SALE_FIELDS, Source

LEVELS_MAX: Final = 60
"""A text column with more distinct values than this is not kept as an extra."""

_READ_SHARE: Final = 0.9
_NAMED_SO: Final = 0.95
_DATES_SALE: Final = 0.75
_ROW_LABELS: Final = frozenset({"unnamed", "index", "order", "row", "rownum", "objectid"})

_OF_CODES: Final = frozenset({"class", "code", "type"})
_BEGINNINGS: Final = frozenset({"id", "code", "codigo", "codice", "kod", "cod"})
_ENDINGS: Final = ("編號", "编号", "番号", "コード", "번호", "코드")
_MONTH: Final = r"(?:19|20)[0-9]{2}[-/](?:0[1-9]|1[0-2])"
_RANGE: Final = r"^\s*\d[\d.,]*\s*(?:-|–|to)\s*\d[\d.,]*\D*$"

NO_VALUES: Final = "no values"
ONE_VALUE: Final = "the same value in every row"
"""Why a column without anything to learn from is left out, whatever its name."""


@dataclass(frozen=True)
class Leftover:
    """What a column that fits no field is: an extra to keep (with its rule), or ignored (without)."""

    rule: ColumnRule | None
    confidence: float
    why: str


def judge_leftover(sheet: Sheet, column: str, numbers: Mapping[str, pd.Series]) -> Leftover:
    """Decide whether to keep a column that fits no field; ``numbers`` are the sampled values to test for leaks."""
    present = sheet.present(column)
    why = _why_left_out(sheet, column, present)
    if why:
        return Leftover(None, 0.95, why)
    verdict = _as_extra(sheet, column, present)
    figures = sampled_values(sheet, verdict.rule) if verdict.rule and numbers else None
    again = _repeats(sheet, column, figures, numbers)
    if again:
        return Leftover(None, 0.9, again)
    leak = leak_by_numbers(figures, numbers, column) if figures is not None else None
    return Leftover(None, 0.9, leak.why) if leak else verdict


def _repeats(sheet: Sheet, column: str, figures: pd.Series | None, numbers: Mapping[str, pd.Series]) -> str:
    """Return why a column repeats another; empty if it does not."""
    is_figure = figures is not None and pd.api.types.is_numeric_dtype(figures)
    sold = numbers.get("sale_date")
    again = double_of_sale_day(sheet.sample[column], figures if is_figure else None, sold) if sold is not None else ""
    areas = {name: numbers[name] for name in AREAS if name in numbers}
    return again or (double_of_area(figures, areas) if figures is not None and is_figure else "")


def _why_left_out(sheet: Sheet, column: str, present: pd.Series) -> str:
    if column in ADDED:
        return ADDED_WORDS
    if present.empty and is_null_word(sheet.table.frame[column]).all():
        return NO_VALUES
    if sheet.table.frame[column].nunique(dropna=False) == 1:
        return ONE_VALUE
    if is_spoiled(present):
        return "numbers that a spreadsheet spoiled: export the column as text"
    if is_row_counter(sheet.table.frame[column]) or _labels_rows(sheet, column, present):
        return "a row counter, not a fact of the home"
    leak = leak_in_header(sheet, column)
    named = (
        (leak and _further_date(sheet, column, present))
        or leak
        or _asking_price(sheet, column)
        or _sale_fact(sheet, column)
    )
    return named or ("hardly any values" if present.empty else "")


def _further_date(sheet: Sheet, column: str, present: pd.Series) -> str:
    """Return why a column is left out that dates another step of the sale, such as the contract; "" if it is none."""
    names = next(one for one in sheet.vocabulary.fields if one.field == "sale_date")
    if sheet.source is not Source.SALES or header_score(sheet.header(column), names, sheet.vocabulary) < _DATES_SALE:
        return ""
    return "another date of the same sale" if extra_reading(sheet, present)[0] == "date" else ""


def _asking_price(sheet: Sheet, column: str) -> str:
    """Return why a column is left out that is a second asking price, in any language; "" if it is none."""
    names = next(one for one in sheet.vocabulary.fields if one.field == "list_price")
    is_one = header_score(sheet.header(column), names, sheet.vocabulary) >= _NAMED_SO
    return "an asking price: an opinion of the price, not a fact of the home" if is_one else ""


def _labels_rows(sheet: Sheet, column: str, present: pd.Series) -> bool:
    """Tell whether a column is the row index of an earlier table: whole numbers, each used once."""
    is_named_so = bool(set(sheet.header(column).words) & _ROW_LABELS)
    return is_named_so and present.is_unique and bool(present.str.fullmatch(r"[0-9]+").all())


def _sale_fact(sheet: Sheet, column: str) -> str:
    if sheet.source is not Source.TAX:
        return ""
    sale_fields = {field.name for field in SALE_FIELDS}
    for names in sheet.vocabulary.fields:
        if names.field in sale_fields and header_score(sheet.header(column), names, sheet.vocabulary) >= 0.6:
            return "a fact of a sale; a tax file gives facts of the home only"
    return ""


def _as_extra(sheet: Sheet, column: str, present: pd.Series) -> Leftover:
    name = EXTRA_PREFIX + snake(column)
    words: Tokens = sheet.header(column).words
    levels = int(sheet.table.frame[column].nunique())
    if not sheet.header(column).unit and _numbers_things(sheet, words, present):
        if levels > LEVELS_MAX:
            return Leftover(None, 0.8, f"numbers or names things ({levels:,} different values), no fact of the home")
        return Leftover(ColumnRule(column, name, "text"), 0.6, f"a code of {levels} values, kept as a category")
    parse, share = extra_reading(sheet, present)
    if parse == "date":
        return Leftover(None, 0.8, "a date that no field needs")
    if parse:
        return Leftover(
            ColumnRule(column, name, parse), 0.6, f"{share:.0%} of values read as {parse.replace('_', ' ')}"
        )
    if 2 <= levels <= LEVELS_MAX:
        return Leftover(ColumnRule(column, name, "text"), 0.6, f"a category of {levels} values")
    return Leftover(None, 0.7, f"text of {levels:,} different values")


def _numbers_things(sheet: Sheet, words: Tokens, present: pd.Series) -> bool:
    """Tell whether a column is an identifier; the header may suggest it, but the cells decide."""
    marked = bool(words) and (
        words[-1] in sheet.vocabulary.identifiers
        or words[-1].endswith(_ENDINGS)
        # Romance languages name the kind of number first: "code voie", "id mutation".
        or (len(words) > 1 and words[0] in _BEGINNINGS)
    )
    # "Lot Frontage" measures a lot; "Tax Lot" and "tax class at present" number things.
    # "Area", beside the column that states the area of homes, is a listing service's district.
    about_parcels = bool(words) and (
        words[-1] in sheet.vocabulary.parcel_words or bool(_OF_CODES & set(words)) or words == ("area",)
    )
    named = about_parcels and bool(present.str.fullmatch(r"[0-9]+[A-Za-z]?").all())
    return (marked and not measures_something(present)) or named


def extra_reading(sheet: Sheet, present: pd.Series) -> tuple[str, float]:
    """Return the parser that reads nearly all values, and the share it reads; empty where none does."""
    if present.str.fullmatch(_MONTH).mean() >= _READ_SHARE:
        return "date", 1.0
    number = float(as_number(present, sheet.marks).notna().mean())
    if number >= _READ_SHARE:
        return "number", number
    shares = {
        "flag": float(present.str.fullmatch(r"yes|no|y|n|true|false|t|f", case=False).mean()),
        "years_months": float(present.str.contains(r"^\s*\d+\s*(?:year|yr|month)", case=False).mean()),
        "range_midpoint": float(present.str.contains(_RANGE, case=False).mean()),
    }
    best = max(shares, key=lambda one: shares[one])
    if shares[best] >= _READ_SHARE:
        return best, shares[best]
    dates = guess_date_format(present)
    return ("date", dates.share) if dates.share >= _READ_SHARE and dates.date_format != EXCEL_SERIAL else ("", 0.0)
