"""Small sales files made from nothing, to which a test adds the columns it is about."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from core.collect.columns.guess import Guess, guess_file
from core.collect.mapping import MappedTable, apply_mapping
from core.collect.reading.reader import parse_table
from core.collect.reading.table import RawTable

ROWS = 120
_RNG = np.random.default_rng(71)
SQFT = _RNG.integers(600, 3_200, ROWS)
PRICE = (SQFT * _RNG.uniform(110, 240, ROWS)).round(-3).astype(int)
SOLD = pd.Timestamp("2022-01-10") + pd.to_timedelta(_RNG.integers(0, 640, ROWS), unit="D")
BASE: Mapping[str, object] = {
    "Address": [f"{n + 21} Elder Road" for n in range(ROWS)],
    "Zip": _RNG.choice(["68102", "68104", "68106"], ROWS),
    "Sale Price": PRICE,
    "Sale Date": SOLD.strftime("%Y-%m-%d"),
    "SqFt": SQFT,
}
"""The columns of every file, unless a test leaves one out."""


def sales_table(columns: Mapping[str, object], *without: str, separator: str = ",") -> RawTable:
    """Return a file of ROWS sales with further columns, and without some of the usual ones."""
    kept = {name: values for name, values in BASE.items() if name not in without}
    text = pd.DataFrame(kept | dict(columns)).to_csv(index=False, sep=separator)
    return parse_table(text.encode(), "sales.csv")


def guess_of(columns: Mapping[str, object], *without: str, separator: str = ",") -> Guess:
    """Return what is guessed of such a file."""
    return guess_file(sales_table(columns, *without, separator=separator))


def mapped(columns: Mapping[str, object], *without: str, separator: str = ",") -> MappedTable:
    """Return such a file read as guessed."""
    table = sales_table(columns, *without, separator=separator)
    return apply_mapping(table, guess_file(table).mapping)


def fields_of(guess: Guess) -> dict[str, str]:
    """Return the field of each column that is read."""
    return {rule.column: rule.field for rule in guess.mapping.rules}


def to_check(guess: Guess) -> dict[str, str]:
    """Return what a person should check, by column."""
    return {one.column: str(one) for one in guess.mapping.inferences if not one.sure}
