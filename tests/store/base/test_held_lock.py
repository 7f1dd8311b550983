"""A write lock held by another program: one writer waits, those after it do not, until it is free again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import StoreUnavailable
from core.store.base.database import Database, sqlite_url
from core.store.base.group_commit import LedgerDatabase
from core.store.connections.held_lock import BRIEF_SECONDS, HeldLock


@pytest.mark.parametrize("kind", [Database, LedgerDatabase])
def test_after_one_wait_in_vain_all_writers_of_the_file_try_briefly_until_it_is_free(
    tmp_path: Path, kind: type[Database]
) -> None:
    held, url = HeldLock(), sqlite_url(tmp_path / "store.sqlite")
    database, beside = kind(url, 0.3, held), Database(url, 0.3, held)
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE kept (n)")
    assert held.patience(60.0) == 60.0
    with closing(sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for one in (database, beside):
            with pytest.raises(StoreUnavailable, match="writing to it"), one.write():
                pass
            assert held.patience(60.0) == BRIEF_SECONDS
        with beside.read() as connection:
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 300, "readers wait as before"
        other.execute("ROLLBACK")
    with beside.write() as connection:
        connection.exec_driver_sql("INSERT INTO kept VALUES (1)")
    assert held.patience(60.0) == 60.0
    database.close()
    beside.close()
