"""The audit trail: who did what to what, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from core.access import Actor
from core.states import AuditAction
from core.store.base.database import Database
from core.store.base.tables import EVENT, now
from core.store.base.values import plain_document, plain_text


@dataclass(frozen=True)
class Event:
    """One entry: ``at`` in UTC, ``subject`` the id of what was acted on, ``action`` such as ``model.promoted``."""

    event_id: int
    at: datetime
    actor: str
    role: str
    action: str
    market_id: str | None
    subject: str
    detail: dict[str, Any]
    actor_id: str


@dataclass(frozen=True)
class Wanted:
    """A filter on entries; empty parts match all. ``subject`` matches part of an id; days are inclusive, in UTC."""

    actions: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    subject: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Names:
    """The actions and actors that appear in entries."""

    actions: tuple[str, ...]
    actors: tuple[str, ...]


# Inside the class, its method ``list`` hides the type.
Entries = list[Event]


class Events:
    """Append and list entries; an entry can never be changed or removed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, actor: Actor, action: str, market_id: str | None, subject: str, detail: Mapping[str, Any]) -> None:
        """Append an entry in its own transaction; raises InvalidRecord, StoreUnavailable."""
        with self._database.write() as connection:
            append_event(connection, actor, action, market_id, subject, detail=detail)

    def of(self, subject: str, action: str) -> Entries:
        """Return the entries of one action on a subject, newest first; raises StoreUnavailable."""
        query = sa.select(EVENT).where(EVENT.c.subject == subject, EVENT.c.action == action)
        with self._database.read() as connection:
            return [Event(**row) for row in connection.execute(query.order_by(EVENT.c.event_id.desc())).mappings()]

    def replaced_by(self, market_id: str, model_id: str) -> Event | None:
        """Return the entry of the challenger that last took a model's place as challenger, None if none did.

        Raises StoreUnavailable.
        """
        replaced = EVENT.c.detail["replaced"].as_string() == model_id
        challenged = sa.and_(EVENT.c.market_id == market_id, EVENT.c.action == AuditAction.MODEL_CHALLENGED)
        query = sa.select(EVENT).where(challenged, replaced)
        with self._database.read() as connection:
            row = connection.execute(query.order_by(EVENT.c.event_id.desc()).limit(1)).mappings().first()
        return None if row is None else Event(**row)

    def count(self, market_id: str, action: str) -> int:
        """Count the entries of an action in a market; raises StoreUnavailable."""
        query = sa.select(sa.func.count()).where(EVENT.c.market_id == market_id, EVENT.c.action == action)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def search(self, market_id: str | None, wanted: Wanted, limit: int) -> Entries:
        """Return the newest matching entries of a market and of no market (None: of all); raises StoreUnavailable."""
        query = sa.select(EVENT).where(*_conditions(market_id, wanted)).order_by(EVENT.c.event_id.desc())
        with self._database.read() as connection:
            rows = connection.execute(query.limit(int(limit))).mappings()
            return [Event(**row) for row in rows]

    def matching(self, market_id: str | None, wanted: Wanted) -> int:
        """Count the entries ``search`` would find without a limit; raises StoreUnavailable."""
        query = sa.select(sa.func.count()).select_from(EVENT).where(*_conditions(market_id, wanted))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def names(self, market_id: str | None) -> Names:
        """Return the actions and actors in a market's entries, sorted; raises StoreUnavailable."""
        conditions = _conditions(market_id, Wanted())
        with self._database.read() as connection:
            actions, actors = (
                tuple(sorted(connection.scalars(sa.select(column).where(*conditions).distinct())))
                for column in (EVENT.c.action, EVENT.c.actor)
            )
        return Names(actions, actors)

    def list(self, market_id: str | None = None, limit: int = 200) -> Entries:
        """Return the entries of one market or of all, newest first; raises StoreUnavailable."""
        query = sa.select(EVENT).order_by(EVENT.c.event_id.desc()).limit(int(limit))
        if market_id is not None:
            query = query.where(EVENT.c.market_id == market_id)
        with self._database.read() as connection:
            return [Event(**row) for row in connection.execute(query).mappings()]


def _conditions(market_id: str | None, wanted: Wanted) -> tuple[sa.ColumnElement[bool], ...]:
    e = EVENT.c
    found: list[sa.ColumnElement[bool]] = []
    if market_id is not None:
        # Presets, workers and the like belong to no market, so every market lists them.
        found.append(sa.or_(e.market_id == market_id, e.market_id.is_(None)))
    if wanted.actions:
        found.append(e.action.in_(wanted.actions))
    if wanted.actors:
        found.append(e.actor.in_(wanted.actors))
    if wanted.subject:
        found.append(e.subject.contains(wanted.subject, autoescape=True))
    if wanted.since is not None:
        found.append(e.at >= datetime.combine(wanted.since, time(), UTC))
    if wanted.until is not None:
        found.append(e.at < datetime.combine(wanted.until + timedelta(days=1), time(), UTC))
    return tuple(found)


def append_event(
    connection: sa.Connection,
    actor: Actor,
    action: str,
    market_id: str | None,
    subject: str,
    *,
    detail: Mapping[str, Any],
) -> None:
    """Append an entry inside the caller's transaction, so that the action and its entry succeed or fail together."""
    connection.execute(
        EVENT.insert().values(
            at=now(),
            actor=plain_text(actor.name),
            role=plain_text(actor.role),
            action=plain_text(action),
            market_id=market_id,
            subject=plain_text(subject),
            detail=plain_document(detail, "event detail"),
            actor_id=plain_text(actor.actor_id),
        )
    )
