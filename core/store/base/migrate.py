"""Brings a database to this code's schema when it is opened: creates it if empty, migrates it if behind."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa

from core.errors import StoreUnavailable
from core.store.base.database import Database
from core.store.base.tables import MARKET, METADATA, SCHEMA_REVISION
from core.store.base.views import create_views, drop_views

MIGRATIONS: Final = Path(__file__).resolve().parents[1] / "migrations"

_VERSION_TABLE: Final = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
_BASE: Final = "base"
_LOCK: Final = 0x446F6F7273746570  # "Doorstep" in ASCII: any number that nothing else uses will do.


def ensure_schema(database: Database) -> None:
    """Create or migrate the tables unless they are at SCHEMA_REVISION; concurrent processes take turns.

    Raises StoreUnavailable if the database cannot be used or was written by a newer Doorstep.
    """
    with database.read() as connection:
        if _revision(connection) == SCHEMA_REVISION:
            return
    with database.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        revision = _revision(connection)
        if revision is None:
            _create(connection)
        elif revision != SCHEMA_REVISION:
            _migrate(connection, revision, database.label)


def is_new(database: Database) -> bool:
    """Tell whether the database holds nothing of Doorstep yet; raises StoreUnavailable."""
    with database.read() as connection:
        return _revision(connection) in (None, _BASE) and not sa.inspect(connection).has_table(MARKET.name)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION_TABLE.name):
        return None
    # In alembic, a version table without a row means that no revision has been applied yet.
    return connection.scalar(sa.select(_VERSION_TABLE.c.version_num)) or _BASE


def _create(connection: sa.Connection) -> None:
    # Running the migrations would give the same tables (a test compares them) at the cost of importing alembic.
    METADATA.create_all(connection)
    create_views(connection)
    _VERSION_TABLE.create(connection)
    connection.execute(_VERSION_TABLE.insert().values(version_num=SCHEMA_REVISION))


def _migrate(connection: sa.Connection, revision: str, label: str) -> None:
    from alembic import command  # noqa: PLC0415 - takes most of a second, and is rarely needed
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    if revision not in {_BASE} | {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}:
        raise StoreUnavailable(
            f"The database was written by a newer Doorstep (schema {revision}; this one knows schemas up to "
            f"{SCHEMA_REVISION}); update this installation. Nothing was changed.",
            label,
        )
    drop_views(connection)
    command.upgrade(config, "head")
    create_views(connection)
