"""What a home's own earlier sale says about its price today, learned from homes sold twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import lightgbm
import numpy as np
from sklearn.model_selection import GroupKFold

from core.arrays import Bools, Floats, Ints, Objects
from core.prepare.features.own_sales import SOON_YEARS
from core.train.ranges import RangeCalibration
from core.train.trees import predict

PAIRS_MIN: Final = 200
"""Homes sold twice that are enough to learn from: with fewer, each of five folds has too few of any gap in years."""

_FOLDS: Final = 5
# Few and small trees: what an earlier sale says is a curve in its residual, flatter the longer ago it was.
_SETTINGS: Final[dict[str, Any]] = {
    "objective": "huber",
    "alpha": 0.15,
    "n_estimators": 300,
    "learning_rate": 0.04,
    "num_leaves": 6,
    "min_child_samples": 30,
    "reg_lambda": 5.0,
    "colsample_bytree": 0.8,
    "subsample": 0.7,
    "subsample_freq": 1,
    "n_jobs": 1,
    "verbose": -1,
    "deterministic": True,
    "force_row_wise": True,
}
# A factor from n pairs counts n / (n + 50): thirty pairs could show a range that is a third too wide by chance.
_FACTOR_PRIOR: Final = 50.0
_FACTORS: Final = np.exp(np.linspace(np.log(0.5), np.log(4.0), 105))


@dataclass(frozen=True)
class Pairs:
    """Later sales of homes sold before, priced out of fold: log estimates and log prices, shape (n,).

    ``own`` has the years since the earlier sale, its moved price and its residual, (n, 3), as in ``OWN_SALE``;
    ``homes`` a number for each home, ``matrix`` the features, ``kinds`` the property types.
    """

    own: Floats
    log_estimate: Floats
    log_price: Floats
    homes: Ints
    matrix: Floats
    kinds: Objects


@dataclass(frozen=True)
class OwnSaleEffect:
    """What the own earlier sale adds to a log estimate, and the factors by which it changes the range's width.

    ``soon`` is the factor within 18 months of the earlier sale, ``later`` the one after that; ``pairs`` is the number
    of homes sold twice behind them.
    """

    booster: lightgbm.Booster
    soon: float
    later: float
    pairs: int

    def shift(self, own: Floats, log_estimate: Floats) -> Floats:
        """Return what is added to log estimates, shape (n,); zero for homes without an earlier sale."""
        added = np.zeros(len(own))
        rows = np.flatnonzero(np.isfinite(own[:, 0]))
        if len(rows):
            added[rows] = predict(self.booster, _inputs(own[rows], log_estimate[rows]))
        return added

    def widening(self, own: Floats) -> Floats:
        """Return the factor for the width of each home's range, shape (n,); 1 without an earlier sale."""
        factor = np.where(sold_soon(own), self.soon, self.later)
        return np.where(np.isfinite(own[:, 0]), factor, 1.0)


def sold_soon(own: Floats) -> Bools:
    """Return which homes were sold less than 18 months before, shape (n,)."""
    soon: Bools = own[:, 0] < SOON_YEARS
    return soon


def learn_effect(pairs: Pairs, ranges: RangeCalibration, level: float, seed: int) -> OwnSaleEffect | None:
    """Learn from pairs; None if there are fewer than 200, or if homes held out are not priced better with it."""
    if len(pairs.log_price) < PAIRS_MIN:
        return None
    error = pairs.log_price - pairs.log_estimate
    added = np.zeros(len(error))
    for rest, held in GroupKFold(_FOLDS, shuffle=True, random_state=seed).split(error, groups=pairs.homes):
        booster = _fit(pairs.own[rest], pairs.log_estimate[rest], error[rest], seed)
        added[held] = predict(booster, _inputs(pairs.own[held], pairs.log_estimate[held]))
    if np.abs(error - added).mean() >= np.abs(error).mean():
        return None
    soon = sold_soon(pairs.own)
    return OwnSaleEffect(
        booster=_fit(pairs.own, pairs.log_estimate, error, seed),
        soon=_factor(pairs, added, soon, ranges, level),
        later=_factor(pairs, added, ~soon, ranges, level),
        pairs=len(error),
    )


def _fit(own: Floats, log_estimate: Floats, error: Floats, seed: int) -> lightgbm.Booster:
    """Fit on each pair twice, once without the residual: a sale made after training has none."""
    blind = own.copy()
    blind[:, 2] = np.nan
    inputs = np.vstack([_inputs(own, log_estimate), _inputs(blind, log_estimate)])
    trees = lightgbm.LGBMRegressor(random_state=seed, **_SETTINGS)
    return trees.fit(inputs, np.concatenate([error, error])).booster_


def _inputs(own: Floats, log_estimate: Floats) -> Floats:
    years, moved, residual = own.T
    return np.column_stack([years, moved - log_estimate, residual, np.abs(residual), log_estimate])


def _factor(pairs: Pairs, added: Floats, rows: Bools, ranges: RangeCalibration, level: float) -> float:
    """Return the factor of the width at which the range holds ``level`` of the sales at ``rows``, shrunk toward 1."""
    if not rows.any():
        return 1.0
    centre = (pairs.log_estimate + added)[rows]
    width = ranges.expected_size(pairs.matrix[rows], centre)
    segments, price = ranges.segments_.of(centre, pairs.kinds[rows]), np.exp(pairs.log_price[rows])

    def held(factor: float) -> float:
        low, high = ranges.range(centre, width * factor, segments, level)
        return float(((price >= low) & (price <= high)).mean())

    # The share held grows with the factor, so the least one that is enough is found by bisection.
    first, last = 0, len(_FACTORS) - 1
    while first < last:
        middle = (first + last) // 2
        first, last = (first, middle) if held(float(_FACTORS[middle])) >= level else (middle + 1, last)
    count = int(rows.sum())
    return float(_FACTORS[first] ** (count / (count + _FACTOR_PRIOR)))
