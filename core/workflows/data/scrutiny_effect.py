"""What the decisions on doubtful sales do: to a model's error on sales nobody doubts, and to today's prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold

from core.access import Action
from core.arrays import Bools, Floats, Ints
from core.errors import TooFewSales
from core.prepare.features.facts import find_facts
from core.prepare.features.neighbours import Rule
from core.prepare.features.pipeline import dense, feature_pipeline
from core.progress import Progress
from core.states import Family
from core.train.candidates import Candidate
from core.train.leaderboard import column_names, fit
from core.wording import count, percent
from core.workflows.data.sale_pool import as_brought, load_pool, settle
from core.workflows.data.scrutiny import review_queue
from core.workspace import Workspace

SALES_MAX: Final = 6_000
"""How many of the latest sales are measured: enough for a difference of a tenth of a point, and done in a minute."""

_FOLDS: Final = 3
_QUICK: Final = Candidate(Family.BLEND, {"n_estimators": 150, "learning_rate": 0.15})
_RESAMPLES: Final = 500


@dataclass(frozen=True)
class Effect:
    """The error of a quick blend on the ``n`` sales nobody doubts, each priced by a model that has not seen it.

    ``as_brought``: mean absolute percentage error where the model learns from every sale as it was brought;
    ``as_decided``: where it learns from what rules and decisions leave in use. ``gain`` is their difference, positive
    where decisions help, with its 95% interval (bootstrap of the sales, ``gain_low`` to ``gain_high``).
    ``price_change`` is the median absolute change of the estimates of these homes on the latest day of sale, ``moved``
    the share that changes by more than 1%. All are fractions. ``doubtful`` counts the sales of the review queue among
    those measured.
    """

    n: int
    doubtful: int
    as_brought: float
    as_decided: float
    gain: float
    gain_low: float
    gain_high: float
    price_change: float
    moved: float
    words: str


def measure_effect(workspace: Workspace, market_id: str, progress: Progress) -> Effect:
    """Measure what the decisions, and the rules where nobody has decided, do to error and prices; changes nothing.

    Three-fold cross-validation over the latest 6,000 sales. Raises AccessDenied, NotFound where there are no sales,
    TooFewSales, StoreError.
    """
    workspace.require(Action.VIEW_DATA)
    queue = review_queue(workspace, market_id)
    history = workspace.store.sale_decisions.history(market_id)
    pool = load_pool(workspace.store, queue.version)
    decided = settle(pool, history)
    brought = as_brought(pool, history)
    order = np.argsort(pool.sales["sale_date"].to_numpy(), kind="stable")[-SALES_MAX:]
    doubted = pool.sales["intake_row"].isin(queue.rows["intake_row"]).to_numpy()
    quiet = np.flatnonzero(~doubted[order])
    needed = workspace.problem.training.sales_min
    if len(quiet) < needed:
        raise TooFewSales(f"The effect is measured on {needed:,} sales or more; {len(quiet):,} are beyond doubt.")
    seed = workspace.problem.training.seed
    every = np.ones(len(order), dtype=bool)
    errors, prices = [], []
    for step, (sales, use) in enumerate(((brought.sales, every), (decided.sales, ~decided.waits[order]))):
        progress(step / 2, f"Pricing {count(len(quiet), 'sale')} by models that have not seen them")
        table = sales.iloc[order].reset_index(drop=True)
        log_price = _out_of_fold(table, use, quiet, seed)
        errors.append(np.abs(np.exp(log_price) / table["sale_price"].to_numpy(dtype="float64")[quiet] - 1.0))
        prices.append(_today(table, use, quiet, seed))
    progress(1.0, "Measured")
    return _effect(errors[0], errors[1], prices, int((doubted[order]).sum()), seed)


def _out_of_fold(table: pd.DataFrame, use: Bools, quiet: Ints, seed: int) -> Floats:
    """Return log estimates of the quiet sales, shape (len(quiet),), each by a fit without the sales of its fold."""
    estimate = np.empty(len(quiet))
    for _, fold in KFold(_FOLDS, shuffle=True, random_state=seed).split(quiet):
        learned = use.copy()
        learned[quiet[fold]] = False
        estimate[fold] = _fitted(table[learned], table.iloc[quiet[fold]], seed)
    return estimate


def _today(table: pd.DataFrame, use: Bools, quiet: Ints, seed: int) -> Floats:
    """Return log estimates of the same homes on the latest day of sale, by a fit on all sales in use."""
    homes = table.iloc[quiet].assign(sale_date=table["sale_date"].max())
    return _fitted(table[use], homes, seed)


def _fitted(train: pd.DataFrame, homes: pd.DataFrame, seed: int) -> Floats:
    train = train.reset_index(drop=True)
    log_price = np.log(train["sale_price"].to_numpy(dtype="float64"))
    features = feature_pipeline(find_facts(train), Rule.OTHERS)
    matrix = dense(features.fit_transform(train, log_price))
    estimator = fit(_QUICK, matrix, log_price, column_names(features), seed)
    return np.asarray(estimator.predict(dense(features.transform(homes.reset_index(drop=True)))), dtype=np.float64)


def _effect(brought: Floats, decided: Floats, prices: list[Floats], doubtful: int, seed: int) -> Effect:
    better = brought - decided
    draws = np.random.default_rng(seed).integers(0, len(better), (_RESAMPLES, len(better)))
    low, high = (float(one) for one in np.quantile(better[draws].mean(axis=1), [0.025, 0.975]))
    change = np.abs(np.expm1(prices[1] - prices[0]))
    before, after = float(brought.mean()), float(decided.mean())
    moved, middle = float((change > 0.01).mean()), float(np.median(change))
    words = (
        f"On {count(len(better), 'sale')} nobody doubts, a quick blend errs by {percent(before, 2)} when it learns "
        f"from all sales as they were brought, and by {percent(after, 2)} with the {count(doubtful, 'doubtful sale')} "
        f"as decided: {percent(before - after, 2)} less (95% interval {percent(low, 2)} to {percent(high, 2)}; "
        f"three-fold cross-validation, mean absolute error). Today's estimates of these homes move by "
        f"{percent(middle, 2)} in the middle, and {percent(moved)} of them by more than 1%."
    )
    return Effect(len(better), doubtful, before, after, before - after, low, high, middle, moved, words)
