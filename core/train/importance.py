"""Permutation importance of the facts an agent enters, measured through the whole pipeline on held-out sales."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core import measures
from core.arrays import Floats
from core.prepare.features.facts import COORDINATES, FactColumns
from core.schema import label_of

_LOCATION: Final = "location"
_ROWS_MAX: Final = 1_000
_REPEATS: Final = 2


@dataclass(frozen=True)
class Importance:
    """How much the mean error (MAPE, as a share) rises when a fact is shuffled among homes."""

    fact: str
    label: str
    rise: float


def permutation_importance(
    predict: Callable[[pd.DataFrame], Floats],
    homes: pd.DataFrame,
    prices: Floats,
    facts: FactColumns,
    seed: int,
) -> tuple[Importance, ...]:
    """Return every fact's importance, largest first; all location facts are shuffled together as "Location".

    ``predict`` maps homes to estimates in money; at most 1,000 homes are used. Source: Breiman (2001), grouped.
    """
    rng = np.random.default_rng(seed)
    if len(homes) > _ROWS_MAX:
        chosen = np.sort(rng.choice(len(homes), _ROWS_MAX, replace=False))
        homes, prices = homes.iloc[chosen], prices[chosen]
    base = measures.mape(predict(homes), prices)
    found = []
    for name, label, columns in _groups(facts):
        rises = []
        for _ in range(_REPEATS):
            order = rng.permutation(len(homes))
            shuffled = homes.assign(**{column: homes[column].to_numpy()[order] for column in columns})
            rises.append(measures.mape(predict(shuffled), prices) - base)
        found.append(Importance(name, label, float(np.mean(rises))))
    return tuple(sorted(found, key=lambda one: (-one.rise, one.fact)))


def by_importance(names: Iterable[str], ranking: Sequence[Importance]) -> list[str]:
    """Return facts in the order of a ranking, coordinates where it has the location, those it lacks last."""
    rank = {one.fact: place for place, one in enumerate(ranking)}
    rank |= dict.fromkeys(COORDINATES, rank.get(_LOCATION, len(rank)))
    return sorted(names, key=lambda name: rank.get(name, len(rank)))


def _groups(facts: FactColumns) -> list[tuple[str, str, list[str]]]:
    place = [*facts.area_codes, *(["latitude", "longitude"] if facts.located else [])]
    place += ["address"] if facts.addressed else []
    groups = [(_LOCATION, "Location", place)] if place else []
    groups += [(name, label_of(name), [name]) for name in (*facts.numeric, *facts.categorical)]
    if facts.renovation:
        groups.append(("year_renovated", label_of("year_renovated"), ["year_renovated"]))
    return groups
