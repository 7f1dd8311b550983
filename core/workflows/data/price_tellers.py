"""Columns that reveal the price: kept only if the analyst names them, and never used for training."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import pandas as pd

from core.arrays import evenly
from core.collect.leaks import AREAS, NEEDED, Leak, leak_by_numbers
from core.errors import PriceGivenAway
from core.schema import EXTRA_PREFIX

Leaks = Mapping[str, Sequence[Leak]]
"""The columns of each file, by its name, that reveal the price."""

_SAMPLE: Final = 5_000


def refuse_leaks(leaks: Leaks, keep: Collection[str]) -> None:
    """Raise PriceGivenAway for the columns that reveal the price, except those named in ``keep``."""
    found = [(file, leak) for file, columns in leaks.items() for leak in columns if leak.column not in keep]
    if not found:
        return
    named = "; ".join(f"column {leak.column!r} of {file} is {leak.why}" for file, leak in found)
    raise PriceGivenAway(
        f"Nothing was imported: {named}. A model would learn the answer from it. "
        "Leave it out of the mapping, or name it as a column to keep."
    )


def words_of_kept(leaks: Leaks) -> str:
    """List, for the record, the columns that were kept anyway; "" if there are none."""
    kept = ", ".join(leak.column for columns in leaks.values() for leak in columns)
    return f" (kept although they reveal the price: {kept})" if kept else ""


def refuse_price_tellers(sales: pd.DataFrame, facts: Collection[str]) -> None:
    """Raise PriceGivenAway if a training fact reveals the price; call this before training.

    ``sales`` has canonical columns, of which ``facts`` are those that a model would learn from.
    """
    sample = sales.iloc[evenly(len(sales), _SAMPLE)]
    numbers = {name: sample[name] for name in NEEDED if name in sample}
    for name in facts:
        if name in AREAS:
            continue
        measured = leak_by_numbers(sample[name], numbers, name)
        if measured is not None:
            column = name.removeprefix(EXTRA_PREFIX)
            raise PriceGivenAway(
                f"The fact {column!r} is {measured.why}, on {measured.n:,} sales. No model was trained. Undo the data "
                "version that added it, and import its file again without this column."
            )
