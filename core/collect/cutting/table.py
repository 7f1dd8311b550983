"""A table too large for memory: its header and first rows, and its records block by block."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.collect.cutting.records import Records, RecordSplitter
from core.collect.cutting.stream import Source, text_blocks
from core.collect.reading.layout import Layout, find_layout
from core.collect.reading.reader import Extracted, table_of
from core.collect.reading.records import read_records
from core.collect.reading.table import FileFormat, RawTable, Reading
from core.errors import MappingError

_SAMPLE_CHARS: Final = 2 * 1024 * 1024
_SHOWN: Final = 40


@dataclass
class LargeTable:
    """A file opened for one reading: how it is laid out, and its first rows as the intake reads them."""

    source: Source
    layout: Layout
    sample: RawTable
    _start: str
    _blocks: Iterator[str]
    _lone_returns: bool
    _shift: int

    def place_of(self, column: str) -> int:
        """Return where the cells of a column stand in a record; raises MappingError, naming the columns there are."""
        header = self.layout.header
        folded = column.strip().casefold()
        found = [at for at, name in enumerate(header) if name == column.strip()]
        found = found or [at for at, name in enumerate(header) if name.casefold() == folded]
        if len(found) != 1:
            names = ", ".join(map(repr, [name for name in header if name][:_SHOWN]))
            more = f" and {len(header) - _SHOWN} more" if len(header) > _SHOWN else ""
            raise MappingError(f"{self.source.shown} has no column {column!r}. Its columns are {names}{more}.")
        return found[0] + self._shift

    def title_at(self, place: int) -> str:
        """Return the title of the column whose cells stand at that place."""
        return self.layout.header[place - self._shift]

    def header_line(self) -> bytes:
        """Return the header as the first line of a file with this table's separator."""
        buffer = io.StringIO(newline="")
        csv.writer(buffer, delimiter=self.layout.separator, lineterminator="\n").writerow(self.layout.header)
        return buffer.getvalue().encode("utf-8")

    def records(self, places: Sequence[int]) -> Iterator[Records]:
        """Yield the records of the table, once, with the cells at these places; raises CollectError leaves."""
        splitter = RecordSplitter(self.layout, places, self.source.shown)
        for block in itertools.chain([self._start[self.layout.body_at :]], self._blocks):
            yield splitter.split(block.replace("\r", "\n") if self._lone_returns else block)
        yield splitter.split("", last=True)


def open_table(path: Path, shown: str, encoding: str = "") -> LargeTable:
    """Open a file for one reading; raises FileUnreadable, FileEmpty, FileTooLarge or DuplicateHeaders."""
    source = Source(path, shown)
    blocks = text_blocks(source, encoding)
    start, is_whole = _beginning(blocks)
    sample = start[:_SAMPLE_CHARS]
    if not is_whole or len(sample) < len(start):
        sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
    separator = "," if source.format is FileFormat.PARQUET else ""
    layout = find_layout(sample, shown, separator)
    reading = Reading(source.format, source.encoding)
    raw = table_of(Extracted(sample, reading, separator), hashlib.sha256(sample.encode()).hexdigest(), shown)
    return LargeTable(source, layout, raw, start, blocks, "\n" not in sample, _shift_of(layout, sample))


def _beginning(blocks: Iterator[str]) -> tuple[str, bool]:
    """Return enough of a text to find its layout, and whether that is all of it."""
    start = ""
    for block in blocks:
        start += block
        if len(start) >= _SAMPLE_CHARS:
            return start, False
    return start, True


def _shift_of(layout: Layout, sample: str) -> int:
    """Return by how much cells stand behind their titles: 1 where rows begin with a name that has no title."""
    if layout.width != len(layout.header) + 1:
        return 0
    last = read_records(sample, layout).columns[-1]
    return 0 if last.null_count == len(last) else 1
