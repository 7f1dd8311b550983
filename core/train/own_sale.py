"""A home's own earlier sale: what it brought above its estimate then, and what that says about its price today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import lightgbm
import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold

from core.arrays import Bools, Floats, Ints, Objects, drawn
from core.parallel.calls import in_parallel
from core.prepare.features.area_evidence import log_size
from core.prepare.features.columns import Columns, take
from core.prepare.features.derived import days_since_2000
from core.prepare.features.facts import FactColumns
from core.prepare.features.neighbours import Rule
from core.prepare.features.own_sales import OWN_SALE, SOON_YEARS, OwnSales, home_keys, identity_of, keep_own_sales
from core.prepare.features.pipeline import dense, feature_pipeline
from core.progress import Progress
from core.train.blend import BlendedBoosting, predict
from core.train.leaderboard import COMPARED_MAX, column_names
from core.train.ranges import RangeCalibration

PAIRS_MIN: Final = 200
"""Homes sold twice that are enough to learn from: with fewer, each of five folds has too few of any gap in years."""

_LEARNING_FOLDS: Final = 5
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
# Homes sold soon again may lead as far beyond their earlier prices as three in four of such homes at most did.
_RESOLD: Final = 0.75
_RESOLD_MIN: Final = 30
_RESIDUAL_FOLDS: Final = 3
# A third of the trees of the model itself: a residual need not be exact to the last tenth of a percent.
_QUICK: Final[dict[str, Any]] = {"n_estimators": 300, "learning_rate": 0.15}


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
    of homes sold twice behind them. ``resold_above`` is how far, in logs, the effect may lead beyond the earlier price
    of a home sold soon again; None in a model of an earlier release, which had no such bound.
    """

    booster: lightgbm.Booster
    soon: float
    later: float
    pairs: int
    resold_above: float | None = None

    def shift(self, own: Floats, log_estimate: Floats) -> Floats:
        """Return what is added to log estimates, shape (n,); zero for homes without an earlier sale."""
        added = np.zeros(len(own))
        rows = np.flatnonzero(np.isfinite(own[:, 0]))
        if len(rows):
            added[rows] = predict(self.booster, _inputs(own[rows], log_estimate[rows]))
            added[rows] = _toward(added[rows], own[rows], log_estimate[rows], self.resold_above)
        return added

    def widening(self, own: Floats) -> Floats:
        """Return the factor for the width of each home's range, shape (n,); 1 without an earlier sale."""
        factor = np.where(sold_soon(own), self.soon, self.later)
        return np.where(np.isfinite(own[:, 0]), factor, 1.0)


@dataclass(frozen=True)
class OwnSaleBesideUnknowns:
    """What the own earlier sale adds to the log estimate of a home of which usual facts are unknown.

    The less is known of a home, the more its own earlier sale says: it was of the same rooms at the same place.
    ``resold_above`` is as in ``OwnSaleEffect``.
    """

    booster: lightgbm.Booster
    resold_above: float | None = None

    def shift(self, own: Floats, log_estimate: Floats, unknown: Floats) -> Floats:
        """Return what is added to log estimates, shape (n,); ``unknown`` is the share of each home's facts unknown."""
        added = np.zeros(len(own))
        rows = np.flatnonzero(np.isfinite(own[:, 0]))
        if len(rows):
            inputs = np.column_stack([_inputs(own[rows], log_estimate[rows]), unknown[rows]])
            added[rows] = predict(self.booster, inputs)
            added[rows] = _toward(added[rows], own[rows], log_estimate[rows], self.resold_above)
        return added


@dataclass(frozen=True)
class Resales:
    """Sales with what was known of the home's earlier one: as in ``Pairs``, and the share of facts unknown, (n,) each.

    ``own``, (n, 3), is missing where the home had not been sold before.
    """

    own: Floats
    log_estimate: Floats
    log_price: Floats
    homes: Ints
    unknown: Floats


