"""The typical home of an area: the basis of a subject's drivers, and of the form's suggestions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from core.schema import label_of
from core.serve.fact_groups import FactGroup, group_of, never_of_its_type
from core.serve.reading.facts import countable
from core.serve.review.whereabouts import Whereabouts
from core.serve.subject import Subject, Value
from core.train.model import Model

WHOLE_MARKET: Final = "the market"
"""The area of a typical home where none of the areas given is known."""


@dataclass(frozen=True)
class Typical:
    """A home with the usual facts of ``area`` ("zipcode 98103", "the market"), based on ``sales`` training sales."""

    area: str
    sales: int
    facts: Mapping[str, Value]


def typical_home(model: Model, codes: Mapping[str, str]) -> Typical:
    """Return a typical home of the smallest known area among the codes, or of the whole market if none is known."""
    profile = model.profile
    facts: dict[str, Value] = {fact.name: fact.median for fact in profile.numeric}
    whole = [fact.name for fact in profile.numeric if fact.whole]
    facts |= {fact.name: next(iter(fact.levels)) for fact in profile.categories if fact.levels}
    area, sales = WHOLE_MARKET, profile.sales
    for code, name in codes.items():
        known = profile.typical.get(code, {}).get(name)
        if known is not None:
            facts |= known
            facts[code] = name
            area, sales = f"{label_of(code).lower()} {name}", profile.area_codes[code][name]
    # The middle of two counts is no count: no home has half a garage space.
    facts |= {name: float(math.floor(value)) for name in whole if isinstance(value := facts[name], int | float)}
    facts |= {name: countable(name, value) for name, value in facts.items() if isinstance(value, float)}
    # A blank year means never renovated, as most homes are.
    return Typical(area, sales, {name: value for name, value in facts.items() if name != "year_renovated"})


def usual_facts(model: Model, given: Mapping[str, Value], as_of: date, where: Whereabouts) -> Mapping[str, Value]:
    """Return what the model takes for the facts not given, as its answer will say, and the usual categories.

    Areas that the coordinates tell count as given. Facts that homes of the given type do not have are left out.
    """
    given = {**given, **where.worked_out(given)}
    codes = {code: str(given[code]) for code in model.facts.area_codes if code in given}
    filled = model.fill_for_sale(Subject(given, as_of).columns(model.facts))
    taken = {name: float(filled[name][0]) for name in model.facts.numeric if np.isfinite(filled[name][0])}
    usual, never = {**typical_home(model, codes).facts, **taken}, never_of_its_type(model, given)
    return {name: value for name, value in usual.items() if name not in never}


def typical_nearby(model: Model, subject: Subject) -> Typical:
    """Return the typical home to compare a subject with; if no area is known, one at the subject's location."""
    codes = {code: str(subject.facts[code]) for code in model.facts.area_codes if code in subject.facts}
    typical = typical_home(model, codes)
    if set(typical.facts) & set(model.facts.area_codes):
        return typical
    place = {name: value for name, value in subject.facts.items() if group_of(name) is FactGroup.PLACE}
    return Typical(typical.area, typical.sales, {**typical.facts, **place})
