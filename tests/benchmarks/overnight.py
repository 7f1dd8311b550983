"""A company with many markets retrains all of them on a cluster: seconds, memory, and how each market ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from core.demo.city import END
from core.demo.files import demo_files
from core.demo.intake import take_in
from core.parallel.cluster import SCHEDULER
from core.progress import silent
from core.states import Family
from core.store import open_store
from core.train.trainer import TrainingPlan, default_plan
from core.workflows.data.market_of_files import NewMarket
from core.workflows.models.retraining import RetrainPlan
from core.workflows.retrain_markets import report_document, retrain_markets
from core.workflows.training import train_model
from core.workspace import Workspace
from tests.acting import acting
from tests.benchmarks.processes import peak_memory
from tests.parallel.dask_cluster import ROOT, started

_NOTED_EVERY: Final = 10


def measure(home: Path, markets: int, sales: int, workers: int) -> Iterator[dict[str, Any]]:
    """Make the markets that are not there yet, then retrain all of them on a cluster of that many workers."""
    with open_store(home) as store:
        workspace = acting(store, today=END + timedelta(days=1))
        yield from _set_up(workspace, markets, sales)
        live = _live_models(workspace)
        started_at = time.perf_counter()
        with _cluster(workers), _other_workers(home, workers - 1), peak_memory() as peak:
            reports = retrain_markets(workspace, RetrainPlan(base=_plan(workspace, Family.BLEND)), silent)
        seconds = time.perf_counter() - started_at
        document = report_document(reports)
        promoted = len(live.symmetric_difference(_live_models(workspace)))
    yield {
        "step": "retrain all",
        "markets": len(reports),
        "sales_each": sales,
        "workers": workers,
        "seconds": round(seconds),
        "seconds_per_market": round(seconds / len(reports), 1),
        "peak_mb": round(peak.bytes / 1e6),
        "retrained": document["retrained"],
        "failed": document["failed"],
        "promoted": promoted,
        "verdicts": _counted([one.verdict for one in reports]),
        "why": sorted({one.words for one in reports if not one.done}),
        "load": os.getloadavg(),
    }


def _set_up(workspace: Workspace, markets: int, sales: int) -> Iterator[dict[str, Any]]:
    """Simulate a city for each market, take its files in, and train a simple live model."""
    held = {market.name for market in workspace.store.markets.list()}
    # Only what the challengers are held against: two folds make it sooner.
    plan = replace(_plan(workspace, Family.LINEAR), folds=2)
    started_at, made = time.perf_counter(), 0
    for number in range(markets):
        name = f"City {number:03d}"
        if name in held:
            continue
        take_in(workspace, NewMarket(name, "USD", "sqft", simulated=True), demo_files(1_000 + number, sales), silent)
        market = next(one for one in workspace.store.markets.list() if one.name == name)
        train_model(workspace, market.market_id, plan, silent)
        made += 1
        if made % _NOTED_EVERY == 0 or number == markets - 1:
            yield {"step": "set up", "made": made, "seconds": round(time.perf_counter() - started_at)}


def _plan(workspace: Workspace, *families: Family) -> TrainingPlan:
    """Train these families on known settings: a night has no time for a search in each of 200 markets."""
    return replace(default_plan(workspace.problem), families=families, boosting_budget=1, curve_shares=())


def _live_models(workspace: Workspace) -> set[tuple[str, str]]:
    """Return the live model of each market that has one."""
    store = workspace.store
    pairs = ((one.market_id, store.models.champion(one.market_id)) for one in store.markets.list())
    return {(market, model.model_id) for market, model in pairs if model is not None}


@contextmanager
def _cluster(workers: int) -> Iterator[None]:
    with started(workers) as cluster:
        os.environ[SCHEDULER] = cluster.address
        try:
            yield
        finally:
            del os.environ[SCHEDULER]


@contextmanager
def _other_workers(home: Path, count: int) -> Iterator[None]:
    """Workers of Doorstep beside this process: a market's steps that cannot be shared keep no processor waiting."""
    own = {**os.environ, "DOORSTEP_HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "core", "worker"]
    running = [subprocess.Popen(command, env=own, cwd=ROOT, stdout=subprocess.DEVNULL) for _ in range(count)]
    try:
        yield
    finally:
        for one in running:
            one.terminate()
        for one in running:
            one.wait()


def _counted(words: list[str]) -> dict[str, int]:
    return {word or "none": words.count(word) for word in sorted(set(words))}
