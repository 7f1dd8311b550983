"""Workbooks, Parquet tables and JSON records become comma separated text, which one reader reads."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, ZipError

from core.collect.reading.choosing import Rating, best_rated, note_of_choice, rating_of
from core.collect.reading.packing import refuse_large, zip_members
from core.collect.reading.table import FileFormat, Reading
from core.errors import FileEmpty, FileUnreadable

# The XML of a workbook is about this many times the table inside it.
_XML_PER_BYTE: Final = 8
# A price, a date and a place: fewer cells are no sale.
_TABLE_CELLS: Final = 3
_HEAD_ROWS: Final = 60
_LONGITUDE_MAX, _LATITUDE_MAX = 180.0, 90.0
GUIDE_SHEET: Final = "About the columns"
"""The sheet of a template that explains its columns: beside another sheet, it is never taken for the data."""

_SAVE_AGAIN: Final = "Open it in the program that made it, save the sheet as CSV (UTF-8), and upload that file."


def workbook_text(content: bytes, shown: str, sheet: str, max_bytes: int, rate: Rating) -> tuple[str, Reading]:
    """Return a sheet of an xlsx, xls or ods workbook as text, and how it was read.

    Without ``sheet`` it is the sheet whose header ``rate`` takes for that of sales; of several such, and where none is,
    the one with the most rows of a table, the first of them: notes fill a cell or two. Raises FileUnreadable,
    FileEmpty or FileTooLarge.
    """
    if content.startswith(b"PK"):
        size = sum(one.file_size for one in zip_members(content, shown))
        refuse_large(shown, "is a workbook that unpacks to", size, _XML_PER_BYTE * max_bytes)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        grids = {name: book.get_sheet_by_name(name) for name in book.sheet_names}
    except (CalamineError, ZipError, OSError, ValueError) as error:
        raise FileUnreadable(f"{shown} is a workbook that cannot be read ({error}). {_SAVE_AGAIN}") from error
    if sheet and sheet not in grids:
        names = ", ".join(map(repr, grids))
        raise FileUnreadable(f"{shown} has no sheet {sheet!r}. Choose one of {names}.")
    filled = {name: grid for name, grid in grids.items() if grid.height}
    if len(filled) > 1 and sheet != GUIDE_SHEET:
        filled.pop(GUIDE_SHEET, None)
    if not filled:
        raise FileEmpty(f"{shown} is a workbook without a filled sheet. Upload one with a header and rows.")
    cells = {name: _cells_of(grid) for name, grid in filled.items() if not sheet or name == sheet}
    rows = {name: _table_rows(grid) for name, grid in cells.items() if not sheet}
    tables = {name: rating_of(as_csv_text(cells[name][:_HEAD_ROWS]), rate) for name, n in rows.items() if n > 1}
    likeliest = best_rated(tables) if tables else list(filled)
    chosen = sheet or max(likeliest, key=lambda name: (rows[name], filled[name].height))
    below = {name: n - 1 for name, n in rows.items()}
    notes = (note_of_choice("sheet", chosen, tables, below),) if len(tables) > 1 else ()
    reading = Reading(FileFormat.WORKBOOK, sheet=chosen, sheets=tuple(filled), notes=notes)
    return as_csv_text(cells.get(chosen, [])), reading


def _cells_of(sheet: CalamineSheet) -> list[list[Any]]:
    """Return the cells of a sheet; those merged down a column all have the value that stands in the first of them."""
    rows = sheet.to_python(skip_empty_area=False)
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        if left == right and top < len(rows):
            for row in rows[top + 1 : bottom + 1]:
                row[left] = rows[top][left]
    return rows


def _table_rows(rows: Sequence[Sequence[Any]]) -> int:
    """Return how many rows of a sheet fill the cells of a table."""
    return sum(sum(cell not in ("", None) for cell in row) >= _TABLE_CELLS for row in rows)


def parquet_text(content: bytes, shown: str, max_bytes: int) -> str:
    """Return a Parquet table as text; raises FileUnreadable, or FileTooLarge for what unpacks beyond the limit."""
    try:
        file = _opened(content)
        groups = (file.metadata.row_group(place) for place in range(file.metadata.num_row_groups))
        refuse_large(shown, "unpacks to", sum(group.total_byte_size for group in groups), max_bytes)
        table = file.read()
        refuse_large(shown, "unpacks to", _unpacked_bytes(table), max_bytes)
        columns = [parquet_cells(column) for column in table.columns]
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise FileUnreadable(f"{shown} is a damaged Parquet table. Copy or download it again.") from error
    return as_csv_text([table.column_names, *zip(*columns, strict=True)])


def parquet_cells(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """Return a column's cells; a short float as it was written: 47.1, where its exact value is 47.099998474121094."""
    cells: list[Any] = column.to_pylist()
    if pa.types.is_float16(column.type) or pa.types.is_float32(column.type):
        short = np.dtype(column.type.to_pandas_dtype()).type
        return [None if cell is None else float(str(short(cell))) for cell in cells]
    return cells


