"""Long-running jobs: workers claim those that wait; their progress, cancellation, and what a dead worker leaves."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.exc import IntegrityError

from core.access import Actor
from core.errors import AlreadyExists, InvalidRecord, JobCancelled, NotFound
from core.states import JobState
from core.store.base.database import Database
from core.store.base.processes import ProcessMark, is_gone, may_be_alive, this_process
from core.store.base.tables import now
from core.store.base.values import plain_document, plain_text
from core.store.operations.work_tables import JOB, WORKER
from core.wording import instant

ATTEMPTS: Final = 2
"""How many workers may die over a job: it is taken over once, then it fails."""

_OPEN: Final = (JobState.WAITING, JobState.RUNNING)
_ACTOR: Final = TypeAdapter(Actor)
# A process of this machine that is seen to be gone counts as dead after this share of the usual silence.
_GONE_SHARE: Final = 4


@dataclass(frozen=True)
class Job:
    """A long-running job; ``fraction`` is 0 to 1, ``updated_at`` (UTC) its latest change."""

    job_id: str
    kind: str
    market_id: str | None
    state: JobState
    fraction: float
    message: str
    result: dict[str, Any]
    error: str
    cancel_requested: bool
    created_at: datetime
    updated_at: datetime

    @property
    def is_open(self) -> bool:
        """True while it waits or runs."""
        return self.state in _OPEN


_SHOWN: Final = tuple(Job.__dataclass_fields__)


@dataclass(frozen=True)
class Claim:
    """A job that a worker has taken: the task's document, for whom it is done, and which taking this is, from 1."""

    job: Job
    task: dict[str, Any]
    actor: Actor
    attempt: int


