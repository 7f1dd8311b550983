"""The row ledger of a sales file: the outcome of each of its rows, with the original cells, and the counts of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import numpy as np
import pandas as pd

from core.accounting import ZERO, FileAccounting, Outcome
from core.collect.cells.date_formats import NO_SUCH_DAY
from core.collect.mapping import MappedTable
from core.collect.reading.table import RawTable
from core.prepare.quality.cleaning import NO_DATE, NO_PRICE, Cleaned

_UNREAD: Final = {
    "sale_price": ("price_missing", "price_unreadable", "sale price"),
    "sale_date": ("date_missing", "date_unreadable", "sale date"),
}
_DETAILS: Final = {"sale_price": NO_PRICE, "sale_date": NO_DATE}
_NO_SUCH_DAY: Final = "no_such_day"


def full_ledger(table: MappedTable, raw: RawTable, cleaned: Cleaned) -> pd.DataFrame:
    """Return one row per row of a file (file, source_row, outcome, reasons, detail, raw), unreadable lines included.

    ``raw`` has the original cells of every row that was not plainly accepted.
    """
    ledger = _with_unread(cleaned.ledger, table.problems).assign(file=table.name)
    place = pd.Series(np.arange(len(raw.frame)), index=raw.row_numbers)
    notable = (ledger["outcome"] != Outcome.ACCEPTED) | (ledger["reasons"] != "")
    rows = raw.frame.iloc[place.loc[ledger.loc[notable, "source_row"]].to_numpy()]
    text = np.full(len(ledger), "", dtype=object)
    text[notable.to_numpy()] = [_joined(cells) for cells in rows.fillna("").itertuples(index=False)]
    ledger = ledger.assign(raw=pd.Series(text, index=ledger.index, dtype="str"))
    if table.bad_lines:
        bad = pd.DataFrame(
            {
                "file": table.name,
                "source_row": [line.line for line in table.bad_lines],
                "outcome": str(Outcome.REJECTED),
                "reasons": "bad_line",
                "detail": [f"line {line.line}: {line.reason}" for line in table.bad_lines],
                "raw": [line.text for line in table.bad_lines],
            }
        )
        ledger = pd.concat([ledger, bad], ignore_index=True)
    return ledger.astype(dict.fromkeys(("file", "outcome", "reasons", "detail", "raw"), "str"))


def _with_unread(ledger: pd.DataFrame, problems: pd.DataFrame) -> pd.DataFrame:
    """Say of a price or date that was written but could not be read what it is; it is not missing."""
    for field, (missing, unread, what) in _UNREAD.items():
        cells = problems[problems["field"] == field].drop_duplicates("source_row").set_index("source_row")
        rows = ledger["source_row"].isin(cells.index) & ledger["reasons"].str.contains(missing, regex=False)
        if not rows.any():
            continue
        found = cells.loc[ledger.loc[rows, "source_row"]]
        no_day = found["problem"].eq(f"not {NO_SUCH_DAY}").to_numpy()
        codes = np.where(no_day, _NO_SUCH_DAY, unread)
        words = [
            f"{what} {cell!r} {'is no day of the calendar' if gone else 'is unreadable'}"
            for cell, gone in zip(found["value"], no_day, strict=True)
        ]
        for name, before, after in (("reasons", missing, codes), ("detail", _DETAILS[field], words)):
            texts = zip(ledger.loc[rows, name], after, strict=True)
            ledger.loc[rows, name] = [text.replace(before, str(new)) for text, new in texts]
    return ledger


def _joined(cells: Iterable[object]) -> str:
    return " | ".join(str(cell) for cell in cells)


def account(table: MappedTable, ledger: pd.DataFrame) -> FileAccounting:
    """Count the rows of a ledger by outcome and reason, and the zeros that a file means as unknown."""
    counts = Counter(ledger["outcome"])
    reasons = Counter(code for codes in ledger["reasons"] for code in str(codes).split(";") if code)
    return FileAccounting(
        file=table.name,
        source=table.source.value,
        sha256=table.sha256,
        rows_in=table.rows_in,
        accepted=counts[Outcome.ACCEPTED],
        repaired=counts[Outcome.REPAIRED],
        duplicate=counts[Outcome.DUPLICATE],
        rejected=counts[Outcome.REJECTED],
        reasons=dict(sorted({**reasons, **{f"{ZERO}{name}": n for name, n in table.zeros.items()}}.items())),
        set_aside=counts[Outcome.SET_ASIDE],
    )
