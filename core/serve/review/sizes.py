"""Whether a home is larger, or smaller, than all homes that a model learned from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from core.prepare.features.profile import MarketProfile

LARGER: Final = "larger than all homes learned from"
SMALLER: Final = "smaller than all homes learned from"
"""The groups of homes without a record because the model knows no home of such a size."""


def size_beyond(facts: Mapping[str, float | str], profile: MarketProfile, critical: Collection[str]) -> str:
    """Return the group of a home with an area beyond those of all homes learned from, "" if it has none.

    Only areas that a price needs count, those among the ``critical`` facts.
    """
    for fact in profile.numeric:
        size = facts.get(fact.name)
        if fact.name not in critical or fact.unit != "sqft" or not isinstance(size, float):
            continue
        if not fact.lowest <= size <= fact.highest:
            return LARGER if size > fact.highest else SMALLER
    return ""
