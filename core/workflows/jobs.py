"""Long work as jobs: a task becomes a document in the store, which any worker can claim and turn back into the task."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pydantic import TypeAdapter, ValidationError

from core.access import Action
from core.errors import AlreadyExists, DoorstepError, InvalidRecord, JobCancelled, StoreUnavailable
from core.progress import Progress
from core.states import AuditAction, JobState, Undecided
from core.store import Job, ModelRecord, Store
from core.store.operations.workers import ALIVE_WITHIN
from core.train.trainer import TrainingPlan
from core.workflows.models.retraining import RetrainPlan, retrain
from core.workflows.training import train_model
from core.workspace import Workspace

SILENCE: Final = ALIVE_WITHIN
"""A worker without a sign of life for this long counts as gone, and so does a process that works without one."""

_LISTED: Final = 200
_REPORT_SECONDS: Final = 0.5


class Task(Protocol):
    """Work for a worker, a frozen dataclass of JSON-ready fields; ``kind`` and ``market_id`` name its job."""

    @property
    def kind(self) -> str:
        """The job's kind."""

    @property
    def market_id(self) -> str | None:
        """The market it works on, None if there is none yet."""

    def run(self, workspace: Workspace, progress: Progress) -> ModelRecord:
        """Do the work."""


Kinds = Mapping[str, type[Task]]
"""The tasks a worker can do, by kind."""


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
    undecided: Undecided = Undecided.REPLACED
    kind: str = "retrain"

    def run(self, workspace: Workspace, progress: Progress) -> ModelRecord:
        """Train, compare and register."""
        return retrain(workspace, self.market_id, self.plan, progress, self.undecided).record


TRAININGS: Final[Kinds] = {TrainTask.kind: TrainTask, RetrainTask.kind: RetrainTask}


def start(workspace: Workspace, task: Task) -> Job:
    """Put a task before the workers and return its job, which waits until one takes it.

    Raises AccessDenied, and AlreadyExists while the same work waits or runs.
    """
    return _create(workspace, task, document_of(task))


def do_here(workspace: Workspace, task: Task, progress: Progress) -> ModelRecord:
    """Do a task in this process, as a job that every page shows and can cancel; return its model.

    Raises AccessDenied, AlreadyExists while the same work waits or runs, JobCancelled, and what the task raises.
    """
    jobs = workspace.store.jobs
    job = _create(workspace, task, None)
    reported_at = -math.inf

    def reported(fraction: float, message: str) -> None:
        nonlocal reported_at
        progress(fraction, message)
        if time.monotonic() - reported_at < _REPORT_SECONDS:
            return
        reported_at = time.monotonic()
        # The work goes on while nobody can see how far it is.
        with suppress(StoreUnavailable):
            jobs.progress(job.job_id, fraction, message)

    done: ModelRecord | None = None
    why = "It was stopped where it was started. Start it again."
    try:
        done = task.run(workspace, reported)
    except JobCancelled:
        raise
    except DoorstepError as error:
        why = str(error)
        raise
    finally:
        if done is None:
            with suppress(DoorstepError):
                jobs.fail(job.job_id, why)
    with suppress(InvalidRecord):  # somebody cancelled it when all was done
        jobs.finish(job.job_id, {"model_id": done.model_id})
    return done


def _create(workspace: Workspace, task: Task, document: Mapping[str, Any] | None) -> Job:
    """Create a task's job; without a document, this process does it. Raises as ``start``."""
    store = workspace.store
    workspace.require(Action.TRAIN)
    store.jobs.sweep(SILENCE)
    try:
        return store.jobs.create(task.kind, task.market_id, workspace.actor, document)
    except AlreadyExists:
        running = under_way(store, task.kind, task.market_id)
        if running is None:  # it has just ended
            return store.jobs.create(task.kind, task.market_id, workspace.actor, document)
        raise AlreadyExists(
            f"This work is already running ({running.fraction:.0%} done). Wait for it, or cancel it."
        ) from None


def list_jobs(workspace: Workspace, market_id: str | None = None) -> list[Job]:
    """Return the latest jobs, newest first, of one market or of all; those of dead workers are taken back first.

    Raises AccessDenied, StoreUnavailable.
    """
    workspace.require(Action.VIEW_MODELS)
    workspace.store.jobs.sweep(SILENCE)
    return [job for job in workspace.store.jobs.list(_LISTED) if market_id in (None, job.market_id)]


def cancel(workspace: Workspace, job_id: str) -> Job:
    """Cancel a job and return it: a waiting one is cancelled at once, a running one within seconds.

    Raises AccessDenied, NotFound, InvalidRecord for a job that has ended, StoreUnavailable.
    """
    workspace.require(Action.TRAIN)
    jobs = workspace.store.jobs
    before = jobs.get(job_id)
    if not before.is_open:
        raise InvalidRecord(
            f"The job {job_id} ({before.kind}) is already {before.state}, so there is nothing to cancel."
        )
    jobs.request_cancel(job_id)
    return jobs.get(job_id)


def under_way(store: Store, kind: str, market_id: str | None) -> Job | None:
    """Return the open job of that kind for that market, or None."""
    jobs = store.jobs.list()
    return next(
        (job for job in jobs if job.kind == kind and job.market_id == market_id and job.is_open),
        None,
    )


def pulse(store: Store) -> tuple[int, int, int]:
    """Return numbers that change when any work begins or ends; work of a dead process ends here.

    Raises StoreUnavailable.
    """
    store.jobs.sweep(SILENCE)
    return store.jobs.pulse()


def training_under_way(store: Store, market_id: str) -> Job | None:
    """Return the open training of a market, whoever started it and wherever it runs; None without one.

    One that waits or runs to replace the challenger comes first. Raises StoreUnavailable.
    """
    store.jobs.sweep(SILENCE)
    found = (under_way(store, kind, market_id) for kind in (RetrainTask.kind, TrainTask.kind))
    return next((one for one in found if one is not None), None)


_CHANGES: Final = (AuditAction.VERSION_COMMITTED, AuditAction.VERSION_RESTORED, AuditAction.VERSION_UNDONE)


def why_training_failed(store: Store, market_id: str) -> str:
    """Return why the newest training of a market failed; "" if it did not, or the data are others since.

    Raises StoreUnavailable.
    """
    kinds = (RetrainTask.kind, TrainTask.kind)
    newest = next((one for one in store.jobs.list() if one.market_id == market_id and one.kind in kinds), None)
    if newest is None or newest.state is not JobState.FAILED:
        return ""
    changes = (one.at for one in store.events.list(market_id) if one.action in _CHANGES)
    changed = next(changes, None)
    return newest.error if changed is None or changed < newest.created_at else ""


def document_of(task: Task) -> dict[str, Any]:
    """Return a task as JSON values, its kind among them."""
    document: dict[str, Any] = TypeAdapter(type(task)).dump_python(task, mode="json")
    return document


def task_of(document: Mapping[str, Any], kinds: Kinds) -> Task:
    """Return the task in a document; raises InvalidRecord if this release cannot do such work."""
    kind = str(document.get("kind"))
    try:
        return TypeAdapter(kinds[kind]).validate_python(dict(document))
    except (KeyError, ValidationError) as error:
        raise InvalidRecord(
            f"This worker cannot do work of the kind {kind!r}, or not with these settings: another release of Doorstep "
            "wrote them. Start it again, with workers of the same release."
        ) from error
