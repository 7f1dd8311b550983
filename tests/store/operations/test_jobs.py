from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerContext

import numpy as np
import pytest
import sqlalchemy as sa

from core.errors import InvalidRecord, JobCancelled, NotFound
from core.store import Store
from core.store.base.processes import may_be_alive, this_process
from tests.store.conftest import Address
from tests.store.samples import ANALYST, report_and_leave


def test_a_job_from_beginning_to_end(store: Store) -> None:
    made = store.jobs.create("train", "anywhere", ANALYST)
    assert (made.state, made.fraction, made.result, made.error, made.cancel_requested) == (
        "waiting",
        0.0,
        {},
        "",
        False,
    )
    assert store.jobs.get(made.job_id) == made
    store.jobs.progress(made.job_id, np.float64(0.25), "fitting")
    running = store.jobs.get(made.job_id)
    assert (running.state, running.fraction, running.message) == ("running", 0.25, "fitting")
    assert made.updated_at <= running.updated_at <= datetime.now(UTC)
    store.jobs.finish(made.job_id, {"model_id": "abc", "mape": np.float64(0.08), "x": math.nan})
    done = store.jobs.get(made.job_id)
    assert (done.state, done.fraction, done.result) == ("done", 1.0, {"model_id": "abc", "mape": 0.08, "x": None})


@pytest.mark.parametrize(("given", "stored"), [(-1.0, 0.0), (2.0, 1.0), (math.nan, 0.0), (math.inf, 1.0)])
def test_a_fraction_is_kept_between_0_and_1(store: Store, given: float, stored: float) -> None:
    job = store.jobs.create("train", None, ANALYST)
    store.jobs.progress(job.job_id, given, "")
    assert store.jobs.get(job.job_id).fraction == stored


def test_a_running_job_is_cancelled_at_its_next_report(store: Store) -> None:
    job = store.jobs.create("train", None, ANALYST)
    store.jobs.progress(job.job_id, 0.5, "half")
    store.jobs.request_cancel(job.job_id)
    asked = store.jobs.get(job.job_id)
    assert (asked.state, asked.cancel_requested) == ("running", True)
    for _ in range(2):
        with pytest.raises(JobCancelled, match=job.job_id):
            store.jobs.progress(job.job_id, 0.9, "more")
    cancelled = store.jobs.get(job.job_id)
    assert (cancelled.state, cancelled.fraction, cancelled.message) == ("cancelled", 0.5, "half")
    store.jobs.fail(job.job_id, "the work stopped")
    assert store.jobs.get(job.job_id) == cancelled


def test_a_waiting_job_is_cancelled_at_once(store: Store) -> None:
    job = store.jobs.create("train", None, ANALYST)
    store.jobs.request_cancel(job.job_id)
    assert store.jobs.get(job.job_id).state == "cancelled"
    with pytest.raises(JobCancelled):
        store.jobs.progress(job.job_id, 0.1, "begin")
    with pytest.raises(InvalidRecord, match="cancelled"):
        store.jobs.finish(job.job_id, {})


def test_a_closed_job_does_not_change(store: Store) -> None:
    done, failed = store.jobs.create("train", None, ANALYST), store.jobs.create("train", None, ANALYST)
    store.jobs.finish(done.job_id, {})
    store.jobs.fail(failed.job_id, "no sales")
    for job, state in ((done, "done"), (failed, "failed")):
        before = store.jobs.get(job.job_id)
        store.jobs.request_cancel(job.job_id)
        calls: tuple[Callable[[], object], ...] = (
            lambda: store.jobs.progress(job.job_id, 0.5, ""),  # noqa: B023 - called in this turn of the loop
            lambda: store.jobs.finish(job.job_id, {}),  # noqa: B023
            lambda: store.jobs.fail(job.job_id, "other"),  # noqa: B023
        )
        for call in calls:
            with pytest.raises(InvalidRecord, match=f"already {state}"):
                call()
        assert store.jobs.get(job.job_id) == before


def test_a_result_json_cannot_hold_leaves_the_job_open(store: Store) -> None:
    job = store.jobs.create("train", None, ANALYST)
    with pytest.raises(InvalidRecord, match=r"job result\.mape"):
        store.jobs.finish(job.job_id, {"mape": math.inf})
    assert store.jobs.get(job.job_id).state == "waiting"


def test_jobs_are_listed_newest_first(store: Store) -> None:
    made = [store.jobs.create("train", None, ANALYST) for _ in range(4)]
    assert store.jobs.list(limit=3) == made[:0:-1]


def test_unknown_jobs_are_not_found(store: Store) -> None:
    for call in (
        lambda: store.jobs.get("never"),
        lambda: store.jobs.progress("never", 0, ""),
        lambda: store.jobs.finish("never", {}),
        lambda: store.jobs.fail("never", ""),
        lambda: store.jobs.request_cancel("never"),
    ):
        with pytest.raises(NotFound, match="never"):
            call()


def test_a_job_of_a_dead_process_is_swept_and_says_so(
    address: Address, store: Store, processes: ForkServerContext
) -> None:
    abandoned, own, young = (store.jobs.create("train", None, ANALYST) for _ in range(3))
    worker = processes.Process(target=report_and_leave, args=(address.home, address.url, abandoned.job_id))
    worker.start()
    worker.join(60)
    assert worker.exitcode == 0
    store.jobs.progress(own.job_id, 0.1, "still at it")
    assert store.jobs.sweep(timedelta(minutes=5)) == []
    assert [job.job_id for job in store.jobs.sweep(timedelta(0))] == [abandoned.job_id]
    swept = store.jobs.get(abandoned.job_id)
    assert (swept.state, swept.fraction) == ("failed", 0.4)
    assert f"pid {worker.pid}" in swept.error
    assert "Start it again" in swept.error
    assert store.jobs.get(own.job_id).state == "running"
    assert store.jobs.get(young.job_id).state == "waiting"


def test_a_silent_job_of_another_machine_is_swept(address: Address, store: Store) -> None:
    job = store.jobs.create("train", None, ANALYST)
    engine = address.engine()
    with engine.begin() as connection:
        connection.execute(sa.text("update job set owner_host = 'elsewhere'"))
    engine.dispose()
    assert store.jobs.sweep(timedelta(minutes=5)) == []
    assert [swept.job_id for swept in store.jobs.sweep(timedelta(0))] == [job.job_id]


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="start times are read from /proc")
def test_a_process_is_told_from_a_later_one_of_the_same_pid() -> None:
    mark = this_process()
    assert may_be_alive(mark)
    assert not may_be_alive(replace(mark, started="1"))
    assert not may_be_alive(replace(mark, pid=2**22 + 1))
