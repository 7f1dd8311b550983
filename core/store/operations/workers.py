"""Workers and their signs of life, so that a page can tell whether scheduled work will run."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from core.store.base.database import Database
from core.store.base.tables import WORKER, now
from core.store.base.values import plain_document, plain_text


@dataclass(frozen=True)
class WorkerRecord:
    """A worker; ``document`` is its latest report (next runs and so on); instants are UTC."""

    worker_id: str
    started_at: datetime
    beat_at: datetime
    document: dict[str, Any]


class Workers:
    """Record and list signs of life."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, worker_id: str, document: Mapping[str, Any]) -> WorkerRecord:
        """Record a sign of life; a worker's first marks its start. Raises InvalidRecord, StoreUnavailable."""
        worker_id, stored = plain_text(worker_id)[:80], plain_document(document, "worker document")
        instant = now()
        with self._database.write() as connection:
            update = WORKER.update().where(WORKER.c.worker_id == worker_id).values(beat_at=instant, document=stored)
            if not connection.execute(update).rowcount:
                new = {"worker_id": worker_id, "started_at": instant, "beat_at": instant, "document": stored}
                connection.execute(WORKER.insert().values(**new))
            row = connection.execute(sa.select(WORKER).where(WORKER.c.worker_id == worker_id)).mappings().one()
        return WorkerRecord(**row)

    def leave(self, worker_id: str) -> None:
        """Remove a worker that ends normally; raises StoreUnavailable."""
        with self._database.write() as connection:
            connection.execute(WORKER.delete().where(WORKER.c.worker_id == plain_text(worker_id)[:80]))

    def list(self) -> list[WorkerRecord]:
        """Return all workers that have not left, latest sign of life first; raises StoreUnavailable."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(WORKER).order_by(WORKER.c.beat_at.desc())).mappings()
            return [WorkerRecord(**row) for row in rows]

    def alive(self, tolerance: timedelta) -> builtins.list[WorkerRecord]:
        """Return the workers whose last sign of life is no older than ``tolerance``; raises StoreUnavailable."""
        oldest = now() - tolerance
        return [worker for worker in self.list() if worker.beat_at >= oldest]
