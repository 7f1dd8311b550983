"""Prices of one file in several currencies: only the rows in one of them can be taken in, the others are rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from core.collect.cells.currencies import currency_column, money_of_rows
from core.collect.inference import Inference
from core.collect.join_keys import column_or_missing
from core.collect.mapping import MappedTable, cells_of
from core.collect.money.stated import SEVERAL
from core.schema import Source
from core.wording import count

_OTHER: Final = "in another currency: "
_REMEDY: Final = "The row is left out. Take it into a market of that currency, or convert its price in the file."
# Up to here such rows are a few odd ones; of more, somebody must say that they are no sales of this market.
_FEW: Final = 20
_FEW_SHARE: Final = 0.1
_FEW_MIN: Final = 2


def without_other_money(table: MappedTable, currency: str) -> MappedTable:
    """Return a table of sales without the prices that are written in another currency than the market's.

    A file whose prices are all in one other currency keeps them: that it is in another is doubted as a whole. Such
    prices are missing in what is returned, and among its ``problems``, so that their rows are rejected with the reason.
    """
    rules = [rule for rule in table.rules if rule.field == "sale_price"]
    if table.source is not Source.SALES or not rules:
        return table
    beside = currency_column(table.cells, [rule.column for rule in rules])
    prices = cells_of(table.cells, rules[0])
    money = money_of_rows(prices, table.cells[beside] if beside else None)
    own = any(one is not None and currency in one.codes for one in money)
    taken = currency if own or not table.currency else table.currency
    other = np.array([one is not None and taken not in one.codes for one in money], dtype=bool)
    other &= table.frame["sale_price"].notna().to_numpy()
    if not other.any():
        return table
    places = np.flatnonzero(other)
    found = pd.DataFrame(
        {
            "source_row": table.frame["source_row"].to_numpy()[places],
            "column": rules[0].column,
            "field": "sale_price",
            "value": prices.to_numpy()[places],
            "problem": [f"{_OTHER}{one.name}, not {taken}" for at in places if (one := money[at]) is not None],
            "remedy": _REMEDY,
        }
    ).astype(table.problems.dtypes.to_dict())
    return replace(
        table,
        frame=table.frame.assign(sale_price=table.frame["sale_price"].mask(other)),
        problems=pd.concat([table.problems, found], ignore_index=True),
    )


def is_other_money(problems: pd.DataFrame) -> pd.Series:
    """Tell which of a table's problems are prices in another currency."""
    return column_or_missing(problems, "problem").str.startswith(_OTHER, na=False)


def mixed_money(table: MappedTable) -> Iterator[Inference]:
    """Doubt prices in several currencies; gravely, where more than a few rows are rejected for theirs."""
    found = table.problems[is_other_money(table.problems)]
    if found.empty:
        return
    named = found["problem"].str.removeprefix(_OTHER).str.partition(", not ")
    left = int(table.frame["sale_price"].notna().sum())
    kinds = Counter(named[0]).most_common()
    parts = [*((name, n) for name, n in kinds), (named[2].iloc[0], left)]
    claim = f"{SEVERAL}: {', '.join(f'{n:,} in {name}' for name, n in parts)}"
    seen = f"{count(len(found), 'row')} rejected, such as {found['value'].iloc[0]!r}: nothing is converted"
    grave = len(found) > max(_FEW_MIN, min(_FEW, _FEW_SHARE * table.rows_in))
    yield Inference(
        table.columns["sale_price"], "sale_price", claim, seen, table.rows_in, sure=False, grave=grave, of_rows=True
    )
