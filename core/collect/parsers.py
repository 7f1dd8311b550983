"""Readings of text cells: each parser turns a column of text into numbers, dates, flags or tidy text."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pandas as pd

from core.collect.areas_by_type import AREA_BY_TYPE
from core.collect.cells.amounts import read_amount, usual_signs, without_currency
from core.collect.cells.counts import baths_of_parts, full_dot_half, numeral, year_in
from core.collect.cells.dates import EXCEL_SERIAL, NAMED_FORMATS, named_in, parse_named, plain_dates
from core.collect.cells.flags import FLAGS
from core.collect.cells.market import market_verdict
from core.collect.cells.remarks import remark_verdict

NULL_WORDS: Final = frozenset(
    {"", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "?", "-", "--", "—", ".", "unknown", "not available", "tba"}
)
"""Words, in lower case, by which a file says that it has no value; a field's own vocabulary goes before them."""

DATE_FORMATS: Final = (
    "%Y-%m-%d",
    "%Y%m%d",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%Y/%m/%d",
    "%Y-%m",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%m.%d.%Y",
    "%d.%m.%Y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d-%b-%y",
    "%b %Y",
    "%b-%Y",
    "%b-%y",
    "%m/%Y",
    "%Y%m",
    "%Y/%m",
    "%Y.%m.%d",
    "%Y.%m",
    "%d.%m.%y",
    "%m-%d-%y",
    "%d-%m-%y",
    "%B-%d-%Y",
    "%b-%d-%Y",
    "%d-%B-%Y",
    "%d/%b/%Y",
    "%d/%b/%y",
    "%d %b %y",
    "%d%b%Y",
    "%b %d %Y",
    "%B %d %Y",
    "%Y-%b-%d",
    "%Y %b %d",
    "%B %Y",
    "%B-%Y",
    "%Y",
)
"""Date formats tried, in order of preference where two read a column equally well."""


@dataclass(frozen=True)
class Marks:
    """How a file writes what its cells hold; an empty ``date_format`` is guessed from the whole column."""

    decimal: str = "."
    thousands: str = ","
    date_format: str = ""


@dataclass(frozen=True)
class DateGuess:
    """A date format, the share of the column's present values it reads, and why it was chosen."""

    date_format: str
    share: float
    why: str


_COMPACT: Final = ("%m%d%Y", "%d%m%Y", "%y%m%d", "%m%d%y", "%d%m%y")
_COMPACT_SHARE: Final = 0.95
_SALE_YEARS: Final = (1950, 2060)
_FEW_DATES: Final = 200
_SORTED_MIN: Final = 8
_ISO: Final = "%Y-%m-%d"
_MIXED_BELOW: Final = 0.9
_DIGITS_ONLY: Final = {"%Y": 4, "%Y%m": 6, "%Y%m%d": 8}

Parser = Callable[[pd.Series, Marks], pd.Series]
"""Reads ``str`` values (missing is NaN) into float64, datetime64[us] or str of that index; unreadable is missing."""


def is_null_word(values: pd.Series) -> pd.Series:
    """Tell for each value whether it is missing or a word for missing."""
    return values.isna() | values.str.lower().isin(list(NULL_WORDS))


def as_text(values: pd.Series, marks: Marks) -> pd.Series:
    """Return the text with runs of spaces made one; words for missing become missing."""
    return _texts(values, lambda text: " ".join(text.split()), r"[!-~]+(?: [!-~]+)*")