def _opened(content: bytes) -> pq.ParquetFile:
    """Open a Parquet file so that texts stay packed: a long text may stand once in the file and in a million rows."""
    schema = pq.read_schema(pa.BufferReader(content))
    texts = [one.name for one in schema if pa.types.is_string(one.type) or pa.types.is_large_string(one.type)]
    return pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts)


def _unpacked_bytes(table: pa.Table) -> int:
    """Return about how large a table's cells are as text, with packed texts counted in every row."""
    size = 0
    for chunk in (chunk for column in table.columns for chunk in column.chunks):
        if isinstance(chunk, pa.DictionaryArray):
            lengths = pc.binary_length(chunk.dictionary).take(chunk.indices)
            size += pc.sum(lengths.cast(pa.int64())).as_py() or 0
        else:
            size += chunk.nbytes
    return size


def json_text(text: str, shown: str) -> str:
    """Return JSON records as text; raises FileUnreadable.

    They stand alone, one a line (JSON Lines), in ``value`` as RESO's Web API sends them, or as features of GeoJSON.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        document = _json_lines(text)
        if document is None:
            raise FileUnreadable(
                f"{shown} looks like a JSON document, but cannot be read. Export the table as CSV."
            ) from error
    if isinstance(document, dict) and document.get("type") == "FeatureCollection":
        document = _features(document.get("features"))
    records = document.get("value") if isinstance(document, dict) else document
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise FileUnreadable(
            f"{shown} looks like a JSON document without a list of records. It must be a list, or hold one in 'value' "
            "(RESO OData), or hold one record a line, or be GeoJSON; else export the table as CSV."
        )
    if not records:
        raise FileEmpty(f"{shown} holds no records. Choose a file with at least one.")
    names = [name for name in dict.fromkeys(key for one in records for key in one) if not name.startswith("@")]
    return as_csv_text([names, *([one.get(name) for name in names] for one in records)])


def _json_lines(text: str) -> list[Any] | None:
    """Return the records of a text with one in each line, None where a line holds none."""
    try:
        records = [json.loads(line) for line in text.lstrip("\ufeff").split("\n") if line.strip()]
    except (ValueError, RecursionError):
        return None
    return records if all(isinstance(one, dict) for one in records) else None


def _features(features: Any) -> Any:
    """Return the properties of GeoJSON's features (RFC 7946) as records, with the place of those that are points."""
    if not isinstance(features, list) or not all(isinstance(one, dict) for one in features):
        return features
    return [_point(one.get("geometry")) | (one.get("properties") or {}) for one in features]


def _point(geometry: Any) -> dict[str, Any]:
    """Return the place of a point: degrees, as the standard has them, or x and y where they can be none."""
    is_point = isinstance(geometry, dict) and geometry.get("type") == "Point"
    place = geometry.get("coordinates") if is_point else None
    if not isinstance(place, list) or len(place) < 2 or not all(isinstance(one, int | float) for one in place[:2]):
        return {}
    is_degrees = abs(place[0]) <= _LONGITUDE_MAX and abs(place[1]) <= _LATITUDE_MAX
    return dict(zip(("longitude", "latitude") if is_degrees else ("x", "y"), place[:2], strict=True))


def as_csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows of cells as comma separated text; a row of blanks is a blank line."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    for row in rows:
        cells = [_cell(value) for value in row]
        # A row of blanks is a blank line, as it is in a text file.
        writer.writerow(cells) if any(cells) else buffer.write("\n")
    return buffer.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    for kinds, write in _WRITERS:
        if isinstance(value, kinds):
            return write(value)
    # A line break inside a cell would make the lines counted differ from the rows of the sheet.
    return " ".join(str(value).replace("\x00", "").splitlines())


def _number(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _decoded(value: bytes) -> str:
    """Return text that a writer stored as bytes, as some do in Parquet; other bytes, such as a shape, as hex digits."""
    try:
        return _cell(value.decode("utf-8"))
    except UnicodeDecodeError:
        return value.hex()


def _moment(value: datetime) -> str:
    midnight = value.time() == time.min and value.tzinfo is None
    return value.date().isoformat() if midnight else value.isoformat(" ")


# A bool is an int and a datetime a date: the narrower type goes first.
_WRITERS: Final[tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...]] = (
    (type(None), lambda _: ""),
    (bool, lambda value: "true" if value else "false"),
    (bytes, _decoded),
    (float, _number),
    (datetime, _moment),
    ((date, time), lambda value: value.isoformat()),
    (timedelta, lambda value: repr(value.total_seconds() / 86_400)),
    (dict, lambda value: json.dumps(value, default=str)),
)
