"""Many homes at once: a batch, every sale of the market, and a file into the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from cProfile import Profile
from typing import Final

import pandas as pd

from core.store import open_store
from core.workflows.pricing.desk import Desk
from tests.benchmarks.book import baselines
from tests.benchmarks.book.measurement import Measurement
from tests.benchmarks.book.place import Place, desk_of, sales_of
from tests.benchmarks.pricing import batch_seconds, file_seconds, plain_pipeline, seconds
from tests.benchmarks.processes import peak_memory

_ROWS: Final = 10_000
_AT_ONCE: Final = 50_000


def measure(place: Place) -> Iterator[Measurement]:
    """Yield the seconds of pricing all sales, and rows a second beside plain boosting."""
    with place.copied_home() as home, open_store(home) as store:
        sales = sales_of(store)
        homes = sales.drop(columns=["sale_price", "sale_date"])
        with peak_memory() as peak:
            desk = desk_of(store)
            whole = _all_seconds(desk, homes)
        some = homes.sample(_ROWS, replace=True, random_state=1)
        ours, filed = batch_seconds(desk, some), file_seconds(store, desk, some, repeats=1)
    part, note = baselines.part_of(sales)
    plain, columns = plain_pipeline(part)
    beside = seconds(lambda: plain.predict(some[columns]))
    name = f"{baselines.BOOSTING} of 500 trees: predict"
    yield place.measured("price all sales", "s", whole)
    yield place.measured("price all sales: peak memory", "MB", peak.bytes / 1e6)
    yield place.measured(f"{len(some):,} homes at once", "s", ours, name, beside, note)
    yield place.measured("homes a second", "1/s", len(some) / ours)
    yield place.measured(f"file of {len(some):,} homes to the ledger", "s", filed, name, beside, note)


def profiled(place: Place, profile: Profile) -> None:
    """Price all sales."""
    with place.store() as store:
        homes = sales_of(store).drop(columns=["sale_price", "sale_date"])
        profile.runcall(_all_seconds, desk_of(store), homes)


def _all_seconds(desk: Desk, homes: pd.DataFrame) -> float:
    parts = [homes.iloc[first : first + _AT_ONCE] for first in range(0, len(homes), _AT_ONCE)]
    return sum(batch_seconds(desk, part, repeats=1) for part in parts)
