"""Many homes beside their asking prices: which lie outside the range, and the template of such a file."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from core.schema import label_of, unit_of
from core.serve.reading.facts import LIST_PRICE
from core.serve.words import labelled
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.listing_columns import ESTIMATE, REASONS, REFERENCE, beside
from core.workflows.pricing.many_homes import PricedFile

NAMES: Final = {REFERENCE: "Reference", LIST_PRICE: "Asking price"}
"""What a list of homes calls the columns that are no facts of a home."""

TO_CORRECT: Final = "to correct"
WITHOUT_PRICE: Final = "without a price"
"""The two kinds of rows not priced, in words."""

DIGIT: Final = "Check the asking price: a digit may be wrong."
_FIRST: Final = ("row", "reference", "address", "asking_price")
# For programs, and on the page in words.
_CODES: Final = frozenset({"fsd", "flags", "advice", "not_understood", "check_asking_price"})
_MONEY: Final = frozenset({"asking_price", "low", "high", "point"})
_HEADINGS: Final = {
    "reference": NAMES[REFERENCE],
    "asking_price": NAMES[LIST_PRICE],
    "difference": "Asking price over estimate (%)",
    "place": "Asking price is",
    "low": "Low",
    "high": "High",
    "point": "Point estimate",
    "confidence": "Confidence (of 100)",
    "to_look_at": "To look at",
    "estimate_id": ESTIMATE,
    **REASONS,
}
# Beyond the square root of ten, an asking price is nearer to ten times the estimate, or a tenth of it, than to itself.
_DIGIT: Final = 10.0**0.5


_REPEATS: Final = 6


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
    table = with_asking(priced, priced.table)
    if "asking_price" not in table:
        return table
    asking = table["asking_price"]
    place = np.select(
        [asking < table["low"], asking > table["high"], asking.notna()],
        [Place.BELOW.value, Place.ABOVE.value, Place.INSIDE.value],
        "",
    )
    doubted = [
        in_doubt(price, point) for price, point in zip(asking.fillna(table["point"]), table["point"], strict=True)
    ]
    table = table.assign(difference=asking / table["point"] - 1, place=place, check_asking_price=doubted)
    return table.sort_values("difference", key=np.abs, ascending=False, kind="stable", ignore_index=True)


def rows_not_priced(priced: PricedFile) -> pd.DataFrame:
    """Return the rows not priced as the file has them, each with why: corrected, the file can be priced.

    Its own columns keep their headings and cells; a column of it that is called like a reason stays beside that.
    """
    status = priced.to_correct.map({True: TO_CORRECT, False: WITHOUT_PRICE})
    why, given = to_take_along(priced.errors.assign(status=status)), priced.given.reset_index(drop=True)
    why = why.rename(columns={name: beside(name) for name in map(str, why.columns) if name in given})
    return pd.concat([why.iloc[:, :1], given, why.iloc[:, 1:]], axis=1)


def repeats_words(priced: PricedFile) -> str:
    """Say which rows of a file are the same as an earlier one in every known fact, "" for none; all are priced."""
    homes = priced.homes.set_index("source_row").sort_index()
    rows = homes.assign(**{REFERENCE: [priced.references.get(row, "") for row in homes.index.tolist()]})
    rows = rows.astype("str")
    first = dict(zip(map(tuple, rows[::-1].to_numpy()), rows.index[::-1].tolist(), strict=True))
    again = [(row, first[tuple(cells)]) for row, cells in zip(rows.index.tolist(), rows.to_numpy(), strict=True)]
    found = [f"row {row} is the same as row {known}" for row, known in again if row != known]
    more = f"; and {len(found) - _REPEATS:,} more" if len(found) > _REPEATS else ""
    words = "; ".join(found[:_REPEATS])
    return f"{words[:1].upper()}{words[1:]}{more}: each is priced as a home of its own." if found else ""


def with_asking(priced: PricedFile, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table by row with the file's references and asking prices, as far as it has them."""
    if priced.references:
        table = table.assign(reference=table["row"].map(priced.references).fillna(""))
    if LIST_PRICE in priced.homes:
        asking = table["row"].map(priced.homes.set_index("source_row")[LIST_PRICE]).astype("float64")
        table = table.assign(asking_price=asking.where(asking > 0))
    return table


def for_people(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table for a file that people read: what tells the homes apart first, words in place of codes.

    Shares are in percent, to a tenth. ``to_look_at`` has what to look at, in the sentences of the page.
    """
    if "advice" in table:
        doubted = table.get("check_asking_price", pd.Series(False, index=table.index)).fillna(False).astype(bool)
        digit = pd.Series("", index=table.index).where(~doubted, f"{DIGIT} ")
        table = table.assign(to_look_at=(digit + table["advice"].fillna("").str.replace("\n", " ")).str.strip())
    if "difference" in table:
        table = table.assign(difference=(100 * table["difference"]).round(1))
    first = [name for name in _FIRST if name in table]
    return table[[*first, *(name for name in table.columns if name not in {*first, *_CODES})]]


def to_take_along(table: pd.DataFrame) -> pd.DataFrame:
    """Return the same under headings in words, "Asking price", "To look at"; facts are named, and money is whole."""
    shown = for_people(table)
    if "field" in shown:
        named = shown["field"].map(lambda name: label_of(name).partition(" (")[0] if name else "")
        shown = shown.assign(field=named)
    for name in _MONEY.intersection(shown):
        if (shown[name].dropna() % 1 == 0).all():
            shown = shown.assign(**{name: shown[name].astype("Int64")})
    return shown.rename(columns={name: _HEADINGS.get(name) or label_of(name) for name in map(str, shown.columns)})


def template(desk: Desk) -> pd.DataFrame:
    """Return an empty table whose headings are read as the market's facts: reference and address first."""
    codes = desk.bundle.model.facts.area_codes if desk.bundle is not None else ()
    facts = [_heading(name, desk) for name in (*desk.asked_first, *desk.asked_further)]
    return pd.DataFrame(
        columns=[NAMES[REFERENCE], label_of("address"), *map(label_of, codes), *facts, NAMES[LIST_PRICE]]
    )


def _heading(name: str, desk: Desk) -> str:
    """Return a fact's label with its unit, but without the scale that only people read: "Condition (1-5)"."""
    return labelled(name, desk.market) if unit_of(name) else label_of(name).partition(" (")[0]
