"""Parcel numbers that are a building's: its flats share one, so that it names none of them."""

from __future__ import annotations

from typing import Final

import pandas as pd

from core.collect.addresses import address_keys

_FLATS_MIN: Final = 3
"""With this many addresses on one parcel, they are no spellings of one home."""


def without_shared_parcels(columns: dict[str, pd.Series]) -> dict[str, pd.Series]:
    """Return the columns with ``property_id`` missing where at least three flats of one house number share it.

    Such a number would make one home of all flats of a cooperative: their sales would count as repeated ones, and a tax
    record of the whole building as theirs. Other columns are as they were.
    """
    if not {"property_id", "address"} <= set(columns):
        return columns
    ids = columns["property_id"]
    units = columns.get("unit", pd.Series(pd.NA, index=ids.index, dtype="str"))
    written = pd.DataFrame({"id": ids, "address": columns["address"], "unit": units}).dropna(subset=["id", "address"])
    several = written.groupby("id")["address"].transform("nunique").ge(_FLATS_MIN)
    several |= written.groupby("id")["unit"].transform("nunique").ge(_FLATS_MIN)
    rows = written[several]
    if rows.empty:
        return columns
    keys = address_keys(rows["address"], rows["unit"])
    number = keys.str.split(" ", n=1).str[0]
    flats = keys.groupby([rows["id"], number]).transform("nunique")
    shared = rows.index[flats.ge(_FLATS_MIN).to_numpy()]
    return {**columns, "property_id": ids.mask(ids.index.isin(shared))}
