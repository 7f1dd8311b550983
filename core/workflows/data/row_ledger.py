"""The row ledger of a sales file: the outcome of each of its rows, with the original cells, and the counts of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from core.accounting import (
    EMPTIED,
    LINE_OF_FILE,
    REASON_OF_ROW,
    ROW_OF_FILE,
    UNREAD,
    ZERO,
    FileAccounting,
    Outcome,
    reason_words,
)
from core.collect.dates.own_formats import NO_SUCH_DAY
from core.collect.mapping import MappedTable
from core.collect.reading.table import RawTable
from core.collect.reading.totals import bad_line_counts, where_of
from core.prepare.quality.cleaning import NO_DATE, NO_PRICE, Cleaned
from core.prepare.quality.corrections import CORRECTS
from core.schema import label_of
from core.workflows.data.corrected_sales import BEFORE, CORRECTED_ROW
from core.workflows.data.sale_pool import DECIDED, ROW, Pool, changed_rows
from core.workflows.doubts.mixed_money import is_other_money

_COLUMNS: Final = ("file", "source_row", "outcome", "reasons", "detail", "raw", CORRECTED_ROW, BEFORE)

_UNREAD: Final = {
    "sale_price": ("price_missing", "price_unreadable", "sale price"),
    "sale_date": ("date_missing", "date_unreadable", "sale date"),
}
_DETAILS: Final = {"sale_price": NO_PRICE, "sale_date": NO_DATE}
_NO_SUCH_DAY: Final = "no_such_day"
_OTHER_MONEY: Final = "price_other_currency"

_DECIDED_WORDS: Final = {
    Outcome.SET_ASIDE: "set aside by a person earlier",
    Outcome.ACCEPTED: "kept by a person earlier",
    Outcome.REPAIRED: "corrected by a person earlier",
}
_KEPT: Final = (Outcome.ACCEPTED.value, Outcome.REPAIRED.value, Outcome.SET_ASIDE.value)


@dataclass(frozen=True)
class FileRows:
    """A file of sales as mapped and as read, the ``intake_row`` of its first row, and its repairs (see Cleaned)."""

    table: MappedTable
    raw: RawTable
    first_row: int
    repairs: Mapping[int, tuple[str, str]]


def as_one(ledgers: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the ledgers of several files as one, with the columns that a version stores."""
    numbers = {"source_row": "int64", CORRECTED_ROW: "int64"}
    empty = pd.DataFrame(columns=list(_COLUMNS), dtype="str").astype(numbers)
    parts = [ledger[list(_COLUMNS)].astype({BEFORE: "str"}) for ledger in ledgers]
    return pd.concat(parts, ignore_index=True) if parts else empty


def full_ledger(table: MappedTable, raw: RawTable, cleaned: Cleaned) -> pd.DataFrame:
    """Return one row per row of a file (file, source_row, outcome, reasons, detail, raw), unreadable lines included.

    ``raw`` has the original cells of every row that was not plainly accepted, as JSON: a list of texts, or one text
    where a line could not be taken apart.
    """
    ledger = _with_unread(cleaned.ledger, table.problems).assign(file=table.name)
    notable = (ledger["outcome"] != Outcome.ACCEPTED) | (ledger["reasons"] != "")
    text = np.full(len(ledger), "", dtype=object)
    text[notable.to_numpy()] = _cells(raw, ledger.loc[notable, "source_row"])
    ledger = ledger.assign(raw=pd.Series(text, index=ledger.index, dtype="str"))
    if table.bad_lines:
        bad = pd.DataFrame(
            {
                "file": table.name,
                "source_row": [line.line for line in table.bad_lines],
                "outcome": str(Outcome.REJECTED),
                "reasons": [next(code for code, n in bad_line_counts([line]).items() if n) for line in table.bad_lines],
                "detail": [f"{where_of(line)} {line.line}: {line.reason}" for line in table.bad_lines],
                "raw": [_as_json(line.text) for line in table.bad_lines],
            }
        )
        ledger = pd.concat([ledger, bad], ignore_index=True)
    return ledger.astype(dict.fromkeys(("file", "outcome", "reasons", "detail", "raw"), "str"))


