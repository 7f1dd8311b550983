"""Files are opened and unpacked within limits, so that no archive fills the memory."""

from __future__ import annotations

import io
import os
import re
import shlex
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.errors import FileTooLarge, FileUnreadable

DEFAULT_MAX_BYTES: Final = 200 * 1024 * 1024

# A table takes about this many times its size in memory while it is read.
_MEMORY_PER_BYTE: Final = 8
_CONTAINER_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")
_ENCRYPTED: Final = 0x1

UNPACKED_RATIO: Final = 100
"""How many times its packed size a file may unpack to: tables of sales pack 5 to 30 times."""

UNPACKED_ALWAYS: Final = 32 * 1024 * 1024
"""So small a file may be as repetitive as it likes."""

_PIECE_BYTES: Final = 16 * 1024 * 1024

LINE_BYTES: Final = 4 * 1024 * 1024
"""The longest line a table may have: the text of a thousand columns of four thousand letters."""


def memory_limit() -> int:
    """Return the size in bytes of the largest file that this machine's memory can hold while it is read.

    In a container its own limit counts.
    """
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return DEFAULT_MAX_BYTES
    with suppress(OSError):
        given = _CONTAINER_LIMIT.read_text().strip()
        memory = min(memory, int(given)) if given.isdigit() else memory
    return max(DEFAULT_MAX_BYTES, memory // _MEMORY_PER_BYTE)


def read_bytes(path: Path, shown: str, max_bytes: int) -> bytes:
    """Return a file's bytes; raises FileTooLarge, or FileUnreadable if it cannot be opened."""
    try:
        refuse_large(shown, "is", path.stat().st_size, max_bytes)
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadable(f"{shown} cannot be opened: {error.strerror}. Check that it exists.") from error


def refuse_large(shown: str, what: str, size: int, max_bytes: int) -> None:
    """Raise FileTooLarge where ``size`` is over the limit; ``what`` is the verb before the size."""
    if size > max_bytes:
        raise FileTooLarge(_too_large(shown, f"{what} {_megabytes(size)}", max_bytes))


def refuse_long_lines(data: bytes, shown: str) -> None:
    """Raise FileTooLarge where a line is longer than LINE_BYTES: no row of sales is, and each costs memory twice."""
    at = 0
    while len(data) - at > LINE_BYTES:
        end = max(data.rfind(mark, at, at + LINE_BYTES) for mark in (b"\n", b"\r"))
        if end < 0:
            line = data.count(b"\n", 0, at) + 1
            raise FileTooLarge(
                f"{shown}: line {line:,} is longer than {_megabytes(LINE_BYTES)}, the limit for one line. It is no row "
                "of sales: delete it, or export the table again with one sale a line."
            )
        at = end + 1


def _most_unpacked(packed: int, max_bytes: int) -> int:
    """Return the bytes a packed file of that size may unpack to."""
    return min(max_bytes, max(UNPACKED_ALWAYS, UNPACKED_RATIO * packed))


def _unpacks_too_far(shown: str, packed: int, max_bytes: int) -> FileTooLarge:
    limit = _most_unpacked(packed, max_bytes)
    if limit == max_bytes:
        return FileTooLarge(_too_large(shown, f"unpacks to more than {_megabytes(max_bytes)}", max_bytes))
    return FileTooLarge(
        f"{shown} unpacks from {_megabytes(packed)} to more than {_megabytes(limit)}; the limit is {UNPACKED_RATIO} "
        "times the packed size. Unpack it yourself, see what it holds, and upload the table inside."
    )


def gunzip(data: bytes, shown: str, max_bytes: int) -> bytes:
    """Return the bytes unpacked where gzipped; raises FileTooLarge or FileUnreadable."""
    unpacked, rest = bytearray(), data
    if not data.startswith(b"\x1f\x8b"):
        return data
    limit = _most_unpacked(len(data), max_bytes)
    try:
        while rest.startswith(b"\x1f\x8b"):
            member = zlib.decompressobj(wbits=31)
            # Piece by piece: what is refused must not fill the memory first.
            while piece := member.decompress(rest, min(_PIECE_BYTES, limit + 1 - len(unpacked))):
                unpacked += piece
                rest = member.unconsumed_tail
                if len(unpacked) > limit:
                    raise _unpacks_too_far(shown, len(data), max_bytes)
            if not member.eof:
                raise FileUnreadable(f"{shown} is a gzip file that ends too early. Copy or download it again.")
            rest = member.unused_data
    except zlib.error as error:
        raise FileUnreadable(f"{shown} is a damaged gzip file ({error}). Copy or download it again.") from error
    return bytes(unpacked)


def zip_members(data: bytes, shown: str) -> list[zipfile.ZipInfo]:
    """Return the files of an archive that a person put there; raises FileUnreadable for a damaged one."""
    try:
        found = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise FileUnreadable(f"{shown} is a damaged ZIP archive. Copy or download it again.") from error
    hidden = ("__MACOSX/", ".")
    return [
        one for one in found if not one.is_dir() and not one.filename.startswith(hidden) and "/." not in one.filename
    ]


def zipped_tables(data: bytes, shown: str, max_bytes: int) -> list[zipfile.ZipInfo]:
    """Return the tables of an archive, one at least; raises FileTooLarge or FileUnreadable."""
    members = zip_members(data, shown)
    tables = [one for one in members if one.filename.lower().endswith(_TABLES)] or members
    # A table of any name goes before a note: its name says what it is, and a lone one is read all the same.
    tables = [one for one in tables if not _NOTE.search(one.filename)] or tables
    if not 1 <= len(tables) <= _TABLES_MAX:
        raise refuse_several(shown, [one.filename for one in tables], are_sales=False)
    if len(tables) > 1:
        refuse_large(shown, "unpacks to", sum(one.file_size for one in tables), max_bytes)
    return tables


def refuse_several(shown: str, names: Sequence[str], are_sales: bool) -> FileUnreadable:
    """Return the error for an archive of several tables, or none, of which nothing says which one to read."""
    listed = ", ".join(repr(name[:60]) for name in names[:5])
    what = f"{len(names)} tables{' of sales' if are_sales else ''}{f' ({listed})' if listed else ''}"
    return FileUnreadable(
        f"{shown} is a ZIP archive of {what}; it must hold one. Unpack it and upload the tables one by one."
    )


def unzip(data: bytes, member: zipfile.ZipInfo, shown: str, max_bytes: int) -> bytes:
    """Return the content of one file of an archive; raises FileTooLarge or FileUnreadable."""
    if member.flag_bits & _ENCRYPTED:
        raise FileUnreadable(f"{shown} is a ZIP archive with a password. Unpack it and upload the table inside.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(member) as stream:
            content = stream.read(_most_unpacked(len(data), max_bytes) + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError) as error:
        raise FileUnreadable(f"{shown} is a damaged ZIP archive. Copy or download it again.") from error
    if len(content) > _most_unpacked(len(data), max_bytes):
        raise _unpacks_too_far(shown, len(data), max_bytes)
    return content


_TABLES_MAX: Final = 20
_TABLES: Final = (".csv", ".tsv", ".txt", ".tab", ".psv", ".xlsx", ".xls", ".ods", ".parquet", ".json", ".gz")


_NOTE: Final = re.compile(
    r"(?i)(?:^|[/_ -])(?:read[ _-]?me|licen[cs]e|terms|notes?|about|change[ _-]?log|metadata|data[ _-]?dictionary"
    r"|liesmich|lisez[ _-]?moi|leeme|leggimi)\b[^/]*$"
)


def _too_large(shown: str, what: str, max_bytes: int) -> str:
    named = shlex.quote(shown)
    return (
        f"{shown} {what}; the limit is {_megabytes(max_bytes)}. Split it, for example by year; the command line does "
        f"that for a file of any size: cut {named} --by month --into months, then ingest-pieces months --market NAME."
    )


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:.3g} MB" if size >= 10_000 else f"{size} bytes"
