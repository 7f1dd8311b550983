"""Alerts: who opened, acknowledged or resolved each one, why, and what to do next."""

from __future__ import annotations

import builtins
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from core.access import Actor
from core.errors import InvalidRecord, NotFound
from core.states import AlertState, AuditAction
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.markets import lock_market, market_row
from core.store.base.tables import ALERT, now
from core.store.base.values import plain_document, plain_text
from core.wording import instant

UNRESOLVED: Final[tuple[AlertState, ...]] = (AlertState.OPEN, AlertState.ACKNOWLEDGED)
_CHANGES: Final = {
    AlertState.ACKNOWLEDGED: AuditAction.ALERT_ACKNOWLEDGED,
    AlertState.RESOLVED: AuditAction.ALERT_RESOLVED,
}
_ID_BYTES: Final = 8
_KIND_LIMIT: Final = 40


@dataclass(frozen=True)
class AlertRecord:
    """An alert of one kind about a segment ("" for the whole market).

    ``document`` has what opened it and what has happened since: "reading" as given, "why" and "next_action" of the
    latest change, "history" of all changes (state, at, by, why, next_action; settled_by: the model whose going live
    resolved it; limit and measure: those by which figures or a new limit resolved it; undoes: true if a change reverted
    the previous one). Instants are UTC.
    """

    alert_id: str
    market_id: str
    kind: str
    segment: str
    state: AlertState
    opened_at: datetime
    changed_at: datetime
    changed_by: str
    document: dict[str, Any]

    @property
    def why(self) -> str:
        """Why it is in its state."""
        return str(self.document["why"])

    @property
    def is_open(self) -> bool:
        """True unless it is resolved: open or acknowledged."""
        return self.state is not AlertState.RESOLVED

    @property
    def is_settled(self) -> bool:
        """True if a change of the live model resolved it."""
        return self.state is AlertState.RESOLVED and bool(self.document["history"][-1].get("settled_by"))

    @property
    def judged(self) -> tuple[float, float] | None:
        """The limit and the measure by which it was resolved; None if it is open or was resolved another way."""
        last = self.document["history"][-1]
        return (last["limit"], last["measure"]) if not self.is_open and "limit" in last else None

    @property
    def resolved_by_hand(self) -> bool:
        """True if a person resolved it."""
        return not self.is_open and not self.is_settled and self.judged is None

    @property
    def next_action(self) -> str:
        """What to do next."""
        return str(self.document["next_action"])


_COLUMNS: Final = tuple(ALERT.c[field.name] for field in fields(AlertRecord))


