"""Data versions: immutable snapshots of a market's sales, each with the accounting of its source files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from core.access import Actor
from core.accounting import FileIntake
from core.errors import ArtifactCorrupt, NotFound, StaleVersion
from core.states import AuditAction
from core.store.base.artifacts import ArtifactFolder
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.markets import (
    Market,
    insert_market,
    lock_market,
    market_row,
    open_again,
    refuse_taken_name,
)
from core.store.base.tables import DATA_FILE, DATA_VERSION, MARKET
from core.store.base.values import plain_document
from core.store.sales.column_names import append_names
from core.store.sales.snapshots import Planned, Snapshots, from_parquet, to_parquet
from core.store.sales.version_records import (
    INDICATORS,
    OTHER_CURRENCY,
    ROLL,
    SET_ASIDE,
    Content,
    DataVersion,
    NewVersion,
    get_version,
    id_digits_of,
    intake_values,
    not_found,
    prices_outdated,
    select_versions,
    version_row,
)
from core.wording import IdDigits


class Versions:
    """Commit, undo, find and load data versions.

    A market's *chain* is its latest version, that version's parent, its parent's parent and so on. An undone version
    leaves the chain but stays on record.
    """

    def __init__(self, database: Database, snapshots: Snapshots, ledgers: ArtifactFolder) -> None:
        self._database = database
        self._snapshots = snapshots
        self._ledgers = ledgers
        self._id_digits: dict[str, IdDigits] = {}

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
        files = self._files_of(new)
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

        A market of this name without sales in use is opened again, in the currency and the unit of ``market``. Raises
        AlreadyExists if a market reads the same, InvalidRecord, StoreUnavailable as ``commit`` does.
        """
        row = self._write_files(new, self._files_of(new), actor)
        with refuse_taken_name(market), self._database.write() as connection:
            if not open_again(connection, market, actor):
                insert_market(connection, market, actor)
            return _insert_and_point(connection, row, new, actor)

    def _files_of(self, new: NewVersion) -> _Files:
        """Work out a version's files; parts that its parent has are found by what they hold."""
        known = None if new.parent_id is None else self._hashes(new.parent_id)
        plan, parent = self._snapshots.plan, known or _Hashes(None, None, None, None)
        doubtful = None if new.set_aside is None or new.set_aside.empty else new.set_aside
        roll = Planned(parent.roll) if parent.roll else None
        indicators = Planned(parent.indicators) if parent.indicators else None
        return _Files(
            sales=plan(new.sales, "sales", parent.sales),
            set_aside=None if doubtful is None else plan(doubtful, "set aside", parent.set_aside),
            roll=roll if new.roll is None else plan(new.roll, "tax roll", parent.roll),
            indicators=indicators
            if new.indicators is None
            else plan(new.indicators, "market indicators", parent.indicators),
            ledger=to_parquet(new.ledgers, "row ledger"),
        )

    def _write_files(self, new: NewVersion, files: _Files, actor: Actor) -> dict[str, Any]:
        """Write a version's files and return its row, not yet written: a file without a row is harmless.

        A row must never name a file that is not complete on disk.
        """
        self._snapshots.write(files.sales)
        for beside in (files.set_aside, files.indicators):
            if beside is not None:
                self._snapshots.write(beside)
        roll = None if files.roll is None else self._snapshots.write(files.roll)
        return version_row(new, files.content, self._ledgers.put(files.ledger), actor) | {ROLL: roll}

    def _hashes(self, version_id: str) -> _Hashes | None:
        """Return the hashes of a version's tables, None for an unknown one."""
        table = DATA_VERSION.c
        columns = table.sha256, table[SET_ASIDE], table[ROLL], table[INDICATORS]
        query = sa.select(*columns).where(table.version_id == version_id)
        with self._database.read() as connection:
            found = connection.execute(query).first()
        return None if found is None else _Hashes(*found)

    def undo(self, version_id: str, actor: Actor, reason: str, later: Sequence[str] = ()) -> DataVersion | None:
        """Undo a version with the ``later`` ones built on it, newest first, and return the latest then (None: no data).

        All or none, each with its entry in the audit trail. Raises NotFound, StaleVersion if ``later`` are not exactly
        the versions in use that came after it, StoreUnavailable.
        """
        with self._database.write() as connection:
            version = get_version(connection, version_id)
            latest = lock_market(connection, version.market_id)["latest_version_id"]
            chain = select_versions(connection, DATA_VERSION.c.version_id.in_(_chain_ids(latest)))
            ids = [one.version_id for one in chain]
            if version_id not in ids or ids[: ids.index(version_id)] != list(later):
                raise StaleVersion(_cannot_leave(version, ids))
            _point(connection, version.market_id, latest, version.parent_id)
            for one in (*later, version_id):
                detail = {"reason": reason, "restored": version.parent_id}
                append_event(connection, actor, AuditAction.VERSION_UNDONE, version.market_id, one, detail=detail)
            return None if version.parent_id is None else get_version(connection, version.parent_id)

    def redo(self, version_id: str, actor: Actor, reason: str, earlier: Sequence[str] = ()) -> DataVersion:
        """Make an undone version the market's latest again, as it was, with the undone ``earlier`` ones, oldest first.

        All or none, each with its entry in the audit trail. Raises NotFound, StaleVersion if the versions are not built
        one on the other and the first on the latest (a version in use among them), StoreUnavailable.
        """
        with self._database.write() as connection:
            version = get_version(connection, version_id)
            latest = lock_market(connection, version.market_id)["latest_version_id"]
            under = latest
            for one in (get_version(connection, each) for each in (*earlier, version_id)):
                if one.parent_id != under or one.market_id != version.market_id:
                    raise StaleVersion(_cannot_return(connection, one, under))
                if prices_outdated(connection, one):
                    raise StaleVersion(f"Data version {one.version_id} cannot be in use again: {OTHER_CURRENCY}")
                detail = {"reason": reason, **_on_record(one)}
                append_event(
                    connection, actor, AuditAction.VERSION_RESTORED, one.market_id, one.version_id, detail=detail
                )
                under = one.version_id
            _point(connection, version.market_id, latest, version_id)
            return version

    def is_priced_otherwise(self, version_id: str) -> bool:
        """Tell whether a version's prices are in a currency its market no longer has; raises NotFound.

        Then it cannot be in use again.
        """
        with self._database.read() as connection:
            return prices_outdated(connection, get_version(connection, version_id))

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
                return get_version(connection, version_id)
            except NotFound as error:
                raise ArtifactCorrupt(
                    f"Market {market_id} points to data version {version_id}, which is not in the store; restore the "
                    "database from a backup."
                ) from error

    def get(self, version_id: str) -> DataVersion:
        """Return a version; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            return get_version(connection, version_id)

    def has_sales_of(self, version_id: str, other: DataVersion) -> bool:
        """Tell whether a version has the same sales in use as another; raises NotFound, StoreUnavailable."""
        return version_id == other.version_id or self.get(version_id).sha256 == other.sha256

    def chain(self, market_id: str) -> list[DataVersion]:
        """Return the latest version and its ancestors, newest first; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            latest = market_row(connection, market_id)["latest_version_id"]
            return select_versions(connection, DATA_VERSION.c.version_id.in_(_chain_ids(latest)))

    def list(self, market_id: str) -> list[DataVersion]:
        """Return all versions of the market, including undone ones, newest first; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            market_row(connection, market_id)
            return select_versions(connection, DATA_VERSION.c.market_id == market_id)

    def load(self, version_id: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a version's sales, ``columns`` of them where given, with their committed dtypes and a new RangeIndex.

        Raises NotFound, ArtifactCorrupt if one of its files is missing or altered, StoreUnavailable.
        """
        return self._snapshots.load(self.get(version_id).sha256, columns)

    def column_names(self, version_id: str) -> tuple[str, ...]:
        """Return the names of the columns of a version's sales without loading these; raises what ``load`` does."""
        return self._snapshots.column_names(self.get(version_id).sha256)

    def load_set_aside(self, version_id: str) -> pd.DataFrame | None:
        """Return the doubtful sales that wait beside a version's (see NewVersion), None where there are none.

        Raises NotFound, ArtifactCorrupt if one of its files is missing or altered, StoreUnavailable.
        """
        return self._load_if_any(self._known_hashes(version_id).set_aside)

    def load_roll(self, version_id: str) -> pd.DataFrame | None:
        """Return the homes of a version's tax roll, None where no file brought one, or an earlier release took it in.

        Raises NotFound, ArtifactCorrupt if one of its files is missing or altered, StoreUnavailable.
        """
        return self._load_if_any(self._known_hashes(version_id).roll)

    def load_indicators(self, version_id: str) -> pd.DataFrame | None:
        """Return a version's dated market indicators (see core.prepare.signals.indicators), None where there are none.

        Raises NotFound, ArtifactCorrupt if one of its files is missing or altered, StoreUnavailable.
        """
        return self._load_if_any(self._known_hashes(version_id).indicators)

    def _known_hashes(self, version_id: str) -> _Hashes:
        hashes = self._hashes(version_id)
        if hashes is None:
            raise not_found(version_id)
        return hashes

    def _load_if_any(self, sha256: str | None) -> pd.DataFrame | None:
        return None if sha256 is None else self._snapshots.load(sha256)

    def ledger(self, version_id: str) -> pd.DataFrame:
        """Return the row ledgers of a version's files; raises NotFound, ArtifactCorrupt, StoreUnavailable."""
        query = sa.select(DATA_VERSION.c.ledger_sha256).where(DATA_VERSION.c.version_id == version_id)
        with self._database.read() as connection:
            sha256 = connection.scalar(query)
        if sha256 is None:
            raise not_found(version_id)
        return from_parquet(self._ledgers.read(sha256))

    def intake(self, version_id: str) -> tuple[FileIntake, ...]:
        """Return how each file of a version was read and mapped; versions of earlier releases have no such record.

        Raises NotFound, StoreUnavailable.
        """
        table = DATA_FILE.c
        query = sa.select(table.file, table.reading, table.mapping).where(table.version_id == version_id)
        with self._database.read() as connection:
            get_version(connection, version_id)
            rows = connection.execute(query.order_by(table.seq)).all()
        return tuple(FileIntake(file, reading, mapping) for file, reading, mapping in rows if mapping is not None)

    def id_digits(self, version_id: str | None) -> IdDigits:
        """Return what a version's files, and those of its ancestors, tell of the digits of their ids; raises as get.

        No version, None, tells nothing.
        """
        if version_id is not None and version_id not in self._id_digits:
            with self._database.read() as connection:
                of_chain = DATA_FILE.c.version_id.in_(_chain_ids(version_id))
                self._id_digits[version_id] = id_digits_of(connection, of_chain)
        return {} if version_id is None else self._id_digits[version_id]

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


