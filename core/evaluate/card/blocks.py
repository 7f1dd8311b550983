"""The parts a model card is made of, before it is written as Markdown or HTML."""

from __future__ import annotations

from dataclasses import dataclass

from core.train.curve import CurvePoint


@dataclass(frozen=True)
class Bar:
    """A figure to be drawn beside its row: value with its interval, all missing where there is none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Points:
    """A list of short statements."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows of text under a head, all as many cells; ``title`` may be "".

    ``texts`` names the columns of words, all others hold numbers; ``bars`` has a bar for each row, or none at all, and
    ``bars_of`` says what they show.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: frozenset[str] = frozenset()
    bars: tuple[Bar, ...] = ()
    bars_of: str = ""


@dataclass(frozen=True)
class Curve:
    """A learning curve to be drawn; its figures stand in a table beside it."""

    points: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class Signature:
    """The scope as signed, "" where it is not; a printed card leaves room for a name then."""

    decision: str


Block = Words | Points | Table | Curve | Signature


@dataclass(frozen=True)
class Section:
    """A part of the card."""

    title: str
    blocks: tuple[Block, ...]
