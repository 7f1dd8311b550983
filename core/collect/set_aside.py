"""Rows that are not a market sale of one home: other property, and packages (one price for several homes)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Bools
from core.collect.cells.market import ASKED, DOUBTFUL, NOT_A_HOME, PACKAGE, SET_ASIDE
from core.collect.vocabulary import load_vocabulary

NO_HOMES: Final = frozenset({"parking", "storage", "outbuilding", "business", "commercial", "timeshare"})
"""Types of property that nobody lives in, or that nobody buys as a home."""

# Words of a type that no vocabulary has, such as "garage_condo": it may be no home, unless another word says it is one.
_PERHAPS_NO_HOME: Final = re.compile(
    r"parking|garage|garaje|garagem|carport|storage|warehouse|cellar|stall|\boffice|retail|\bshops?\b|commercial|industr"
    r"|hotel|motel|resort|time ?share|fractional|\bfarm|ranch land|agricult|acreage|vacant|\blots?\b|\bland\b|\bmarina"
    r"|\bslip\b|\bberth|church|school|restaurant|mixed use|gewerbe|comercial|commercio|komerc|usług|nutzfläche|駐車"
    r"|車庫|倉庫|事務所|店舗|창고|상가|사무실|차고|주차|商铺|商舖|办公|辦公|写字楼|车库|仓库|склад|офис|гараж|коммерч|нежил"
)
_HOME: Final = re.compile(
    r"house|home|single|famil|villa|apartment|flat\b|loft|residen|dwelling|duplex|triplex|bungalow|cottage|with|attached"
    r"|wohn|haus\b|住宅|주택"
)
PERHAPS_NO_HOME: Final = f"{ASKED}: perhaps no home: "
"""The beginning of the label for a sale that is kept although its type of property may be no home."""

_PARCELS: Final = re.compile(r"[\w.-]*[0-9][\w.-]*(?:\s*(?:[;|&]|,\s|\band\b)\s*[\w.-]*[0-9][\w.-]*)+\s*;?")
_SEVERAL_MAX: Final = 0.5
_PRICE_OF_NO_HOME: Final = 0.35
_ASKED_TYPES: Final = ("farm",)

_LAND_MAX: Final = 0.5
_OF_BUILDINGS: Final = ("year_built", "bedrooms", "bathrooms")
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
    if NOT_A_HOME not in keep and "property_type" in frame:
        types = frame["property_type"].astype("str")
        asked = _perhaps_no_homes(frame) & ~no_home
        verdicts = verdicts.mask(no_home, f"{NOT_A_HOME}: " + types)
        verdicts = verdicts.mask(asked, PERHAPS_NO_HOME + types.str.replace("_", " "))
    if PACKAGE not in keep:
        verdicts = verdicts.fillna(_several_parcels(frame)).astype("str")
    if deeds is not None and PACKAGE not in keep and {"sale_price", "sale_date"} <= set(frame):
        found = _packages(frame.loc[~no_home], deeds[~no_home])
        verdicts = verdicts.fillna(found.reindex(frame.index)).astype("str")
    if verdicts.isna().all():
        return columns
    held = columns.get("validity", _missing(frame.index))
    against = held.str.startswith(SET_ASIDE, na=False)
    # What is only asked about gives way to whatever another column says against the sale.
    settled = against | (held.str.startswith(DOUBTFUL, na=False) & verdicts.str.startswith(ASKED, na=False))
    return {**columns, "validity": held.mask(verdicts.notna() & ~settled, verdicts).astype("str")}


def _missing(index: pd.Index) -> pd.Series:
    return pd.Series(np.nan, index=index, dtype="str")


def _no_homes(frame: pd.DataFrame) -> Bools:
    if "property_type" not in frame:
        return np.zeros(len(frame), dtype=bool)
    types = frame["property_type"]
    land = types.eq("land")
    # A file of land alone is a market of its own; beside homes, bare land is none.
    bare = land & ~_is_built(frame) if land.sum() <= _LAND_MAX * types.notna().sum() else land & False
    return (types.isin(list(NO_HOMES)) | bare).to_numpy()


def _perhaps_no_homes(frame: pd.DataFrame) -> Bools:
    """Tell which rows have a type that may be no home: a farm, land with a building, a type with such words.

    A file mostly of them is a market of its own.
    """
    types = frame["property_type"]
    known = [str(one) for one in types.dropna().unique()]
    named = [one for one in known if _PERHAPS_NO_HOME.search(one.replace("_", " ")) and not _HOME.search(one)]
    found = types.isin([*_ASKED_TYPES, "land", *named])
    found |= _cheap_without_area(frame)
    return (found & (found.sum() <= _LAND_MAX * types.notna().sum())).to_numpy(dtype=bool)


def _cheap_without_area(frame: pd.DataFrame) -> Bools:
    """Tell which rows have a type that no vocabulary knows, never with an area, at a third of the usual price."""
    found = np.zeros(len(frame), dtype=bool)
    if not {"living_area_sqft", "sale_price"} <= set(frame):
        return found
    usual = _PRICE_OF_NO_HOME * float(frame["sale_price"].median())
    known = set(load_vocabulary().words_of("property_type").values())
    for kind, rows in frame.groupby("property_type"):
        if kind not in known and not rows["living_area_sqft"].gt(0).any() and rows["sale_price"].median() < usual:
            found |= frame["property_type"].eq(str(kind)).to_numpy(dtype=bool)
    return found if found.mean() <= _LAND_MAX else found & False


def _several_parcels(frame: pd.DataFrame) -> pd.Series:
    """Return the verdict on rows whose parcel number is a list of several, where most rows have one."""
    verdicts = _missing(frame.index)
    if "property_id" not in frame:
        return verdicts
    several = frame["property_id"].str.fullmatch(_PARCELS.pattern, na=False)
    if not several.any() or several.mean() > _SEVERAL_MAX:
        return verdicts
    counts = frame["property_id"].str.count(r"[;|&]|,\s|\band\b").add(1)
    return verdicts.mask(several, f"{PACKAGE}: " + counts.astype("str") + " parcels on one deed").astype("str")


def _is_built(frame: pd.DataFrame) -> pd.Series:
    """Tell which rows speak of a building: a floor area, and rooms or a year where the file has such columns."""
    facts = [name for name in _OF_BUILDINGS if name in frame]
    floor = frame["living_area_sqft"].gt(0) if "living_area_sqft" in frame else pd.Series(False, index=frame.index)
    return floor & frame[facts].gt(0).any(axis=1) if facts else floor


def _packages(frame: pd.DataFrame, deeds: pd.Series) -> pd.Series:
    """Return the verdict on rows that share a deed; packages without deed numbers are found by sale scrutiny."""
    known = frame["sale_price"].gt(0) & frame["sale_date"].notna()
    sales = frame.loc[known]
    # The same home twice is a repeated row, not a package.
    places = [name for name in _PLACE if name in sales]
    sales = sales.assign(_home=sales.groupby(places, dropna=False).ngroup() if places else np.arange(len(sales)))
    homes = sales.groupby(deeds.loc[sales.index])["_home"].transform("nunique")
    return _missing(sales.index).mask(homes.gt(1), _words(homes, sales))


def _words(homes: pd.Series, sales: pd.DataFrame) -> pd.Series:
    price, day = sales["sale_price"].map("{:,.12g}".format), sales["sale_date"].dt.strftime("%Y-%m-%d")
    return f"{PACKAGE}: " + homes.astype("str") + " homes for one price of " + price + " on " + day
