"""Answers that are repeated when a caller repeats a request under the same idempotency key."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.store.base.api_tables import REPEATABLE
from core.store.base.database import Database
from core.store.base.tables import now

KEPT: Final = timedelta(hours=24)
"""How long an answer can be repeated."""

# A request still unanswered after this long died with its process; another may take its place.
_WORKED_ON: Final = timedelta(minutes=2)


@dataclass(frozen=True)
class Claim:
    """What a request under an idempotency key meets.

    "new": nobody has asked; "done": ``status`` and ``body`` are the answer; "busy": the same request is being worked
    on; "clash": the key was used for another request.
    """

    state: Literal["new", "done", "busy", "clash"]
    status: int = 0
    body: bytes = b""


class RepeatableAnswers:
    """Claim an idempotency key, then keep the answer under it or let the key go."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, caller: str, key: str, request_sha256: str) -> Claim:
        """Claim a key for a request of a caller, unless it is taken; raises StoreUnavailable."""
        r, at = REPEATABLE.c, now()
        outdated = sa.or_(r.at < at - KEPT, sa.and_(r.status.is_(None), r.at < at - _WORKED_ON))
        mine = {"caller": caller, "idempotency_key": key, "request_sha256": request_sha256, "at": at}
        try:
            with self._database.write() as connection:
                connection.execute(REPEATABLE.delete().where(outdated))
                connection.execute(REPEATABLE.insert().values(**mine))
        except IntegrityError:
            return self._taken(caller, key, request_sha256)
        return Claim("new")

    def keep(self, caller: str, key: str, status: int, body: bytes) -> None:
        """Keep the answer to a claimed request; raises StoreUnavailable."""
        with self._database.write() as connection:
            answer = {"status": status, "body": zlib.compress(body)}
            connection.execute(REPEATABLE.update().where(*_this(caller, key)).values(**answer))

    def let_go(self, caller: str, key: str) -> None:
        """Free a key whose request failed, so that it can be tried again; raises StoreUnavailable."""
        with self._database.write() as connection:
            connection.execute(REPEATABLE.delete().where(*_this(caller, key), REPEATABLE.c.status.is_(None)))

    def _taken(self, caller: str, key: str, request_sha256: str) -> Claim:
        with self._database.read() as connection:
            row = connection.execute(sa.select(REPEATABLE).where(*_this(caller, key))).mappings().first()
        if row is None:
            return Claim("busy")
        if row["request_sha256"] != request_sha256:
            return Claim("clash")
        if row["status"] is None:
            return Claim("busy")
        return Claim("done", row["status"], zlib.decompress(row["body"]))


def _this(caller: str, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    return REPEATABLE.c.caller == caller, REPEATABLE.c.idempotency_key == key
