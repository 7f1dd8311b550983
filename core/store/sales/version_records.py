"""The records of data versions, their rows in the database, and how they are found there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from core.access import Actor
from core.accounting import ID_DIGITS, FileAccounting, FileIntake
from core.errors import NotFound
from core.states import AuditAction
from core.store.base.tables import DATA_FILE, DATA_VERSION, EVENT, now
from core.store.base.values import plain_document, plain_text
from core.wording import IdDigits, agreed_digits

ROLL: Final = "roll_sha256"
INDICATORS: Final = "indicators_sha256"
SET_ASIDE: Final = "set_aside_sha256"
_ID_LENGTH: Final = 12


@dataclass(frozen=True)
class NewVersion:
    """A version to commit.

    ``sales`` is the market's full canonical table after the upload (its index is dropped); ``parent_id`` the version it
    builds on, None for a market's first; ``ledgers`` the row ledgers of all files, with a column ``file``;
    ``rows_seen`` the number of rows read from all files, kept or not. ``set_aside`` has the doubtful sales that wait
    beside them, as canonical rows with their ``intake_row`` and a column ``doubt``; None where there are none.
    ``intake`` says how the files were read and mapped, which is on record, but no part of what makes a version the
    same. ``roll`` has the homes of the tax roll, sold or not, None for those of the version before. ``indicators`` has
    the market's dated indicators, as core.prepare.signals.indicators makes them, None for those of the version before.
    ``names`` are the display names that come with the version, for columns of the market's own, by field.
    """

    market_id: str
    sales: pd.DataFrame
    parent_id: str | None
    files: tuple[FileAccounting, ...]
    ledgers: pd.DataFrame
    rows_seen: int
    note: str
    set_aside: pd.DataFrame | None = None
    intake: tuple[FileIntake, ...] = ()
    roll: pd.DataFrame | None = None
    indicators: pd.DataFrame | None = None
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DataVersion:
    """A committed version: ``created_by`` is the actor's name; instants are UTC.

    ``sha256`` names the file of its sales, or the list of their parts. ``rows`` counts the sales in use, ``set_aside``
    the doubtful ones that wait beside them.
    """

    version_id: str
    market_id: str
    sha256: str
    parent_id: str | None
    rows: int
    rows_seen: int
    first_sale: date | None
    last_sale: date | None
    files: tuple[FileAccounting, ...]
    note: str
    created_at: datetime
    created_by: str
    set_aside: int = 0


@dataclass(frozen=True)
class Content:
    """What a version holds, by hash: its sales in use, those that wait, the market's indicators and its tax roll."""

    sha256: str
    set_aside_sha256: str | None
    indicators_sha256: str | None = None
    roll_sha256: str | None = None


def version_row(new: NewVersion, content: Content, ledger_sha256: str, actor: Actor) -> dict[str, Any]:
    """Return the row of a new version; its id is a hash of all that makes it what it is."""
    first, last = _sale_dates(new.sales)
    files = [plain_document(asdict(file), "file accounting") for file in new.files]
    identity = [new.market_id, new.parent_id, content.sha256, ledger_sha256, int(new.rows_seen), files]
    if content.set_aside_sha256 is not None:
        identity.append(content.set_aside_sha256)
    if content.indicators_sha256 is not None:
        identity.append(f"{INDICATORS}={content.indicators_sha256}")
    if new.roll is not None:
        identity.append(f"{ROLL}={content.roll_sha256}")
    return {
        "version_id": hashlib.sha256(json.dumps(identity, sort_keys=True).encode("utf-8")).hexdigest()[:_ID_LENGTH],
        "market_id": new.market_id,
        "parent_id": new.parent_id,
        "sha256": content.sha256,
        SET_ASIDE: content.set_aside_sha256,
        INDICATORS: content.indicators_sha256,
        "set_aside": 0 if new.set_aside is None else len(new.set_aside),
        "ledger_sha256": ledger_sha256,
        "rows": len(new.sales),
        "rows_seen": int(new.rows_seen),
        "first_sale": first,
        "last_sale": last,
        "note": plain_text(new.note),
        "created_at": now(),
        "created_by": plain_text(actor.name),
    }


def intake_values(one: FileIntake) -> dict[str, Any]:
    """Return how a file was read and mapped, as its row keeps it."""
    return {"reading": plain_text(one.reading), "mapping": plain_document(dict(one.mapping), "column mapping")}


def _sale_dates(sales: pd.DataFrame) -> tuple[date | None, date | None]:
    if "sale_date" not in sales.columns or sales["sale_date"].isna().all():
        return None, None
    return sales["sale_date"].min().date(), sales["sale_date"].max().date()


def get_version(connection: sa.Connection, version_id: str) -> DataVersion:
    """Return a version; raises NotFound."""
    found = select_versions(connection, DATA_VERSION.c.version_id == version_id)
    if not found:
        raise not_found(version_id)
    return found[0]


def prices_outdated(connection: sa.Connection, version: DataVersion) -> bool:
    """Tell whether the market's currency was changed after a version was last taken in or used again."""
    last = sa.select(sa.func.max(EVENT.c.event_id)).where(EVENT.c.market_id == version.market_id)
    taken = last.where(
        EVENT.c.subject == version.version_id,
        EVENT.c.action.in_([AuditAction.VERSION_COMMITTED, AuditAction.VERSION_RESTORED]),
    )
    changed = last.where(
        EVENT.c.action == AuditAction.MARKET_TERMS_CHANGED, EVENT.c.detail["after"]["currency"].as_string().is_not(None)
    )
    return (connection.scalar(changed) or 0) > (connection.scalar(taken) or 0)


OTHER_CURRENCY: Final = (
    "the market’s currency was changed since its prices were taken in. Import its files again. Nothing was changed."
)
"""Why a version of prices in a market's earlier currency stays undone, to be read after what it cannot do."""


def not_found(version_id: str) -> NotFound:
    """Return the error of an unknown version."""
    return NotFound(f"There is no data version {version_id!r}; list the market's versions to see their ids.")


def select_versions(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[DataVersion]:
    """Return the versions of which a condition holds, newest first."""
    query = sa.select(DATA_VERSION).where(condition).order_by(DATA_VERSION.c.seq.desc())
    rows = connection.execute(query).mappings().all()
    ids = [row["version_id"] for row in rows]
    files: dict[str, list[FileAccounting]] = {version_id: [] for version_id in ids}
    accounting = [DATA_FILE.c[one.name] for one in fields(FileAccounting)]
    file_query = sa.select(DATA_FILE.c.version_id, *accounting).where(DATA_FILE.c.version_id.in_(ids))
    for row in connection.execute(file_query.order_by(DATA_FILE.c.seq)).mappings():
        values = {key: row[key] for key in row if key != "version_id"}
        files[row["version_id"]].append(FileAccounting(**values))
    return [_record(row, tuple(files[row["version_id"]])) for row in rows]


def id_digits_of(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> IdDigits:
    """Return what the files of the versions of which a condition holds tell of the digits of their ids."""
    query = sa.select(DATA_FILE.c.mapping).where(condition, DATA_FILE.c.mapping.is_not(None))
    found: IdDigits = {}
    for mapping in connection.scalars(query):
        found = agreed_digits(found, mapping.get(ID_DIGITS, {}))
    return found


def _record(row: sa.RowMapping, files: tuple[FileAccounting, ...]) -> DataVersion:
    values = {key: row[key] for key in row if key not in ("seq", "ledger_sha256", SET_ASIDE, ROLL, INDICATORS)}
    return DataVersion(**values, files=files)
