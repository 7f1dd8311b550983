"""The worker: what it does in a turn, when it retrains, that it ends when asked, and what is left when it is killed."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from core.problem import Problem
from core.store import Job, Market, NewModel, Store, open_store
from core.store.operations.workers import ALIVE_WITHIN
from core.workflows.monitoring.alerts import Watched, watch_market
from core.workflows.monitoring.schedule import schedule_of
from core.workflows.promises import promises_of
from core.workflows.promotion import promote, rollback
from core.workflows.standing import standing_now
from core.workflows.worker import (
    WORKER_ACTOR,
    Trigger,
    Worker,
    WorkerSettings,
    schedule_words,
    settings_of,
    worker_state,
)
from core.workspace import Workspace
from tests.acting import acting
from tests.patience import PATIENCE_SECONDS
from tests.postgresql import ON_BOTH
from tests.workflows.long_tasks import started, wait_for
from tests.workflows.watched_market import MANAGER, Month, live_through

PROGRAM = "import sys; from tests.workflows.long_tasks import work; work(sys.argv[1])"
JANUARY, FEBRUARY = Month(date(2025, 1, 1), 0.8), Month(date(2025, 2, 1), 0.8)
LATER = (Month(date(2025, 3, 1)), Month(date(2025, 4, 1)))
BOTH = WorkerSettings(triggers=frozenset(Trigger))


@pytest.fixture
def home(small_home_of_kind: Path) -> Path:
    return small_home_of_kind


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
    schedule = schedule_of(acting(store, problem=problem), market.market_id)
    assert schedule is not None
    assert schedule.next_on == schedule.limit_on == date(2025, 1, 1) + timedelta(days=91)
    live_through(store, market, JANUARY)
    assert worker.turn().started == ()
    live_through(store, market, *LATER)
    assert worker.turn().started == tuple(starts.jobs)
    assert worker.turn().started == ()  # it runs
    assert len(starts.jobs) == 1
    [event] = store.events.of(starts.jobs[0], "retraining.started")
    assert (event.actor, event.detail["why"]) == (WORKER_ACTOR.name, "schedule")


def test_the_schedule_says_what_it_counts_from_where_a_newer_model_is_not_live(
    store: Store, market: Market, problem: Problem
) -> None:
    manager = acting(store, MANAGER, problem)
    at_first = "Scheduled retraining: Apr 2, 2025, when the live model is 91 days old."
    assert schedule_words(manager, market.market_id) == at_first
    live_through(store, market, JANUARY, FEBRUARY, *LATER)
    late = (manager.today(market) - date(2025, 4, 2)).days
    overdue = (
        "The scheduled retraining was due on Apr 2, 2025, when the live model was 91 days old: it is "
        f"{late} days overdue."
    )
    assert schedule_words(manager, market.market_id) == overdue
    [fresh] = [one for one in promises_of(manager, market.market_id) if one.name == "Freshness"]
    assert overdue in fresh.words, "every view says so"
    live, latest = store.models.champion(market.market_id), store.versions.latest(market.market_id)
    assert live is not None
    assert latest is not None
    card = store.models.get(live.model_id).card
    newer = store.models.add(NewModel(market.market_id, latest.version_id, b"newer", card), MANAGER).model_id
    promote(manager, newer, "to see")
    rollback(manager, market.market_id, "worse in use")
    words = schedule_words(manager, market.market_id, standing_now(manager, market).next)
    assert " Next: " not in schedule_words(manager, market.market_id), "who says it beside need not say it twice"
    days = (
        "The live model was 91 days old on Apr 2, 2025. Scheduled retraining: May 31, 2025, "
        f"30 days after model {newer}, which is not live."
    )
    assert words.startswith(days)
    assert f"Model {newer} was trained on the sales there are but was rolled back on " in words
    assert " Next: bring newer sales, as the model trained last was rolled" in words
    assert words.endswith(standing_now(manager, market).next)
    [fresh] = [one for one in promises_of(manager, market.market_id) if one.name == "Freshness"]
    assert days in fresh.words
    # Newer sales come: it waits until that day, then tries once.
    worker = Worker(manager, WorkerSettings(), starts := Starts())
    live_through(store, market, Month(date(2025, 5, 1)))
    due = schedule_of(manager, market.market_id)
    assert due is not None
    assert (due.limit_on, due.next_on, manager.today(market)) == (
        date(2025, 4, 2),
        date(2025, 5, 31),
        date(2025, 6, 1),
    )
    assert worker.turn().started == tuple(starts.jobs)
    assert len(starts.jobs) == 1


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


@ON_BOTH
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
    assert said.startswith("Broken: The limit of “Error too high” = 700% must lie between ")
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


def test_a_worker_of_the_pages_jobs_is_told_from_none_and_from_one_that_watches(store: Store, problem: Problem) -> None:
    assert "No worker is running" in worker_state(store).words
    worker = Worker(acting(store, problem=problem), WorkerSettings(idle_seconds=60.0), Starts())
    worker.beat()
    state = worker_state(store)
    assert not state.alive
    assert state.words.startswith("No worker watches the markets")
    assert "does the jobs started on the pages" in state.words


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
    wait_for(lambda: store.jobs.list(1))
    worker.beat()
    assert store.workers.list() == []  # whoever has left gives no sign of life


def test_options_of_the_command_line_become_settings() -> None:
    asked = {"every": 5.0, "on_alert": "notify", "until_idle": None}
    assert settings_of(asked).triggers == {Trigger.SCHEDULE}
    assert settings_of(asked | {"on_alert": "retrain"}) == WorkerSettings(300.0, triggers=frozenset(Trigger))
    assert settings_of(asked | {"until_idle": 60}).idle_seconds == 60


# On PostgreSQL test_servers_apart.py kills a worker in a training.
def test_killed_at_training_it_leaves_a_job_that_the_next_takes_over_and_gives_back_when_asked_to_end(
    home: Path, store: Store, market: Market
) -> None:
    live_through(store, market, JANUARY, *LATER)
    with started(PROGRAM, str(home)) as first:
        job = wait_for(lambda: _running(store))
        wait_for(first.joblib)
        assert worker_state(store).alive
        first.process.kill()
        wait_for(first.is_gone)
    assert store.jobs.get(job.job_id).state == "running"
    assert not worker_state(store).alive

    with started(PROGRAM, str(home)) as second:
        assert wait_for(lambda: second.joblib() and _running(store)) == store.jobs.get(job.job_id)
        second.process.send_signal(signal.SIGTERM)
        assert second.process.wait(PATIENCE_SECONDS) == 0
        wait_for(second.is_gone)
    assert store.jobs.get(job.job_id).state == "waiting"
    assert len(store.workers.list()) == 1  # the killed one's; the other took its leave
    assert len(store.models.list(market.market_id)) == 1


@ON_BOTH
def test_two_workers_never_watch_a_market_at_once_and_train_it_once(
    home: Path, store: Store, market: Market, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_through(store, market, JANUARY, FEBRUARY)
    inside, most = 0, 0

    def watch(workspace: Workspace, market_id: str) -> Watched:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        try:
            time.sleep(0.2)
            return watch_market(workspace, market_id)
        finally:
            inside -= 1

    monkeypatch.setattr("core.workflows.worker.watch_market", watch)
    starts = Starts()
    workers = [Worker(acting(store, problem=problem), BOTH, starts) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        turns = [*pool.map(Worker.turn, workers), *pool.map(Worker.turn, workers)]
    assert most == 1
    assert len(starts.jobs) == 1
    alerts = store.alerts.list(market.market_id)
    assert len(alerts) == len({(one.kind, one.segment) for one in alerts}) == sum(turn.opened for turn in turns) > 0


def _running(store: Store) -> Job | None:
    newest = next(iter(store.jobs.list(1)), None)
    return newest if newest is not None and newest.state == "running" else None
