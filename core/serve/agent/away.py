"""How a comparable lies to a home: how far away, in words, or that a place is not known; whether of another kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.serve.comparables import Comparable
from core.serve.estimate import Estimate
from core.serve.subject import Value
from core.wording import Conventions, distance

SALE_UNPLACED: Final = "place not known"
HOME_UNPLACED: Final = "this home’s place not known"
NO_PLACE: Final = "The exact place of this home is not known, only its area: there are no distances and no map."
TO_PLACE: Final = f"{NO_PLACE} Its latitude and longitude would place it."
"""The same with what an agent can do about it."""


def place_of(facts: Mapping[str, object]) -> tuple[float, float] | None:
    """Return a home's latitude and longitude as given; None if they are not, for its area's middle is not its place."""
    latitude, longitude = facts.get("latitude"), facts.get("longitude")
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        return float(latitude), float(longitude)
    return None


def is_unplaced(estimate: Estimate) -> bool:
    """Tell whether the home's place is assumed; in a market without coordinates, no place is asked for."""
    return place_of(estimate.subject.facts) is None and "latitude" in estimate.imputed


def away(sale: Comparable, estimate: Estimate) -> float | None:
    """Return how far a sale is from the home, in kilometers; None where nobody knows, or it is the home's own.

    An answer stored by an earlier release has distances from the middle of an area.
    """
    unknown = sale.own or sale.latitude is None or place_of(estimate.subject.facts) is None
    return None if unknown else sale.distance_km


def away_words(sale: Comparable, estimate: Estimate, market: Conventions) -> str:
    """Write how far a sale is from the home: "0.2 mi", "place not known"; "" for its own sale."""
    kilometers = away(sale, estimate)
    if kilometers is not None:
        return distance(kilometers, market.area_unit)
    # In a market without coordinates, nobody asks for a place.
    if sale.own or "latitude" not in {**estimate.imputed, **estimate.subject.facts}:
        return ""
    return HOME_UNPLACED if is_unplaced(estimate) else SALE_UNPLACED


def is_other_kind(sale: Comparable, facts: Mapping[str, Value]) -> bool:
    """Tell whether a sale is known to be of another kind of home than the one with these facts."""
    kinds = {sale.facts.get("property_type"), facts.get("property_type")}
    return len(kinds) > 1 and None not in kinds
