"""Which facts the form asks an agent for: first those that matter most to the market's model, then the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.problem import Problem
from core.schema import ASSESSED_RISE
from core.serve.fact_groups import critical_facts
from core.train.importance import Importance
from core.train.model import Model

ASKED_FIRST: Final = 6
"""Three rows of two, which a phone shows without a flick."""

# Facts no model uses, but which show that a home is outside the model's scope.
_ALWAYS: Final = ("property_type", "units", "zoning")


def facts_asked(model: Model, figures: frozenset[str]) -> tuple[str, ...]:
    """Return the facts an agent can enter, in the order of the record; ``figures`` are those of an area."""
    renovation = ("year_renovated",) if model.facts.renovation else ()
    names = dict.fromkeys((*model.facts.categorical, *model.facts.numeric, *renovation, *_ALWAYS))
    return tuple(name for name in names if name not in figures)


def asked_first(
    model: Model, importance: Sequence[Importance], figures: frozenset[str], problem: Problem
) -> tuple[str, ...]:
    """Return the few facts to ask for first: those a price requires, then those that move this model most.

    Where no importance was measured, the record's order decides.
    """
    asked = facts_asked(model, figures)
    needed = [name for name in critical_facts(model, problem) if name in asked]
    ranked = [one.fact for one in importance if one.fact in asked]
    # The rise comes with a home that the tax roll knows; at the kitchen table nobody has it.
    return tuple(name for name in dict.fromkeys((*needed, *ranked, *asked)) if name != ASSESSED_RISE)[:ASKED_FIRST]
