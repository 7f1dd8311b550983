"""Cleaning of sales: every input row ends in one outcome, accepted to rejected, with the reasons in a ledger.

A sale is rejected if its price, date, location, living area or arm's-length nature cannot be trusted. A mistyped
secondary fact is set to missing and the sale is kept, because training imputes and flags missing facts. A sale that
strong evidence makes doubtful is set aside for a person to decide (see core.prepare.quality.scrutiny). Limits come
from the problem statement; each of the few constants below has its reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from core.accounting import Outcome
from core.arrays import Bools, Floats, Ints, Objects
from core.collect.addresses import address_keys
from core.collect.cells.market import NON_MARKET, NOT_A_HOME, NOT_SOLD, PACKAGE
from core.collect.join_keys import column_or_missing
from core.prepare.quality.corrections import CORRECTS, HeldBack, Repeats, filled_from, settle_repeats
from core.prepare.quality.findings import Findings
from core.prepare.quality.places import NO_CODE, swapped_places, unlike_the_others
from core.prepare.quality.scrutiny import Scrutiny, add_doubts, scrutinise
from core.problem import Limit, Problem
from core.schema import FIELD_BY_NAME, FIELDS, FieldKind, conform
from core.states import Doubt

ROW: Final = "source_row"
LEDGER_COLUMNS: Final = (ROW, "outcome", "reasons", "detail")

CORRUPT_FACTOR: Final = 10
"""A fact this many times over its limit (1000 bedrooms) is not a simple typo: the whole row counts as corrupt."""

ROOMLESS_SQFT: Final = 1000
"""A home without a bedroom is a studio; over this size, the zero means 'unknown'."""

LIST_RATIO: Final = Limit(0.2, 5.0)
"""A list price / sale price outside these bounds is a typo: a digit too many or too few."""

TRUSTED: Final = ("sale_price", "living_area_sqft")
"""A sale with either of these outside its limits is useless for training: the model learns the price per area."""

_FLAT: Final = r",\s*(?=[0-9A-Za-z-]*[0-9])(?![0-9]{4,}\s*$)[0-9A-Za-z-]{1,6}\s*$"
"""An address that ends with the number of a flat: "20 River Terrace, 11D"."""

NO_PRICE: Final = "no sale price: not sold, or not recorded"
NO_DATE: Final = "no sale date"

SET_ASIDE_CODES: Final = {
    NON_MARKET: "non_market_sale",
    NOT_SOLD: "not_sold",
    NOT_A_HOME: "not_a_home",
    PACKAGE: "package_sale",
}
"""How a validity begins that sets a row aside, and the reason it is counted under."""

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


@dataclass(frozen=True)
class Cleaned:
    """Usable sales, and a ledger of all input rows in their order.

    ``sales``: accepted, repaired and set-aside rows in input order, canonical dtypes, ``source_row`` (int64) last.
    ``ledger``: ``source_row``, ``outcome`` (an Outcome), ``reasons`` (codes joined by ``;``), ``detail`` (readable
    text, joined by ``; ``); the last two are empty for accepted rows that correct nothing.
    ``corrects``: for each row of ``sales``, the position of the stored sale it supersedes, -1 for a new sale.
    ``set_aside``: for each row of ``sales``, why it waits for a decision (a Doubt), empty for a sale in use.
    ``repairs``: (codes, details) of the repairs of each row by ``source_row``, of rows with a graver outcome too.
    """

    sales: pd.DataFrame
    ledger: pd.DataFrame
    corrects: Ints
    set_aside: Objects
    repairs: Mapping[int, tuple[str, str]] = field(default_factory=dict)

    @property
    def in_use(self) -> pd.DataFrame:
        """The rows of ``sales`` that nobody has to decide on first."""
        return self.sales.loc[self.set_aside == ""]


def clean_sales(
    frame: pd.DataFrame,
    problem: Problem,
    today: date,
    known: pd.DataFrame | None = None,
    superseded: pd.DataFrame | None = None,
    repeats: Repeats = Repeats.STAY,
) -> Cleaned:
    """Judge each row of a table of sales, repair what can be repaired, and drop the rest.

    ``frame`` is canonical (see schema.conform) with a column ``source_row``. ``known`` holds the sales already accepted
    by the market, also canonical: a row that repeats one of them is a duplicate; a row that differs is a correction,
    which keeps the stored sale's value for everything it leaves out. ``superseded`` has the earlier states of corrected
    sales: a row that repeats one is also a duplicate. ``repeats`` says what other facts of a repeated sale do. A row
    has one outcome, the most severe: rejected, duplicate, set aside, repaired, accepted; its reasons are those of that
    outcome, plus CORRECTS if it corrects a sale.

    Raises MappingError if a column is neither canonical nor extra.
    """
    rows = frame[ROW].to_numpy(dtype="int64")
    facts = _canonical(frame)
    rejected, repaired, duplicate, doubtful = (Findings(len(facts)) for _ in range(4))
    facts = _without_areas_of_buildings(facts, problem, repaired)
    facts = _with_places_swapped_back(facts, known, repaired)
    _reject_untrusted(facts, problem, today, rejected)
    # Before the repairs, which would take the list price or the rooms for what is wrong.
    scrutiny = scrutinise(facts, ~rejected.found, known)
    waits = scrutiny.mask(strong=True)
    doubted = _Doubted.by(scrutiny)
    facts = _repair(facts, problem, repaired, doubted)
    rejected.add(_nowhere(facts), "no_location", "no address, coordinates, zipcode or neighborhood")
    held = None if known is None else HeldBack(known, known.iloc[:0] if superseded is None else superseded, repeats)
    target = settle_repeats(facts, rows, ~rejected.found, held, duplicate)
    corrected = Findings(len(facts))
    if known is not None and (target >= 0).any():
        facts = _take_over(facts, target, known, problem, doubted)
        corrected.add(target >= 0, CORRECTS, "corrects a sale that is already stored")
    dropped = rejected.found | duplicate.found
    add_doubts(scrutiny, waits & ~dropped, doubtful)
    sales = facts.assign(**{ROW: rows}).loc[~dropped].reset_index(drop=True)
    findings = (
        (Outcome.REPAIRED, repaired),
        (Outcome.SET_ASIDE, doubtful),
        (Outcome.DUPLICATE, duplicate),
        (Outcome.REJECTED, rejected),
    )
    set_aside = np.asarray(doubtful.reasons, dtype=object)[~dropped]
    repairs = {int(rows[at]): (repaired.reasons[at], repaired.details[at]) for at in np.flatnonzero(repaired.found)}
    return Cleaned(sales, _ledger(rows, findings, corrected), target[~dropped], set_aside, repairs)


def repaired_again(sales: pd.DataFrame, problem: Problem) -> tuple[pd.DataFrame, Findings]:
    """Return stored sales as today's repairs would leave them, canonical, and what these did by row.

    A rule that came after the sales finds what the rules of then let through; all others change nothing.
    """
    facts, repaired = _canonical(sales), Findings(len(sales))
    facts = _without_areas_of_buildings(facts, problem, repaired)
    scrutiny = scrutinise(facts, np.ones(len(facts), dtype=bool))
    return _repair(facts, problem, repaired, _Doubted.by(scrutiny)), repaired


@dataclass(frozen=True)
class _Doubted:
    """Which sales wait for their price or their area, each of shape (n,): no other fact is measured by these."""

    price: Bools
    area: Bools

    @classmethod
    def by(cls, scrutiny: Scrutiny) -> _Doubted:
        """Return those of a scrutiny's strong doubts."""
        price = scrutiny.mask(Doubt.PRICE_DIGIT, True) | scrutiny.mask(Doubt.FAR, True)
        return cls(price, scrutiny.mask(Doubt.AREA_UNIT, True) | scrutiny.mask(Doubt.AREAS_SWAPPED, True))

    def of(self, rows: Bools) -> _Doubted:
        """Return the same for some of the rows."""
        return _Doubted(self.price[rows], self.area[rows])


