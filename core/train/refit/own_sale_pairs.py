"""Homes sold more than once in training: what each sale brought above its estimate, and the pairs to learn from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Bools, Floats, Ints, Objects
from core.prepare.features.area_evidence import log_size
from core.prepare.features.columns import Columns, take
from core.prepare.features.derived import days_since_2000
from core.prepare.features.own_sales import OWN_SALE, OwnSales, home_keys, identity_of, keep_own_sales
from core.progress import Progress
from core.states import Family
from core.train.candidates import Candidate
from core.train.model import Model
from core.train.parallel import in_parallel
from core.train.ranges import RangeCalibration
from core.train.refit.own_sale_effect import PAIRS_MIN, OwnSaleEffect, Pairs, learn_effect
from core.train.refit.parts import Recipe, held_out_estimates

_FOLDS: Final = 3
# A third of the trees: a residual need not be exact to the last tenth of a percent.
_QUICK: Final = Candidate(Family.BLEND, {"n_estimators": 300, "learning_rate": 0.15})


@dataclass(frozen=True)
class KeptSales:
    """All sales known to a training run, those of training first: facts and dates, log prices and identity, (n,)."""

    homes: pd.DataFrame
    log_price: Floats
    identity: Columns


@dataclass(frozen=True)
class OutOfFold:
    """Training sales priced by models that had not seen them: their ``rows`` among the kept sales, log estimates."""

    rows: Ints
    log_estimate: Floats
    matrix: Floats
    kinds: Objects


def kept_sales(sales: pd.DataFrame, known: Bools, older: Bools | None, names: list[str]) -> KeptSales:
    """Return the ``known`` sales, then the ``older`` ones if any; ``names`` are the columns of their facts."""
    rows = np.flatnonzero(known) if older is None else np.concatenate([np.flatnonzero(known), np.flatnonzero(older)])
    ordered = sales.iloc[rows]
    log_price = np.log(ordered["sale_price"].to_numpy(dtype=float))
    return KeptSales(ordered[names], log_price, identity_of(ordered))


def with_own_sales(
    model: Model, kept: KeptSales, priced: OutOfFold, recipe: Recipe, level: float, progress: Progress
) -> Model:
    """Return the model with the kept sales by home, and what it learned from homes sold more than once."""
    filled = model.features.named_steps["facts"].transform(kept.homes)
    own = own_sales(kept, recipe, filled, progress)
    effect = learn_from_pairs(own, kept, priced, model.ranges, level, recipe.seed)
    return dataclasses.replace(model, own_sales=own, own_effect=effect)


def own_sales(kept: KeptSales, recipe: Recipe, filled: Columns, progress: Progress) -> OwnSales:
    """Return the sales by home, with the residuals of homes sold more than once if these are enough to learn from.

    No residual comes from a model that has seen another sale of the same home: that sale is what it must predict.
    """
    home = _numbers(kept.identity)
    sold = np.bincount(home[home >= 0], minlength=home.max() + 1) if (home >= 0).any() else np.zeros(1)
    again = np.flatnonzero((home >= 0) & (sold[home] > 1))
    residuals: dict[tuple[str, float], float] = {}
    if len(again) - len(np.unique(home[again])) >= PAIRS_MIN:
        residuals = _residuals(kept, recipe, again, home[again], progress)
    sizes = log_size(filled, recipe.facts)
    return keep_own_sales(kept.identity, kept.log_price, sizes, residuals)


def learn_from_pairs(
    own: OwnSales, kept: KeptSales, priced: OutOfFold, ranges: RangeCalibration, level: float, seed: int
) -> OwnSaleEffect | None:
    """Learn what an earlier sale says of the later ones that were priced out of fold; None if nothing can be shown."""
    identity = take(kept.identity, priced.rows)
    found = np.column_stack([own.find(identity)[name] for name in OWN_SALE[1:]])
    rows = np.flatnonzero(np.isfinite(found[:, 0]))
    pairs = Pairs(
        own=found[rows],
        log_estimate=priced.log_estimate[rows],
        log_price=kept.log_price[priced.rows[rows]],
        homes=_numbers(identity)[rows],
        matrix=priced.matrix[rows],
        kinds=priced.kinds[rows],
    )
    return learn_effect(pairs, ranges, level, seed)


def _numbers(identity: Columns) -> Ints:
    """Return a number for each home, shape (n,), -1 where nothing tells which it is."""
    keys = home_keys(identity)
    own = np.where(keys.ids != "", keys.ids, keys.addresses)
    numbers = pd.factorize(own)[0]
    return np.where(own == "", -1, numbers).astype(np.int64)


def _residuals(
    kept: KeptSales, recipe: Recipe, again: Ints, home: Ints, progress: Progress
) -> dict[tuple[str, float], float]:
    fold = np.random.default_rng(recipe.seed).integers(0, _FOLDS, home.max() + 1)[home]
    quick = Recipe(recipe.facts, recipe.rule, _QUICK, recipe.seed)
    everything = np.arange(len(kept.homes))
    parts = [again[fold == number] for number in range(_FOLDS)]
    calls = [(quick, kept.homes, kept.log_price, np.setdiff1d(everything, held), held) for held in parts]
    estimates = in_parallel(held_out_estimates, calls, progress, "Pricing homes sold more than once")
    rows, estimate = np.concatenate(parts), np.concatenate(estimates)
    identity = take(kept.identity, rows)
    keys = home_keys(identity).of_sales(days_since_2000(identity["sale_date"]))
    return dict(zip(keys, (kept.log_price[rows] - estimate).tolist(), strict=True))
