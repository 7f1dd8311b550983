"""Which of several tables is read: the one whose header names what a sale has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from core.collect.reading.encodings import SAMPLE_CHARS
from core.collect.reading.layout import find_layout
from core.collect.reading.table import ReadingNote
from core.errors import CollectError

Rating = Callable[[Sequence[str]], int]
"""Counts how many of a sale's price, day and place the headers of a table name: 0 to 3."""

SALES_MIN: Final = 3
"""A header that names this many of them is one of sales: an index has prices and days, a tax roll has places."""

_SHOWN: Final = 5


def unrated(_: Sequence[str]) -> int:
    """Rate all headers alike, where nobody says what a sale has."""
    return 0


def rating_of(text: str, rate: Rating) -> int:
    """Rate the header of a table given as text; 0 for a text that is no table."""
    try:
        return rate(find_layout(text[:SAMPLE_CHARS], "").header)
    except CollectError:
        return 0


def best_rated(ratings: Mapping[str, int]) -> list[str]:
    """Return the names of the tables whose header is the likest one of sales; all of them where none is."""
    most = max(ratings.values())
    return [name for name, rating in ratings.items() if rating == most] if most >= SALES_MIN else list(ratings)


def note_of_choice(what: str, chosen: str, ratings: Mapping[str, int], rows: Mapping[str, int]) -> ReadingNote:
    """Say which of several tables was read, why, and what the others are; asked where another holds sales too."""
    others = [name for name in ratings if name != chosen]
    of_sales = [name for name in others if ratings[name] >= SALES_MIN]
    why = "the one with the most rows"
    if ratings[chosen] >= SALES_MIN:
        why = "the longest of sales" if of_sales else "the one whose header names a sale's price, day and place"
    also = f"; {_listed(of_sales)} may hold sales too: choose {'it' if len(of_sales) == 1 else 'each'} and bring it in"
    claim = f"read from {what} {chosen!r}, {why}{also if of_sales else ''}"
    evidence = f"not read: {', '.join(f'{name!r} with {rows[name]:,} rows' for name in others[:_SHOWN])}"
    more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    return ReadingNote(what, claim, evidence + more, sure=not of_sales and ratings[chosen] >= SALES_MIN)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(map(repr, names[:_SHOWN]))
