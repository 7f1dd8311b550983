"""What an answer read and assumed about a home, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from core.schema import ONLY_ON_ROLL, PROPERTY_FIELDS
from core.serve import words
from core.serve.estimate import Estimate
from core.wording import Conventions

_COORDINATES: Final = ("latitude", "longitude")
_OF_THE_AGENT: Final = frozenset({"units", *_COORDINATES, *ONLY_ON_ROLL})
_OWNERS: Final = frozenset(field.name for field in PROPERTY_FIELDS if field.name not in _OF_THE_AGENT)


def assumed_words(estimate: Estimate, figures: frozenset[str], market: Conventions) -> tuple[str, ...]:
    """Return what was assumed; ``figures`` are those of its area and of the homes around it, named together.

    ("lot area 5,000 sq ft", "2 bathrooms", "the middle of 98103 as its place", "neighborhood figures of 98103").
    """
    # An answer stored by an earlier release may assume what only a tax roll has.
    imputed = {name: value for name, value in estimate.imputed.items() if name not in ONLY_ON_ROLL}
    found = [
        words.assumed(name, value, market)
        for name, value in imputed.items()
        if name not in figures and name not in _COORDINATES
    ]
    if not estimate.subject.facts.get("property_type"):
        found.append("no particular property type")
    area = area_of(estimate.placed.facts)
    if any(name in imputed for name in _COORDINATES):
        found.append(f"the middle of {area} as its place")
    if any(name in figures for name in imputed):
        found.append(f"neighborhood figures of {area}")
    return tuple(found)


def given_words(estimate: Estimate, market: Conventions) -> tuple[str, ...]:
    """Return what was read of the home, as a market writes it: ("living area 1,800 sq ft", "zip code 98103")."""
    return tuple(words.assumed(name, value, market) for name, value in estimate.subject.facts.items())


def placed_words(estimate: Estimate, market: Conventions) -> str:
    """Name the areas that the coordinates told, as a market writes them: "zipcode 98103"; "" for none."""
    return ", ".join(words.assumed(name, value, market) for name, value in estimate.worked_out.items())


def assumed_for_seller(estimate: Estimate, market: Conventions) -> tuple[str, ...]:
    """Return what was assumed of the home that its owner knows and can correct, first what moves its price most.

    Its place, its area's figures, a market's own columns and the number of units are the agent's business.
    """
    return tuple(words.assumed(name, value, market) for name, value in estimate.imputed.items() if name in _OWNERS)


def area_of(facts: Mapping[str, object]) -> str:
    """Name a home's area by its code, "the area" without one."""
    return str(facts.get("zipcode") or facts.get("neighbourhood") or "the area")
