"""Use cases of data versions: compare two, find the models trained on them, undo some, bring them back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from core.access import Action
from core.collect.inference import Inference
from core.collect.join_keys import column_or_missing
from core.collect.mapping_file import inferences_of
from core.errors import InvalidRecord
from core.prepare.quality.column_shifts import ColumnShift, column_shifts
from core.states import AuditAction
from core.store import DataVersion, Event, Store
from core.wording import agreed_digits, with_id_words
from core.workflows.data.outcomes import settle_quietly
from core.workspace import Workspace

ROW: Final = "intake_row"
CHANGE_COLUMNS: Final = (ROW, "home", "sale_date", "field", "before", "after")

NOTHING_IN_USE: Final = "no data is in use, so nothing is priced until sales are imported"
"""What an undo of a market’s only data leaves."""

_REASON_LIMIT: Final = 500
_EVENTS: Final = 10_000

State = Literal["in use", "earlier", "undone"]


@dataclass(frozen=True)
class VersionDiff:
    """The differences between two versions, row by row and column by column.

    ``added_rows`` and ``removed_rows`` are sales as stored, but for ids, which here and in ``changes`` are as their
    source writes them; ``changes`` has one row per changed fact of a sale in both (CHANGE_COLUMNS, values as text),
    with the ``home`` by address, else id, else zip code, and its ``sale_date``. ``completed`` counts the sales that
    only gained facts they lacked, ``lost`` those that only lost some, and ``corrected`` the others of these.
    """

    before: DataVersion
    after: DataVersion
    added: int
    removed: int
    corrected: int
    completed: int
    lost: int
    same: int
    added_rows: pd.DataFrame
    removed_rows: pd.DataFrame
    changes: pd.DataFrame
    columns: tuple[ColumnShift, ...]


@dataclass(frozen=True)
class Recorded:
    """A version with its models by id and, if it was undone, by whom, when (UTC) and why.

    ``returnable`` tells whether it is undone and ``redo_version`` can bring it back as things stand, with the undone
    versions ``earlier`` than it, oldest first; ``hindrance`` says of an undone one that cannot what to do first.
    ``later`` are the versions in use that were built on it, newest first: an undo takes them along.
    """

    version: DataVersion
    state: State
    models: tuple[str, ...]
    undone_by: str = ""
    undone_at: datetime | None = None
    reason: str = ""
    returnable: bool = False
    hindrance: str = ""
    earlier: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


@dataclass(frozen=True)
class Undone:
    """An undone version with the ``later`` ones: what is in use again (None: no data is left), and their models.

    The models trained on them stay.
    """

    version: DataVersion
    later: tuple[str, ...]
    restored: DataVersion | None
    models: tuple[str, ...]


@dataclass(frozen=True)
class FileTaken:
    """How a file of a version was read, in words, the mapping document in force, and what was inferred."""

    file: str
    reading: str
    mapping: Mapping[str, Any]
    inferences: tuple[Inference, ...]


def compare_versions(workspace: Workspace, before_id: str, after_id: str) -> VersionDiff:
    """Compare two versions of one market; neither changes.

    Sales are the same if they come from the same intake row. Rows imported after the versions diverged (one was undone
    and replaced) are never the same, even with equal row numbers. Raises AccessDenied, NotFound, InvalidRecord for
    versions of two markets, ArtifactCorrupt, StoreUnavailable.
    """
    store = workspace.store
    workspace.require(Action.VIEW_DATA)
    before, after = store.versions.get(before_id), store.versions.get(after_id)
    if before.market_id != after.market_id:
        raise InvalidRecord(
            f"Data versions {before_id} and {after_id} belong to two markets, {before.market_id} and "
            f"{after.market_id}; compare versions of one market."
        )
    digits = agreed_digits(store.versions.id_digits(before_id), store.versions.id_digits(after_id))
    first, second = (with_id_words(store.versions.load(one), digits) for one in (before_id, after_id))
    shared = _rows_shared(store, before, after)
    old, new = first[ROW].to_numpy(), second[ROW].to_numpy()
    gone = (old >= shared) | ~np.isin(old, new)
    come = (new >= shared) | ~np.isin(new, old)
    changes = _changes(first[~gone], second[~come])
    completed, lost = (int((changes[side] == "").groupby(changes[ROW]).all().sum()) for side in ("before", "after"))
    return VersionDiff(
        before=before,
        after=after,
        added=int(come.sum()),
        removed=int(gone.sum()),
        corrected=int(changes[ROW].nunique()) - completed - lost,
        completed=completed,
        lost=lost,
        same=int((~come).sum()) - int(changes[ROW].nunique()),
        added_rows=second[come].reset_index(drop=True),
        removed_rows=first[gone].reset_index(drop=True),
        changes=changes,
        columns=column_shifts(first, second),
    )


def models_of(store: Store, market_id: str) -> dict[str, tuple[str, ...]]:
    """Return the ids of the models trained on each version, newest first; versions without models are left out.

    Raises NotFound for an unknown market, StoreUnavailable.
    """
    found: dict[str, tuple[str, ...]] = {}
    for record in store.models.list(market_id):
        found[record.version_id] = (*found.get(record.version_id, ()), record.model_id)
    return found


def history(workspace: Workspace, market_id: str) -> tuple[Recorded, ...]:
    """Return all versions of a market with their history, newest first; raises AccessDenied, NotFound."""
    store = workspace.store
    workspace.require(Action.VIEW_DATA)
    models, chain = (
        models_of(store, market_id),
        [one.version_id for one in store.versions.chain(market_id)],
    )
    undone: dict[str, Event] = {}
    for entry in store.events.list(market_id, _EVENTS):
        if entry.action == AuditAction.VERSION_UNDONE:
            undone.setdefault(entry.subject, entry)
    records, versions = [], store.versions.list(market_id)
    by_id = {one.version_id: one for one in versions}
    for version in versions:
        used = models.get(version.version_id, ())
        if version.version_id in chain:
            state: State = "in use" if version.version_id == chain[0] else "earlier"
            later = tuple(chain[: chain.index(version.version_id)])
            records.append(Recorded(version, state, used, later=later))
            continue
        # A version without its own undo on record was undone with the one it was built on.
        event = undone.get(version.version_id)
        actor, at, reason = (event.actor, event.at, str(event.detail.get("reason", ""))) if event else ("", None, "")
        earlier, base = _undone_before(version, by_id, chain)
        outdated = any(store.versions.is_priced_otherwise(one) for one in (*earlier, version.version_id))
        returnable = base == (chain[0] if chain else None) and not outdated
        hindrance = "" if returnable else _hindrance(version, chain, outdated)
        records.append(Recorded(version, "undone", used, actor, at, reason, returnable, hindrance, earlier))
    return tuple(records)


def _undone_before(
    version: DataVersion, by_id: Mapping[str, DataVersion], chain: Sequence[str]
) -> tuple[tuple[str, ...], str | None]:
    """Return the undone versions that an undone one was built on, oldest first, and the one in use below them."""
    earlier: list[str] = []
    below = version.parent_id
    while below is not None and below not in chain:
        earlier.append(below)
        below = by_id[below].parent_id
    return tuple(reversed(earlier)), below


def _hindrance(version: DataVersion, chain: Sequence[str], outdated: bool) -> str:
    """Say why an undone version cannot be in use again as things stand, and what to do first.

    ``outdated`` tells whether its prices are in a currency the market no longer has.
    """
    if outdated:
        return "The market’s currency was changed since its prices were taken in: import its files again."
    if version.parent_id in chain or version.parent_id is None:
        return f"It was built on {version.parent_id or 'an empty market'}: undo {chain[0]} first to use it again."
    return f"It was built on {version.parent_id}, which is undone too: use that one again first."


def intake_of(workspace: Workspace, version_id: str) -> tuple[FileTaken, ...]:
    """Return how each file of a version was read and mapped, and what was inferred from it.

    Versions of earlier releases have no such record. Raises AccessDenied, NotFound, StoreUnavailable.
    """
    workspace.require(Action.VIEW_DATA)
    return tuple(
        FileTaken(one.file, one.reading, one.mapping, inferences_of(one.mapping))
        for one in workspace.store.versions.intake(version_id)
    )


@dataclass(frozen=True)
class Brought:
    """Where a fact of a market's sales came from first: the version in use, its file, and the column there."""

    version_id: str
    file: str
    column: str


