"""Does claimed jobs, each in a process of its own that can be ended at any moment with everything it started."""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Final, NoReturn

from core.access import Actor
from core.errors import DoorstepError, InvalidRecord, JobCancelled, StoreError, StoreUnavailable, in_full
from core.parallel.calls import end_processes
from core.parallel.cluster import on_cluster
from core.problem import Problem
from core.progress import NICENESS, Progress, die_with_parent, end_group
from core.store import Store, open_store
from core.store.operations.jobs import Claim
from core.store.patience import PATIENCE_SECONDS, patiently
from core.workflows.jobs import Kinds, Task, task_of
from core.workspace import Workspace

_LOG: Final = logging.getLogger(__name__)
_REPORT_SECONDS: Final = 0.25
_LOOK_SECONDS: Final = 0.5
# Asked to end, the work removes its temporary files; after this long it is killed.
_GRACE_SECONDS: Final = 1.5
_LAST_SECONDS: Final = 15.0
_TRACKER_SILENT: Final = "ignore:::joblib.externals.loky.backend.resource_tracker"
_TERMINATED: Final = 128 + signal.SIGTERM
_SIGNALS: Final = {-one: one.name for one in signal.Signals} | {_TERMINATED: "SIGTERM"}


class _Standing(Enum):
    """Whether a job is still to be done: closed is one that its own process closed, and that process ends soon."""

    WANTED = auto()
    CLOSED = auto()
    UNWANTED = auto()


@dataclass(frozen=True)
class Order:
    """What the process of a job is given: where the store is, for whom it works, and what it does."""

    home: Path
    database_url: str | None
    problem: Problem
    actor: Actor
    job_id: str
    attempt: int
    task: Task


class ClaimedWork:
    """Claims waiting jobs for a worker, one after the other."""

    def __init__(self, workspace: Workspace, worker_id: str, kinds: Kinds) -> None:
        self._workspace, self._worker_id, self._kinds = workspace, worker_id, kinds
        self._store = workspace.store
        self._busy, self._ended_at = False, time.monotonic()

    def work(self, stop: threading.Event) -> None:
        """Do waiting jobs until ``stop`` is set; a running one then goes back to wait for another worker."""
        while not stop.is_set():
            try:
                done = self.do_next(stop)
            except StoreError as error:
                _LOG.error("no job can be claimed: %s", in_full(error))
                done = False
            if not done:
                stop.wait(_LOOK_SECONDS)

    def do_next(self, stop: threading.Event) -> bool:
        """Claim a job and do it to its end; False if none waits. Raises StoreUnavailable."""
        claim = self._store.jobs.claim(self._worker_id)
        if claim is None:
            return False
        self._busy = True
        try:
            self._do(claim, stop)
        finally:
            self._busy, self._ended_at = False, time.monotonic()
        return True

    def idle_seconds(self) -> float:
        """Return for how long there has been nothing to do."""
        return 0.0 if self._busy else time.monotonic() - self._ended_at

    def _do(self, claim: Claim, stop: threading.Event) -> None:
        job_id, jobs = claim.job.job_id, self._store.jobs
        try:
            order = self._order(claim)
            # Spawned, not forked: this process has threads, and a fork would inherit their locks.
            process = multiprocessing.get_context("spawn").Process(target=_work, args=(order, os.getpid()), name=job_id)
            process.start()
        except InvalidRecord as error:
            words = str(error)
            self._write(lambda: jobs.fail(job_id, words, claim.attempt), stop)
            return
        except OSError as error:
            words = f"The process of this job could not be started ({error.strerror})."
            self._write(lambda: jobs.lose(claim, words), stop)
            return
        try:
            ended_itself = self._wait(process, claim, stop)
        finally:
            if process.pid is not None:
                end_group(process.pid, process.join)
        self._close(claim, process.exitcode or 0, ended_itself, stop)

    def _order(self, claim: Claim) -> Order:
        store, problem = self._store, self._workspace.problem
        task = task_of(claim.task, self._kinds)
        return Order(store.home, store.database_url, problem, claim.actor, claim.job.job_id, claim.attempt, task)

    def _wait(self, process: SpawnProcess, claim: Claim, stop: threading.Event) -> bool:
        """Wait for the end of the work, or end it when it is unwanted; return whether it came to its own end."""
        closed_at: float | None = None
        while not multiprocessing.connection.wait([process.sentinel], _LOOK_SECONDS):
            standing = self._standing(claim)
            if standing is _Standing.CLOSED and closed_at is None:
                closed_at = time.monotonic()
            late = closed_at is not None and time.monotonic() - closed_at > _LAST_SECONDS
            if stop.is_set() or late or standing is _Standing.UNWANTED:
                process.terminate()
                multiprocessing.connection.wait([process.sentinel], _GRACE_SECONDS)
                return False
        return True

    def _standing(self, claim: Claim) -> _Standing:
        try:
            job = self._store.jobs.get(claim.job.job_id)
            if not job.is_open:
                return _Standing.CLOSED
            held = self._store.jobs.is_held(claim) and not job.cancel_requested
            return _Standing.WANTED if held else _Standing.UNWANTED
        except StoreUnavailable:
            return _Standing.WANTED  # a store that is away for a while ends no work

    def _close(self, claim: Claim, code: int, ended_itself: bool, stop: threading.Event) -> None:
        """Close the job, unless its process has done so."""
        jobs, job_id = self._store.jobs, claim.job.job_id
        if not ended_itself:
            self._write(lambda: jobs.cancelled(claim), stop)
            self._write(lambda: jobs.give_back(claim), stop)
        elif code in _SIGNALS:
            words = f"The process of this job was ended by {_SIGNALS[code]}."
            self._write(lambda: jobs.lose(claim, words), stop)
        elif code != 0:
            words = f"The work stopped unexpectedly (reference {job_id}); nothing was saved. Try again."
            self._write(lambda: jobs.fail(job_id, words, claim.attempt), stop)

    def _write(self, write: Callable[[], None], stop: threading.Event) -> None:
        """Write the outcome, patiently unless this worker is to end: the next one finds the job without a worker."""
        try:
            patiently(write, _GRACE_SECONDS if stop.is_set() else PATIENCE_SECONDS)
        except StoreError as error:
            _LOG.error("the end of a job could not be noted: %s", in_full(error))


