"""Where a text file's header and records are: its separator, the lines above the header, and their widths."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from core.collect.reading.encodings import SAMPLE_CHARS
from core.collect.reading.table import SkippedLine
from core.errors import DuplicateHeaders, FileEmpty, FileTooLarge, FileUnreadable

SEPARATORS: Final = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe", "^": "caret"}
MAX_COLUMNS: Final = 1_000
"""The largest number of columns a file may have; the RESO Data Dictionary has 652 fields."""

_SAMPLE_RECORDS: Final = 200
_MOST_ABOVE: Final = 40  # lines looked at for the header
_FIGURE: Final = re.compile(r"[-+]?[$€£¥]?\s?[0-9][0-9.,' ]*%?")
_DATE: Final = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(?:[T ].*)?")
_NO_VALUE: Final = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?", "."})
_SAME_CLASS: Final = 0.8
_BAND_FILLED: Final = 0.7


@dataclass(frozen=True)
class Layout:
    """Where records are. ``width`` is the fields of a data record: one more than the header's with row names.

    ``body_at`` is the character at which the first data record starts, ``body_line`` its physical line, from 1;
    ``header_line`` is 0 for a file without a header, whose columns are called column_1 and so on.
    """

    separator: str
    header: tuple[str, ...]
    body_at: int
    body_line: int
    width: int
    header_line: int
    skipped: tuple[SkippedLine, ...] = ()


@dataclass(frozen=True)
class _Record:
    cells: tuple[str, ...]
    line: int  # first physical line, from 0
    after: int  # line below it


def find_layout(text: str, shown: str, separator: str = "") -> Layout:
    """Find separator and header of a text; raises FileEmpty, FileUnreadable, FileTooLarge or DuplicateHeaders."""
    if not text.strip():
        raise FileEmpty(f"{shown} is empty. Choose a file with a header line and at least one row.")
    best = _best_layout(text, separator or _declared_separator(text) or tuple(SEPARATORS))
    if best.width == 1 and not separator:
        # A first line may name a separator that an editor has changed since.
        best = _best_layout(text, tuple(SEPARATORS))
    if not text[best.body_at :].strip():
        raise FileEmpty(f"{shown} has a header and no rows. Choose a file with at least one row below the header.")
    _refuse_unusable(best, text, shown)
    return _without_second_header(best, text)


def _best_layout(text: str, marks: Iterable[str]) -> Layout:
    marks = tuple(marks)
    score, plain = max((_try_separator(text, mark) for mark in marks), key=lambda pair: pair[0])
    if '\\"' not in text[:SAMPLE_CHARS]:
        return plain
    # Some databases write \" where CSV has "": a comma behind it then divides no cells.
    other, escaped = max((_try_separator(text, mark, "\\") for mark in marks), key=lambda pair: pair[0])
    fits_better = escaped.width == len(escaped.header) and (plain.width != len(plain.header) or other[0] > score[0])
    return escaped if fits_better and other[0] >= score[0] else plain


def physical_lines(text: str) -> list[str]:
    """Return the lines of a text with their ends, whatever kind they are."""
    return list(io.StringIO(text, newline=""))


def _refuse_unusable(layout: Layout, text: str, shown: str) -> None:
    if len(layout.header) == 1 and layout.width == 1:
        raise FileUnreadable(
            f"{shown} has a single column, {layout.header[0][:80]!r}. The columns must be separated by comma, tab, "
            "semicolon, pipe or caret: save it again with one of these."
        )
    if layout.width > MAX_COLUMNS:
        raise FileTooLarge(
            f"{shown} has {layout.width:,} columns; the limit is {MAX_COLUMNS:,}. Upload the columns of the homes only."
        )
    titles = Counter(title for title in layout.header if title)
    twice = sorted(title for title, times in titles.items() if times > 1)
    if twice:
        raise DuplicateHeaders(
            f"{shown} has more than one column named {', '.join(map(repr, twice))}. Rename them so that each differs."
        )
    glued = _glued_at(layout, text)
    if glued:
        raise FileUnreadable(
            f"{shown}: line {layout.header_line} holds the header and the first row in one. Break the line in "
            f"{glued[:60]!r}, between the last header and the first value."
        )


def _declared_separator(text: str) -> str:
    # Excel writes, and reads, a first line like "sep=;".
    first = text[:8].splitlines()[0].strip().lower() if text[:8].strip() else ""
    return first[4] if first.startswith("sep=") and len(first) == 5 else ""


def _try_separator(
    text: str, separator: str, escape: str | None = None
) -> tuple[tuple[float, bool, int, bool, int], Layout]:
    """Score a separator by the share of sampled records as wide as the header, then by that width.

    One that does not divide the header yields to one that does, and one that makes a title of the header to one that
    reads it. Where a comma does as well as another, it is the decimal mark.
    """
    lines = physical_lines(text[:SAMPLE_CHARS])
    if len(text) > SAMPLE_CHARS and len(lines) > 1:
        lines = lines[:-1]  # cut in two by the end of the sample
    first = 1 if _declared_separator(text) else 0
    skipped = [SkippedLine(1, "names the separator")] if first else []
    while first < len(lines) - 1 and (not lines[first].strip() or _is_comment(lines[first])):
        skipped.append(SkippedLine(first + 1, "a comment" if lines[first].strip() else "blank"))
        first += 1
    records = _sampled(lines, first, separator, escape)
    at = _header_among(records)
    skipped += [SkippedLine(one.line + 1, "a title above the header") for one in records[:at]]
    header = records[at] if records else _Record((), first, first + 1)
    widths = [len(one.cells) for one in records[at + 1 :]]
    width, share = _width_and_share(len(header.cells), widths)
    body_line = header.after
    titles, header_line = header.cells, header.line + 1
    if _is_data(header.cells, [one.cells for one in records[at + 1 :]]):
        titles, header_line, body_line = tuple(f"column_{n + 1}" for n in range(len(titles))), 0, header.line
    layout = Layout(
        separator, titles, sum(map(len, lines[:body_line])), body_line + 1, width, header_line, tuple(skipped)
    )
    fits = round(share, 1) if width > 1 else 0.0
    return (fits, len(titles) > 1, -at, width > 1 and separator != ",", width), layout


def _is_comment(line: str) -> bool:
    # "#,date,price" and "#ofBeds,price" are headers.
    return re.match(r"\s*(?:#+\s|//|--\s)", line) is not None


def _sampled(lines: Sequence[str], first: int, separator: str, escape: str | None = None) -> list[_Record]:
    reader = csv.reader(lines[first:], delimiter=separator, escapechar=escape, doublequote=escape is None)
    found: list[_Record] = []
    before = first
    for cells in itertools.islice(_until_error(reader), _SAMPLE_RECORDS + 1):
        if cells:
            found.append(_Record(tuple(cell.strip() for cell in cells), before, first + reader.line_num))
        before = first + reader.line_num
    return found


def _until_error(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    while True:
        try:
            yield next(reader)
        except (StopIteration, csv.Error):
            return


def _header_among(records: Sequence[_Record]) -> int:
    """Return the place of the header: the first record, or the first as wide as the rest below titles that are not."""
    if len(records) < 3:
        return 0
    usual, times = Counter(len(one.cells) for one in records).most_common(1)[0]
    if usual < 2 or times < 0.5 * len(records):
        return 0
    for place, one in enumerate(records[:_MOST_ABOVE]):
        filled = sum(cell != "" for cell in one.cells)
        is_title = (filled <= 1 and usual > 2) or _is_band(one, records[place + 1 :])
        if len(one.cells) == usual and not is_title:
            return place
        # A header beside rows with a row name, or of broken rows, is no title.
        if len(one.cells) > 1 and not is_title and len(one.cells) > usual // 2:
            return place
    return 0


def _is_band(one: _Record, below: Sequence[_Record]) -> bool:
    """Tell whether a line names groups of columns: texts with gaps, above a line of headers without any."""
    if len(below) < 3 or len(below[0].cells) != len(one.cells):
        return False
    names, rows = below[0].cells, [record.cells for record in below[1:]]
    has_gaps = 0 < sum(cell != "" for cell in one.cells) <= _BAND_FILLED * len(one.cells)
    are_headers = len(set(names)) == len(names) and all(_class(cell) == "text" for cell in names)
    kinds = _classes(rows, len(names))
    return has_gaps and are_headers and sum(kind in ("number", "date") for kind in kinds) >= 2


def _width_and_share(header: int, widths: list[int]) -> tuple[int, float]:
    if not widths:
        return header, 1.0
    as_header, one_more = (widths.count(width) / len(widths) for width in (header, header + 1))
    return (header + 1, one_more) if one_more > 0.5 and as_header < 0.1 else (header, as_header)


def _class(cell: str) -> str:
    """Return what a cell looks like: a date, a number, a text, or nothing."""
    if cell.casefold() in _NO_VALUE:
        return ""
    if _DATE.fullmatch(cell):
        return "date"
    return "number" if _FIGURE.fullmatch(cell) else "text"


def _classes(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """Return for each column the class of most of its cells; empty where there is none."""
    found = []
    for place in range(width):
        counts = Counter(_class(row[place]) for row in rows if len(row) == width)
        counts.pop("", None)
        name, times = counts.most_common(1)[0] if counts else ("", 0)
        found.append(name if times >= _SAME_CLASS * sum(counts.values()) else "")
    return found


def _is_data(first: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> bool:
    """Tell whether a first record is a sale like those below it: numbers and dates where they have them."""
    if len(rows) < 2:
        return False
    pairs = [
        (_class(cell), kind)
        for cell, kind in zip(first, _classes(rows, len(first)), strict=True)
        if kind in ("number", "date") and _class(cell)
    ]
    return (
        bool(pairs) and all(cell == kind for cell, kind in pairs) and _class(first[0]) == _classes(rows, len(first))[0]
    )


def _without_second_header(layout: Layout, text: str) -> Layout:
    """Leave out a second line of headers: texts in all columns that hold numbers or dates below it."""
    lines = physical_lines(text[layout.body_at : layout.body_at + SAMPLE_CHARS])
    records = _sampled(lines, 0, layout.separator)
    if layout.header_line == 0 or len(records) < 4:
        return layout
    first, rows = records[0], [one.cells for one in records[1:]]
    pairs = [
        (_class(cell), kind)
        for cell, kind in zip(first.cells, _classes(rows, len(first.cells)), strict=True)
        if kind in ("number", "date") and _class(cell)
    ]
    if len(pairs) < 2 or any(cell != "text" for cell, _ in pairs) or len(first.cells) != layout.width:
        return layout
    line = SkippedLine(layout.body_line + first.line, "a second line of headers")
    return replace(
        layout,
        body_at=layout.body_at + sum(map(len, lines[: first.after])),
        body_line=layout.body_line + first.after,
        skipped=(*layout.skipped, line),
    )


def _glued_at(layout: Layout, text: str) -> str:
    """Return the cell in which a header runs into the first row, empty where it does not."""
    records = _sampled(physical_lines(text[layout.body_at : layout.body_at + SAMPLE_CHARS]), 0, layout.separator)
    if not records:
        return ""
    usual = Counter(len(one.cells) for one in records).most_common(1)[0][0]
    if usual < 2 or len(layout.header) != 2 * usual - 1:
        return ""
    kinds = _classes([one.cells for one in records], usual)
    values = [_class(cell) for cell in layout.header[usual:]]
    agree = all(value in ("", kind) or not kind for value, kind in zip(values, kinds[1:], strict=True))
    return layout.header[usual - 1] if agree and any(value in ("number", "date") for value in values) else ""
