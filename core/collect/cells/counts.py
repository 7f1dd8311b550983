"""Counts and years as people write them: full and half baths in one cell, numerals of East Asia, eras."""

from __future__ import annotations

import math
import re
from typing import Final

from core.collect.cells.amounts import usual_signs

HALF: Final = 0.5

_DIGITS: Final = {letter: value for value, letter in enumerate("〇一二三四五六七八九")} | {"零": 0, "兩": 2, "两": 2}
_ERAS: Final = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867, "民國": 1911, "民国": 1911}
_FULL_DOT_HALF: Final = re.compile(r"([0-9]{1,2})(?:\.([0-9]))?0*")
_TOTAL_AND_PARTS: Final = re.compile(
    r"[0-9]{1,2}\s*\(\s*([0-9]{1,2})\s*[ ,/+|]\s*([0-9]{1,2})(?:\s*[ ,/+|]\s*([0-9]{1,2}))?\s*\)"
)
_PARTS: Final = re.compile(r"([0-9]{1,2})\s*[/+|]\s*([0-9]{1,2})")
_FULL_AND_HALF: Final = re.compile(r"([0-9]{1,2})\s*f(?:ull)?\W*(?:([0-9]{1,2})\s*h(?:alf)?)?", re.IGNORECASE)
_YEARS: Final = re.compile(r"(?<![0-9])(1[0-9]{3}|20[0-9]{2}|21[0-9]{2}|2[456][0-9]{2})(?![0-9])")


def full_dot_half(text: str) -> float:
    """Read baths as listing services write them, full baths before the point and half baths behind: 2.1 is 2.5."""
    found = _FULL_DOT_HALF.fullmatch(usual_signs(text))
    return int(found.group(1)) + HALF * int(found.group(2) or 0) if found else math.nan


def baths_of_parts(text: str) -> float:
    """Read baths given in parts: "3 (2 1)", "2/1" and "2F 1H" are two full and one half, 2.5.

    Three parts are full, three-quarter and half baths.
    """
    body = usual_signs(text)
    if found := _TOTAL_AND_PARTS.fullmatch(body):
        full, second, third = (int(part or 0) for part in found.groups())
        return full + (HALF * second if found.group(3) is None else 0.75 * second + HALF * third)
    for pattern in (_PARTS, _FULL_AND_HALF):
        if found := pattern.fullmatch(body):
            return int(found.group(1)) + HALF * int(found.group(2) or 0)
    return float(body) if re.fullmatch(r"[0-9]{1,2}(?:\.[0-9]+)?", body) else math.nan


def numeral(text: str) -> str:
    """Return a text whose East Asian numerals, up to 99, are digits: 十二層 becomes 12層."""
    return re.sub(r"[〇一二三四五六七八九十零兩两]+", lambda found: _western_digits(found.group()), text)


def year_in(text: str) -> float:
    """Read the year of a text: "1992年", "昭和55年" (1980), "c. 1920", "0830317" (year 83 of the Republic of China).

    A span ("1930-1949") is read as its middle. NaN where no year stands in it.
    """
    body = usual_signs(text)
    for era, offset in _ERAS.items():
        if found := re.search(rf"{era}\s*(元|[0-9]+)", body):
            return float(offset + (1 if found.group(1) == "元" else int(found.group(1))))
    if found := re.fullmatch(r"0?([0-9]{2,3})(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01])", body):
        return float(1911 + int(found.group(1)))
    # From 2400 on, years are of the Buddhist era, as Thailand counts them.
    years = [int(year) - (543 if int(year) >= 2400 else 0) for year in _YEARS.findall(body)]
    if not years or len(years) > 2:
        return math.nan
    return sum(years) / len(years) if len(years) == 1 or re.search(r"[-–to]", body) else float(years[0])


def _western_digits(text: str) -> str:
    if "十" not in text:
        return "".join(str(_DIGITS[letter]) for letter in text)
    tens, _, ones = text.partition("十")
    if "十" in ones or len(tens) > 1 or len(ones) > 1:
        return text
    return str(10 * (_DIGITS[tens] if tens else 1) + (_DIGITS[ones] if ones else 0))
