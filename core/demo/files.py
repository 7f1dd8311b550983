"""The source files of the simulated city, as an analyst would receive them, with known, counted faults."""

from __future__ import annotations

import io
import math
import types
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from core.arrays import Ints, Objects
from core.demo import SALES_USUAL
from core.demo.city import END, START, MarketModel, assess, simulate
from core.demo.homes import (
    CITY,
    DIRECTIONS,
    DIRECTIONS_FULL,
    SUFFIXES,
    SUFFIXES_FULL,
    city_homes,
    city_zipcodes,
    write_address,
)
from core.demo.rates import weekly_rates
from core.errors import InvalidRecord
from core.wording import count

NAMES: Final = (
    "larkhaven_simulated_mls_sales.csv",
    "larkhaven_simulated_tax_roll.csv",
    "larkhaven_simulated_neighbourhoods.csv",
)

RATES: Final = "larkhaven_simulated_mortgage_rates.csv"

SALES_MIN: Final = 1_000
"""The fewest sales that can carry all the faults."""

SALES_MAX: Final = 1_000_000
"""The most sales that are simulated; more would exhaust the memory of a usual machine."""

_MISSING_AREA_SHARE: Final = 0.05
_TAX_FILLS_SHARE: Final = 0.03
_DUPLICATE_SHARE: Final = 0.01
_BLANK_LIST_PRICE_SHARE: Final = 0.01
_MISSING_PARCEL_SHARE: Final = 0.08
_CONFLICT_SHARE: Final = 0.04
_MISSING_SCHOOLS: Final = 3
_BLANK: Final = ""
# Sellers listed their homes before they were sold, and looked at the rate then.
_RATES_BEFORE: Final = timedelta(days=90)

IMPOSSIBLE: Final[tuple[tuple[str, str], ...]] = (
    ("SqFt", "-1850"),
    ("SqFt", "0"),
    ("SqFt", "950000"),
    ("Close Price", "1"),
    ("Close Price", "1"),
    ("Close Price", "0"),
    ("Close Price", "-385000"),
    ("Year Built", "2999"),
    ("Year Built", "1066"),
    ("Bedrooms", "1000"),
    ("Baths", "220"),
    ("Close Date", "07/04/2091"),
)
"""The twelve impossible cells: the MLS column and what was typed there, one sale each."""

_TYPE_LABELS: Final = {
    "single_family": "Single Family",
    "townhouse": "Townhouse",
    "condo": "Condo",
    "apartment": "Apartment",
    "multi_family": "Multi Family",
    "manufactured": "Manufactured",
    "houseboat": "Houseboat",
    "historic": "Historic",
}
_LETTERS: Final = np.array(["F", "D", "C", "B", "A"], dtype=object)


@dataclass(frozen=True)
class DemoFiles:
    """Three CSV files (UTF-8) of a simulated market, their names in the same order, and the faults in them.

    ``rates`` is a fourth one, named RATES: the mortgage rate by week, without faults.
    ``faults`` counts: ``missing_living_area`` sales without an area in both files, ``area_only_in_tax`` sales whose
    area only the tax roll has, ``exact_duplicates`` and ``near_duplicates`` (together ``duplicates``) extra MLS rows,
    ``impossible_values`` MLS rows with one impossible cell, ``missing_parcel_numbers`` sales, ``tax_area_conflicts``
    parcels whose area differs from the MLS by a few percent, ``blank_list_prices`` sales, ``non_market_sales``, and
    ``missing_school_ratings`` zipcodes. Except for missing parcel numbers and the copies of duplicates, no sale has
    two faults.
    """

    sales: bytes
    tax: bytes
    neighbourhoods: bytes
    names: tuple[str, str, str]
    faults: Mapping[str, int]
    rates: bytes


@dataclass(frozen=True)
class _Faults:
    """The truth's rows with each fault (disjoint except no_parcel), and the homes whose area is wrong on the roll."""

    missing_area: Ints
    area_only_in_tax: Ints
    duplicated: Ints
    impossible: Ints
    no_list_price: Ints
    no_parcel: Ints
    conflicts: Ints


