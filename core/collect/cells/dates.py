"""Dates as people write them: month names of many languages, quarters, eras, decimal years."""

from __future__ import annotations

import calendar
import re
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Final

import numpy as np
import pandas as pd

from core.collect.cells.amounts import usual_signs
from core.installation import ASSETS

NAMES_PATH: Final = ASSETS / "column_names.toml"

EXCEL_SERIAL: Final = "excel"
"""Name of the format of spreadsheets' day numbers: 1 is 1900-01-01, so that 45000 is 2023-03-15."""

QUARTER: Final = "quarter"
"""Name of the format of quarters, "2014Q2" or "Q2 2014": the first day of the quarter."""

ROC_YEAR: Final = "roc"
"""Name of the format of dates in years of the Republic of China, "1110122" or "111/01/22": 1911 is added."""

DECIMAL_YEAR: Final = "decimal_year"
"""Name of the format of years with the day as a fraction: 2013.25 is a quarter into 2013."""

EPOCH: Final = "epoch"
"""Name of the format of programs' time stamps since 1970-01-01 UTC: 13 digits of milliseconds, or 10 of seconds."""

NAMED_FORMATS: Final = (EXCEL_SERIAL, QUARTER, ROC_YEAR, DECIMAL_YEAR, EPOCH)
_DAY_NUMBER: Final = re.compile(r"[1-7][0-9]{4}(?:\.[0-9]+)?")

_ROC_OFFSET: Final = 1911
_MILLISECONDS_FROM: Final = 1e11
_OF_A_TWELFTH: Final = 0.0006  # of three decimals
_BUDDHIST: Final = r"(?<![0-9])2[456][0-9]{2}(?![0-9])"
_BUDDHIST_OFFSET: Final = 543
_ERAS: Final = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "民國": _ROC_OFFSET, "民国": _ROC_OFFSET}

_ENGLISH: Final = frozenset(name.casefold() for name in (*calendar.month_name, *calendar.month_abbr) if name)
_ACCENTS: Final = str.maketrans("áàâäéèêëíìîïóòôöúùûüçñśźńęąłćżı", "aaaaeeeeiiiioooouuuucnsznealczi")
_TIME_OF_DAY: Final = (
    r"(?<=[0-9])(?:T[0-9]{1,2}:?[0-9]{2}|,?\s+(?:at\s+)?[0-9]{1,2}:[0-9]{2})(?::?[0-9]{2}(?:\.[0-9]+)?)?"
    r"\s*(?:[AaPp]\.?[Mm]\.?)?"
    r"\s*(?:Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)?$"
)
_QUARTER: Final = r"^(?:([12][0-9]{3})\s*[-/ ]?\s*[QqTt]([1-4])|[QqTt]([1-4])\s*[-/ ]?\s*([12][0-9]{3}))$"
_ROC: Final = r"^([0-9]{2,3})[-/.]?([0-9]{2})[-/.]?([0-9]{2})$"

_DECIMAL_YEAR: Final = r"(?:19|20)[0-9]{2}\.[0-9]+"
_EPOCH: Final = r"[12][0-9]{12}|1[0-9]{9}"
_SHAPES: Final = {
    EXCEL_SERIAL: re.compile(r"\s*[0-9]{5}(?:\.[0-9]*)?\s*"),
    QUARTER: re.compile(_QUARTER),
    ROC_YEAR: re.compile(_ROC),
    DECIMAL_YEAR: re.compile(_DECIMAL_YEAR),
    EPOCH: re.compile(_EPOCH),
}


def named_in(texts: pd.Series) -> list[str]:
    """Return those of NAMED_FORMATS that some text has the shape of: only these are worth parsing."""
    return [one for one in NAMED_FORMATS if any(_SHAPES[one].fullmatch(text) for text in texts)]


def plain_dates(texts: pd.Series) -> pd.Series:
    """Return dates without their time of day, with English month names, usual signs and years of the Christian era.

    Years from 2400 to 2699 are Thailand's, of the Buddhist era. Other texts stay as they are.
    """
    dates = texts.str.replace(_TIME_OF_DAY, "", regex=True)
    later = dates.str.contains(r"2[456][0-9]{2}", na=False)
    if later.any():
        dates = dates.mask(later, dates[later].map(_in_christian_era).reindex(dates.index)).astype("str")
    odd = dates.str.contains(r"[^0-9/.:\s-]|\.\s|\.$", na=False)
    if not odd.any():
        return dates
    return dates.mask(odd, dates[odd].map(_plain_date).reindex(dates.index)).astype("str")


def parse_named(texts: pd.Series, date_format: str) -> pd.Series:
    """Read dates in one of NAMED_FORMATS into datetime64[us]; what is not in it is missing."""
    if date_format == EXCEL_SERIAL:
        days = pd.to_numeric(texts, errors="coerce").astype("float64")
        return _days(days.where(days.between(10_000, 80_000)))
    if date_format == QUARTER:
        parts = texts.str.extract(_QUARTER)
        year, quarter = parts[0].fillna(parts[3]), parts[1].fillna(parts[2])
        first_month = (pd.to_numeric(quarter, errors="coerce") - 1) * 3 + 1
        return _calendar(pd.to_numeric(year, errors="coerce"), first_month, first_month.where(first_month.isna(), 1))
    if date_format == ROC_YEAR:
        year, month, day = (pd.to_numeric(texts.str.extract(_ROC)[at], errors="coerce") for at in range(3))
        return _calendar(year.where(year.between(40, 200)) + _ROC_OFFSET, month, day)
    if date_format == EPOCH:
        stamps = pd.to_numeric(texts.where(texts.str.fullmatch(_EPOCH, na=False)), errors="coerce")
        stamps = stamps.where(stamps >= _MILLISECONDS_FROM, stamps * 1_000)
        return pd.to_datetime(stamps, unit="ms").astype("datetime64[us]").dt.floor("D")
    years = pd.to_numeric(texts.where(texts.str.fullmatch(_DECIMAL_YEAR, na=False)), errors="coerce")
    return _days_of_years(years)


