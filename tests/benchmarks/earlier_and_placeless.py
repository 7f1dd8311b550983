"""What a home's own earlier sale adds on King County, and how a market without coordinates does beside CatBoost."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from core import measures
from core.arrays import Bools, Floats
from core.prepare.features.facts import COORDINATES, find_facts
from core.prepare.features.own_sales import SOON_YEARS, YEARS_SINCE
from core.problem import load_problem
from core.progress import silent
from core.states import Family
from core.train.model import Priced
from core.train.trainer import Trained, TrainingPlan, default_plan, train
from core.workflows.data.intake import ingest
from core.workflows.source_files.reading import SourceFile
from tests.acting import acting
from tests.benchmarks.accuracy import KING_COUNTY, LEVEL, MANAGER, MELBOURNE, data_folder, ingested
from tests.benchmarks.rivals.learners import learners

_EARLIER_FILE: Final = "king_county/house_sales_2006_2015.tsv.gz"
_WINDOW_MONTHS: Final = 13


def own_sales() -> Iterator[dict[str, Any]]:
    """Yield the figures of King County's latest 13 months with and without what earlier sales of the homes say."""
    problem = load_problem()
    with ingested(KING_COUNTY) as opened:
        if opened is None:
            return
        store, market_id = opened
        path = data_folder() / _EARLIER_FILE
        ingest(
            acting(store, MANAGER, problem, today=date(2026, 1, 1)), market_id, [SourceFile(path, path.name)], silent
        )
        version = store.versions.latest(market_id)
        assert version is not None
        plan = replace(_quick(), window_months=_WINDOW_MONTHS)
        sales = store.versions.load(version.version_id).sort_values("intake_row", kind="stable")
        trained = train(sales, version.rows_seen, plan, problem, silent)
    test = sales[trained.split.test]
    price = test["sale_price"].to_numpy(dtype=float)
    years = trained.model.fill(test)[YEARS_SINCE]
    groups = {"all": np.ones(len(test), dtype=bool), "sold before": np.isfinite(years), "18 months": years < SOON_YEARS}
    for words, model in (("without", replace(trained.model, own_effect=None)), ("with", trained.model)):
        priced = model.price(test, LEVEL, problem.success.tolerance)
        for group, rows in groups.items():
            yield {"market": "King County", "own_sales": words, "homes": group, **_figures(priced, price, rows)}


def placeless() -> Iterator[dict[str, Any]]:
    """Yield the figures of Melbourne with its coordinates removed, beside CatBoost on the same rows and facts."""
    problem = load_problem()
    with ingested(MELBOURNE) as opened:
        if opened is None:
            return
        store, market_id = opened
        version = store.versions.latest(market_id)
        assert version is not None
        sales = store.versions.load(version.version_id).sort_values("intake_row", kind="stable")
    sales = sales.drop(columns=list(COORDINATES))
    trained = train(sales, version.rows_seen, _quick(), problem, silent)
    test = sales[trained.split.test]
    price = test["sale_price"].to_numpy(dtype=float)
    priced = trained.model.price(test, LEVEL, problem.success.tolerance)
    everyone = np.ones(len(test), dtype=bool)
    yield {"market": "Melbourne without coordinates", "model": "Doorstep", **_figures(priced, price, everyone)}
    other = _catboost(sales, trained)
    if other is not None:
        yield {
            "market": "Melbourne without coordinates",
            "model": "CatBoost",
            "n": len(price),
            **_errors(other, price),
        }


def _quick() -> TrainingPlan:
    return replace(default_plan(load_problem()), families=(Family.BLEND,), curve_shares=())


def _figures(priced: Priced, price: Floats, rows: Bools) -> dict[str, Any]:
    inside = ((priced.low <= price) & (price <= priced.high))[rows]
    width = ((priced.high - priced.low) / priced.point)[rows]
    return {
        "n": int(rows.sum()),
        **_errors(priced.exact[rows], price[rows]),
        "coverage": round(float(inside.mean()), 4),
        "width": round(float(width.mean()), 4),
    }


def _errors(estimate: Floats, price: Floats) -> dict[str, float]:
    return {
        "mape": round(measures.mape(estimate, price), 4),
        "mdape": round(measures.mdape(estimate, price), 4),
        "ppe10": round(measures.ppe10(estimate, price), 4),
    }


def _catboost(sales: pd.DataFrame, trained: Trained) -> Floats | None:
    """Return CatBoost's estimates of the test sales; None, and a word, where it is not installed."""
    learner = learners().get("CatBoost")
    if learner is None:
        print("skipped: CatBoost is not installed; pip install catboost", file=sys.stderr)
        return None
    known = sales[~trained.split.test]
    return np.exp(learner(known, find_facts(known))(sales[trained.split.test]))