def demo_model(sales: int) -> MarketModel:
    """Return the market behind demo_files: as many parcels as sales; some sell twice and some never."""
    return replace(MarketModel(), parcels=sales)


def check_size(sales: int) -> None:
    """Raise InvalidRecord unless a city of this many sales can be simulated."""
    if not SALES_MIN <= sales <= SALES_MAX:
        raise InvalidRecord(
            f"The demo city cannot have {count(sales, 'sale')}; choose from {SALES_MIN:,} to {SALES_MAX:,}."
        )


def demo_files(seed: int = 2019, sales: int = SALES_USUAL) -> DemoFiles:
    """Return the MLS export, tax roll and neighborhood file of the simulated city for 2019-2024.

    The MLS file has ``sales`` rows plus 1% duplicates, the tax roll a row for each of ``sales`` parcels, the
    neighborhood file a row for each of 100 zipcodes. The truth behind them, before faults, is
    ``simulate(demo_model(sales), seed, sales=sales)``, row for row. The same seed gives the same bytes.
    Raises InvalidRecord as check_size does.
    """
    check_size(sales)
    model = demo_model(sales)
    truth = simulate(model, seed, START, END, sales)
    homes = city_homes(seed, model.parcels)
    rng = np.random.default_rng([seed, 6, sales])
    home = np.searchsorted(homes["property_id"].to_numpy(dtype=object), truth["property_id"].to_numpy(dtype=object))
    faults = _choose(rng, truth, home.astype(np.int64), len(homes))
    mls = _mls(rng, truth, homes.iloc[home].reset_index(drop=True), faults)
    tax = _tax(rng, homes, assess(model, seed, homes), home[faults.missing_area], faults.conflicts)
    zips = _neighbourhoods(rng, city_zipcodes(seed))
    counts = {
        "missing_living_area": faults.missing_area.size,
        "area_only_in_tax": faults.area_only_in_tax.size,
        "duplicates": faults.duplicated.size,
        "exact_duplicates": faults.duplicated.size // 2,
        "near_duplicates": faults.duplicated.size - faults.duplicated.size // 2,
        "impossible_values": faults.impossible.size,
        "missing_parcel_numbers": faults.no_parcel.size,
        "tax_area_conflicts": faults.conflicts.size,
        "blank_list_prices": faults.no_list_price.size,
        "non_market_sales": int((truth["validity"] != "standard").sum()),
        "missing_school_ratings": _MISSING_SCHOOLS,
    }
    rates = _rates(seed, START - _RATES_BEFORE, END)
    return DemoFiles(_csv(mls), _csv(tax), _csv(zips), NAMES, types.MappingProxyType(counts), rates)


def later_files(seed: int, truth: pd.DataFrame, homes: pd.DataFrame, label: str) -> DemoFiles:
    """Return the three files of later sales of the city, without faults; the roll has only the sold parcels.

    ``truth`` has the canonical facts and the columns of a sale, ``homes`` the rows of city_homes in the same order;
    ``label`` (such as "2025-03") goes into the names.
    """
    none = np.empty(0, dtype=np.int64)
    rng = np.random.default_rng([seed, 8, len(truth), *label.encode()])
    mls = _mls(rng, truth, homes, _Faults(none, none, none, none, none, none, none))
    parcels = homes.reset_index(drop=True).drop_duplicates("property_id")
    rolls = truth.loc[parcels.index, ["assessed_value", "prior_assessed_value", "assessed_on"]]
    tax = _tax(rng, parcels, rolls, none, none)
    zips = _neighbourhoods(np.random.default_rng([seed, 6]), city_zipcodes(seed))
    names = (f"larkhaven_simulated_mls_{label}.csv", f"larkhaven_simulated_tax_{label}.csv", NAMES[2])
    first, last = (day.date() for day in (truth["sale_date"].min(), truth["sale_date"].max()))
    rates = _rates(seed, first - _RATES_BEFORE, last)
    return DemoFiles(_csv(mls), _csv(tax), _csv(zips), names, types.MappingProxyType({}), rates)


