"""Delimited text files, however encoded, separated or packed, become tables of text with every bad line counted."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from core.arrays import Ints
from core.errors import DuplicateHeaders, FileEmpty, FileTooLarge, FileUnreadable

DEFAULT_MAX_BYTES: Final = 200 * 1024 * 1024
SEPARATORS: Final = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe"}

_SAMPLE_CHARS: Final = 262_144
_SAMPLE_RECORDS: Final = 200
_SHOWN_CHARS: Final = 200
_READABLE: Final = "Doorstep reads CSV and TSV files, plain or gzipped."
_SAVE_AS_CSV: Final = "Open it in the program that made it, save it as CSV (UTF-8), and upload that file."
_SAVE_THE_SHEET: Final = "Save the sheet as CSV (UTF-8) in the program that made it, and upload that file."
_SIGNATURES: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls) or another Office document", _SAVE_THE_SHEET),
    (b"%PDF", "a PDF document", "Ask for the table itself as CSV; a PDF holds only its picture."),
    (b"PAR1", "a Parquet table", "Export it as CSV."),
    (b"SQLite format 3", "a SQLite database", "Export the table of sales as CSV."),
    (b"\x89PNG", "a PNG picture", "Upload the table as CSV."),
    (b"\xff\xd8\xff", "a JPEG picture", "Upload the table as CSV."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it and upload the CSV inside."),
    (b"Rar!", "a RAR archive", "Unpack it and upload the CSV inside."),
    (b"BZh", "a bzip2 archive", "Unpack it, or pack it with gzip instead."),
    (b"\xfd7zXZ", "an xz archive", "Unpack it, or pack it with gzip instead."),
)
_MARKUP: Final[tuple[tuple[str, str], ...]] = (
    ("<!doctype", "a web page"),
    ("<html", "a web page"),
    ("<?xml", "an XML document"),
    ("{", "a JSON document"),
    ("[{", "a JSON document"),
)
# Longest first: the mark of UTF-16 is the beginning of the mark of UTF-32.
_BYTE_ORDER_MARKS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


@dataclass(frozen=True)
class BadLine:
    """A record that could not be read: its first physical line (the header is line 1), why, and its beginning."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class RawTable:
    """A file as text.

    ``frame`` holds ``str`` columns in file order (missing is NaN, values stripped, RangeIndex); ``row_numbers`` of the
    same length holds each row's 1-based place among the file's data records, bad ones included.
    """

    name: str
    sha256: str
    encoding: str
    separator: str
    frame: pd.DataFrame
    bad_lines: tuple[BadLine, ...]
    row_numbers: Ints

    @property
    def rows_in(self) -> int:
        """Data records in the file, readable or not."""
        return len(self.frame) + len(self.bad_lines)


@dataclass(frozen=True)
class _Layout:
    separator: str
    header: tuple[str, ...]
    body_at: int  # character at which the first data record starts
    body_line: int  # its physical line, from 1
    width: int  # fields of a data record; one more than the header in exports with row names


@dataclass(frozen=True)
class _Records:
    columns: list[pa.Array]
    bad_lines: tuple[BadLine, ...]
    row_numbers: Ints


def read_table(path: Path, name: str | None = None, max_bytes: int = DEFAULT_MAX_BYTES) -> RawTable:
    """Read a comma, tab, semicolon or pipe separated file, plain or gzipped, into text columns.

    Encoding, separator, packing and a row-name column are detected from the content, never from the file's name.
    Raises FileUnreadable, FileEmpty, FileTooLarge or DuplicateHeaders, each naming the file and the remedy.
    """
    shown = name or path.name
    return parse_table(_read_bytes(path, shown, max_bytes), shown, max_bytes)


