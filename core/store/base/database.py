"""The connection to SQLite or PostgreSQL: transactions whose failures read as StoreUnavailable."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, DisconnectionError, IntegrityError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from core.errors import InvalidRecord, StoreUnavailable

BUSY_SECONDS: Final = 10.0
"""How long a writer waits for another one before it gives up."""

_WRITES: Final = "doorstep_writes"


class Database:
    """One engine with its two kinds of transaction; safe to share between threads, and after a fork."""

    def __init__(self, url: URL, busy_seconds: float = BUSY_SECONDS) -> None:
        """Prepare the engine without connecting; raises StoreUnavailable if the driver is not installed."""
        self.label = url.render_as_string(hide_password=True)
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self._engine = _make_engine(url, busy_seconds, self.label)
        if self.is_sqlite:
            _make_sqlite_transactional(self._engine, self.begin_writing)
        self._writer = self._engine.execution_options(**{_WRITES: True})

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Open a transaction for reading; raises StoreUnavailable if the database cannot be read.

        InvalidRecord is raised for a value the database has no form for, such as a number beyond its integers.
        """
        with self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Open a transaction for writing, all or nothing; on SQLite it holds the write lock from its start.

        Raises as read() does, also if the database is locked, full or read-only. IntegrityError passes through:
        only the caller knows what its constraint means.
        """
        with self._translated(), self._writer.begin() as connection:
            yield connection

    def begin_writing(self, connection: sa.Connection) -> None:
        """Open a transaction that holds SQLite's write lock from its start; raises OperationalError."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except DataError as error:
            raise InvalidRecord(
                f"The database {self.label} cannot hold a value ({' '.join(str(error.orig).split())}); correct it. "
                "Nothing was changed."
            ) from error
        except (DBAPIError, PoolTimeoutError) as error:
            raise StoreUnavailable(_explain(error, self.label)) from error


def sqlite_url(path: Path) -> URL:
    """Return the URL of a SQLite file."""
    return URL.create("sqlite", database=str(path))


def parse_url(text: str) -> URL:
    """Return the URL of DATABASE_URL; PostgreSQL is reached through psycopg whichever spelling was used.

    Raises StoreUnavailable, without repeating the text since it may hold a password, if it is not a database URL.
    """
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise StoreUnavailable(
            "DATABASE_URL is not a database address; write postgresql://user:password@host:5432/name, or unset it "
            "to use SQLite in DOORSTEP_HOME."
        ) from error
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    return url


def create_private_file(path: Path) -> None:
    """Create an empty file only its owner can read, unless it exists; SQLite gives its side files the same mode."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _make_engine(url: URL, busy_seconds: float, label: str) -> sa.Engine:
    sqlite = url.get_backend_name() == "sqlite"
    patience: dict[str, Any] = {"timeout": busy_seconds} if sqlite else {"connect_timeout": 10}
    # What the address itself says comes first; connect_args would silently override it.
    arguments = {key: value for key, value in patience.items() if key not in url.query}
    try:
        engine = sa.create_engine(url, pool_pre_ping=not sqlite, connect_args=arguments, pool_size=10, max_overflow=20)
    except ModuleNotFoundError as error:
        raise StoreUnavailable(
            f"The driver {error.name!r} for the database {label} is not installed; "
            "run: pip install 'psycopg[binary]', or unset DATABASE_URL to use SQLite."
        ) from error
    except NoSuchModuleError as error:
        raise StoreUnavailable(
            f"The database {label} is of a kind this store does not speak; use SQLite or PostgreSQL."
        ) from error
    _keep_connections_to_their_process(engine)
    return engine


def _keep_connections_to_their_process(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def remember(_connection: Any, record: Any) -> None:
        record.info["pid"] = os.getpid()

    @sa.event.listens_for(engine, "checkout")
    def refuse_inherited(_connection: Any, record: Any, proxy: Any) -> None:
        if record.info["pid"] != os.getpid():
            record.dbapi_connection = proxy.dbapi_connection = None
            raise DisconnectionError("the connection belongs to the process this one was forked from")


def _make_sqlite_transactional(engine: sa.Engine, begin_writing: Callable[[sa.Connection], None]) -> None:
    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver would begin transactions by itself, too late and without the lock; we begin them below.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A deferred transaction that reads before it writes fails at once, without waiting, if another wrote between.
        writes = connection.get_execution_options().get(_WRITES, False)
        if writes:
            begin_writing(connection)
        else:
            connection.exec_driver_sql("BEGIN")


def _explain(error: Exception, label: str) -> str:
    reason = " ".join(str(getattr(error, "orig", None) or error).split())
    lowered = reason.lower()
    if "locked" in lowered or isinstance(error, PoolTimeoutError):
        remedy = "another process is writing to it for too long; try again in a moment"
    elif "full" in lowered or "no space" in lowered:
        remedy = "free some disk space and try again"
    elif "readonly" in lowered or "read-only" in lowered or "permission" in lowered or "unable to open" in lowered:
        remedy = "give the account Doorstep runs under the right to write there"
    elif "malformed" in lowered or "not a database" in lowered:
        remedy = "the file is damaged; restore it from a backup"
    else:
        remedy = "check that it is running and reachable, then try again"
    return f"The database {label} cannot be used ({reason}): {remedy}. Nothing was changed."