def as_identifier(values: pd.Series, marks: Marks) -> pd.Series:
    """Normalize an id so that its spellings match: no ``.0`` of a spreadsheet, no leading zeros of an all-digit id.

    Spreadsheets drop leading zeros, value by value, so that only ids without them can be matched between files.
    """
    return _texts(values, _identifier, r"[1-9][0-9]*|[!-~]*[A-Za-z][!-~]*")


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

    Without ``marks.date_format`` the format is the one that reads most of the whole column.
    """
    date_format = marks.date_format or guess_date_format(values).date_format
    codes, uniques = pd.factorize(values)
    texts = pd.Series(uniques, dtype="str")
    plain = plain_dates(texts)
    parsed = _parse_dates(plain, date_format)
    if is_own_format(date_format):
        # It may name the time of day, which is taken off before a usual format is tried.
        parsed = parsed.fillna(_parse_dates(texts, date_format).dt.floor("D"))
    elif "%d" in date_format and parsed.isna().any():
        # What is written year first is the same day in any file.
        parsed = parsed.fillna(_parse_dates(plain, _ISO))
    stamps = np.append(parsed.to_numpy(dtype="datetime64[us]"), np.datetime64("NaT", "us"))
    return pd.Series(stamps[codes], index=values.index)


def is_own_format(date_format: str) -> bool:
    """Tell whether a date format is one that a person wrote, none of those tried."""
    return bool(date_format) and date_format not in (*DATE_FORMATS, *NAMED_FORMATS)


def guess_date_format(values: pd.Series) -> DateGuess:
    """Find the format that reads most of a column; day-month order is settled over the whole column.

    Where both orders read every value, that in which the rows are sorted goes first, then a part that never changes.
    """
    uniques = plain_dates(pd.Series(values.dropna().unique(), dtype="str"))
    uniques = uniques[~is_null_word(uniques)].drop_duplicates()
    if uniques.empty:
        return DateGuess("", 0.0, "no values")
    # A few values show which formats are possible; a file may have a million distinct values.
    few = uniques.iloc[:: max(1, len(uniques) // _FEW_DATES)]
    shapes = {_shape_of_date(text) for text in few if any(sign.isdigit() for sign in text)}
    in_shape = [one for one in DATE_FORMATS if _shape_of_format(one) in shapes]
    possible = [one for one in (*in_shape, *named_in(few)) if _parse_dates(few, one).notna().any()]
    shares = {one: float(_parse_dates(uniques, one).notna().mean()) for one in possible}
    if not shares:
        return DateGuess("", 0.0, "no known date format reads it")
    best = max(shares, key=lambda one: shares[one])
    if shares[best] == 0.0 or (best == EXCEL_SERIAL and not _are_sales(uniques, best, _MIXED_BELOW)):
        return DateGuess("", 0.0, "no known date format reads it")
    if shares[best] < _MIXED_BELOW and 0.0 < shares.get(_ISO, 0.0) < 1.0:
        return _beside_iso(uniques, shares[_ISO]) or DateGuess(best, shares[best], "fits some of the values")
    swapped = _swapped(best)
    if shares.get(swapped, 0.0) < shares[best]:
        why = "the only day and month order that fits all values" if swapped in shares else "fits the values"
        return DateGuess(best, shares[best], why)
    return _settle_order(uniques, best, swapped, shares[best])


def _beside_iso(uniques: pd.Series, share: float) -> DateGuess | None:
    """Return the format of the rest of a column in part of which dates are 2024-05-31, None where none reads it."""
    rest = guess_date_format(uniques[_parse_dates(uniques, _ISO).isna()])
    both = share + (1.0 - share) * rest.share
    if "%d" not in rest.date_format or both < _MIXED_BELOW:
        return None
    return DateGuess(rest.date_format, both, f"{rest.why}; beside dates as 2024-05-31 in {share:.0%} of the values")


def compact_date_format(values: pd.Series) -> str:
    """Return the format of dates in digits alone, such as 4222023 and 230422, that reads nearly all values, else "".

    None of these is ever guessed: numbers of other things may fit them.
    """
    texts = pd.Series(values.dropna().unique(), dtype="str").str.strip()
    for date_format in _COMPACT:
        if len(texts) and _are_sales(texts, date_format, _COMPACT_SHARE):
            return date_format
    return ""


def _are_sales(texts: pd.Series, date_format: str, share: float) -> bool:
    """Tell whether a format reads at least a share of texts as days of years with sales."""
    return float(_parse_dates(texts, date_format).dt.year.between(*_SALE_YEARS).mean()) >= share


def _shape_of_date(text: str) -> tuple[frozenset[str], bool]:
    """Return the signs of a text between digits and letters, and whether it has letters."""
    signs = frozenset(sign for sign in text if not sign.isalnum() and not sign.isspace())
    return signs, any(sign.isalpha() for sign in text)


@cache
def _shape_of_format(date_format: str) -> tuple[frozenset[str], bool]:
    """Return the shape of all dates in a format: only these are worth parsing, which takes far longer."""
    signs, _ = _shape_of_date(re.sub("%[a-zA-Z]", "", date_format))
    return signs, "%b" in date_format.lower()


def _swapped(date_format: str) -> str:
    if not re.fullmatch(r"%[md][/.-]%[md][/.-]%[yY]", date_format):
        return ""
    return date_format.translate(str.maketrans("md", "dm"))


def _settle_order(uniques: pd.Series, month_first: str, day_first: str, share: float) -> DateGuess:
    parts = uniques.str.extract(r"^([0-9]+)[/.-]([0-9]+)")
    in_order = [one for one in (month_first, day_first) if _is_in_order(_parse_dates(uniques, one))]
    if len(in_order) == 1:
        return DateGuess(in_order[0], share, "the only day and month order in which the rows are sorted")
    if len(uniques) > 1 and parts[0].nunique() == 1 and parts[1].nunique() > 1:
        return DateGuess(day_first, share, "the first part never changes: the day")
    if len(uniques) > 1 and parts[1].nunique() == 1 and parts[0].nunique() > 1:
        return DateGuess(month_first, share, "the second part never changes: the day")
    return DateGuess(month_first, share, "day and month could be exchanged; month first assumed, please check")


def _is_in_order(dates: pd.Series) -> bool:
    """Tell whether enough dates are sorted, up or down, that it is no chance."""
    known = dates.dropna()
    return len(known) >= _SORTED_MIN and (known.is_monotonic_increasing or known.is_monotonic_decreasing)


def _parse_dates(texts: pd.Series, date_format: str) -> pd.Series:
    if date_format in NAMED_FORMATS:
        return parse_named(texts, date_format)
    if re.fullmatch(r"(?:%[mdyY]){3}", date_format) and date_format not in _DIGITS_ONLY:
        # Spreadsheets drop the leading zero: 4222023 is 04222023, and 1122023 is no day of November.
        digits = 8 if "%Y" in date_format else 6
        texts = texts.where(texts.str.fullmatch(rf"[0-9]{{{digits - 1},{digits}}}", na=False)).str.zfill(digits)
    if date_format in _DIGITS_ONLY:
        texts = texts.where(texts.str.fullmatch(rf"[0-9]{{{_DIGITS_ONLY[date_format]}}}", na=False))
    return pd.to_datetime(texts, format=date_format, errors="coerce").astype("datetime64[us]")


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


def _identifier(text: str) -> str:
    return re.sub(r"^0+(?=[0-9]+$)", "", re.sub(r"^([0-9]+)\.0+$", r"\1", text.strip()))


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
