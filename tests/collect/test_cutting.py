"""A table is split into its records, whatever its cells hold and wherever its blocks end."""

from __future__ import annotations

import csv
import io
import itertools
from typing import Literal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.collect.cutting.records import Records, RecordSplitter
from core.collect.reading.layout import Layout
from core.errors import FileTooLarge

CELLS = st.text(st.sampled_from(["a", "ü", "東", '"', "\n", "\r", ",", ";", "\\", " ", "\u2028", "'"]), max_size=6)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=12)


def layout(separator: str = ",", width: int = 3) -> Layout:
    return Layout(separator, ("a", "b", "c")[:width], 0, 1, width, 1)


def split(text: str, ends: list[int], separator: str = ",") -> list[Records]:
    splitter = RecordSplitter(layout(separator), [0, 2], "a.csv")
    places = [0, *sorted(end % (len(text) + 1) for end in ends), len(text)]
    blocks = [text[start:end] for start, end in itertools.pairwise(places)]
    return [*(splitter.split(block) for block in blocks), splitter.split("", last=True)]


def raw(parts: list[Records]) -> str:
    return b"".join(one for part in parts for one in part.raw.to_pylist()).decode()


@given(
    ROWS, st.lists(st.integers(0, 500), max_size=5), st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"])
)
def test_records_are_as_they_stand_wherever_the_blocks_end(
    rows: list[tuple[str, str, str]], ends: list[int], separator: str, line_end: str
) -> None:
    buffer = io.StringIO(newline="")
    # Python's writer leaves a lone return bare, which ends a line for every reader.
    quoting: Literal[0, 1] = csv.QUOTE_ALL if any("\r" in cell for row in rows for cell in row) else csv.QUOTE_MINIMAL
    csv.writer(buffer, delimiter=separator, lineterminator=line_end, quoting=quoting).writerows(rows)
    text = buffer.getvalue()
    parts = split(text, ends, separator)
    assert raw(parts) == text
    assert [part.unread for part in parts if part.unread] == []
    found = [pa.concat_arrays([part.cells[at].cast(pa.large_string()) for part in parts]).to_pylist() for at in (0, 1)]
    assert found == [[row[0] for row in rows], [row[2] for row in rows]]
    assert sum(len(part.raw) for part in parts) == len(rows)


@pytest.mark.parametrize(
    ("line", "unread"),
    [("1,2\n", 1), ("1,2,3,4\n", 1), ('"1,2,3\n', 1), ("\n", 0), ("  \n", 0)],
    ids=["few", "many", "open quote", "blank", "spaces"],
)
@pytest.mark.parametrize("ends", [[], [3], [14, 20]], ids=str)
def test_a_line_that_is_no_row_costs_no_other_line(line: str, unread: int, ends: list[int]) -> None:
    before, after = 'x,"y, z",1\n', "".join(f"{n},b,{n}\n" for n in range(20))
    parts = split(before + line + after, ends)
    assert raw(parts) == before + after
    assert [one.decode() for part in parts for one in part.unread] == [line] * unread


def test_quotation_marks_behind_a_backslash_are_read_as_the_intake_reads_them() -> None:
    text = '1,"a \\"b\\", c",2\n3,d,4\n'
    assert raw(split(text, [])) == text


def test_a_last_row_without_a_line_end_gets_one() -> None:
    assert raw(split("1,2,3\n4,5,6", [])) == "1,2,3\n4,5,6\n"


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    splitter = RecordSplitter(layout(), [0], "a.csv")
    assert len(splitter.split("x" * 4_000_000).raw) == 0
    with pytest.raises(FileTooLarge, match=r"a\.csv has a line longer than 4 MB"):
        splitter.split("x" * 1_000_000)
