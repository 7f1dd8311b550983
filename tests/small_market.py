"""A small simulated market with a live model, for tests that look at what is built on one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from core.access import Actor, Role
from core.demo.city import END
from core.demo.files import demo_files
from core.problem import Problem
from core.progress import silent
from core.states import Family
from core.store import Market, open_store
from core.train.trainer import default_plan
from core.workflows.data.intake import ingest
from core.workflows.source_files.reading import SourceFile
from core.workflows.training import train_model
from tests.acting import acting

SALES = 3_000
MANAGER = Actor("Mia", Role.MANAGER)


def build_small_market(home: Path, files: Path, problem: Problem) -> Market:
    """Make a store in ``home`` with one simulated market (sq ft, USD), its sales and its live model (about 15 s)."""
    demo = demo_files(seed=2019, sales=SALES)
    sources = []
    for name, content in zip(demo.names, (demo.sales, demo.tax, demo.neighbourhoods), strict=True):
        path = files / name
        path.write_bytes(content)
        sources.append(SourceFile(path, name))
    # The family that usually wins and one to compare it with: these tests look at what is built on a model.
    families = (Family.LINEAR, Family.BLEND)
    plan = replace(
        default_plan(problem), families=families, forest_budget=0, boosting_budget=1, folds=3, curve_shares=()
    )
    with open_store(home) as store:
        market = store.markets.create("Larkhaven", "USD", "sqft", True, MANAGER)
        ingest(acting(store, MANAGER, problem, today=END + timedelta(days=1)), market.market_id, sources, silent)
        train_model(acting(store, MANAGER, problem), market.market_id, plan, silent)
    return market