class Jobs:
    """Create, claim, report on, cancel and find jobs; done, failed and cancelled are final.

    Reports name the ``attempt`` they belong to: 0 for work that the maker of a job does itself, else the claim's. Those
    of a worker that has lost its job to another are refused.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, kind: str, market_id: str | None, actor: Actor, task: Mapping[str, Any] | None = None) -> Job:
        """Create a waiting job that a worker can claim; without ``task``, the calling process does the work itself.

        Raises AlreadyExists while a job of that kind is open for that market, InvalidRecord, StoreUnavailable.
        """
        instant = now()
        state, kind = JobState.WAITING, plain_text(kind)
        job = Job(secrets.token_hex(8), kind, market_id, state, 0.0, "", {}, "", False, instant, instant)
        more = {
            "created_by": plain_text(actor.name),
            "task": None if task is None else plain_document(task, "task"),
            "actor": None if task is None else _ACTOR.dump_python(actor, mode="json"),
            "open_work": f"{kind} {market_id or ''}",
        }
        try:
            with self._database.write() as connection:
                connection.execute(JOB.insert().values(**vars(job), **_owner(), **more))
        except IntegrityError as error:
            raise AlreadyExists("This work is already running. Wait for it, or cancel it.") from error
        return job

    def claim(self, worker_id: str) -> Claim | None:
        """Take the job that has waited longest, None if none waits; no two workers get the same one.

        This process becomes its owner. Raises StoreUnavailable.
        """
        waiting = sa.and_(JOB.c.state == JobState.WAITING, JOB.c.task.is_not(None))
        oldest = sa.select(JOB).where(waiting).order_by(JOB.c.seq).limit(1)
        with self._database.read() as connection:
            if connection.execute(oldest).first() is None:
                return None
        # Another worker's claim is skipped on PostgreSQL; on SQLite this transaction holds the only write lock.
        with self._database.write() as connection:
            row = connection.execute(oldest.with_for_update(skip_locked=True)).mappings().first()
            if row is None:
                return None
            taken = {"state": JobState.RUNNING, "worker_id": worker_id, "attempt": row["attempt"] + 1}
            update = JOB.update().where(JOB.c.seq == row["seq"])
            connection.execute(update.values(**taken, **_owner(), updated_at=now()))
            job = _get(connection, row["job_id"])
        return Claim(job, row["task"], _ACTOR.validate_python(row["actor"]), taken["attempt"])

    def progress(self, job_id: str, fraction: float, message: str, attempt: int = 0) -> None:
        """Report a job's progress; the first report of work without a task sets it running, owned by this process.

        If somebody asked to cancel the job, marks it cancelled and raises JobCancelled. Also raises InvalidRecord if
        it is already done or failed, or another worker has it; NotFound; StoreUnavailable.
        """
        report: dict[str, Any] = {"fraction": _clipped(fraction), "message": plain_text(message), "updated_at": now()}
        if attempt == 0:
            report |= {"state": JobState.RUNNING, **_owner()}
        with self._database.write() as connection:
            condition = sa.and_(_held(job_id, attempt), sa.not_(JOB.c.cancel_requested))
            if connection.execute(JOB.update().where(condition).values(**report)).rowcount:
                return
            cancelled = _cancel_if_asked(connection, job_id, attempt)
        # Raised after the transaction, since an exception inside would have rolled it back.
        if cancelled:
            raise JobCancelled(f"The job {job_id} was cancelled; its unfinished work was discarded.")
        raise _refused(self.get(job_id))

    def finish(self, job_id: str, result: Mapping[str, Any], attempt: int = 0) -> None:
        """Mark the job done with its result; raises InvalidRecord as progress does, NotFound, StoreUnavailable."""
        document = plain_document(result, "job result")
        self._close(job_id, attempt, {"state": JobState.DONE, "fraction": 1.0, "result": document})

    def fail(self, job_id: str, error: str, attempt: int = 0) -> None:
        """Mark the job failed with an error message; a cancelled job stays cancelled.

        Raises InvalidRecord if it is already done or failed, or another worker has it; NotFound, StoreUnavailable.
        """
        try:
            self._close(job_id, attempt, {"state": JobState.FAILED, "error": plain_text(error)})
        except InvalidRecord:
            if self.get(job_id).state != JobState.CANCELLED:
                raise

    def cancelled(self, claim: Claim) -> None:
        """Mark a claimed job cancelled, once its work was ended; one that is closed already stays as it is."""
        with self._database.write() as connection:
            _cancel_if_asked(connection, claim.job.job_id, claim.attempt)

    def give_back(self, claim: Claim) -> None:
        """Put a claimed job back to wait, when its worker ends in order; the next to claim it begins anew."""
        with self._database.write() as connection:
            waiting = {"state": JobState.WAITING, "worker_id": None, "attempt": claim.attempt - 1, "fraction": 0.0}
            held = _held(claim.job.job_id, claim.attempt)
            connection.execute(JOB.update().where(held).values(**waiting, message="", updated_at=now()))

    def lose(self, claim: Claim, why: str) -> None:
        """Put a claimed job back to wait after its work died; fail it with the reason ``why`` the second time."""
        with self._database.write() as connection:
            query = sa.select(JOB).where(_held(claim.job.job_id, claim.attempt))
            row = connection.execute(query).mappings().first()
            if row is not None:
                _take_back(connection, row, why)

    def request_cancel(self, job_id: str) -> None:
        """Cancel the job: a waiting one at once, a running one within seconds; a closed one stays as it is.

        Raises NotFound, StoreUnavailable.
        """
        with self._database.write() as connection:
            asked = JOB.update().where(JOB.c.job_id == job_id, JOB.c.state.in_(_OPEN)).values(cancel_requested=True)
            if not connection.execute(asked).rowcount:
                _get(connection, job_id)
            waiting = JOB.update().where(JOB.c.job_id == job_id, JOB.c.state == JobState.WAITING)
            connection.execute(waiting.values(state=JobState.CANCELLED, open_work=None, updated_at=now()))

    def sweep(self, silence: timedelta) -> list[Job]:
        """Take back the jobs of workers without a sign of life for ``silence``: to wait once more, then as failed.

        A worker on this machine whose process lives is never dead; one whose process is gone is so after a quarter of
        that time. Work without a task ends with the process that made it. Returns the jobs; raises StoreUnavailable.
        """
        if not self._suspects(silence):
            return []
        with self._database.write() as connection:
            rows = connection.execute(_OPEN_JOBS.with_for_update(of=JOB)).mappings().all()
            return [_take_back(connection, row, _why_dead(row)) for row in rows if _is_dead(row, silence)]

    def get(self, job_id: str) -> Job:
        """Return a job; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            return _get(connection, job_id)

    def pulse(self) -> tuple[int, int, int]:
        """Return numbers that change when a job is created, begins or ends; raises StoreUnavailable."""
        waiting, running = (sa.func.count(sa.case((JOB.c.state == state, 1))) for state in _OPEN)
        with self._database.read() as connection:
            newest, waits, runs = connection.execute(sa.select(sa.func.max(JOB.c.seq), waiting, running)).one()
        return int(newest or 0), int(waits), int(runs)

    def any_waiting(self) -> bool:
        """Tell whether a job waits for a worker; raises StoreUnavailable."""
        waiting = sa.and_(JOB.c.state == JobState.WAITING, JOB.c.task.is_not(None))
        with self._database.read() as connection:
            return connection.execute(sa.select(JOB.c.seq).where(waiting).limit(1)).first() is not None

    def is_held(self, claim: Claim) -> bool:
        """Tell whether a claimed job is still this worker's to do: open, and taken by nobody else."""
        held = sa.select(JOB.c.seq).where(_held(claim.job.job_id, claim.attempt))
        with self._database.read() as connection:
            return connection.execute(held).first() is not None

    def list(self, limit: int = 50) -> list[Job]:
        """Return jobs, newest first; raises StoreUnavailable."""
        query = sa.select(JOB).order_by(JOB.c.seq.desc()).limit(int(limit))
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def _suspects(self, silence: timedelta) -> bool:
        """Look first: sweeping at every visit of a page must not ask for the write lock."""
        with self._database.read() as connection:
            return any(_is_dead(row, silence) for row in connection.execute(_OPEN_JOBS).mappings())

    def _close(self, job_id: str, attempt: int, values: dict[str, Any]) -> None:
        with self._database.write() as connection:
            close = JOB.update().where(_held(job_id, attempt)).values(**values, open_work=None, updated_at=now())
            if not connection.execute(close).rowcount:
                raise _refused(_get(connection, job_id))


