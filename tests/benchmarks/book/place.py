"""Where a chapter measures: the number of sales, the store made for it once, and copies of that to write to."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from core.access import Actor, Role
from core.problem import load_problem
from core.store import Store, open_store
from core.workflows.pricing.desk import Desk, open_desk
from tests.benchmarks.book.measurement import Measurement

MANAGER: Final = Actor("benchmark", Role.MANAGER)
_STORES: Final = "stores"


@dataclass(frozen=True)
class Place:
    """A chapter at a number of sales; ``out`` is the folder of the whole run."""

    chapter: str
    size: int
    out: Path

    @property
    def folder(self) -> Path:
        """The folder of the files and the store of this size."""
        return self.out / _STORES / str(self.size)

    @property
    def home(self) -> Path:
        """The store of this size, which the chapters share: ingest makes it, and training gives it a live model."""
        return self.folder / "home"

    @property
    def files(self) -> list[Path]:
        """The source files of this size."""
        return sorted(self.folder.glob("*.csv"))

    def measured(
        self, name: str, unit: str, value: float, baseline: str = "", beside: float | None = None, note: str = ""
    ) -> Measurement:
        """Return a measurement of this chapter at this size."""
        return Measurement(self.chapter, self.size, name, unit, float(value), baseline, beside, note)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The shared store, to read from."""
        with open_store(self.home) as store:
            yield store

    @contextmanager
    def copied_home(self) -> Iterator[Path]:
        """A copy of the shared store, to write to; removed afterwards."""
        with tempfile.TemporaryDirectory(prefix="copy-", dir=self.folder) as folder:
            home = Path(folder) / "home"
            shutil.copytree(self.home, home)
            yield home


def market_of(store: Store) -> str:
    """Return the id of the store's one market."""
    [market] = store.markets.list()
    return market.market_id


def sales_of(store: Store) -> pd.DataFrame:
    """Return all sales of the store's one market."""
    version = store.versions.latest(market_of(store))
    assert version is not None
    return store.versions.load(version.version_id)


def desk_of(store: Store) -> Desk:
    """Open the desk of the store's one market."""
    return open_desk(store, market_of(store), load_problem())


def timed(call: Callable[[], object]) -> float:
    """Return the seconds of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