def _rates(seed: int, start: date, end: date) -> bytes:
    rates = weekly_rates(seed, start, end)
    days = rates["day"].dt.strftime("%Y-%m-%d").to_numpy(dtype=object)
    return _csv(pd.DataFrame({"OBSERVATION_DATE": days, "MORTGAGE_RATE": _plain(rates["rate"])}, dtype=object))


def _choose(rng: np.random.Generator, truth: pd.DataFrame, home: Ints, parcels: int) -> _Faults:
    count = len(truth)
    usable = rng.permutation(np.flatnonzero((truth["validity"] == "standard").to_numpy()))
    sizes = [
        len(IMPOSSIBLE),
        round(_MISSING_AREA_SHARE * count),
        round(_DUPLICATE_SHARE * count),
        round(_BLANK_LIST_PRICE_SHARE * count),
    ]
    impossible, missing, duplicated, no_list, rest = np.split(usable, np.cumsum(sizes))
    # A sale can only take its area from the roll if no other sale of its home blanked the roll.
    filled = rest[~np.isin(home[rest], home[missing])][: round(_TAX_FILLS_SHARE * count)]
    whole = np.setdiff1d(np.arange(count), np.concatenate([impossible, duplicated]))
    no_parcel = rng.choice(whole, round(_MISSING_PARCEL_SHARE * count), replace=False)
    agreeing = np.setdiff1d(np.arange(parcels), home[np.concatenate([missing, filled, impossible])])
    conflicts = rng.choice(agreeing, round(_CONFLICT_SHARE * parcels), replace=False)
    return _Faults(
        missing_area=np.sort(missing),
        area_only_in_tax=np.sort(filled),
        duplicated=np.sort(duplicated),
        impossible=impossible,
        no_list_price=np.sort(no_list),
        no_parcel=np.sort(no_parcel),
        conflicts=np.sort(conflicts),
    )


def _mls(rng: np.random.Generator, truth: pd.DataFrame, homes: pd.DataFrame, faults: _Faults) -> pd.DataFrame:
    """Write the MLS table with text cells, one row per sale followed by its duplicates, in date order."""
    table = pd.DataFrame(
        {
            "MLS Number": truth["sale_id"].to_numpy(dtype=object),
            "Parcel Number": truth["property_id"].to_numpy(dtype=object),
            "Street Address": _mls_addresses(rng, homes),
            "Unit": _mls_units(rng, homes),
            "City": np.full(len(truth), CITY, dtype=object),
            "Zip": truth["zipcode"].to_numpy(dtype=object),
            "Type": _mixed_case(rng, truth["property_type"].map(_TYPE_LABELS).to_numpy(dtype=object)),
            "Bedrooms": _whole(truth["bedrooms"]),
            "Baths": _plain(truth["bathrooms"]),
            "SqFt": _whole(truth["living_area_sqft"]),
            "Lot SqFt": _whole(truth["lot_area_sqft"]),
            "Year Built": _whole(truth["year_built"]),
            "Stories": _plain(truth["floors"]),
            "Condition": _whole(truth["condition"]),
            "View": _whole(truth["view"]),
            "Waterfront": np.where(truth["waterfront"].to_numpy() == 1, "Y", "N").astype(object),
            "Garage": _whole(truth["garage_spaces"]),
            "Latitude": _plain(truth["latitude"]),
            "Longitude": _plain(truth["longitude"]),
            "List Date": _us_dates(truth["list_date"]),
            "Original List Price": _whole(truth["first_list_price"]),
            "List Price": _whole(truth["list_price"]),
            "Close Date": _us_dates(truth["sale_date"]),
            "Close Price": _whole(truth["sale_price"]),
            "Listing Office": truth["listing_office"].to_numpy(dtype=object),
            "Sale Type": truth["validity"].str.title().to_numpy(dtype=object),
        },
        dtype=object,
    )
    blanks = {
        "SqFt": np.concatenate([faults.missing_area, faults.area_only_in_tax]),
        "List Price": faults.no_list_price,
        "Original List Price": faults.no_list_price,
        "Parcel Number": faults.no_parcel,
    }
    for column, rows in blanks.items():
        table.loc[rows, column] = _BLANK
    for row, (column, typed) in zip(faults.impossible.tolist(), IMPOSSIBLE, strict=bool(faults.impossible.size)):
        table.loc[row, column] = typed
    half = faults.duplicated.size // 2
    chosen = rng.permutation(faults.duplicated)
    exact, near = np.sort(chosen[:half]), np.sort(chosen[half:])
    copies = _rewritten(table.iloc[near], homes.iloc[near])
    position = np.concatenate([np.arange(len(table)), exact + 0.5, near + 0.5])
    order = np.argsort(position, kind="stable")
    return pd.concat([table, table.iloc[exact], copies], ignore_index=True).iloc[order].reset_index(drop=True)