def _take_over(
    facts: pd.DataFrame, target: Ints, held: pd.DataFrame, problem: Problem, doubted: _Doubted
) -> pd.DataFrame:
    """Fill in what correcting rows leave out; values that no longer fit the corrected facts become missing."""
    rows = target >= 0
    facts = conform(facts, [*facts, *(name for name in held if name in FIELD_BY_NAME and name not in facts)])
    filled = filled_from(held, target[rows], facts.loc[rows])
    repaired = _repair(filled.reset_index(drop=True), problem, Findings(len(filled)), doubted.of(rows))
    kept = repaired.set_axis(filled.index)
    facts.loc[rows] = kept
    return facts


def _canonical(frame: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in frame.columns if name != ROW]
    names += [name for name in ("sale_date", "sale_price") if name not in frame.columns]
    return conform(frame.reset_index(drop=True), names)


# Ledger


def _ledger(rows: Ints, gravest_last: Sequence[tuple[Outcome, Findings]], corrected: Findings) -> pd.DataFrame:
    outcome = np.full(len(rows), Outcome.ACCEPTED.value, dtype=object)
    reasons = np.full(len(rows), "", dtype=object)
    details = np.full(len(rows), "", dtype=object)
    for verdict, findings in gravest_last:
        outcome[findings.found] = verdict.value
        reasons[findings.found] = np.asarray(findings.reasons, dtype=object)[findings.found]
        details[findings.found] = np.asarray(findings.details, dtype=object)[findings.found]
    gone = np.isin(outcome, (Outcome.REJECTED.value, Outcome.DUPLICATE.value))
    for row in np.flatnonzero(corrected.found & ~gone):
        reasons[row] = ";".join(filter(None, (reasons[row], corrected.reasons[row])))
        details[row] = "; ".join(filter(None, (details[row], corrected.details[row])))
    texts = {"outcome": outcome, "reasons": reasons, "detail": details}
    return pd.DataFrame({ROW: rows, **{name: pd.Series(texts[name], dtype="str") for name in LEDGER_COLUMNS[1:]}})


