"""A table without persons as the bytes that reach disk: the same rows and bad lines at the same line numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from core.collect.privacy.findings import REMOVED
from core.collect.privacy.patterns import as_array
from core.collect.reading.table import BadLine, RawTable
from core.collect.reading.totals import TOTAL


def as_csv(table: RawTable) -> bytes:
    """Return the table as comma separated UTF-8 that reads as the same rows and bad lines at the same line numbers."""
    quoted = [_quoted(as_array(table.frame[column])) for column in table.frame]
    rows = pc.binary_join_element_wise(*quoted, _text(","), null_handling="replace", null_replacement="")
    header = _record(str(column) for column in table.frame)
    lines = _interleaved(header, rows.to_pylist(), table) if table.bad_lines else iter([header, *rows.to_pylist()])
    return ("\n".join(lines) + "\n").encode("utf-8")


def _quoted(cells: pa.Array) -> pa.Array:
    needs = pc.match_substring_regex(cells, r'[,"\r\n]')
    if not pc.any(needs).as_py():
        return cells
    doubled = pc.replace_substring(cells, '"', '""')
    return pc.if_else(needs, pc.binary_join_element_wise(_text('"'), doubled, _text('"'), _text("")), cells)


def _interleaved(header: str, rows: list[str], table: RawTable) -> Iterator[str]:
    """Yield header, rows and stand-ins of bad lines in file order; blank lines keep bad lines at their line numbers."""
    yield header
    line, row = 2 + header.count("\n"), 0
    good, bad = table.row_numbers.tolist(), iter(table.bad_lines)
    for number in range(1, table.rows_in + 1):
        if row < len(good) and good[row] == number:
            yield rows[row]
            line += 1 + rows[row].count("\n")
            row += 1
            continue
        lost = next(bad)
        for _ in range(line, lost.line):
            yield ""
        yield _stand_in(lost, len(table.frame.columns))
        line = max(line, lost.line) + 1


def _stand_in(lost: BadLine, width: int) -> str:
    if lost.reason == TOTAL:
        return "Total" + "," * (width - 1)
    fields, _, wanted = lost.reason.partition(" fields where the header and other rows have ")
    if not wanted:
        return f'"{REMOVED}" out of place'
    # As many fields too many or too few as there were.
    missed = int(fields) - int(wanted)
    return ",".join([REMOVED] * max(1, width + missed)) if width + missed != width else REMOVED


def _text(mark: str) -> pa.Scalar:
    return pa.scalar(mark, pa.large_string())


def _record(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()