def do(order: Order, store: Store) -> None:
    """Do the work of an order and close its job, in the process that was made for it."""
    jobs = store.jobs
    try:
        workspace = Workspace(store, order.problem, order.actor)
        with on_cluster():
            record = order.task.run(workspace, _reporter(store, order))
    except JobCancelled:
        return
    except DoorstepError as error:
        words = str(error)
        patiently(lambda: jobs.fail(order.job_id, words, order.attempt))
        return
    result = {"model_id": record.model_id, "market_id": record.market_id}
    patiently(lambda: jobs.finish(order.job_id, result, order.attempt))


def _work(order: Order, worker: int) -> None:
    """Do an order: the main function of its process."""
    os.setsid()
    die_with_parent(worker)
    _quiet_tracker()
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    try:
        with open_store(order.home, order.database_url) as store:
            do(order, store)
    except SystemExit:
        _leave(_TERMINATED)
    except Exception:  # noqa: BLE001 - logged, and the worker fails the job
        _LOG.exception("job %s stopped unexpectedly", order.job_id)
        _leave(1)
    _leave(0)


def _quiet_tracker() -> None:
    """Let joblib's tracker of shared folders, which this process will start, not warn of those it removes.

    Joblib names a folder for every round of calls, makes it only if needed, and forgets it as Python ends, which
    ``_leave`` does not wait for.
    """
    before = os.environ.get("PYTHONWARNINGS", "")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (before, _TRACKER_SILENT)))


def _leave(code: int) -> NoReturn:
    """End this process at once: left to end in the usual way, it would wait for threads of joblib."""
    if code == 0:
        end_processes()
    logging.shutdown()
    os._exit(code)


def _end(*_: object) -> NoReturn:
    # Only once: a second signal must not cut short the removal of temporary files.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(_TERMINATED)


def _reporter(store: Store, order: Order) -> Progress:
    reported_at, reported = 0.0, ""

    def report(fraction: float, message: str) -> None:
        nonlocal reported_at, reported
        now = time.monotonic()
        if message != reported or now - reported_at >= _REPORT_SECONDS:
            reported_at, reported = now, message
            # A percentage that cannot be written is no reason to lose the work.
            with suppress(StoreUnavailable):
                store.jobs.progress(order.job_id, fraction, message, order.attempt)

    return report
