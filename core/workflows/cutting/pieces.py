"""The folder of pieces: written under another name, checked, and given its own name when it is whole."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from core.errors import FileNotWritten, FileUnreadable, NotFound
from core.store.base.markets import slug_of

NO_VALUE_FILE: Final = "_no-value.csv"
UNREAD_FILE: Final = "_unread.csv"
MANIFEST: Final = "_pieces.json"
DRAFT_ENDING: Final = ".part"
MAX_PIECES: Final = 5_000
"""The most files one cut may make: a state has hundreds of counties, and a century 1,200 months."""

MAX_OPEN: Final = 128
"""The most files open at once, however many pieces there are."""

_LOCK: Final = ".lock"
_SPELLINGS: Final = 5
_NAME_CHARS: Final = 60


@dataclass
class Piece:
    """One file of a cut: its name, the value its rows share as first written, and what is in it.

    ``spellings`` are further ways in which the file writes the value, the first few of them.
    """

    file: str
    value: str
    rows: int = 0
    size: int = 0
    spellings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Manifest:
    """What a folder of pieces was cut from and how; ``date_format`` is that of the sale date where cut by month."""

    source: str
    by: str
    date_column: str
    date_format: str
    pieces: tuple[Piece, ...]


class PieceWriter:
    """Appends rows to the pieces in a folder, with a bounded number of files open."""

    def __init__(self, folder: Path, header: bytes, by: str) -> None:
        self._folder, self._header, self._by = folder, header, by
        self._open: OrderedDict[str, BinaryIO] = OrderedDict()
        self._by_value: dict[str, Piece] = {}
        self.pieces: dict[str, Piece] = {}

    def piece_of(self, value: str) -> Piece:
        """Return the piece of a value; values that make the same market share one. Raises FileNotWritten for many."""
        piece = self._by_value.get(value)
        if piece is None:
            piece = self._piece_in(f"{file_name(value)}.csv" if value else NO_VALUE_FILE, value)
            if value not in (piece.value, *piece.spellings) and len(piece.spellings) < _SPELLINGS:
                piece.spellings.append(value)
            self._by_value[value] = piece
        return piece

    def unread(self) -> Piece:
        """Return the piece of lines that are no rows."""
        return self._piece_in(UNREAD_FILE, "")

    def append(self, piece: Piece, rows: int, content: bytes | memoryview) -> None:
        """Write rows at the end of a piece; raises OSError."""
        if not piece.size:
            content = self._header + bytes(content)
        self._file(piece.file).write(content)
        piece.rows += rows
        piece.size += len(content)

    def finish(self) -> None:
        """Bring all pieces to disk, and check that each is as long as what was written; raises OSError."""
        self.close()
        for piece in self.pieces.values():
            with (self._folder / piece.file).open("rb+") as file:
                os.fsync(file.fileno())
                size = file.seek(0, os.SEEK_END)
            if size != piece.size:
                raise FileNotWritten(
                    f"The piece {piece.file!r} has {size:,} bytes on disk where {piece.size:,} were written. Check the "
                    "disk, and cut again."
                )

    def close(self) -> None:
        """Close all files."""
        while self._open:
            self._open.popitem()[1].close()

    def _piece_in(self, name: str, value: str) -> Piece:
        if name not in self.pieces:
            if len(self.pieces) >= MAX_PIECES:
                raise FileNotWritten(
                    f"{self._by} has more than {MAX_PIECES:,} different values, and each would be a file. Cut by a "
                    "column with fewer, such as the county or the city, or by month."
                )
            self.pieces[name] = Piece(name, value)
        return self.pieces[name]

    def _file(self, name: str) -> BinaryIO:
        if name in self._open:
            self._open.move_to_end(name)
            return self._open[name]
        if len(self._open) >= MAX_OPEN:
            self._open.popitem(last=False)[1].close()
        handle = os.open(self._folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._open[name] = os.fdopen(handle, "wb", buffering=0)
        return self._open[name]


def file_name(value: str) -> str:
    """Return what the file of a value is called: the id of the market of that name, with a hash if that is too long."""
    if len(value) <= _NAME_CHARS:
        return slug_of(value)
    return f"{slug_of(value)[:_NAME_CHARS]}-{hashlib.sha256(value.encode()).hexdigest()[:8]}"


@contextmanager
def drafted(target: Path, needed: int) -> Iterator[Path]:
    """Make a folder under a draft's name, and give it its own when all is well; a draft that fails is removed.

    What a killed cut left behind is cleared first. ``needed`` is how many bytes the pieces take at least. Raises
    FileNotWritten where the folder has something in it, its parent is not there, another cut is at work, or the disk is
    too full.
    """
    target = target.resolve()
    draft = target.with_name(target.name + DRAFT_ENDING)
    try:
        _refuse_what_is_there(target, draft)
        draft.mkdir(mode=0o700, exist_ok=True)
        with _locked(draft):
            free = shutil.disk_usage(draft).free
            if free < needed:
                raise FileNotWritten(
                    f"The pieces need about {needed / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free in "
                    f"{str(target.parent)!r}. Free some, or name a folder on another disk."
                )
            try:
                yield draft
                (draft / _LOCK).unlink()
                draft.rename(target)
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
    except OSError as error:
        raise FileNotWritten(
            f"The pieces cannot be written to {str(target)!r}: {error.strerror or error}. Nothing was kept."
        ) from error


def _refuse_what_is_there(target: Path, draft: Path) -> None:
    """Refuse a target that is no new or empty folder, and a folder with a draft's name that no cut has made.

    Its parent must be there: made silently on the path of a disk that is not mounted, it would fill the system's own.
    """
    if not target.parent.is_dir():
        raise FileNotWritten(
            f"There is no folder {str(target.parent)!r} to make {target.name!r} in. Make it first, or check the path."
        )
    if target.is_dir():
        if any(target.iterdir()):
            raise FileNotWritten(f"{str(target)!r} exists and is not empty. Name another folder, or remove it.")
    elif target.exists():
        raise FileNotWritten(f"{str(target)!r} is a file. Name a folder that is new or empty.")
    if target == Path.cwd():
        raise FileNotWritten(f"{str(target)!r} is the folder you are in. Name a new folder inside it.")
    has_files = draft.is_dir() and any(draft.iterdir())
    if (draft.exists() and not draft.is_dir()) or (
        has_files and not (draft / _LOCK).exists() and not (draft / MANIFEST).exists()
    ):
        raise FileNotWritten(
            f"{str(draft)!r} stands where the cut would write first, and no cut has made it. Rename it, or name "
            "another folder."
        )


@contextmanager
def _locked(draft: Path) -> Iterator[None]:
    handle = os.open(draft / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FileNotWritten(
                f"Another cut is writing into {str(draft)!r}. Wait until it has ended, or name another folder."
            ) from error
        for left in draft.iterdir():
            if left.name != _LOCK:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        yield
    finally:
        with suppress(OSError):
            os.close(handle)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write what the folder holds; raises OSError."""
    (folder / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1, ensure_ascii=False), encoding="utf-8")


def read_manifest(folder: Path) -> Manifest | None:
    """Return what a folder says it holds, None where a person made it; raises NotFound or FileUnreadable."""
    if not folder.is_dir():
        raise NotFound(f"There is no folder {str(folder)!r}. Check the path.")
    if (folder / _LOCK).exists():
        raise FileUnreadable(f"{str(folder)!r} is a cut that has not ended. Wait for it, or cut the file again.")
    path = folder / MANIFEST
    if not path.exists():
        return None
    try:
        document: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Manifest(**{**document, "pieces": tuple(Piece(**one) for one in document["pieces"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileUnreadable(f"{str(path)!r} cannot be read. Remove it to take the files as they are.") from error
