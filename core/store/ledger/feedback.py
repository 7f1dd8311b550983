"""What people say about the estimates they got: one verdict of each counts, and earlier ones are kept."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from core.access import Actor
from core.errors import NotFound
from core.states import AuditAction, FeedbackVerdict
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.pilot_tables import FEEDBACK
from core.store.base.tables import ESTIMATE, now
from core.store.base.values import plain_text
from core.store.ledger.checks import ID_BYTES, past_instant, signature


@dataclass(frozen=True)
class FeedbackRecord:
    """What a person says about an estimate; ``at`` is UTC."""

    feedback_id: str
    estimate_id: str
    market_id: str
    at: datetime
    actor: str
    actor_id: str
    role: str
    office: str
    verdict: FeedbackVerdict
    note: str


_COLUMNS: Final = tuple(FEEDBACK.c[field.name] for field in fields(FeedbackRecord))


class Feedback:
    """Give and read feedback; a row never changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def give(self, estimate_id: str, verdict: FeedbackVerdict, note: str, actor: Actor) -> FeedbackRecord:
        """Record an actor's feedback, with an audit entry; it replaces their earlier feedback.

        The same once more changes nothing. Raises NotFound for an unknown estimate, StoreUnavailable.
        """
        return self._give(estimate_id, verdict, plain_text(note), actor, now())

    def give_past(
        self, estimate_id: str, verdict: FeedbackVerdict, note: str, actor: Actor, at: datetime
    ) -> FeedbackRecord:
        """Record an actor's feedback at a past instant of a simulated market's story; raises as give() does."""
        return self._give(estimate_id, verdict, plain_text(note), actor, past_instant(at))

    def of(self, estimate_id: str) -> list[FeedbackRecord]:
        """Return all feedback on an estimate, newest first; raises NotFound, StoreUnavailable."""
        query = sa.select(*_COLUMNS).where(FEEDBACK.c.estimate_id == estimate_id).order_by(FEEDBACK.c.seq.desc())
        with self._database.read() as connection:
            _market_of(connection, estimate_id)
            return [_record(row) for row in connection.execute(query).mappings()]

    def _give(
        self, estimate_id: str, verdict: FeedbackVerdict, note: str, actor: Actor, at: datetime
    ) -> FeedbackRecord:
        with self._database.write() as connection:
            market_id = _market_of(connection, estimate_id)
            before = _latest(connection, estimate_id, person_of(actor))
            if before is not None and (before.verdict, before.note) == (verdict, note):
                return before
            signed = signature(actor, at) | {"actor_id": person_of(actor)}
            record = FeedbackRecord(
                feedback_id=secrets.token_hex(ID_BYTES),
                estimate_id=estimate_id,
                market_id=market_id,
                verdict=verdict,
                note=note,
                **signed,
            )
            connection.execute(FEEDBACK.insert().values(**{**vars(record), "verdict": verdict.value}))
            detail = {"verdict": verdict, "note": note, "before": before.verdict if before else None}
            append_event(connection, actor, AuditAction.FEEDBACK_GIVEN, market_id, estimate_id, detail=detail)
        return record


def person_of(actor: Actor) -> str:
    """Return what tells a person apart from others of the same name."""
    return plain_text(actor.actor_id)[:200]


def counting(records: Sequence[FeedbackRecord]) -> list[FeedbackRecord]:
    """Return the latest of each person and estimate, newest first; ``records`` are newest first."""
    latest: dict[tuple[str, str], FeedbackRecord] = {}
    for one in records:
        latest.setdefault((one.estimate_id, one.actor_id), one)
    return list(latest.values())


def that_counts() -> sa.ColumnElement[bool]:
    """Return the condition on FEEDBACK that no later row of the same person and estimate exists."""
    later = FEEDBACK.alias("later_feedback")
    same = (later.c.estimate_id == FEEDBACK.c.estimate_id, later.c.actor_id == FEEDBACK.c.actor_id)
    return ~sa.exists().where(*same, later.c.seq > FEEDBACK.c.seq)


def of_estimates(connection: sa.Connection, market_id: str, after: int, until: int) -> dict[str, list[FeedbackRecord]]:
    """Return the feedback that counts on a market's estimates with a seq in (after, until], oldest first, by id."""
    query = (
        sa.select(*_COLUMNS)
        .join_from(FEEDBACK, ESTIMATE, FEEDBACK.c.estimate_id == ESTIMATE.c.estimate_id)
        .where(ESTIMATE.c.market_id == market_id, ESTIMATE.c.seq > after, ESTIMATE.c.seq <= until, that_counts())
        .order_by(FEEDBACK.c.seq)
    )
    found: dict[str, list[FeedbackRecord]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault(row["estimate_id"], []).append(_record(row))
    return found


def _latest(connection: sa.Connection, estimate_id: str, person: str) -> FeedbackRecord | None:
    mine = (FEEDBACK.c.estimate_id == estimate_id, FEEDBACK.c.actor_id == person)
    row = connection.execute(sa.select(*_COLUMNS).where(*mine).order_by(FEEDBACK.c.seq.desc()).limit(1))
    found = row.mappings().first()
    return None if found is None else _record(found)


def _market_of(connection: sa.Connection, estimate_id: str) -> str:
    market_id = connection.scalar(sa.select(ESTIMATE.c.market_id).where(ESTIMATE.c.estimate_id == estimate_id))
    if market_id is None:
        raise NotFound(f"There is no estimate {estimate_id!r}; list the market's estimates to see their ids.")
    return str(market_id)


def _record(row: sa.RowMapping) -> FeedbackRecord:
    values: dict[str, Any] = dict(row)
    return FeedbackRecord(**{**values, "verdict": FeedbackVerdict(values["verdict"])})
