"""The row ledger of a sales file: the outcome of each of its rows, with the original cells, and the counts of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd

from core.accounting import FileAccounting, Outcome
from core.collect.mapping import MappedTable
from core.collect.reading.table import RawTable
from core.prepare.quality.cleaning import Cleaned


def full_ledger(table: MappedTable, raw: RawTable, cleaned: Cleaned) -> pd.DataFrame:
    """Return one row per row of a file (file, source_row, outcome, reasons, detail, raw), unreadable lines included.

    ``raw`` has the original cells of every row that was not plainly accepted.
    """
    ledger = cleaned.ledger.assign(file=table.name)
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


def _joined(cells: Iterable[object]) -> str:
    return " | ".join(str(cell) for cell in cells)


def account(table: MappedTable, ledger: pd.DataFrame) -> FileAccounting:
    """Count the rows of a ledger by outcome and reason."""
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
        reasons=dict(sorted(reasons.items())),
        set_aside=counts[Outcome.SET_ASIDE],
    )
