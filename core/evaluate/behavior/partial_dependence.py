"""The partial effect of one fact: how the estimates of the same homes change when only that fact changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats
from core.prepare.features.facts import FactColumns
from core.train.model import Model

_HOMES_MAX: Final = 200
_SPAN: Final = (10.0, 90.0)


@dataclass(frozen=True)
class PartialEffect:
    """The effect of a fact on ``homes`` homes, arrays of shape (k,) in the order of ``values``.

    ``mean`` is the change of the estimate relative to the value ``reference``, as a share; ``low`` and ``high`` bound
    the middle 80% of the homes (centered individual conditional expectation: Goldstein et al. 2015).
    """

    fact: str
    values: tuple[float | str, ...]
    reference: float | str
    mean: Floats
    low: Floats
    high: Floats
    homes: int


def partial_effect(
    model: Model, homes: pd.DataFrame, fact: str, values: Sequence[float | str], seed: int
) -> PartialEffect:
    """Price a sample of at most 200 homes (canonical facts, ``sale_date``) once per value of a fact.

    The middle value (for categories, the first) is the reference. Related facts, such as rooms and area, do not change
    with it: far from a home's actual value, the effect describes homes that hardly exist.
    Raises ValueError if there are no values or homes, or for a fact that cannot be changed alone.
    """
    if fact not in changeable(model.facts):
        raise ValueError(f"the model has no fact {fact!r} to change; choose one of {changeable(model.facts)}")
    if not len(values) or homes.empty:
        raise ValueError(f"a partial effect needs values and homes; got {len(values)} and {len(homes)}")
    sample = _sample(homes, seed)
    estimates = np.log(model.estimate(_copies(sample, fact, values))).reshape(len(values), len(sample))
    words = isinstance(values[0], str)
    middle = 0 if words else int(np.argsort(np.asarray(values, dtype=float), kind="stable")[(len(values) - 1) // 2])
    effect = np.expm1(estimates - estimates[middle])
    low, high = np.percentile(effect, _SPAN, axis=1)
    return PartialEffect(fact, tuple(values), values[middle], effect.mean(axis=1), low, high, len(sample))


def changeable(facts: FactColumns) -> tuple[str, ...]:
    """Return the facts that have a partial effect: all but those of location."""
    return (*facts.numeric, *facts.categorical, *(["year_renovated"] if facts.renovation else []))


def usual_values(model: Model, fact: str, count: int) -> tuple[float | str, ...]:
    """Return typical values of a fact: numbers from its usual low to high, or the most frequent categories."""
    category = model.profile.category(fact)
    if category is not None:
        return tuple(category.levels)[:count]
    profile = model.profile.numeric_fact(fact)
    if profile is None:
        return ()
    values, step = np.linspace(profile.low, profile.high, count), _counted_in(model, fact)
    return tuple(float(value) for value in np.unique(np.round(values / step) * step if step else values))


def _counted_in(model: Model, fact: str) -> float:
    """Return the step in which a fact is counted: 1, or fractions for bathrooms and floors; 0 if it is measured."""
    profile = model.profile.numeric_fact(fact)
    if profile is not None and profile.whole:
        return 1.0
    known = model.facts.numeric
    return float(model.features.named_steps["facts"].step_[known.index(fact)]) if fact in known else 0.0


def _sample(homes: pd.DataFrame, seed: int) -> pd.DataFrame:
    if len(homes) <= _HOMES_MAX:
        return homes
    return homes.iloc[np.sort(np.random.default_rng(seed).choice(len(homes), _HOMES_MAX, replace=False))]


def _copies(sample: pd.DataFrame, fact: str, values: Sequence[float | str]) -> pd.DataFrame:
    copies = pd.concat([sample] * len(values), ignore_index=True)
    given = np.repeat(np.asarray(values, dtype=object), len(sample))
    return copies.assign(**{fact: pd.Series(given).astype(copies[fact].dtype)})
