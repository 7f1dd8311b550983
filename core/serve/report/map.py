"""A map of the comparables: a simple drawing in local kilometers, the home as a star, north up, drawn offline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reportlab.graphics.shapes import Circle, Drawing, Line, Polygon, Rect, String

from core.prepare.features.projection import Projection
from core.serve.comparables import Comparable
from core.serve.report.typography import BOLD, FAINT, GREY, INK, LESS, MORE, REGULAR, RULE, TINT, WHITE
from core.wording import KM_PER_MILE

_MARGIN: Final = 20.0
_FOOT: Final = 20.0
_DOT: Final = 7.0
_STAR: Final = 8.5
_LEAST_KM: Final = 0.2
_ROUNDS: Final = 40
_RINGS: Final = 4
_CORNERS: Final = 180
_LABEL: Final = 34.0
_BEYOND: Final = 0.5
_EDGE: Final = 2.0
_SOLD: Final = 1.5
# Of the corners of a circle.
_LEAST_ARC: Final = 40

Place = tuple[float, float]


@dataclass(frozen=True)
class _Sheet:
    """Converts kilometers east and north of the home to points of the drawing."""

    middle: Place
    centre: Place
    points_per_km: float

    def at(self, place: Place) -> Place:
        east, north = (value - middle for value, middle in zip(place, self.middle, strict=True))
        return self.centre[0] + east * self.points_per_km, self.centre[1] + north * self.points_per_km


def comparables_map(
    home: Place,
    comparables: Mapping[int, Comparable],
    wide: float,
    high: float,
    area_unit: str = "sqm",
    sold: Sequence[Place] = (),
) -> Drawing:
    """Return the drawing; ``home`` is latitude and longitude; comparables stand by their numbers.

    Its scale is in miles in a market of square feet. Comparables without coordinates and the home's own sale are left
    out. Overlapping marks are moved apart, each with a line to its place. Gray dots show ``sold``, the latitude and
    longitude of other homes sold, where they lie on the map.
    """
    around = Projection(*home)
    places = {
        number: around.point(one.latitude, one.longitude)
        for number, one in comparables.items()
        if one.latitude is not None and one.longitude is not None and not one.own
    }
    drawing = Drawing(wide, high)
    drawing.add(Rect(0, 0, wide, high, rx=5, ry=5, fillColor=TINT, strokeColor=RULE, strokeWidth=0.6))
    # Where all sales lie on one side, the home would be at the edge: room on its other side keeps it near the middle.
    across = [(-_BEYOND * east, -_BEYOND * north) for east, north in places.values()]
    sheet = _sheet([(0.0, 0.0), *places.values(), *across], wide, high)
    star = sheet.at((0.0, 0.0))
    _rings(drawing, sheet, star, area_unit)
    dots = [sheet.at(around.point(*place)) for place in sold]
    dots = [(x, y) for x, y in dots if _EDGE < x < wide - _EDGE and _FOOT < y < high - _EDGE]
    for x, y in dots:
        drawing.add(Circle(x, y, _SOLD, fillColor=FAINT, strokeColor=None))
    true = [sheet.at(place) for place in places.values()]
    marks = _apart([star, *true], (_DOT, _FOOT + _DOT, wide - _DOT, high - _DOT))[1:]
    for (x, y), (mark_x, mark_y) in zip(true, marks, strict=True):
        drawing.add(Line(x, y, mark_x, mark_y, strokeColor=MORE, strokeWidth=0.8))
        drawing.add(Circle(x, y, 1.3, fillColor=MORE, strokeColor=None))
    _star(drawing, star)
    for number, (x, y) in zip(places, marks, strict=True):
        drawing.add(Circle(x, y, _DOT, fillColor=MORE, strokeColor=WHITE, strokeWidth=1))
        drawing.add(_text(x, y - 2.9, str(number), 8.5, "middle", BOLD, WHITE))
    _scale_bar(drawing, sheet.points_per_km, wide, area_unit)
    _north(drawing, wide, high)
    drawing.add(_text(20, 7.2, "This home", 8, "start"))
    _star(drawing, (12, 10), 5.5)
    if dots:
        drawing.add(Circle(74, 10, _SOLD, fillColor=FAINT, strokeColor=None))
        drawing.add(_text(80, 7.2, "Other homes sold", 8, "start"))
    return drawing


def _rings(drawing: Drawing, sheet: _Sheet, star: Place, area_unit: str) -> None:
    """Draw circles of round distances around the home, as far as they lie on the map, each with its distance."""
    km = KM_PER_MILE if area_unit == "sqft" else 1.0
    wide, high = drawing.width, drawing.height
    reach = max(math.hypot(x - star[0], y - star[1]) for x in (0.0, wide) for y in (_FOOT, high))
    step = _round_length(reach / 3 / sheet.points_per_km / km)
    for ring in range(1, _RINGS + 1):
        radius = ring * step * km * sheet.points_per_km
        around = [
            (star[0] + radius * math.sin(turn), star[1] + radius * math.cos(turn))
            for turn in (2 * math.pi * corner / _CORNERS for corner in range(_CORNERS + 1))
        ]
        drawn = _arcs([_EDGE < x < wide - _EDGE and _FOOT < y < high - _EDGE for x, y in around[:-1]])
        for at in range(_CORNERS):
            if drawn[at] and drawn[(at + 1) % _CORNERS]:
                drawing.add(Line(*around[at], *around[at + 1], strokeColor=RULE, strokeWidth=0.8))
        label = next(
            ((x, y) for (x, y), kept in zip(around, drawn, strict=False) if kept and _is_free(x, y, wide, high)), None
        )
        if label is not None:
            drawing.add(_text(label[0] + 3, label[1] - 9, _length(ring * step, area_unit), 7, "start"))


def _arcs(inside: Sequence[bool]) -> list[bool]:
    """Return which corners of a circle are drawn: those on the map, but for what would be a stray arc in a corner."""
    if all(inside):
        return [True] * len(inside)
    start = inside.index(False)
    drawn, arc = [False] * len(inside), list[int]()
    for corner in (*range(start + 1, len(inside)), *range(start + 1)):
        if inside[corner]:
            arc.append(corner)
            continue
        for one in arc if len(arc) >= _LEAST_ARC else ():
            drawn[one] = True
        arc = []
    return drawn


def _is_free(x: float, y: float, wide: float, high: float) -> bool:
    return x < wide - _LABEL and _FOOT + _LABEL / 2 < y < high - _LABEL / 2


def _round_length(longest: float) -> float:
    """Return the longest round length up to the one given."""
    power = 10.0 ** math.floor(math.log10(longest))
    return max(times * power for times in (1, 2, 5) if times * power <= longest)


def _sheet(places: Sequence[Place], wide: float, high: float) -> _Sheet:
    east, north = ([place[axis] for place in places] for axis in (0, 1))
    across, up = max(max(east) - min(east), _LEAST_KM), max(max(north) - min(north), _LEAST_KM)
    scale = min((wide - 2 * _MARGIN) / across, (high - _FOOT - 2 * _MARGIN) / up)
    middle = (min(east) + max(east)) / 2, (min(north) + max(north)) / 2
    return _Sheet(middle, (wide / 2, _FOOT + (high - _FOOT) / 2), scale)


def _apart(places: Sequence[Place], box: tuple[float, float, float, float]) -> list[Place]:
    """Move overlapping marks apart inside the box; the first mark, the home, stays where it is."""
    marks = list(places)
    for _ in range(_ROUNDS):
        for one in range(len(marks)):
            for other in range(one + 1, len(marks)):
                first, second = _pushed(marks[one], marks[other], 2.15 * _DOT, one * len(marks) + other)
                marks[one], marks[other] = first if one else marks[one], second
        marks[1:] = [_inside(mark, box) for mark in marks[1:]]
    return marks


def _pushed(first: Place, second: Place, apart: float, turn: int) -> tuple[Place, Place]:
    east, north = second[0] - first[0], second[1] - first[1]
    distance = math.hypot(east, north)
    if distance >= apart:
        return first, second
    # Marks at the same place move in different directions.
    angle = math.atan2(north, east) if distance > 1e-6 else 2.4 * turn
    shift = (apart - distance) / 2
    step = shift * math.cos(angle), shift * math.sin(angle)
    return (first[0] - step[0], first[1] - step[1]), (second[0] + step[0], second[1] + step[1])


def _inside(mark: Place, box: tuple[float, float, float, float]) -> Place:
    left, bottom, right, top = box
    return min(max(mark[0], left), right), min(max(mark[1], bottom), top)


def _star(drawing: Drawing, at: Place, size: float = _STAR) -> None:
    points: list[float] = []
    for corner in range(10):
        radius = size if corner % 2 == 0 else 0.45 * size
        angle = math.pi / 2 + corner * math.pi / 5
        points += [at[0] + radius * math.cos(angle), at[1] + radius * math.sin(angle)]
    drawing.add(Polygon(points, fillColor=LESS, strokeColor=WHITE, strokeWidth=0.8))


def _scale_bar(drawing: Drawing, points_per_km: float, wide: float, area_unit: str) -> None:
    km = KM_PER_MILE if area_unit == "sqft" else 1.0
    longest = wide / 4 / points_per_km / km
    length = _round_length(longest)
    right, left = wide - 10, wide - 10 - length * km * points_per_km
    for x1, y1, x2, y2 in ((left, 8, right, 8), (left, 8, left, 12), (right, 8, right, 12)):
        drawing.add(Line(x1, y1, x2, y2, strokeColor=INK, strokeWidth=0.9))
    drawing.add(_text(left - 4, 7.2, _length(length, area_unit), 8, "end"))


def _length(length: float, area_unit: str) -> str:
    """Write a round length, in miles in a market of square feet, else in kilometers or meters."""
    if area_unit == "sqft":
        return f"{length:,g} mi"
    return f"{length:,g} km" if length >= 1 else f"{1000 * length:,g} m"


def _north(drawing: Drawing, wide: float, high: float) -> None:
    x, y = wide - 12, high - 15
    drawing.add(Polygon([x, y + 8, x - 3.5, y - 1, x, y + 1.2, x + 3.5, y - 1], fillColor=GREY, strokeColor=None))
    drawing.add(_text(x, y - 10, "N", 8, "middle", BOLD))


def _text(
    x: float, y: float, text: str, size: float, anchor: str, font: str = REGULAR, colour: object = GREY
) -> String:
    return String(x, y, text, fontName=font, fontSize=size, textAnchor=anchor, fillColor=colour)
