"""Rows that are no market sale of one home: what is no home, and packages, one price paid for several homes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import poisson

from core.arrays import Bools
from core.collect.cells.market import NOT_A_HOME, PACKAGE, SET_ASIDE

NO_HOMES: Final = frozenset({"parking", "storage", "outbuilding", "business"})
"""Types of property that nobody lives in."""

CHANCE_MAX: Final = 1e-7
"""A group of sales at one price on one day is a package if chance would make it this rarely.

Prices are round, so that two sales at 450,000 on one day mean nothing, and ten at 22,500,000 a good deal."""

HOMES_MIN: Final = 3

_MONTHS_ONLY: Final = 0.9
# A file that knows only months has hundreds of sales on each "day", and one price many times among them.

_PLACE: Final = ("property_id", "address", "unit", "latitude", "longitude", "living_area_sqft", "bedrooms")


def set_aside(
    columns: dict[str, pd.Series], deeds: pd.Series | None, keep: Collection[str] = ()
) -> dict[str, pd.Series]:
    """Return the columns of a sales file with a ``validity`` that names the rows to set aside and why.

    ``deeds`` numbers the deeds, where the file does: rows that share a deed are one sale. ``keep`` names what a person
    wants to keep all the same (PACKAGE, NOT_A_HOME). The columns are as they were where nothing is to be set aside.
    """
    frame = pd.DataFrame(columns)
    verdicts: pd.Series = _missing(frame.index)
    no_home = _no_homes(frame)
    if NOT_A_HOME not in keep and no_home.any():
        verdicts = verdicts.mask(no_home, f"{NOT_A_HOME}: " + frame.get("property_type", verdicts).astype("str"))
    if PACKAGE not in keep and {"sale_price", "sale_date"} <= set(frame):
        found = _packages(frame.loc[~no_home], None if deeds is None else deeds[~no_home])
        verdicts = verdicts.fillna(found.reindex(frame.index)).astype("str")
    if verdicts.isna().all():
        return columns
    held = columns.get("validity", _missing(frame.index))
    against = held.str.startswith(SET_ASIDE, na=False)
    return {**columns, "validity": held.mask(verdicts.notna() & ~against, verdicts).astype("str")}


def _missing(index: pd.Index) -> pd.Series:
    return pd.Series(np.nan, index=index, dtype="str")


def _no_homes(frame: pd.DataFrame) -> Bools:
    if "property_type" not in frame:
        return np.zeros(len(frame), dtype=bool)
    return frame["property_type"].isin(list(NO_HOMES)).to_numpy()


def _packages(frame: pd.DataFrame, deeds: pd.Series | None) -> pd.Series:
    known = frame["sale_price"].gt(0) & frame["sale_date"].notna()
    sales = frame.loc[known]
    # The same home twice is a repeated row, not a package.
    places = [name for name in _PLACE if name in sales]
    sales = sales.assign(_home=sales.groupby(places, dropna=False).ngroup() if places else np.arange(len(sales)))
    keys = [sales["sale_price"], sales["sale_date"]]
    verdicts: pd.Series = _missing(sales.index)
    if deeds is not None:
        homes = sales.groupby(deeds.loc[sales.index])["_home"].transform("nunique")
        verdicts = verdicts.mask(homes.gt(1), _words(homes, sales))
    for place in ("", *(name for name in ("neighbourhood", "zipcode") if name in sales)):
        within = [*keys, sales[place]] if place else keys
        homes = sales.groupby(within, dropna=False)["_home"].transform("nunique")
        by_chance = _by_chance(sales, homes, place)
        verdicts = verdicts.mask(verdicts.isna() & by_chance, _words(homes, sales)).astype("str")
    return verdicts


def _by_chance(sales: pd.DataFrame, homes: pd.Series, place: str) -> pd.Series:
    """Tell which groups are larger than chance would have them, as often as their price and their day come up."""
    of_place = sales[place] if place else pd.Series(0, index=sales.index)
    total = sales.groupby(of_place, dropna=False)["sale_price"].transform("size")
    of_price = sales.groupby([of_place, sales["sale_price"]], dropna=False)["_home"].transform("size")
    of_day = sales.groupby([of_place, sales["sale_date"]], dropna=False)["_home"].transform("size")
    others = (of_price - homes).clip(lower=0) + 1.0
    expected = others * of_day / total.clip(lower=1)
    # Prices end on one of few round figures: a price that came up once may well come up again on its day.
    expected = expected.clip(lower=of_day / 1_000.0)
    if sales["sale_date"].dt.day.eq(1).mean() > _MONTHS_ONLY:
        return pd.Series(False, index=sales.index)
    rare = poisson.sf(homes - 1, expected) < CHANCE_MAX
    return pd.Series(rare, index=sales.index) & homes.ge(HOMES_MIN)


def _words(homes: pd.Series, sales: pd.DataFrame) -> pd.Series:
    price, day = sales["sale_price"].map("{:,.12g}".format), sales["sale_date"].dt.strftime("%Y-%m-%d")
    return f"{PACKAGE}: " + homes.astype("str") + " homes for one price of " + price + " on " + day
