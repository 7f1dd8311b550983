"""Cleaning of sales: every input row ends as accepted, repaired, duplicate or rejected, with the reasons in a ledger.

A sale whose price, date, place, living area or market nature cannot be trusted is rejected. A mistyped secondary fact
is set to missing and the sale kept, because training imputes and flags what is missing. Limits come from the problem
statement; the few constants below say why they are what they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.accounting import Outcome
from core.collect.addresses import address_keys
from core.problem import Limit, Problem
from core.schema import FIELD_BY_NAME, FIELDS, FieldKind, conform

Mask = NDArray[np.bool_]
Positions = NDArray[np.int64]

ROW: Final = "source_row"
LEDGER_COLUMNS: Final = (ROW, "outcome", "reasons", "detail")

CORRUPT_FACTOR: Final = 10
"""A fact this many times over its limit (1000 bedrooms) is no slip of one key: the whole row is taken as corrupt."""

ROOMLESS_SQFT: Final = 1000
"""A home without a bedroom is a studio; over this size the zero stands for 'unknown'."""

LIST_RATIO: Final = Limit(0.2, 5.0)
"""List over sale price outside these bounds is a typing error: a digit too many or too few."""

NEAR_DAYS: Final = 7
"""Two agents enter the contract day and the recording day of one sale; a true resale within a week is unheard of."""

NEAR_PRICE: Final = 0.005
"""The same price retyped or rounded to thousands; a true resale moves by more."""

TRUSTED: Final = ("sale_price", "living_area_sqft")
"""Outside its limits either of these makes the sale useless for training: price per area is what a model learns."""

QUANTITIES: Final = (
    "lot_area_sqft",
    "bedrooms",
    "bathrooms",
    "floors",
    "units",
    "year_built",
    "year_renovated",
    "garage_spaces",
)
"""Counts, sizes and years: below zero, or CORRUPT_FACTOR times over the limit, they show a corrupt row."""

HOUSES: Final = ("single_family", "townhouse", "duplex", "manufactured")
"""Types that have an address to themselves, so that the address alone tells one home from another."""


@dataclass(frozen=True)
class Cleaned:
    """Usable sales, and a ledger of all input rows in their order.

    ``sales``: accepted and repaired rows in input order, canonical dtypes, with ``source_row`` (int64) last.
    ``ledger``: ``source_row``, ``outcome`` (an Outcome), ``reasons`` (codes joined by ``;``), ``detail`` (words for a
    person, joined by ``; ``), the last two empty for accepted rows.
    """

    sales: pd.DataFrame
    ledger: pd.DataFrame


def clean_sales(frame: pd.DataFrame, problem: Problem, today: date, known: pd.DataFrame | None = None) -> Cleaned:
    """Judge each row of a table of sales, repair what can be repaired, and drop the rest.

    ``frame`` is canonical (see schema.conform) with a column ``source_row``. ``known`` holds the sales already accepted
    by the market, canonical too: a row that repeats one of them is a duplicate. A row has one outcome, the gravest:
    rejected, duplicate, repaired, accepted; its reasons are those of that outcome.

    Raises MappingError if a column is neither canonical nor an extra.
    """
    rows = frame[ROW].to_numpy(dtype="int64")
    facts = _canonical(frame)
    rejected, repaired, duplicate = (_Findings(len(facts)) for _ in range(3))
    _reject_untrusted(facts, problem, today, rejected)
    facts = _repair(facts, problem, repaired)
    rejected.add(_nowhere(facts), "no_location", "neither address, coordinates, zipcode nor neighbourhood")
    _find_duplicates(facts, rows, ~rejected.found, known, duplicate)
    dropped = rejected.found | duplicate.found
    sales = facts.assign(**{ROW: rows}).loc[~dropped].reset_index(drop=True)
    return Cleaned(sales, _ledger(rows, rejected, duplicate, repaired))


def _canonical(frame: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in frame.columns if name != ROW]
    names += [name for name in ("sale_date", "sale_price") if name not in frame.columns]
    return conform(frame.reset_index(drop=True), names)


# Findings


@dataclass
class _Findings:
    """Reasons and details by row, gathered rule by rule."""

    size: int
    found: Mask = field(init=False)
    reasons: list[str] = field(init=False)
    details: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.found = np.zeros(self.size, dtype=bool)
        self.reasons = [""] * self.size
        self.details = [""] * self.size

    def add(self, mask: Mask, code: str, detail: str | Sequence[str]) -> None:
        """Record a code for the rows of the mask; ``detail`` is one text, or one text per row of the mask."""
        positions = np.flatnonzero(mask).tolist()
        texts = [detail] * len(positions) if isinstance(detail, str) else detail
        for position, text in zip(positions, texts, strict=True):
            if code not in self.reasons[position].split(";"):
                self.reasons[position] = _joined(self.reasons[position], code, ";")
            self.details[position] = _joined(self.details[position], text, "; ")
        self.found |= mask


def _joined(before: str, more: str, mark: str) -> str:
    return f"{before}{mark}{more}" if before else more


def _ledger(rows: Positions, rejected: _Findings, duplicate: _Findings, repaired: _Findings) -> pd.DataFrame:
    outcome = np.full(len(rows), Outcome.ACCEPTED.value, dtype=object)
    reasons = np.full(len(rows), "", dtype=object)
    details = np.full(len(rows), "", dtype=object)
    gravest_last = ((Outcome.REPAIRED, repaired), (Outcome.DUPLICATE, duplicate), (Outcome.REJECTED, rejected))
    for verdict, findings in gravest_last:
        outcome[findings.found] = verdict.value
        reasons[findings.found] = np.asarray(findings.reasons, dtype=object)[findings.found]
        details[findings.found] = np.asarray(findings.details, dtype=object)[findings.found]
    texts = {"outcome": outcome, "reasons": reasons, "detail": details}
    return pd.DataFrame({ROW: rows, **{name: pd.Series(texts[name], dtype="str") for name in LEDGER_COLUMNS[1:]}})


# Rejection


def _reject_untrusted(facts: pd.DataFrame, problem: Problem, today: date, rejected: _Findings) -> None:
    price, sold = _number(facts, "sale_price"), facts["sale_date"]
    rejected.add(np.isnan(price), "price_missing", "no sale price: not sold, or not recorded")
    for name in TRUSTED:
        _reject(facts, name, _outside(_number(facts, name), problem.limits[name]), problem, rejected)
    for name in QUANTITIES:
        values = _number(facts, name)
        corrupt = (values < 0) | (values > CORRUPT_FACTOR * problem.limits[name].high)
        _reject(facts, name, corrupt, problem, rejected)
    rejected.add(sold.isna().to_numpy(), "date_missing", "no sale date")
    later = (sold > pd.Timestamp(today)).to_numpy()
    rejected.add(later, "date_in_future", [f"sale date {day} is after {today}" for day in _days(sold, later)])
    oldest = int(problem.limits["year_built"].low)
    ancient = (sold.dt.year < oldest).to_numpy()
    rejected.add(ancient, "date_impossible", [f"sale date {day} is before {oldest}" for day in _days(sold, ancient)])
    _reject_non_market(facts, problem, rejected)


def _reject(facts: pd.DataFrame, name: str, mask: Mask, problem: Problem, rejected: _Findings) -> None:
    limit = problem.limits[name]
    code = "price_impossible" if name == "sale_price" else f"{name}_impossible"
    span = f"limits {_plain(limit.low)} to {_plain(limit.high)}"
    label = FIELD_BY_NAME[name].label.lower()
    values = _number(facts, name)[mask]
    rejected.add(mask, code, [f"{label} {_plain(value)} is impossible ({span})" for value in values])


def _reject_non_market(facts: pd.DataFrame, problem: Problem, rejected: _Findings) -> None:
    if "validity" not in facts:
        return
    words = facts["validity"]
    folded = {_folded(word) for word in problem.intake.non_market}
    unusable = [word for word in words.dropna().unique() if _folded(word) in folded]
    mask = words.isin(unusable).to_numpy()
    rejected.add(mask, "non_market_sale", [f"sale validity is {word!r}" for word in words[mask]])


def _folded(word: str) -> str:
    return re.sub(r"[\W_]+", "", word.casefold())


def _nowhere(facts: pd.DataFrame) -> Mask:
    nowhere = np.ones(len(facts), dtype=bool)
    for name in ("address", "latitude", "zipcode", "neighbourhood"):
        if name in facts:
            nowhere &= (facts[name].isna() | facts[name].eq("")).to_numpy()
    return nowhere


# Repair


@dataclass
class _Repairs:
    """Facts being repaired: a mistyped value becomes missing, and the finding names it."""

    facts: pd.DataFrame
    findings: _Findings

    def number(self, name: str) -> NDArray[np.float64]:
        return _number(self.facts, name)

    def blank(self, name: str, mask: Mask, why: str, code: str = "") -> None:
        """Set the field to missing where the mask holds and it has a value."""
        if name not in self.facts:
            return
        mask = mask & self.facts[name].notna().to_numpy()
        if not mask.any():
            return
        before = self.facts[name][mask]
        shown = map(_plain, before) if before.dtype == "float64" else _days(before)
        label = name.replace("_", " ")
        details = [f"{label} {value} -> missing ({why})" for value in shown]
        self.findings.add(mask, code or f"{name}_implausible", details)
        self.facts[name] = self.facts[name].mask(mask)


def _repair(facts: pd.DataFrame, problem: Problem, findings: _Findings) -> pd.DataFrame:
    repairs = _Repairs(_never_renovated_as_missing(facts), findings)
    _repair_limits(repairs, problem)
    _repair_rooms(repairs, problem)
    _repair_years(repairs, problem)
    _repair_place(repairs)
    _repair_listing(repairs)
    return repairs.facts


def _never_renovated_as_missing(facts: pd.DataFrame) -> pd.DataFrame:
    # Year 0 is how assessors write "never renovated": a convention, not a fault, so no row counts as repaired for it.
    if "year_renovated" not in facts:
        return facts.copy()
    return facts.assign(year_renovated=facts["year_renovated"].mask(facts["year_renovated"] == 0))


def _repair_limits(repairs: _Repairs, problem: Problem) -> None:
    for name, limit in problem.limits.items():
        if name not in (*TRUSTED, "latitude", "longitude"):
            why = f"outside {_plain(limit.low)} to {_plain(limit.high)}"
            repairs.blank(name, _outside(repairs.number(name), limit), why)
    for name in ("lot_area_sqft", "bathrooms", "assessed_value", "prior_assessed_value"):
        repairs.blank(name, repairs.number(name) <= 0, "must be above 0")
    for name in (one.name for one in FIELDS if one.kind is FieldKind.FLAG):
        repairs.blank(name, ~np.isin(repairs.number(name), (0.0, 1.0)), "neither 0 nor 1")
    for name in repairs.facts.columns:
        if name not in TRUSTED and repairs.facts[name].dtype == "float64":
            repairs.blank(name, np.isinf(repairs.number(name)), "not a finite number")


def _repair_rooms(repairs: _Repairs, problem: Problem) -> None:
    area, bedrooms = repairs.number("living_area_sqft"), repairs.number("bedrooms")
    least = problem.intake.sqft_per_bedroom_low
    repairs.blank("bedrooms", area < least * bedrooms, f"under {_plain(least)} sq ft of living area each")
    repairs.blank("bedrooms", (bedrooms == 0) & (area > ROOMLESS_SQFT), f"over {ROOMLESS_SQFT} sq ft of living area")


def _repair_years(repairs: _Repairs, problem: Problem) -> None:
    ahead = problem.intake.years_ahead
    latest = repairs.facts["sale_date"].dt.year.to_numpy(dtype="float64") + ahead
    for name in ("year_built", "year_renovated"):
        repairs.blank(name, repairs.number(name) > latest, f"more than {ahead} years after the sale")
    before = repairs.number("year_renovated") < repairs.number("year_built")
    repairs.blank("year_renovated", before, "before the year built")


def _repair_place(repairs: _Repairs) -> None:
    latitude, longitude = repairs.number("latitude"), repairs.number("longitude")
    null_island = (latitude == 0) & (longitude == 0)
    half = np.isnan(latitude) != np.isnan(longitude)
    off_globe = (np.abs(latitude) > 90) | (np.abs(longitude) > 180)
    for name in ("latitude", "longitude"):
        why = "coordinates are (0, 0), off the globe or incomplete"
        repairs.blank(name, null_island | half | off_globe, why, "coordinates_implausible")


def _repair_listing(repairs: _Repairs) -> None:
    price, listed = repairs.number("sale_price"), repairs.number("list_price")
    # Compared as products, because a sale price of 0 (a rejected row) has no ratio.
    absurd = (listed <= 0) | (listed < LIST_RATIO.low * price) | (listed > LIST_RATIO.high * price)
    why = f"not within {LIST_RATIO.low:g} to {LIST_RATIO.high:g} times the sale price"
    repairs.blank("list_price", absurd, why)
    if "list_date" in repairs.facts:
        late = (repairs.facts["list_date"] > repairs.facts["sale_date"]).to_numpy()
        repairs.blank("list_date", late, "after the sale date", "listed_after_sold")


# Duplicates
#
# A home is *identified* by its property id, else by an address that only one dwelling has: one with a unit, or that
# of a house. Two sales of an identified home with one date and price are one sale, whatever else differs (two agents
# describe a home differently, and one sale may carry two listing numbers); so are sales at most NEAR_DAYS and
# NEAR_PRICE apart. Any other date is a resale and is kept.
#
# Homes that are not identified (flats of a block under the block's address) can be truly alike: same block, size,
# storey, month and price. There only a row equal in *every* column is a duplicate, the sale id included: where the
# publisher numbers sales, two numbers are two sales.

HELD: Final = -1
NO_TWIN: Final = -2


def _find_duplicates(
    facts: pd.DataFrame, rows: Positions, usable: Mask, known: pd.DataFrame | None, findings: _Findings
) -> None:
    held = _held_nearby(facts.loc[usable], known)
    table = pd.concat([held, facts.loc[usable]], ignore_index=True)
    position = np.concatenate([np.full(len(held), HELD, dtype="int64"), np.flatnonzero(usable)])
    home = _home_ids(table)
    for code, twin in (("duplicate_row", _equal_rows(table)), ("duplicate_sale", _near_sales(table, home))):
        later = (twin >= 0) & (position != HELD)
        first = np.full(len(facts), NO_TWIN, dtype="int64")
        first[position[later]] = position[twin[later]]
        exact = np.zeros(len(facts), dtype=bool)
        exact[position[later]] = _same_sale(table, twin)[later]
        new = ~findings.found
        findings.add(new & (first == HELD), "already_held", "the sale is held already")
        for mask, reason in ((new & (first >= 0) & exact, code), (new & (first >= 0) & ~exact, "near_duplicate")):
            findings.add(mask, reason, [f"the same sale as row {rows[one]}" for one in first[mask].tolist()])


def _held_nearby(facts: pd.DataFrame, known: pd.DataFrame | None) -> pd.DataFrame:
    """Return the held sales near enough in date to be repeated, with the columns of the new table only.

    Columns that the new file lacks cannot tell two sales apart, so they are left out of the comparison.
    """
    if known is None:
        return facts.iloc[:0]
    margin = pd.Timedelta(days=NEAR_DAYS)
    dates = facts["sale_date"]
    nearby = known["sale_date"].between(dates.min() - margin, dates.max() + margin)
    held = conform(known.loc[nearby], facts.columns)
    for name in facts.columns[facts.dtypes != held.dtypes]:
        held[name] = pd.to_numeric(held[name], errors="coerce") if facts[name].dtype == "float64" else held[name]
    return held.astype(facts.dtypes)


def _equal_rows(table: pd.DataFrame) -> Positions:
    """Return, for each row, the first row equal to it in every column (addresses by key), or -1 if that is itself."""
    twin = np.full(len(table), -1, dtype="int64")
    quick = [name for name in table.columns if table[name].dtype != "str"]
    alike = np.flatnonzero(table.duplicated(quick, keep=False).to_numpy()).astype("int64")
    if not alike.size:
        return twin
    candidates = table.iloc[alike]
    if "address" in candidates:
        keys = _address_keys(candidates).fillna(candidates["address"])
        candidates = candidates.drop(columns=["address", "unit"], errors="ignore").assign(address=keys)
    group = candidates.groupby(list(candidates.columns), dropna=False, sort=False).ngroup()
    return _first_of_group(twin, alike, np.asarray(group, dtype=np.int64))


def _first_of_group(twin: Positions, rows: Positions, group: Positions) -> Positions:
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    original = rows[first[inverse]]
    twin[rows] = np.where(original == rows, -1, original)
    return twin


def _near_sales(table: pd.DataFrame, home: Positions) -> Positions:
    """Return, for each sale of an identified home, the first sale it repeats, or -1.

    Sales of one home are chained where dates lie within NEAR_DAYS and prices within NEAR_PRICE. Splitting by date, by
    price and by date again makes the chains independent of row order, and leaves survivors that never chain again.
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


