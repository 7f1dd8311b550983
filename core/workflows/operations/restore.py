"""Restores a backup into an empty store: everything in it is verified first, and all of it is there or nothing."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tarfile
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.access import Action
from core.errors import ArtifactCorrupt, FileUnreadable, InvalidRecord
from core.store import Store
from core.store.base.artifacts import unavailable_on_os_error, write_atomically
from core.workflows.operations.backup import DATABASE, FORMAT, MANIFEST, MANIFEST_HASH, WAITING, waiting
from core.workspace import Workspace

SHARED: Final = ("versions", "ledgers", "models", "signatures", "scores")
_NAME: Final = re.compile(rf"({'|'.join((DATABASE, *SHARED, *WAITING))})(/[A-Za-z0-9][A-Za-z0-9._-]*)+")
UNFINISHED: Final = ".restoring"
STAGING: Final = ".tmp-restore-"


@dataclass(frozen=True)
class Restored:
    """A backup that was restored: when it was made (ISO, UTC), its rows and files, and what it left out."""

    created_at: str
    rows: int
    files: int
    left_out: tuple[str, ...]


def restore(workspace: Workspace, path: Path) -> Restored:
    """Restore a backup into the empty store, on either kind of database.

    Killed at any moment, the database is either empty or complete, and a later restore removes what the first left.
    Raises AccessDenied, InvalidRecord for a store that is not empty or a backup of another release, FileUnreadable,
    ArtifactCorrupt for a backup that was altered, StoreUnavailable; nothing was restored then.
    """
    workspace.require(Action.OPERATE)
    store = workspace.store
    _refuse_full(store)
    with unavailable_on_os_error(store.home), tempfile.TemporaryDirectory(prefix=STAGING, dir=store.home) as made:
        folder = Path(made)
        manifest = _unpack(path, folder)
        if manifest["schema"] != store.dump.revision:
            raise InvalidRecord(
                f"The backup {path} is of schema {manifest['schema']} (Doorstep {manifest['doorstep']}); this release "
                f"has {store.dump.revision}. Restore it with that release, then update. Nothing was restored."
            )
        _put_in_place(store, folder, [name for name in manifest["files"] if not name.startswith(f"{DATABASE}/")])
    rows = sum(manifest["rows"].values())
    return Restored(manifest["created_at"], rows, len(manifest["files"]), tuple(manifest["left_out"]))


def _refuse_full(store: Store) -> None:
    """Raise InvalidRecord unless the store is empty; remove the files of a restore that was cut short."""
    marker = store.home / UNFINISHED
    empty = store.dump.is_empty()
    with unavailable_on_os_error(marker):
        if empty and marker.is_file():
            for name in json.loads(marker.read_text(encoding="utf-8")):
                (store.home / name).unlink(missing_ok=True)
        marker.unlink(missing_ok=True)
        for left in store.home.glob(f"{STAGING}*"):
            shutil.rmtree(left)
        held = [one for kind in SHARED for one in (store.home / kind).rglob("*") if one.is_file()]
        held += waiting(store.home)
    if not empty or held:
        what = f"{held[0]} exists" if empty else "its database has rows"
        raise InvalidRecord(
            f"The store in {store.home} is not empty ({what}). Restore into an empty folder and database: name them "
            "with DOORSTEP_HOME and DATABASE_URL. Nothing was changed."
        )


def _unpack(path: Path, folder: Path) -> dict[str, Any]:
    """Write the files of a backup to a folder, each verified, and return its table of contents."""
    try:
        with tarfile.open(path, mode="r:") as tar:
            manifest = _manifest(tar, path)
            for name, expected in manifest["files"].items():
                payload = _member(tar, name, path)
                if hashlib.sha256(payload).hexdigest() != expected["sha256"]:
                    raise _altered(path, name)
                target = folder / name
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                target.write_bytes(payload)
            return manifest
    except tarfile.TarError as error:
        raise ArtifactCorrupt(
            f"The backup {path} is cut short or no backup at all. Use another one. Nothing was restored."
        ) from error
    except FileNotFoundError as error:
        raise FileUnreadable(f"There is no file {path}. Check the name.") from error


def _manifest(tar: tarfile.TarFile, path: Path) -> dict[str, Any]:
    payload = _member(tar, MANIFEST, path)
    if hashlib.sha256(payload).hexdigest().encode() != _member(tar, MANIFEST_HASH, path):
        raise _altered(path, MANIFEST)
    manifest: dict[str, Any] = json.loads(payload)
    if manifest["format"] != FORMAT:
        raise InvalidRecord(
            f"The backup {path} has format {manifest['format']}; this release reads {FORMAT}. Update it."
        )
    wrong = [name for name in manifest["files"] if not _NAME.fullmatch(name)]
    if wrong:
        raise ArtifactCorrupt(f"The backup {path} names {wrong[0]!r}, which is no file of a store. Use another one.")
    return manifest


def _member(tar: tarfile.TarFile, name: str, path: Path) -> bytes:
    try:
        stream = tar.extractfile(name)
    except KeyError:
        stream = None
    if stream is None:
        raise _altered(path, name)
    return stream.read()


def _altered(path: Path, name: str) -> ArtifactCorrupt:
    return ArtifactCorrupt(
        f"In the backup {path}, the file {name} was altered or lost after it was written. Use another backup. Nothing "
        "was restored."
    )


def _put_in_place(store: Store, folder: Path, names: list[str]) -> None:
    """Move the files into the home and fill the database; its commit is the moment from which the store is restored."""
    marker = store.home / UNFINISHED
    try:
        with store.dump.reading(folder / DATABASE):
            write_atomically(marker, json.dumps(names).encode())
            for name in names:
                if store.shared is not None and name.startswith(SHARED):
                    store.shared.put(name, (folder / name).read_bytes())
                target = store.home / name
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.replace(folder / name, target)
    except BaseException:
        for name in names:
            (store.home / name).unlink(missing_ok=True)
        with suppress(OSError):
            marker.unlink()
        raise
    marker.unlink()
