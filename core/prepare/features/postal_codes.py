"""The wider areas that a postal code names: its first part, or its first digits."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Objects

# Great Britain: district NE3, sector NE3 5, unit NE3 5RD.
_BRITISH: Final = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)\s*(\d)[A-Z]{2}")
_BRITISH_SECTOR: Final = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)\s+(\d)")
# The Netherlands: 1012 AB is often written without the blank.
_DUTCH: Final = re.compile(r"(\d{4})([A-Z]{2})")
_PARTS: Final = re.compile(r"[\s-]+")
_LEAST_DIGITS: Final = 2
# Where fewer new homes than this lie in a code without sales, none is priced by the wider area alone: to learn how far
# such estimates err would cost all others, which know no better place than their code, some of their accuracy.
_OFTEN_NEW: Final = 0.01


@functools.lru_cache(maxsize=1 << 16)
def wider_areas(code: str) -> tuple[str, ...]:
    """Return the wider areas that a postal code names, the widest first.

    "98103" lies in "981", "560406" in "56" and "5604", "NE3 5RD" in "NE3" and "NE3 5", "1012 AB" in "10" and "1012".
    """
    plain = code.strip().upper()
    british = _BRITISH.fullmatch(plain) or _BRITISH_SECTOR.fullmatch(plain)
    if british:
        return british[1], f"{british[1]} {british[2]}"
    dutch = _DUTCH.fullmatch(plain)
    first, *rest = dutch.groups() if dutch else _PARTS.split(plain)
    if rest:
        return (*wider_areas(first), first)
    if not first.isdecimal():
        return ()
    return tuple(first[:digits] for digits in (len(first) - 4, len(first) - 2) if digits >= _LEAST_DIGITS)


def next_wider(code: str) -> str:
    """Return the smallest area around that of a postal code: "2314" for "2314 ED", "981" for "98103"; "" for none."""
    return next(iter(reversed(wider_areas(code))), "")


def next_wider_of(codes: Iterable[object]) -> Objects:
    """Return the smallest area around that of each postal code, NaN where it names none."""
    return np.array([next_wider(str(code)) or np.nan for code in codes], dtype=object)


def often_new(codes: Iterable[object]) -> bool:
    """Tell whether a market's next homes often lie in a postal code without sales, and such codes name wider areas.

    The share is estimated by that of homes which are the only one in their code (Good 1953, Turing's estimate).
    """
    counts = Counter(map(str, pd.Series([*codes], dtype=object).dropna()))
    return often_without_sales(counts) and any(map(next_wider, counts))


def often_without_sales(counts: Mapping[str, int]) -> bool:
    """Tell whether a market's next homes often lie in an area without sales, by the number of sales of each area."""
    total = sum(counts.values())
    return total > 0 and sum(1 for sales in counts.values() if sales == 1) / total >= _OFTEN_NEW
