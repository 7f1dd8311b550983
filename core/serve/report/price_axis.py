"""The chart of the first page: the likely sale price on a money axis, with single prices and sales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reportlab.graphics.shapes import Circle, Drawing, Line, Rect, String
from reportlab.lib.colors import Color

from core.serve.comparables import Comparable
from core.serve.report.fit import stretch
from core.serve.report.typography import BOLD, GREY, INK, LESS, MORE, REGULAR, RULE, TEAL, WHITE, width
from core.wording import Amounts, round_amounts

_SIDE: Final = 18.0
_BAND: Final = 20.0
_ROW: Final = 17.0
_AXIS: Final = 22.0
_SALE: Final = 7.4
_SALES_GAP: Final = 8.0
_HEAD: Final = 12.0
_TEXT: Final = 10.0
_MARKS: Final = 8.5
_STRETCH_MOST: Final = 1.7


@dataclass(frozen=True)
class Mark:
    """A single price over the axis, with its words."""

    words: str
    amount: float
    colour: Color = INK


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float
    wide: float

    def at(self, amount: float) -> float:
        return _SIDE + (self.wide - 2 * _SIDE) * (amount - self.low) / (self.high - self.low)


def price_axis(
    low: float,
    high: float,
    marks: Sequence[Mark],
    sales: Mapping[int, Comparable],
    amounts: Amounts,
    wide: float,
    room: float = 0.0,
) -> Drawing:
    """Return the drawing; ``marks`` stand over the band, and the sales below it by their numbers.

    It is at least as high as it must be, and grows into ``room``, the height there is for it.
    """
    scale = _scale([low, high, *(one.amount for one in marks), *(one.adjusted for one in sales.values())], wide)
    rows = _stacked([scale.at(one.adjusted) for one in sales.values()])
    dots = (max(rows) + 1) * 2 * _SALE if rows else 0.0
    gaps = (2 if rows else 1) * _SALES_GAP
    grown = stretch(_AXIS + dots + _HEAD, gaps + _BAND + _ROW * len(marks), room, _STRETCH_MOST)
    gap, thick, step = grown * _SALES_GAP, grown * _BAND, grown * _ROW
    band = _AXIS + dots + grown * gaps
    drawing = Drawing(wide, band + thick + step * len(marks) + _HEAD)
    _axis(drawing, scale, amounts)
    left, right = scale.at(low), scale.at(high)
    drawing.add(Rect(left, band, max(right - left, 1.0), thick, rx=3, ry=3, fillColor=TEAL, strokeColor=None))
    # The highest price has the lowest words, so that no stem crosses those of another.
    stems = {mark: band + thick + step * row + 8 for row, mark in enumerate(sorted(marks, key=lambda one: -one.amount))}
    for mark, foot in stems.items():
        _stem(drawing, mark, scale, (band, band + thick), foot)
    for mark, foot in stems.items():
        _words(drawing, mark, scale, foot)
    for (number, sale), row in zip(sales.items(), rows, strict=True):
        x, y = scale.at(sale.adjusted), band - gap - _SALE - row * 2 * _SALE
        drawing.add(Circle(x, y, _SALE, fillColor=MORE, strokeColor=WHITE, strokeWidth=0.8))
        drawing.add(_text(x, y - 2.7, str(number), 8, WHITE, BOLD, "middle"))
    return drawing


def _scale(values: Sequence[float], wide: float) -> _Scale:
    low, high = min(values), max(values)
    margin = 0.04 * (high - low) or 0.05 * abs(high) or 1.0
    return _Scale(low - margin, high + margin, wide)


def _axis(drawing: Drawing, scale: _Scale, amounts: Amounts) -> None:
    drawing.add(_line(0, _AXIS, scale.wide, _AXIS, RULE, 0.8))
    label = max(width(amounts.write(value), _MARKS) for value in (scale.low, scale.high))
    about = max(1, min(6, int(scale.wide / (1.5 * label)) - 1))
    for value in round_amounts(scale.low, scale.high, about):
        x, text = scale.at(value), amounts.write(value)
        drawing.add(_line(x, _AXIS - 3, x, _AXIS, GREY, 0.6))
        drawing.add(_text(_held_inside(x, text, _MARKS, scale.wide), 4, text, _MARKS, GREY, REGULAR, "middle"))


def _stem(drawing: Drawing, mark: Mark, scale: _Scale, band: tuple[float, float], foot: float) -> None:
    x = scale.at(mark.amount)
    # A white edge keeps the stem in sight on the band.
    drawing.add(_line(x, band[0], x, band[1], WHITE, 3.4))
    drawing.add(_line(x, band[0] - 3, x, foot + 10, mark.colour, 1.4))


def _words(drawing: Drawing, mark: Mark, scale: _Scale, foot: float) -> None:
    """Write the words beside the stem, on the side where there is room, over whatever they would cross."""
    x, room = scale.at(mark.amount), width(mark.words, _TEXT, BOLD)
    left = x + 5 if x + 5 + room <= scale.wide else x - 5 - room
    drawing.add(Rect(left - 1.5, foot, room + 3, _TEXT + 3, fillColor=WHITE, strokeColor=None))
    drawing.add(_text(left, foot + 3, mark.words, _TEXT, mark.colour, BOLD, "start"))


def _stacked(places: Sequence[float]) -> list[int]:
    """Return a row for each place, so that marks of one row do not overlap; the first rows fill first."""
    rows: dict[int, int] = {}
    ends: list[float] = []
    for index in sorted(range(len(places)), key=lambda one: places[one]):
        row = next((row for row, end in enumerate(ends) if places[index] - end >= 2.15 * _SALE), len(ends))
        ends[row : row + 1] = [places[index]]
        rows[index] = row
    return [rows[index] for index in range(len(places))]


def _held_inside(x: float, text: str, size: float, wide: float) -> float:
    half = width(text, size) / 2
    return min(max(x, half), wide - half)


def _text(x: float, y: float, text: str, size: float, colour: Color, font: str, anchor: str) -> String:
    return String(x, y, text, fontName=font, fontSize=size, fillColor=colour, textAnchor=anchor)


def _line(x1: float, y1: float, x2: float, y2: float, colour: Color, thick: float) -> Line:
    return Line(x1, y1, x2, y2, strokeColor=colour, strokeWidth=thick)


LIST_PRICE: Final = LESS
"""The color of the list price."""