def with_emptied(cleaned: Cleaned, table: MappedTable) -> Cleaned:
    """Count the kept rows of a file that lost a cell as repaired, and say in each which cell could not be read.

    A row whose fact was blanked as implausible lost no more than one whose fact could not be read: both are repaired.
    """
    unread = table.problems
    if unread.empty:
        return cleaned
    lost = pd.DataFrame(
        {
            "row": unread["source_row"],
            "code": UNREAD + unread["field"],
            "detail": [
                f"{_label(field)} {value!r} left empty ({why})"
                for field, value, why in zip(unread["field"], unread["value"], unread["problem"], strict=True)
            ],
        }
    ).drop_duplicates()
    of_row = {
        int(cells["row"].iloc[0]): (";".join(cells["code"].unique()), "; ".join(cells["detail"]))
        for _, cells in lost.groupby("row")
    }
    in_use = cleaned.ledger["outcome"].isin((Outcome.ACCEPTED.value, Outcome.REPAIRED.value))
    places = np.flatnonzero(in_use & cleaned.ledger["source_row"].isin(list(of_row)))
    ledger = cleaned.ledger.copy()
    own = [of_row[int(row)] for row in ledger["source_row"].iloc[places]]
    for at, (name, mark) in enumerate((("reasons", ";"), ("detail", "; "))):
        held = ledger[name].iloc[places]
        ledger.loc[ledger.index[places], name] = [
            _joined(mark, cells[at], text) for cells, text in zip(own, held, strict=True)
        ]
    ledger.loc[ledger.index[places], "outcome"] = Outcome.REPAIRED.value
    repairs = dict(cleaned.repairs)
    for row, (codes, details) in of_row.items():
        before = repairs.get(row, ("", ""))
        repairs[row] = (_joined(";", codes, before[0]), _joined("; ", details, before[1]))
    return replace(cleaned, ledger=ledger, repairs=repairs)


def _joined(mark: str, *texts: str) -> str:
    return mark.join(filter(None, texts))


def _label(field: str) -> str:
    return label_of(field).lower()


def _with_unread(ledger: pd.DataFrame, problems: pd.DataFrame) -> pd.DataFrame:
    """Say of a price or date that was written but could not be read what it is; it is not missing."""
    for field, (missing, unread, what) in _UNREAD.items():
        cells = problems[problems["field"] == field].drop_duplicates("source_row").set_index("source_row")
        rows = ledger["source_row"].isin(cells.index) & ledger["reasons"].str.contains(missing, regex=False)
        if not rows.any():
            continue
        found = cells.loc[ledger.loc[rows, "source_row"]]
        no_day = found["problem"].eq(f"not {NO_SUCH_DAY}").to_numpy()
        money = is_other_money(found).to_numpy()
        codes = np.select([no_day, money], [_NO_SUCH_DAY, _OTHER_MONEY], unread)
        why = np.select([no_day, money], ["is no day of the calendar", "is " + found["problem"]], "is unreadable")
        words = [f"{what} {cell!r} {is_so}" for cell, is_so in zip(found["value"], why, strict=True)]
        for name, before, after in (("reasons", missing, codes), ("detail", _DETAILS[field], words)):
            texts = zip(ledger.loc[rows, name], after, strict=True)
            ledger.loc[rows, name] = [text.replace(before, str(new)) for text, new in texts]
    return ledger


def _cells(raw: RawTable, source_rows: pd.Series) -> list[str]:
    """Return the original cells of some rows of a file, each row as a JSON list."""
    place = pd.Series(np.arange(len(raw.frame)), index=raw.row_numbers)
    rows = raw.frame.iloc[place.loc[source_rows].to_numpy()]
    return [_as_json(cells) for cells in rows.fillna("").itertuples(index=False, name=None)]


def with_cells(ledger: pd.DataFrame, raw: RawTable) -> pd.DataFrame:
    """Return rows of a file's ledger with the original cells of those that were plainly accepted, too."""
    bare = ledger["raw"].eq("").to_numpy()
    text = ledger["raw"].to_numpy(dtype=object, copy=True)
    text[bare] = _cells(raw, ledger.loc[bare, "source_row"])
    return ledger.assign(raw=text)


def _as_json(cells: str | tuple[str, ...]) -> str:
    return json.dumps(cells, ensure_ascii=False)