def _rewritten(rows: pd.DataFrame, homes: pd.DataFrame) -> pd.DataFrame:
    """Write the same sales as someone else would: with address, unit and type in another style."""
    copies = rows.copy()
    abbreviated = _address_in(homes, 1)
    copies["Street Address"] = np.where(
        rows["Street Address"].to_numpy() == abbreviated, _address_in(homes, 3), abbreviated
    )
    unit = homes["unit"].to_numpy(dtype=object)
    again = np.where(rows["Unit"].to_numpy() == "#" + unit, "Apt " + unit, "#" + unit)
    copies["Unit"] = np.where(unit == "", "", again)
    copies["Type"] = rows["Type"].str.swapcase().to_numpy(dtype=object)
    return copies


def _mls_addresses(rng: np.random.Generator, homes: pd.DataFrame) -> Objects:
    hand = rng.choice(4, len(homes), p=[0.35, 0.35, 0.2, 0.1])
    written = np.stack([_address_in(homes, style) for style in range(4)])
    return np.asarray(written[hand, np.arange(len(homes))], dtype=object)


def _address_in(homes: pd.DataFrame, style: int) -> Objects:
    """Write addresses in full (0), abbreviated (1), abbreviated with periods (2) or in capitals (3)."""
    short = [np.array([pair[1] for pair in table], dtype=object) for table in (DIRECTIONS, SUFFIXES)]
    if style == 0:
        return write_address(homes, DIRECTIONS_FULL, SUFFIXES_FULL)
    if style == 1:
        return write_address(homes, short[0], short[1])
    if style == 2:
        pointed = [np.array([f"{word}." if word else "" for word in table], dtype=object) for table in short]
        return write_address(homes, pointed[0], pointed[1])
    capitals = write_address(homes, DIRECTIONS_FULL, short[1])
    return np.array([text.upper() for text in capitals.tolist()], dtype=object)


def _mls_units(rng: np.random.Generator, homes: pd.DataFrame) -> Objects:
    unit = homes["unit"].to_numpy(dtype=object)
    before = rng.choice(np.array(["", "#", "Apt ", "Unit "], dtype=object), len(homes), p=[0.4, 0.25, 0.2, 0.15])
    return np.where(unit == "", "", before + unit).astype(object)


def _mixed_case(rng: np.random.Generator, labels: Objects) -> Objects:
    hand = rng.choice(3, labels.size, p=[0.7, 0.18, 0.12])
    known, code = np.unique(labels.astype(str), return_inverse=True)
    written = np.array([[text, text.upper(), text.lower()] for text in known.tolist()], dtype=object)
    return np.asarray(written[code, hand], dtype=object)


