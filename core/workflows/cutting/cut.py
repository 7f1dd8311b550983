"""Cuts a file of any size into a file for each market or month, in bounded memory; nothing of it is lost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from core.access import Action
from core.collect.cutting.keys import NO_VALUE, KeyColumn, by_month, by_value, keys_of_rows
from core.collect.cutting.records import Records
from core.collect.cutting.table import LargeTable, open_table
from core.errors import FileNotWritten, FileUnreadable, NotFound
from core.progress import Progress
from core.workflows.cutting.pieces import Manifest, Piece, PieceWriter, drafted, write_manifest
from core.workspace import Workspace

MONTH: Final = "month"
"""By which a file is cut by the month of its sales, whatever its date column is called."""


@dataclass(frozen=True)
class CutReport:
    """What a cut made: the rows of the file, those of each piece in order of their names, and how the file was read.

    ``no_value`` counts the rows without a value, ``unread`` the lines that are no rows; each have a piece of their own.
    """

    folder: Path
    by: str
    rows_in: int
    pieces: tuple[Piece, ...]
    no_value: int
    unread: int
    reading: str
    doubt: str
    seconds: float


def cut_file(
    workspace: Workspace,
    path: Path,
    by: str,
    target: Path,
    progress: Progress,
    date_column: str = "",
    encoding: str = "",
) -> CutReport:
    """Write the rows of a file to one file for each value of the column ``by``, or month of sale, in a new folder.

    Cells stay as they stand, rows keep their order, and the folder appears only when it is whole. Raises AccessDenied,
    NotFound, CollectError leaves for a file that cannot be read or has no such column, and FileNotWritten.
    """
    workspace.require(Action.INGEST)
    if not path.is_file():
        what = "is a folder; name a file" if path.is_dir() else "is not there; check the path"
        raise NotFound(f"The file to cut, {str(path)!r}, {what}.")
    started = time.monotonic()
    table = open_table(path, path.name, encoding)
    key = by_month(table, date_column) if by == MONTH else by_value(table.title_at(table.place_of(by)))
    with drafted(target, path.stat().st_size) as draft:
        writer = PieceWriter(draft, table.header_line(), f"Column {key.columns[0]!r}")
        try:
            rows_in, unread = _write_all(table, key, writer, progress)
            writer.finish()
        finally:
            writer.close()
        pieces = tuple(sorted(writer.pieces.values(), key=lambda one: one.file))
        _check_sum(path.name, rows_in + unread, pieces)
        values = tuple(one for one in pieces if one.value != NO_VALUE)
        _demand_pieces(path.name, by, key, values)
        date_name = key.columns[0] if key.date_format else ""
        write_manifest(draft, Manifest(path.name, by, date_name, key.date_format, values))
    return _report(table, by, target, rows_in, unread, values, time.monotonic() - started)


def _write_all(table: LargeTable, key: KeyColumn, writer: PieceWriter, progress: Progress) -> tuple[int, int]:
    """Write every record to its piece; return how many rows there were, and how many lines that are none."""
    rows_in = unread = 0
    for block in table.records([table.place_of(name) for name in key.columns]):
        rows_in += len(block.raw)
        unread += len(block.unread)
        _write_block(block, key, writer)
        progress(table.source.done, f"Cutting: {rows_in:,} rows, {len(writer.pieces):,} pieces")
    progress(1.0, f"Cut: {rows_in:,} rows, {len(writer.pieces):,} pieces")
    return rows_in, unread


def _write_block(block: Records, key: KeyColumn, writer: PieceWriter) -> None:
    if block.unread:
        writer.append(writer.unread(), len(block.unread), b"".join(block.unread))
    if not len(block.raw):
        return
    keys, codes = keys_of_rows(key, block.cells)
    # Several values may share a piece, in which rows keep their order all the same.
    owners = [writer.piece_of(value) for value in keys]
    pieces = {one.file: one for one in owners}
    places = {name: place for place, name in enumerate(pieces)}
    codes = np.asarray([places[one.file] for one in owners], dtype=np.int64)[codes]
    order = np.argsort(codes, kind="stable")
    sorted_rows = block.raw.take(pa.array(order))
    ends = np.cumsum(np.bincount(codes, minlength=len(pieces)))
    offsets = np.frombuffer(sorted_rows.buffers()[1], dtype=np.int64)[: len(order) + 1]
    content = memoryview(sorted_rows.buffers()[2])
    for place, piece in enumerate(pieces.values()):
        start, end = (int(ends[place - 1]) if place else 0), int(ends[place])
        writer.append(piece, end - start, content[offsets[start] : offsets[end]])


def _check_sum(shown: str, rows: int, pieces: Sequence[Piece]) -> None:
    written = sum(one.rows for one in pieces)
    if written != rows:
        raise FileNotWritten(
            f"{shown} has {rows:,} rows, but {written:,} were written, so the pieces were not kept. Cut again; if it "
            "happens again, report it as a fault of Doorstep."
        )


def _demand_pieces(shown: str, by: str, key: KeyColumn, values: Sequence[Piece]) -> None:
    if values:
        return
    column = key.columns[0]
    if by == MONTH:
        raise FileUnreadable(
            f"{shown}: column {column!r} has no date in any row. Name the column of the sale date with --date."
        )
    raise FileUnreadable(f"{shown}: column {column!r} is empty in every row. Name another column with --by.")


def _report(
    table: LargeTable, by: str, target: Path, rows_in: int, unread: int, values: tuple[Piece, ...], seconds: float
) -> CutReport:
    source = table.source
    return CutReport(
        folder=target,
        by=by,
        rows_in=rows_in + unread,
        pieces=values,
        no_value=rows_in - sum(one.rows for one in values),
        unread=unread,
        reading=replace(table.sample.reading, encoding=source.encoding).describe(),
        doubt=f"{source.doubt.claim}; {source.doubt.evidence}" if source.doubt else "",
        seconds=seconds,
    )
