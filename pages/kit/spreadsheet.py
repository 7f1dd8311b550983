"""Tables as CSV that is safe to open in a spreadsheet: cells that look like a formula are neutralized."""

from __future__ import annotations

from typing import Final

import pandas as pd

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def to_csv(table: pd.DataFrame) -> bytes:
    """Return the table as UTF-8 CSV with a byte order mark, by which spreadsheets recognize the encoding."""
    safe = pd.DataFrame({name: _neutralised(table[name]) for name in table.columns})
    return safe.to_csv(index=False).encode("utf-8-sig")


def _neutralised(values: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_datetime64_any_dtype(values):
        return values
    text = values.astype("str")
    harmful = text.str.startswith(_FORMULA_STARTS, na=False) & pd.to_numeric(text, errors="coerce").isna()
    return text.mask(harmful, "'" + text)