_OPEN_JOBS: Final = (
    sa.select(JOB, WORKER.c.beat_at)
    .select_from(JOB.outerjoin(WORKER, JOB.c.worker_id == WORKER.c.worker_id))
    .where(JOB.c.state.in_(_OPEN))
    .order_by(JOB.c.seq)
)


def _held(job_id: str, attempt: int) -> sa.ColumnElement[bool]:
    return sa.and_(JOB.c.job_id == job_id, JOB.c.state.in_(_OPEN), JOB.c.attempt == attempt)


def _owner() -> dict[str, Any]:
    mark = this_process()
    return {"owner_host": mark.host, "owner_pid": mark.pid, "owner_started": mark.started}


def _mark_of(row: sa.RowMapping) -> ProcessMark:
    return ProcessMark(row["owner_host"], row["owner_pid"], row["owner_started"])


def _is_dead(row: sa.RowMapping, silence: timedelta) -> bool:
    if row["task"] is not None and row["state"] == JobState.WAITING:
        return False
    mark = _mark_of(row)
    if may_be_alive(mark):
        return False
    silent = abs(now() - (row["beat_at"] or row["updated_at"]))  # a clock may have been set back since
    return silent > (silence / _GONE_SHARE if is_gone(mark) else silence)


def _why_dead(row: sa.RowMapping) -> str:
    at = instant(row["beat_at"] or row["updated_at"])
    return (
        f"The process working on this job (pid {row['owner_pid']} on {row['owner_host']}) ended without a report; its "
        f"last sign of life was at {at}."
    )


def _take_back(connection: sa.Connection, row: sa.RowMapping, why: str) -> Job:
    values: dict[str, Any] = {"updated_at": now()}
    if row["cancel_requested"]:
        values |= {"state": JobState.CANCELLED, "open_work": None}
    elif row["task"] is not None and row["attempt"] < ATTEMPTS:
        values |= {"state": JobState.WAITING, "worker_id": None, "fraction": 0.0, "message": ""}
    else:
        again = " So did the one before it." if row["attempt"] >= ATTEMPTS else ""
        error = f"{why}{again} Start it again."
        values |= {"state": JobState.FAILED, "error": plain_text(error), "open_work": None}
    connection.execute(JOB.update().where(JOB.c.seq == row["seq"]).values(**values))
    return _get(connection, row["job_id"])


def _clipped(fraction: float) -> float:
    return 0.0 if math.isnan(fraction) else min(max(float(fraction), 0.0), 1.0)


def _cancel_if_asked(connection: sa.Connection, job_id: str, attempt: int) -> bool:
    asked = sa.and_(_held(job_id, attempt), JOB.c.cancel_requested)
    cancelled = {"state": JobState.CANCELLED, "open_work": None, "updated_at": now()}
    connection.execute(JOB.update().where(asked).values(**cancelled))
    return _get(connection, job_id).state == JobState.CANCELLED


def _refused(job: Job) -> InvalidRecord:
    if job.is_open:
        return InvalidRecord(f"The job {job.job_id} ({job.kind}) was taken over by another worker; this work is void.")
    return InvalidRecord(
        f"The job {job.job_id} ({job.kind}) is already {job.state} and cannot change; start a new one."
    )


def _get(connection: sa.Connection, job_id: str) -> Job:
    row = connection.execute(sa.select(JOB).where(JOB.c.job_id == job_id)).mappings().first()
    if row is None:
        raise NotFound(f"There is no job {job_id!r}; list the jobs to see their ids.")
    return _record(row)


def _record(row: sa.RowMapping) -> Job:
    return Job(**{**{name: row[name] for name in _SHOWN}, "state": JobState(row["state"])})
