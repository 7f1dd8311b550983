"""How long an append to the ledger takes with many writers at once, beside plain inserts under the same pragmas."""

from __future__ import annotations

import json
import multiprocessing
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from core.store import Market, NewEstimate, Store, open_store
from tests.store.samples import AGENT, ANALYST, estimate

WRITERS = 8
# About what an answer takes in the ledger: drivers, comparables, flags, words.
ANSWER: dict[str, Any] = {
    "range": "$240K - $265K",
    "drivers": [{"name": f"fact {n}", "amount": 1_234.5 * n, "words": "so much for this fact"} for n in range(20)],
    "comparables": [
        {
            "sale": str(n),
            "price": 1e5 * n,
            "address": f"{n} N Main St",
            "weight": 0.1,
            "adjusted": {"area": 1.0, "age": 2},
        }
        for n in range(8)
    ],
}
Append = Callable[[], object]


def entry(market_id: str) -> NewEstimate:
    """An estimate of the usual size."""
    return estimate(market_id, answer=ANSWER, area="98103", property_type="condo")


def measure(home: Path, each: int) -> Iterator[dict[str, Any]]:
    """Yield a measurement for each way of writing: threads and processes, paced like agents in a rush, and unpaced."""
    with open_store(home) as store:
        market = store.markets.create("Bench", "USD", "sqft", True, ANALYST)
        for pause in (0.02, 0.0):
            pace = "unpaced" if pause == 0.0 else f"{WRITERS / pause:,.0f} a second"
            for what, times in (
                ("threads", _threads(lambda: _appender(store, market), each, pause)),
                ("plain threads", _threads(lambda: _plain(home), each, pause)),
                ("processes", _processes(_append_elsewhere, home, each, pause)),
                ("plain processes", _processes(_plain_elsewhere, home, each, pause)),
            ):
                p50, p95 = np.percentile(times, [50, 95])
                yield {"writers": what, "pace": pace, "n": len(times), "p50_ms": round(p50, 2), "p95_ms": round(p95, 2)}
        yield {"lost": 4 * each * WRITERS - store.ledger.count(market.market_id)}


def _appender(store: Store, market: Market) -> Append:
    new = entry(market.market_id)
    return lambda: store.ledger.append(new, AGENT)


def _plain(home: Path) -> Append:
    """A bare insert of as many bytes into a table with one index: no checks, no audit, no figures."""
    connection = sqlite3.connect(home / "plain.sqlite", timeout=10, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("CREATE TABLE IF NOT EXISTS line (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, answer TEXT)")

    def insert() -> None:
        connection.execute("BEGIN IMMEDIATE")
        values = (f"{random.getrandbits(64):016x}", json.dumps(ANSWER))
        connection.execute("INSERT INTO line (id, answer) VALUES (?, ?)", values)
        connection.execute("COMMIT")

    return insert


def _threads(make: Callable[[], Append], each: int, pause: float) -> list[float]:
    times: list[float] = []
    ready = threading.Barrier(WRITERS)

    def work(append: Append) -> None:
        ready.wait()
        times.extend(_timed(append, each, pause))

    threads = [threading.Thread(target=work, args=(make(),)) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def _processes(work: Callable[[Path, int, float], list[float]], home: Path, each: int, pause: float) -> list[float]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WRITERS, mp_context=context) as pool:
        list(pool.map(time.sleep, [2.0] * WRITERS))  # all of them are there before the first begins
        return [one for times in pool.map(work, *zip(*[(home, each, pause)] * WRITERS, strict=True)) for one in times]


def _append_elsewhere(home: Path, each: int, pause: float) -> list[float]:
    with open_store(home) as store:
        return _timed(_appender(store, store.markets.list()[0]), each, pause)


def _plain_elsewhere(home: Path, each: int, pause: float) -> list[float]:
    return _timed(_plain(home), each, pause)


def _timed(append: Append, each: int, pause: float) -> list[float]:
    times = []
    for _ in range(each):
        time.sleep(pause * random.uniform(0.5, 1.5))
        started = time.perf_counter()
        append()
        times.append(1000 * (time.perf_counter() - started))
    return times
