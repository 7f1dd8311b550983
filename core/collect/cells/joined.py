"""One field from several columns: a date from its year, month and day, a parcel number from its parts."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.collect.cells.dates import month_number


def joined_date(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """Join year, month and day with dashes, "2010" and "5" giving "2010-05"; missing where a part is.

    A year may stand with its month in one column: "202212" and "7" are "2022-12-07".
    """
    parts = [_bare(frame[column]).str.zfill(2) for column in columns]
    if len(parts) > 1:
        parts[1] = _month_numbers(parts[1])
    parts[0] = parts[0].str.replace(r"^([0-9]{4})[/.]?([0-9]{2})$", r"\1-\2", regex=True)
    return _joined(parts, "-")


def joined_identifier(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """Join the parts of a number, zeros that a spreadsheet dropped put back: each part is as long as its longest."""
    parts = []
    for column in columns:
        bare = _bare(frame[column])
        digits = bare.str.fullmatch(r"[0-9]+", na=False)
        longest = int(bare[digits].str.len().max()) if digits.any() else 0
        parts.append(bare.mask(digits, bare.str.zfill(longest)).astype("str"))
    return _joined(parts, "")


def _month_numbers(cells: pd.Series) -> pd.Series:
    """Return months as two digits, those by name too: "Mar" is "03"."""
    named = {text: month_number(text).zfill(2) for text in cells.dropna().unique() if month_number(text)}
    return cells.replace(named).astype("str") if named else cells


def _bare(cells: pd.Series) -> pd.Series:
    return cells.str.strip().str.replace(r"\.0+$", "", regex=True)


def _joined(parts: list[pd.Series], between: str) -> pd.Series:
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + between + part
    return joined.astype("str")