class _Hashes(NamedTuple):
    """The tables of a version by hash, None for one it does not have."""

    sales: str | None
    set_aside: str | None
    roll: str | None
    indicators: str | None


class _Files(NamedTuple):
    """The files of a version, worked out but not written."""

    sales: Planned
    set_aside: Planned | None
    roll: Planned | None
    indicators: Planned | None
    ledger: bytes

    @property
    def content(self) -> Content:
        beside = (None if one is None else one.sha256 for one in (self.set_aside, self.indicators, self.roll))
        return Content(self.sales.sha256, *beside)


def _held_or_stale(
    connection: sa.Connection, new: NewVersion, content: Content, market: sa.RowMapping, among: _Among
) -> DataVersion | None:
    latest = market["latest_version_id"]
    table = DATA_VERSION.c
    same = (table.sha256 == content.sha256) & table.set_aside_sha256.is_not_distinct_from(content.set_aside_sha256)
    same &= table.indicators_sha256.is_not_distinct_from(content.indicators_sha256)
    same &= table.roll_sha256.is_not_distinct_from(content.roll_sha256)
    held = select_versions(connection, sa.and_(same, among(latest)))
    if held:
        return held[0]
    if latest != new.parent_id:
        raise StaleVersion(
            f"Market {new.market_id} is now at data version {latest}, but this upload was prepared on "
            f"{new.parent_id}: somebody else committed in between. Reload and commit again. Nothing was changed."
        )
    return None