def learn_beside_unknowns(sales: Resales, seed: int) -> tuple[OwnSaleBesideUnknowns, Floats]:
    """Learn from sales with any share of facts unknown; also return what fits without its home add to each, (n,).

    What is added is that without the residual of the earlier sale, which a home for sale hardly ever has: only homes
    sold twice before the training have one.
    """
    rows = np.flatnonzero(np.isfinite(sales.own[:, 0]))
    own, estimate, homes = sales.own[rows], sales.log_estimate[rows], sales.homes[rows]
    error, unknown = sales.log_price[rows] - estimate, sales.unknown[rows]
    added = np.zeros(len(sales.own))
    for rest, held in GroupKFold(_LEARNING_FOLDS, shuffle=True, random_state=seed).split(error, groups=homes):
        booster = _fit(own[rest], estimate[rest], error[rest], seed, unknown[rest])
        effect = OwnSaleBesideUnknowns(booster, _resold_above(own[rest], sales.log_price[rows[rest]]))
        added[rows[held]] = effect.shift(_blind(own[held]), estimate[held], unknown[held])
    above = _resold_above(own, sales.log_price[rows])
    return OwnSaleBesideUnknowns(_fit(own, estimate, error, seed, unknown), above), added


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
    for rest, held in GroupKFold(_LEARNING_FOLDS, shuffle=True, random_state=seed).split(error, groups=pairs.homes):
        booster = _fit(pairs.own[rest], pairs.log_estimate[rest], error[rest], seed)
        guess = predict(booster, _inputs(pairs.own[held], pairs.log_estimate[held]))
        above = _resold_above(pairs.own[rest], pairs.log_price[rest])
        added[held] = _toward(guess, pairs.own[held], pairs.log_estimate[held], above)
    if np.abs(error - added).mean() >= np.abs(error).mean():
        return None
    soon = sold_soon(pairs.own)
    return OwnSaleEffect(
        booster=_fit(pairs.own, pairs.log_estimate, error, seed),
        soon=_factor(pairs, added, soon, ranges, level),
        later=_factor(pairs, added, ~soon, ranges, level),
        pairs=len(error),
        resold_above=_resold_above(pairs.own, pairs.log_price),
    )


def _toward(added: Floats, own: Floats, log_estimate: Floats, above: float | None) -> Floats:
    """Return what is added to log estimates, (n,), led toward the earlier price brought to the day, never past it.

    A sale at 3.3 million does not lift a home of 2.5 million to 4, however many dear homes brought more than estimated.
    Only homes sold soon again, which are often improved in between, may pass it, by ``above``.
    """
    if above is None:
        return added
    # King County, 1,704 later sales of homes sold twice, held out: mean error 12.25% so bounded, 12.26% unbounded.
    gap = own[:, 1] - log_estimate
    room = np.where(sold_soon(own), above, 0.0)
    bounded = np.clip(added, np.minimum(gap, 0.0), np.maximum(gap, 0.0) + room)
    return np.where(np.isfinite(gap), bounded, added)


def _resold_above(own: Floats, log_price: Floats) -> float:
    """Return how far above their earlier prices, brought to the day, three in four homes sold soon again at most sold.

    In logs; 0 where too few were sold again so soon, or most of these for less.
    """
    beyond = (log_price - own[:, 1])[sold_soon(own)]
    known = beyond[np.isfinite(beyond)]
    return max(float(np.quantile(known, _RESOLD)), 0.0) if len(known) >= _RESOLD_MIN else 0.0


def _fit(own: Floats, log_estimate: Floats, error: Floats, seed: int, *beside: Floats) -> lightgbm.Booster:
    """Fit on each pair twice, once without the residual: a sale made after training has none."""
    inputs = np.vstack([np.column_stack([_inputs(one, log_estimate), *beside]) for one in (own, _blind(own))])
    trees = lightgbm.LGBMRegressor(random_state=seed, **_SETTINGS)
    return trees.fit(inputs, np.concatenate([error, error])).booster_


def _blind(own: Floats) -> Floats:
    years, moved, residual = own.T
    return np.column_stack([years, moved, np.full_like(residual, np.nan)])


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


@dataclass(frozen=True)
class KeptSales:
    """All sales known to a training run, those of training first: facts and dates, log prices and identity, (n,)."""

    homes: pd.DataFrame
    log_price: Floats
    identity: Columns
    facts: FactColumns
    rule: Rule


@dataclass(frozen=True)
class OutOfFold:
    """Training sales priced by models that had not seen them: their ``rows`` among the kept sales, log estimates."""

    rows: Ints
    log_estimate: Floats
    matrix: Floats
    kinds: Objects


