"""What a cut made and what became of its pieces, as JSON values and as lines of text."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from core.accounting import reason_words
from core.wording import count
from core.workflows.cutting.cut import MONTH, CutReport
from core.workflows.cutting.pieces import NO_VALUE_FILE, UNREAD_FILE
from core.workflows.cutting.taking import TakenPiece

_HEADINGS: Final = ("market", "rows in", "accepted", "repaired", "duplicate", "set aside", "rejected", "version", "s")
_WIDTHS: Final = (24, 11, 11, 10, 10, 10, 10, 18, 6)


def cut_document(report: CutReport) -> dict[str, Any]:
    """Return the report of a cut as JSON values."""
    return {**asdict(report), "folder": str(report.folder)}


def cut_lines(report: CutReport) -> list[str]:
    """Return the report of a cut as lines: a line for each piece, the rest, the sum, and what to do next."""
    lines = [
        f"{one.file:40} {_rows(one.rows)}"
        + (f"  also written {', '.join(map(repr, one.spellings))}" if one.spellings else "")
        for one in report.pieces
    ]
    what = "a date of sale" if report.by == MONTH else f"a value in {report.by!r}"
    if report.no_value:
        lines.append(f"{NO_VALUE_FILE:40} {_rows(report.no_value)} without {what}")
    if report.unread:
        lines.append(f"{UNREAD_FILE:40} {report.unread:>12,} {_that_do_not_fit(report.unread)}")
    in_pieces = report.rows_in - report.no_value - report.unread
    lines.append(
        f"{report.rows_in:,} rows in = {in_pieces:,} in {len(report.pieces):,} files + {report.no_value:,} without "
        f"{what} + {report.unread:,} unread; {report.seconds:,.1f} s"
    )
    lines.append(f"read as {report.reading}" + (f"; {report.doubt}" if report.doubt else ""))
    more = " --market NAME" if report.by == MONTH else ""
    folder = shlex.quote(str(report.folder))
    lines.append(f"next: ingest-pieces {folder}{more}" if report.pieces else "nothing to take in")
    return lines


def _rows(number: int) -> str:
    return f"{number:>12,} {'row' if number == 1 else 'rows'}"


def _that_do_not_fit(lines: int) -> str:
    return "line that does not fit the table" if lines == 1 else "lines that do not fit the table"


def taken_document(taken: Sequence[TakenPiece], left: Sequence[str]) -> dict[str, Any]:
    """Return what became of the files of a folder as JSON values."""
    return {
        "files": [asdict(one) for one in taken],
        "taken": sum(not one.refused for one in taken),
        "refused": sum(bool(one.refused) for one in taken),
        "left": list(left),
    }


def taken_lines(taken: Sequence[TakenPiece], left: Sequence[str]) -> list[str]:
    """Return what became of the files as a table, with the reason of each that was refused."""
    lines = [_row(_HEADINGS), *map(_line, taken)]
    good = [one for one in taken if not one.refused]
    rows, known = sum(one.rows_in for one in good), sum(not one.changed for one in good)
    as_before = f", {known:,} of them with nothing new" if known else ""
    refused = len(taken) - len(good)
    lines.append(f"{len(good):,} of {len(taken):,} files read: {rows:,} rows{as_before}; {refused:,} refused")
    lines += _reasons(good)
    lines += _left_out(good)
    lines += [f"left in the folder: {name}" for name in left]
    return lines


def _reasons(taken: Sequence[TakenPiece]) -> list[str]:
    """Say of how many rows of all files what was found, the most first."""
    counts = sum((Counter(one.reasons) for one in taken), Counter[str]())
    found = ", ".join(f"{reason_words(code)} {number:,}" for code, number in counts.most_common())
    return [f"of the rows: {found}"] if found else []


def _left_out(taken: Sequence[TakenPiece]) -> list[str]:
    """Name each column that was not read, in how many files, and why in the first of them."""
    why: dict[str, str] = {}
    files = Counter[str]()
    for one in taken:
        files.update(one.left_out.keys())
        why = {**one.left_out, **why}
    return [
        f"column {column!r} left out of {count(number, 'file')}: {why[column]}"
        for column, number in sorted(files.items())
    ]


def _line(one: TakenPiece) -> str:
    if one.refused:
        return f"{one.name:<{_WIDTHS[0]}} refused ({one.file}): {one.refused}"
    counts = (one.rows_in, one.accepted, one.repaired, one.duplicate, one.set_aside, one.rejected)
    version = one.version if one.changed else f"{one.version} (as before)"
    return _row((one.name, *(f"{count:,}" for count in counts), version, f"{one.seconds:,.1f}"))


def _row(cells: Sequence[str]) -> str:
    first, *rest = zip(cells, _WIDTHS, strict=True)
    return " ".join([f"{first[0]:<{first[1]}}", *(f"{cell:>{width}}" for cell, width in rest)]).rstrip()
