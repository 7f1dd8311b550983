"""Data versions: immutable snapshots of a market's sales, each with the accounting of its source files."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from core.access import Actor
from core.accounting import FileAccounting, FileIntake
from core.errors import ArtifactCorrupt, InvalidRecord, NotFound, StaleVersion
from core.states import AuditAction
from core.store.base.artifacts import ArtifactFolder
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.markets import Market, insert_market, lock_market, market_row, refuse_taken_name
from core.store.base.tables import DATA_FILE, DATA_VERSION, MARKET, now
from core.store.base.values import plain_document, plain_text
from core.store.sales.column_names import append_names

_ID_LENGTH: Final = 12
_ROLL: Final = "roll_sha256"


@dataclass(frozen=True)
class NewVersion:
    """A version to commit.

    ``sales`` is the market's full canonical table after the upload (its index is dropped); ``parent_id`` the version
    it builds on, None for a market's first; ``ledgers`` the row ledgers of all files, with a column ``file``;
    ``rows_seen`` the number of rows read from all files, kept or not. ``set_aside`` has the doubtful sales that
    wait beside them, as canonical rows with their ``intake_row`` and a column ``doubt``; None where there are none.
    ``intake`` says how the files were read and mapped, and ``roll`` has the homes of the tax roll, sold or not, None
    for those of the version before; both are on record, but no part of what makes a version the same.
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
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DataVersion:
    """A committed version: ``sha256`` names its snapshot file, ``created_by`` is the actor's name; instants are UTC.

    ``rows`` counts the sales in use, ``set_aside`` the doubtful ones that wait beside them.
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


class Versions:
    """Commit, undo, find and load data versions.

    A market's *chain* is its latest version, that version's parent, its parent's parent and so on. An undone version
    leaves the chain but stays on record.
    """

    def __init__(self, database: Database, snapshots: ArtifactFolder, ledgers: ArtifactFolder) -> None:
        self._database = database
        self._snapshots = snapshots
        self._ledgers = ledgers

    def commit(self, new: NewVersion, actor: Actor) -> DataVersion:
        """Write a version and make it the market's latest, in one step that succeeds or fails as a whole.

        If the market's chain already has a version with these sales, nothing changes and that version is returned.
        Raises NotFound for an unknown market, StaleVersion if ``parent_id`` is not (or no longer) the latest version,
        InvalidRecord for a table Parquet cannot hold, StoreUnavailable if disk or database fails.
        """
        return self._commit(new, actor, _in_chain)

    def follow(self, new: NewVersion, actor: Actor) -> DataVersion:
        """Write a version as commit does, also where it brings back what an earlier one held; raises what commit does.

        Only sales that are those of the latest version change nothing.
        """
        return self._commit(new, actor, _is_latest)

    def _commit(self, new: NewVersion, actor: Actor, among: _Among) -> DataVersion:
        files = _files_of(new)
        with self._database.read() as connection:
            held = _held_or_stale(connection, new, files.content, market_row(connection, new.market_id), among)
            if held is not None:
                return held
        row = self._write_files(new, files, actor)
        with self._database.write() as connection:
            held = _held_or_stale(connection, new, files.content, lock_market(connection, new.market_id), among)
            return held if held is not None else _insert_and_point(connection, row, new, actor)

    def commit_first(self, market: Market, new: NewVersion, actor: Actor) -> DataVersion:
        """Make a market and its first version in one transaction: cut short at any moment, neither is there.

        Raises AlreadyExists if a market reads the same, InvalidRecord, StoreUnavailable as ``commit`` does.
        """
        row = self._write_files(new, _files_of(new), actor)
        with refuse_taken_name(market), self._database.write() as connection:
            insert_market(connection, market, actor)
            return _insert_and_point(connection, row, new, actor)

    def _write_files(self, new: NewVersion, files: _Files, actor: Actor) -> dict[str, Any]:
        """Write a version's files and return its row, not yet written: a file without a row is harmless.

        A row must never name a file that is not complete on disk.
        """
        self._snapshots.put(files.snapshot)
        if files.set_aside is not None:
            self._snapshots.put(files.set_aside)
        roll = self._file(new.parent_id, _ROLL) if new.parent_id is not None else None
        if new.roll is not None:
            roll = self._snapshots.put(_to_parquet(new.roll, "tax roll"))
        return _version_row(new, files.content, self._ledgers.put(files.ledger), actor) | {_ROLL: roll}

    def _file(self, version_id: str, column: str) -> str | None:
        """Return the hash of a file that a version may have; raises NotFound for an unknown version."""
        query = sa.select(DATA_VERSION.c[column]).where(DATA_VERSION.c.version_id == version_id)
        with self._database.read() as connection:
            found = connection.execute(query).first()
        if found is None:
            raise _not_found(version_id)
        return None if found[0] is None else str(found[0])

    def undo(self, version_id: str, actor: Actor, reason: str) -> DataVersion | None:
        """Undo the market's latest version and return its parent, which is the latest again (None: no data is left).

        Raises NotFound, StaleVersion if ``version_id`` is not the latest, StoreUnavailable.
        """
        with self._database.write() as connection:
            version = _get(connection, version_id)
            market = lock_market(connection, version.market_id)
            if market["latest_version_id"] != version_id:
                raise StaleVersion(
                    f"Data version {version_id} is not the latest version of market {version.market_id} "
                    f"({market['latest_version_id']} is), and only the latest can be undone; reload and choose again."
                )
            _point(connection, version.market_id, version_id, version.parent_id)
            detail = {"reason": reason, "restored": version.parent_id}
            append_event(connection, actor, AuditAction.VERSION_UNDONE, version.market_id, version_id, detail=detail)
            return None if version.parent_id is None else _get(connection, version.parent_id)

    def latest(self, market_id: str) -> DataVersion | None:
        """Return the market's latest version, None before the first commit.

        Raises NotFound for an unknown market, ArtifactCorrupt if the pointer names a version that does not exist,
        StoreUnavailable.
        """
        with self._database.read() as connection:
            version_id = market_row(connection, market_id)["latest_version_id"]
            if version_id is None:
                return None
            try:
                return _get(connection, version_id)
            except NotFound as error:
                raise ArtifactCorrupt(
                    f"Market {market_id} points to data version {version_id}, which is not in the store; restore the "
                    "database from a backup."
                ) from error

    def get(self, version_id: str) -> DataVersion:
        """Return a version; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            return _get(connection, version_id)

    def chain(self, market_id: str) -> list[DataVersion]:
        """Return the latest version and its ancestors, newest first; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            latest = market_row(connection, market_id)["latest_version_id"]
            return _select(connection, DATA_VERSION.c.version_id.in_(_chain_ids(latest)))

    def list(self, market_id: str) -> list[DataVersion]:
        """Return all versions of the market, including undone ones, newest first; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            market_row(connection, market_id)
            return _select(connection, DATA_VERSION.c.market_id == market_id)

    def load(self, version_id: str) -> pd.DataFrame:
        """Return a version's sales with their committed dtypes and a new RangeIndex.

        Raises NotFound, ArtifactCorrupt if the snapshot is missing or altered, StoreUnavailable.
        """
        return _from_parquet(self._snapshots.read(self.get(version_id).sha256))

    def load_set_aside(self, version_id: str) -> pd.DataFrame | None:
        """Return the doubtful sales that wait beside a version's (see NewVersion), None where there are none.

        Raises NotFound, ArtifactCorrupt if the file is missing or altered, StoreUnavailable.
        """
        sha256 = self._file(version_id, "set_aside_sha256")
        return None if sha256 is None else _from_parquet(self._snapshots.read(sha256))

    def load_roll(self, version_id: str) -> pd.DataFrame | None:
        """Return the homes of a version's tax roll, None where no file brought one, or an earlier release took it in.

        Raises NotFound, ArtifactCorrupt if the file is missing or altered, StoreUnavailable.
        """
        sha256 = self._file(version_id, _ROLL)
        return None if sha256 is None else _from_parquet(self._snapshots.read(sha256))

    def ledger(self, version_id: str) -> pd.DataFrame:
        """Return the row ledgers of a version's files; raises NotFound, ArtifactCorrupt, StoreUnavailable."""
        query = sa.select(DATA_VERSION.c.ledger_sha256).where(DATA_VERSION.c.version_id == version_id)
        with self._database.read() as connection:
            sha256 = connection.scalar(query)
        if sha256 is None:
            raise _not_found(version_id)
        return _from_parquet(self._ledgers.read(sha256))

    def intake(self, version_id: str) -> tuple[FileIntake, ...]:
        """Return how each file of a version was read and mapped; versions of earlier releases have no such record.

        Raises NotFound, StoreUnavailable.
        """
        table = DATA_FILE.c
        query = sa.select(table.file, table.reading, table.mapping).where(table.version_id == version_id)
        with self._database.read() as connection:
            _get(connection, version_id)
            rows = connection.execute(query.order_by(table.seq)).all()
        return tuple(FileIntake(file, reading, mapping) for file, reading, mapping in rows if mapping is not None)

    def has_file(self, market_id: str, sha256: str) -> bool:
        """Tell whether the market's chain has a file with that content; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            latest = market_row(connection, market_id)["latest_version_id"]
            query = sa.select(DATA_FILE.c.seq).where(
                DATA_FILE.c.sha256 == sha256, DATA_FILE.c.version_id.in_(_chain_ids(latest))
            )
            return connection.execute(query.limit(1)).first() is not None


_Among = Callable[[str | None], sa.ColumnElement[bool]]
"""Which versions a new one may turn out to be, by the id of the latest."""


def _in_chain(latest: str | None) -> sa.ColumnElement[bool]:
    return DATA_VERSION.c.version_id.in_(_chain_ids(latest))


def _is_latest(latest: str | None) -> sa.ColumnElement[bool]:
    return DATA_VERSION.c.version_id == latest


@dataclass(frozen=True)
class _Content:
    """What a version holds, by hash: its sales in use, and those that wait."""

    sha256: str
    set_aside_sha256: str | None


class _Files(NamedTuple):
    """The files of a version as bytes, and the hashes that name them."""

    snapshot: bytes
    set_aside: bytes | None
    ledger: bytes
    content: _Content


def _files_of(new: NewVersion) -> _Files:
    snapshot, ledger = _to_parquet(new.sales, "sales"), _to_parquet(new.ledgers, "row ledger")
    aside = None if new.set_aside is None or new.set_aside.empty else _to_parquet(new.set_aside, "set aside")
    content = _Content(_sha256(snapshot), None if aside is None else _sha256(aside))
    return _Files(snapshot, aside, ledger, content)


def _sha256(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()


def _held_or_stale(
    connection: sa.Connection, new: NewVersion, content: _Content, market: sa.RowMapping, among: _Among
) -> DataVersion | None:
    latest = market["latest_version_id"]
    table = DATA_VERSION.c
    same = (table.sha256 == content.sha256) & table.set_aside_sha256.is_not_distinct_from(content.set_aside_sha256)
    held = _select(connection, sa.and_(same, among(latest)))
    if held:
        return held[0]
    if latest != new.parent_id:
        raise StaleVersion(
            f"Market {new.market_id} is now at data version {latest}, but this upload was prepared on "
            f"{new.parent_id}: somebody else committed in between. Reload and commit again. Nothing was changed."
        )
    return None


def _chain_ids(latest: str | None) -> sa.Select[tuple[str]]:
    table = DATA_VERSION.alias("link")
    start = sa.select(table.c.version_id, table.c.parent_id).where(table.c.version_id == latest)
    chain = start.cte("chain", recursive=True)
    step = sa.select(table.c.version_id, table.c.parent_id).join(chain, table.c.version_id == chain.c.parent_id)
    return sa.select(chain.union(step).c.version_id)


def _version_row(new: NewVersion, content: _Content, ledger_sha256: str, actor: Actor) -> dict[str, Any]:
    first, last = _sale_dates(new.sales)
    files = [plain_document(asdict(file), "file accounting") for file in new.files]
    identity = [new.market_id, new.parent_id, content.sha256, ledger_sha256, int(new.rows_seen), files]
    if content.set_aside_sha256 is not None:
        identity.append(content.set_aside_sha256)
    return {
        "version_id": hashlib.sha256(json.dumps(identity, sort_keys=True).encode("utf-8")).hexdigest()[:_ID_LENGTH],
        "market_id": new.market_id,
        "parent_id": new.parent_id,
        "sha256": content.sha256,
        "set_aside_sha256": content.set_aside_sha256,
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


def _intake_values(one: FileIntake) -> dict[str, Any]:
    return {"reading": plain_text(one.reading), "mapping": plain_document(dict(one.mapping), "column mapping")}


def _sale_dates(sales: pd.DataFrame) -> tuple[date | None, date | None]:
    if "sale_date" not in sales.columns or sales["sale_date"].isna().all():
        return None, None
    return sales["sale_date"].min().date(), sales["sale_date"].max().date()


def _insert_and_point(connection: sa.Connection, row: dict[str, Any], new: NewVersion, actor: Actor) -> DataVersion:
    version_id, market_id = row["version_id"], row["market_id"]
    # The id is a hash of the content, so an existing id means the same upload, undone and now uploaded again.
    undone = connection.scalar(sa.select(DATA_VERSION.c.seq).where(DATA_VERSION.c.version_id == version_id))
    if undone is None:
        connection.execute(DATA_VERSION.insert().values(**row))
        intake = {one.file: one for one in new.intake}
        for file in new.files:
            values = plain_document(asdict(file), "file accounting")
            if file.file in intake:
                values |= _intake_values(intake[file.file])
            connection.execute(DATA_FILE.insert().values(version_id=version_id, **values))
    _point(connection, market_id, row["parent_id"], version_id)
    action = AuditAction.VERSION_COMMITTED if undone is None else AuditAction.VERSION_RESTORED
    detail: dict[str, Any] = {key: row[key] for key in ("rows", "set_aside", "rows_seen", "parent_id", "note")}
    detail["files"] = [file.file for file in new.files]
    append_event(connection, actor, action, market_id, version_id, detail=detail)
    append_names(connection, market_id, new.names, actor)
    return _get(connection, version_id)


def _point(connection: sa.Connection, market_id: str, expected: str | None, version_id: str | None) -> None:
    pointer = MARKET.c.latest_version_id
    condition = sa.and_(MARKET.c.market_id == market_id, pointer.is_not_distinct_from(expected))
    moved = connection.execute(MARKET.update().where(condition).values(latest_version_id=version_id))
    if moved.rowcount != 1:
        raise StaleVersion(
            f"Market {market_id} is no longer at data version {expected}: somebody else committed in between. Reload "
            "and try again. Nothing was changed."
        )


def _get(connection: sa.Connection, version_id: str) -> DataVersion:
    found = _select(connection, DATA_VERSION.c.version_id == version_id)
    if not found:
        raise _not_found(version_id)
    return found[0]


def _not_found(version_id: str) -> NotFound:
    return NotFound(f"There is no data version {version_id!r}; list the market's versions to see their ids.")


def _select(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[DataVersion]:
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


def _record(row: sa.RowMapping, files: tuple[FileAccounting, ...]) -> DataVersion:
    values = {key: row[key] for key in row if key not in ("seq", "ledger_sha256", "set_aside_sha256", _ROLL)}
    return DataVersion(**values, files=files)


def _to_parquet(frame: pd.DataFrame, what: str) -> bytes:
    # Attributes and index are not content, but would change the file and so its hash.
    bare = frame.reset_index(drop=True).copy(deep=False)
    bare.attrs = {}
    buffer = io.BytesIO()
    try:
        pq.write_table(pa.Table.from_pandas(bare, preserve_index=False), buffer, compression="zstd")
    except (pa.ArrowException, ValueError) as error:
        raise InvalidRecord(
            f"The {what} table cannot be stored as Parquet ({' '.join(str(error).split())}); give each column one type "
            "and a unique name. Nothing was changed."
        ) from error
    return buffer.getvalue()


def _from_parquet(payload: bytes) -> pd.DataFrame:
    frame: pd.DataFrame = pq.read_table(io.BytesIO(payload)).to_pandas()
    return frame
