from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerContext

import numpy as np
import pytest
import sqlalchemy as sa

from core.errors import AlreadyExists, InvalidRecord, JobCancelled, NotFound
from core.store import Market, Store
from core.store.base.processes import may_be_alive, this_process
from core.store.operations.jobs import Claim
from core.store.operations.work_tables import JOB, WORKER
from tests.store.conftest import Address
from tests.store.samples import AGENT, ANALYST, report_and_leave


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
    done, failed = store.jobs.create("train", None, ANALYST), store.jobs.create("train", "anywhere", ANALYST)
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
    made = [store.jobs.create("train", f"market-{number}", ANALYST) for number in range(4)]
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
    abandoned, own, young = (store.jobs.create(kind, None, ANALYST) for kind in ("train", "retrain", "demo"))
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


TASK = {"kind": "train", "market_id": "m", "plan": {"seed": 3}}


def claimed(store: Store, worker_id: str = "w1") -> Claim:
    claim = store.jobs.claim(worker_id)
    assert claim is not None
    return claim


def test_a_worker_claims_the_job_that_has_waited_longest_with_its_task_and_for_whom_it_is(store: Store) -> None:
    first = store.jobs.create("train", "m", AGENT, TASK)
    second = store.jobs.create("train", "other", ANALYST, {"kind": "train"})
    store.jobs.create("demo", None, ANALYST)  # its maker does it
    claim = claimed(store)
    assert (claim.job.job_id, claim.task, claim.actor, claim.attempt) == (first.job_id, TASK, AGENT, 1)
    assert store.jobs.get(first.job_id).state == "running"
    assert claimed(store, "w2").job.job_id == second.job_id
    assert store.jobs.claim("w3") is None


def test_workers_that_claim_at_once_never_get_the_same_job(store: Store) -> None:
    made = {store.jobs.create("train", f"m{number}", ANALYST, TASK).job_id for number in range(24)}
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda number: store.jobs.claim(f"w{number}"), range(30)))
    ids = [claim.job.job_id for claim in got if claim is not None]
    left = [claim.job.job_id for claim in iter(lambda: store.jobs.claim("late"), None)]
    assert sorted(ids + left) == sorted(made)


def test_of_starters_at_once_one_begins_the_work(store: Store) -> None:
    def begin(_: int) -> str:
        try:
            return store.jobs.create("train", "m", ANALYST, TASK).job_id
        except AlreadyExists:
            return ""

    with ThreadPoolExecutor(8) as pool:
        begun = [job_id for job_id in pool.map(begin, range(16)) if job_id]
    assert len(begun) == 1
    store.jobs.finish(begun[0], {})
    assert store.jobs.create("train", "m", ANALYST, TASK).state == "waiting"


def died(address: Address, worker_id: str) -> None:
    """Make every process that owns a job one of a machine nobody has heard from for an hour."""
    engine, past = address.engine(), datetime.now(UTC) - timedelta(hours=1)
    with engine.begin() as connection:
        values = {"owner_host": "elsewhere", "updated_at": past}
        connection.execute(JOB.update().where(JOB.c.worker_id == worker_id).values(**values))
        connection.execute(WORKER.update().where(WORKER.c.worker_id == worker_id).values(beat_at=past))
    engine.dispose()


def test_a_dead_workers_job_is_taken_over_once_and_then_fails_with_its_reason(address: Address, store: Store) -> None:
    job = store.jobs.create("train", "m", ANALYST, TASK)
    store.workers.beat("w1", {})
    first = claimed(store)
    assert store.jobs.sweep(timedelta(0)) == []  # it lives
    died(address, "w1")
    [waiting] = store.jobs.sweep(timedelta(minutes=1))
    assert (waiting.job_id, waiting.state) == (job.job_id, "waiting")
    second = claimed(store, "w2")
    assert second.attempt == 2
    reports: tuple[Callable[[], object], ...] = (
        lambda: store.jobs.progress(job.job_id, 0.9, "nearly", first.attempt),
        lambda: store.jobs.finish(job.job_id, {}, first.attempt),
        lambda: store.jobs.fail(job.job_id, "no", first.attempt),
    )
    for late in reports:
        with pytest.raises(InvalidRecord, match="taken over by another worker"):
            late()
    store.jobs.progress(job.job_id, 0.2, "again", second.attempt)
    died(address, "w2")
    [failed] = store.jobs.sweep(timedelta(minutes=1))
    assert failed.state == "failed"
    assert "ended without a report" in failed.error
    assert "So did the one before it. Start it again." in failed.error
    assert store.jobs.claim("w3") is None


def test_a_job_that_was_to_be_cancelled_when_its_worker_died_is_cancelled(address: Address, store: Store) -> None:
    job = store.jobs.create("train", "m", ANALYST, TASK)
    claimed(store)
    store.jobs.request_cancel(job.job_id)
    died(address, "w1")
    assert [one.state for one in store.jobs.sweep(timedelta(minutes=1))] == ["cancelled"]


def test_a_worker_that_gives_a_sign_of_life_keeps_its_job_however_long_it_does_not_report(
    address: Address, store: Store
) -> None:
    store.jobs.create("train", "m", ANALYST, TASK)
    store.workers.beat("w1", {})
    claimed(store)
    died(address, "w1")
    store.workers.beat("w1", {})
    assert store.jobs.sweep(timedelta(minutes=1)) == []


def test_a_job_given_back_in_order_does_not_count_as_lost(store: Store) -> None:
    store.jobs.create("train", "m", ANALYST, TASK)
    for _ in range(3):
        claim = claimed(store)
        assert claim.attempt == 1
        store.jobs.give_back(claim)
    claim = claimed(store)
    store.jobs.lose(claim, "It was ended by SIGKILL.")
    assert store.jobs.get(claim.job.job_id).state == "waiting"
    store.jobs.lose(claimed(store), "It was ended by SIGKILL.")
    assert store.jobs.get(claim.job.job_id).error.startswith("It was ended by SIGKILL. So did")


def test_a_sign_of_life_from_before_the_clock_was_set_back_does_not_keep_a_dead_worker_alive(
    address: Address, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.workers.beat("w1", {})
    engine, ahead = address.engine(), datetime.now(UTC) + timedelta(days=1)
    with engine.begin() as connection:
        connection.execute(WORKER.update().values(beat_at=ahead))
    engine.dispose()
    assert store.workers.alive(timedelta(minutes=1)) == []


def test_a_market_has_one_worker_at_a_time_and_is_free_once_that_one_is_gone(
    address: Address, store: Store, market: Market
) -> None:
    minute, market_id = timedelta(minutes=1), market.market_id
    for worker_id in ("w1", "w2"):
        store.workers.beat(worker_id, {})
    with ThreadPoolExecutor(2) as pool:
        got = list(pool.map(lambda one: store.workers.take_market(one, market_id, minute), ("w1", "w2")))
    assert sorted(got) == [False, True]
    winner, other = ("w1", "w2") if got[0] else ("w2", "w1")
    assert store.workers.take_market(winner, market_id, minute)
    assert not store.workers.take_market(other, market_id, minute)
    died(address, winner)
    assert store.workers.take_market(other, market_id, minute)
    store.workers.free_market(winner, market_id)  # late, and no longer its own
    store.workers.beat(winner, {})
    assert not store.workers.take_market(winner, market_id, minute)
    store.workers.free_market(other, market_id)
    assert store.workers.take_market(winner, market_id, minute)