def _split_at_gaps(group: Positions, values: NDArray[np.float64], gap: float) -> Positions:
    """Split each group wherever its sorted values jump by more than the gap."""
    order = np.lexsort((values, group))
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(group[order]) != 0) | (np.diff(values[order]) > gap)
    split = np.empty(len(order), dtype="int64")
    split[order] = np.cumsum(new)
    return split


def _same_sale(table: pd.DataFrame, twin: Positions) -> Mask:
    dates, prices = table["sale_date"].to_numpy(), table["sale_price"].to_numpy()
    return (dates == dates[twin]) & (prices == prices[twin]) if len(table) else np.zeros(0, dtype=bool)


def _home_ids(table: pd.DataFrame) -> Positions:
    """Return a number per identified home, -1 where the row does not identify one."""
    numbers = np.full(len(table), -1, dtype="int64")
    if "property_id" in table:
        numbers = pd.factorize(table["property_id"])[0].astype("int64")
    if "address" not in table:
        return numbers
    # Only sales of like date and price can repeat each other; keys of the others would be computed for nothing.
    needed = (numbers < 0) & table["address"].notna().to_numpy() & _has_price_neighbour(table)
    if not needed.any():
        return numbers
    rows = table.loc[needed]
    keys = _address_keys(rows)
    sole = keys.str.contains("#", regex=False).to_numpy(dtype=bool) & keys.notna().to_numpy()
    if "unit" in rows:
        sole |= rows["unit"].notna().to_numpy()
    if "property_type" in rows:
        sole |= rows["property_type"].isin(HOUSES).to_numpy()
    places = [name for name in ("zipcode", "neighbourhood") if name in rows]
    parts = rows[places].assign(key=keys)
    homes = parts.groupby([*places, "key"], dropna=False, sort=False).ngroup().to_numpy(dtype="int64")
    numbers[needed] = np.where(sole & keys.notna().to_numpy(), homes + numbers.max() + 1, -1)
    return numbers