def excel_day(text: str) -> date | None:
    """Return the day that a number of five figures is in Excel, from 1927 on: 41809 is June 19, 2014; else None."""
    number = _DAY_NUMBER.fullmatch(text.strip())
    return None if number is None else date(1899, 12, 30) + timedelta(days=int(float(number[0])))


def _days_of_years(years: pd.Series) -> pd.Series:
    """Return the day nearest to each decimal year; where all are twelfths, they are months: their first days."""
    whole = np.floor(years)
    past = years - whole
    new_year = _calendar(whole, whole.where(whole.isna(), 1), whole.where(whole.isna(), 1))
    twelfths = (past * 12).round()
    if ((past - twelfths / 12).abs() <= _OF_A_TWELFTH).eq(years.notna()).all():
        return _calendar(whole + (twelfths == 12), twelfths % 12 + 1, whole.where(whole.isna(), 1))
    days = (past * (365 + new_year.dt.is_leap_year)).round()
    return (new_year + pd.to_timedelta(days, unit="D")).astype("datetime64[us]")


def _calendar(year: pd.Series, month: pd.Series, day: pd.Series) -> pd.Series:
    parts = pd.DataFrame({"year": year, "month": month, "day": day})
    return pd.to_datetime(parts, errors="coerce").astype("datetime64[us]")


def _days(days: pd.Series) -> pd.Series:
    stamps = pd.to_datetime(days, unit="D", origin="1899-12-30").astype("datetime64[us]")
    return stamps.dt.floor("D")


def _in_christian_era(text: str) -> str:
    if not re.search(rf"[-/. ]{_BUDDHIST}|{_BUDDHIST}[-/. ]", text):
        return text
    return re.sub(_BUDDHIST, lambda year: str(int(year.group()) - _BUDDHIST_OFFSET), text)


def _plain_date(text: str) -> str:
    text = usual_signs(text)
    for era, offset in _ERAS.items():
        text = re.sub(rf"{era}\s*(元|[0-9]+)", lambda found: _western(found.group(1), offset), text)  # noqa: B023
    text = re.sub(r"第?\s*([1-4一二三四])\s*(?:四半期|季度|분기)", lambda found: "Q" + _digit(found.group(1)), text)
    text = re.sub(r"([0-9]{2,4})\s*[年년]\s*(Q[1-4])", r"\1\2", text)
    text = re.sub(r"([0-9]+)\s*[年년]\s*([0-9]+)\s*[月월](?:\s*([0-9]+)\s*[日号일])?", _dashed, text)
    text = re.sub(r"([0-9]{4})\s*[年년]$", r"\1", text)
    text = re.sub(r"^([0-9]{4})\.\s+([0-9]{1,2})\.\s+([0-9]{1,2})\.?$", _dashed, text)
    text = re.sub(r"^([0-9]{1,2})\.\s*([0-9]{1,2})\.\s*([0-9]{4})\.?$", r"\1.\2.\3", text)
    text = re.sub(r"^([0-9]{4}\.[0-9]{1,2}\.[0-9]{1,2})\.$", r"\1", text)
    text = re.sub(r"^/Date\(([0-9]{9,13})(?:[+-][0-9]{4})?\)/$", r"\1", text)
    text = re.sub(r"\b([0-9]{1,2})(?:st|nd|rd|th|er|º|ª)\b\.?", r"\1", text, flags=re.IGNORECASE)
    text = re.sub(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+", "", text, flags=re.IGNORECASE)
    return _with_english_month(text)


@cache
def _months() -> Mapping[str, str]:
    """Return the English month of each name of one, without accents."""
    months: dict[str, list[str]] = tomllib.loads(NAMES_PATH.read_text(encoding="utf-8"))["months"]
    return {name: month for month, names in months.items() for name in names}


def month_number(text: str) -> str:
    """Return the number of a month by its name in any of the languages known, "Mar" being "3"; "" for other texts."""
    name = _with_english_month(text.strip(" .")).casefold()
    for names in (calendar.month_name, calendar.month_abbr):
        if name and name in (found := [one.casefold() for one in names]):
            return str(found.index(name))
    return ""


def _with_english_month(text: str) -> str:
    months = _months()
    for word in re.findall(r"[^\W\d_]{3,}", text):
        folded = word.casefold().translate(_ACCENTS)
        if folded not in _ENGLISH:
            text = text.replace(word, months.get(folded, word), 1)
    text = re.sub(r"(?<=[^\W\d_])\.(?=[\s-])", "", text)  # "Jan. 5": an abbreviation's point
    text = re.sub(r"(?<=[0-9])\.(?=\s*[^\W\d_])", "", text)  # "5. Jan": an ordinal's point
    return re.sub(r"\s+(?:de|del|of)\s+", " ", text, flags=re.IGNORECASE).strip()


def _dashed(found: re.Match[str]) -> str:
    return "-".join(part.zfill(2) for part in found.groups() if part)


def _western(year: str, offset: int) -> str:
    return str(offset + (1 if year == "元" else int(year)))


def _digit(text: str) -> str:
    return str("一二三四".index(text) + 1) if text in "一二三四" else text
