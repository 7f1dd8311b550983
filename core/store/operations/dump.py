"""All rows of the database in a form that either kind of database reads: for backup, and to move between them."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from core.errors import InvalidRecord
from core.store.base.database import Database
from core.store.base.tables import METADATA, SCHEMA_REVISION, UtcDateTime
from core.store.operations.work_tables import WORKER

_BATCH: Final = 500
_SQL_NULL: Final = "sql null: "


def _tables() -> list[sa.Table]:
    """Return all tables but one: a worker's signs of life say nothing in another place.

    Asked when it is used, since the modules that define tables are imported one after another.
    """
    return [table for table in METADATA.sorted_tables if table is not WORKER]


class Dump:
    """Write all tables to files, as they were at one instant, and read them into an empty database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    revision: Final = SCHEMA_REVISION

    def write(self, folder: Path) -> dict[str, int]:
        """Write each table to ``folder`` (name.jsonl.gz) and return its number of rows, while others write.

        Raises OSError, StoreUnavailable.
        """
        with self._database.read() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            return {table.name: _write(connection, table, folder / file_of(table)) for table in _tables()}

    def faults(self) -> list[str]:
        """Return what is wrong with the database, nothing if it is intact; raises StoreUnavailable.

        SQLite checks its whole file; on PostgreSQL, which has no such check, every table is counted.
        """
        with self._database.read() as connection:
            if connection.dialect.name == "sqlite":
                found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
                return [] if found == ["ok"] else found
            for table in _tables():
                connection.execute(sa.select(sa.func.count()).select_from(table))
            return []

    def is_empty(self) -> bool:
        """Tell whether no table has a row; raises StoreUnavailable."""
        with self._database.read() as connection:
            return not any(
                connection.execute(sa.select(sa.literal(1)).select_from(one).limit(1)).first() for one in _tables()
            )

    @contextmanager
    def reading(self, folder: Path) -> Iterator[None]:
        """Read the files of ``folder`` into the empty database in one transaction, committed when the block ends.

        Raises InvalidRecord if the database has rows already, StoreUnavailable.
        """
        with self._database.write() as connection:
            for table in _tables():
                if connection.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first():
                    raise InvalidRecord(f"The database has rows already, in {table.name}; nothing was restored.")
            for table in _tables():
                _read(connection, table, folder / file_of(table))
            yield


def file_of(table: sa.Table) -> str:
    """Return the name of a table's file."""
    return f"{table.name}.jsonl.gz"


def _write(connection: sa.Connection, table: sa.Table, path: Path) -> int:
    # A document that is null and no document at all read the same in Python, but not in SQL.
    nulls = [column.is_(sa.null()).label(_SQL_NULL + column.name) for column in _documents(table)]
    query = sa.select(*table.columns, *nulls).order_by(*table.primary_key.columns)
    codes, rows = {column.name: _encoder(column) for column in table.columns}, 0
    with gzip.open(path, "wt", compresslevel=3, encoding="utf-8") as stream:
        for row in connection.execution_options(yield_per=_BATCH).execute(query).mappings():
            document = {name: code(row[name]) for name, code in codes.items() if not row.get(_SQL_NULL + name)}
            stream.write(json.dumps(document, ensure_ascii=False) + "\n")
            rows += 1
    return rows


def _read(connection: sa.Connection, table: sa.Table, path: Path) -> None:
    codes, batch = {column.name: _decoder(column) for column in table.columns}, []
    absent = {column.name: sa.null() for column in _documents(table)}
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        for line in stream:
            row = json.loads(line)
            found = {name: codes[name](value) for name, value in row.items()}
            if absent.keys() - row.keys():
                connection.execute(table.insert().values({**absent, **found}))
                continue
            batch.append(found)
            if len(batch) == _BATCH:
                connection.execute(table.insert(), batch)
                batch = []
    if batch:
        connection.execute(table.insert(), batch)
    _continue_sequence(connection, table)


def _continue_sequence(connection: sa.Connection, table: sa.Table) -> None:
    """Let PostgreSQL number new rows after those read; SQLite does so without being asked."""
    column = table.autoincrement_column
    if connection.dialect.name != "postgresql" or column is None:
        return
    last = connection.scalar(sa.select(sa.func.max(column)))
    if last is not None:
        connection.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(table.name, column.name), last)))


def _documents(table: sa.Table) -> list[sa.Column[Any]]:
    return [column for column in table.columns if isinstance(column.type, sa.JSON) and column.nullable]


_Code = Callable[[Any], Any]


def _encoder(column: sa.Column[Any]) -> _Code:
    if isinstance(column.type, UtcDateTime | sa.DateTime | sa.Date):
        return lambda value: None if value is None else value.isoformat()
    if isinstance(column.type, sa.LargeBinary):
        return lambda value: None if value is None else base64.b64encode(value).decode()
    return lambda value: value


def _decoder(column: sa.Column[Any]) -> _Code:
    if isinstance(column.type, UtcDateTime | sa.DateTime):
        return lambda value: None if value is None else datetime.fromisoformat(value)
    if isinstance(column.type, sa.Date):
        return lambda value: None if value is None else date.fromisoformat(value)
    if isinstance(column.type, sa.LargeBinary):
        return lambda value: None if value is None else base64.b64decode(value)
    return lambda value: value