def _cannot_leave(version: DataVersion, chain: Sequence[str]) -> str:
    """Say why a version cannot be undone so, and what to do; ``chain`` has the ids in use, newest first."""
    name, market_id = f"Data version {version.version_id}", version.market_id
    if version.version_id not in chain:
        return (
            f"{name} is not in use (the latest version of market {market_id} is {chain[0] if chain else 'none'}), so "
            "there is nothing to undo. Nothing was changed."
        )
    later = chain[: chain.index(version.version_id)]
    return (
        f"{name} is not the latest version of market {market_id}: {', '.join(later) or 'nothing'} was built on it. "
        "Only the latest can be undone, so undo them with it, in one step that names them. Nothing was changed."
    )


def _cannot_return(connection: sa.Connection, version: DataVersion, latest: str | None) -> str:
    """Say why a version cannot be made the latest again, and what to do first."""
    name, market_id = f"Data version {version.version_id}", version.market_id
    found = select_versions(connection, DATA_VERSION.c.version_id.in_(_chain_ids(latest)))
    chain = {one.version_id for one in found}
    if version.version_id in chain:
        return f"{name} is in use already: it was not undone, or somebody brought it back. Nothing was changed."
    if version.parent_id in chain or version.parent_id is None:
        return (
            f"{name} was built on {version.parent_id or 'an empty market'}, but the latest version of market "
            f"{market_id} is {latest}; undo {latest} first. Nothing was changed."
        )
    return f"{name} was built on {version.parent_id}, which is undone too; bring {version.parent_id} back first."