def brought_by(workspace: Workspace, market_id: str, fact: str) -> Brought | None:
    """Return what first brought a fact that the sales in use have; None where no record says so.

    Raises AccessDenied, NotFound, StoreUnavailable.
    """
    workspace.require(Action.VIEW_DATA)
    store = workspace.store
    for version in reversed(store.versions.chain(market_id)):
        for file in store.versions.intake(version.version_id):
            for rule in file.mapping.get("rules", ()):
                if rule["field"] == fact:
                    return Brought(version.version_id, file.file, str(rule["column"]))
    return None


def committed_since(workspace: Workspace, contents: Collection[str], since: datetime) -> DataVersion | None:
    """Return the newest version made since then from a file with one of these SHA-256 hashes; None where there is none.

    Raises AccessDenied, StoreUnavailable.
    """
    workspace.require(Action.VIEW_DATA)
    store = workspace.store
    made = (version for market in store.markets.list() for version in store.versions.list(market.market_id))
    fitting = [one for one in made if one.created_at >= since and any(file.sha256 in contents for file in one.files)]
    return max(fitting, key=lambda version: version.created_at, default=None)


def undo_version(workspace: Workspace, version_id: str, reason: str, later: Sequence[str] = ()) -> Undone:
    """Undo a version: its parent is in use again, unchanged, and the undone one stays on record.

    Versions built on it go with it in the same step: ``later`` names them all, newest first, as somebody saw them.
    Models trained on them are unchanged and stay live if they were, but price nothing while no data is in use. Raises
    AccessDenied, NotFound, StaleVersion if other versions than ``later`` came after it, InvalidRecord without a reason
    of 1 to 500 characters, StoreUnavailable.
    """
    store = workspace.store
    workspace.require(Action.INGEST)
    tidy = " ".join(reason.split())
    if not 1 <= len(tidy) <= _REASON_LIMIT:
        raise InvalidRecord(
            f"The reason for an undo has {len(tidy)} characters; explain in 1 to {_REASON_LIMIT} why this data is "
            "undone, for whoever reads the record later."
        )
    version = store.versions.get(version_id)
    of_versions = models_of(store, version.market_id)
    models = tuple(model for one in (*later, version_id) for model in of_versions.get(one, ()))
    restored = store.versions.undo(version_id, workspace.actor, tidy, later)
    settle_quietly(workspace, version.market_id)
    return Undone(version, tuple(later), restored, models)


