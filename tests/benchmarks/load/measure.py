"""Fifty agents at once on one server over loopback: by the API, also while a model trains, and in browser sessions."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.access import Actor, Role
from core.problem import load_problem
from core.store import Store, open_store
from core.train.trainer import default_plan
from core.workflows.embedded_worker import EmbeddedWorker
from core.workflows.jobs import TrainTask, start
from core.workspace import Workspace
from tests.benchmarks.load.session import Session, open_session
from tests.browser.conftest import running_server

AGENTS: Final = 50
_MANAGER: Final = Actor("load", Role.MANAGER)
_LOCUST_FILE: Final = Path(__file__).parent / "agents.py"
_FACTS: Final = ("zipcode", "living_area_sqft", "bedrooms", "bathrooms", "year_built", "lot_area_sqft", "property_type")


def by_api(home: Path, seconds: int, servers: int) -> Iterator[dict[str, Any]]:
    """Yield the figures of the agents by the API, at rest and while a model trains."""
    yield {"load": "api", "servers": servers, **_agents(home, seconds, servers)}
    with _training(home):
        yield {"load": "api while training", "servers": servers, **_agents(home, seconds, servers)}


def by_sessions(home: Path, presses: int, servers: int) -> dict[str, Any]:
    """Return the figures of fifty browser sessions that price homes, spread over servers as a sticky proxy does."""
    homes = _homes(home)
    with ExitStack() as stack:
        urls = [stack.enter_context(running_server(home)).url for _ in range(servers)]
        return {"load": "sessions", "servers": servers, **asyncio.run(_sessions(urls, homes, presses))}


def _agents(home: Path, seconds: int, servers: int) -> dict[str, Any]:
    with open_store(home) as store:
        [market] = store.markets.list()
    settings = {"LOAD_HOMES": json.dumps(_homes(home)), "LOAD_MARKET": market.market_id}
    with ExitStack() as stack:
        rate = {"DOORSTEP_API_RATE": "1000000"}
        urls = [stack.enter_context(running_server(home, settings=rate)).url for _ in range(servers)]
        for url in urls:
            _price_once(url, market.market_id)
        settings["LOAD_SERVERS"] = json.dumps(urls)
        before, worked = _answers(home), sum(map(_processor_seconds, urls))
        command = [sys.executable, "-m", "locust", "-f", str(_LOCUST_FILE), "--headless", "--only-summary"]
        command += ["-H", urls[0], "-u", str(AGENTS), "-r", str(AGENTS), "-t", f"{seconds}s", "-s", "10"]
        run = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
        worked = sum(map(_processor_seconds, urls)) - worked
    [line] = [line for line in run.stdout.splitlines() if line.startswith("FIGURES ")] or [run.stderr]
    figures: dict[str, Any] = json.loads(line.removeprefix("FIGURES "))
    each = round(1000 * worked / max(figures["requests"], 1), 1)
    return figures | {"in_ledger": _answers(home) - before, "server_cpu_ms_per_request": each}


def _answers(home: Path) -> int:
    with open_store(home) as store:
        return sum(one.n for one in store.answer_counts.all())


def _price_once(url: str, market_id: str) -> None:
    """Open the market's desk, which the first answer after a start waits for."""
    body = json.dumps({"market": market_id, "facts": {"living_area_sqft": 1_500}}).encode()
    request = urllib.request.Request(f"{url}/api/v1/estimates", body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=60).close()


async def _sessions(urls: list[str], homes: list[dict[str, Any]], presses: int) -> dict[str, Any]:
    warm = [await open_session(url) for url in urls]
    for one in warm:
        await one.load()
    before = sum(map(_resident_mb, urls))
    sessions = [await open_session(urls[number % len(urls)]) for number in range(AGENTS)]
    await asyncio.gather(*(one.load() for one in sessions))
    started, worked = time.perf_counter(), sum(map(_processor_seconds, urls))
    found = await asyncio.gather(*(_agent(one, homes, number, presses) for number, one in enumerate(sessions)))
    took, worked = time.perf_counter() - started, sum(map(_processor_seconds, urls)) - worked
    after = sum(map(_resident_mb, urls))
    waits = [wait for waits in found for wait in waits]
    errors = [error for one in sessions for error in one.errors]
    for one in (*warm, *sessions):
        await one.socket.close()
    return {
        "sessions": AGENTS,
        "presses": AGENTS * presses,
        "answered": len(waits),
        "errors": errors[:3],
        "per_second": round(len(waits) / took, 1),
        "p50_ms": round(1000 * float(np.percentile(waits, 50))),
        "p95_ms": round(1000 * float(np.percentile(waits, 95))),
        "mb_per_session": round((after - before) / AGENTS, 2),
        "server_cpu_ms_per_press": round(1000 * worked / max(len(waits), 1), 1),
    }


async def _agent(session: Session, homes: list[dict[str, Any]], number: int, presses: int) -> list[float]:
    """Price homes with a pause to think between them; return the seconds of each press until its range is drawn."""
    waits = []
    random = np.random.default_rng(number)
    await asyncio.sleep(float(random.uniform(0, 5)))
    await session.choose("Zipcode", str(homes[number % len(homes)]["zipcode"]))
    for turn in range(presses):
        await asyncio.sleep(float(random.uniform(3, 7)))
        session.enter("Living area", float(1_000 + 10 * number + 100 * turn))
        pressed = time.perf_counter()
        if await session.press():
            waits.append(time.perf_counter() - pressed)
    return waits


@contextmanager
def _training(home: Path) -> Iterator[None]:
    """Train a model meanwhile, as a page starts it."""
    with open_store(home) as store:
        [market] = store.markets.list()
        workspace = Workspace(store, load_problem(), _MANAGER)
        EmbeddedWorker().ensure(store)
        job = start(workspace, TrainTask(market.market_id, default_plan(workspace.problem)))
        try:
            yield
            still = store.jobs.get(job.job_id)
            print(json.dumps({"training": still.state.value, "done": round(still.fraction, 2)}), file=sys.stderr)
        finally:
            _cancel(store, job.job_id)


def _cancel(store: Store, job_id: str) -> None:
    store.jobs.request_cancel(job_id)
    deadline = time.monotonic() + 120
    while store.jobs.get(job_id).is_open and time.monotonic() < deadline:
        time.sleep(0.5)


def _homes(home: Path) -> list[dict[str, Any]]:
    with open_store(home) as store:
        [market] = store.markets.list()
        version = store.versions.latest(market.market_id)
        assert version is not None
        sales = store.versions.load(version.version_id).sample(200, random_state=1)
    rows = sales[[name for name in _FACTS if name in sales]].iterrows()
    return [json.loads(row.dropna().to_json()) for _, row in rows]


def _resident_mb(url: str) -> float:
    """Return the resident memory of the server at an address of this computer."""
    line = next(line for line in (_process(url) / "status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _processor_seconds(url: str) -> float:
    """Return the processor time that the server at an address of this computer has used."""
    fields = (_process(url) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _process(url: str) -> Path:
    port = int(url.rpartition(":")[2])
    return next(pid for pid in Path("/proc").iterdir() if pid.name.isdigit() and _runs_on(pid, port))


def _runs_on(process: Path, port: int) -> bool:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"app.py" in words and str(port).encode() in words
