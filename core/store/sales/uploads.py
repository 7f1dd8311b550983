"""Uploads: files waiting in a private folder to be mapped and committed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Container
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Final

from core.errors import FileTooLarge, NotFound
from core.store.base.artifacts import make_private_folder, unavailable_on_os_error, write_atomically
from core.store.base.values import plain_text

_CHUNK: Final = 1 << 20
_ID: Final = re.compile(r"[0-9a-f]{32}")
_NAME_LIMIT: Final = 120
_ABOUT: Final = "about.json"


@dataclass(frozen=True)
class Upload:
    """A staged file; ``name`` is its original name without folders, ``path`` where its content is now."""

    upload_id: str
    name: str
    path: Path
    sha256: str
    size_bytes: int


class Uploads:
    """Stage, find and discard uploads; each has its own folder, named by a random id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, name: str, content: BinaryIO | bytes, max_bytes: int) -> Upload:
        """Write the content in chunks and return the staged upload.

        Raises FileTooLarge, keeping nothing, if there are more than ``max_bytes``; StoreUnavailable.
        """
        upload_id = secrets.token_hex(16)
        place = self._folder / upload_id
        # We choose the name on disk, so that the original name can neither escape the folder nor clash in it.
        path = place / f"content{_suffix(name)}"
        make_private_folder(place)
        try:
            with unavailable_on_os_error(path):
                stream = io.BytesIO(content) if isinstance(content, bytes) else content
                sha256, size = _copy(stream, path, max_bytes, display_name(name))
                upload = Upload(upload_id, display_name(name), path, sha256, size)
                about = {**asdict(upload), "path": path.name}
                # Written last: its presence means that the upload is complete.
                write_atomically(place / _ABOUT, json.dumps(about).encode("utf-8"))
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        return upload

    def get(self, upload_id: str) -> Upload:
        """Return a staged upload; raises NotFound if it is unknown, unfinished or discarded, StoreUnavailable."""
        place = self._place(upload_id)
        if not (place / _ABOUT).is_file():
            raise _not_found(upload_id)
        with unavailable_on_os_error(place):
            upload = Upload(**json.loads((place / _ABOUT).read_text(encoding="utf-8")))
        return replace(upload, path=place / Path(upload.path).name)

    def discard(self, upload_id: str) -> None:
        """Remove a staged upload if it is still there; raises NotFound for a malformed id."""
        shutil.rmtree(self._place(upload_id), ignore_errors=True)

    def sweep(self, older_than: timedelta, needed: Container[str] = frozenset()) -> int:
        """Discard uploads untouched for ``older_than``, except those still ``needed``; return their number."""
        oldest = time.time() - older_than.total_seconds()
        stale = [
            place
            for place in self._folder.iterdir()
            if _ID.fullmatch(place.name) and place.name not in needed and _age(place) < oldest
        ]
        for place in stale:
            shutil.rmtree(place, ignore_errors=True)
        return len(stale)

    def _place(self, upload_id: str) -> Path:
        if not _ID.fullmatch(upload_id):
            raise _not_found(upload_id)
        return self._folder / upload_id


def display_name(name: str) -> str:
    """Return a file name safe to show: no folders, no control characters, at most 120 characters."""
    last = re.split(r"[/\\]", plain_text(name))[-1]
    printable = "".join(character for character in last if character.isprintable()).strip()
    return printable[-_NAME_LIMIT:] or "unnamed"


def _suffix(name: str) -> str:
    """Return a name's extensions ('.csv', '.tsv.gz') if they are plain, since readers rely on them."""
    found = re.search(r"((?:\.[A-Za-z0-9]{1,8}){1,2})$", display_name(name))
    return found.group(1).lower() if found else ""


def _copy(stream: BinaryIO, path: Path, max_bytes: int, name: str) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as target:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > max_bytes:
                raise FileTooLarge(
                    f"{name} is larger than the limit of {max_bytes / 1e6:,.0f} MB; split it by year, or have the "
                    "limit raised in the problem statement. Nothing was kept."
                )
            digest.update(chunk)
            target.write(chunk)
    return digest.hexdigest(), size


def _age(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _not_found(upload_id: str) -> NotFound:
    return NotFound(f"There is no upload {upload_id[:40]!r}, or it has expired; upload the file again.")
