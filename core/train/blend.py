"""The blend: the average of three boosted models of log price that start from different views of value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

import lightgbm
import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from core.arrays import Floats, Ints, distinct

# The columns with other sales' prices; a member without them makes different errors from those that use them.
_EVIDENCE: Final = ("alike_", "near_", "zipcode_", "neighbourhood_", "street_", "trend")
_SIZE: Final = "living_area_sqft"
_ALIKE: Final = "alike_level"
_PLACE: Final = "east_km"
# Below this, starting threads costs more than it saves; one thread also keeps one agent's answer from delaying others.
_MANY: Final = 500
# As many as the process may use: one inside a training run, where every processor already fits a model.
_ALL_ALLOWED: Final = 0
# Trees of 31 leaves learn a few thousand sales by heart. Validation error (MAPE) of King County, mean of two draws,
# with 31 leaves and with 15: 1,500 sales 12.55%, 12.38%; 3,000: 11.89%, 11.72%; 5,000: 11.45%, 11.39%; 8,000: 11.23%,
# 11.26%; with 15 and 8: 1,000 sales 12.74%, 12.60%. The simulated city and Singapore are alike. A third less time.
_LEAVES: Final = ((2_000, 8), (6_000, 15))
_SETTINGS: Final[dict[str, Any]] = {
    "alpha": 0.15,
    "min_child_samples": 20,
    "subsample": 0.7,
    "subsample_freq": 1,
    "reg_lambda": 1.0,
    "n_jobs": 1,
    "verbose": -1,
    "deterministic": True,
    "force_row_wise": True,
}


class Loss(StrEnum):
    """How errors of log price count: Huber's loss is squared below an error of 15% and absolute above.

    With either, odd sales do not distort the fit; with the absolute loss, estimates are medians.
    """

    HUBER = "huber"
    ABSOLUTE = "l1"


class Start(StrEnum):
    """Where a member starts before its trees correct it, modeled on the appraiser's approaches to value."""

    FACTS = "the facts alone, without any comparable"
    SIZE = "proportion to living area"
    COMPARABLES = "the level of the sales most alike"


@dataclass(frozen=True)
class Member:
    """One fitted model of the blend: its start, the columns it sees (indices) and its trees."""

    start: Start
    seen: Ints
    booster: lightgbm.Booster


class BlendedBoosting(RegressorMixin, BaseEstimator):
    """Mean of three boosted estimates of log price: from the facts alone, from size, from the most similar sales.

    ``columns`` names the columns of the feature matrix (n, p). ``num_leaves`` is the most a tree may have; where sales
    are few, it has fewer. ``colsample_bytree`` is the share of columns that a tree sees. Deterministic for one seed.
    """

    def __init__(
        self,
        columns: tuple[str, ...],
        n_estimators: int = 1000,
        learning_rate: float = 0.06,
        num_leaves: int = 15,
        seed: int = 0,
        loss: Loss = Loss.HUBER,
        colsample_bytree: float = 0.35,
    ) -> None:
        self.columns = columns
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.seed = seed
        self.loss = loss
        self.colsample_bytree = colsample_bytree

    def fit(self, X: Floats, y: Floats, sample_weight: Floats | None = None) -> Self:
        """Fit the members on the feature matrix (n, p), log prices (n,) and weights (n,); None for equal weights."""
        self.n_features_in_ = X.shape[1]
        self.usual_level_ = float(np.nanmean(X[:, self.columns.index(_ALIKE)])) if _ALIKE in self.columns else 0.0
        self.members_ = tuple(
            self._fit_member(start, number, X, y, sample_weight) for number, start in enumerate(Start)
        )
        return self

    def predict(self, X: Floats) -> Floats:
        """Return the mean estimate of log price, shape (n,)."""
        if len(X) >= _MANY:
            return self._predict(X)
        # Homes that explain a price come several times, such as those that differ in their own earlier sale alone.
        once, which = distinct(X)
        return self._predict(X[once])[which]

    def _predict(self, X: Floats) -> Floats:
        total = np.zeros(len(X))
        for member in self.members_:
            total += predict(member.booster, X[:, member.seen]) + self._begin(member.start, X)
        return total / len(self.members_)

    def _fit_member(self, start: Start, number: int, X: Floats, y: Floats, weight: Floats | None) -> Member:
        # Without coordinates, the levels of its areas are all that says where a home is.
        hidden = _EVIDENCE if start is Start.FACTS and _PLACE in self.columns else ()
        seen = np.flatnonzero([not name.startswith(hidden) for name in self.columns])
        trees = lightgbm.LGBMRegressor(
            n_estimators=self.n_estimators,
            learning_rate=self.learning_rate,
            num_leaves=leaves_for(len(X), self.num_leaves),
            random_state=self.seed + number,
            objective=self.loss.value,
            colsample_bytree=self.colsample_bytree,
            **_SETTINGS,
        )
        fitted = trees.fit(X[:, seen], y - self._begin(start, X), sample_weight=weight)
        return Member(start, seen, fitted.booster_)

    def _begin(self, start: Start, X: Floats) -> Floats:
        if start is Start.SIZE and _SIZE in self.columns:
            return np.log(X[:, self.columns.index(_SIZE)])
        if start is Start.COMPARABLES and _ALIKE in self.columns:
            level = X[:, self.columns.index(_ALIKE)]
            return np.where(np.isnan(level), self.usual_level_, level)
        return np.zeros(len(X))


def leaves_for(sales: int, most: int) -> int:
    """Return how many leaves, at most ``most``, a tree may have without learning so few sales by heart."""
    return next((min(most, leaves) for below, leaves in _LEAVES if sales < below), most)


def predict(booster: lightgbm.Booster, features: Floats) -> Floats:
    """Return the prediction of each row of a feature matrix (n, p), shape (n,)."""
    threads = 1 if len(features) < _MANY else _ALL_ALLOWED
    return np.asarray(booster.predict(features, num_threads=threads), dtype=float)
