"""Blank facts of many homes, taken from their latest sale and the tax roll as the form takes those of one home."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from core.serve.agent.address_book import AddressBook

_NAMES = ("address", "unit", "property_id")


def fill_known(homes: pd.DataFrame, book: AddressBook) -> tuple[pd.DataFrame, Mapping[int, tuple[str, ...]]]:
    """Return homes with their recorded facts where they are blank, and which facts were taken, by ``source_row``.

    ``homes`` are in canonical columns; one is known by the key of its whole address. What is given always stays.
    """
    if "address" not in homes:
        return homes, {}
    columns = {str(name): homes[name].tolist() for name in homes.columns}
    taken: dict[int, tuple[str, ...]] = {}
    for at, known in enumerate(book.known(homes)):
        lacking = {
            name: value
            for name, value in (known.facts.items() if known is not None else ())
            if name not in _NAMES and (name not in columns or pd.isna(columns[name][at]))
        }
        for name, value in lacking.items():
            columns.setdefault(name, [None] * len(homes))[at] = value
        if lacking:
            taken[int(columns["source_row"][at])] = tuple(lacking)
    kinds = {name: homes[name].dtype for name in homes.columns}
    filled = {name: pd.Series(values, index=homes.index, dtype=kinds.get(name)) for name, values in columns.items()}
    return pd.DataFrame(filled), taken
