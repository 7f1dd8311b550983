"""What a market's pace, jumps in assessed value and the mortgage rate add, by time, in the simulated city."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from core import measures
from core.prepare.signals.indicators import values_before
from core.prepare.splits import TIME
from core.problem import load_problem
from core.progress import silent
from core.schema import ASSESSED_RISE
from core.states import Family
from core.train.model import refreshed
from core.train.trainer import TrainingPlan, default_plan, train
from tests.benchmarks.facts.demo_city import demo_city

_RATE: Final = "x_mortgage_rate"
_WITHOUT: Final = {
    "neither": ("list_date", ASSESSED_RISE),
    "pace": (ASSESSED_RISE,),
    "jump in assessed value": ("list_date",),
    "both": (),
}
"""What a model learns from, and the columns it then does without."""


def measure(sales: int) -> Iterator[dict[str, Any]]:
    """Yield the errors on the latest fifth of the sales, each month priced with the sales before it."""
    # The fast blend and few folds: folds only calibrate ranges, which are not looked at here.
    usual = default_plan(load_problem())
    plan = replace(usual, split=TIME, families=(Family.BLEND,), boosting_budget=1, folds=3, curve_shares=())
    with demo_city(sales) as opened:
        assert opened is not None
        store, market_id = opened
        version = store.versions.latest(market_id)
        assert version is not None
        table = store.versions.load(version.version_id).sort_values("intake_row", kind="stable")
        indicators = store.versions.load_indicators(version.version_id)
        assert indicators is not None
    # As of the day before the listing, when the seller decided on a price.
    rates = values_before(indicators, table["list_date"].fillna(table["sale_date"])).iloc[:, 0]
    found = _errors(table.assign(**{_RATE: rates}), version.rows_seen, plan)
    yield {"market": f"demo city, {sales:,} sales", "learns_from": "both and the mortgage rate", **found}
    for learned, columns in _WITHOUT.items():
        found = _errors(table.drop(columns=list(columns)), version.rows_seen, plan)
        yield {"market": f"demo city, {sales:,} sales", "learns_from": learned, **found}


def _errors(sales: pd.DataFrame, rows_seen: int, plan: TrainingPlan) -> dict[str, Any]:
    trained = train(sales, rows_seen, plan, load_problem(), silent)
    test = sales[trained.split.test]
    price, months = test["sale_price"].to_numpy(dtype=float), test["sale_date"].dt.to_period("M")
    estimate = np.empty(len(test))
    for month in sorted(months.unique()):
        rows = (months == month).to_numpy()
        live = refreshed(trained.model, sales[sales["sale_date"] < month.start_time])
        estimate[rows] = live.estimate(test[rows])
    return {
        "n": len(test),
        "mape": round(measures.mape(estimate, price), 4),
        "mdape": round(measures.mdape(estimate, price), 4),
        "ppe10": round(measures.ppe10(estimate, price), 4),
    }