def _without_areas_of_buildings(facts: pd.DataFrame, problem: Problem, repaired: Findings) -> pd.DataFrame:
    """Blank the living area of a flat that is too large for any home: it is that of the building."""
    if "address" not in facts or "living_area_sqft" not in facts:
        return facts
    limit = problem.limits["living_area_sqft"]
    whole = facts["living_area_sqft"].gt(limit.high).to_numpy(dtype=bool, copy=True)
    large = facts.loc[whole]
    units = column_or_missing(large, "unit")
    numbered = address_keys(large["address"], units).str.contains("#", na=False)
    whole[whole] = numbered | large["address"].str.contains(_FLAT, na=False) | units.notna()
    areas = facts["living_area_sqft"][whole]
    why = [
        f"living area {_plain(area)} is that of the whole building (a home's limit is {_plain(limit.high)})"
        for area in areas
    ]
    repaired.add(whole, "area_of_building", why)
    return facts.assign(living_area_sqft=facts["living_area_sqft"].mask(whole))


def _with_places_swapped_back(facts: pd.DataFrame, known: pd.DataFrame | None, repaired: Findings) -> pd.DataFrame:
    """Put latitude and longitude right where only swapped they are a place of the market."""
    swapped = swapped_places(facts, known)
    if not swapped.any():
        return facts
    latitude, longitude = facts["latitude"].copy(), facts["longitude"].copy()
    facts = facts.assign(latitude=latitude.mask(swapped, longitude), longitude=longitude.mask(swapped, latitude))
    places = zip(facts["latitude"][swapped], facts["longitude"][swapped], strict=True)
    why = [f"latitude and longitude were swapped: now {north:.6g}, {east:.7g}" for north, east in places]
    repaired.add(swapped, "coordinates_swapped", why)
    return facts


# Rejection


def _reject_untrusted(facts: pd.DataFrame, problem: Problem, today: date, rejected: Findings) -> None:
    price, sold = _number(facts, "sale_price"), facts["sale_date"]
    rejected.add(np.isnan(price), "price_missing", NO_PRICE)
    for name in TRUSTED:
        _reject(facts, name, _outside(_number(facts, name), problem.limits[name]), problem, rejected)
    for name in QUANTITIES:
        values = _number(facts, name)
        corrupt = (values < 0) | (values > CORRUPT_FACTOR * problem.limits[name].high)
        _reject(facts, name, corrupt, problem, rejected)
    rejected.add(sold.isna().to_numpy(), "date_missing", NO_DATE)
    later = (sold > pd.Timestamp(today)).to_numpy()
    rejected.add(later, "date_in_future", [f"sale date {day} is after {today}" for day in _days(sold, later)])
    oldest = int(problem.limits["year_built"].low)
    ancient = (sold.dt.year < oldest).to_numpy()
    rejected.add(ancient, "date_impossible", [f"sale date {day} is before {oldest}" for day in _days(sold, ancient)])
    _reject_non_market(facts, problem, rejected)


def _reject(facts: pd.DataFrame, name: str, mask: Bools, problem: Problem, rejected: Findings) -> None:
    limit = problem.limits[name]
    code = "price_impossible" if name == "sale_price" else f"{name}_impossible"
    span = f"limits {_plain(limit.low)} to {_plain(limit.high)}"
    label = FIELD_BY_NAME[name].label.lower()
    values = _number(facts, name)[mask]
    rejected.add(mask, code, [f"{label} {_plain(value)} is impossible ({span})" for value in values])


