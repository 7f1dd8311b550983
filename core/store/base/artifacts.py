"""Artifact files: written whole or not at all, named by their SHA-256, and verified whenever they are read.

Where servers share artifacts by URL, the folder of each is a cache: a missing or altered file is fetched again.
"""

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
from typing import Final, Protocol

from core.errors import ArtifactCorrupt, ArtifactStoreAway, StoreUnavailable

_TEMPORARY: Final = ".tmp-"
_ABANDONED_SECONDS: Final = 24 * 3600.0
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class SharedFiles(Protocol):
    """Files by name (``kind/hash.suffix``) that outlive any one server; ``label`` names the place, without secrets.

    Every method raises ArtifactStoreAway if the place cannot be reached.
    """

    label: str

    def put(self, name: str, payload: bytes) -> None:
        """Store a file durably; on return, other servers can read it."""

    def get(self, name: str) -> bytes | None:
        """Return a file's content, unverified; None if the place can be reached and does not have it."""

    def size(self, name: str) -> int | None:
        """Return a file's size in bytes without reading it; None if it is not there."""

    def check(self) -> None:
        """Raise ArtifactStoreAway unless the place can be reached."""


@dataclass(frozen=True)
class ArtifactFolder:
    """A folder of immutable files of one kind; messages call the kind ``what`` and suggest ``remedy``.

    ``shared`` has the files of all servers; None where this folder alone has them.
    """

    folder: Path
    suffix: str
    what: str
    remedy: str
    shared: SharedFiles | None = None

    def path(self, sha256: str) -> Path:
        """Return the path of the file with that hash."""
        return self.folder / f"{sha256}{self.suffix}"

    def put(self, payload: bytes) -> str:
        """Store the content durably under its hash and return the hash; content that is already stored is skipped.

        Raises StoreUnavailable, leaving no partial file, if it cannot be written here or where servers share it.
        """
        sha256 = hashlib.sha256(payload).hexdigest()
        target = self.path(sha256)
        with unavailable_on_os_error(target):
            if not holds_content(target, payload):
                remove_abandoned(self.folder)
                write_atomically(target, payload)
        if self.shared is not None:
            try:
                self.shared.put(self._shared_name(sha256), payload)
            except ArtifactStoreAway as error:
                raise ArtifactStoreAway(
                    f"{self.what} was not stored, since {error}: try again when it is back. Nothing was changed."
                ) from error
        return sha256

    def read(self, sha256: str) -> bytes:
        """Return the content with that hash, from here or from where servers share it; a fetched file stays here.

        Raises ArtifactCorrupt if no copy with that hash is left; StoreUnavailable if it cannot be read, of which
        ArtifactStoreAway if this server has no copy and the shared place cannot be reached.
        """
        if not _SHA256.fullmatch(sha256):
            raise ArtifactCorrupt(f"{self.what} is recorded under {sha256!r}, which is not a SHA-256. {self.remedy}")
        path = self.path(sha256)
        payload = _content(path)
        if payload is not None and _hash(payload) == sha256:
            return payload
        if self.shared is not None:
            return self._fetch(sha256, self.shared, altered=payload is not None)
        if payload is None:
            raise ArtifactCorrupt(f"{self.what} file {path} is missing. {self.remedy}")
        raise ArtifactCorrupt(
            f"{self.what} file {path} was altered after it was stored (SHA-256 {_hash(payload)[:12]}..., expected "
            f"{sha256[:12]}...) and was not loaded. {self.remedy}"
        )

    def holds(self, sha256: str) -> bool:
        """Tell whether a file exists here or where servers share it; only reading it shows whether it is intact.

        One that may be in a place that cannot be reached counts as existing. Raises StoreUnavailable.
        """
        if self.path(sha256).is_file() or self.shared is None:
            return self.path(sha256).is_file()
        try:
            return self.shared.get(self._shared_name(sha256)) is not None
        except ArtifactStoreAway:
            return True

    def keeps(self, sha256: str, size: int) -> bool:
        """Tell whether a file of that size is here and where servers share it, so that it need not be stored again.

        Only reading it shows whether it is intact. Raises StoreUnavailable.
        """
        path = self.path(sha256)
        with unavailable_on_os_error(path):
            if not path.is_file() or path.stat().st_size != size:
                return False
        return self.shared is None or self.shared.size(self._shared_name(sha256)) == size

    def _fetch(self, sha256: str, shared: SharedFiles, *, altered: bool) -> bytes:
        path = self.path(sha256)
        here = f"{self.what} file {path} {'was altered after it was stored' if altered else 'is missing'}"
        try:
            payload = shared.get(self._shared_name(sha256))
        except ArtifactStoreAway as error:
            if altered:
                raise ArtifactCorrupt(f"{here} and was not loaded, and {error}: try again when it is back.") from error
            raise ArtifactStoreAway(
                f"{self.what} is not on this server yet, and {error}: try again when it is back."
            ) from error
        if payload is None:
            raise ArtifactCorrupt(f"{here}, and the artifact store {shared.label} does not have it. {self.remedy}")
        if _hash(payload) != sha256:
            raise ArtifactCorrupt(
                f"{here}, and its copy in the artifact store {shared.label} was altered too (SHA-256 "
                f"{_hash(payload)[:12]}..., expected {sha256[:12]}...); neither was loaded. {self.remedy}"
            )
        # A full disk costs the next process another fetch, not this one its answer.
        with suppress(OSError):
            write_atomically(path, payload)
        return payload

    def _shared_name(self, sha256: str) -> str:
        return f"{self.folder.name}/{sha256}{self.suffix}"


def make_private_folder(folder: Path) -> None:
    """Create the folder, readable by its owner only, unless it exists; raises StoreUnavailable if that fails."""
    with unavailable_on_os_error(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_atomically(target: Path, payload: bytes) -> None:
    """Write a file so that it is always either absent or complete, even after a power cut; raises OSError."""
    write_parts_atomically(target, (payload,))


def write_parts_atomically(target: Path, parts: Iterable[bytes | memoryview]) -> None:
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


def holds_content(path: Path, payload: bytes) -> bool:
    """Tell whether a file exists with exactly this content; raises OSError."""
    try:
        return path.stat().st_size == len(payload) and path.read_bytes() == payload
    except FileNotFoundError:
        return False


def _content(path: Path) -> bytes | None:
    """Return a file's content, None if it is missing; raises StoreUnavailable."""
    with unavailable_on_os_error(path):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None


def _hash(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()
