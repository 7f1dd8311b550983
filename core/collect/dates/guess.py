"""Finds the format of a column's dates from all of its cells, or the formats where it is written in several."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import pandas as pd

from core.collect.cells.dates import EXCEL_SERIAL, named_in, plain_dates
from core.collect.cells.missing import is_null_word
from core.collect.dates.formats import DATE_FORMATS, OR, parse_dates, swapped_format
from core.wording import count

_COMPACT: Final = ("%m%d%Y", "%d%m%Y", "%y%m%d", "%m%d%y", "%d%m%y")
_COMPACT_SHARE: Final = 0.95
_SALE_YEARS: Final = (1950, 2060)
_FEW_DATES: Final = 200
_SORTED_MIN: Final = 8
_MIXED_BELOW: Final = 0.9
_STYLES_MAX: Final = 8
_YEAR: Final = pd.Timedelta(days=366)
_ONE_ORDER: Final = "the only day and month order that fits all values"
_EITHER_ORDER: Final = "day and month could be exchanged; month first assumed, please check"


@dataclass(frozen=True)
class DateStyle:
    """One of several ways in which a column writes dates: its format, a cell, the rows, and why it is read so."""

    date_format: str
    example: str
    rows: int
    why: str

    @property
    def is_open(self) -> bool:
        """Whether nothing tells the order of its day and month."""
        return self.why == _EITHER_ORDER

    def __str__(self) -> str:
        """Say of how many rows it is, such as "27.02.2015 in 40 rows"."""
        return f"{self.example} in {count(self.rows, 'row')}"


@dataclass(frozen=True)
class DateGuess:
    """The format or formats of a column's dates, the share of its present values they read, and why they were chosen.

    ``styles`` are the ways in which a column writes dates that has several, the most frequent first.
    """

    date_format: str
    share: float
    why: str
    styles: tuple[DateStyle, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether nothing tells the order of day and month of all dates; of several styles each says so itself."""
        return self.why == _EITHER_ORDER


def guess_date_format(values: pd.Series) -> DateGuess:
    """Find the format that reads a column, or those of a column written in several, each settled by its own cells.

    Where both orders of day and month read every value of a style, that in which the rows are sorted goes first, then
    a part that never changes. Both orders in one style are never two styles.
    """
    uniques = _distinct(values)
    if uniques.empty:
        return DateGuess("", 0.0, "no values")
    shares = _shares(uniques)
    best = max(shares, key=lambda one: shares[one], default="")
    if 1.0 > shares.get(best, 0.0) >= _MIXED_BELOW / _STYLES_MAX:
        several = _in_several(values, uniques, "%d" in best or best == EXCEL_SERIAL)
        if several is not None and several.share > shares[best] and several.share >= _MIXED_BELOW:
            return several
    if not shares.get(best) or (best == EXCEL_SERIAL and not _are_sales(uniques, best, _MIXED_BELOW)):
        return DateGuess("", 0.0, "no known date format reads it")
    date_format, why = _settle_order(uniques, best, shares)
    return DateGuess(date_format, shares[best], why)


def with_day_first(found: DateGuess) -> DateGuess:
    """Return a guess whose open orders of day and month are day first, as the header says."""
    why = "day first, as the header says"
    if found.is_open:
        return DateGuess(swapped_format(found.date_format), found.share, why)
    if not any(one.is_open for one in found.styles):
        return found
    styles = [
        replace(one, date_format=swapped_format(one.date_format), why=why) if one.is_open else one
        for one in found.styles
    ]
    return _of_styles(styles, found.share)


def compact_date_format(values: pd.Series) -> str:
    """Return the format of dates in digits alone, such as 4222023 and 230422, that reads nearly all values, else "".

    None of these is ever guessed: numbers of other things may fit them.
    """
    texts = pd.Series(values.dropna().unique(), dtype="str").str.strip()
    for date_format in _COMPACT:
        if len(texts) and _are_sales(texts, date_format, _COMPACT_SHARE):
            return date_format
    return ""


def _distinct(values: pd.Series) -> pd.Series:
    """Return the distinct dates of a column as plain texts, in the order in which they first stand."""
    uniques = plain_dates(pd.Series(values.dropna().unique(), dtype="str"))
    return uniques[~is_null_word(uniques)].drop_duplicates()


