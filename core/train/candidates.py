"""The candidate models: their families and the settings to try."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sklearn.base import RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import ParameterSampler
from sklearn.tree import DecisionTreeRegressor

from core.problem import Training
from core.states import Family
from core.train.blend import BlendedBoosting, leaves_for


@dataclass(frozen=True)
class Candidate:
    """One model to fit: a family and its settings."""

    family: Family
    settings: Mapping[str, float] = field(default_factory=dict)

    def describe(self) -> str:
        """Return the settings as readable text."""
        return ", ".join(f"{name} {value:g}" for name, value in self.settings.items()) or "standard settings"


_BOOSTING: Final[tuple[Mapping[str, float], ...]] = (
    {"max_iter": 500, "learning_rate": 0.06, "max_leaf_nodes": 31, "max_features": 0.5},
    {"max_iter": 1000, "learning_rate": 0.03, "max_leaf_nodes": 31, "max_features": 0.3},
)
# The first takes half the time. Validation error (MAPE) of the first and the second, mean of four seeds: three parts of
# King County's training sales 10.94% and 10.89%, Melbourne 13.43% and 13.36%. 500 trees at a rate of 0.08 came to
# 10.92% and 13.36%, 1,000 at 0.04 to 10.87% and 13.36%.
_BLEND: Final[tuple[Mapping[str, float], ...]] = (
    {"n_estimators": 300, "learning_rate": 0.12, "num_leaves": 31},
    {"n_estimators": 650, "learning_rate": 0.06, "num_leaves": 31},
)

FOREST_SETTINGS: Final = ("n_estimators", "max_depth", "min_samples_leaf")
"""What the forest search varies: number of trees, their depth, and the fewest sales per leaf."""

TREES_COMPARED: Final = (75, 150)
"""The forest sizes whose trade-off is always shown: half the trees take half the memory, but at what error?"""

BOOSTING_SETTINGS: Final = len(_BOOSTING)
"""The number of boosting settings to compare, fastest first."""


def fixed_candidates(boosting_budget: int) -> tuple[Candidate, ...]:
    """Return the candidates without a search: a blend, the first few boosting settings, decision tree, baseline.

    The blend is the fast one for a budget of one setting, else the more accurate one.
    """
    return (
        Candidate(Family.BLEND, _BLEND[min(boosting_budget, len(_BLEND)) - 1]),
        *(Candidate(Family.BOOSTING, settings) for settings in _BOOSTING[:boosting_budget]),
        Candidate(Family.TREE, {"min_samples_leaf": 15}),
        Candidate(Family.LINEAR, {"alpha": 1.0}),
    )


def quick_of(candidate: Candidate) -> Candidate:
    """Return a faster candidate that errs nearly as little, to compare errors with errors; itself if there is none."""
    return Candidate(Family.BLEND, _BLEND[0]) if candidate.family is Family.BLEND else candidate


def for_homes(candidate: Candidate, homes: int) -> Candidate:
    """Return the candidate with trees no larger than this number of homes allows, however often each is seen."""
    if candidate.family is not Family.BLEND:
        return candidate
    leaves = leaves_for(homes, int(candidate.settings["num_leaves"]))
    return replace(candidate, settings={**candidate.settings, "num_leaves": leaves})


def forest_candidates(training: Training, budget: int, seed: int) -> tuple[Candidate, ...]:
    """Draw ``budget`` different depths and leaf sizes from the problem statement, with its fewest trees.

    The number of trees is not searched: more only steady a forest. What each costs is measured on the best one.
    """
    grid = {"max_depth": list(training.forest_depth), "min_samples_leaf": list(training.forest_leaf)}
    size = math.prod(len(values) for values in grid.values())
    drawn = ParameterSampler(grid, n_iter=min(budget, size), random_state=seed)
    fewest = {"n_estimators": min(training.forest_trees)}
    return tuple(Candidate(Family.FOREST, {**fewest, **settings}) for settings in drawn)


def forest_sizes(training: Training) -> tuple[int, ...]:
    """Return the numbers of trees at which to measure a forest of one depth and leaf size, fewest first."""
    return tuple(sorted({*training.forest_trees, *TREES_COMPARED}))


def make_estimator(candidate: Candidate, columns: tuple[str, ...], seed: int) -> RegressorMixin:
    """Return the unfitted scikit-learn estimator of log price; ``columns`` names its feature matrix's columns."""
    settings: dict[str, Any] = dict(candidate.settings)
    if candidate.family is Family.LINEAR:
        return Ridge(**settings)
    if candidate.family is Family.TREE:
        return DecisionTreeRegressor(random_state=seed, **settings)
    if candidate.family is Family.FOREST:
        # A third of the features per split is Breiman's setting for regression.
        return RandomForestRegressor(random_state=seed, max_features=1 / 3, n_jobs=1, **settings)
    if candidate.family is Family.BLEND:
        return BlendedBoosting(columns, seed=seed, **settings)
    return HistGradientBoostingRegressor(
        random_state=seed, early_stopping=False, min_samples_leaf=20, l2_regularization=1.0, **settings
    )
