"""Files are opened and unpacked within limits, so that no archive fills the memory."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from pathlib import Path
from typing import Final

from core.errors import FileTooLarge, FileUnreadable

DEFAULT_MAX_BYTES: Final = 200 * 1024 * 1024

# A table takes about this many times its size in memory while it is read.
_MEMORY_PER_BYTE: Final = 8
_ENCRYPTED: Final = 0x1


def memory_limit() -> int:
    """Return the size in bytes of the largest file that this machine's memory can hold while it is read."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return DEFAULT_MAX_BYTES
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


def gunzip(data: bytes, shown: str, max_bytes: int) -> bytes:
    """Return the bytes unpacked where gzipped; raises FileTooLarge or FileUnreadable."""
    unpacked, rest = bytearray(), data
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        while rest.startswith(b"\x1f\x8b"):
            member = zlib.decompressobj(wbits=31)
            unpacked += member.decompress(rest, max_bytes + 1 - len(unpacked))
            if len(unpacked) > max_bytes:
                raise FileTooLarge(_too_large(shown, f"unpacks to more than {_megabytes(max_bytes)}", max_bytes))
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


def unzip_one(data: bytes, shown: str, max_bytes: int) -> tuple[bytes, str]:
    """Return the one table of an archive and its name; raises FileTooLarge or FileUnreadable."""
    members = zip_members(data, shown)
    tables = [one for one in members if one.filename.lower().endswith(_TABLES)] or members
    if len(tables) != 1:
        names = ", ".join(repr(one.filename[:60]) for one in tables[:5])
        raise FileUnreadable(
            f"{shown} is a ZIP archive of {len(tables)} tables{f' ({names})' if names else ''}; it must hold one. "
            "Unpack it and upload the tables one by one."
        )
    [member] = tables
    if member.flag_bits & _ENCRYPTED:
        raise FileUnreadable(f"{shown} is a ZIP archive with a password. Unpack it and upload the table inside.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(member) as stream:
            content = stream.read(max_bytes + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError) as error:
        raise FileUnreadable(f"{shown} is a damaged ZIP archive. Copy or download it again.") from error
    if len(content) > max_bytes:
        raise FileTooLarge(_too_large(shown, f"unpacks to more than {_megabytes(max_bytes)}", max_bytes))
    return content, member.filename


_TABLES: Final = (".csv", ".tsv", ".txt", ".tab", ".psv", ".xlsx", ".xls", ".ods", ".parquet", ".json", ".gz")


def _too_large(shown: str, what: str, max_bytes: int) -> str:
    return f"{shown} {what}; the limit is {_megabytes(max_bytes)}. Split it, for example by year, and upload the parts."


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:.3g} MB" if size >= 10_000 else f"{size} bytes"