def later_versions(workspace: Workspace, version_id: str) -> tuple[str, ...]:
    """Return the versions in use that were built on one, newest first; none for one that is not in use.

    Raises AccessDenied, NotFound, StoreUnavailable.
    """
    workspace.require(Action.VIEW_DATA)
    versions = workspace.store.versions
    chain = [one.version_id for one in versions.chain(versions.get(version_id).market_id)]
    return tuple(chain[: chain.index(version_id)]) if version_id in chain else ()


def earlier_versions(workspace: Workspace, version_id: str) -> tuple[str, ...]:
    """Return the undone versions that an undone one was built on, oldest first; none for one in use.

    Raises AccessDenied, NotFound, StoreUnavailable.
    """
    workspace.require(Action.VIEW_DATA)
    versions = workspace.store.versions
    version = versions.get(version_id)
    by_id = {one.version_id: one for one in versions.list(version.market_id)}
    chain = [one.version_id for one in versions.chain(version.market_id)]
    return () if version_id in chain else _undone_before(version, by_id, chain)[0]


def redo_version(workspace: Workspace, version_id: str, reason: str = "", earlier: Sequence[str] = ()) -> DataVersion:
    """Bring an undone version back: it is in use again, unchanged, on the version it was built on.

    Undone versions that it was built on come back with it in the same step: ``earlier`` names them, oldest first. It
    takes an undo back, and undoing it again takes this back. Raises AccessDenied, NotFound, StaleVersion if another
    version than the one they were built on is in use, InvalidRecord for a reason over 500 characters, ArtifactCorrupt
    if one of the files is missing or altered, StoreUnavailable; the data in use is then unchanged.
    """
    store = workspace.store
    workspace.require(Action.INGEST)
    tidy = " ".join(reason.split())
    if len(tidy) > _REASON_LIMIT:
        raise InvalidRecord(
            f"The reason to use a version again has {len(tidy)} characters; shorten it to {_REASON_LIMIT}."
        )
    # Nobody may find out at the next estimate that its files are gone.
    for one in (*earlier, version_id):
        store.versions.load(one, [ROW])
    version = store.versions.redo(version_id, workspace.actor, tidy, earlier)
    settle_quietly(workspace, version.market_id)
    return version


