"""The room on a page of the seller's report: how high its parts are, how far a drawing grows into what is left."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Final

from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Spacer, Table

_ENDLESS: Final = 100_000.0
_SAFE: Final = 6.0
_NO_PADDING: Final = [(f"{side}PADDING", (0, 0), (-1, -1), 0) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")]


def height_of(parts: Iterable[Flowable], wide: float) -> float:
    """Return how high the parts are, one below the other, with the space before, between and after them."""
    held = [Spacer(0, 0), *parts, Spacer(0, 0)]
    _, high = Table([[held]], [wide], style=_NO_PADDING).wrapOn(Canvas(BytesIO()), wide, _ENDLESS)
    return float(high)


def stretch(fixed: float, flexible: float, room: float, most: float) -> float:
    """Return by how much the flexible part of a height fills the room: 1 where there is none, at most ``most``."""
    return min(max((room - fixed - _SAFE) / flexible, 1.0), most)
