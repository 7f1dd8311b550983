"""Sign-ins: begun once, noted while in use, and ended for every tab and server at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.access import Actor
from core.states import AuditAction
from core.store.base.access_tables import SIGN_IN
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.values import plain_text

# No browser keeps the cookie of a sign-in as long.
_KEPT: Final = timedelta(days=40)


@dataclass(frozen=True)
class SignIn:
    """A sign-in: instants in UTC, ``ended_at`` None until somebody signs out of it."""

    sign_in_id: str
    actor_id: str
    started_at: datetime
    seen_at: datetime
    ended_at: datetime | None


_COLUMNS: Final = tuple(SIGN_IN.c[field.name] for field in fields(SignIn))


class SignIns:
    """Begin, note and end sign-ins."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, sign_in_id: str) -> SignIn | None:
        """Return a sign-in, None if it has not begun; raises StoreUnavailable."""
        with self._database.read() as connection:
            return _find(connection, sign_in_id)

    def begin(self, sign_in_id: str, started_at: datetime, actor: Actor, at: datetime) -> SignIn:
        """Begin a sign-in with an audit entry, or return the one that another tab began; raises StoreUnavailable."""
        begun = SignIn(sign_in_id, plain_text(actor.actor_id), started_at, at, None)
        try:
            with self._database.write() as connection:
                connection.execute(SIGN_IN.delete().where(SIGN_IN.c.started_at < at - _KEPT))
                connection.execute(SIGN_IN.insert().values(**vars(begun)))
                _record(connection, AuditAction.SIGNED_IN, sign_in_id, actor)
        except IntegrityError:
            return self.find(sign_in_id) or begun
        return begun

    def note_use(self, sign_in_id: str, at: datetime) -> None:
        """Note that a sign-in is in use; raises StoreUnavailable."""
        with self._database.write() as connection:
            connection.execute(SIGN_IN.update().where(SIGN_IN.c.sign_in_id == sign_in_id).values(seen_at=at))

    def end(self, sign_in_id: str, actor: Actor, at: datetime) -> None:
        """End a sign-in with an audit entry; ending it again changes nothing. Raises StoreUnavailable."""
        going_on = SIGN_IN.update().where(SIGN_IN.c.sign_in_id == sign_in_id, SIGN_IN.c.ended_at.is_(None))
        with self._database.write() as connection:
            if connection.execute(going_on.values(ended_at=at)).rowcount:
                _record(connection, AuditAction.SIGNED_OUT, sign_in_id, actor)


def _record(connection: sa.Connection, action: AuditAction, sign_in_id: str, actor: Actor) -> None:
    append_event(connection, actor, action, None, sign_in_id[:12], detail={"office": actor.office})


def _find(connection: sa.Connection, sign_in_id: str) -> SignIn | None:
    row = connection.execute(sa.select(*_COLUMNS).where(SIGN_IN.c.sign_in_id == sign_in_id)).mappings().first()
    return None if row is None else SignIn(**row)
