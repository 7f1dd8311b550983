"""The building blocks of a model card, before it is written as Markdown or HTML."""

from __future__ import annotations

from dataclasses import dataclass

from core.train.curve import CurvePoint


@dataclass(frozen=True)
class Bar:
    """A figure to draw beside its row: a value with its interval, all missing if there is none."""

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
    """Rows of text under a header, all with the same number of cells; ``title`` may be "".

    ``texts`` names the text columns; all others hold numbers. ``bars`` has a bar for each row or is empty;
    ``bars_of`` names the column they show.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: frozenset[str] = frozenset()
    bars: tuple[Bar, ...] = ()
    bars_of: str = ""


@dataclass(frozen=True)
class Curve:
    """A learning curve to draw; its figures are in a table next to it."""

    points: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class Signature:
    """The scope as signed, or "" if unsigned; a printed card then leaves room for a signature."""

    decision: str


Block = Words | Points | Table | Curve | Signature


@dataclass(frozen=True)
class Section:
    """A part of the card."""

    title: str
    blocks: tuple[Block, ...]
