"""Rollouts by office: which offices of a market have estimates and from when, after each change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from core.access import Actor, office_key
from core.errors import InvalidRecord
from core.states import AuditAction, Group, RolloutChange
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.markets import lock_market, market_row
from core.store.base.pilot_tables import ROLLOUT
from core.store.base.tables import now
from core.store.base.values import plain_text

_DEEDS: Final = {
    RolloutChange.STARTED: AuditAction.ROLLOUT_STARTED,
    RolloutChange.WIDENED: AuditAction.ROLLOUT_WIDENED,
    RolloutChange.STOPPED: AuditAction.ROLLOUT_STOPPED,
    RolloutChange.TAKEN_BACK: AuditAction.ROLLOUT_TAKEN_BACK,
}


@dataclass(frozen=True)
class OfficePlan:
    """An office's place in a rollout: it has estimates from the day ``starts``, never if that is None.

    An ``office`` of "" with the group "everyone" stands for all offices that the rollout does not name.
    """

    office: str
    group: Group
    starts: date | None

    def is_in(self, on: date) -> bool:
        """Tell whether the office has estimates on a day."""
        return self.starts is not None and self.starts <= on


@dataclass(frozen=True)
class Rollout:
    """The offices of a market's rollout; an office without a place has no estimates."""

    offices: tuple[OfficePlan, ...]

    def place_of(self, office: str) -> OfficePlan | None:
        """Return an office's place: its own, else that of everyone, else None; a name is compared by its key."""
        key = office_key(office)
        named = (one for one in self.offices if key and office_key(one.office) == key)
        everyone = (one for one in self.offices if one.group == Group.EVERYONE)
        return next(named, None) or next(everyone, None)

    def of_group(self, group: Group) -> tuple[OfficePlan, ...]:
        """Return the places of one group."""
        return tuple(one for one in self.offices if one.group == group)


@dataclass(frozen=True)
class RolloutRecord:
    """A rollout as a change left it, None if every office is in; ``at`` is UTC."""

    seq: int
    market_id: str
    change: RolloutChange
    rollout: Rollout | None
    reason: str
    at: datetime
    actor: str


Change = Callable[[Rollout | None], tuple[RolloutChange, Rollout]]
"""Returns what a change is and what it makes of a rollout; raises InvalidRecord if it makes no sense."""


class Rollouts:
    """Change and read rollouts; earlier ones stay on record."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self, market_id: str) -> Rollout | None:
        """Return a market's rollout, None if every office is in; raises StoreUnavailable."""
        with self._database.read() as connection:
            row = _latest(connection, market_id)
        return None if row is None else _rollout(row["document"])

    def history(self, market_id: str) -> list[RolloutRecord]:
        """Return all changes, newest first; raises NotFound, StoreUnavailable."""
        query = sa.select(ROLLOUT).where(ROLLOUT.c.market_id == market_id).order_by(ROLLOUT.c.seq.desc())
        with self._database.read() as connection:
            market_row(connection, market_id)
            return [_record(row) for row in connection.execute(query).mappings()]

    def end(self, market_id: str, change: Change, reason: str, actor: Actor) -> RolloutRecord:
        """Widen a rollout to every office, with an audit entry of the pilot's end; raises what ``change`` does."""
        return self._changed(market_id, change, (reason, actor), AuditAction.ROLLOUT_ENDED)

    def change(self, market_id: str, change: Change, reason: str, actor: Actor) -> RolloutRecord:
        """Change a rollout, with an audit entry.

        Raises NotFound, InvalidRecord without a reason and what ``change`` raises, StoreUnavailable.
        """
        return self._changed(market_id, change, (reason, actor), None)

    def _changed(
        self, market_id: str, change: Change, signed: tuple[str, Actor], deed: AuditAction | None
    ) -> RolloutRecord:
        with self._database.write() as connection:
            lock_market(connection, market_id)
            latest = _latest(connection, market_id)
            kind, rollout = change(None if latest is None else _rollout(latest["document"]))
            values = {"change": kind.value, "document": _document(rollout), "before": _origin(latest)}
            return _insert(connection, market_id, values, latest, signed, deed)

    def take_back(self, market_id: str, reason: str, actor: Actor) -> RolloutRecord:
        """Bring back the rollout from before the last change that was not taken back, with an audit entry.

        Raises NotFound, InvalidRecord without a reason or without such a change, StoreUnavailable.
        """
        with self._database.write() as connection:
            lock_market(connection, market_id)
            latest = _latest(connection, market_id)
            origin = _origin(latest)
            if origin is None:
                raise InvalidRecord("The rollout has no change to take back; every office has estimates.")
            changed = _row(connection, origin)
            before = None if changed["before"] is None else _row(connection, changed["before"])
            values = {
                "change": RolloutChange.TAKEN_BACK.value,
                "document": before["document"] if before else None,
                "same_as": before["seq"] if before else None,
                "before": before["before"] if before else None,
            }
            return _insert(connection, market_id, values, latest, (reason, actor))


def _insert(
    connection: sa.Connection,
    market_id: str,
    values: dict[str, Any],
    latest: sa.RowMapping | None,
    signed: tuple[str, Actor],
    deed: AuditAction | None = None,
) -> RolloutRecord:
    reason, actor = plain_text(signed[0]).strip(), signed[1]
    if not reason:
        raise InvalidRecord("A change of the rollout needs a reason; give one in a few words.")
    by = {"reason": reason, "at": now(), "actor": plain_text(actor.name)}
    result = connection.execute(ROLLOUT.insert().values(market_id=market_id, **values, **by))
    seq = int(result.inserted_primary_key[0])  # type: ignore[index]
    detail = {"before": latest["document"] if latest else None, "after": values["document"], "reason": reason}
    deed = deed or _DEEDS[RolloutChange(values["change"])]
    append_event(connection, actor, deed, market_id, market_id, detail=detail)
    return _record(_row(connection, seq))


def _latest(connection: sa.Connection, market_id: str) -> sa.RowMapping | None:
    query = sa.select(ROLLOUT).where(ROLLOUT.c.market_id == market_id).order_by(ROLLOUT.c.seq.desc()).limit(1)
    return connection.execute(query).mappings().first()


def _row(connection: sa.Connection, seq: int) -> sa.RowMapping:
    return connection.execute(sa.select(ROLLOUT).where(ROLLOUT.c.seq == seq)).mappings().one()


def _origin(latest: sa.RowMapping | None) -> int | None:
    """Return the number of the change whose rollout is in force, None if every office is in."""
    if latest is None:
        return None
    return latest["same_as"] if latest["change"] == RolloutChange.TAKEN_BACK else latest["seq"]


def _record(row: sa.RowMapping) -> RolloutRecord:
    values = {name: row[name] for name in ("seq", "market_id", "reason", "at", "actor")}
    return RolloutRecord(change=RolloutChange(row["change"]), rollout=_rollout(row["document"]), **values)


def _document(rollout: Rollout) -> list[dict[str, str | None]]:
    return [
        {"office": one.office, "group": one.group.value, "starts": one.starts.isoformat() if one.starts else None}
        for one in rollout.offices
    ]


def _rollout(document: Sequence[dict[str, str]] | None) -> Rollout | None:
    if document is None:
        return None
    return Rollout(
        tuple(
            OfficePlan(one["office"], Group(one["group"]), date.fromisoformat(one["starts"]) if one["starts"] else None)
            for one in document
        )
    )
