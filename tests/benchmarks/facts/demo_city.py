"""The simulated city as a market of its own in a store that goes away again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from core.demo.files import demo_files
from core.demo.intake import take_in
from core.problem import load_problem
from core.progress import silent
from core.store import Store, open_store
from core.workflows.data.market_of_files import NewMarket
from tests.acting import acting
from tests.benchmarks.accuracy import MANAGER

_NAME = "Demo city"


@contextmanager
def demo_city(sales: int) -> Iterator[tuple[Store, str] | None]:
    """A fresh store with the simulated city of this many sales, and the city's id."""
    with tempfile.TemporaryDirectory(prefix="doorstep-bench-") as home, open_store(Path(home)) as store:
        workspace = acting(store, MANAGER, load_problem(), today=date(2026, 1, 1))
        take_in(workspace, NewMarket(_NAME, "USD", "sqft", simulated=True), demo_files(sales=sales), silent)
        [market] = store.markets.list()
        yield store, market.market_id
