"""Artifact files: written whole or not at all, named by their SHA-256, and verified whenever they are read."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.errors import ArtifactCorrupt, StoreUnavailable

_TEMPORARY: Final = ".tmp-"
_ABANDONED_SECONDS: Final = 24 * 3600.0
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ArtifactFolder:
    """A folder of immutable files of one kind; messages call the kind ``what`` and suggest ``remedy``."""

    folder: Path
    suffix: str
    what: str
    remedy: str

    def path(self, sha256: str) -> Path:
        """Return the path of the file with that hash."""
        return self.folder / f"{sha256}{self.suffix}"

    def put(self, payload: bytes) -> str:
        """Store the content durably under its hash and return the hash; content that is already stored is skipped.

        Raises StoreUnavailable, leaving no partial file, if it cannot be written.
        """
        sha256 = hashlib.sha256(payload).hexdigest()
        target = self.path(sha256)
        with unavailable_on_os_error(target):
            if not _holds(target, sha256):
                remove_abandoned(self.folder)
                write_atomically(target, payload)
        return sha256

    def read(self, sha256: str) -> bytes:
        """Return the content with that hash.

        Raises ArtifactCorrupt if the file is missing or its content has another hash; StoreUnavailable if it cannot
        be read.
        """
        if not _SHA256.fullmatch(sha256):
            raise ArtifactCorrupt(f"{self.what} is recorded under {sha256!r}, which is not a SHA-256. {self.remedy}")
        path = self.path(sha256)
        try:
            with unavailable_on_os_error(path):
                payload = path.read_bytes()
        except StoreUnavailable as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise ArtifactCorrupt(f"{self.what} file {path} is missing. {self.remedy}") from error
            raise
        found = hashlib.sha256(payload).hexdigest()
        if found != sha256:
            raise ArtifactCorrupt(
                f"{self.what} file {path} was altered after it was stored (SHA-256 {found[:12]}..., expected "
                f"{sha256[:12]}...) and was not loaded. {self.remedy}"
            )
        return payload


def make_private_folder(folder: Path) -> None:
    """Create the folder, readable by its owner only, unless it exists; raises StoreUnavailable if that fails."""
    with unavailable_on_os_error(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_atomically(target: Path, payload: bytes) -> None:
    """Write a file so that it is always either absent or complete, even after a power cut; raises OSError."""
    write_parts_atomically(target, (payload,))


def write_parts_atomically(target: Path, parts: Iterable[bytes]) -> None:
    """Write a file part by part, as ``write_atomically`` does; raises OSError and whatever producing a part raises."""
    handle, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.writelines(parts)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make the folder's entries durable on systems that support it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_abandoned(folder: Path) -> None:
    """Remove temporary files that killed processes left behind more than a day ago."""
    oldest = time.time() - _ABANDONED_SECONDS
    for path in folder.glob(f"{_TEMPORARY}*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()


@contextmanager
def unavailable_on_os_error(path: Path) -> Iterator[None]:
    """Turn a file system error into StoreUnavailable with the path, the error and the remedy."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(
            f"{path} cannot be read or written ({error.strerror or error}): free some disk space, or give the account "
            "Doorstep runs under the right to use that folder, and try again. Nothing was changed."
        ) from error


def _holds(path: Path, sha256: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except FileNotFoundError:
        return False