def kept_sales(sales: pd.DataFrame, known: Bools, older: Bools | None, facts: FactColumns, rule: Rule) -> KeptSales:
    """Return the ``known`` sales, then the ``older`` ones from before the training window, if any."""
    rows = np.flatnonzero(known) if older is None else np.concatenate([np.flatnonzero(known), np.flatnonzero(older)])
    ordered = sales.iloc[rows]
    log_price = np.log(ordered["sale_price"].to_numpy(dtype=float))
    return KeptSales(ordered[list(facts.of_sales)], log_price, identity_of(ordered), facts, rule)


def own_sales(kept: KeptSales, filled: Columns, seed: int, progress: Progress) -> OwnSales:
    """Return the sales by home, with the residuals of homes sold more than once if these are enough to learn from.

    No residual comes from a model that has seen another sale of the same home: that sale is what it must predict.
    """
    home = _numbers(kept.identity)
    sold = np.bincount(home[home >= 0], minlength=home.max() + 1) if (home >= 0).any() else np.zeros(1)
    again = np.flatnonzero((home >= 0) & (sold[home] > 1))
    residuals: dict[tuple[str, float], float] = {}
    if len(again) - len(np.unique(home[again])) >= PAIRS_MIN:
        residuals = _residuals(kept, again, home[again], seed, progress)
    sizes = log_size(filled, kept.facts)
    return keep_own_sales(kept.identity, kept.log_price, sizes, residuals)


def learn_from_pairs(
    own: OwnSales, kept: KeptSales, priced: OutOfFold, ranges: RangeCalibration, level: float, seed: int
) -> OwnSaleEffect | None:
    """Learn what an earlier sale says of the later ones that were priced out of fold; None if nothing can be shown."""
    found, homes = before_sales(own, kept, priced.rows)
    rows = np.flatnonzero(np.isfinite(found[:, 0]))
    pairs = Pairs(
        own=found[rows],
        log_estimate=priced.log_estimate[rows],
        log_price=kept.log_price[priced.rows[rows]],
        homes=homes[rows],
        matrix=priced.matrix[rows],
        kinds=priced.kinds[rows],
    )
    return learn_effect(pairs, ranges, level, seed)


def before_sales(own: OwnSales, kept: KeptSales, rows: Ints) -> tuple[Floats, Ints]:
    """Return of kept sales at ``rows`` the home's earlier sale, (n, 3), missing without one, and its number, (n,)."""
    identity = take(kept.identity, rows)
    found = own.before_sales(identity)
    return np.column_stack([found[name] for name in OWN_SALE[1:]]), _numbers(identity)


def _numbers(identity: Columns) -> Ints:
    """Return a number for each home, shape (n,), -1 where nothing tells which it is."""
    keys = home_keys(identity)
    own = np.where(keys.ids != "", keys.ids, keys.addresses)
    numbers = pd.factorize(own)[0]
    return np.where(own == "", -1, numbers).astype(np.int64)


def _residuals(
    kept: KeptSales, again: Ints, home: Ints, seed: int, progress: Progress
) -> dict[tuple[str, float], float]:
    fold = np.random.default_rng(seed).integers(0, _RESIDUAL_FOLDS, home.max() + 1)[home]
    parts = [again[fold == number] for number in range(_RESIDUAL_FOLDS)]
    calls = [(kept.homes, kept.log_price, held, kept.facts, kept.rule, seed) for held in parts]
    estimates = in_parallel(_held_out, calls, progress, "Pricing homes sold more than once")
    rows, estimate = np.concatenate(parts), np.concatenate(estimates)
    identity = take(kept.identity, rows)
    keys = home_keys(identity).of_sales(days_since_2000(identity["sale_date"]))
    return dict(zip(keys, (kept.log_price[rows] - estimate).tolist(), strict=True))


def _held_out(homes: pd.DataFrame, log_price: Floats, held: Ints, facts: FactColumns, rule: Rule, seed: int) -> Floats:
    """Return the log estimates of the sales at ``held`` by a model of all others."""
    rest = np.setdiff1d(np.arange(len(homes)), held)
    features = feature_pipeline(facts, rule)
    matrix = dense(features.fit_transform(homes.iloc[rest], log_price[rest]))
    some = drawn(len(rest), COMPARED_MAX, seed)
    model = BlendedBoosting(column_names(features), seed=seed, **_QUICK).fit(matrix[some], log_price[rest][some])
    return model.predict(dense(features.transform(homes.iloc[held])))
