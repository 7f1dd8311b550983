"""`python -m tests.benchmarks.book.desk_process open|commit HOME`: a process that opens a desk, or adds sales."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from core.store import NewVersion, open_store
from core.workspace import Workspace
from tests.acting import acting
from tests.benchmarks.book.place import MANAGER, market_of, sales_of


def resident() -> dict[str, float]:
    """Return this process's resident memory in MB: its own, and what it maps and shares with others."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    kilobytes = {name: int(fields[name].split()[0]) for name in ("RssAnon", "RssFile", "RssShmem")}
    return {
        "own": kilobytes["RssAnon"] / 1024,
        "mapped": (kilobytes["RssFile"] + kilobytes["RssShmem"]) / 1024,
    }


def open_once(home: Path) -> None:
    """Open the desk as a server does, and print the seconds and the memory."""
    from core.workflows.pricing.open_desks import OpenDesks
    from tests.benchmarks.pricing import price_first_home

    with open_store(home) as store:
        workspace: Workspace = acting(store, MANAGER)
        started = time.perf_counter()
        desk = OpenDesks().desk(workspace, market_of(store))
        opened = time.perf_counter() - started
        price_first_home(desk)
        print(json.dumps({"seconds": opened, "first_answer": time.perf_counter() - started, **resident()}))


def commit_more(home: Path, count: int) -> None:
    """Add sales to the market's latest version: some of its own once more, with other ids, places and prices."""
    rng = np.random.default_rng(0)
    with open_store(home) as store:
        version = store.versions.latest(market_of(store))
        assert version is not None
        sales = sales_of(store)
        more = sales.tail(count).copy()
        more["intake_row"] += int(sales["intake_row"].max()) + 1
        more["sale_price"] = (more["sale_price"] * np.exp(rng.normal(0, 0.03, len(more)))).round()
        more["sale_date"] = sales["sale_date"].max()
        for name in ("latitude", "longitude"):
            if name in more:
                more[name] += rng.normal(0, 0.002, len(more))
        for name in ("property_id", "sale_id"):
            if name in more:
                more[name] = more[name] + "-later"
        table = pd.concat([sales, more], ignore_index=True)
        ledger = pd.DataFrame({"file": ["later.csv"]})
        new = NewVersion(
            version.market_id, table, version.version_id, (), ledger, version.rows_seen + 10 * len(more), "later sales"
        )
        started = time.perf_counter()
        committed = store.versions.commit(new, MANAGER)
        print(json.dumps({"seconds": time.perf_counter() - started, "sales": committed.rows}))


if __name__ == "__main__":
    if sys.argv[1] == "open":
        open_once(Path(sys.argv[2]))
    else:
        commit_more(Path(sys.argv[2]), int(sys.argv[3]))
