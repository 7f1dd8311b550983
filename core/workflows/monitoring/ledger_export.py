"""The prediction ledger as a file for auditors, with the decision and sale of each estimate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from core.access import Action
from core.errors import FileNotWritten
from core.states import AuditAction
from core.store.base.artifacts import write_parts_atomically
from core.store.ledger.figures import Slice
from core.workspace import Workspace

AT_ONCE: Final = 100_000
"""The most estimates in one download from a page, which is held in memory; a file on disk has no such limit."""


def export_ledger(workspace: Workspace, market_id: str, where: Slice) -> Iterator[bytes]:
    """Yield the ledger as CSV in parts (see core.store.ledger.export), and record who exported it.

    Whoever belongs to an office gets that office's part only. Raises AccessDenied, NotFound and StoreUnavailable when
    called; StoreUnavailable also while it is read.
    """
    store = workspace.store
    office = workspace.actor.office
    workspace.require(Action.VIEW_OFFICE if office else Action.VIEW_MODELS)
    where = replace(where, office=office) if office else where
    market = store.markets.get(market_id)
    chosen = {name: value for name, value in vars(where).items() if value is not None}
    store.events.record(workspace.actor, AuditAction.LEDGER_EXPORTED, market.market_id, market.market_id, chosen)
    latest = store.versions.latest(market_id)
    return store.export.ledger(market_id, where, store.versions.id_digits(latest.version_id if latest else None))


def ledger_to_file(workspace: Workspace, market_id: str, where: Slice, path: Path) -> int:
    """Write the ledger to a file, which only its owner can read, and return its size in bytes.

    An incomplete file never has the requested name. Raises FileNotWritten if the file cannot be written or there is
    something of that name already, else as export_ledger() does.
    """
    if path.exists():
        raise FileNotWritten(f"{str(path)!r} exists already and is not replaced. Choose another name.")
    parts = export_ledger(workspace, market_id, where)
    try:
        write_parts_atomically(path, parts)
        return path.stat().st_size
    except OSError as error:
        raise FileNotWritten(
            f"The file {str(path)!r} cannot be written ({error.strerror}). Choose an existing folder with free space "
            "and write permission."
        ) from error
