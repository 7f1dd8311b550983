"""Many homes beside their asking prices: which lie outside the range, and the template of such a file."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from core.schema import label_of
from core.serve.words import labelled, unit_of
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.listing_columns import LIST_PRICE
from core.workflows.pricing.many_homes import PricedFile, naming_columns

REFERENCE: Final = "Reference"
ASKING: Final = "Asking price"
_FIRST: Final = ("row", "reference", "address", "asking_price")
# Beyond the square root of ten, an asking price is nearer to ten times the estimate, or a tenth of it, than to itself.
_DIGIT: Final = 10.0**0.5


class Place(StrEnum):
    """Where an asking price lies beside the range."""

    BELOW = "below"
    INSIDE = "inside"
    ABOVE = "above"


def in_doubt(asking: float, point: float) -> bool:
    """Tell whether an asking price is so far from the estimate that a digit may be lost or added."""
    return not point / _DIGIT <= asking <= point * _DIGIT


def beside_asking(priced: PricedFile) -> pd.DataFrame:
    """Return the priced rows with reference, asking price, its difference from the estimate and its place.

    ``difference`` is a share of the estimate, ``place`` a Place or "", ``check_asking_price`` tells whether a digit of
    the asking price may be lost or added. The rows whose asking price differs most come
    first; without asking prices the order is the file's, and the four columns are left out.
    """
    table = priced.table
    if priced.references:
        table = table.assign(reference=table["row"].map(priced.references).fillna(""))
    if LIST_PRICE not in priced.homes:
        return table
    asking = table["row"].map(priced.homes.set_index("source_row")[LIST_PRICE]).astype("float64")
    asking = asking.where(asking > 0)
    place = np.select(
        [asking < table["low"], asking > table["high"], asking.notna()],
        [Place.BELOW.value, Place.ABOVE.value, Place.INSIDE.value],
        "",
    )
    doubted = [
        in_doubt(price, point) for price, point in zip(asking.fillna(table["point"]), table["point"], strict=True)
    ]
    table = table.assign(
        asking_price=asking, difference=asking / table["point"] - 1, place=place, check_asking_price=doubted
    )
    return table.sort_values("difference", key=np.abs, ascending=False, kind="stable", ignore_index=True)


def not_priced(priced: PricedFile) -> pd.DataFrame:
    """Return the rows not priced with what names each home and its asking price, in the order of the file."""
    table = priced.errors
    if priced.references:
        table = table.assign(reference=table["row"].map(priced.references).fillna(""))
    homes = priced.homes.set_index("source_row")
    table = table.assign(**{name: table["row"].map(homes[name]) for name in naming_columns(homes)})
    if LIST_PRICE in homes:
        asking = table["row"].map(homes[LIST_PRICE]).astype("float64")
        table = table.assign(asking_price=asking.where(asking > 0))
    return table


def to_take_along(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table for a file: what tells the homes apart comes first, and shares are rounded to 4 places."""
    first = [name for name in _FIRST if name in table]
    table = table[[*first, *(name for name in table.columns if name not in first)]]
    return table.assign(difference=table["difference"].round(4)) if "difference" in table else table


def template(desk: Desk) -> pd.DataFrame:
    """Return an empty table whose headings are read as the market's facts: reference and address first."""
    codes = desk.bundle.model.facts.area_codes if desk.bundle is not None else ()
    facts = [_heading(name, desk) for name in (*desk.asked_first, *desk.asked_further)]
    return pd.DataFrame(columns=[REFERENCE, label_of("address"), *map(label_of, codes), *facts, ASKING])


def _heading(name: str, desk: Desk) -> str:
    """Return a fact's label with its unit, but without the scale that only people read: "Condition (1-5)"."""
    return labelled(name, desk.market) if unit_of(name) else label_of(name).partition(" (")[0]
