"""Workers: their signs of life, and which of them does a market's round."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from core.store.base.database import Database
from core.store.base.markets import lock_market
from core.store.base.processes import ProcessMark, is_gone, this_process
from core.store.base.tables import now
from core.store.base.values import plain_document, plain_text
from core.store.operations.work_tables import MARKET_TURN, WORKER

ALIVE_WITHIN: Final = timedelta(minutes=1)
"""A worker without a sign of life for this long counts as gone; it gives one every quarter of that."""

_PROCESS: Final = "process"
_UNKNOWN: Final = {"host": "", "pid": 0, "started": ""}


@dataclass(frozen=True)
class WorkerRecord:
    """A worker; ``document`` is its latest report (next runs and so on); instants are UTC."""

    worker_id: str
    started_at: datetime
    beat_at: datetime
    document: dict[str, Any]
    process: ProcessMark

    def is_alive(self, tolerance: timedelta) -> bool:
        """Tell whether its last sign of life is no older than ``tolerance``, and its process not known to be gone."""
        if is_gone(self.process):
            return False
        return abs(now() - self.beat_at) <= tolerance  # a clock may have been set back since


class Workers:
    """Record and list signs of life, and share out the markets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, worker_id: str, document: Mapping[str, Any]) -> WorkerRecord:
        """Record a sign of life of this process; a worker's first marks its start.

        Raises InvalidRecord, StoreUnavailable.
        """
        worker_id = plain_text(worker_id)[:80]
        stored = plain_document({**document, _PROCESS: vars(this_process())}, "worker document")
        instant = now()
        with self._database.write() as connection:
            update = WORKER.update().where(WORKER.c.worker_id == worker_id).values(beat_at=instant, document=stored)
            if not connection.execute(update).rowcount:
                new = {"worker_id": worker_id, "started_at": instant, "beat_at": instant, "document": stored}
                connection.execute(WORKER.insert().values(**new))
            row = connection.execute(sa.select(WORKER).where(WORKER.c.worker_id == worker_id)).mappings().one()
        return _record(row)

    def leave(self, worker_id: str) -> None:
        """Remove a worker that ends normally, and free its markets; raises StoreUnavailable."""
        worker_id = plain_text(worker_id)[:80]
        with self._database.write() as connection:
            connection.execute(MARKET_TURN.delete().where(MARKET_TURN.c.worker_id == worker_id))
            connection.execute(WORKER.delete().where(WORKER.c.worker_id == worker_id))

    def list(self) -> list[WorkerRecord]:
        """Return all workers that have not left, latest sign of life first; raises StoreUnavailable."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(WORKER).order_by(WORKER.c.beat_at.desc())).mappings()
            return [_record(row) for row in rows]

    def alive(self, tolerance: timedelta) -> builtins.list[WorkerRecord]:
        """Return the workers whose last sign of life is no older than ``tolerance``; raises StoreUnavailable."""
        return [worker for worker in self.list() if worker.is_alive(tolerance)]

    def take_market(self, worker_id: str, market_id: str, tolerance: timedelta) -> bool:
        """Take a market for a round; False while another living worker has it. Raises NotFound, StoreUnavailable."""
        with self._database.write() as connection:
            lock_market(connection, market_id)
            held = sa.select(WORKER).join(MARKET_TURN, MARKET_TURN.c.worker_id == WORKER.c.worker_id)
            row = connection.execute(held.where(MARKET_TURN.c.market_id == market_id)).mappings().first()
            if row is not None and row["worker_id"] != worker_id and _record(row).is_alive(tolerance):
                return False
            connection.execute(MARKET_TURN.delete().where(MARKET_TURN.c.market_id == market_id))
            taken = {"market_id": market_id, "worker_id": worker_id, "taken_at": now()}
            connection.execute(MARKET_TURN.insert().values(**taken))
        return True

    def free_market(self, worker_id: str, market_id: str) -> None:
        """Free a market after its round; raises StoreUnavailable."""
        mine = sa.and_(MARKET_TURN.c.market_id == market_id, MARKET_TURN.c.worker_id == worker_id)
        with self._database.write() as connection:
            connection.execute(MARKET_TURN.delete().where(mine))


def _record(row: sa.RowMapping) -> WorkerRecord:
    document = dict(row["document"])
    process = ProcessMark(**document.pop(_PROCESS, _UNKNOWN))
    return WorkerRecord(row["worker_id"], row["started_at"], row["beat_at"], document, process)
