"""Claimed work in real processes: done, cancelled, killed at every level, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.states import JobState
from core.store import Store, open_store
from core.train.trainer import default_plan
from core.workflows.jobs import TrainTask, document_of, start, task_of
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


def test_a_worker_begins_again_what_was_killed_cancels_within_5_s_and_leaves_no_process(store: Store) -> None:
    workspace = acting(store)
    job = start(workspace, SleepTask(MARKET, 600))
    with started(WORKER, str(store.home)) as worker:
        wait_for(lambda: len(worker.joblib()) == 2)
        [training] = worker.named("spawn_main")
        os.kill(training, signal.SIGKILL)
        wait_for(lambda: set(worker.named("spawn_main")) - {training})
        wait_for(lambda: len(worker.joblib()) == 2)
        assert store.jobs.get(job.job_id).state is JobState.RUNNING

        asked = time.monotonic()
        store.jobs.request_cancel(job.job_id)
        wait_for(lambda: state(store, job.job_id, JobState.CANCELLED), seconds=5)
        assert time.monotonic() - asked < 5
        assert worker.joblib() == []

        done = start(workspace, SleepTask(MARKET, 0.1))
        wait_for(lambda: state(store, done.job_id, JobState.DONE))
        assert store.jobs.get(done.job_id).result["market_id"] == MARKET
        wait_for(lambda: not worker.named("spawn_main"), seconds=5)
        assert worker.joblib() == []
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(15) == 0
        wait_for(worker.is_gone, seconds=5)


def test_an_app_without_a_worker_starts_one_and_takes_it_along_when_killed_in_a_training(store: Store) -> None:
    job = start(acting(store), TrainTask(MARKET, default_plan(acting(store).problem)))
    with started(APP, str(store.home)) as app:
        wait_for(lambda: len(app.joblib()) >= 2)
        assert store.jobs.get(job.job_id).state is JobState.RUNNING
        app.process.kill()
        wait_for(app.is_gone, seconds=15)
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
