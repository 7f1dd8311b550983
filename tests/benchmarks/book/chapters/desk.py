"""Opening a market's desk: cold, from kept files, and while new sales are worked in; the memory of each process."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from cProfile import Profile
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.store import open_store
from core.workflows.pricing.open_desks import OpenDesks
from tests.acting import acting
from tests.benchmarks.book.chapters.estimate import facts_of
from tests.benchmarks.book.desk_process import open_once
from tests.benchmarks.book.measurement import Measurement
from tests.benchmarks.book.place import MANAGER, Place, market_of, sales_of, timed

_MORE: Final = 5_000
_SECONDS: Final = 300.0
_PAUSE: Final = 0.05
_FIRST: Final = "first open after the training"
_UNKEPT: Final = "first open, nothing kept"
_READ: Final = "pandas: read the version's Parquet file"


def measure(place: Place) -> Iterator[Measurement]:
    """Yield seconds, megabytes, and the slowest answer while a commit of new sales is worked in."""
    with place.copied_home() as home:
        with open_store(home) as store:
            beside = timed(lambda: sales_of(store))
        for name in (_FIRST, _UNKEPT, "open in the next process"):
            if name == _UNKEPT:
                shutil.rmtree(home / "opened", ignore_errors=True)
            found = _process("open", home)
            yield place.measured(name, "s", found["seconds"], _READ, beside)
            yield place.measured(f"{name}: to the first answer", "s", found["first_answer"])
            yield place.measured(f"{name}: memory of its own", "MB", found["own"])
            yield place.measured(f"{name}: memory mapped", "MB", found["mapped"])
            yield place.measured(f"{name}: resident memory", "MB", found["own"] + found["mapped"])
        yield from _after_commit(place, home)


def profiled(place: Place, profile: Profile) -> None:
    """Open the desk with nothing kept."""
    with place.copied_home() as home:
        shutil.rmtree(home / "opened", ignore_errors=True)
        profile.runcall(open_once, home)


def _after_commit(place: Place, home: Path) -> Iterator[Measurement]:
    more = min(_MORE, place.size // 10)
    desks = OpenDesks()
    with open_store(home) as store:
        workspace, market = acting(store, MANAGER), market_of(store)
        homes = facts_of(sales_of(store), 200)
        quiet = [_answer(desks, workspace, market, homes[n]) for n in range(100)][20:]
        before = desks.desk(workspace, market).live_market
        assert before is not None
        committed = _process("commit", home, str(more))
        times: list[float] = []
        started = time.perf_counter()
        while True:
            times.append(_answer(desks, workspace, market, homes[len(times) % len(homes)]))
            live = desks.desk(workspace, market).live_market
            assert live is not None
            took = time.perf_counter() - started
            if live.version_id != before.version_id:
                break
            if took > _SECONDS:
                raise RuntimeError(f"the new sales are not worked in after {_SECONDS:.0f} s")
            time.sleep(_PAUSE)
        times += [_answer(desks, workspace, market, one) for one in homes[:50]]
    name = f"commit of {more:,} more sales"
    usual = 1000 * float(np.percentile(quiet, 95))
    yield place.measured("commit of more sales", "s", committed["seconds"], note=name)
    yield place.measured("after the commit: new sales in the answers", "s", took, note=name)
    yield place.measured(
        "after the commit: slowest answer meanwhile",
        "ms",
        1000 * max(times),
        "p95 of an answer before",
        usual,
        f"{len(times)} answers",
    )
    yield place.measured("after the commit: p95 of an answer meanwhile", "ms", 1000 * float(np.percentile(times, 95)))


def _answer(desks: OpenDesks, workspace: Any, market: str, facts: dict[str, object]) -> float:
    def price() -> None:
        desk = desks.desk(workspace, market)
        desk.price(facts, desk.valuation_date(date.today()), 0.8, MANAGER)

    return timed(price)


def _process(*words: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.book.desk_process", *map(str, words)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(f"{' '.join(command[2:])} failed: {run.stderr.strip()[-500:]}")
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found
