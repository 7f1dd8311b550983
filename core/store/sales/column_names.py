"""Display names of a market's own columns: the audit trail's latest entry on a column is its name."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import sqlalchemy as sa

from core.access import Actor
from core.errors import StoreUnavailable
from core.schema import local_names
from core.states import AuditAction
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.tables import EVENT, MARKET

# Names are read for each page and request, and seldom change.
_FRESH_SECONDS: Final = 2.0


class ColumnNames:
    """Give and read display names, by the field that holds a column."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read: dict[str, tuple[float, Mapping[str, str]]] = {}

    def of(self, market_id: str) -> dict[str, str]:
        """Return the names given in a market, by field; raises StoreUnavailable."""
        query = sa.select(EVENT.c.subject, EVENT.c.detail).where(
            EVENT.c.market_id == market_id, EVENT.c.action == AuditAction.COLUMN_NAMED
        )
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(EVENT.c.event_id)).all()
        # In order: the latest name of a column counts, and an empty one gives its readable form back.
        names = {subject: str(detail["name"]) for subject, detail in rows}
        return {field: name for field, name in names.items() if name}

    def shown(self, market_id: str) -> Mapping[str, str]:
        """Return the names as of a moment ago, for showing them, with what people of the market call areas.

        While the database is away, they are those last known.
        """
        read_at, names = self._read.get(market_id, (float("-inf"), {}))
        if time.monotonic() - read_at < _FRESH_SECONDS:
            return names
        # What a column is called must not keep a home from being priced.
        with suppress(StoreUnavailable):
            names = {**self._areas(market_id), **self.of(market_id)}
        self._read[market_id] = (time.monotonic(), names)
        return names

    def _areas(self, market_id: str) -> dict[str, str]:
        with self._database.read() as connection:
            currency = connection.execute(sa.select(MARKET.c.currency).where(MARKET.c.market_id == market_id)).scalar()
        return local_names(currency) if currency else {}

    def give(self, market_id: str, names: Mapping[str, str], actor: Actor) -> None:
        """Name columns, by field; an empty name gives the readable form back. Raises StoreUnavailable."""
        with self._database.write() as connection:
            append_names(connection, market_id, names, actor)
        self.forget(market_id)

    def forget(self, market_id: str) -> None:
        """Read the names anew the next time they are shown."""
        self._read.pop(market_id, None)


def append_names(connection: sa.Connection, market_id: str, names: Mapping[str, str], actor: Actor) -> None:
    """Name columns inside the caller's transaction."""
    for field, name in names.items():
        append_event(connection, actor, AuditAction.COLUMN_NAMED, market_id, field, detail={"name": name})