def parse_table(content: bytes, name: str, max_bytes: int = DEFAULT_MAX_BYTES) -> RawTable:
    """Read a file's bytes as read_table does, before they are anywhere on disk; raises the same errors."""
    text, encoding = decoded(content, name, max_bytes)
    layout = _find_layout(text, name)
    records = _read_records(text, layout)
    if not len(records.row_numbers):
        raise FileUnreadable(_all_bad(name, layout, records.bad_lines))
    return RawTable(
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        encoding=encoding,
        separator=layout.separator,
        frame=_to_frame(records.columns, layout, name),
        bad_lines=records.bad_lines,
        row_numbers=records.row_numbers,
    )


def decoded(content: bytes, name: str, max_bytes: int = DEFAULT_MAX_BYTES) -> tuple[str, str]:
    """Return a file's bytes, unpacked where gzipped, as text, and its encoding.

    Raises FileTooLarge, or FileUnreadable for what is no text.
    """
    if len(content) > max_bytes:
        raise FileTooLarge(_too_large(name, f"is {_megabytes(len(content))}", max_bytes))
    return _decode(_unpack(content, name, max_bytes), name)


def _read_bytes(path: Path, shown: str, max_bytes: int) -> bytes:
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise FileTooLarge(_too_large(shown, f"is {_megabytes(size)}", max_bytes))
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadable(f"{shown} cannot be opened: {error.strerror}. Check that it exists.") from error


def _unpack(data: bytes, shown: str, max_bytes: int) -> bytes:
    if not data.startswith(b"\x1f\x8b"):
        return data
    unpacked, rest = bytearray(), data
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


def _too_large(shown: str, what: str, max_bytes: int) -> str:
    return f"{shown} {what}; the limit is {_megabytes(max_bytes)}. Split it, for example by year, and upload the parts."


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:.3g} MB" if size >= 10_000 else f"{size} bytes"


def _decode(data: bytes, shown: str) -> tuple[str, str]:
    _refuse_binary(data, shown)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decode_as(data, encoding, shown), encoding
    unmarked = _utf16_without_mark(data)
    if unmarked:
        return _decode_as(data, unmarked, shown), unmarked
    if b"\x00" in data:
        at = data.index(b"\x00")
        raise FileUnreadable(f"{shown} is not a text file: it has a NUL byte at position {at}. {_SAVE_AS_CSV}")
    # Latin-1 reads any byte; it comes last for the five bytes that cp1252 leaves undefined.
    for encoding in ("utf-8", "cp1252", "latin-1"):
        try:
            return _refuse_control_characters(data.decode(encoding), shown), encoding
        except UnicodeDecodeError:
            continue
    raise AssertionError("latin-1 decodes every byte")


