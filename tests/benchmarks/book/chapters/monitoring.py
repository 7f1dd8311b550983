"""The queries behind the monitoring page, on a ledger with as many estimates as the size has sales."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from tests.benchmarks import long_ledger
from tests.benchmarks.book.measurement import Measurement
from tests.benchmarks.book.place import Place, timed

_PANDAS = "pandas: read_sql and groupby of the same ledger"


def measure(place: Place) -> Iterator[Measurement]:
    """Yield the milliseconds of the page's figures together, and of each over everything."""
    with tempfile.TemporaryDirectory(prefix="doorstep-book-", dir=place.out) as folder:
        found = list(long_ledger.measure(Path(folder), place.size))
        beside = 1000 * timed(lambda: _by_pandas(Path(folder)))
    for figures in found:
        where = figures.pop("slice")
        yield place.measured(f"figures of {where}", "ms", figures.pop("together_ms"), _PANDAS, beside)
        figures.pop("rows")
        if where == "everything":
            yield from (place.measured(name.removesuffix("_ms"), "ms", value) for name, value in figures.items())


def _by_pandas(home: Path) -> None:
    with sqlite3.connect(home / "doorstep.sqlite") as connection:
        estimates = pd.read_sql(
            "select estimate_id, day, office, status, latency_ms, flagged from estimate", connection
        )
        outcomes = pd.read_sql("select estimate_id, sale_date, error, inside, office from outcome", connection)
    estimates.groupby(["day", "status"])["latency_ms"].agg(["count", "median"])
    estimates.groupby("office")["flagged"].mean()
    outcomes.assign(month=outcomes["sale_date"].astype("str").str[:7], size=outcomes["error"].abs()).groupby("month")[
        ["size", "inside"]
    ].mean()
    estimates.merge(outcomes, on="estimate_id").groupby("office_x")["error"].median()
