"""Blocks of text become whole records, each as it stands in the file, with the cells of the columns asked for."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from core.collect.reading.layout import Layout, physical_lines
from core.collect.reading.packing import LINE_BYTES
from core.errors import FileTooLarge

_NEWLINE: Final = ord("\n")


@dataclass(frozen=True)
class Records:
    """Whole records of a block: ``raw`` is each as it stands, with its line end; ``cells`` are those asked for.

    ``unread`` are the lines that are no record of the table: with a stray quotation mark or another number of cells.
    """

    raw: pa.LargeBinaryArray
    cells: tuple[pa.Array, ...]
    unread: tuple[bytes, ...] = ()


class RecordSplitter:
    """Splits the body of a table, given in blocks of text, where its records end, as the intake reads them."""

    def __init__(self, layout: Layout, places: Sequence[int], shown: str) -> None:
        self._layout, self._places, self._shown = layout, tuple(places), shown
        self._rest = ""

    def split(self, block: str, last: bool = False) -> Records:
        """Return the records that end in a block; what is left waits for the next one, and ``last`` says there is none.

        A record may be as long as LINE_BYTES; a quotation mark that is not closed by then is a stray one. Raises
        FileTooLarge for a longer line.
        """
        text = self._rest + block
        if last and text and not text.endswith("\n"):
            text += "\n"
        end = text.rfind("\n") + 1
        body, self._rest = text[:end], text[end:]
        if len(self._rest) > LINE_BYTES:
            raise FileTooLarge(
                f"{self._shown} has a line longer than {LINE_BYTES // 1024**2} MB, the limit for one line. It is no "
                "row of sales: delete it, or export the table again with one sale a line."
            )
        if not body:
            return _records([], [], self._places, ())
        return self._at_once(body.encode("utf-8")) or self._one_by_one(body, last)

    def _at_once(self, body: bytes) -> Records | None:
        """Split a body each line of which is a record of the right width; None where a line needs a closer look."""
        rows, quotes = body.count(b"\n"), body.count(b'"')
        if quotes % 2 or (b"\r" in body and body.count(b"\r") != body.count(b"\r\n")):
            return None
        names = [str(place) for place in range(self._layout.width)]
        wanted = [names[place] for place in self._places]
        try:
            table = pa_csv.read_csv(
                pa.BufferReader(body),
                read_options=pa_csv.ReadOptions(column_names=names, block_size=len(body) + 1, use_threads=False),
                parse_options=pa_csv.ParseOptions(delimiter=self._layout.separator, newlines_in_values=quotes > 0),
                convert_options=pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.large_string()),
                    include_columns=wanted,
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            return None
        if table.num_rows != rows:
            return None  # a blank line, a line break inside a cell, or a stray quotation mark that swallowed one
        ends = np.flatnonzero(np.frombuffer(body, dtype=np.uint8) == _NEWLINE) + 1
        offsets = np.concatenate(([0], ends)).astype(np.int64)
        raw = pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(body)]
        )
        return Records(raw, tuple(table.column(name).combine_chunks() for name in wanted))

    def _one_by_one(self, body: str, last: bool) -> Records:
        lines = physical_lines(body)
        found = _Walk(lines, self._layout, last, None)
        if found.unread and '\\"' in body:
            # Some databases write \" where CSV has "": taken so where it reads more.
            escaped = _Walk(lines, self._layout, last, "\\")
            if len(escaped.unread) + escaped.left < len(found.unread) + found.left:
                found = escaped
        self._rest = "".join(lines[found.open_at :]) + self._rest
        return _records(found.raw, found.cells, self._places, tuple(found.unread))


class _Reader(Iterator[list[str]], Protocol):
    line_num: int


class _Walk:
    """One reading of lines, record by record; ``open_at`` is the line at which an unfinished record begins."""

    def __init__(self, lines: list[str], layout: Layout, last: bool, escape: str | None) -> None:
        self.raw: list[bytes] = []
        self.cells: list[list[str]] = []
        self.unread: list[bytes] = []
        self._lines, self._layout, self._escape = lines, layout, escape
        self.open_at = self._walk(last)
        self.left = len(lines) - self.open_at

    def _walk(self, last: bool) -> int:
        lines, at, start = self._lines, 0, 0
        reader = self._reader(0)
        while at < len(lines):
            record, closed = _next_record(reader)
            after = start + reader.line_num
            if not closed and after >= len(lines) and not last and sum(map(len, lines[at:])) <= LINE_BYTES:
                return at
            is_good = closed and len(record) == self._layout.width
            if not is_good and (after > at + 1 or not closed):
                # A stray quotation mark swallows the lines after it: give up its own line only, and begin anew below.
                start = after = at + 1
                reader = self._reader(start)
            if is_good:
                self.raw.append("".join(lines[at:after]).encode("utf-8"))
                self.cells.append(record)
            elif record or not closed:
                self.unread.append("".join(lines[at:after]).encode("utf-8"))
            at = after
        return at

    def _reader(self, start: int) -> _Reader:
        below = map(self._lines.__getitem__, range(start, len(self._lines)))
        return csv.reader(
            below,
            delimiter=self._layout.separator,
            escapechar=self._escape,
            doublequote=self._escape is None,
            strict=True,
        )


def _next_record(reader: Iterator[list[str]]) -> tuple[list[str], bool]:
    """Return the next record, empty for a blank line, and whether its quotation marks are closed."""
    try:
        record = next(reader, [])
    except csv.Error:
        return [], False
    if not any(cell.strip() for cell in record) and len(record) <= 1:
        return [], True
    return record, True


def _records(raw: list[bytes], rows: list[list[str]], places: Sequence[int], unread: tuple[bytes, ...]) -> Records:
    cells = tuple(pa.array([row[place] for row in rows], pa.large_string()) for place in places)
    return Records(pa.array(raw, pa.large_binary()), cells, unread)
