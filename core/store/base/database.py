"""The connection to SQLite or PostgreSQL: transactions that raise StoreUnavailable when the database fails."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from core.errors import InvalidRecord, StoreUnavailable
from core.store.connections.breaker import Breaker
from core.store.connections.held_lock import HeldLock
from core.store.connections.patient_ping import ping_before_use

BUSY_SECONDS: Final = 10.0
"""How long a writer waits for another writer before it gives up."""

CONNECT_SECONDS: Final = 5
"""How long PostgreSQL may take to accept a connection."""

_WRITES: Final = "doorstep_writes"
# A network that swallows what is sent ends a connection instead of keeping it waiting; seconds, and milliseconds.
_NETWORK: Final = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}


class Database:
    """One engine with read and write transactions; safe to share between threads and after a fork."""

    def __init__(self, url: URL, busy_seconds: float = BUSY_SECONDS, held: HeldLock | None = None) -> None:
        """Prepare the engine without connecting; raises StoreUnavailable if the driver is not installed.

        Databases of one SQLite file share ``held``, what they know of its lock.
        """
        self.label = url.render_as_string(hide_password=True)
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self._engine = _make_engine(url, busy_seconds, self.label)
        if self.is_sqlite:
            _make_sqlite_transactional(self._engine, self.begin_writing)
        self._writer = self._engine.execution_options(**{_WRITES: True})
        self._breaker = Breaker()
        self._held = held or HeldLock()
        asked = url.query.get("timeout", busy_seconds)
        self._patience = float(asked if isinstance(asked, (str, float)) else asked[0])

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Open a transaction for reading; raises StoreUnavailable if the database cannot be read.

        Raises InvalidRecord for a value the database cannot represent, such as an integer that is too large. After
        PostgreSQL hung, calls fail at once for some seconds, and then one looks again.
        """
        with self._guarded(), self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Open an all-or-nothing transaction for writing; on SQLite it takes the write lock at once.

        Raises as read() does, and if the database is locked, full or read-only. IntegrityError passes through:
        only the caller knows what the violated constraint means.
        """
        with self._guarded(), self._translated(), self._writer.begin() as connection:
            yield connection

    def begin_writing(self, connection: sa.Connection) -> None:
        """Open a transaction that takes SQLite's write lock at once; raises OperationalError.

        After another program held the lock for too long, writers try only briefly until it is free again.
        """
        try:
            self.take_lock(connection, self._held.patience(self._patience))
        except OperationalError as error:
            if is_locked(error):
                self._held.was_held()
            raise
        self._held.was_free()

    def take_lock(self, connection: sa.Connection, seconds: float) -> None:
        """Wait for the write lock of SQLite and take it; raises OperationalError when the time is up."""
        if seconds == self._patience:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        _wait_at_most(connection, seconds)
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        finally:
            _wait_at_most(connection, self._patience)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _guarded(self) -> AbstractContextManager[None]:
        # SQLite does not hang: what it waits for is another writer, and readers go on.
        return nullcontext() if self.is_sqlite else self._breaker.guarded()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except DataError as error:
            raise InvalidRecord(
                f"The database cannot hold a value ({' '.join(str(error.orig).split())}); correct it. "
                "Nothing was changed."
            ) from error
        except (DBAPIError, PoolTimeoutError) as error:
            reason = " ".join(str(getattr(error, "orig", None) or error).split())
            raise StoreUnavailable(_explain(error, reason), f"{self.label}: {reason}") from error


def _wait_at_most(connection: sa.Connection, seconds: float) -> None:
    connection.exec_driver_sql(f"PRAGMA busy_timeout={round(1000 * seconds)}")


def is_locked(error: OperationalError) -> bool:
    """Tell whether SQLite could not take a lock that another connection holds."""
    return "locked" in str(error.orig)


def sqlite_url(path: Path) -> URL:
    """Return the URL of a SQLite file."""
    return URL.create("sqlite", database=str(path))


def parse_url(text: str) -> URL:
    """Parse DATABASE_URL; PostgreSQL is always reached through psycopg, however the URL spells it.

    Raises StoreUnavailable if it is not a database URL. The message omits the text, which may contain a password.
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
    """Create an empty file that only its owner can read, unless it exists; SQLite's side files inherit its mode."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _make_engine(url: URL, busy_seconds: float, label: str) -> sa.Engine:
    sqlite = url.get_backend_name() == "sqlite"
    patience: dict[str, Any] = {"timeout": busy_seconds}
    if not sqlite:
        patience = {"connect_timeout": CONNECT_SECONDS, **_NETWORK}
    # The URL's own options take precedence; connect_args would silently override them.
    arguments = {key: value for key, value in patience.items() if key not in url.query}
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise _unsupported(label)
    try:
        engine = sa.create_engine(url, connect_args=arguments, pool_size=10, max_overflow=20)
    except ModuleNotFoundError as error:
        raise StoreUnavailable(
            f"The database's driver {error.name!r} is not installed; "
            "run: pip install 'psycopg[binary]', or unset DATABASE_URL to use SQLite.",
            label,
        ) from error
    except NoSuchModuleError as error:
        raise _unsupported(label) from error
    _keep_connections_to_their_process(engine)
    if not sqlite:
        ping_before_use(engine)
    return engine


def _unsupported(label: str) -> StoreUnavailable:
    return StoreUnavailable("The database is of a kind this store does not support; use SQLite or PostgreSQL.", label)


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
        # Left alone, the driver would begin transactions too late and without the lock; we begin them below.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A deferred transaction that reads before it writes fails at once if another one wrote in between.
        writes = connection.get_execution_options().get(_WRITES, False)
        if writes:
            begin_writing(connection)
        else:
            connection.exec_driver_sql("BEGIN")


def _explain(error: Exception, reason: str) -> str:
    lowered = reason.lower()
    if "locked" in lowered or isinstance(error, PoolTimeoutError):
        remedy = "another process has been writing to it for too long; try again in a moment"
    elif "full" in lowered or "no space" in lowered:
        remedy = "free some disk space and try again"
    elif "disk i/o" in lowered:
        # SQLite says so, too, where it cannot make the files beside its own on a full disk.
        remedy = "the disk is full or failing; free some disk space, or check the disk, and try again"
    elif "readonly" in lowered or "read-only" in lowered or "permission" in lowered or "unable to open" in lowered:
        remedy = "give the account Doorstep runs under the right to write there"
    elif "malformed" in lowered or "not a database" in lowered:
        remedy = "the file is damaged; restore it from a backup"
    else:
        remedy = "check that it is running and reachable, then try again"
    return f"The database cannot be used: {remedy}. Nothing was changed."