def rows_as_in_file(ledger: pd.DataFrame, headers: Sequence[str]) -> pd.DataFrame:
    """Return rows of a file's ledger under the file's own headers, with the place of each row and its reason.

    They can be corrected there and come again: the added columns (see ADDED) are then left out. The cells of rows that
    were plainly accepted are not kept.
    """
    held = [json.loads(text) if text else "" for text in ledger["raw"]]
    headers = headers if any(held) else ()
    blank = [""] * len(headers)
    table = pd.DataFrame([blank if isinstance(one, str) else one for one in held], columns=list(headers), dtype="str")
    reasons = [
        detail or "; ".join(map(reason_words, codes.split(";")))
        for detail, codes in zip(ledger["detail"], ledger["reasons"], strict=True)
    ]
    lines = [one if isinstance(one, str) else "" for one in held]
    # An unreadable line is no row: its reason says which line it is.
    places = ["" if line else str(row) for line, row in zip(lines, ledger["source_row"], strict=True)]
    added = {ROW_OF_FILE: places, REASON_OF_ROW: reasons}
    if any(lines):
        added[LINE_OF_FILE] = lines
    return table.assign(**added)


def _cell_counts(table: MappedTable, ledger: pd.DataFrame) -> dict[str, int]:
    """Count zeros that mean unknown and the unreadable cells of kept rows, by field, and the rows of the latter."""
    kept = ledger.loc[ledger["outcome"].isin(_KEPT), "source_row"]
    unread = table.problems[table.problems["source_row"].isin(kept)]
    cells = {f"{UNREAD}{name}": int(n) for name, n in unread["field"].value_counts().items()}
    rows = {EMPTIED: int(unread["source_row"].nunique())} if cells else {}
    return {f"{ZERO}{name}": n for name, n in table.zeros.items()} | cells | rows


def account(table: MappedTable, ledger: pd.DataFrame) -> FileAccounting:
    """Count the rows of a ledger by outcome and reason, and the cells that are read as unknown or not at all."""
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
        reasons=dict(sorted({**reasons, **_cell_counts(table, ledger)}.items())),
        set_aside=counts[Outcome.SET_ASIDE],
    )


# Rows whose sale a person had decided on before: the decision holds, and the row is counted by it.


def fates_of(by_rules: Pool, decided: Pool) -> Mapping[int, Outcome]:
    """Return what persons' decisions make of each sale they change, by its ``intake_row``."""
    changed = changed_rows(by_rules, decided)
    waited, waits = by_rules.waits[changed], decided.waits[changed]
    values = changed_rows(Pool(by_rules.sales, decided.doubt), decided)
    corrected = np.isin(changed, values)
    # A sale that waits for another reason than the rules gave is no less set aside.
    kinds = np.where(waits, Outcome.SET_ASIDE, np.where(corrected | ~waited, Outcome.REPAIRED, Outcome.ACCEPTED))
    rows = decided.sales[ROW].to_numpy()[changed]
    return {int(row): Outcome(str(kind)) for row, kind in zip(rows, kinds, strict=True)}


def as_decided(ledger: pd.DataFrame, rows_of: FileRows, fates: Mapping[int, Outcome]) -> pd.DataFrame:
    """Return the ledger of a file, its rows that became one of those sales with the outcome persons decided on.

    Rows that became no sale, such as repeats and rejected ones, stay as they are.
    """
    own = rows_of.first_row + ledger["source_row"] - 1
    sale = ledger[CORRECTED_ROW].where(ledger[CORRECTED_ROW] >= 0, own)
    rows = np.flatnonzero(sale.isin(list(fates)) & ledger["outcome"].isin(_KEPT))
    if not len(rows):
        return ledger
    ledger = ledger.copy()
    found = [
        _as_decided(fates[int(row)], str(codes), rows_of.repairs.get(int(source_row)))
        for row, codes, source_row in zip(
            sale.iloc[rows], ledger["reasons"].iloc[rows], ledger["source_row"].iloc[rows], strict=True
        )
    ]
    for name, values in zip(("outcome", "reasons", "detail"), zip(*found, strict=True), strict=True):
        ledger.loc[ledger.index[rows], name] = list(values)
    ledger.loc[ledger.index[rows], "raw"] = _cells(rows_of.raw, ledger["source_row"].iloc[rows])
    return ledger


def _as_decided(fate: Outcome, codes: str, repair: tuple[str, str] | None) -> tuple[str, str, str]:
    """Return outcome, reasons and detail of a row decided on; a sale that was kept is no less repaired."""
    reasons, details = [DECIDED], [_DECIDED_WORDS[fate]]
    if repair is not None and fate is not Outcome.SET_ASIDE:
        fate = Outcome.REPAIRED
        reasons.append(repair[0])
        details.append(repair[1])
    if CORRECTS in codes.split(";"):
        reasons.append(CORRECTS)
    return fate.value, ";".join(reasons), "; ".join(details)
