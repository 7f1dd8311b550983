"""Where the parts of a small map go so that none lies over another: numbers apart, labels of rings between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

Place = tuple[float, float]

_TURNS: Final = 60
_ANGLES: Final = 48
# Half the width and height of a label such as "0.25 mi" in pixels, and the least gap to what is beside it.
_LABEL_WIDE: Final = 26.0
_LABEL_HIGH: Final = 9.0
_GAP: Final = 3.0


def apart(places: Sequence[Place], radii: Sequence[float], middle: float) -> list[Place]:
    """Return places, in pixels, moved as little as needed for no circle to lie over another.

    ``middle`` is the radius of a circle in the middle, which stays.
    """
    moved = [list(place) for place in places]
    for _ in range(_TURNS):
        still = True
        for one in range(len(moved)):
            still &= not _push(moved[one], None, (0.0, 0.0), radii[one] + middle, one)
            for other in range(one):
                still &= not _push(moved[one], moved[other], moved[other], radii[one] + radii[other], one)
        if still:
            break
    return [(place[0], place[1]) for place in moved]


def ring_labels(
    rings: Sequence[float], taken: Sequence[Place], radii: Sequence[float], room: Place
) -> list[Place | None]:
    """Return where on each ring (its radius in pixels) its label stands free; None where it stands nowhere so.

    ``taken`` are the places of markers with their radii; ``room`` is how far from the middle a label may stand.
    """
    boxes: list[Place] = []
    found: list[Place | None] = []
    for ring in rings:
        # From the bottom to either side, since that is where a reader looks for it first.
        turns = sorted(range(_ANGLES), key=lambda turn: min(turn, _ANGLES - turn))
        places = [
            (ring * math.sin(2 * math.pi * turn / _ANGLES), -ring * math.cos(2 * math.pi * turn / _ANGLES))
            for turn in turns
        ]
        free = next((place for place in places if _is_free(place, taken, radii, boxes, room)), None)
        found.append(free)
        boxes += [free] if free else []
    return found


def _push(one: list[float], other: list[float] | None, beside: Sequence[float], least: float, number: int) -> bool:
    """Move two circles that overlap apart, or one away from what stays; tell whether they did overlap."""
    east, north = one[0] - beside[0], one[1] - beside[1]
    between = math.hypot(east, north)
    if between >= least:
        return False
    if between < 1e-6:
        # Two sales of one building: each goes its own way.
        east, north, between = math.cos(2.4 * number), math.sin(2.4 * number), 1.0
        short = least
    else:
        short = least - between
    share = 1.0 if other is None else 0.5
    one[0] += share * short * east / between
    one[1] += share * short * north / between
    if other is not None:
        other[0] -= share * short * east / between
        other[1] -= share * short * north / between
    return short > 0.5


def _is_free(place: Place, taken: Sequence[Place], radii: Sequence[float], boxes: Sequence[Place], room: Place) -> bool:
    if abs(place[0]) > room[0] - _LABEL_WIDE or abs(place[1]) > room[1] - _LABEL_HIGH:
        return False
    for (east, north), radius in zip(taken, radii, strict=True):
        beside = max(abs(place[0] - east) - _LABEL_WIDE, 0.0), max(abs(place[1] - north) - _LABEL_HIGH, 0.0)
        if math.hypot(*beside) < radius + _GAP:
            return False
    return all(
        abs(place[0] - box[0]) >= 2 * _LABEL_WIDE + _GAP or abs(place[1] - box[1]) >= 2 * _LABEL_HIGH + _GAP
        for box in boxes
    )
