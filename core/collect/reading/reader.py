"""Files of sales in any usual form become tables of text, with every bad line counted and the reading recorded."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from core.accounting import REASON_OF_ROW
from core.collect.reading.choosing import SALES_MIN, Rating, best_rated, note_of_choice, rating_of, unrated
from core.collect.reading.encodings import decode, doubt_of_encoding
from core.collect.reading.formats import json_text, parquet_text, workbook_text
from core.collect.reading.layout import SEPARATORS, Layout, find_layout
from core.collect.reading.packing import (
    DEFAULT_MAX_BYTES,
    gunzip,
    read_bytes,
    refuse_large,
    refuse_long_lines,
    refuse_several,
    unzip,
    zip_members,
    zipped_tables,
)
from core.collect.reading.records import Records, read_records
from core.collect.reading.table import FileFormat, RawTable, Reading, ReadingChoice
from core.collect.reading.totals import without_totals
from core.errors import FileEmpty, FileUnreadable
from core.spreadsheet import as_written

_READABLE: Final = "Doorstep reads CSV and TSV files, Excel and OpenDocument workbooks, Parquet and JSON records."
_SIGNATURES: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"%PDF", "a PDF document", "Ask for the table itself as CSV; a PDF holds only its picture."),
    (b"SQLite format 3", "a SQLite database", "Export the table of sales as CSV."),
    (b"\x89PNG", "a PNG picture", "Upload the table as CSV."),
    (b"\xff\xd8\xff", "a JPEG picture", "Upload the table as CSV."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it and upload the CSV inside."),
    (b"Rar!", "a RAR archive", "Unpack it and upload the CSV inside."),
    (b"BZh", "a bzip2 archive", "Unpack it, or pack it with gzip instead."),
    (b"\xfd7zXZ", "an xz archive", "Unpack it, or pack it with gzip instead."),
)
_MARKUP: Final = (("<!doctype", "a web page"), ("<html", "a web page"), ("<?xml", "an XML document"))
_WORKBOOK_NAMES: Final = (".xlsx", ".xls", ".ods")
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0"
_WORKBOOK_PARTS: Final = ("xl/", "[Content_Types].xml", "content.xml")


@dataclass(frozen=True)
class Extracted:
    """A file as text, whatever form it came in; ``separator`` is empty where it has to be found."""

    text: str
    reading: Reading
    separator: str = ""


def read_table(
    path: Path,
    name: str | None = None,
    max_bytes: int = DEFAULT_MAX_BYTES,
    choice: ReadingChoice | None = None,
    rate: Rating = unrated,
) -> RawTable:
    """Read delimited text (plain, gzipped or zipped), a workbook, a Parquet table or JSON records as text columns.

    Form, encoding, separator, sheet and header are found from the content, never from the file's name, unless
    ``choice`` says them. Of several tables the one is read whose header ``rate`` takes for that of sales. Raises
    FileUnreadable, FileEmpty, FileTooLarge or DuplicateHeaders, each naming the file and the remedy.
    """
    shown = name or path.name
    return parse_table(read_bytes(path, shown, max_bytes), shown, max_bytes, choice, rate)


def parse_table(
    content: bytes,
    name: str,
    max_bytes: int = DEFAULT_MAX_BYTES,
    choice: ReadingChoice | None = None,
    rate: Rating = unrated,
) -> RawTable:
    """Read a file's bytes as read_table does, before they are anywhere on disk; raises the same errors."""
    return table_of(extract(content, name, max_bytes, choice, rate), hashlib.sha256(content).hexdigest(), name)


def table_of(extracted: Extracted, sha256: str, name: str) -> RawTable:
    """Return the table in a file's text; raises FileUnreadable, FileEmpty, FileTooLarge or DuplicateHeaders."""
    is_text = extracted.reading.format is FileFormat.DELIMITED
    try:
        layout, records = _laid_out(extracted, name)
    except FileEmpty as error:
        if is_text and extracted.text.strip() and name.lower().endswith(_WORKBOOK_NAMES):
            raise FileUnreadable(
                f"{name} is no workbook, although its name says so: it holds plain text without rows below a header. "
                "Save the table again as a workbook or as CSV."
            ) from error
        raise
    reading = replace(
        extracted.reading,
        separator=layout.separator if is_text else "",
        header_line=layout.header_line,
        skipped=layout.skipped,
    )
    table = RawTable(
        name=name,
        sha256=sha256,
        reading=reading,
        frame=_as_written(_to_frame(records, layout, name)),
        bad_lines=records.bad_lines,
        row_numbers=records.row_numbers,
    )
    return without_totals(table)