class Alerts:
    """Open, acknowledge, unacknowledge, resolve, settle, reopen and list alerts.

    New figures open a new alert; a resolved one is reopened only where what resolved it is undone. An acknowledged one
    can be given back.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(
        self,
        market_id: str,
        kind: str,
        segment: str,
        reading: Mapping[str, Any],
        why: str,
        next_action: str,
        actor: Actor,
    ) -> AlertRecord:
        """Open an alert; if one of that kind and segment is unresolved, return that one unchanged.

        Raises NotFound for an unknown market, InvalidRecord without a kind or a reason, StoreUnavailable.
        """
        kind, segment = plain_text(kind).strip(), plain_text(segment)
        if not 1 <= len(kind) <= _KIND_LIMIT:
            raise InvalidRecord(f"The kind of alert {kind!r} has {len(kind)} characters; use 1 to {_KIND_LIMIT}.")
        with self._database.write() as connection:
            lock_market(connection, market_id)
            held = _unresolved(connection, market_id, kind, segment)
            if held is not None:
                return held
            at = now()
            document = {"reading": plain_document(reading, "alert reading"), "history": []}
            record = AlertRecord(
                *(
                    secrets.token_hex(_ID_BYTES),
                    market_id,
                    kind,
                    segment,
                    AlertState.OPEN,
                    at,
                    at,
                    plain_text(actor.name),
                ),
                _with_change(document, AlertState.OPEN, at, actor, why, next_action),
            )
            connection.execute(ALERT.insert().values(**vars(record)))
            _note(connection, record, actor, AuditAction.ALERT_OPENED, record.why)
        return record

    def acknowledge(self, alert_id: str, why: str, next_action: str, actor: Actor) -> AlertRecord:
        """Record that somebody is handling an open alert; raises NotFound, InvalidRecord, StoreUnavailable."""
        return self._change(alert_id, AlertState.ACKNOWLEDGED, (AlertState.OPEN,), why, next_action, actor)

    def resolve(
        self, alert_id: str, why: str, period: str, actor: Actor, by: Mapping[str, float] = MappingProxyType({})
    ) -> AlertRecord:
        """Resolve an alert and record the last period judged (audit entry AuditAction.ALERT_JUDGED).

        ``by`` has the "limit" and the "measure" that resolve it, if no person does. Raises NotFound, InvalidRecord if
        it is already resolved, StoreUnavailable; nothing is written then.
        """
        return self._change(alert_id, AlertState.RESOLVED, UNRESOLVED, why, "", actor, period, by)

    def settle(self, alert_id: str, why: str, period: str, model_id: str, actor: Actor) -> AlertRecord:
        """Resolve an alert because ``model_id`` replaced the live model it is about; ``reopen`` undoes it.

        Raises what ``resolve`` raises.
        """
        return self._change(alert_id, AlertState.RESOLVED, UNRESOLVED, why, "", actor, period, {"settled_by": model_id})

    def unacknowledge(self, alert_id: str, why: str, actor: Actor) -> AlertRecord:
        """Give an acknowledged alert back: it is open as it was, with the reason and the next step it had then.

        ``why`` stands in its history and in the audit trail (``alert.unacknowledged``). Raises NotFound, InvalidRecord
        if it is not acknowledged or without a reason, StoreUnavailable.
        """
        with self._database.write() as connection:
            lock_market(connection, _get(connection, alert_id).market_id)
            held = _get(connection, alert_id)
            if held.state is not AlertState.ACKNOWLEDGED:
                raise _cannot_become(held, AlertState.OPEN)
            return _undo_latest(connection, held, why, AuditAction.ALERT_UNACKNOWLEDGED, actor)

    def reopen(self, alert_id: str, why: str, actor: Actor) -> AlertRecord:
        """Return a resolved alert to its previous state, open or acknowledged, with its previous reason.

        ``why`` goes into its history and the audit trail (``alert.reopened``). Raises NotFound, InvalidRecord if it
        is not resolved or another alert of its kind and segment is open, StoreUnavailable.
        """
        with self._database.write() as connection:
            lock_market(connection, _get(connection, alert_id).market_id)
            held = _get(connection, alert_id)
            if held.is_open:
                raise _cannot_become(held, AlertState.OPEN)
            if _unresolved(connection, held.market_id, held.kind, held.segment) is not None:
                raise InvalidRecord(f"Another alert like {alert_id} is already open; act on that one.")
            return _undo_latest(connection, held, why, AuditAction.ALERT_REOPENED, actor)

    def get(self, alert_id: str) -> AlertRecord:
        """Return an alert; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            return _get(connection, alert_id)

    def list(
        self, market_id: str, states: tuple[AlertState, ...] | None = None, limit: int = 200
    ) -> builtins.list[AlertRecord]:
        """Return the market's alerts in those states, or all, newest first; raises NotFound, StoreUnavailable."""
        query = sa.select(*_COLUMNS).where(ALERT.c.market_id == market_id)
        if states is not None:
            query = query.where(ALERT.c.state.in_(states))
        with self._database.read() as connection:
            market_row(connection, market_id)
            rows = connection.execute(query.order_by(ALERT.c.seq.desc()).limit(int(limit))).mappings()
            return [_record(row) for row in rows]

    def _change(
        self,
        alert_id: str,
        state: AlertState,
        before: tuple[AlertState, ...],
        why: str,
        next_action: str,
        actor: Actor,
        period: str = "",
        more: Mapping[str, Any] = MappingProxyType({}),
    ) -> AlertRecord:
        with self._database.write() as connection:
            lock_market(connection, _get(connection, alert_id).market_id)
            held = _get(connection, alert_id)
            if held.state not in before:
                raise _cannot_become(held, state)
            at = now()
            changed = {
                "state": state,
                "changed_at": at,
                "changed_by": plain_text(actor.name),
                "document": _with_change(held.document, state, at, actor, why, next_action, more),
            }
            connection.execute(ALERT.update().where(ALERT.c.alert_id == alert_id).values(**changed))
            record = _get(connection, alert_id)
            if period:
                append_event(
                    connection, actor, AuditAction.ALERT_JUDGED, record.market_id, alert_id, detail={"period": period}
                )
            _note(connection, record, actor, _CHANGES[state], record.why)
        return record


