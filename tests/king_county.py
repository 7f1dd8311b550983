"""King County as published, by mapping alone, with a live model of one setting of the blend."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from core.access import Actor, Role
from core.problem import Problem
from core.progress import silent
from core.states import Family
from core.store import open_store
from core.train.trainer import default_plan
from core.workflows.data.intake import ingest
from core.workflows.source_files.reading import SourceFile
from core.workflows.training import train_model
from tests.acting import acting

SALES = 21_613
FILE = "king_county/kc_house_data_2014_2015.csv"
MANAGER = Actor("test manager", Role.MANAGER)


def build_king_county(home: Path, sales_data: Path, problem: Problem) -> None:
    """Make a store in ``home`` with the sales of King County, 2014-15, and their live model (about 40 s)."""
    path = sales_data / FILE
    plan = replace(default_plan(problem), families=(Family.BLEND,), boosting_budget=1, folds=2, curve_shares=())
    with open_store(home) as store:
        market = store.markets.create("King County", "USD", "sqft", False, MANAGER)
        today = acting(store, MANAGER, problem, today=date(2026, 1, 1))
        ingest(today, market.market_id, [SourceFile(path, path.name)], silent)
        train_model(acting(store, MANAGER, problem), market.market_id, plan, silent)
