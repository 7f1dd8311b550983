"""The records below a header become columns of text, with every record that does not fit counted."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from core.arrays import Ints
from core.collect.reading.layout import Layout, physical_lines
from core.collect.reading.table import BadLine

_SHOWN_CHARS: Final = 200


class _Reader(Iterator[list[str]], Protocol):
    line_num: int


@dataclass(frozen=True)
class Records:
    """Columns of stripped text, the lines that could not be read, and the place of each row among all records."""

    columns: list[pa.Array]
    bad_lines: tuple[BadLine, ...]
    row_numbers: Ints


def read_records(text: str, layout: Layout) -> Records:
    """Read the lines below the header; every record that does not fit is among the bad lines."""
    body = text[layout.body_at :]
    if "\n" not in body:
        body = body.replace("\r", "\n")
    plain = _read_at_once(body, layout) or _read_one_by_one(body, layout, None)
    if not plain.bad_lines or '\\"' not in body:
        return plain
    # Some databases write \" where CSV has "": taken so where it reads more.
    escaped = _read_one_by_one(body, layout, "\\")
    return escaped if len(escaped.bad_lines) < len(plain.bad_lines) else plain


def _read_at_once(body: str, layout: Layout) -> Records | None:
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
    return Records(columns, (), np.arange(1, table.num_rows + 1, dtype=np.int64))


def _stripped(column: pa.Array) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.large_string()), trimmed)


def _read_one_by_one(body: str, layout: Layout, escape: str | None) -> Records:
    lines = physical_lines(body)
    good: list[list[str]] = []
    numbers: list[int] = []
    bad: list[BadLine] = []
    number = at = 0
    reader = _strictly(lines, layout, escape)
    start = 0  # line at which the present reader began
    while at < len(lines):
        record, reason = _next_record(reader, layout.width)
        after = start + reader.line_num
        if reason and (after > at + 1 or reason == _OPEN_QUOTE):
            # A stray quote swallows the lines after it: give up its own line only, and begin anew below it.
            start, after = at + 1, at + 1
            reader = _strictly(itertools.islice(lines, start, None), layout, escape)
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
    return Records(columns, tuple(bad), np.asarray(numbers, dtype=np.int64))


def _strictly(lines: Iterable[str], layout: Layout, escape: str | None) -> _Reader:
    return csv.reader(lines, delimiter=layout.separator, escapechar=escape, doublequote=escape is None, strict=True)


_OPEN_QUOTE: Final = "a quotation mark is out of place or never closed"


def _next_record(reader: _Reader, width: int) -> tuple[list[str], str]:
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