def _rows_shared(store: Store, before: DataVersion, after: DataVersion) -> int:
    """Return the number of rows seen when the two versions diverged; one may descend from the other."""
    by_id = {one.version_id: one for one in store.versions.list(before.market_id)}
    line = _line(before, by_id)
    for version_id in _line(after, by_id):
        if version_id in line:
            return by_id[version_id].rows_seen
    return 0


def _line(version: DataVersion, by_id: Mapping[str, DataVersion]) -> list[str]:
    line = [version.version_id]
    while (parent := by_id[line[-1]].parent_id) is not None:
        line.append(parent)
    return line


def _changes(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """List the facts that differ between two tables with the same intake rows, in any order."""
    old, new = (table.sort_values(ROW, kind="stable", ignore_index=True) for table in (first, second))
    homes = column_or_missing(new, "address")
    for name in ("property_id", "zipcode"):
        homes = homes.fillna(column_or_missing(new, name))
    of_sale = pd.DataFrame({ROW: new[ROW], "home": homes.fillna(""), "sale_date": _texts(new["sale_date"])})
    found = []
    for name in dict.fromkeys([*new.columns, *old.columns]):
        if name == ROW:
            continue
        before, after = _column(old, name, new), _column(new, name, old)
        differs = (before != after) & ~(before.isna() & after.isna())
        if differs.any():
            texts = {"before": _texts(before[differs]), "after": _texts(after[differs])}
            found.append(of_sale[differs].assign(field=str(name), **texts))
    if not found:
        return _empty_changes()
    changes = pd.concat(found, ignore_index=True).astype(_empty_changes().dtypes)
    return changes.sort_values([ROW, "field"], kind="stable", ignore_index=True)


def _column(table: pd.DataFrame, name: str, other: pd.DataFrame) -> pd.Series:
    if name not in table:
        return pd.Series(np.nan, index=table.index).astype(other[name].dtype)
    return table[name] if name not in other or table[name].dtype == other[name].dtype else table[name].astype("str")


def _texts(values: pd.Series) -> list[str]:
    if values.dtype.kind == "M":
        return ["" if pd.isna(value) else str(value.date()) for value in values]
    if values.dtype.kind == "f":
        return ["" if np.isnan(value) else f"{value:.12g}" for value in values]
    return ["" if pd.isna(value) else str(value) for value in values]


def _empty_changes() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype="int64" if name == ROW else "str") for name in CHANGE_COLUMNS})
