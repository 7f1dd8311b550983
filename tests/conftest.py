"""What every test may ask for: the problem statement, a fresh store and the real sales files."""

from __future__ import annotations

import os

# Before numpy loads OpenMP: on two processors shared with a browser, threads that wait for one another only cost time.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import hypothesis
import pytest

from core.access import Actor, Role
from core.collect.demo_files import demo_files
from core.lifecycle import DEMO_MARKET, Desk, SourceFile, ingest, open_desk, train_model
from core.problem import Problem, load_problem
from core.progress import silent
from core.store import Store, open_store
from core.train.candidates import Family
from core.train.trainer import TrainingPlan

# A machine's slowness is no fault of the code; speed is measured by the benchmarks.
hypothesis.settings.register_profile("doorstep", deadline=None)
hypothesis.settings.load_profile("doorstep")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def problem() -> Problem:
    """The shipped problem statement."""
    return load_problem()


@pytest.fixture(scope="session")
def sales_data() -> Path:
    """The folder of real sales files; its tests are skipped, and say so, where it does not exist."""
    folder = Path(os.environ.get("SALES_DATA_DIR", ROOT / ".." / "shared" / "data")).resolve()
    if not folder.is_dir():
        message = f"real sales data not found at {folder}; set SALES_DATA_DIR to run these tests"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A fresh store on disk, empty."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with open_store(tmp_path / "home") as opened:
        yield opened


@pytest.fixture(scope="session")
def small_home(tmp_path_factory: pytest.TempPathFactory, problem: Problem) -> Path:
    """The folder of a store with one small simulated market and its live model; copy it before changing it."""
    home = tmp_path_factory.mktemp("small-market")
    files = demo_files(seed=2019, sales=3_000)
    with open_store(home / "store") as opened:
        manager = Actor("test manager", Role.MANAGER)
        market = opened.markets.create(DEMO_MARKET, "USD", "sqft", True, manager)
        sources = []
        for name, content in zip(files.names, (files.sales, files.tax, files.neighbourhoods), strict=True):
            (home / name).write_bytes(content)
            sources.append(SourceFile(home / name, name))
        ingest(opened, market.market_id, sources, manager, problem, date(2025, 1, 1), silent)
        plan = TrainingPlan("random", 42, (Family.LINEAR, Family.BOOSTING), 0, 1, 3)
        train_model(opened, market.market_id, plan, manager, problem, silent)
    return home / "store"


@pytest.fixture(scope="session")
def small_desk(small_home: Path, problem: Problem) -> Desk:
    """The pricing desk of the small simulated market."""
    with open_store(small_home) as opened:
        return open_desk(opened, opened.markets.list()[0].market_id, problem)
