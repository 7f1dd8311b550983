"""Blank facts of homes, taken from their latest sale and the tax roll as the form takes them."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

import pandas as pd

from core.serve.agent.address_book import AddressBook
from core.serve.reading.facts import is_countable
from core.serve.subject import Value

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
            if _is_taken(name, value) and (name not in columns or pd.isna(columns[name][at]))
        }
        for name, value in lacking.items():
            columns.setdefault(name, [None] * len(homes))[at] = value
        if lacking:
            taken[int(columns["source_row"][at])] = tuple(lacking)
    kinds = {name: homes[name].dtype for name in homes.columns}
    filled = {name: pd.Series(values, index=homes.index, dtype=kinds.get(name)) for name, values in columns.items()}
    return pd.DataFrame(filled), taken


def recorded_facts(facts: Mapping[str, object], book: AddressBook) -> Mapping[str, Value]:
    """Return what is recorded of a home and blank in ``facts``; nothing for a home not known by its whole address."""
    named = {name: str(facts[name]) for name in ("address", "unit", "zipcode") if not _is_blank(facts.get(name))}
    if "address" not in named:
        return {}
    [known] = book.known(pd.DataFrame([named], dtype="str"))
    recorded = known.facts.items() if known is not None else ()
    return {name: value for name, value in recorded if _is_taken(name, value) and _is_blank(facts.get(name))}


def _is_taken(name: str, value: Value) -> bool:
    """Tell whether a home can be asked with a recorded fact: nobody could correct what they did not give."""
    return name not in _NAMES and is_countable(name, value)


def _is_blank(value: object) -> bool:
    return value in (None, "") or (isinstance(value, float) and isnan(value))
