"""Which piece a row belongs to: by the value of a column, or by the month of its sale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.arrays import Ints
from core.collect.columns.guess import guess_file
from core.collect.cutting.table import LargeTable
from core.collect.dates.guess import guess_date_format
from core.collect.mapping import ColumnRule, cells_of, read_column
from core.collect.parsers import Marks, as_text
from core.errors import MappingError

NO_VALUE: Final = ""
"""The key of rows that say nothing."""

_BETWEEN: Final = "\x1f"
_SHOWN: Final = 3


@dataclass(frozen=True)
class KeyColumn:
    """What decides on the piece of a row: the columns read, and how their cells become keys.

    ``keys_of`` gets cells as text, a column each, and returns a key for each row. ``date_format`` is that of the sale
    date, empty for another column.
    """

    columns: tuple[str, ...]
    keys_of: Callable[[pd.DataFrame], pd.Series]
    date_format: str = ""


def by_value(column: str) -> KeyColumn:
    """Cut by the values of a column, without the blanks around them; words for missing are no value."""

    def keys_of(frame: pd.DataFrame) -> pd.Series:
        return as_text(frame[column], Marks()).fillna(NO_VALUE)

    return KeyColumn((column,), keys_of)


def by_month(table: LargeTable, column: str = "") -> KeyColumn:
    """Cut by the month of the sale date, such as 2025-03, read as the intake reads it.

    The column is found as the intake finds it, unless it is named. Raises MappingError where there is none, or where it
    holds no dates.
    """
    mapping = guess_file(table.sample).mapping
    rule = next((one for one in mapping.rules if one.field == "sale_date" and column in ("", one.column)), None)
    if rule is None and column:
        rule = ColumnRule(table.title_at(table.place_of(column)), "sale_date", "date")
    if rule is None:
        raise MappingError(
            f"{table.source.shown}: no column looks like the date of the sale. Name it with --date, or cut by another "
            "column."
        )
    cells = cells_of(table.sample.frame, rule)
    stated = rule.date_format or mapping.date_format
    marks = Marks(mapping.decimal, mapping.thousands, stated or guess_date_format(cells).date_format)
    if not marks.date_format:
        shown = ", ".join(map(repr, cells.dropna().unique()[:_SHOWN])) or "no values"
        raise MappingError(
            f"{table.source.shown}: column {rule.column!r} holds no dates Doorstep can read, but {shown}. Name another "
            "column with --date, or cut by another column."
        )

    def keys_of(frame: pd.DataFrame) -> pd.Series:
        days, _ = read_column(cells_of(frame, rule), rule, marks)
        return days.dt.strftime("%Y-%m").fillna(NO_VALUE).astype("str")

    return KeyColumn((rule.column, *rule.with_columns), keys_of, marks.date_format)


def keys_of_rows(key: KeyColumn, cells: Sequence[pa.Array]) -> tuple[list[str], Ints]:
    """Return the different keys of rows, and for each row the place of its key among them.

    Each combination of cells is read once, however many rows have it.
    """
    joined = cells[0] if len(cells) == 1 else pc.binary_join_element_wise(*cells, _BETWEEN)
    coded = joined.dictionary_encode()
    parts = [text.split(_BETWEEN) if len(cells) > 1 else [text] for text in coded.dictionary.to_pylist()]
    columns = zip(*parts, strict=True) if parts else [() for _ in key.columns]
    stripped = {
        name: pd.Series([cell.strip() or None for cell in column], dtype="str")
        for name, column in zip(key.columns, columns, strict=True)
    }
    keys = key.keys_of(pd.DataFrame(stripped)) if parts else pd.Series([], dtype="str")
    codes, different = pd.factorize(keys)
    return [str(one) for one in different], codes[coded.indices.to_numpy(zero_copy_only=False)].astype("int64")
