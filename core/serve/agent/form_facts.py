"""Which facts the form asks an agent for: first those that matter most to the market's model, then the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from core.problem import Problem
from core.schema import ONLY_ON_ROLL, label_of
from core.serve.fact_groups import critical_facts, unknown_place_words, wider_area
from core.train.importance import Importance
from core.train.model import Model

ASKED_FIRST: Final = 6
"""Three rows of two, which a phone shows without a flick."""

# Facts no model uses, but which show that a home is outside the model's scope.
_CODE: Final = "zipcode"
_ALWAYS: Final = ("property_type", "units", "zoning")


def facts_asked(model: Model, figures: frozenset[str]) -> tuple[str, ...]:
    """Return the facts an agent can enter, in the order of the record; ``figures`` are those of an area.

    What only a tax roll has is none of them: it comes with a home known by its address.
    """
    renovation = ("year_renovated",) if model.facts.renovation else ()
    names = dict.fromkeys((*model.facts.categorical, *model.facts.numeric, *renovation, *_ALWAYS))
    return tuple(name for name in names if name not in figures | ONLY_ON_ROLL)


def asked_first(
    model: Model, importance: Sequence[Importance], figures: frozenset[str], problem: Problem
) -> tuple[str, ...]:
    """Return the few facts to ask for first: those a price requires, then those that move this model most.

    ``figures`` are those of an area and of the homes around, which no agent finds out.
    Where no importance was measured, the record's order decides.
    """
    asked = facts_asked(model, figures)
    needed = [name for name in critical_facts(model, problem) if name in asked]
    ranked = [one.fact for one in importance if one.fact in asked]
    return tuple(dict.fromkeys((*needed, *ranked, *asked)))[:ASKED_FIRST]


def facts_from_roll(model: Model) -> tuple[str, ...]:
    """Return the facts of a model that come with a home known by its address and have no field."""
    return tuple(name for name in model.facts.all if name in ONLY_ON_ROLL)


def area_named(typed: str, known: Collection[str]) -> str:
    """Return the known area that what was typed can only mean: so spelled but for capitals, or the only name so begun.

    Any other text is returned as it is, without blanks around it: an area without sales is answered, not forgotten.
    A code that is too short names a wider area, and is not completed.
    """
    text = typed.strip()
    like = [area for area in known if area.casefold() == text.casefold()]
    is_name = not any(sign.isdigit() for sign in text)
    begun = [area for area in known if is_name and area.casefold().startswith(text.casefold())]
    return next((found[0] for found in (like, begun) if len(found) == 1), text)


def unknown_area_words(model: Model, code: str, facts: Mapping[str, object]) -> str:
    """Say at its field what an area without a known sale means for the price, "" for an area with sales or for none."""
    area = facts.get(code)
    if not area or area in model.profile.area_codes[code]:
        return ""
    if code == _CODE and str(area).upper() == wider_area(facts, model):
        return f"{area} is a wider area: its middle counts as the place. The whole code gives a narrower range."
    label = label_of(code).lower()
    start = f"The model knows no sale in {label} {area}"
    if model.facts.located:
        placed = _placed_by(model, code, facts)
        return f"{start}: {placed}" if placed else " ".join(unknown_place_words([code], facts, model))
    if len(model.facts.area_codes) > 1:
        return f"{start}: check it. Another area that is known may still give a price."
    return f"{start}: check it. There is a price only if sales are known of the wider area that it lies in."


def _placed_by(model: Model, code: str, facts: Mapping[str, object]) -> str:
    """Say what places a home in an area without a known sale, "" if nothing does."""
    if {"latitude", "longitude"} <= facts.keys():
        return "the exact location counts instead."
    if code == _CODE and (wider := wider_area(facts, model)):
        return f"the wider area {wider} counts instead. Latitude and longitude give a narrower range."
    others = (name for name, known in model.profile.area_codes.items() if facts.get(name) in known)
    other = next(others, "")
    return f"{label_of(other).lower()} {facts[other]} counts instead." if other else ""
