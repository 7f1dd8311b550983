"""What every test may ask for: the problem statement, a fresh store and the real sales files."""

from __future__ import annotations

import os
import shutil
import sys

from tests.one_process import ONE_PROCESS

# Before numpy loads OpenMP: on two processors shared with a browser, threads that wait for one another only cost time.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# What tests start fits in its own process: processes of joblib's would each load all libraries first, for fits of a few
# seconds. Tests that are about such processes set this aside.
os.environ.setdefault(ONE_PROCESS, "1")
# One key for all processes of a test run: stores made in one of them are copied and opened in others.
os.environ["DOORSTEP_SIGNING_KEY"] = "a-key-for-tests-only-which-signs-nothing-else"

import gc
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import joblib
import pytest
from joblib.parallel import SequentialBackend

from core.problem import Problem, load_problem
from core.schema import use_names
from core.store import Store, open_store
from core.workflows.pricing.desk import Desk, open_desk
from tests.king_county import build_king_county
from tests.made_once import copy_of
from tests.small_market import build_small_market

# A machine's slowness is no fault of the code; speed is measured by the benchmarks.
hypothesis.settings.register_profile("doorstep", deadline=None)
hypothesis.settings.load_profile("doorstep")

# The test processes keep the processors busy: fits wait for none of their own, each of which would load all libraries
# first. tests/train/test_trainer.py compares the two.
joblib.register_parallel_backend("in this process", SequentialBackend, make_default=True)

ROOT = Path(__file__).resolve().parent.parent
# The modules that take longest, longest first; those that need the same dear folder stand apart, as one waits for it.
LONGEST = (
    "browser/test_real_markets.py",
    "train/test_trainer.py",
    "browser/test_monitoring.py",
    "workflows/models/test_backtest.py",
    "workflows/test_servers_apart.py",
    "workflows/test_real_sales.py",
    "workflows/test_worker.py",
    "browser/test_real_files.py",
    "browser/test_shell.py",
    "browser/test_pricing.py",
    "browser/test_login.py",
    "browser/test_first_start.py",
    "browser/test_sales_data.py",
    "browser/test_kinds_of_files.py",
    "browser/test_evaluation.py",
    "workflows/test_large_markets.py",
    "workflows/data/test_spoiled_files.py",
    "test_cli_mapping.py",
    "test_cli_hostile.py",
    "workflows/operations/test_backup.py",
    "workflows/pricing/test_outdated_models.py",
    "train/test_own_sale.py",
    "workflows/test_claimed_work.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the longest modules: begun last, one of them would keep one process busy while the others wait."""
    places = {ROOT / "tests" / module: place for place, module in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_collection_finish() -> None:
    """Leave what thousands of tests consist of out of every later search for garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _main_module() -> Iterator[None]:
    """Give ``__main__`` back: Streamlit puts the page under test there, and processes started later would run it."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(autouse=True)
def _no_names_left() -> None:
    """Begin without a market's words for its columns: an earlier test of the same process may have left its own."""
    use_names({})


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


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store with nothing in it; a copy opens in a quarter of the time that its tables take to make."""
    home = tmp_path_factory.mktemp("empty") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        open_store(home).close()
    return home


@pytest.fixture
def store(empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A fresh store on disk, empty."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with open_store(Path(shutil.copytree(empty_home, tmp_path / "home"))) as opened:
        yield opened


@pytest.fixture(scope="session")
def small_home(tmp_path_factory: pytest.TempPathFactory, problem: Problem) -> Path:
    """The folder of a store with one small simulated market and its live model; copy it before changing it."""

    def make(home: Path) -> None:
        build_small_market(home, tmp_path_factory.mktemp("small-files"), problem)

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        return copy_of("small-market", tmp_path_factory, make)


@pytest.fixture
def own_store(small_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store of the test's own with the small simulated market and its live model."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with open_store(Path(shutil.copytree(small_home, tmp_path / "own-store"))) as opened:
        yield opened


@pytest.fixture(scope="session")
def king_county_home(sales_data: Path, tmp_path_factory: pytest.TempPathFactory, problem: Problem) -> Path:
    """The folder of a store with King County, 2014-15, and its live model; copy it before changing it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        return copy_of("king-county", tmp_path_factory, lambda home: build_king_county(home, sales_data, problem))


@pytest.fixture(scope="session")
def small_desk(small_home: Path, problem: Problem) -> Desk:
    """The pricing desk of the small simulated market."""
    with open_store(small_home) as opened:
        return open_desk(opened, opened.markets.list()[0].market_id, problem)
