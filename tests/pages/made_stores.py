"""Stores for the tests of the pages: a simulated market with two small models, and files as analysts bring them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from core.access import Actor, Role
from core.demo.files import demo_files
from core.problem import load_problem
from core.states import Family
from core.store import open_store
from core.train.trainer import default_plan
from core.workflows.data.intake import ingest
from core.workflows.data.market_of_files import NewMarket
from core.workflows.source_files.reading import SourceFile
from core.workflows.training import train_model
from tests.acting import acting

MANAGER = Actor("Max", Role.MANAGER)
TODAY = date(2025, 1, 1)


def quiet(fraction: float, message: str) -> None:
    """Report to nobody."""


def make_trained(home: Path, sales: int = 1_200) -> None:
    """Make a market of made-up sales with two models in ``home``, the first of them live."""
    problem, files = load_problem(), demo_files(3, sales)
    path = home.with_suffix(".csv")
    path.write_bytes(files.sales)
    plan = replace(default_plan(problem), families=(Family.LINEAR,), folds=2)
    with open_store(home) as store:
        market = NewMarket("Testville", "USD", "sqft")
        report = ingest(acting(store, MANAGER, problem, today=TODAY), market, [SourceFile(path, "sales.csv")], quiet)
        market_id = report.version.market_id
        train_model(acting(store, MANAGER, problem), market_id, plan, quiet)
        plan = replace(plan, families=(Family.TREE, Family.FOREST), forest_budget=2)
        train_model(acting(store, MANAGER, problem), market_id, plan, quiet)


def sales_csv(rows: int = 60) -> bytes:
    """Return a small file of sales under headers of its own, with one exact duplicate and one price of a dollar."""
    rng = np.random.default_rng(5)
    lines = ["Parcel,Sale date,Sold for,Zip,Finished sq ft,Beds,Remarks"]
    for row in range(rows):
        price, area = 200_000 + 10 * int(rng.integers(20_000)), 800 + 10 * int(rng.integers(200))
        lines.append(f"P{row:05},2024-0{1 + row % 9}-1{row % 9},{price},9810{row % 7},{area},{1 + row % 4},note {row}")
    lines.append(lines[1])
    lines.append("P99999,2024-05-05,1,98101,1500,3,a gift")
    return "\n".join(lines).encode()