def _reject_non_market(facts: pd.DataFrame, problem: Problem, rejected: Findings) -> None:
    if "validity" not in facts:
        return
    words = facts["validity"]
    folded = {_folded(word) for word in problem.intake.non_market}
    for word in words.dropna().unique():
        code = next((code for start, code in SET_ASIDE_CODES.items() if word.startswith(start)), "")
        if code or _folded(word) in folded:
            mask = words.eq(word).to_numpy()
            detail = word if code else f"sale validity is {word!r}"
            rejected.add(mask, code or "non_market_sale", [detail] * int(mask.sum()))


def _folded(word: str) -> str:
    return re.sub(r"[\W_]+", "", word.casefold())


def _nowhere(facts: pd.DataFrame) -> Bools:
    nowhere = np.ones(len(facts), dtype=bool)
    for name in ("address", "latitude", "zipcode", "neighbourhood"):
        if name in facts:
            nowhere &= (facts[name].isna() | facts[name].eq("")).to_numpy()
    return nowhere


# Repair


@dataclass
class _Repairs:
    """Facts under repair: a mistyped value becomes missing, and a finding names it."""

    facts: pd.DataFrame
    findings: Findings
    doubted: _Doubted

    def number(self, name: str) -> Floats:
        return _number(self.facts, name)

    def blank(self, name: str, mask: Bools, why: str, code: str = "") -> None:
        """Set the field to missing in the masked rows that have a value."""
        if name not in self.facts:
            return
        mask = mask & self.facts[name].notna().to_numpy()
        if not mask.any():
            return
        before = self.facts[name][mask]
        shown = map(_plain, before) if before.dtype == "float64" else _texts(before)
        label = name.replace("_", " ")
        details = [f"{label} {value} -> missing ({why})" for value in shown]
        self.findings.add(mask, code or f"{name}_implausible", details)
        self.facts[name] = self.facts[name].mask(mask)


def _repair(facts: pd.DataFrame, problem: Problem, findings: Findings, doubted: _Doubted) -> pd.DataFrame:
    repairs = _Repairs(_never_renovated_as_missing(facts), findings, doubted)
    _repair_limits(repairs, problem)
    _repair_rooms(repairs, problem)
    _repair_years(repairs, problem)
    _repair_place(repairs)
    repairs.blank("zipcode", unlike_the_others(repairs.facts), "no code like the others", NO_CODE)
    _repair_listing(repairs)
    return repairs.facts


def _never_renovated_as_missing(facts: pd.DataFrame) -> pd.DataFrame:
    # Assessors write year 0 for "never renovated": a convention, not a fault, so the row does not count as repaired.
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
    area = np.where(repairs.doubted.area, np.nan, repairs.number("living_area_sqft"))
    bedrooms = repairs.number("bedrooms")
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
    unlikely = {
        "(0, 0) is no place of a home": (latitude == 0) & (longitude == 0),
        "only one of the coordinates is given": np.isnan(latitude) != np.isnan(longitude),
        "off the globe": (np.abs(latitude) > 90) | (np.abs(longitude) > 180),
    }
    for why, rows in unlikely.items():
        for name in ("latitude", "longitude"):
            repairs.blank(name, rows, why, "coordinates_implausible")


def _repair_listing(repairs: _Repairs) -> None:
    price = repairs.number("sale_price")
    why = f"not within {LIST_RATIO.low:g} to {LIST_RATIO.high:g} times the sale price"
    for name in ("list_price", "first_list_price"):
        listed = repairs.number(name)
        # Compare products, because a sale price of 0 (a rejected row) has no ratio.
        apart = (listed < LIST_RATIO.low * price) | (listed > LIST_RATIO.high * price)
        repairs.blank(name, (listed <= 0) | (apart & ~repairs.doubted.price), why)
    if "list_date" in repairs.facts:
        late = (repairs.facts["list_date"] > repairs.facts["sale_date"]).to_numpy()
        repairs.blank("list_date", late, "after the sale date", "listed_after_sold")


# Values


def _number(facts: pd.DataFrame, name: str) -> Floats:
    if name not in facts:
        return np.full(len(facts), np.nan)
    return facts[name].to_numpy(dtype="float64")


def _outside(values: Floats, limit: Limit) -> Bools:
    return (values < limit.low) | (values > limit.high)


def _texts(values: pd.Series) -> list[str]:
    return _days(values) if pd.api.types.is_datetime64_any_dtype(values) else [str(value) for value in values]


def _days(dates: pd.Series, mask: Bools | None = None) -> list[str]:
    chosen = dates if mask is None else dates[mask]
    return [str(day) for day in chosen.dt.date]


def _plain(value: float) -> str:
    # Areas in square meters become square feet with many decimals; the cell itself stands beside it in the ledger.
    return f"{round(value, 2):.12g}"