def _tax(
    rng: np.random.Generator, homes: pd.DataFrame, assessed: pd.DataFrame, blank: Ints, conflicts: Ints
) -> pd.DataFrame:
    """Write the assessor's roll, one row per parcel: addresses in capitals, including the unit."""
    area = homes["living_area_sqft"].to_numpy().copy()
    off = rng.uniform(0.02, 0.06, conflicts.size) * rng.choice([-1.0, 1.0], conflicts.size)
    area[conflicts] = np.round(area[conflicts] * (1 + off))
    area[blank] = np.nan
    return pd.DataFrame(
        {
            "PARCEL_ID": homes["property_id"].to_numpy(dtype=object),
            "SITUS_ADDRESS": _tax_addresses(rng, homes),
            "ZIP": homes["zipcode"].to_numpy(dtype=object),
            "LAND_USE": np.char.upper(homes["property_type"].map(_TYPE_LABELS).to_numpy(dtype=str)).astype(object),
            "ZONING": homes["zoning"].to_numpy(dtype=object),
            "UNITS": _whole(homes["units"]),
            "BLDG_SQFT": _whole(pd.Series(area)),
            "LOT_SQFT": _whole(homes["lot_area_sqft"]),
            "YEAR_BUILT": _whole(homes["year_built"]),
            "EFF_YEAR": _whole(homes["year_renovated"]),
            "ASSESSED_VALUE": _whole(assessed["assessed_value"]),
            "PRIOR_ASSESSED": _whole(assessed["prior_assessed_value"]),
            "ASSESSED_ON": _us_dates(assessed["assessed_on"]),
        },
        dtype=object,
    )


def _tax_addresses(rng: np.random.Generator, homes: pd.DataFrame) -> Objects:
    short = [np.array([pair[1].upper() for pair in table], dtype=object) for table in (DIRECTIONS, SUFFIXES)]
    suffixes = np.where(rng.random(len(homes)) < 0.7, 1, 0)
    written = np.stack([write_address(homes, short[0], SUFFIXES_FULL), write_address(homes, short[0], short[1])])
    street = written[suffixes, np.arange(len(homes))]
    unit = homes["unit"].to_numpy(dtype=object)
    before = rng.choice(np.array([" APT ", " UNIT ", " # ", ", APT "], dtype=object), len(homes))
    full = street + np.where(unit == "", "", before + unit)
    return np.array([text.upper() for text in full.tolist()], dtype=object)


def _neighbourhoods(rng: np.random.Generator, zips: pd.DataFrame) -> pd.DataFrame:
    letters = _LETTERS[zips["school_rating"].to_numpy().astype(int) - 1].copy()
    letters[rng.choice(len(zips), _MISSING_SCHOOLS, replace=False)] = _BLANK
    return pd.DataFrame(
        {
            "ZIP": zips["zipcode"].to_numpy(dtype=object),
            "SCHOOL_RATING": letters,
            "CRIME_INDEX": _whole(zips["crime_index"]),
            "WALK_SCORE": _whole(zips["walk_score"]),
            "MEDIAN_INCOME": _whole(zips["median_income"]),
        },
        dtype=object,
    )


def _whole(values: pd.Series) -> Objects:
    return np.array(["" if math.isnan(value) else str(int(value)) for value in values.tolist()], dtype=object)


def _plain(values: pd.Series) -> Objects:
    """Write 2.5 as "2.5" and 2.0 as "2"; values must not be missing."""
    return np.array([f"{value:.10g}" for value in values.tolist()], dtype=object)


def _us_dates(days: pd.Series) -> Objects:
    known, code = np.unique(days.to_numpy().astype("datetime64[D]"), return_inverse=True)
    written = [f"{day:%m/%d/%Y}" for day in known.astype(object)]
    return np.asarray(np.array(written, dtype=object)[code], dtype=object)


def _csv(table: pd.DataFrame) -> bytes:
    columns = {name: pa.array(table[name].to_numpy(dtype=object), type=pa.string()) for name in table.columns}
    buffer = io.BytesIO()
    csv.write_csv(pa.table(columns), buffer, csv.WriteOptions(quoting_style="needed"))
    return buffer.getvalue()
