"""Files for spreadsheets that run nothing: in CSV, text that would run stands behind an apostrophe."""

from __future__ import annotations

import io
import re
from typing import Final

import pandas as pd
from xlsxwriter import Workbook

_WIDTH: Final = 16
_WIDEST: Final = 70
_MEASURED: Final = 100
# What a spreadsheet runs as a formula, or as a command of its own; some look behind blanks and line ends too.
_RUNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

_GUARDED: Final = f"^'(?= *(?:{'|'.join(map(re.escape, _RUNS))}))"


def to_csv(table: pd.DataFrame) -> bytes:
    """Return the table as UTF-8 CSV with a byte order mark, by which spreadsheets know the encoding."""
    return to_csv_text(table).encode("utf-8-sig")


def to_csv_text(table: pd.DataFrame) -> str:
    """Return the table as CSV, its column names and texts made harmless; numbers and dates stay as they are."""
    safe = pd.DataFrame({harmless(str(name)): _harmless_column(table[name]) for name in table.columns})
    return safe.to_csv(index=False)


def to_xlsx(table: pd.DataFrame, name: str = "Sheet1", further: tuple[str, pd.DataFrame] | None = None) -> bytes:
    """Return the table as an xlsx workbook; every text is a text and no formula, and the header stays in sight.

    ``further`` is a second sheet, its name and its table.
    """
    target = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True, "in_memory": True}
    with Workbook(target, options) as book:
        for title, rows in ((name, table), *((further,) if further else ())):
            _write_sheet(book, title, rows)
    return target.getvalue()


def _write_sheet(book: Workbook, name: str, table: pd.DataFrame) -> None:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, map(str, table.columns), book.add_format({"bold": True}))
    for at, title in enumerate(map(str, table.columns)):
        longest = max((len(str(cell)) for cell in table.iloc[:, at].head(_MEASURED)), default=0)
        sheet.set_column(at, at, min(max(_WIDTH, len(title) + 2, longest), _WIDEST))
    for at, row in enumerate(table.astype("object").where(table.notna(), None).itertuples(index=False), 1):
        sheet.write_row(at, 0, row)


def harmless(text: str) -> str:
    """Return a text that no spreadsheet runs; a number written as text stays as it is.

    A carriage return becomes a line end: alone it goes unquoted, and what follows it would begin a row.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    runs = text.lstrip(" ").startswith(_RUNS) and not _is_number(text)
    return f"'{text}" if runs else text


def as_written(texts: pd.Series) -> pd.Series:
    """Return texts of a file that ``to_csv`` wrote without the apostrophe before what would run."""
    return texts.str.replace(_GUARDED, "", regex=True)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and "_" not in text


def _harmless_column(values: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return values
    return values.astype("str").map(harmless, na_action="ignore")
