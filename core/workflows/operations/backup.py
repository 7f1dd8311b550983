"""Writes a backup of a store while it is in use: one file with every row, artifact, upload and waiting estimate.

The signing key is not in it: who has a backup alone can neither sign a model nor load a swapped one.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from core.access import Action
from core.errors import ArtifactCorrupt, FileNotWritten
from core.installation import version
from core.store import Store
from core.workspace import Workspace

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
MANIFEST_HASH: Final = "manifest.sha256"
DATABASE: Final = "database"
WAITING: Final = ("uploads", "unwritten")
"""The folders of what is nowhere else: uploads to commit, and estimates that the ledger could not take."""


@dataclass(frozen=True)
class BackedUp:
    """A backup that was written: its file and size, rows and files in it, and files left out, each with the reason."""

    path: Path
    size_bytes: int
    rows: int
    files: int
    left_out: tuple[str, ...]


def back_up(workspace: Workspace, path: Path) -> BackedUp:
    """Write a backup to ``path``, whole or not at all, while others price, train and decide.

    The database is read in one transaction; the artifacts it names are immutable and are read after it, each verified.
    Waiting estimates are read before it: one that moves to the ledger meanwhile is in both and counts once. Artifacts
    that are lost or altered are left out and named. Raises AccessDenied, FileNotWritten, StoreUnavailable.
    """
    workspace.require(Action.OPERATE)
    if path.exists():
        raise FileNotWritten(f"{path} exists already. Name another file: a backup never replaces one.")
    try:
        with tempfile.TemporaryDirectory(prefix=".tmp-backup-", dir=path.parent) as folder:
            unfinished = Path(folder) / "backup.tar"
            done = _write(workspace.store, Path(folder), unfinished)
            unfinished.chmod(0o600)
            os.replace(unfinished, path)
    except OSError as error:
        raise FileNotWritten(
            f"The backup {path} cannot be written ({error.strerror or error}). Free some disk space or name a file "
            "elsewhere. Nothing is left of it."
        ) from error
    return BackedUp(path, path.stat().st_size, sum(done.rows.values()), len(done.files), tuple(done.left_out))


class _Archive:
    """A backup that is being written, and its table of contents."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.files: dict[str, dict[str, object]] = {}
        self.rows: dict[str, int] = {}
        self.left_out: list[str] = []

    def add(self, name: str, payload: bytes) -> None:
        """Add a file, with its hash in the table of contents."""
        self.files[name] = {"sha256": hashlib.sha256(payload).hexdigest(), "size": len(payload)}
        self._put(name, payload)

    def close(self, store: Store) -> None:
        """Add the table of contents, and its own hash."""
        manifest = {
            "format": FORMAT,
            "doorstep": version(),
            "schema": store.dump.revision,
            "created_at": datetime.now(UTC).isoformat(),
            "rows": self.rows,
            "files": self.files,
            "left_out": self.left_out,
        }
        payload = json.dumps(manifest, indent=1).encode()
        self._put(MANIFEST, payload)
        self._put(MANIFEST_HASH, hashlib.sha256(payload).hexdigest().encode())

    def _put(self, name: str, payload: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(payload), 0o600
        self._tar.addfile(member, io.BytesIO(payload))


def _write(store: Store, folder: Path, path: Path) -> _Archive:
    with path.open("xb") as stream:
        with tarfile.open(fileobj=stream, mode="w") as tar:
            archive = _Archive(tar)
            for name, payload in _waiting(store.home):
                archive.add(name, payload)
            archive.rows = store.dump.write(folder)
            for table in sorted(folder.glob("*.jsonl.gz")):
                archive.add(f"{DATABASE}/{table.name}", table.read_bytes())
            # The database as it is now may name more artifacts than the rows written: harmless, and never fewer.
            for artifact in store.artifacts:
                try:
                    archive.add(artifact.name, artifact.read())
                except ArtifactCorrupt as error:
                    archive.left_out.append(f"{artifact.name}: {error}")
            archive.close(store)
        stream.flush()
        os.fsync(stream.fileno())
    return archive


def waiting(home: Path) -> list[Path]:
    """Return the files of uploads and waiting estimates. The spool's own count, which every server has, is none."""
    uploads, unwritten = (home / folder for folder in WAITING)
    found = [*uploads.rglob("*"), *unwritten.glob("*.*")]
    return sorted(path for path in found if path.is_file() and not path.name.startswith("."))


def _waiting(home: Path) -> Iterator[tuple[str, bytes]]:
    for path in waiting(home):
        try:
            yield path.relative_to(home).as_posix(), path.read_bytes()
        except FileNotFoundError:
            # Committed, or written to the ledger, meanwhile.
            continue
