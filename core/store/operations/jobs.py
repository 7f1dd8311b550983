"""Long-running jobs: their progress, cancellation, and what happens when their process dies."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from core.access import Actor
from core.errors import InvalidRecord, JobCancelled, NotFound
from core.states import JobState
from core.store.base.database import Database
from core.store.base.processes import ProcessMark, may_be_alive, this_process
from core.store.base.tables import JOB, now
from core.store.base.values import plain_document, plain_text
from core.wording import instant

_OPEN: Final = (JobState.WAITING, JobState.RUNNING)
_HIDDEN: Final = ("seq", "owner_host", "owner_pid", "owner_started", "created_by")


@dataclass(frozen=True)
class Job:
    """A long-running job; ``fraction`` is 0 to 1, ``updated_at`` (UTC) the last sign of life of its process."""

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


class Jobs:
    """Create, report on, cancel and find jobs; done, failed and cancelled are final."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, kind: str, market_id: str | None, actor: Actor) -> Job:
        """Create a waiting job, owned by this process until its worker first reports; raises StoreUnavailable."""
        instant = now()
        job = Job(
            secrets.token_hex(8),
            plain_text(kind),
            market_id,
            JobState.WAITING,
            0.0,
            "",
            {},
            "",
            False,
            instant,
            instant,
        )
        with self._database.write() as connection:
            connection.execute(JOB.insert().values(**vars(job), **_owner(), created_by=plain_text(actor.name)))
        return job

    def progress(self, job_id: str, fraction: float, message: str) -> None:
        """Report a job's progress; the first report sets it running and makes this process its owner.

        If somebody asked to cancel the job, marks it cancelled and raises JobCancelled. Also raises InvalidRecord if
        it is already done or failed; NotFound; StoreUnavailable.
        """
        report = {"fraction": _clipped(fraction), "message": plain_text(message), "updated_at": now()}
        with self._database.write() as connection:
            condition = sa.and_(JOB.c.job_id == job_id, JOB.c.state.in_(_OPEN), sa.not_(JOB.c.cancel_requested))
            if connection.execute(
                JOB.update().where(condition).values(**report, **_owner(), state=JobState.RUNNING)
            ).rowcount:
                return
            cancelled = _cancel_if_asked(connection, job_id)
        # Raised after the transaction, since an exception inside would have rolled it back.
        if cancelled:
            raise JobCancelled(f"The job {job_id} was cancelled; its unfinished work was discarded.")
        raise _closed(self.get(job_id))

    def finish(self, job_id: str, result: Mapping[str, Any]) -> None:
        """Mark the job done with its result; raises InvalidRecord if it is closed, NotFound, StoreUnavailable."""
        document = plain_document(result, "job result")
        self._close(job_id, {"state": JobState.DONE, "fraction": 1.0, "result": document})

    def fail(self, job_id: str, error: str) -> None:
        """Mark the job failed with an error message; a cancelled job stays cancelled.

        Raises InvalidRecord if it is already done or failed, NotFound, StoreUnavailable.
        """
        try:
            self._close(job_id, {"state": JobState.FAILED, "error": plain_text(error)})
        except InvalidRecord:
            if self.get(job_id).state != JobState.CANCELLED:
                raise

    def request_cancel(self, job_id: str) -> None:
        """Cancel the job: a waiting one at once, a running one at its next report; a closed one stays as it is.

        Raises NotFound, StoreUnavailable.
        """
        with self._database.write() as connection:
            asked = JOB.update().where(JOB.c.job_id == job_id, JOB.c.state.in_(_OPEN)).values(cancel_requested=True)
            if not connection.execute(asked).rowcount:
                _get(connection, job_id)
            waiting = JOB.update().where(JOB.c.job_id == job_id, JOB.c.state == JobState.WAITING)
            connection.execute(waiting.values(state=JobState.CANCELLED, updated_at=now()))

    def sweep(self, older_than: timedelta) -> list[Job]:
        """Mark open jobs without a recent sign of life as failed, unless their process is alive on this machine.

        Returns the marked jobs; raises StoreUnavailable.
        """
        stale = sa.and_(JOB.c.state.in_(_OPEN), JOB.c.updated_at < now() - older_than)
        swept: list[Job] = []
        with self._database.write() as connection:
            for row in connection.execute(sa.select(JOB).where(stale)).mappings().all():
                mark = ProcessMark(row["owner_host"], row["owner_pid"], row["owner_started"])
                if not may_be_alive(mark):
                    swept.append(_fail_abandoned(connection, row))
        return swept

    def get(self, job_id: str) -> Job:
        """Return a job; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            return _get(connection, job_id)

    def list(self, limit: int = 50) -> list[Job]:
        """Return jobs, newest first; raises StoreUnavailable."""
        query = sa.select(JOB).order_by(JOB.c.seq.desc()).limit(int(limit))
        with self._database.read() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]

    def _close(self, job_id: str, values: dict[str, Any]) -> None:
        with self._database.write() as connection:
            close = JOB.update().where(JOB.c.job_id == job_id, JOB.c.state.in_(_OPEN))
            if not connection.execute(close.values(**values, updated_at=now())).rowcount:
                raise _closed(_get(connection, job_id))


def _owner() -> dict[str, Any]:
    mark = this_process()
    return {"owner_host": mark.host, "owner_pid": mark.pid, "owner_started": mark.started}


def _clipped(fraction: float) -> float:
    return 0.0 if math.isnan(fraction) else min(max(float(fraction), 0.0), 1.0)


def _cancel_if_asked(connection: sa.Connection, job_id: str) -> bool:
    job = _get(connection, job_id)
    if job.state in _OPEN:
        update = JOB.update().where(JOB.c.job_id == job_id)
        connection.execute(update.values(state=JobState.CANCELLED, updated_at=now()))
        return True
    return job.state == JobState.CANCELLED


def _fail_abandoned(connection: sa.Connection, row: sa.RowMapping) -> Job:
    error = (
        f"The process working on this job (pid {row['owner_pid']} on {row['owner_host']}) ended without a report; its "
        f"last sign of life was at {instant(row['updated_at'])}. Start it again."
    )
    update = JOB.update().where(JOB.c.job_id == row["job_id"])
    connection.execute(update.values(state=JobState.FAILED, error=error, updated_at=now()))
    return _get(connection, row["job_id"])


def _closed(job: Job) -> InvalidRecord:
    return InvalidRecord(
        f"The job {job.job_id} ({job.kind}) is already {job.state} and cannot change; start a new one."
    )


def _get(connection: sa.Connection, job_id: str) -> Job:
    row = connection.execute(sa.select(JOB).where(JOB.c.job_id == job_id)).mappings().first()
    if row is None:
        raise NotFound(f"There is no job {job_id!r}; list the jobs to see their ids.")
    return _record(row)


def _record(row: sa.RowMapping) -> Job:
    values = {key: row[key] for key in row if key not in _HIDDEN}
    return Job(**{**values, "state": JobState(row["state"])})
