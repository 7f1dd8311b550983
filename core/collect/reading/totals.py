"""Rows of totals between and below the rows of a table: they sum up homes and are none themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Bools
from core.collect.reading.table import BadLine, RawTable, ReadingNote
from core.wording import count

TOTAL: Final = "a total of other rows"
"""Why a row of totals is left out."""

_WORDS: Final = (
    r"(?:(?:grand|sub|sum|over)[ -]?)?totals?|sum|summe|gesamt|gesamtsumme|zwischensumme|endsumme|insgesamt"
    r"|(?:sous[ -]?)?total (?:général|general)|sous[ -]?total|ensemble|suma|suma ko[ńn]cowa|razem|[łl][ąa]cznie"
    r"|(?:sub)?totale(?: generale)?|somma|(?:sub)?totaal|eindtotaal|som|summa|delsumma|totalt|delsum|i alt|yhteens[äa]"
    r"|og[óo][łl]em|celkem|mezisou[čc]et|spolu|[öo]sszesen|r[ée]sz[öo]sszeg|toplam"
    r"|genel toplam|ara toplam|ukupno|skupaj|kokku|viso|итого|всего|подытог|сумма|разом|всього|общо|σύνολο"
    r"|合計|小計|総計|合计|小计|总计|總計|합계|소계|총계"
)
_TOTAL: Final = re.compile(rf"(?:{_WORDS})(?:[\s:].{{0,40}})?|.{{0,40}}\s(?:{_WORDS})\s*:?", re.IGNORECASE)
_DAY: Final = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}[ -]\w{3,9}[ -]\d{2,4}")
# A total fills the cell that says so and those of its sums; a home fills most of its row.
_FILLED_MAX: Final = 0.5


def without_totals(table: RawTable) -> RawTable:
    """Return the table without its rows of totals, which are counted among its bad lines with the reason TOTAL.

    A row is one where a cell says so, at most half as many cells are filled as is usual, and none holds a day.
    """
    found = _totals(table.frame)
    if not found.any() or found.all():
        return table
    every = np.arange(1, table.rows_in + 1, dtype=np.int64)
    # Bad lines stand in the order of the file, between the rows that could be read.
    places = np.setdiff1d(every, table.row_numbers)
    lost = dict(zip(places.tolist(), table.bad_lines, strict=True))
    for place in np.flatnonzero(found).tolist():
        number = int(table.row_numbers[place])
        text = ",".join(str(cell) for cell in table.frame.iloc[place].dropna())
        lost[number] = BadLine(number, TOTAL, text)
    note = ReadingNote("totals", f"{count(int(found.sum()), 'row')} of totals left out", "a cell of each says so")
    return RawTable(
        name=table.name,
        sha256=table.sha256,
        reading=replace(table.reading, notes=(*table.reading.notes, note)),
        frame=table.frame.loc[~found].reset_index(drop=True),
        bad_lines=tuple(lost[number] for number in sorted(lost)),
        row_numbers=table.row_numbers[~found],
    )


def bad_line_counts(lines: Sequence[BadLine]) -> dict[str, int]:
    """Count the rows of a file that were left out on reading, by the code of their reason."""
    totals = sum(line.reason == TOTAL for line in lines)
    return {"bad_line": len(lines) - totals, "total_row": totals}


def where_of(line: BadLine) -> str:
    """Return what the number of a bad line counts: the lines of the file, or for a total its rows."""
    return "row" if line.reason == TOTAL else "line"


def _totals(frame: pd.DataFrame) -> Bools:
    filled = frame.notna().sum(axis=1).to_numpy()
    sparse = filled <= _FILLED_MAX * np.median(filled)
    found = np.zeros(len(frame), dtype=bool)
    for place in np.flatnonzero(sparse):
        cells = [str(cell) for cell in frame.iloc[int(place)].dropna()]
        found[place] = any(map(_TOTAL.fullmatch, cells)) and not any(map(_DAY.match, cells))
    return found
