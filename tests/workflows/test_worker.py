"""The worker: what it does in a turn, when it retrains, that it ends when asked, and what is left when it is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from core.problem import Problem
from core.store import Job, Market, Store, open_store
from core.workflows.worker import (
    ALIVE_WITHIN,
    WORKER_ACTOR,
    Trigger,
    Worker,
    WorkerSettings,
    next_retraining,
    settings_of,
    worker_state,
)
from core.workspace import Workspace
from tests.acting import acting
from tests.workflows.watched_market import MANAGER, Month, live_through

ROOT = Path(__file__).resolve().parents[2]
JANUARY, FEBRUARY = Month(date(2025, 1, 1), 0.8), Month(date(2025, 2, 1), 0.8)
LATER = (Month(date(2025, 3, 1)), Month(date(2025, 4, 1)))
BOTH = WorkerSettings(triggers=frozenset(Trigger))
PATIENCE_SECONDS = 120


@pytest.fixture
def home(small_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_home, tmp_path / "home"))


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with open_store(home) as opened:
        yield opened


@pytest.fixture
def market(store: Store) -> Market:
    return store.markets.list()[0]


class Starts:
    """Takes the place of a training: notes what would be trained, as a job that runs."""

    def __init__(self) -> None:
        self.jobs: list[str] = []

    def __call__(self, workspace: Workspace, market_id: str) -> Job:
        job = workspace.store.jobs.create("retrain", market_id, workspace.actor)
        self.jobs.append(job.job_id)
        return job


def test_a_retraining_is_due_a_quarter_after_the_last_and_starts_once(
    store: Store, market: Market, problem: Problem
) -> None:
    starts = Starts()
    worker = Worker(acting(store, problem=problem), WorkerSettings(), starts)
    assert next_retraining(acting(store, problem=problem), market.market_id) == date(2025, 1, 1) + timedelta(days=91)
    live_through(store, market, JANUARY)
    assert worker.turn().started == ()
    live_through(store, market, *LATER)
    assert worker.turn().started == tuple(starts.jobs)
    assert worker.turn().started == ()  # it runs
    assert len(starts.jobs) == 1
    [event] = store.events.of(starts.jobs[0], "retraining.started")
    assert (event.actor, event.detail["why"]) == (WORKER_ACTOR.name, "schedule")


def test_without_new_sales_there_is_nothing_to_learn(store: Store, market: Market, problem: Problem) -> None:
    worker = Worker(
        acting(store, problem=replace(problem, monitoring=replace(problem.monitoring, retrain_days=7))), BOTH, Starts()
    )
    assert worker.turn().started == ()


def test_an_alert_starts_a_retraining_only_where_that_is_asked_for(
    store: Store, market: Market, problem: Problem
) -> None:
    live_through(store, market, JANUARY, FEBRUARY)
    turn = Worker(acting(store, problem=problem), WorkerSettings(), Starts()).turn()
    assert turn.opened > 0
    assert turn.started == ()
    [job_id] = Worker(acting(store, problem=problem), BOTH, Starts()).turn().started
    assert store.events.of(job_id, "retraining.started")[0].detail["why"] == "alert"


def test_what_failed_is_tried_again_by_the_next_worker_and_not_at_every_turn(
    store: Store, market: Market, problem: Problem
) -> None:
    live_through(store, market, JANUARY, FEBRUARY)
    first = Worker(acting(store, problem=problem), BOTH, Starts())
    [job_id] = first.turn().started
    store.jobs.fail(job_id, "too few sales")
    assert first.turn().started == ()
    assert len(Worker(acting(store, problem=problem), BOTH, Starts()).turn().started) == 1


def test_one_markets_failure_is_told_and_the_others_are_watched_all_the_same(
    store: Store, market: Market, problem: Problem
) -> None:
    broken = store.markets.create("Broken", "USD", "sqft", True, MANAGER)
    store.thresholds.set(broken.market_id, "error_high", 7.0, "a release that allowed it", MANAGER)
    live_through(store, market, JANUARY, FEBRUARY)
    turn = Worker(acting(store, problem=problem), WorkerSettings(), Starts()).turn()
    assert turn.opened > 0
    [said] = turn.problems
    assert said.startswith("Broken: The limit of “Error too high” = 700.0% must lie between ")
    assert worker_state(store).problems == turn.problems


def test_the_page_can_tell_whether_a_worker_lives(
    store: Store, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not worker_state(store).alive
    assert "python -m core worker" in worker_state(store).words
    worker = Worker(acting(store, problem=problem), WorkerSettings(), Starts())
    turn = worker.turn()
    state = worker_state(store)
    assert state.alive
    assert (state.last_turn, state.next_turn) == (turn.at, turn.at + timedelta(hours=1))
    later = datetime.now(UTC) + ALIVE_WITHIN + timedelta(seconds=5)
    monkeypatch.setattr("core.store.operations.workers.now", lambda: later)
    gone = worker_state(store)
    assert not gone.alive
    assert "last sign of life" in gone.words


def test_asked_to_end_it_does_not_wait_for_a_turn_that_takes_long(
    store: Store, market: Market, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_through(store, market, JANUARY, FEBRUARY)
    monkeypatch.setattr("core.workflows.worker.GRACE_SECONDS", 0.05)
    stop, release = threading.Event(), threading.Event()

    def at_length(workspace: Workspace, market_id: str) -> Job:
        stop.set()
        release.wait(PATIENCE_SECONDS)
        return workspace.store.jobs.create("retrain", market_id, workspace.actor)

    worker = Worker(acting(store, problem=problem), BOTH, at_length)
    assert not worker.run(stop)
    assert store.workers.list() == []
    release.set()
    _wait(lambda: next(iter(store.jobs.list(1)), None))
    worker.beat()
    assert store.workers.list() == []  # whoever has left gives no sign of life


def test_options_of_the_command_line_become_settings() -> None:
    assert settings_of({"every": 5.0, "on_alert": "notify"}).triggers == {Trigger.SCHEDULE}
    assert settings_of({"every": 5.0, "on_alert": "retrain"}) == WorkerSettings(300.0, triggers=frozenset(Trigger))


def test_killed_at_training_it_leaves_a_job_the_next_worker_takes_up_and_sigterm_ends_that_in_order(
    home: Path, store: Store, market: Market
) -> None:
    live_through(store, market, JANUARY, *LATER)
    with Running(home) as first:
        job = _wait(lambda: _training(store))
        assert worker_state(store).alive
        os.killpg(first.pid, signal.SIGKILL)
        first.wait(PATIENCE_SECONDS)
    assert store.jobs.get(job.job_id).state == "running"
    assert store.workers.list() != []

    with Running(home) as second:
        again = _wait(lambda: _training(store, job.job_id))
        swept = store.jobs.get(job.job_id)
        assert swept.state == "failed"
        assert "ended without a report" in swept.error
        second.send_signal(signal.SIGTERM)
        assert second.wait(PATIENCE_SECONDS) == 0
    assert store.jobs.get(again.job_id).state == "failed"
    assert len(store.workers.list()) == 1  # the killed one's; the other took its leave
    assert len(store.models.list(market.market_id)) == 1


_PROGRAM = """
import sys
from datetime import timedelta
from pathlib import Path
from core.workflows.worker import WorkerSettings, run_worker
from core.store import open_store
from tests.acting import acting
with open_store(Path(sys.argv[1])) as store:
    run_worker(acting(store), WorkerSettings(silence=timedelta(0)))
"""


class Running:
    """A worker in a process group of its own, ended with all it started whatever happens."""

    def __init__(self, home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(home)], cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self._process

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _training(store: Store, but: str = "") -> Job | None:
    newest = next(iter(store.jobs.list(1)), None)
    if newest is None or newest.job_id == but or newest.state != "running":
        return None
    return newest


def _wait(found: Callable[[], Job | None]) -> Job:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        job = found()
        if job is not None:
            return job
        time.sleep(0.1)
    raise AssertionError("the worker started no training in time")
