"""The audit trail: who did what to what, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.access import Actor
from core.store.database import Database
from core.store.tables import EVENT, now
from core.store.values import plain_document, plain_text


@dataclass(frozen=True)
class Event:
    """One entry; ``at`` is UTC, ``subject`` the id of what was acted on, ``action`` like ``model.promoted``."""

    event_id: int
    at: datetime
    actor: str
    role: str
    action: str
    market_id: str | None
    subject: str
    detail: dict[str, Any]


class Events:
    """Append and list entries; there is no way to change or remove one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, actor: Actor, action: str, market_id: str | None, subject: str, detail: Mapping[str, Any]) -> None:
        """Append an entry in a transaction of its own; raises InvalidRecord, StoreUnavailable."""
        with self._database.write() as connection:
            append_event(connection, actor, action, market_id, subject, detail=detail)

    def list(self, market_id: str | None = None, limit: int = 200) -> list[Event]:
        """Return the newest entries first, of one market or of all; raises StoreUnavailable."""
        query = sa.select(EVENT).order_by(EVENT.c.event_id.desc()).limit(int(limit))
        if market_id is not None:
            query = query.where(EVENT.c.market_id == market_id)
        with self._database.read() as connection:
            return [Event(**row) for row in connection.execute(query).mappings()]


def append_event(
    connection: sa.Connection,
    actor: Actor,
    action: str,
    market_id: str | None,
    subject: str,
    *,
    detail: Mapping[str, Any],
) -> None:
    """Append an entry inside the caller's transaction, so that deed and entry stand or fall together."""
    connection.execute(
        EVENT.insert().values(
            at=now(),
            actor=plain_text(actor.name),
            role=plain_text(actor.role),
            action=plain_text(action),
            market_id=market_id,
            subject=plain_text(subject),
            detail=plain_document(detail, "event detail"),
        )
    )