def _shares(uniques: pd.Series) -> dict[str, float]:
    """Return the share of plain texts that each format reads which reads any of them."""
    # A few values show which formats are possible; a file may have a million distinct values.
    few = uniques.iloc[:: max(1, len(uniques) // _FEW_DATES)]
    shapes = {_shape_of_date(text) for text in few if any(sign.isdigit() for sign in text)}
    in_shape = [one for one in DATE_FORMATS if _shape_of_format(one) in shapes]
    possible = [one for one in (*in_shape, *named_in(few)) if parse_dates(few, one).notna().any()]
    return {one: float(parse_dates(uniques, one).notna().mean()) for one in possible}


def _in_several(values: pd.Series, uniques: pd.Series, are_days: bool) -> DateGuess | None:
    """Read a column style by style, each by its own cells; None where it is not written in several.

    Formats of days go together, and so do those of months; day numbers of a spreadsheet only among the other days.
    """
    rest, styles, days = uniques, list[DateStyle](), pd.Series(dtype="datetime64[us]")
    rows = plain_dates(values.dropna().astype("str")).value_counts()
    barred: set[str] = set()
    while len(rest) and len(styles) < _STYLES_MAX:
        shares = {
            one: share
            for one, share in _shares(rest).items()
            if share and one not in barred and _is_one_of(one, are_days) and _among(parse_dates(rest, one), one, days)
        }
        if not shares:
            break
        best = max(shares, key=lambda one: shares[one])
        read = parse_dates(rest, best).dropna()
        cells = rest[read.index]
        # So few cells may have the same day or month by chance.
        is_chance = len(cells) < _SORTED_MIN
        own = {one: share / shares[best] for one, share in shares.items()}
        date_format, why = _settle_order(cells, best, own, is_chance)
        styles.append(DateStyle(date_format, str(cells.iloc[0]), int(rows.reindex(cells).sum()), why))
        days = pd.concat([days, read])
        barred |= {best, swapped_format(best)}
        rest = rest.drop(read.index)
    share = 1.0 - len(rest) / len(uniques)
    return _of_styles(sorted(styles, key=lambda one: -one.rows), share) if len(styles) > 1 else None


def _of_styles(styles: Sequence[DateStyle], share: float) -> DateGuess:
    ways = "; ".join(f"{one} ({one.why})" for one in styles)
    return DateGuess(
        OR.join(one.date_format for one in styles), share, f"each style as its own cells tell: {ways}", tuple(styles)
    )


def _is_one_of(date_format: str, are_days: bool) -> bool:
    if date_format == EXCEL_SERIAL:
        return are_days
    return "%" in date_format and ("%d" in date_format) == are_days and date_format not in {"%Y", "%Y%m"}


def _among(read: pd.Series, date_format: str, days: pd.Series) -> bool:
    """Tell whether days are of years with sales, day numbers also among the days of the other styles."""
    read = read.dropna()
    if date_format == EXCEL_SERIAL:
        first, last = days.min() - _YEAR, days.max() + _YEAR
        return bool(len(days)) and bool(read.between(first, last).all())
    return bool(read.dt.year.between(*_SALE_YEARS).mean() >= _MIXED_BELOW)


def _are_sales(texts: pd.Series, date_format: str, share: float) -> bool:
    """Tell whether a format reads at least a share of texts as days of years with sales."""
    return float(parse_dates(texts, date_format).dt.year.between(*_SALE_YEARS).mean()) >= share


def _shape_of_date(text: str) -> tuple[frozenset[str], bool]:
    """Return the signs of a text between digits and letters, and whether it has letters."""
    signs = frozenset(sign for sign in text if not sign.isalnum() and not sign.isspace())
    return signs, any(sign.isalpha() for sign in text)


@cache
def _shape_of_format(date_format: str) -> tuple[frozenset[str], bool]:
    """Return the shape of all dates in a format: only these are worth parsing, which takes far longer."""
    signs, _ = _shape_of_date(re.sub("%[a-zA-Z]", "", date_format))
    return signs, "%b" in date_format.lower()


def _settle_order(
    uniques: pd.Series, best: str, shares: Mapping[str, float], is_chance: bool = False
) -> tuple[str, str]:
    """Return the format that reads most texts, its day and month as the texts tell their order, and what tells it."""
    swapped = swapped_format(best)
    if shares.get(swapped, 0.0) < shares[best]:
        return best, _ONE_ORDER if swapped in shares else "fits the values"
    in_order = [one for one in (best, swapped) if _is_in_order(parse_dates(uniques, one))]
    if len(in_order) == 1:
        return in_order[0], "the only day and month order in which the rows are sorted"
    parts = uniques.str.extract(r"^([0-9]+)[/.-]([0-9]+)").nunique()
    if not is_chance and len(uniques) > 1 and parts[0] == 1 and parts[1] > 1:
        return swapped, "the first part never changes: the day"
    if not is_chance and len(uniques) > 1 and parts[1] == 1 and parts[0] > 1:
        return best, "the second part never changes: the day"
    return best, _EITHER_ORDER


def _is_in_order(dates: pd.Series) -> bool:
    """Tell whether enough dates are sorted, up or down, that it is no chance."""
    known = dates.dropna()
    return len(known) >= _SORTED_MIN and (known.is_monotonic_increasing or known.is_monotonic_decreasing)
