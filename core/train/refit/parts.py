"""One fit of a training run: the chosen candidate on part of the known sales, measured on those held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from core.arrays import Floats, Ints
from core.prepare.features.facts import FactColumns
from core.prepare.features.known_facts import KnownFacts
from core.prepare.features.neighbours import Rule
from core.prepare.features.pipeline import baseline_features, feature_pipeline
from core.states import Family
from core.train.blend import BlendedBoosting
from core.train.candidates import Candidate
from core.train.importance import Importance, permutation_importance
from core.train.leaderboard import column_names, fit
from core.train.unknown_facts import HiddenHomes, fit_estimator, hidden_copies


@dataclass(frozen=True)
class Recipe:
    """How to fit a candidate on a subset of the sales."""

    facts: FactColumns
    rule: Rule
    candidate: Candidate
    seed: int

    def features(self) -> Pipeline:
        """Return the unfitted feature pipeline of the candidate's family."""
        if self.candidate.family is Family.LINEAR:
            return baseline_features(self.facts)
        return feature_pipeline(self.facts, self.rule)


@dataclass(frozen=True)
class Part:
    """A fit on part of the sales: the full fit if nothing was held out, else the held-out log estimates."""

    features: Pipeline | None
    estimator: Any
    matrix: Any
    held_out: Floats
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
    """Fit on the sales at ``rest`` and price those at ``held``; the importance of facts is measured at ``probed``.

    With ``known`` a second estimator, of homes with facts unknown, is fitted too.
    """
    features = recipe.features()
    matrix = features.fit_transform(homes.iloc[rest], log_price[rest])
    estimator = fit(
        recipe.candidate,
        matrix,
        log_price[rest],
        column_names(features),
        recipe.seed,
        None if weight is None else weight[rest],
    )
    learned = None
    if known is not None and known.columns:
        copies = hidden_copies(known, features, homes.iloc[rest], np.arange(len(rest)), recipe.seed)
        owner, names = rest[copies.owner], column_names(features)
        counts = None if weight is None else weight[owner]
        learned = fit_estimator(names, known, copies.matrix, log_price[owner], counts, recipe.seed)
    if not len(held):
        return Part(features, estimator, matrix, np.empty(0), (), learned)

    def predict(some: pd.DataFrame) -> Floats:
        return np.exp(np.asarray(estimator.predict(features.transform(some)), dtype=float))

    importance: tuple[Importance, ...] = ()
    if len(probed):
        importance = permutation_importance(
            predict, homes.iloc[probed], np.exp(log_price[probed]), recipe.facts, recipe.seed
        )
    hidden = None
    if known is not None and learned is not None:
        seen = hidden_copies(known, features, homes.iloc[held], None, recipe.seed + int(held[0]) + 1)
        filled = np.asarray(estimator.predict(seen.matrix[:, : -len(known.names)]), dtype=float)
        guessed = np.asarray(learned.predict(seen.matrix), dtype=float)
        hidden = HiddenHomes(held[seen.owner], seen.hidden, filled, guessed)
    return Part(None, None, None, np.log(predict(homes.iloc[held])), importance, None, hidden)


def held_out_estimates(recipe: Recipe, homes: pd.DataFrame, log_price: Floats, rest: Ints, held: Ints) -> Floats:
    """Return the log estimates of the homes at ``held`` by a fit on those at ``rest``, shape (held,)."""
    return fit_part(recipe, homes, log_price, None, rest, held, np.empty(0, dtype=np.int64), None).held_out
