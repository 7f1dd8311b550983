"""PostgreSQL's connections: whether a pooled one still answers is asked with a time limit.

A server that hangs, or a network that swallows what is sent, would keep an open connection waiting without end.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import InvalidatePoolError

PING_SECONDS: Final = 3.0
"""How long a pooled connection may take to answer before another one is made in its place."""


def ping_before_use(engine: sa.Engine) -> None:
    """Have each connection of psycopg's asked for an answer before it is used; a new one is used in place of a mute."""
    import psycopg  # noqa: PLC0415 - only those with PostgreSQL have it

    class PatientConnection(psycopg.Connection[Any]):
        patience: float | None = None

        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)

    @sa.event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
        return PatientConnection.connect(*arguments, **options)

    @sa.event.listens_for(engine, "checkout")
    def ping(connection: Any, record: Any, _proxy: Any) -> None:
        if not record.info.pop("new", False) and not _answers(connection):
            raise InvalidatePoolError("the database did not answer on an open connection")

    @sa.event.listens_for(engine, "connect")
    def remember(_connection: Any, record: Any) -> None:
        record.info["new"] = True

    def _answers(connection: PatientConnection) -> bool:
        connection.patience = PING_SECONDS
        try:
            # Outside of a transaction: this one is not part of what the caller does.
            connection.autocommit = True
            connection.execute("select 1")
            connection.autocommit = False
        except psycopg.Error:
            return False
        finally:
            connection.patience = None
        return True
