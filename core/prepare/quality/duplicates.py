"""Which sales repeat another, in the same file or among those already stored.

A home is *identified* by its property id, else by an address that only one dwelling has: one with a unit, or that
of a house. Two sales of an identified home with the same date and price are one sale, whatever else differs (two agents
describe a home differently, and one sale may have two listing numbers); so are sales at most NEAR_DAYS and
NEAR_PRICE apart. A sale on any other date is a resale and is kept.

Homes that are not identified (condos listed under their building's address) can really be equal: same building, size,
floor, month and price. There, only a row equal in *every* column, including the sale id, is a duplicate: if the
publisher numbers sales, two numbers mean two sales. Against stored sales every fact that both know must be equal, what
the assessor decides aside: a part of a file, brought again, may have other columns than the whole had, and a tax file
may have filled the stored sale. One stored sale is repeated by one row, so that the second of two equal condos is new.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Bools, Floats, Ints
from core.collect.addresses import address_keys
from core.collect.join_keys import area_codes, column_or_missing, zip_codes
from core.collect.merge import TAX_WINS
from core.prepare.quality.findings import Findings
from core.schema import FIELD_BY_NAME, FieldKind, conform

_DEGREES: Final = 1e-3
_RELATIVE: Final = 1e-6
# Assessor figures change every year, and the merge takes them from the tax file; the key stands for address and unit.
_NOT_COMPARED: Final = frozenset({*TAX_WINS, "address", "unit"})

NEAR_DAYS: Final = 7
"""Two agents may enter the contract and recording dates of one sale; a real resale within a week is unheard of."""

NEAR_PRICE: Final = 0.005
"""The same price, retyped or rounded to thousands; a real resale differs by more."""

HOUSES: Final = ("single_family", "townhouse", "duplex", "manufactured")
"""Types with one home per address, so that the address alone identifies the home."""

HELD: Final = -1
NO_TWIN: Final = -2
CORRECTED: Final = -3


def find_duplicates(
    facts: pd.DataFrame,
    rows: Ints,
    usable: Bools,
    known: pd.DataFrame | None,
    superseded: pd.DataFrame | None,
    findings: Findings,
) -> Ints:
    """Record in ``findings`` every usable row that repeats an earlier row, a ``known`` sale or a ``superseded`` one.

    ``facts`` is canonical, shape (n, columns); ``rows`` has the row numbers shown, ``usable`` those not rejected;
    ``superseded`` holds sales of ``known`` as they were before a correction. Returns, for each row, the position in
    ``known`` of the sale it repeats, -1 if none.
    """
    (held, places), (earlier, _) = (_held_nearby(facts.loc[usable], sales) for sales in (known, superseded))
    table = pd.concat([held, earlier, facts.loc[usable]], ignore_index=True)
    kinds = np.repeat(np.array([HELD, CORRECTED], dtype="int64"), [len(held), len(earlier)])
    position = np.concatenate([kinds, np.flatnonzero(usable)])
    place = np.concatenate([places, np.full(len(table) - len(held), -1, dtype="int64")])
    repeated = np.full(len(facts), -1, dtype="int64")
    home = home_ids(table, _has_price_neighbour(table))
    for code, twin in (("duplicate_row", _equal_rows(table)), ("duplicate_sale", _near_sales(table, home))):
        later = (twin >= 0) & (position >= 0)
        first = np.full(len(facts), NO_TWIN, dtype="int64")
        first[position[later]] = position[twin[later]]
        exact = np.zeros(len(facts), dtype=bool)
        exact[position[later]] = _same_sale(table, twin)[later]
        new = ~findings.found
        met = later & (place[twin] >= 0)
        met[met] = new[position[met]]
        repeated[position[met]] = place[twin[met]]
        findings.add(new & (first == HELD), "already_held", "the sale is already stored")
        findings.add(new & (first == CORRECTED), "superseded_before", "a later file already corrected this sale")
        for mask, reason in ((new & (first >= 0) & exact, code), (new & (first >= 0) & ~exact, "near_duplicate")):
            findings.add(mask, reason, [f"the same sale as row {rows[one]}" for one in first[mask].tolist()])
    rest = np.flatnonzero(usable & ~findings.found)
    again = _repeats_of(facts.iloc[rest], known, repeated)
    repeated[rest] = np.where(again >= 0, again, repeated[rest])
    findings.add(_at(rest[again >= 0], len(facts)), "already_held", "the sale is already stored")
    rest = rest[again < 0]
    again = _repeats_of(facts.iloc[rest], superseded, np.empty(0, dtype="int64"))
    findings.add(_at(rest[again >= 0], len(facts)), "superseded_before", "a later file already corrected this sale")
    return repeated


def _held_nearby(facts: pd.DataFrame, known: pd.DataFrame | None) -> tuple[pd.DataFrame, Ints]:
    """Return the stored sales close enough in date to be repeated, with only the new table's columns, and their places.

    Columns that the new file lacks cannot distinguish sales, so they are left out of the comparison.
    """
    if known is None or known.empty:
        return facts.iloc[:0], np.empty(0, dtype="int64")
    margin = pd.Timedelta(days=NEAR_DAYS)
    dates = facts["sale_date"]
    nearby = known["sale_date"].between(dates.min() - margin, dates.max() + margin)
    held = conform(known.loc[nearby], facts.columns)
    for name in facts.columns[facts.dtypes != held.dtypes]:
        held[name] = pd.to_numeric(held[name], errors="coerce") if facts[name].dtype == "float64" else held[name]
    return held.astype(facts.dtypes), np.flatnonzero(nearby.to_numpy(dtype=bool)).astype("int64")


def _at(places: Ints, size: int) -> Bools:
    mask = np.zeros(size, dtype=bool)
    mask[places] = True
    return mask


def _repeats_of(new: pd.DataFrame, stored: pd.DataFrame | None, repeated: Ints) -> Ints:
    """Return, for each new row, the place in ``stored`` of a sale that agrees with it in all both know, or -1.

    Home, date and price must be known and the same. Without an address, every canonical fact must be known to both or
    to neither. Sales at the places ``repeated`` are taken already; each other one is given to the first of its rows.
    """
    target = np.full(len(new), -1, dtype="int64")
    if stored is None or stored.empty or new.empty:
        return target
    ours, theirs = _pairs_of_one_price(new, stored)
    free = ~np.isin(theirs, repeated)
    ours, theirs = ours[free], theirs[free]
    if not len(ours):
        return target
    left, right = new.iloc[ours].reset_index(drop=True), stored.iloc[theirs].reset_index(drop=True)
    same = _agrees(left, right)
    taken: set[int] = set()
    for row, place in zip(ours[same].tolist(), theirs[same].tolist(), strict=True):
        if target[row] < 0 and place not in taken:
            target[row] = place
            taken.add(place)
    return target


def _pairs_of_one_price(new: pd.DataFrame, stored: pd.DataFrame) -> tuple[Ints, Ints]:
    """Return the positions of new rows and stored sales with one date, price and house number, row by row."""
    on_a_day = np.flatnonzero(stored["sale_date"].isin(new["sale_date"]).to_numpy())
    keys = [
        pd.DataFrame(
            {
                "date": table["sale_date"].to_numpy(),
                "price": table["sale_price"].to_numpy(),
                "number": house_numbers(table).to_numpy(),
                "place": places,
            }
        )
        for table, places in ((new, np.arange(len(new))), (stored.iloc[on_a_day], on_a_day))
    ]
    pairs = keys[0].merge(keys[1], on=["date", "price", "number"], suffixes=("_new", "_stored"))
    return pairs["place_new"].to_numpy(dtype="int64"), pairs["place_stored"].to_numpy(dtype="int64")


def _agrees(ours: pd.DataFrame, theirs: pd.DataFrame) -> Bools:
    """Mark the pairs of rows that are of one home, and that agree in every fact both know."""
    left, right = dwelling_keys(ours), dwelling_keys(theirs)
    addressed = (left.notna() & right.notna()).to_numpy()
    agrees = np.where(
        addressed, (left == right).fillna(False).to_numpy(dtype=bool), (left.isna() & right.isna()).to_numpy()
    )
    for name in ours:
        if name in _NOT_COMPARED or name not in theirs or ours[name].dtype != theirs[name].dtype:
            continue
        known, known_there = ours[name].notna().to_numpy(), theirs[name].notna().to_numpy()
        differs = known & known_there
        if name in FIELD_BY_NAME:
            differs &= unequal(name, ours[name], theirs[name])
            differs |= ~addressed & (known != known_there)
        else:
            differs &= (ours[name] != theirs[name]).fillna(False).to_numpy(dtype=bool)
        agrees &= ~differs
    return agrees


def _equal_rows(table: pd.DataFrame) -> Ints:
    """Return, for each row, the first row equal to it in every column (addresses by key), or -1 if it is the first."""
    twin = np.full(len(table), -1, dtype="int64")
    quick = [name for name in table.columns if table[name].dtype != "str"]
    alike = np.flatnonzero(table.duplicated(quick, keep=False).to_numpy()).astype("int64")
    if not alike.size:
        return twin
    candidates = table.iloc[alike]
    if "address" in candidates:
        keys = dwelling_keys(candidates).fillna(candidates["address"])
        candidates = candidates.drop(columns=["address", "unit"], errors="ignore").assign(address=keys)
    group = candidates.groupby(list(candidates.columns), dropna=False, sort=False).ngroup()
    return _first_of_group(twin, alike, np.asarray(group, dtype=np.int64))


def _first_of_group(twin: Ints, rows: Ints, group: Ints) -> Ints:
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    original = rows[first[inverse]]
    twin[rows] = np.where(original == rows, -1, original)
    return twin


def _near_sales(table: pd.DataFrame, home: Ints) -> Ints:
    """Return, for each sale of an identified home, the first sale it repeats, or -1.

    Sales of one home form a chain if dates are within NEAR_DAYS and prices within NEAR_PRICE. Splitting by date, by
    price and by date again makes the chains independent of row order and leaves survivors that do not chain again.
    """
    twin = np.full(len(table), -1, dtype="int64")
    rows = np.flatnonzero((home >= 0) & pd.Series(home).duplicated(keep=False).to_numpy())
    if not rows.size:
        return twin
    days = table["sale_date"].to_numpy()[rows].astype("datetime64[D]").astype("int64").astype("float64")
    prices = np.log(table["sale_price"].to_numpy()[rows])
    step = float(np.log1p(NEAR_PRICE)) + 1e-12
    group = home[rows]
    for values, gap in ((days, float(NEAR_DAYS)), (prices, step), (days, float(NEAR_DAYS))):
        group = _split_at_gaps(group, values, gap)
    return _first_of_group(twin, rows, group)


def _split_at_gaps(group: Ints, values: Floats, gap: float) -> Ints:
    """Split each group where its sorted values jump by more than the gap."""
    order = np.lexsort((values, group))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(group[order]) != 0) | (np.diff(values[order]) > gap)
    split = np.empty(len(order), dtype="int64")
    split[order] = np.cumsum(new)
    return split


def _same_sale(table: pd.DataFrame, twin: Ints) -> Bools:
    dates, prices = table["sale_date"].to_numpy(), table["sale_price"].to_numpy()
    return (dates == dates[twin]) & (prices == prices[twin]) if len(table) else np.zeros(0, dtype=bool)


def home_ids(table: pd.DataFrame, needed: Bools) -> Ints:
    """Return a number per identified home, -1 where the row does not identify one.

    Rows without a property id are identified by address only if ``needed``, because address keys take time.
    """
    numbers = np.full(len(table), -1, dtype="int64")
    if "property_id" in table:
        numbers = pd.factorize(table["property_id"])[0].astype("int64")
    if "address" not in table:
        return numbers
    needed = needed & (numbers < 0) & table["address"].notna().to_numpy()
    if not needed.any():
        return numbers
    rows = table.loc[needed]
    keys = dwelling_keys(rows)
    parts = pd.DataFrame({"zipcode": zip_codes(rows), "key": keys})
    if "neighbourhood" in rows:
        parts["neighbourhood"] = rows["neighbourhood"]
    homes = parts.groupby(list(parts.columns), dropna=False, sort=False).ngroup().to_numpy(dtype="int64")
    numbers[needed] = np.where(identified(rows, keys), homes + numbers.max() + 1, -1)
    return numbers


def identified(rows: pd.DataFrame, keys: pd.Series) -> Bools:
    """Mark the rows whose address (by its key) only one dwelling has: one with a unit, or that of a house."""
    sole: Bools = keys.str.contains("#", regex=False).fillna(False).to_numpy(dtype=bool, copy=True)
    if "unit" in rows:
        sole |= rows["unit"].notna().to_numpy()
    if "property_type" in rows:
        sole |= rows["property_type"].isin(HOUSES).to_numpy()
    return sole & keys.notna().to_numpy()


def _has_price_neighbour(table: pd.DataFrame) -> Bools:
    """Mark, generously, the rows that have another row within NEAR_PRICE of their price and NEAR_DAYS of their date.

    Rows are binned by date and price, twice with shifted edges, so that neighbors share a bin at least once per axis.
    """
    days = table["sale_date"].to_numpy().astype("datetime64[D]").astype("int64") / (2 * NEAR_DAYS)
    prices = np.log(table["sale_price"].to_numpy()) / (2 * np.log1p(NEAR_PRICE))
    found = np.zeros(len(table), dtype=bool)
    for by_date in (0.0, 0.5):
        for by_price in (0.0, 0.5):
            cells = pd.DataFrame({"day": np.floor(days + by_date), "price": np.floor(prices + by_price)})
            found |= cells.duplicated(keep=False).to_numpy()
    return found


def dwelling_keys(table: pd.DataFrame) -> pd.Series:
    """Return the key of each row's address with its unit, without zip code; missing where there is no address."""
    return address_keys(column_or_missing(table, "address"), column_or_missing(table, "unit"))


