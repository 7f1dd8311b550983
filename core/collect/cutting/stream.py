"""A file of any size as blocks of text: unpacked and decoded on the way, and never whole in memory."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from core.collect.reading.encodings import decode, doubt_of_encoding, is_text_encoding
from core.collect.reading.formats import as_csv_text, parquet_cells
from core.collect.reading.packing import UNPACKED_ALWAYS, UNPACKED_RATIO
from core.collect.reading.reader import looks_like_json, refuse_other_types
from core.collect.reading.table import FileFormat, ReadingNote
from core.errors import FileTooLarge, FileUnreadable

BLOCK_BYTES: Final = 8 * 1024 * 1024
"""How much of a file is in memory at a time, unpacked."""

_PARQUET_ROWS: Final = 16_384
_GZIP: Final = b"\x1f\x8b"
_ANY_TEXT: Final = b"text"
_SAVE: Final = "Export the table as CSV, or as Parquet."


@dataclass
class Source:
    """A file as it is read: ``done`` is the share read so far; encoding and doubt are as known so far."""

    path: Path
    shown: str
    format: FileFormat = FileFormat.DELIMITED
    encoding: str = ""
    doubt: ReadingNote | None = None
    done: float = 0.0


def text_blocks(source: Source, encoding: str = "") -> Iterator[str]:
    """Yield the text of a file in blocks, cut anywhere; raises FileUnreadable or FileTooLarge, naming the remedy.

    Where ``encoding`` is empty it is found from the first bytes beyond ASCII: until these all encodings read alike.
    """
    try:
        with source.path.open("rb") as file:
            head = file.read(4_096)
            file.seek(0)
            if head.startswith(b"PAR1"):
                source.format = FileFormat.PARQUET
                yield from _parquet_blocks(source)
            else:
                yield from _decoded(source, encoding, _unpacked(source, file, head))
    except OSError as error:
        raise FileUnreadable(
            f"{source.shown} cannot be read: {error.strerror or error}. Check that it exists and is whole."
        ) from error


def _unpacked(source: Source, file: IO[bytes], head: bytes) -> Iterator[bytes]:
    size = max(source.path.stat().st_size, 1)
    packed = head.startswith(_GZIP)
    if head.startswith(b"PK\x03\x04"):
        raise FileUnreadable(
            f"{source.shown} is a ZIP archive or a workbook, which cannot be read block by block. Unpack it, or save "
            "it as CSV, and cut that file."
        )
    read = 0
    stream: IO[bytes] | gzip.GzipFile = gzip.GzipFile(fileobj=file) if packed else file
    try:
        while block := stream.read(BLOCK_BYTES):
            if not read:
                _refuse_no_table(source.shown, block)
            read += len(block)
            if packed and read > max(UNPACKED_ALWAYS, UNPACKED_RATIO * size):
                raise FileTooLarge(
                    f"{source.shown} unpacks to more than {UNPACKED_RATIO} times its packed size, as no table of sales "
                    "does. Unpack it yourself, see what it holds, and cut the table inside."
                )
            source.done = min(file.tell() / size, 1.0)
            yield block
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise FileUnreadable(
            f"{source.shown} is a damaged gzip file, or ends too early. Copy or download it again."
        ) from error


def _refuse_no_table(shown: str, block: bytes) -> None:
    refuse_other_types(block, shown)
    start = block[:100].decode("latin-1").lstrip("ï»¿ \t\r\n").lower()
    if looks_like_json(start):
        raise FileUnreadable(f"{shown} holds JSON, which cannot be read block by block. {_SAVE}")
    if start.startswith(("<!doctype", "<html", "<?xml")):
        raise FileUnreadable(f"{shown} looks like a web page or an XML document. {_SAVE}")


def _decoded(source: Source, encoding: str, blocks: Iterator[bytes]) -> Iterator[str]:
    """Decode blocks; while all bytes are ASCII, the encoding stays open and the blocks wait for nothing."""
    source.encoding = encoding
    decoder: codecs.IncrementalDecoder | None = None
    at = 0
    for block in blocks:
        if decoder is None and (at == 0 or encoding or not block.isascii()):
            decoder = _decoder(source, encoding, block)
        if decoder is None:
            yield block.decode("ascii")
        else:
            text = _next_text(decoder, block, at, source)
            yield text if at else text.removeprefix("\ufeff")
        at += len(block)
    if decoder is not None:
        yield _next_text(decoder, b"", at, source, final=True)
    source.encoding = source.encoding or "utf-8"


def _decoder(source: Source, encoding: str, block: bytes) -> codecs.IncrementalDecoder | None:
    """Return the decoder that a block calls for; None while nothing tells the encodings apart."""
    if not encoding:
        sample = _whole_characters(block)
        _, encoding = decode(sample, source.shown)
        if sample.isascii() and encoding == "utf-8":
            return None
        source.doubt = doubt_of_encoding(sample, encoding)
    elif not is_text_encoding(encoding):
        decode(_ANY_TEXT, source.shown, encoding)  # refuses the name
    source.encoding = encoding
    return codecs.getincrementaldecoder(encoding)()


def _whole_characters(block: bytes) -> bytes:
    """Return a block without a character that its end may cut in two."""
    if block.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        for dropped in range(4):
            whole = block[: len(block) // 4 * 4 - 2 * dropped]
            with suppress(UnicodeDecodeError):
                whole.decode("utf-32" if block.startswith(codecs.BOM_UTF32_LE) else "utf-16")
                return whole
    end = max(block.rfind(b"\n"), block.rfind(b"\r")) + 1
    # Of UTF-16 without a mark, a line end has two bytes.
    return block[: end + end % 2] if end and len(block) >= BLOCK_BYTES else block


def _next_text(decoder: codecs.IncrementalDecoder, block: bytes, at: int, source: Source, final: bool = False) -> str:
    try:
        return decoder.decode(block, final)
    except UnicodeDecodeError as error:
        raise FileUnreadable(
            f"{source.shown} was read as {source.encoding}, but a byte near position {at + error.start:,} does not "
            "fit. Name the right encoding, such as --encoding cp1252, or export it again as UTF-8."
        ) from error


def _parquet_blocks(source: Source) -> Iterator[str]:
    try:
        table = pq.ParquetFile(source.path)
        rows = max(table.metadata.num_rows, 1)
        yield as_csv_text([table.schema_arrow.names])
        done = 0
        for batch in table.iter_batches(_PARQUET_ROWS):
            yield as_csv_text(zip(*(parquet_cells(column) for column in batch.columns), strict=True))
            done += batch.num_rows
            source.done = done / rows
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise FileUnreadable(f"{source.shown} is a damaged Parquet table. Copy or download it again.") from error
