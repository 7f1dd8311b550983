"""The formats in which dates are read, one or several to a column, and the reading itself."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd

from core.collect.cells.dates import NAMED_FORMATS, parse_named, plain_dates

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


ISO: Final = "%Y-%m-%d"
"""What is written year first is the same day in any file."""

OR: Final = " or "
"""What joins the formats of a column that is written in several: "%Y-%m-%d or %d.%m.%Y"."""

DIGITS_ONLY: Final = {"%Y": 4, "%Y%m": 6, "%Y%m%d": 8}
"""Formats without a mark between their parts, with the number of digits."""


def formats_of(date_format: str) -> tuple[str, ...]:
    """Return the formats that a column is written in, one or several; none for an empty text."""
    return tuple(date_format.split(OR)) if date_format else ()


def is_own_format(date_format: str) -> bool:
    """Tell whether a date format is one that a person wrote, none of those tried."""
    return any(one not in (*DATE_FORMATS, *NAMED_FORMATS) for one in formats_of(date_format))


def read_dates(values: pd.Series, date_format: str) -> pd.Series:
    """Read texts in a date format, or in several, into datetime64[us] of the same index; unreadable is missing."""
    codes, uniques = pd.factorize(values)
    texts = pd.Series(uniques, dtype="str")
    plain = plain_dates(texts)
    parsed = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[us]")
    for one in formats_of(date_format):
        parsed = parsed.fillna(parse_dates(plain, one))
        if is_own_format(one):
            # It may name the time of day, which is taken off before a usual format is tried.
            parsed = parsed.fillna(parse_dates(texts, one).dt.floor("D"))
    if "%d" in date_format and not is_own_format(date_format) and parsed.isna().any():
        parsed = parsed.fillna(parse_dates(plain, ISO))
    stamps = np.append(parsed.to_numpy(dtype="datetime64[us]"), np.datetime64("NaT", "us"))
    return pd.Series(stamps[codes], index=values.index)


def parse_dates(texts: pd.Series, date_format: str) -> pd.Series:
    """Read plain texts (see plain_dates) in one format into datetime64[us]; what is not in it is missing."""
    if date_format in NAMED_FORMATS:
        return parse_named(texts, date_format)
    if re.fullmatch(r"(?:%[mdyY]){3}", date_format) and date_format not in DIGITS_ONLY:
        # Spreadsheets drop the leading zero: 4222023 is 04222023, and 1122023 is no day of November.
        digits = 8 if "%Y" in date_format else 6
        texts = texts.where(texts.str.fullmatch(rf"[0-9]{{{digits - 1},{digits}}}", na=False)).str.zfill(digits)
    if date_format in DIGITS_ONLY:
        texts = texts.where(texts.str.fullmatch(rf"[0-9]{{{DIGITS_ONLY[date_format]}}}", na=False))
    return pd.to_datetime(texts, format=date_format, errors="coerce").astype("datetime64[us]")


def swapped_format(date_format: str) -> str:
    """Return a format in figures with day and month the other way round, "" for one whose order nobody doubts."""
    if not re.fullmatch(r"%[md][/.-]%[md][/.-]%[yY]", date_format):
        return ""
    return date_format.translate(str.maketrans("md", "dm"))