def house_numbers(table: pd.DataFrame) -> pd.Series:
    """Return the first number of each row's address, missing where there is none."""
    return column_or_missing(table, "address").str.extract(r"(\d+)", expand=False)


def unequal(name: str, ours: pd.Series, theirs: pd.Series) -> Bools:
    """Mark the pairs of values of a canonical field that differ; a missing value is for the caller to judge."""
    field = FIELD_BY_NAME[name]
    if field.kind is FieldKind.DATE:
        return np.asarray(ours.to_numpy() != theirs.to_numpy())
    if field.kind in (FieldKind.NUMBER, FieldKind.FLAG):
        left, right = ours.to_numpy(dtype="float64"), theirs.to_numpy(dtype="float64")
        tolerance = _DEGREES if field.unit == "degrees" else _RELATIVE * np.maximum(np.abs(left), np.abs(right))
        return np.asarray(np.abs(left - right) > tolerance)
    unequal: Bools = (ours != theirs).fillna(False).to_numpy(dtype=bool, copy=True)
    fold = area_codes if name == "zipcode" else _casefolded
    unequal[unequal] = (fold(ours[unequal]).fillna("") != fold(theirs[unequal]).fillna("")).to_numpy()
    return unequal


def _casefolded(values: pd.Series) -> pd.Series:
    return values.str.casefold().str.strip()