def _chain_ids(latest: str | None) -> sa.Select[tuple[str]]:
    table = DATA_VERSION.alias("link")
    start = sa.select(table.c.version_id, table.c.parent_id).where(table.c.version_id == latest)
    chain = start.cte("chain", recursive=True)
    step = sa.select(table.c.version_id, table.c.parent_id).join(chain, table.c.version_id == chain.c.parent_id)
    return sa.select(chain.union(step).c.version_id)


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
                values |= intake_values(intake[file.file])
            connection.execute(DATA_FILE.insert().values(version_id=version_id, **values))
    _point(connection, market_id, row["parent_id"], version_id)
    action = AuditAction.VERSION_COMMITTED if undone is None else AuditAction.VERSION_RESTORED
    version = get_version(connection, version_id)
    append_event(connection, actor, action, market_id, version_id, detail=_on_record(version))
    append_names(connection, market_id, new.names, actor)
    return version


def _on_record(version: DataVersion) -> dict[str, Any]:
    """Return what the audit trail keeps of a version that came into use."""
    detail: dict[str, Any] = {
        key: getattr(version, key) for key in ("rows", "set_aside", "rows_seen", "parent_id", "note")
    }
    return detail | {"files": [file.file for file in version.files]}


def _point(connection: sa.Connection, market_id: str, expected: str | None, version_id: str | None) -> None:
    pointer = MARKET.c.latest_version_id
    condition = sa.and_(MARKET.c.market_id == market_id, pointer.is_not_distinct_from(expected))
    moved = connection.execute(MARKET.update().where(condition).values(latest_version_id=version_id))
    if moved.rowcount != 1:
        raise StaleVersion(
            f"Market {market_id} is no longer at data version {expected}: somebody else committed in between. Reload "
            "and try again. Nothing was changed."
        )