def _decode_as(data: bytes, encoding: str, shown: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise FileUnreadable(
            f"{shown} begins like {encoding} text, but byte {error.start} does not fit. {_SAVE_AS_CSV}"
        ) from error


def _refuse_binary(data: bytes, shown: str) -> None:
    if data.startswith(b"PK\x03\x04"):
        if b"xl/" in data or b"[Content_Types].xml" in data[:2000]:
            raise _of_another_type(shown, "an Excel workbook (.xlsx)", _SAVE_THE_SHEET)
        if data[30:].startswith(b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"):
            raise _of_another_type(shown, "an OpenDocument sheet (.ods)", _SAVE_THE_SHEET)
        raise _of_another_type(shown, "a ZIP archive", "Unpack it and upload the CSV inside.")
    for signature, what, remedy in _SIGNATURES:
        if data.startswith(signature):
            raise _of_another_type(shown, what, remedy)


def _of_another_type(shown: str, what: str, remedy: str) -> FileUnreadable:
    return FileUnreadable(f"{shown} looks like {what}. {_READABLE} {remedy}")


def _utf16_without_mark(data: bytes) -> str:
    head = np.frombuffer(data[:4096][: len(data[:4096]) // 2 * 2], dtype=np.uint8)
    if len(head) < 4:
        return ""
    even, odd = float((head[::2] == 0).mean()), float((head[1::2] == 0).mean())
    if odd > 0.8 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.8 and odd < 0.05 else ""


def _refuse_control_characters(text: str, shown: str) -> str:
    head = text[:_SAMPLE_CHARS]
    controls = sum(1 for character in head if character < " " and character not in "\t\n\r\f")
    if controls > 0.01 * len(head):
        raise FileUnreadable(
            f"{shown} is not a text file: {controls} of its first {len(head)} characters are control codes. "
            f"{_SAVE_AS_CSV}"
        )
    return text


def _find_layout(text: str, shown: str) -> _Layout:
    start = text[:100].lstrip().lower()
    if not text.strip():
        raise FileEmpty(f"{shown} is empty. Upload a file with a header line and at least one row.")
    for opening, what in _MARKUP:
        if start.startswith(opening):
            raise _of_another_type(shown, what, "Export the table as CSV.")
    declared = _declared_separator(text)
    best = max((_try_separator(text, mark) for mark in declared or SEPARATORS), key=lambda pair: pair[0])[1]
    if not text[best.body_at :].strip():
        raise FileEmpty(f"{shown} has a header and no rows. Upload a file with at least one row below the header.")
    if len(best.header) == 1 and best.width == 1:
        raise FileUnreadable(
            f"{shown} has a single column, {best.header[0][:80]!r}. The columns must be separated by comma, tab, "
            "semicolon or pipe: save it again with one of these."
        )
    names = [title for title in best.header if title]
    twice = sorted({title for title in names if names.count(title) > 1})
    if twice:
        raise DuplicateHeaders(
            f"{shown} has more than one column named {', '.join(map(repr, twice))}. Rename them so that each differs."
        )
    return best


def _declared_separator(text: str) -> str:
    # Excel writes, and reads, a first line like "sep=;".
    first = text[:8].splitlines()[0].strip().lower() if text[:8].strip() else ""
    return first[4] if first.startswith("sep=") and len(first) == 5 else ""


def _try_separator(text: str, separator: str) -> tuple[tuple[float, bool, bool, int], _Layout]:
    """Score a separator by the share of sampled records as wide as the header, then by that width.

    One that does not divide the header yields to one that does. Where a comma does as well as another, it is the
    decimal mark.
    """
    lines = _physical_lines(text[:_SAMPLE_CHARS])
    if len(text) > _SAMPLE_CHARS and len(lines) > 1:
        lines = lines[:-1]  # cut in two by the end of the sample
    skipped = 1 if _declared_separator(text) else 0
    while skipped < len(lines) - 1 and not lines[skipped].strip():
        skipped += 1
    reader = csv.reader(lines[skipped:], delimiter=separator)
    header = tuple(cell.strip() for cell in next(_until_error(reader), []))
    body_line = skipped + reader.line_num
    widths = [len(record) for record in itertools.islice(_until_error(reader), _SAMPLE_RECORDS) if record]
    width, share = _width_and_share(len(header), widths)
    layout = _Layout(separator, header, sum(map(len, lines[:body_line])), body_line + 1, width)
    fits = round(share, 1) if width > 1 else 0.0
    return (fits, len(header) > 1, width > 1 and separator != ",", width), layout


def _until_error(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    while True:
        try:
            yield next(reader)
        except (StopIteration, csv.Error):
            return


def _width_and_share(header: int, widths: list[int]) -> tuple[int, float]:
    if not widths:
        return header, 1.0
    as_header, one_more = (widths.count(width) / len(widths) for width in (header, header + 1))
    return (header + 1, one_more) if one_more > 0.5 and as_header < 0.1 else (header, as_header)


def _read_records(text: str, layout: _Layout) -> _Records:
    body = text[layout.body_at :]
    if "\n" not in body:
        body = body.replace("\r", "\n")
    return _read_at_once(body, layout) or _read_one_by_one(body, layout)


def _read_at_once(body: str, layout: _Layout) -> _Records | None:
    """Read a body without a single irregular record; None where a record needs a closer look."""
    names = [str(place) for place in range(layout.width)]
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(body.encode("utf-8")),
            read_options=pa_csv.ReadOptions(column_names=names, block_size=1 << 24),
            parse_options=pa_csv.ParseOptions(delimiter=layout.separator, newlines_in_values='"' in body),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=True, null_values=[""]
            ),
        )
    except pa.ArrowInvalid:
        return None
    if '"' in body and table.num_rows != body.count("\n") + (not body.endswith("\n")):
        return None  # a quoted line break, or a stray quote that swallowed one
    columns = [_stripped(column.combine_chunks()) for column in table.columns]
    return _Records(columns, (), np.arange(1, table.num_rows + 1, dtype=np.int64))


def _stripped(column: pa.Array) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.large_string()), trimmed)


def _read_one_by_one(body: str, layout: _Layout) -> _Records:
    lines = _physical_lines(body)
    good: list[list[str]] = []
    numbers: list[int] = []
    bad: list[BadLine] = []
    number = at = 0
    reader = csv.reader(iter(lines), delimiter=layout.separator, strict=True)
    start = 0  # line at which the present reader began
    while at < len(lines):
        record, reason = _next_record(reader, layout.width)
        after = start + reader.line_num
        if reason and (after > at + 1 or reason == _OPEN_QUOTE):
            # A stray quote swallows the lines after it: give up its own line only, and begin anew below it.
            start, after = at + 1, at + 1
            reader = csv.reader(itertools.islice(lines, start, None), delimiter=layout.separator, strict=True)
        if reason or record:
            number += 1
        if reason:
            bad.append(BadLine(layout.body_line + at, reason, lines[at].rstrip("\r\n")[:_SHOWN_CHARS]))
        elif record:
            good.append(record)
            numbers.append(number)
        at = after
    by_column = zip(*good, strict=True) if good else [() for _ in range(layout.width)]
    columns = [_stripped(pa.array(cells, pa.large_string())) for cells in by_column]
    return _Records(columns, tuple(bad), np.asarray(numbers, dtype=np.int64))


_OPEN_QUOTE: Final = "a quotation mark is out of place or never closed"


def _next_record(reader: Iterator[list[str]], width: int) -> tuple[list[str], str]:
    """Return the next record, empty for a blank line, and why it cannot be used, empty if it can."""
    try:
        record = next(reader, [])
    except csv.Error:
        return [], _OPEN_QUOTE
    if not any(cell.strip() for cell in record) and len(record) <= 1:
        return [], ""
    if len(record) != width:
        return record, f"{len(record)} fields where the header and other rows have {width}"
    return record, ""


def _physical_lines(text: str) -> list[str]:
    return list(io.StringIO(text, newline=""))


def _all_bad(shown: str, layout: _Layout, bad_lines: tuple[BadLine, ...]) -> str:
    first, mark = bad_lines[0], SEPARATORS.get(layout.separator, layout.separator)
    return (
        f"{shown}: none of its {len(bad_lines)} rows could be read with {mark}"
        f" as separator; line {first.line}: {first.reason}. Save it again as CSV with one separator throughout."
    )


def _to_frame(columns: list[pa.Array], layout: _Layout, shown: str) -> pd.DataFrame:
    header, cells = list(layout.header), [_text_series(column) for column in columns]
    if len(cells) == len(header) + 1:
        if cells[-1].isna().all():
            cells = cells[:-1]
        elif cells[0].is_unique:
            cells = cells[1:]
        else:
            raise FileUnreadable(
                f"{shown}: the header names {len(header)} columns but the rows hold {len(cells)}, and neither the "
                "first column (repeats values) nor the last (not empty) explains it. Name every column in the header."
            )
    named = {
        title or f"column_{place}": values
        for place, (title, values) in enumerate(zip(header, cells, strict=True), start=1)
        if title or not (values.isna().all() or (place == 1 and _is_row_index(values)))
    }
    return pd.DataFrame(named)


def _text_series(column: pa.Array) -> pd.Series:
    return pd.Series(pd.array(column, dtype="str"))


def _is_row_index(values: pd.Series) -> bool:
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype="float64")
    return bool(len(numbers) > 0 and numbers[0] in (0, 1) and (np.diff(numbers) == 1).all())