def _cannot_become(alert: AlertRecord, state: AlertState) -> InvalidRecord:
    return InvalidRecord(
        f"Alert {alert.alert_id} has been {alert.state} since {instant(alert.changed_at)} (by "
        f"{alert.changed_by}) and cannot become {state}; reload the alerts."
    )


def _undo_latest(
    connection: sa.Connection, held: AlertRecord, why: str, action: AuditAction, actor: Actor
) -> AlertRecord:
    """Bring an alert back to what it was before its latest change, and note who did so and why."""
    before = _standing(held)[-2]
    at = now()
    document = _with_change(held.document, AlertState(before["state"]), at, actor, why, before["next_action"])
    document["history"][-1]["undoes"] = True
    changed = {
        "state": before["state"],
        "changed_at": at,
        # An acknowledged alert names the person who took it on, not the one who rolled back.
        "changed_by": before["by"],
        "document": {**document, "why": before["why"]},
    }
    connection.execute(ALERT.update().where(ALERT.c.alert_id == held.alert_id).values(**changed))
    record = _get(connection, held.alert_id)
    _note(connection, record, actor, action, plain_text(why).strip())
    return record


def _standing(alert: AlertRecord) -> list[dict[str, Any]]:
    """Return the changes that nobody took back, oldest first: each undoing removes itself and the one before it."""
    standing: list[dict[str, Any]] = []
    for change in alert.document["history"]:
        if change.get("undoes"):
            standing.pop()
        else:
            standing.append(change)
    return standing


def _with_change(
    document: Mapping[str, Any],
    state: AlertState,
    at: datetime,
    actor: Actor,
    why: str,
    next_action: str,
    more: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    why, next_action = plain_text(why).strip(), plain_text(next_action).strip()
    if not why:
        raise InvalidRecord(f"The alert needs a reason to be {state}; give one in a few words.")
    change = {"state": state, "at": at.isoformat(), "by": plain_text(actor.name), "why": why}
    history = [*document["history"], {**change, "next_action": next_action, **more}]
    return {**document, "why": why, "next_action": next_action, "history": history}


def _note(connection: sa.Connection, record: AlertRecord, actor: Actor, action: AuditAction, why: str) -> None:
    detail = {"kind": record.kind, "segment": record.segment, "why": why, "next_action": record.next_action}
    detail["reading"] = record.document["reading"]
    append_event(connection, actor, action, record.market_id, record.alert_id, detail=detail)


def _unresolved(connection: sa.Connection, market_id: str, kind: str, segment: str) -> AlertRecord | None:
    a = ALERT.c
    same = sa.and_(a.market_id == market_id, a.kind == kind, a.segment == segment, a.state.in_(UNRESOLVED))
    row = connection.execute(sa.select(*_COLUMNS).where(same)).mappings().first()
    return None if row is None else _record(row)


def _get(connection: sa.Connection, alert_id: str) -> AlertRecord:
    row = connection.execute(sa.select(*_COLUMNS).where(ALERT.c.alert_id == alert_id)).mappings().first()
    if row is None:
        raise NotFound(f"There is no alert {alert_id!r}; list the market's alerts to see their ids.")
    return _record(row)


def _record(row: sa.RowMapping) -> AlertRecord:
    return AlertRecord(**{**row, "state": AlertState(row["state"])})
