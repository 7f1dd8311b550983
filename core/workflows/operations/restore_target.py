"""The folder that a restore fills: empty before, and as it was again where nothing was restored."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from core.errors import InvalidRecord
from core.store.base.artifacts import unavailable_on_os_error
from core.store.store import DATABASE_FILE, FOLDERS
from core.workflows.operations.backup import waiting
from core.workflows.operations.restore import SHARED, STAGING, UNFINISHED

_DATABASE: Final = (DATABASE_FILE, *(f"{DATABASE_FILE}-{side}" for side in ("wal", "shm", "journal")))
# The last one is at the root of every new disk.
_OF_A_STORE: Final = frozenset((*FOLDERS, *_DATABASE, UNFINISHED, "lost+found"))


@contextmanager
def restore_target(home: Path) -> Iterator[None]:
    """Open and fill a store in ``home`` inside; if that fails, remove what it made of a folder new or empty before.

    Raises InvalidRecord for a folder with anything that is not of a store, StoreUnavailable if it cannot be read.
    """
    with unavailable_on_os_error(home):
        held = sorted(path.name for path in home.iterdir()) if home.exists() else []
    foreign = [name for name in held if name not in _OF_A_STORE and not name.startswith(STAGING)]
    if foreign:
        raise InvalidRecord(
            f"The folder {home} is not empty ({foreign[0]!r} is in it and is not of a store). Restore into an empty "
            "folder: name one with --home or DOORSTEP_HOME. Nothing was changed."
        )
    made = [folder for folder in (home, *home.parents) if not folder.exists()]
    try:
        yield
    except BaseException:
        # The marker is gone from the database's commit on only if all went well, or all was taken back.
        if not held and not (home / UNFINISHED).exists() and not _holds_files(home):
            _empty(home, made)
        raise


def _holds_files(home: Path) -> bool:
    return bool(waiting(home)) or any(path.is_file() for name in SHARED for path in (home / name).rglob("*"))


def _empty(home: Path, made: list[Path]) -> None:
    with suppress(OSError):
        for name in _DATABASE:
            (home / name).unlink(missing_ok=True)
        for name in FOLDERS:
            shutil.rmtree(home / name, ignore_errors=True)
        for folder in made:
            folder.rmdir()
