"""A fit on part of a run's sales: it prices the sales held out, with all facts known and with facts hidden."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from core.arrays import Floats, Ints, drawn
from core.prepare.features.area_evidence import EvidenceStep
from core.prepare.features.known_facts import KnownFacts
from core.prepare.features.neighbours import Rule
from core.prepare.features.pipeline import feature_matrix, under_rule
from core.train.blend import BlendedBoosting
from core.train.candidates import for_homes
from core.train.importance import Importance, permutation_importance
from core.train.leaderboard import Recipe, column_names, fit
from core.train.unknown_facts import COPIES, HELD_OUT_COPIES, HiddenHomes, fit_estimator, hidden_copies

LIVE_MAX: Final = 40_000
"""From how many homes at most a model learns what they look like with earlier sales only; more take time."""


@dataclass(frozen=True)
class Part:
    """A fit on part of the sales: the full fit if nothing was held out, else the log estimates of sales held out.

    ``matrix`` has the features of the sales with the evidence of the run's rule, ``live_matrix`` with earlier sales
    only, as live estimates see them; None where the two are the same. ``held_out`` are estimates with the evidence of
    the run's rule, ``as_live`` with earlier sales only, shape (n,) each.
    """

    features: Pipeline | None
    estimator: Any
    matrix: Any
    live_matrix: Floats | None
    held_out: Floats
    as_live: Floats
    importance: tuple[Importance, ...]
    learned: BlendedBoosting | None = None
    hidden: HiddenHomes | None = None


def fit_part(
    recipe: Recipe,
    homes: pd.DataFrame,
    log_price: Floats,
    weight: Floats | None,
    rest: Ints,
    held: Ints,
    probed: Ints,
    known: KnownFacts | None,
) -> Part:
    """Fit the recipe on the sales at ``rest`` and price those at ``held``; none held makes the full fit.

    ``log_price`` and ``weight`` are of all sales, (n,). Importance is measured on the sales at ``probed``. With
    ``known`` facts, a second estimator learns to do without them.
    """
    features = recipe.features()
    matrix = features.fit_transform(homes.iloc[rest], log_price[rest])
    live_matrix = _live_matrix(recipe, features, homes.iloc[rest])
    seen = [matrix] if live_matrix is None else [matrix, live_matrix]
    estimator = _learn(recipe, column_names(features), seen, log_price[rest], None if weight is None else weight[rest])
    learned = None
    if known is not None and known.columns:
        copies = hidden_copies(known, features, homes.iloc[rest], np.arange(len(rest)), COPIES, recipe.seed)
        owner, names = rest[copies.owner], column_names(features)
        counts = None if weight is None else weight[owner]
        learned = fit_estimator(names, known, copies.matrix, log_price[owner], counts, recipe.seed)
    if not len(held):
        return Part(features, estimator, matrix, live_matrix, np.empty(0), np.empty(0), (), learned)
    predict = _predict(features, estimator)
    importance: tuple[Importance, ...] = ()
    if len(probed):
        importance = permutation_importance(
            lambda some: np.exp(predict(some)), homes.iloc[probed], np.exp(log_price[probed]), recipe.facts, recipe.seed
        )
    hidden = None
    if known is not None and learned is not None:
        hidden = _hidden(recipe, features, estimator, learned, homes.iloc[held], held, known)
    as_live = estimates = predict(homes.iloc[held])
    if live_matrix is not None:
        as_live = _predict(under_rule(features, Rule.EARLIER), estimator)(homes.iloc[held])
    return Part(None, None, None, None, estimates, as_live, importance, None, hidden)


def _live_matrix(recipe: Recipe, features: Pipeline, homes: pd.DataFrame) -> Floats | None:
    """Return the features of homes that the pipeline was fitted on from earlier sales only; None if they all are."""
    evidence = any(isinstance(step, EvidenceStep) for _, step in features.steps)
    if recipe.rule is Rule.EARLIER or not evidence:
        return None
    filled = features.named_steps["facts"].transform(homes)
    return feature_matrix(under_rule(features, Rule.EARLIER), filled, np.arange(len(homes)))


def _learn(
    recipe: Recipe, names: tuple[str, ...], seen: Sequence[Any], log_price: Floats, weight: Floats | None
) -> Any:
    """Fit the estimator on homes ``seen`` in one or two ways, matrices of shape (n, p).

    A random test knows later sales, a live estimate does not, and a model that only ever saw the first relies on them.
    MAPE of training sales held out (two draws each), with later sales known and with earlier ones only: King County
    10.91% and 11.37% if learned in the first way, 10.90% and 11.04% in both; Melbourne 13.20% and 13.83%, 13.23% and
    13.26%; Singapore 3.72% and 4.26%, 3.73% and 3.91%.
    """
    rows = drawn(len(log_price), recipe.sales_max or len(log_price), recipe.seed)
    again = rows[drawn(len(rows), LIVE_MAX, recipe.seed)]
    parts = list(zip(seen, (rows, again), strict=False))
    matrix = seen[0][rows] if len(parts) == 1 else np.vstack([one[some] for one, some in parts])
    every = np.concatenate([some for _, some in parts])
    candidate = for_homes(recipe.candidate, len(rows))
    return fit(candidate, matrix, log_price[every], names, recipe.seed, None if weight is None else weight[every])


def _predict(features: Pipeline, estimator: Any) -> Callable[[pd.DataFrame], Floats]:
    return lambda some: np.asarray(estimator.predict(features.transform(some)), dtype=float)


def _hidden(
    recipe: Recipe,
    features: Pipeline,
    estimator: Any,
    learned: BlendedBoosting,
    homes: pd.DataFrame,
    held: Ints,
    known: KnownFacts,
) -> HiddenHomes:
    """Return the homes held out, at ``held`` among those of the run, priced with facts hidden."""
    seen = hidden_copies(known, features, homes, None, HELD_OUT_COPIES, recipe.seed + int(held[0]) + 1)
    filled = np.asarray(estimator.predict(seen.matrix[:, : -len(known.names)]), dtype=float)
    guessed = np.asarray(learned.predict(seen.matrix), dtype=float)
    return HiddenHomes(held[seen.owner], seen.hidden, seen.early, filled, guessed)
