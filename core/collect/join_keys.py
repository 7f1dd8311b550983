"""The keys that rows of two files are joined by: zip codes, area names, the days of figures, and addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Bools, Ints
from core.collect.addresses import address_keys, zip_codes_in

DAY: Final = "indicator_day"
"""The field of the day of an area's figures, as in files of market indicators."""

_QUARTERS: Final = (1, 4, 7, 10)


def area_codes(codes: pd.Series) -> pd.Series:
    """Return zip and postal codes in one spelling: 98103-1234, "98103.0", " 98103" become 98103; 01234 becomes 1234."""
    numbers, uniques = pd.factorize(codes)
    folded = pd.Series([_area_code(code) for code in uniques], dtype="str")
    return folded.reindex(numbers).set_axis(codes.index)


def _area_code(code: str) -> str | float:
    bare = re.sub(r"\s+", "", code).upper()
    bare = re.sub(r"\.0+$", "", bare)
    bare = re.sub(r"^(\d{5})-?\d{4}$", r"\1", bare)
    return bare.lstrip("0") or np.nan


def bare_ids(ids: pd.Series) -> pd.Series:
    """Return property ids without signs, blanks and leading zeros, in upper case: "06-12 a" becomes "612A"."""
    bare = ids.str.upper().str.replace(r"[\W_]+", "", regex=True).str.lstrip("0")
    return bare.mask(bare.eq("").fillna(False).astype(bool))


def full_keys(places: pd.DataFrame) -> pd.Series:
    """Return the key of each address with its zip code (``12 N MAIN ST #4|98103``), NaN where there is no address.

    The zip code is that of its column, else the one that ends the address, else none.
    """
    keys = address_keys_of(places)
    return keys.with_zip.fillna(keys.bare + "|")


def zip_codes(places: pd.DataFrame) -> pd.Series:
    """Return the zip code of each row in one spelling: that of its column, else the one that ends its address."""
    codes = column_or_missing(places, "zipcode")
    lacking = codes.isna() & column_or_missing(places, "address").notna()
    if lacking.any():
        codes = codes.astype("str").mask(lacking, zip_codes_in(places["address"].where(lacking)))
    return area_codes(codes)


@dataclass(frozen=True)
class AddressKeys:
    """Address keys without and with the zip code; ``with_zip`` is missing where there is no zip code."""

    bare: pd.Series
    with_zip: pd.Series

    @property
    def without_zip(self) -> Bools:
        """Return which rows have no zip code."""
        return self.with_zip.isna().to_numpy()


def address_keys_of(frame: pd.DataFrame) -> AddressKeys:
    """Return the address keys of each row, without and with its zip code."""
    bare = address_keys(column_or_missing(frame, "address"), column_or_missing(frame, "unit"))
    return AddressKeys(bare, bare + "|" + zip_codes(frame))


def fold_names(names: pd.Series) -> pd.Series:
    """Return names in lower case with single spaces, so that equal names compare equal."""
    return names.str.casefold().str.strip().str.replace(r"\s+", " ", regex=True)


def area_keys(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return the zip codes or the names of neighborhoods of a table in one spelling, by the column's name."""
    codes = column_or_missing(frame, name).astype("str")
    return area_codes(codes) if name == "zipcode" else fold_names(codes)


def area_key(name: str, area: str) -> str:
    """Return one zip code or name of a neighborhood in that spelling, "" for none; ``name`` is its column's."""
    if name != "zipcode":
        return " ".join(area.casefold().split())
    code = _area_code(area)
    return code if isinstance(code, str) else ""


def column_or_missing(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column, or missing values where the frame has none of that name."""
    return frame[name] if name in frame else pd.Series(np.nan, index=frame.index, dtype="str")


def repeated_keys(keys: pd.Series, among: Bools) -> Bools:
    """Tell which of the chosen rows carry a key that another of them carries too."""
    return among & keys.notna().to_numpy() & keys.where(among).duplicated(keep=False).to_numpy()


def positions_of(wanted: pd.Series, keys: pd.Series, among: Bools) -> Ints:
    """Return the position of each wanted key among the chosen keys (unique there), -1 where there is none."""
    chosen = np.flatnonzero(among & keys.notna().to_numpy())
    index = pd.Index(keys.iloc[chosen], dtype="str")
    place = index.get_indexer(pd.Index(wanted, dtype="str"))
    place = np.where(wanted.isna().to_numpy(), -1, place)
    if not len(chosen):
        return np.full(len(wanted), -1, dtype="int64")
    return np.where(place >= 0, chosen[place], -1).astype("int64")


def known_on(days: pd.Series) -> pd.Series:
    """Return the day on which each figure is known: its own, or the last of its year, quarter or month.

    Where every day is the first of a year, of a quarter or of a month, it stands for the whole of it.
    """
    present = days.dropna()
    if present.empty or not present.dt.day.eq(1).all():
        return days
    quarters = present.dt.month.isin(_QUARTERS).all()
    period = "Y" if present.dt.month.eq(1).all() else "Q" if quarters else "M"
    return days.dt.to_period(period).dt.end_time.dt.floor("D").astype("datetime64[us]")


def latest_before(wanted: pd.Series, days: pd.Series, keys: pd.Series, known: pd.Series, among: Bools) -> Ints:
    """Return the position of each wanted area's latest figures known before the day of the sale, -1 for none.

    ``wanted`` and ``days`` are of the sales, ``keys`` and ``known`` of the figures, of which those ``among`` count.
    """
    asked = pd.DataFrame({"area": wanted, "day": days}).reset_index(drop=True).dropna()
    offered = pd.DataFrame({"area": keys, "day": known, "at": np.arange(len(keys))})[among].dropna()
    places = np.full(len(wanted), -1, dtype="int64")
    if asked.empty or offered.empty:
        return places
    joined = pd.merge_asof(
        asked.sort_values("day", kind="stable").reset_index(names="sale"),
        offered.sort_values("day", kind="stable"),
        on="day",
        by="area",
        allow_exact_matches=False,
    )
    places[joined["sale"].to_numpy()] = joined["at"].fillna(-1).to_numpy(dtype="int64")
    return places
