"""Readings of text cells: each parser turns a column of text into numbers, dates, flags or tidy text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.collect.areas_by_type import AREA_BY_TYPE
from core.collect.cells.amounts import read_amount, usual_signs, without_currency
from core.collect.cells.counts import baths_of_parts, full_dot_half, numeral, year_in
from core.collect.cells.flags import FLAGS
from core.collect.cells.market import market_verdict
from core.collect.cells.missing import NULL_WORDS
from core.collect.cells.remarks import remark_verdict
from core.collect.dates.formats import read_dates
from core.collect.dates.guess import guess_date_format


@dataclass(frozen=True)
class Marks:
    """How a file writes what its cells hold; an empty ``date_format`` is guessed from the whole column."""

    decimal: str = "."
    thousands: str = ","
    date_format: str = ""


Parser = Callable[[pd.Series, Marks], pd.Series]
"""Reads ``str`` values (missing is NaN) into float64, datetime64[us] or str of that index; unreadable is missing."""


def as_text(values: pd.Series, marks: Marks) -> pd.Series:
    """Return the text with runs of spaces made one; words for missing become missing."""
    return _texts(values, lambda text: " ".join(text.split()), r"[!-~]+(?: [!-~]+)*")


def as_identifier(values: pd.Series, marks: Marks) -> pd.Series:
    """Normalize an id so that its spellings match: no ``.0`` of a spreadsheet, no leading zeros of an all-digit id.

    Spreadsheets drop leading zeros, value by value, so that only ids without them can be matched between files.
    """
    return _texts(values, identifier, r"[1-9][0-9]*|[!-~]*[A-Za-z][!-~]*")


def identifier(text: str) -> str:
    """Return one id as ``as_identifier`` does."""
    return re.sub(r"^0+(?=[0-9]+$)", "", re.sub(r"^([0-9]+)\.0+$", r"\1", text.strip()))


def digits_written(cells: pd.Series) -> int:
    """Return how many digits the ids of a column have that writes them with leading zeros; 0 where it does not tell.

    It tells where an id begins with a zero and all ids of digits have one length. Ids with other marks do not count,
    nor do those of zeros alone, which stand for none.
    """
    written = cells.str.strip()
    if not written.str.startswith("0").fillna(False).any():
        return 0
    ids = written[written.str.fullmatch(r"0*[1-9][0-9]*(?:\.0+)?").fillna(False).astype(bool)]
    lengths = ids.str.len().unique()
    return int(lengths[0]) if len(lengths) == 1 and ids.str.startswith("0").any() else 0


def as_postcode(values: pd.Series, marks: Marks) -> pd.Series:
    """Return postal codes as text: ZIP+4 cut to 5 digits, and a lost leading zero restored.

    A zero is restored where the column is of digits and most codes have exactly one digit more than the code.
    """
    codes = _texts(values, _postcode, r"[0-9]{5}")
    digits = codes.str.fullmatch(r"[0-9]+", na=False)
    lengths = codes[digits].str.len()
    if lengths.empty:
        return codes
    usual = int(lengths.mode().iloc[0])
    if usual not in (4, 5, 6) or float((lengths == usual).mean()) <= 0.5:
        return codes
    short = digits & (codes.str.len() == usual - 1)
    return codes.mask(short, "0" + codes).astype("str")


def as_word(values: pd.Series, marks: Marks) -> pd.Series:
    """Return lower-case words of any script joined by ``_``: "Floating Home" becomes ``floating_home``."""
    return _texts(values, lambda text: re.sub(r"[\W_]+", "_", text.casefold()).strip("_"), r"[a-z0-9]+")


def as_validity(values: pd.Series, marks: Marks) -> pd.Series:
    """Return what each cell says of its sale, "market" or "non-market: reason"; the text where it does not say."""
    return _texts(values, lambda text: market_verdict(text) or " ".join(text.split()), r"market")


def as_remark_validity(values: pd.Series, marks: Marks) -> pd.Series:
    """Return what remarks say against a market sale, such as "non-market: gift"; nothing else of a remark is kept."""
    return _per_unique(values, lambda text: remark_verdict(text) or math.nan, math.nan).astype("str")


def as_number(values: pd.Series, marks: Marks) -> pd.Series:
    """Read numbers with currency signs, thousands marks, brackets for negative, scales such as K, M, lakh and
    crore, 万 and 억, or a unit or % after them.

    A percentage keeps its figure: "85%" is 85. A thousands mark must stand before groups of three digits.
    """
    # Read a million plain figures at once; look closer only at the decorated ones.
    figures = r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?" if marks.decimal == "." else r"-?[0-9]{1,15}"
    plain = values.str.fullmatch(figures, na=False)
    read = pd.to_numeric(values.where(plain)).astype("float64")
    if plain.all():
        return read
    return read.where(plain, _numbers(values.mask(plain), lambda text: read_number(text, marks)))


def as_leading_number(values: pd.Series, marks: Marks) -> pd.Series:
    """Read the number a text begins with: "7 Average" is 7."""
    return _numbers(values, lambda text: _leading_number(text, marks))


def as_range_midpoint(values: pd.Series, marks: Marks) -> pd.Series:
    """Read the middle of a range: "10 TO 12" is 11; a single number is itself."""
    return _numbers(values, lambda text: _range_midpoint(text, marks))


def as_years_months(values: pd.Series, marks: Marks) -> pd.Series:
    """Read a length of time in years: "61 years 04 months" is 61.333; a bare number is years."""
    return _numbers(values, _years_months)


def as_dimensions(values: pd.Series, marks: Marks) -> pd.Series:
    """Read the area of a lot from its sides: "64x120" is 7680, in the square of the unit they are written in.

    Four sides in order, "55x130x45x126", are read by the assessors' rule (mean of opposite sides, multiplied), which is
    exact for rectangles and a little too large for other shapes.
    """
    return _numbers(values, _dimensions)


def as_full_dot_half(values: pd.Series, marks: Marks) -> pd.Series:
    """Read baths with the full ones before the point and the half ones behind it: "2.1" is 2.5."""
    return _numbers(values, full_dot_half)


def as_bath_parts(values: pd.Series, marks: Marks) -> pd.Series:
    """Read baths given in parts: "3 (2 1)" and "2/1" are 2.5."""
    return _numbers(values, baths_of_parts)


def as_year(values: pd.Series, marks: Marks) -> pd.Series:
    """Read the year that stands in a text: "1992年", "昭和55年", "c. 1920"; the middle of a span of years."""
    return _numbers(values, year_in)


def as_flag(values: pd.Series, marks: Marks) -> pd.Series:
    """Read yes and no as 1.0 and 0.0."""
    return _numbers(values, lambda text: FLAGS.get(text.strip().casefold(), math.nan))


def as_date(values: pd.Series, marks: Marks) -> pd.Series:
    """Read calendar dates as printed, dropping any time of day; a month alone is its first day.

    Without ``marks.date_format`` it is that which reads most of the whole column.
    """
    return read_dates(values, marks.date_format or guess_date_format(values).date_format)


_NUMBER_AT_START: Final = re.compile(r"^\s*([-+]?[0-9][0-9.,]*)")
_RANGE: Final = re.compile(
    r"\s*([0-9][0-9.,]*)\s*(?:(?:-|–|—|to|and)\s*([0-9][0-9.,]*))?\s*\+?[^\W\d]*(?:\s[^\W\d]+)*\.?\s*", re.IGNORECASE
)
_YEARS_MONTHS: Final = re.compile(
    r"^\s*(?:([0-9]+(?:\.[0-9]+)?)\s*(?:years?|yrs?|y)?)?\s*(?:(?:and|,)?\s*([0-9]+)\s*(?:months?|mths?|mos?|m))?\s*$",
    re.IGNORECASE,
)
_SIDE: Final = r"\s*([0-9]+(?:\.[0-9]+)?)\s*(?:'|ft\.?|feet|m)?\s*"
_DIMENSIONS: Final = re.compile(rf"{_SIDE}[x×*]{_SIDE}(?:[x×*]{_SIDE}[x×*]{_SIDE})?", re.IGNORECASE)


def read_number(text: str, marks: Marks) -> float:
    """Read one number as ``as_number`` does; NaN where it is none."""
    return read_amount(text, marks.decimal, marks.thousands)


def _leading_number(text: str, marks: Marks) -> float:
    found = _NUMBER_AT_START.match(numeral(without_currency(usual_signs(text))))
    return read_number(found.group(1).rstrip(".,"), marks) if found else math.nan


def _range_midpoint(text: str, marks: Marks) -> float:
    found = _RANGE.fullmatch(without_currency(usual_signs(text)))
    if not found:
        return math.nan
    ends = [read_number(one.rstrip(".,"), marks) for one in found.groups() if one]
    return sum(ends) / len(ends)


def _years_months(text: str) -> float:
    found = _YEARS_MONTHS.match(text)
    if not found or not any(found.groups()):
        return math.nan
    return float(found.group(1) or 0) + float(found.group(2) or 0) / 12


def _dimensions(text: str) -> float:
    if text.strip() in {"0", "0.0"}:
        return 0.0
    found = _DIMENSIONS.fullmatch(text.replace(",", ""))
    if not found:
        return math.nan
    front, side, back, other = (float(one) if one else math.nan for one in found.groups())
    if math.isnan(back):
        return front * side
    return (front + back) / 2 * (side + other) / 2


def _numbers(values: pd.Series, read: Callable[[str], float]) -> pd.Series:
    return _per_unique(values, read, math.nan).astype("float64")


def _postcode(text: str) -> str:
    return re.sub(r"^([0-9]{5})-?[0-9]{4}$", r"\1", re.sub(r"\.0+$", "", text.strip().upper()))


def _texts(values: pd.Series, tidy: Callable[[str], str], tidied: str) -> pd.Series:
    """Tidy texts, words for missing becoming missing; a text that matches ``tidied`` whole stays as it is."""

    def read(text: str) -> str | float:
        return math.nan if text.casefold() in NULL_WORDS else tidy(text) or math.nan

    # Recognize a million tidy texts at once; only the others need a closer look.
    plain = values.str.fullmatch(tidied, na=False) & ~values.str.casefold().isin(list(NULL_WORDS))
    if plain.all():
        return values
    return values.where(plain, _per_unique(values.mask(plain), read, math.nan).astype("str")).astype("str")


def _per_unique(values: pd.Series, read: Callable[[str], object], missing: object) -> pd.Series:
    codes, uniques = pd.factorize(values)
    read_once = np.empty(len(uniques) + 1, dtype=object)
    read_once[:-1] = [read(text) for text in uniques]
    read_once[-1] = missing  # factorize codes a missing value as -1
    return pd.Series(read_once[codes], index=values.index)


PARSERS: Final[Mapping[str, Parser]] = {
    "text": as_text,
    "identifier": as_identifier,
    "postcode": as_postcode,
    "property_word": as_word,
    "validity": as_validity,
    "remark_validity": as_remark_validity,
    "number": as_number,
    "leading_number": as_leading_number,
    "range_midpoint": as_range_midpoint,
    "years_months": as_years_months,
    "dimensions": as_dimensions,
    "full_dot_half": as_full_dot_half,
    "bath_parts": as_bath_parts,
    "year": as_year,
    "age": as_number,
    AREA_BY_TYPE: as_number,
    "date": as_date,
    "flag": as_flag,
}
"""The readings a column rule may ask for."""

TEXT_PARSERS: Final = frozenset({"text", "identifier", "postcode", "property_word", "validity", "remark_validity"})
"""Those of them whose values are text."""