def _as_written(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table as it was before its rows were downloaded from here, if they were; else as it is."""
    if REASON_OF_ROW not in frame:
        return frame
    names = as_written(pd.Series(frame.columns, dtype="str"))
    return pd.DataFrame({name: as_written(frame[column]) for column, name in zip(frame.columns, names, strict=True)})


def _laid_out(extracted: Extracted, name: str) -> tuple[Layout, Records]:
    """Return how a file's text is laid out, and its records, of which there is at least one."""
    layout = find_layout(extracted.text, name, extracted.separator)
    records = read_records(extracted.text, layout)
    if not len(records.row_numbers):
        raise _none_read(name, layout, records)
    return layout, records


def extract(
    content: bytes,
    name: str,
    max_bytes: int = DEFAULT_MAX_BYTES,
    choice: ReadingChoice | None = None,
    rate: Rating = unrated,
) -> Extracted:
    """Return a file's content as text, unpacked where packed; raises FileTooLarge, FileEmpty or FileUnreadable."""
    chosen = choice or ReadingChoice()
    refuse_large(name, "is", len(content), max_bytes)
    data = gunzip(content, name, max_bytes)
    if not data.startswith(b"PK\x03\x04") or _is_workbook(data, name):
        return _extract_plain(data, name, max_bytes, chosen, rate)
    unpacked = _unpacked(data, name, max_bytes, chosen, rate)
    ratings = {title: rating_of(one.text, rate) for title, one in unpacked.items()}
    best = best_rated(ratings)
    if len(best) > 1:
        raise refuse_several(name, best, max(ratings.values()) >= SALES_MIN)
    found = unpacked[best[0]]
    notes = found.reading.notes
    if len(unpacked) > 1:
        rows = {title: max(0, len(one.text.splitlines()) - 1) for title, one in unpacked.items()}
        notes = (note_of_choice("table", best[0], ratings, rows), *notes)
    return replace(found, reading=replace(found.reading, member=best[0], notes=notes))


def _unpacked(data: bytes, name: str, max_bytes: int, chosen: ReadingChoice, rate: Rating) -> dict[str, Extracted]:
    """Return the tables of an archive by name; of several, without those that cannot be read."""
    tables = zipped_tables(data, name, max_bytes)
    unpacked: dict[str, Extracted] = {}
    for one in tables:
        try:
            member = gunzip(unzip(data, one, name, max_bytes), name, max_bytes)
            unpacked[one.filename] = _extract_plain(member, name, max_bytes, chosen, rate)
        except (FileUnreadable, FileEmpty):
            if len(tables) == 1 or (one is tables[-1] and not unpacked):
                raise
    return unpacked


def _extract_plain(data: bytes, name: str, max_bytes: int, chosen: ReadingChoice, rate: Rating) -> Extracted:
    """Return the text of a file that is not packed, or a workbook's."""
    if data.startswith(_OLD_OFFICE) or (data.startswith(b"PK\x03\x04") and _is_workbook(data, name)):
        text, reading = workbook_text(data, name, chosen.sheet, max_bytes, rate)
        return Extracted(text, reading, ",")
    if data.startswith(b"PAR1"):
        return Extracted(parquet_text(data, name, max_bytes), Reading(FileFormat.PARQUET), ",")
    refuse_other_types(data, name)
    if not looks_like_json(data[:100].decode("latin-1").lstrip("ï»¿ÿþ\x00 \t\r\n").replace("\x00", "")):
        refuse_long_lines(data, name)
    text, encoding = decode(data, name, chosen.encoding, chosen.usual_encoding)
    doubt = None if encoding in (chosen.encoding, chosen.usual_encoding) else doubt_of_encoding(data, encoding)
    notes = (doubt,) if doubt else ()
    start = text[:100].lstrip("\ufeff \t\r\n").lower()
    for opening, what in _MARKUP:
        if start.startswith(opening):
            raise _of_another_type(name, what, "Export the table as CSV.")
    if looks_like_json(start):
        return Extracted(json_text(text, name), Reading(FileFormat.JSON, encoding, notes=notes), ",")
    if chosen.separator and text.strip() and chosen.separator not in text:
        mark = SEPARATORS.get(chosen.separator, repr(chosen.separator))
        raise FileUnreadable(
            f"{name} has no {mark}, which its mapping names as the separator. Correct it there, or leave it empty to "
            "have it found from the file."
        )
    return Extracted(text, Reading(FileFormat.DELIMITED, encoding, notes=notes), chosen.separator)


def looks_like_json(start: str) -> bool:
    """Tell whether a text begins as JSON does."""
    return start.startswith(("{", "[{", "[\n", "[ ")) and not _BRACED_ID.match(start.lower())


def _is_workbook(data: bytes, shown: str) -> bool:
    return any(one.filename.startswith(_WORKBOOK_PARTS) for one in zip_members(data, shown))


def refuse_other_types(data: bytes, shown: str) -> None:
    """Raise FileUnreadable for bytes that begin as a file of another type does."""
    for signature, what, remedy in _SIGNATURES:
        if data.startswith(signature):
            raise _of_another_type(shown, what, remedy)
    if data.startswith(b"PK\x03\x04"):
        raise _of_another_type(shown, "a ZIP archive inside another", "Unpack it and upload the CSV inside.")


def _of_another_type(shown: str, what: str, remedy: str) -> FileUnreadable:
    return FileUnreadable(f"{shown} looks like {what}. {_READABLE} {remedy}")


def _none_read(shown: str, layout: Layout, records: Records) -> FileEmpty | FileUnreadable:
    if not records.bad_lines:
        return FileEmpty(f"{shown} has a header and no rows. Choose a file with at least one row below the header.")
    first, mark = records.bad_lines[0], SEPARATORS.get(layout.separator, layout.separator)
    return FileUnreadable(
        f"{shown}: none of its {len(records.bad_lines)} rows could be read with {mark}"
        f" as separator; line {first.line}: {first.reason}. Save it again as CSV with one separator throughout."
    )


def _to_frame(records: Records, layout: Layout, shown: str) -> pd.DataFrame:
    header, cells = list(layout.header), [_text_series(column) for column in records.columns]
    if len(cells) == len(header) + 1:
        cells = _without_extra(cells, header, layout, shown)
    named: dict[str, pd.Series] = {}
    for place, (title, values) in enumerate(zip(header, cells, strict=True), start=1):
        if title or not (values.isna().all() or (place == 1 and _is_row_index(values))):
            named[title or _free_name(place, header)] = values
    if not named:
        raise FileUnreadable(f"{shown} has no column with a name or values. Choose a file with the facts of the homes.")
    return pd.DataFrame(named, index=pd.RangeIndex(len(records.row_numbers)))


def _without_extra(cells: list[pd.Series], header: list[str], layout: Layout, shown: str) -> list[pd.Series]:
    """Leave out the one column more than the header names: an empty last one, or row names in the first."""
    if cells[-1].isna().all():
        return cells[:-1]
    if _are_row_names(cells[0]) and header[0].casefold() not in _ROW_LABELS:
        return cells[1:]
    mark = SEPARATORS.get(layout.separator, layout.separator)
    raise FileUnreadable(
        f"{shown}: the header names {len(header)} columns but the rows hold {len(cells)}, as in line "
        f"{layout.body_line}. Either a {mark} inside a cell is not quoted, or a column has no name. Put such cells in "
        "quotation marks, or name every column in the header."
    )


# Ids of Microsoft's programs, as those of HM Land Registry, stand in braces.
_BRACED_ID: Final = re.compile(r"\{[0-9a-f]{8}-[0-9a-f]{4}-")
_ROW_LABELS: Final = frozenset({"id", "#", "no", "no.", "nr", "row", "index", "rownum"})


def _are_row_names(values: pd.Series) -> bool:
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype="float64")
    return bool(len(numbers) > 0 and numbers[0] < 1_000 and (np.diff(numbers) > 0).all())


def _free_name(place: int, header: list[str]) -> str:
    name = f"column_{place}"
    while name in header:
        name += "_unnamed"
    return name


def _text_series(column: pa.Array) -> pd.Series:
    return pd.Series(pd.array(column, dtype="str"))


def _is_row_index(values: pd.Series) -> bool:
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype="float64")
    return bool(len(numbers) > 0 and numbers[0] in (0, 1) and (np.diff(numbers) == 1).all())
