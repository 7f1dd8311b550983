"""Jobs in their own processes, with progress on disk, so that demo setup and training never block a page."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

from core.access import Action, Actor
from core.errors import AlreadyExists, DoorstepError, JobCancelled
from core.problem import Problem
from core.progress import Progress
from core.store import Job, ModelRecord, Store, open_store
from core.train.trainer import TrainingPlan
from core.workflows.models.retraining import RetrainPlan, retrain
from core.workflows.training import train_model
from core.workspace import Workspace

_LOG: Final = logging.getLogger(__name__)
_REPORT_SECONDS: Final = 0.25
_SILENT_TOO_LONG: Final = timedelta(minutes=10)
# Agents' pages take priority on the processor.
_NICENESS: Final = 5


class Task(Protocol):
    """Work that can be sent to another process; ``kind`` and ``market_id`` name its job."""

    @property
    def kind(self) -> str:
        """The job's kind."""

    @property
    def market_id(self) -> str | None:
        """The market it works on, None if there is none yet."""

    def run(self, workspace: Workspace, progress: Progress) -> ModelRecord:
        """Do the work."""


@dataclass(frozen=True)
class TrainTask:
    """Train a model on a market's latest data version."""

    market_id: str
    plan: TrainingPlan
    kind: str = "train"

    def run(self, workspace: Workspace, progress: Progress) -> ModelRecord:
        """Train and register."""
        return train_model(workspace, self.market_id, self.plan, progress)


@dataclass(frozen=True)
class RetrainTask:
    """Train a challenger on a market's latest data version and compare it with the champion."""

    market_id: str
    plan: RetrainPlan
    kind: str = "retrain"

    def run(self, workspace: Workspace, progress: Progress) -> ModelRecord:
        """Train, compare and register."""
        return retrain(workspace, self.market_id, self.plan, progress).record


def start(workspace: Workspace, task: Task) -> Job:
    """Start a task in its own process and return its job.

    Raises AccessDenied, and AlreadyExists while the same work is running.
    """
    store = workspace.store
    workspace.require(Action.TRAIN)
    store.jobs.sweep(_SILENT_TOO_LONG)
    running = under_way(store, task.kind, task.market_id)
    if running is not None:
        raise AlreadyExists(f"This work is already running ({running.fraction:.0%} done). Wait for it, or cancel it.")
    job = store.jobs.create(task.kind, task.market_id, workspace.actor)
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    future = pool.submit(_work, store.home, workspace.problem, workspace.actor, job.job_id, task)
    future.add_done_callback(lambda done: _close(store, job.job_id, done))
    pool.shutdown(wait=False)
    return job


def under_way(store: Store, kind: str, market_id: str | None) -> Job | None:
    """Return the open job of that kind for that market, or None."""
    jobs = store.jobs.list()
    return next(
        (job for job in jobs if job.kind == kind and job.market_id == market_id and job.is_open),
        None,
    )


def _work(home: Path, problem: Problem, actor: Actor, job_id: str, task: Task) -> None:
    os.nice(_NICENESS)
    server = os.getppid()
    with open_store(home) as store:
        try:
            record = task.run(Workspace(store, problem, actor), _reporter(store, job_id))
        except JobCancelled:
            return
        except DoorstepError as error:
            store.jobs.fail(job_id, str(error))
            return
        store.jobs.finish(job_id, {"model_id": record.model_id, "market_id": record.market_id})
    if os.getppid() != server:
        # The server that started this process is gone, so nobody is left to give it work or end it.
        os._exit(0)


def _reporter(store: Store, job_id: str) -> Progress:
    reported_at, reported = 0.0, ""

    def report(fraction: float, message: str) -> None:
        nonlocal reported_at, reported
        now = time.monotonic()
        if message != reported or now - reported_at >= _REPORT_SECONDS:
            reported_at, reported = now, message
            store.jobs.progress(job_id, fraction, message)

    return report


def _close(store: Store, job_id: str, done: Future[None]) -> None:
    error = done.exception()
    if error is None:
        return
    _LOG.error("job %s stopped unexpectedly", job_id, exc_info=error)
    if store.jobs.get(job_id).is_open:
        store.jobs.fail(job_id, f"The work stopped unexpectedly (reference {job_id}); nothing was saved. Try again.")
