"""Alert thresholds that a manager changed, with reason and time; otherwise the problem statement's apply."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from core.access import Actor
from core.errors import InvalidRecord
from core.states import AuditAction
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.markets import lock_market, market_row
from core.store.base.tables import THRESHOLD, now
from core.store.base.values import plain_text

_NAME_LIMIT: Final = 40


@dataclass(frozen=True)
class ThresholdRecord:
    """A value set for a threshold, None where it was reset to the problem statement's; ``at`` is UTC."""

    market_id: str
    name: str
    value: float | None
    reason: str
    at: datetime
    actor: str


_COLUMNS: Final = tuple(THRESHOLD.c[field.name] for field in fields(ThresholdRecord))


class Thresholds:
    """Set, reset and read thresholds; earlier values stay on record."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set(self, market_id: str, name: str, value: float, reason: str, actor: Actor) -> ThresholdRecord:
        """Set a threshold and write an audit entry; the caller checks the value's bounds.

        Raises NotFound for an unknown market; InvalidRecord for a missing reason, an empty or overlong name or a
        value that is not a number; StoreUnavailable.
        """
        name, reason = plain_text(name).strip(), plain_text(reason).strip()
        if not 1 <= len(name) <= _NAME_LIMIT:
            raise InvalidRecord(f"The threshold name {name!r} has {len(name)} characters; use 1 to {_NAME_LIMIT}.")
        if not reason:
            raise InvalidRecord("A changed limit needs a reason; give one in a few words.")
        if not math.isfinite(value):
            raise InvalidRecord(f"The threshold {name} = {value} is not a number; give one.")
        record = ThresholdRecord(market_id, name, float(value), reason, now(), plain_text(actor.name))
        with self._database.write() as connection:
            lock_market(connection, market_id)
            _insert(connection, record, AuditAction.THRESHOLD_CHANGED, actor)
        return record

    def reset(self, market_id: str, name: str, reason: str, actor: Actor) -> ThresholdRecord:
        """Let the problem statement's value of a threshold hold again, with an audit entry.

        Raises NotFound for an unknown market, InvalidRecord for a missing reason or a threshold that is not set,
        StoreUnavailable.
        """
        name, reason = plain_text(name).strip(), plain_text(reason).strip()
        if not reason:
            raise InvalidRecord("A changed limit needs a reason; give one in a few words.")
        record = ThresholdRecord(market_id, name, None, reason, now(), plain_text(actor.name))
        with self._database.write() as connection:
            lock_market(connection, market_id)
            if name not in _values(connection, market_id):
                raise InvalidRecord(
                    f"The threshold {name!r} is the problem statement's already; there is nothing to reset."
                )
            _insert(connection, record, AuditAction.THRESHOLD_RESET, actor)
        return record

    def values(self, market_id: str) -> dict[str, float]:
        """Return the values set, by name; a threshold that was never set, or was reset, is left out.

        Raises NotFound, StoreUnavailable.
        """
        with self._database.read() as connection:
            market_row(connection, market_id)
            return _values(connection, market_id)

    def history(self, market_id: str, name: str | None = None) -> list[ThresholdRecord]:
        """Return all values set and resets, newest first, of one threshold or of all; NotFound, StoreUnavailable."""
        query = sa.select(*_COLUMNS).where(THRESHOLD.c.market_id == market_id).order_by(THRESHOLD.c.seq.desc())
        if name is not None:
            query = query.where(THRESHOLD.c.name == name)
        with self._database.read() as connection:
            market_row(connection, market_id)
            return [ThresholdRecord(**row) for row in connection.execute(query).mappings()]


def _insert(connection: sa.Connection, record: ThresholdRecord, action: AuditAction, actor: Actor) -> None:
    before = _values(connection, record.market_id).get(record.name)
    connection.execute(THRESHOLD.insert().values(**vars(record)))
    detail = {"before": before, "after": record.value, "reason": record.reason}
    append_event(connection, actor, action, record.market_id, record.name, detail=detail)


def _values(connection: sa.Connection, market_id: str) -> dict[str, float]:
    columns = (THRESHOLD.c.name, THRESHOLD.c.value)
    query = sa.select(*columns).where(THRESHOLD.c.market_id == market_id).order_by(THRESHOLD.c.seq)
    latest = {row.name: row.value for row in connection.execute(query)}
    return {name: value for name, value in latest.items() if value is not None}
