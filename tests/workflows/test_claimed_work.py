"""Claimed work in real processes: done, cancelled, killed at every level, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.progress import Progress
from core.states import JobState
from core.store import ModelRecord, NewModel, Store, open_store
from core.store.patience import patiently
from core.train.trainer import default_plan
from core.workflows import claimed_work
from core.workflows.jobs import TrainTask, document_of, start, task_of
from core.workspace import Workspace
from tests.acting import acting
from tests.small_market import MANAGER
from tests.workflows.long_tasks import KINDS, SleepTask, started, wait_for

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc")
MARKET = "larkhaven"
WORKER = "import sys; from tests.workflows.long_tasks import work; work(sys.argv[1])"
APP = """
import sys, time
from pathlib import Path
from core.store import open_store
from core.workflows.embedded_worker import EmbeddedWorker
with open_store(Path(sys.argv[1])) as store:
    EmbeddedWorker().ensure(store)
    time.sleep(600)
"""


@pytest.fixture
def store(small_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("DOORSTEP_WORKER", raising=False)
    with open_store(Path(shutil.copytree(small_home, tmp_path / "home"))) as opened:
        yield opened


def state(store: Store, job_id: str, *wanted: JobState) -> JobState | None:
    found = store.jobs.get(job_id).state
    return found if found in wanted else None


def test_a_worker_begins_again_what_was_killed_cancels_a_long_sleep_and_leaves_no_process(store: Store) -> None:
    workspace = acting(store)
    job = start(workspace, SleepTask(MARKET, 600))
    with started(WORKER, str(store.home)) as worker:
        wait_for(lambda: len(worker.joblib()) == 2)
        [training] = worker.named("spawn_main")
        os.kill(training, signal.SIGKILL)
        wait_for(lambda: set(worker.named("spawn_main")) - {training})
        wait_for(lambda: len(worker.joblib()) == 2)
        assert store.jobs.get(job.job_id).state is JobState.RUNNING

        store.jobs.request_cancel(job.job_id)
        wait_for(lambda: state(store, job.job_id, JobState.CANCELLED))
        wait_for(lambda: not worker.joblib())

        broken = start(workspace, SleepTask(MARKET, -1.0))
        wait_for(lambda: state(store, broken.job_id, JobState.FAILED))
        assert "stopped unexpectedly" in store.jobs.get(broken.job_id).error

        done = start(workspace, SleepTask(MARKET, 0.1))
        wait_for(lambda: state(store, done.job_id, JobState.DONE))
        assert store.jobs.get(done.job_id).result["market_id"] == MARKET
        wait_for(lambda: not worker.named("spawn_main"))
        wait_for(lambda: not worker.joblib())
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(15) == 0
        wait_for(worker.is_gone)


def test_an_app_without_a_worker_starts_one_and_takes_it_along_when_killed_in_a_training(store: Store) -> None:
    job = start(acting(store), TrainTask(MARKET, default_plan(acting(store).problem)))
    with started(APP, str(store.home)) as app:
        wait_for(lambda: len(app.joblib()) >= 2)
        assert store.jobs.get(job.job_id).state is JobState.RUNNING
        app.process.kill()
        wait_for(app.is_gone)
    # The worker saw its app go, and gave the job back for the next one.
    assert store.jobs.get(job.job_id).state is JobState.WAITING
    assert store.workers.list() == []
    assert len(store.models.list(MARKET)) == 1


def test_a_task_is_the_same_after_its_way_through_the_store(store: Store) -> None:
    tasks = (TrainTask("m", default_plan(acting(store).problem)), SleepTask("m", 1.5))
    for task in tasks:
        store.jobs.create(task.kind, "m", MANAGER, document_of(task))
    claims = [store.jobs.claim("w") for _ in tasks]
    assert tuple(task_of(claim.task, KINDS) for claim in claims if claim) == tasks


@pytest.fixture
def impatient(store: Store) -> Iterator[Store]:
    """The same store, which waits a moment only for others who write."""
    with open_store(store.home, f"sqlite:///{store.home / 'doorstep.sqlite'}?timeout=0.1") as opened:
        yield opened


@contextmanager
def locked(store: Store, seconds: float) -> Iterator[None]:
    """Hold SQLite's write lock for a while, as a backup does, from now on."""
    engine = sa.create_engine(f"sqlite:///{store.home / 'doorstep.sqlite'}", connect_args={"check_same_thread": False})
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        release = threading.Timer(seconds, lambda: connection.exec_driver_sql("ROLLBACK"))
        release.start()
        yield
        release.join()
    engine.dispose()


def test_a_lock_of_another_program_ends_no_training_and_its_end_waits_for_it(impatient: Store) -> None:
    workspace = acting(impatient, MANAGER)
    job = start(workspace, SleepTask(MARKET, 0.0))
    claim = impatient.jobs.claim("w")
    assert claim is not None
    order = claimed_work.Order(
        impatient.home, impatient.database_url, workspace.problem, claim.actor, job.job_id, 1, Registering()
    )
    before = len(impatient.models.list(MARKET))
    with locked(impatient, 2.0):
        claimed_work.do(order, impatient)
    assert impatient.jobs.get(job.job_id).state is JobState.DONE
    assert len(impatient.models.list(MARKET)) == before + 1


@dataclass(frozen=True)
class Registering:
    """Report, and register a model, as the end of a training does."""

    market_id: str = MARKET
    kind: str = "registering"

    def run(self, workspace: Workspace, progress: Progress) -> ModelRecord:
        for step in range(3):
            progress(step / 3, f"step {step}")
        store = workspace.store
        live = store.models.champion(self.market_id)
        assert live is not None
        new = NewModel(self.market_id, live.version_id, b"a bundle", live.card)
        return patiently(lambda: store.models.add(new, workspace.actor))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_training_of_the_command_line_takes_its_processes_along(number: signal.Signals) -> None:
    code = "import time; from core.parallel.calls import in_parallel; in_parallel(time.sleep, [(600,)] * 2, print, 'x')"
    with started(code) as training:
        wait_for(lambda: len(training.joblib()) == 2)
        training.process.send_signal(number)
        wait_for(training.is_gone)
