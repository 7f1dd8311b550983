"""Whether what is given of a home's place can all be true, by where the sales of its areas lie."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import combinations
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from core.arrays import Floats
from core.prepare.features.columns import Columns, words
from core.prepare.features.facts import COORDINATES
from core.prepare.features.postal_codes import often_without_sales
from core.prepare.features.projection import Projection
from core.schema import label_of
from core.serve.review.flag import Flag, FlagKind, Severity
from core.train.model import Model
from core.wording import degrees, distance

Facts = Mapping[str, float | str]

CONTRADICTED: Final = "area and coordinates contradict each other"
AREAS_CONTRADICTED: Final = "its areas contradict each other"
"""The groups of homes without a record: what is priced is no home, so no tested home is like it."""

# How far the next place with a sale of the same area usually lies, and how many times that is too far for a home of it.
_USUAL: Final = 0.99
_TIMES: Final = 3.0
# An area with fewer places has the limit of all areas together.
_PLACES_MIN: Final = 30
# This number of places tells how far apart they lie, however many sales an area has.
_ASKED: Final = 1_000
# How like a known area must be to be named as the one perhaps meant (0 to 1).
_LIKE: Final = 0.8
NEAREST: Final = 5
"""How many places of sales around a home are asked for their area."""

# Places are rounded to the meter, as sales in one house are of one place.
_DIGITS: Final = 3


@dataclass(frozen=True)
class Area:
    """The places in km, shape (n, 2), where homes of one area were sold; a home beyond ``limit`` km is none of it."""

    places: Floats
    limit: float


@dataclass(frozen=True)
class AreaPlaces:
    """Where the sales of a market's areas lie: by area code, then by area; ``projection`` places a home beside them.

    The limit of an area is three times the distance within which 99% of its places have another one of it. Markets
    whose areas are scattered thus have wide limits. Of King County's homes, sold in the last fifth of the time or drawn
    at random, 0.12 to 0.14% lay beyond the limit of their own zipcode, and 98.1 to 98.2% of those given another one at
    random beyond that one's; in Melbourne 0.02 to 0.26% and 99.0% or more, by postcode and by suburb.
    """

    projection: Projection
    areas: Mapping[str, Mapping[str, Area]]
    # Many homes lie in the same two areas.
    _measured: dict[tuple[str, ...], float] = field(default_factory=dict, compare=False)
    _trees: dict[str, tuple[cKDTree, list[str]]] = field(default_factory=dict, compare=False)

    def contradiction(self, facts: Facts) -> str:
        """Return the group of a home whose area codes cannot be true beside its coordinates or each other, else ""."""
        if any(True for _ in self.disagreements(facts)):
            return CONTRADICTED
        return AREAS_CONTRADICTED if any(True for _ in self.apart(facts)) else ""

    def disagreements(self, facts: Facts) -> Iterator[tuple[str, float, float]]:
        """Yield each area code that cannot be true beside the coordinates: how far away its sales are, and the limit.

        Distances are in km. An area without a known sale says nothing.
        """
        here = self._point(facts)
        if here is None:
            return
        for code, areas in self.areas.items():
            area = areas.get(str(facts[code])) if code in facts else None
            if area is None:
                continue
            away = float(np.hypot(*(area.places - here).T).min())
            if away > area.limit:
                yield code, away, area.limit

    def nearest(self, code: str, facts: Facts) -> tuple[str, ...]:
        """Return the areas of the NEAREST places of sales around a home, the nearest first; none without coordinates.

        Left out are those farther away than the limit of their area.
        """
        here, areas = self._point(facts), self.areas.get(code)
        if here is None or not areas:
            return ()
        if code not in self._trees:
            names = [name for name, area in areas.items() for _ in area.places]
            self._trees[code] = cKDTree(np.concatenate([area.places for area in areas.values()])), names
        tree, names = self._trees[code]
        found = zip(*(one.tolist() for one in tree.query(here, min(NEAREST, len(names)))), strict=True)
        return tuple(names[row] for away, row in found if away <= areas[names[row]].limit)

    def _point(self, facts: Facts) -> Floats | None:
        latitude, longitude = (facts.get(name) for name in COORDINATES)
        if not isinstance(latitude, float) or not isinstance(longitude, float):
            return None
        return np.array(self.projection.point(latitude, longitude))

    def apart(self, facts: Facts) -> Iterator[tuple[str, str, float, float]]:
        """Yield two area codes of a home that cannot both be true: how far apart their sales lie, and the limit.

        A home of both has a sale of each within its limit, so that the limit is the sum of both. Of a home with
        coordinates, each code has been compared with these.
        """
        if {*COORDINATES} <= {*facts}:
            return
        known = [code for code, areas in self.areas.items() if facts.get(code) in areas]
        for first, second in combinations(known, 2):
            one, other = (self.areas[code][str(facts[code])] for code in (first, second))
            pair = (first, str(facts[first]), second, str(facts[second]))
            if pair not in self._measured:
                self._measured[pair] = float(cKDTree(one.places).query(other.places)[0].min())
            away, limit = self._measured[pair], one.limit + other.limit
            if away > limit:
                yield first, second, away, limit


def area_places(model: Model, sales: Columns) -> AreaPlaces | None:
    """Return where the sales of each area lie, None where a model uses no coordinates or no area codes.

    ``sales`` are those of the live model, with their recorded coordinates and codes.
    """
    codes = [code for code in model.facts.area_codes if code in sales]
    if not model.facts.located or not codes or any(name not in sales for name in COORDINATES):
        return None
    return places_by_area(codes, model.features.named_steps["derived"].projection_, sales)


def places_by_area(codes: Sequence[str], projection: Projection, sales: Columns) -> AreaPlaces:
    """Return where the sales of each area lie, by these area codes; blanks among codes and coordinates do not count."""
    homes: Columns = {name: np.asarray(sales[name], dtype=float) for name in COORDINATES}
    places: Floats = np.column_stack(projection.kilometres(homes)).round(_DIGITS)
    return AreaPlaces(projection, {code: _areas(words(sales, code, ""), places) for code in codes})


def place_flags(facts: Facts, known: AreaPlaces | None, located: bool, area_unit: str) -> Iterator[Flag]:
    """Yield what is the matter with the facts that say where a home is; ``located``: the model uses coordinates."""
    given = [name for name in COORDINATES if name in facts]
    if located and len(given) == 1:
        yield _half_place(given[0], facts)
    if known is None:
        return
    for first, second, away, limit in known.apart(facts):
        names = [f"{label_of(code).lower()} {facts[code]}" for code in (first, second)]
        yield Flag(
            FlagKind.PLACES_DISAGREE,
            Severity.REVIEW,
            first,
            f"{' and '.join(names)}: the nearest sales known in each are {distance(away, area_unit)} apart",
            distance(limit, area_unit),
            f"Check both, the {label_of(first).lower()} and the {label_of(second).lower()}: they cannot both be right.",
        )
    for code, away, limit in known.disagreements(facts):
        name = f"{label_of(code).lower()} {facts[code]}"
        place = ", ".join(degrees(float(facts[one])) for one in COORDINATES)
        yield Flag(
            FlagKind.PLACES_DISAGREE,
            Severity.REVIEW,
            code,
            f"{name} and the coordinates {place}: the nearest sale known in {name} is {distance(away, area_unit)} away",
            distance(limit, area_unit),
            f"Check both, the {label_of(code).lower()} and the coordinates: they cannot both be right.",
        )


def unknown_area_flags(facts: Facts, model: Model) -> Iterator[Flag]:
    """Yield a flag for each area of a home in which the model knows no sale, unless homes often lie in such areas."""
    for code, areas in model.profile.area_codes.items():
        area = facts.get(code)
        if not isinstance(area, str) or area in areas or often_without_sales(areas):
            continue
        name, near = label_of(code).lower(), near_area(area, areas)
        yield Flag(
            FlagKind.UNKNOWN_CATEGORY,
            Severity.REVIEW,
            code,
            area,
            "none of the model's sales has this value",
            f"Check the {name}{f': the nearest known is {near}' if near else ''}.",
        )


def near_area(area: str, known: Collection[str]) -> str:
    """Return the known area that an unknown one is perhaps meant to be; "" for none, and for one that is known."""
    if area in known:
        return ""
    near = get_close_matches(area, [*known], 1, _LIKE)
    return near[0] if near else ""


def _half_place(given: str, facts: Facts) -> Flag:
    missing = next(name for name in COORDINATES if name != given)
    return Flag(
        FlagKind.HALF_PLACE,
        Severity.REVIEW,
        missing,
        f"not given, but {label_of(given).lower()} {degrees(float(facts[given]))} is",
        "both or neither",
        f"Enter {label_of(missing).lower()}, too: without it {label_of(given).lower()} does not count.",
    )


def _areas(codes: NDArray[Any], places: Floats) -> dict[str, Area]:
    """Return the places of each area with its limit; none where the market has too few places to tell a limit."""
    rows = np.flatnonzero((codes != "") & np.isfinite(places).all(axis=1))
    group, names = pd.factorize(codes[rows], sort=True)
    ends = np.cumsum(np.bincount(group, minlength=len(names)))[:-1]
    parts = np.split(places[rows[np.argsort(group, kind="stable")]], ends)
    found = {str(name): np.unique(part, axis=0) for name, part in zip(names, parts, strict=True)}
    gaps = {name: _gaps(part) for name, part in found.items()}
    together = np.concatenate([np.empty(0), *gaps.values()])
    if len(together) < _PLACES_MIN:
        return {}
    return {name: Area(part, _limit(gaps[name], together)) for name, part in found.items()}


def _gaps(places: Floats) -> Floats:
    """Return the distance in km from each of some places to the next other one of them."""
    if len(places) <= 1:
        return np.empty(0)
    asked = places[:: -(-len(places) // _ASKED)]
    gaps: Floats = cKDTree(places).query(asked, 2)[0][:, 1]
    return gaps


def _limit(own: Floats, together: Floats) -> float:
    return _TIMES * float(np.quantile(own if len(own) >= _PLACES_MIN else together, _USUAL))
