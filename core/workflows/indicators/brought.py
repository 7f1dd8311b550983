"""What a file of market indicators brings to a market: the values it does not hold yet."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.accounting import FileAccounting
from core.collect.mapping import MappedTable
from core.errors import NoUsableRows
from core.prepare.signals.indicators import joined_indicators, new_words, read_indicators
from core.store import DataVersion, Store


@dataclass(frozen=True)
class BroughtIndicators:
    """The market's indicators with new values, None without any; these in a sentence, and what became of each row."""

    joined: pd.DataFrame | None = None
    words: str = ""
    accounts: tuple[FileAccounting, ...] = ()


def brought_indicators(
    store: Store, parent: DataVersion | None, table: MappedTable | None, currency: str
) -> BroughtIndicators:
    """Join the values of a mapped file to those of the version that it builds on; nothing where there is no file.

    Raises NoUsableRows for a file without a single value, StoreUnavailable.
    """
    if table is None:
        return BroughtIndicators()
    held = store.versions.load_indicators(parent.version_id) if parent else None
    new, account = read_indicators(table, held)
    if not account.accepted + account.duplicate:
        raise NoUsableRows(
            f"No row of {table.name} has both a day and a figure. Check which column is the day, and which are figures."
        )
    return BroughtIndicators(joined_indicators(held, new), new_words(new, currency), (account,))
