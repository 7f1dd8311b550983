"""Fast appends to the ledger: no waiting for the disk, one commit for all waiting threads, short lock retries."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from core.errors import StoreUnavailable
from core.store.base.database import Database, is_locked
from core.store.connections.held_lock import HeldLock

APPEND_SECONDS: Final = 3.0
"""How long an append waits for other writers: the agent waits too, and the estimate can go to the spool instead."""

_T = TypeVar("_T")
_NAP_SECONDS: Final = 0.0003
_CHECKPOINT_ROWS: Final = 256
_GROUP: Final = 64
# The log's maximum length in 4 KB pages: if no checkpoint got through by then, a commit runs it and waits.
_LOG_PAGES: Final = 16_000


class LedgerDatabase(Database):
    """A SQLite database on the ledger's own connections, whose commits do not wait for the disk.

    With synchronous=FULL, every commit waits milliseconds for the disk, and the agent waits too; with NORMAL it does
    not. The price: if the whole machine goes down, the newest estimates may be lost. A killed process loses none, and
    the file cannot be damaged (https://www.sqlite.org/pragma.html#pragma_synchronous). All other tables, including
    decisions, stay with FULL. A commit there syncs the whole log, so the estimate a decision refers to is as safe as
    the decision.

    Moving the log into the file also waits for the disk, so a separate thread does it alongside the appends. While
    another process holds the write lock, SQLite sleeps up to 100 ms at a time, far longer than an append takes.

    PostgreSQL needs none of this: there, one disk write serves many commits, as its operator configured it.
    """

    def __init__(self, url: URL, patience_seconds: float = APPEND_SECONDS, held: HeldLock | None = None) -> None:
        super().__init__(url, patience_seconds, held)
        self._appended = 0
        self._checkpoint: threading.Thread | None = None
        sa.event.listen(self._engine, "connect", _append_without_waiting)

    def take_lock(self, connection: sa.Connection, seconds: float) -> None:
        """Take the write lock, retrying every fraction of a millisecond; raises OperationalError when time is up."""
        end = time.monotonic() + seconds
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return
            except OperationalError as error:
                if not is_locked(error) or time.monotonic() > end:
                    raise
                time.sleep(_NAP_SECONDS)

    def to_driver(self, kind: sa.types.TypeEngine[Any]) -> Callable[[Any], Any] | None:
        """Return the converter of a column type's values for the driver; None if they need no conversion."""
        if isinstance(kind, sa.types.TypeDecorator):
            return kind.bind_processor(self._engine.dialect)
        return kind.dialect_impl(self._engine.dialect).bind_processor(self._engine.dialect)

    def appended(self, rows: int) -> None:
        """Count the committed rows and, every so often, start moving the log into the file."""
        self._appended += rows
        if self._appended >= _CHECKPOINT_ROWS and (self._checkpoint is None or not self._checkpoint.is_alive()):
            self._appended = 0
            self._checkpoint = threading.Thread(target=self._move_log, name="ledger checkpoint", daemon=True)
            self._checkpoint.start()

    def close(self) -> None:
        """Close all connections once a running checkpoint has finished."""
        if self._checkpoint is not None:
            self._checkpoint.join()
        super().close()

    def _move_log(self) -> None:
        try:
            with self._translated(), self._engine.connect() as connection:
                # Through the driver: SQLAlchemy would open a transaction, and a checkpoint cannot run inside one.
                driver = connection.connection.dbapi_connection
                if driver is not None:
                    driver.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
        except StoreUnavailable:
            # A later append tries again; at the latest, a commit does it when the log is full.
            return


def _append_without_waiting(connection: Any, _record: Any) -> None:
    for pragma in ("synchronous=NORMAL", f"wal_autocheckpoint={_LOG_PAGES}", "busy_timeout=0"):
        connection.execute(f"PRAGMA {pragma}").close()


class _Waiting(Generic[_T]):
    """A submitted item and its result."""

    def __init__(self, item: _T) -> None:
        self.item = item
        self.done = False
        self.error: Exception | None = None
        self.woken = threading.Event()


class GroupCommit(Generic[_T]):
    """Commits items of many threads together: while one thread commits, others queue up, and one commits for all.

    ``commit`` writes items in one transaction and returns, for each, None or the error that kept it out.
    """

    def __init__(self, commit: Callable[[Sequence[_T]], Sequence[Exception | None]]) -> None:
        self._commit = commit
        self._guard = threading.Lock()
        self._gathered: list[_Waiting[_T]] = []
        self._busy = False
        self._pid = os.getpid()

    def submit(self, item: _T) -> None:
        """Return once the item is committed; raises its error, or StoreUnavailable if its group's thread failed."""
        if self._pid != os.getpid():
            # Threads do not survive a fork: they stayed in the parent process.
            self._forget()
        mine = _Waiting(item)
        with self._guard:
            self._gathered.append(mine)
            first = not self._busy
            self._busy = True
        if not first:
            mine.woken.wait()
        if not mine.done:
            self._lead()
        if mine.error is not None:
            raise mine.error

    def _forget(self) -> None:
        self._guard = threading.Lock()
        self._gathered = []
        self._busy = False
        self._pid = os.getpid()

    def _lead(self) -> None:
        with self._guard:
            group, self._gathered = self._gathered[:_GROUP], self._gathered[_GROUP:]
        try:
            for waiting, error in zip(group, self._commit([one.item for one in group]), strict=True):
                waiting.error, waiting.done = error, True
        finally:
            for waiting in group:
                if not waiting.done:
                    waiting.error = StoreUnavailable("The thread that was writing for others broke down; try again.")
                    waiting.done = True
            self._hand_over(group)

    def _hand_over(self, group: Sequence[_Waiting[_T]]) -> None:
        with self._guard:
            following = self._gathered[0] if self._gathered else None
            self._busy = following is not None
        if following is not None:
            following.woken.set()
        for waiting in group:
            waiting.woken.set()
