"""One table over the markets of real sales: Doorstep beside other learners that get the same level every month."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold

from core import measures
from core.arrays import Floats
from core.prepare.features.facts import FactColumns, find_facts
from core.prepare.splits import TIME
from core.problem import load_problem
from core.progress import silent
from core.states import Family
from core.store import Store
from core.train.level import RECENT_DAYS, Residuals, join, market_level
from core.train.live_model import residuals_of_table
from core.train.trainer import TrainingPlan, default_plan, split_sales
from core.workflows.training import train_model
from tests.acting import acting
from tests.benchmarks.accuracy import KING_COUNTY, LEVEL, MANAGER, MELBOURNE, SINGAPORE, RealMarket, ingested
from tests.benchmarks.rivals.learners import SEED, Learner, learners

MARKETS: Final = (KING_COUNTY, MELBOURNE, SINGAPORE)
SPLITS: Final = ("random", TIME)
_FOLDS: Final = 3


def compare(market: RealMarket, split: str) -> Iterator[dict[str, Any]]:
    """Yield a row a model, Doorstep first: the errors on the test sales of a split ("random" or "time").

    By time, each month of the test is priced with the sales before it: Doorstep with its evidence and its level brought
    up to that day, the others with the same level, drawn from their own errors.
    """
    problem = load_problem()
    with ingested(market) as opened:
        if opened is None:
            return
        store, market_id = opened
        test_from = market.test_from if split == TIME else None
        plan = replace(
            default_plan(problem), split=split, test_from=test_from, families=(Family.BLEND,), curve_shares=()
        )
        started = time.perf_counter()
        record = train_model(acting(store, MANAGER, problem), market_id, plan, silent)
        took = time.perf_counter() - started
        metrics = record.card["metrics"]
        figures = {name: round(float(metrics[name]["value"]), 4) for name in ("mape", "mdape", "ppe10", "bias")}
        about = {"market": market.name, "split": split}
        yield {**about, "model": "Doorstep", "n": metrics["n"], **figures, "train_seconds": round(took, 1)}
        known, test = _known_and_test(store, market_id, plan)
    for name, learner in learners().items():
        started = time.perf_counter()
        log_points = leveled_estimates(learner, known, test) if split == TIME else _estimates(learner, known, test)
        took = time.perf_counter() - started
        yield {**about, "model": name, "n": len(test), **_errors(log_points, test), "train_seconds": round(took, 1)}


def _known_and_test(store: Store, market_id: str, plan: TrainingPlan) -> tuple[pd.DataFrame, pd.DataFrame]:
    version = store.versions.latest(market_id)
    assert version is not None
    sales = store.versions.load(version.version_id).sort_values("intake_row", kind="stable")
    split = split_sales(sales, version.rows_seen, plan, load_problem())
    return sales[split.train | split.validation], sales[split.test]


def _estimates(learner: Learner, known: pd.DataFrame, test: pd.DataFrame) -> Floats:
    return learner(known, find_facts(known))(test)


def leveled_estimates(learner: Learner, known: pd.DataFrame, test: pd.DataFrame) -> Floats:
    """Return log estimates of the test sales, shape (n,), each month's with the level that the sales before it give."""
    facts = find_facts(known)
    log_points = learner(known, facts)(test)
    months = test["sale_date"].dt.to_period("M")
    leveled = log_points.copy()
    seen = [_held_out_residuals(learner, known, facts)]
    for month in sorted(months.unique()):
        rows = (months == month).to_numpy()
        level = market_level(join(tuple(seen)), month.start_time.date(), LEVEL)
        found = _residuals(test[rows], log_points[rows], facts)
        leveled[rows] += level.shift(found.days, found.areas)
        seen.append(found)
    return leveled


def _held_out_residuals(learner: Learner, known: pd.DataFrame, facts: FactColumns) -> Residuals:
    """Return the residuals of the latest known sales, each estimated by a fit without it."""
    log_points = np.empty(len(known))
    for fit, left_out in KFold(_FOLDS, shuffle=True, random_state=SEED).split(known):
        log_points[left_out] = learner(known.iloc[fit], facts)(known.iloc[left_out])
    return _residuals(known, log_points, facts).latest(RECENT_DAYS)


def _residuals(sales: pd.DataFrame, log_points: Floats, facts: FactColumns) -> Residuals:
    log_ratio = np.log(sales["sale_price"].to_numpy(dtype=float)) - log_points
    # Only ranges need a reach, and none is drawn here.
    reach = np.ones(len(sales))
    return residuals_of_table(facts, sales, log_ratio, (reach, reach))


def _errors(log_points: Floats, test: pd.DataFrame) -> dict[str, float]:
    points, price = np.exp(log_points), test["sale_price"].to_numpy(dtype=float)
    return {
        "mape": round(measures.mape(points, price), 4),
        "mdape": round(measures.mdape(points, price), 4),
        "ppe10": round(measures.ppe10(points, price), 4),
        "bias": round(measures.median_bias(points, price), 4),
    }