def _has_price_neighbour(table: pd.DataFrame) -> Mask:
    """Tell which rows have another row within NEAR_PRICE of their price and NEAR_DAYS of their date, generously.

    Rows are put into cells of date and price, twice with shifted borders, so that neighbours share a cell at least once
    per axis.
    """
    days = table["sale_date"].to_numpy().astype("datetime64[D]").astype("int64") / (2 * NEAR_DAYS)
    prices = np.log(table["sale_price"].to_numpy()) / (2 * np.log1p(NEAR_PRICE))
    found = np.zeros(len(table), dtype=bool)
    for by_date in (0.0, 0.5):
        for by_price in (0.0, 0.5):
            cells = pd.DataFrame({"day": np.floor(days + by_date), "price": np.floor(prices + by_price)})
            found |= cells.duplicated(keep=False).to_numpy()
    return found


def _address_keys(table: pd.DataFrame) -> pd.Series:
    units = table["unit"] if "unit" in table else pd.Series(np.nan, index=table.index, dtype="str")
    return address_keys(table["address"], units)


# Values


def _number(facts: pd.DataFrame, name: str) -> NDArray[np.float64]:
    if name not in facts:
        return np.full(len(facts), np.nan)
    return facts[name].to_numpy(dtype="float64")


def _outside(values: NDArray[np.float64], limit: Limit) -> Mask:
    return (values < limit.low) | (values > limit.high)


def _days(dates: pd.Series, mask: Mask | None = None) -> list[str]:
    chosen = dates if mask is None else dates[mask]
    return [str(day) for day in chosen.dt.date]


def _plain(value: float) -> str:
    return f"{value:.12g}"
