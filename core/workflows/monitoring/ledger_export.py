"""The prediction ledger as a file for those who check it, with decisions and sales beside each estimate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from core.access import Action
from core.errors import FileNotWritten
from core.states import AuditAction
from core.store.base.artifacts import write_parts_atomically
from core.store.ledger.figures import Slice
from core.workspace import Workspace

AT_ONCE: Final = 100_000
"""Estimates a page offers as one download: the server holds the file in memory. A file on disk has no such limit."""


def export_ledger(workspace: Workspace, market_id: str, where: Slice) -> Iterator[bytes]:
    """Yield the ledger as CSV in parts (see core.store.export), with an audit entry of who took it.

    Raises AccessDenied, NotFound and StoreUnavailable at the call; StoreUnavailable also while it is read.
    """
    store = workspace.store
    workspace.require(Action.VIEW_MODELS)
    market = store.markets.get(market_id)
    chosen = {name: value for name, value in vars(where).items() if value is not None}
    store.events.record(workspace.actor, AuditAction.LEDGER_EXPORTED, market.market_id, market.market_id, chosen)
    return store.export.ledger(market_id, where)


def ledger_to_file(workspace: Workspace, market_id: str, where: Slice, path: Path) -> int:
    """Write the ledger to a file of any length and return its bytes; only its owner can read it.

    A file half written never has the name asked for. Raises FileNotWritten if the file cannot be written, else as
    export_ledger().
    """
    parts = export_ledger(workspace, market_id, where)
    try:
        write_parts_atomically(path, parts)
        return path.stat().st_size
    except OSError as error:
        raise FileNotWritten(
            f"The file {str(path)!r} cannot be written ({error.strerror}). Name a folder that is there, with space and "
            "the right to write."
        ) from error
