"""Sale scrutiny: the sales of a table whose price, area or nature a person should look at, each with its evidence.

The explanation that fits best decides what is wrong: a price with a digit too many or too few (10 or 100
times), a living area in the other unit (10.76 times) or in the place of the lot area, or neither. Each explanation is
measured by how many standard deviations it leaves price and size from what is usual there (see usual_values). A doubt
is *strong* where

- one explanation beats "nothing is wrong" by far (GAIN_STRONG), the home's size is known, no list price agrees with
  the price as recorded, and a price with another digit would be usual there, or much nearer to it;
- or the list price or the home's own last sale says the same as the neighbors;
- or the parts of the living area that the record has, such as above ground and basement, add up to its lot area;
- or several homes share one deed, or one price far above what each of them is worth;
- or the record itself says that a share was sold, or names a kind of sale that rarely is one of the open market.

Strong doubts wait outside training until a person decides; all others are asked about and stay in use. No figure of a
model and no test sale goes into this: a record keeper has all of it on the desk.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
import pandas as pd

from core.arrays import Bools, Dates, Floats, evenly
from core.prepare.quality.findings import Findings
from core.prepare.quality.market_sales import maybe_non_market, part_share
from core.prepare.quality.package_sales import Packages, find_packages
from core.prepare.quality.usual_values import Usual, usual_values
from core.schema import SQFT_PER_SQM, is_extra
from core.states import Doubt

EVIDENCE_COLUMNS: Final = (
    *("position", "kind", "strong", "field", "suggested", "usual_price", "usual_area", "list_price"),
    *("last_price", "last_date", "homes", "parts_area", "suggested_lot"),
)

SALES_MIN: Final = 50
"""With fewer sales nothing is known of what is usual: prices are compared with list prices and last sales only."""

GAIN_ASKED: Final = 20.0
GAIN_STRONG: Final = 36.0
"""Squared standard deviations by which an explanation must beat "nothing is wrong": six of them are no accident."""

_SIGMAS_FAR: Final = 6.0
_FAR: Final = float(np.log(2.0))
_NEAR_FACTOR: Final = 0.9
# Where only the neighbors speak for a digit, the price with the right one must be as usual as homes scatter there, or
# much nearer to the usual than the price as recorded.
_SIGMAS_NEAR: Final = 3.0
_TIMES_NEARER: Final = 3.0
_EXPECTED_MAX: Final = 3.0
_MISFIT: Final = 1.75
_PACKAGE_DEAR: Final = float(np.log(1.5))
_FACTORS: Final = (10.0, 0.1, 100.0, 0.01)
_AREA_FACTORS: Final = (1 / SQFT_PER_SQM, SQFT_PER_SQM)
_KNOWN_MAX: Final = 60_000
_NUMBER: Final = np.dtype("float64")
_PLAIN_WORDS: Final[Mapping[str, str]] = {
    Doubt.PART_SHARE: "only a share of the home was sold",
    Doubt.NON_MARKET: "the record calls it no plain sale on the open market",
}

# Parts of the living area: that they add up to it in most sales shows what they are.
_PARTS_MIN: Final = 30
_PARTS_SHARE: Final = 0.8
_PARTS_ROWS: Final = 1_000
_ALIKE: Final = 0.01
_APART: Final = 0.05


@dataclass(frozen=True)
class Scrutiny:
    """The doubtful sales of a table of n.

    ``doubts`` has one row per doubtful sale, by ``position`` in the table (EVIDENCE_COLUMNS): its ``kind`` (a Doubt),
    whether it is ``strong``, the ``field`` to correct and the value ``suggested`` for it (empty and NaN where no one
    value suggests itself), and the evidence: ``usual_price`` in money and ``usual_area`` in sq ft of such a home there
    and then, ``list_price``, ``last_price`` and ``last_date`` of the home's sale before, ``homes`` of a package,
    ``parts_area`` what the parts of its living area add up to, and ``suggested_lot`` the lot area where it is swapped
    with the living area.
    """

    doubts: pd.DataFrame
    size: int

    def mask(self, kind: Doubt | None = None, strong: bool | None = None) -> Bools:
        """Tell which sales are doubtful, shape (n,); of one kind, or only strong or only weaker doubts."""
        rows = self.doubts
        if kind is not None:
            rows = rows[rows["kind"] == kind]
        if strong is not None:
            rows = rows[rows["strong"] == strong]
        found = np.zeros(self.size, dtype=bool)
        found[rows["position"].to_numpy(dtype="int64")] = True
        return found


def scrutinise(facts: pd.DataFrame, usable: Bools, known: pd.DataFrame | None = None) -> Scrutiny:
    """Find the doubtful sales among the usable rows, shape (n,), of a canonical table.

    ``known`` holds sales of the same market that are evidence and are not judged; the latest 60,000 of them count.
    """
    table, judged = _with_known(facts, usable, known)
    packages = find_packages(table, judged)
    speaks = judged & (packages.group < 0)
    enough = int(speaks.sum()) >= SALES_MIN
    usual = usual_values(table, speaks) if enough else _unknown(len(table))
    doubts = _doubts(table, judged, packages, usual)
    first = len(table) - len(facts)
    doubts = doubts[doubts["position"] >= first].assign(position=lambda rows: rows["position"] - first)
    return Scrutiny(doubts.reset_index(drop=True), len(facts))


def add_doubts(scrutiny: Scrutiny, mask: Bools, findings: Findings) -> None:
    """Record the doubts of the masked sales, shape (n,), each with its evidence in words."""
    chosen = scrutiny.doubts[mask[scrutiny.doubts["position"].to_numpy(dtype="int64")]]
    for kind, doubts in chosen.groupby("kind"):
        found = np.zeros(scrutiny.size, dtype=bool)
        found[doubts["position"].to_numpy(dtype="int64")] = True
        ordered = doubts.sort_values("position")
        findings.add(found, str(kind), [in_words(doubt) for doubt in ordered.to_dict("records")])


def in_words(doubt: Mapping[Hashable, Any]) -> str:
    """Return the evidence of one row of ``doubts`` as a person reads it in a ledger, in plain numbers."""
    usual, listed = doubt["usual_price"], doubt["list_price"]
    beside = f"; such a home there and then: about {usual:,.0f}" if np.isfinite(usual) else ""
    beside += f"; list price {listed:,.0f}" if np.isfinite(listed) else ""
    if pd.notna(doubt["last_date"]) and np.isfinite(doubt["last_price"]):
        beside += f"; sold for {doubt['last_price']:,.0f} on {doubt['last_date'].date()}"
    match doubt["kind"]:
        case Doubt.PRICE_DIGIT:
            return f"the price may have a digit too many or too few: {doubt['suggested']:,.0f} would fit{beside}"
        case Doubt.AREA_UNIT:
            return (
                f"the living area may be in another unit: {doubt['suggested']:,.0f} sq ft would fit, usual is "
                f"{doubt['usual_area']:,.0f}{beside}"
            )
        case Doubt.AREAS_SWAPPED:
            return f"{_swapped_words(doubt)}{beside}"
        case Doubt.PACKAGE:
            return f"one price and date for {doubt['homes']} homes{beside}"
        case kind:
            return f"{_PLAIN_WORDS.get(str(kind), 'the price is far from what is usual')}{beside}"


def _swapped_words(doubt: Mapping[Hashable, Any]) -> str:
    parts, usual = doubt["parts_area"], doubt["usual_area"]
    return (
        f"living and lot area seem swapped: {doubt['suggested']:,.0f} and {doubt['suggested_lot']:,.0f} sq ft would fit"
        + (f"; the parts of the living area add up to {parts:,.0f}" if np.isfinite(parts) else "")
        + (f"; usual is {usual:,.0f}" if np.isfinite(usual) else "")
    )


def _with_known(facts: pd.DataFrame, usable: Bools, known: pd.DataFrame | None) -> tuple[pd.DataFrame, Bools]:
    facts = facts.reset_index(drop=True)
    if known is None or known.empty:
        return facts, usable
    recent = known.sort_values("sale_date", kind="stable").tail(_KNOWN_MAX)
    # Of extra columns, only numbers are evidence: the parts of an area.
    shared = [
        name
        for name in facts
        if name in recent and (not is_extra(str(name)) or {facts[name].dtype, recent[name].dtype} == {_NUMBER})
    ]
    table = pd.concat([recent[shared].astype(facts[shared].dtypes), facts], ignore_index=True)
    return table, np.concatenate([np.ones(len(recent), dtype=bool), usable])


def _unknown(size: int) -> Usual:
    nothing, wide = np.full(size, np.nan), np.ones(size)
    return Usual(nothing, wide, nothing, wide, 0.0)


# Judging


@dataclass(frozen=True)
class _Explanation:
    """The best explanation of each sale beyond "nothing is wrong", each of shape (n,): its factor on price and area,
    by how much it fits better, and how far the price then still is from the usual."""

    price_factor: Floats
    area_factor: Floats
    gain: Floats
    left: Floats


def _doubts(table: pd.DataFrame, judged: Bools, packages: Packages, usual: Usual) -> pd.DataFrame:
    price, area, listed = (_number(table, name) for name in ("sale_price", "living_area_sqft", "list_price"))
    last_price, last_date = _last_sales(table, judged)
    best = _explain(usual)
    beside_list = np.log(_positive(price)) - np.log(_positive(listed))
    beside_last = np.log(_positive(price)) - np.log(_positive(last_price))
    rows = pd.DataFrame(
        {
            "position": np.arange(len(table)),
            "kind": "",
            "strong": False,
            "field": "",
            "suggested": np.nan,
            # Of what is without any measure usual, nothing is: a factor of 0 tells of no price and no area.
            "usual_price": price / _positive(np.exp(usual.price)),
            "usual_area": _positive(area) / _positive(np.exp(usual.size)),
            "list_price": listed,
            "last_price": last_price,
            "last_date": last_date,
            "homes": packages.homes,
            "parts_area": _parts_area(table, area),
            "suggested_lot": np.nan,
        }
    )
    # From the weakest kind to the one that explains most: a later one takes over.
    _mark_far(rows, usual, beside_list)
    for kind, (asked, strong) in ((Doubt.NON_MARKET, maybe_non_market(table)), (Doubt.PART_SHARE, part_share(table))):
        _mark(rows, kind, asked, strong)
    _mark_digits(rows, price, best, usual, beside_list, beside_last)
    _mark_units(rows, area, best, beside_list)
    _mark_swapped(rows, area, _number(table, "lot_area_sqft"), best, usual, beside_list)
    _mark_packages(rows, packages, usual)
    return rows[(rows["kind"] != "") & judged][list(EVIDENCE_COLUMNS)]


def _explain(usual: Usual) -> _Explanation:
    price, size = np.nan_to_num(usual.price), np.nan_to_num(usual.size)
    nothing_wrong = _distance(price, size, usual)
    best = np.full(len(price), np.inf)
    price_factor, area_factor, left = np.ones(len(price)), np.ones(len(price)), price.copy()
    tried = [(factor, 1.0) for factor in _FACTORS] + [(1.0, factor) for factor in _AREA_FACTORS]
    for on_price, on_area in tried:
        if on_area != 1.0 and not np.isfinite(usual.size).any():
            continue
        # An area recorded too small makes the usual price of its size too low, and the other way round.
        price_then = price - np.log(on_price) + usual.elasticity * np.log(on_area)
        distance = _distance(price_then, size - np.log(on_area), usual)
        better = distance < best
        best[better], left[better] = distance[better], price_then[better]
        price_factor[better], area_factor[better] = on_price, on_area
    return _Explanation(price_factor, area_factor, nothing_wrong - best, left)


def _distance(price: Floats, size: Floats, usual: Usual) -> Floats:
    distance: Floats = (price / usual.price_spread) ** 2 + (size / usual.size_spread) ** 2
    return distance


def _mark(rows: pd.DataFrame, kind: Doubt, found: Bools, strong: Bools) -> None:
    rows.loc[found, "kind"] = kind.value
    rows.loc[found, "strong"] = strong[found]
    rows.loc[found, "field"] = ""
    rows.loc[found, "suggested"] = np.nan


def _mark_far(rows: pd.DataFrame, usual: Usual, beside_list: Floats) -> None:
    away = np.abs(np.nan_to_num(usual.price))
    far = (away > _SIGMAS_FAR * usual.price_spread) & (away > _FAR)
    list_far = np.abs(np.nan_to_num(beside_list)) > _FAR
    agree = list_far & (np.sign(np.nan_to_num(usual.price)) == np.sign(np.nan_to_num(beside_list)))
    agree &= away > 2 * usual.price_spread
    _mark(rows, Doubt.FAR, far | agree, far & agree)


def _mark_digits(
    rows: pd.DataFrame, price: Floats, best: _Explanation, usual: Usual, beside_list: Floats, beside_last: Floats
) -> None:
    known = np.isfinite(usual.price)
    factor = np.where(known & (best.gain > 0), best.price_factor, 1.0)
    # Where nothing is known of the neighbors, a list price ten times off speaks alone, and only asks.
    alone = ~known & _fits_any_factor(beside_list)
    powers = np.round(np.where(alone, beside_list, 0.0) / np.log(10.0))
    factor = np.where(alone, 10.0**powers, factor)
    supported = _near(beside_list, factor) | _near(beside_last, factor)
    refuted = np.abs(np.nan_to_num(beside_list, nan=np.inf)) < 0.5
    fits = (factor != 1.0) & (np.abs(best.left) < _NEAR_FACTOR)
    away, then = np.abs(np.nan_to_num(usual.price)), np.abs(best.left)
    usual_then = (then < _SIGMAS_NEAR * usual.price_spread) | (_TIMES_NEARER * then < away)
    asked = alone | (fits & ((usual_then & (best.gain > GAIN_ASKED)) | supported))
    # Of a home whose size nobody knows the usual price is a wide guess: only asked about.
    sized = np.isfinite(usual.size)
    strong = ~alone & fits & (supported | (usual_then & (best.gain > GAIN_STRONG) & ~refuted & sized))
    _mark(rows, Doubt.PRICE_DIGIT, asked, strong)
    rows.loc[asked, "field"] = "sale_price"
    rows.loc[asked, "suggested"] = (price / factor)[asked]


def _fits_any_factor(logs: Floats) -> Bools:
    fits: Bools = np.zeros(len(logs), dtype=bool)
    for factor in _FACTORS:
        fits |= _near(logs, np.full(len(logs), factor), 0.3)
    return fits


def _near(logs: Floats, factor: Floats, tolerance: float = 0.7) -> Bools:
    near: Bools = (factor != 1.0) & (np.abs(np.nan_to_num(logs, nan=np.inf) - np.log(factor)) < tolerance)
    return near


def _mark_units(rows: pd.DataFrame, area: Floats, best: _Explanation, beside_list: Floats) -> None:
    found = (best.area_factor != 1.0) & (best.gain > GAIN_ASKED) & (np.abs(best.left) < _NEAR_FACTOR)
    # A list price that is as far off as the price says that the price is wrong, not the area.
    found &= ~(np.abs(np.nan_to_num(beside_list)) > 1.0)
    _mark(rows, Doubt.AREA_UNIT, found, best.gain > GAIN_STRONG)
    rows.loc[found, "field"] = "living_area_sqft"
    rows.loc[found, "suggested"] = (area / best.area_factor)[found]


def _mark_swapped(
    rows: pd.DataFrame, area: Floats, lot: Floats, best: _Explanation, usual: Usual, beside_list: Floats
) -> None:
    """Mark the sales whose living area stands in the place of the lot area, and the other way round."""
    parts = rows["parts_area"].to_numpy()
    times = np.log(_positive(area)) - np.log(_positive(lot))
    times = np.where(np.isfinite(times), times, np.nan)
    as_parts = _alike(parts, area, _APART)
    by_parts = _alike(parts, lot, _ALIKE) & ~as_parts
    # Where nothing but the usual tells, only the larger one can be the lot: few homes have more rooms than ground.
    price, size = np.nan_to_num(usual.price), np.nan_to_num(usual.size)
    price_then = price + usual.elasticity * times
    gain = _distance(price, size, usual) - _distance(price_then, size - times, usual)
    gain = np.where((times > 0) & np.isfinite(usual.size), gain, -np.inf)
    found = (gain > GAIN_ASKED) & (gain >= best.gain) & (np.abs(price_then) < _NEAR_FACTOR) & ~as_parts
    # A list price that is as far off as the price says that the price is wrong, not the area.
    found &= ~(np.abs(np.nan_to_num(beside_list)) > 1.0)
    found |= by_parts
    _mark(rows, Doubt.AREAS_SWAPPED, found, by_parts | (gain > GAIN_STRONG))
    rows.loc[found, "field"] = "living_area_sqft"
    rows.loc[found, "suggested"], rows.loc[found, "suggested_lot"] = lot[found], area[found]


def _parts_area(table: pd.DataFrame, area: Floats) -> Floats:
    """Return what the parts of each living area add up to, sq ft, shape (n,); NaN where no columns are such parts.

    One or two further columns are parts of it if they add up to it in most sales; they may be in square meters.
    """
    nothing = np.full(len(table), np.nan)
    known = np.flatnonzero(area > 0)
    rows = known[evenly(len(known), _PARTS_ROWS)]
    if len(rows) < _PARTS_MIN:
        return nothing
    numbers = [str(name) for name in table if is_extra(str(name)) and table[name].dtype == _NUMBER]
    total = area[rows]
    best, found = _PARTS_SHARE, nothing
    for unit in (1.0, SQFT_PER_SQM):
        sample = {name: _number(table, name)[rows] * unit for name in numbers}
        within = [name for name, part in sample.items() if float((part <= (1 + _ALIKE) * total).mean()) >= _PARTS_SHARE]
        for names in (*((one,) for one in within), *combinations(within, 2)):
            share = float(_alike(np.sum([sample[name] for name in names], axis=0), total, _ALIKE).mean())
            if share > best:
                best, found = share, unit * np.sum([_number(table, name) for name in names], axis=0)
    return found


def _alike(one: Floats, other: Floats, tolerance: float) -> Bools:
    """Tell where two areas differ by no more than a share of the larger one, shape (n,); never where one is missing."""
    alike: Bools = np.abs(one - other) <= tolerance * np.maximum(one, other)
    return alike


def _mark_packages(rows: pd.DataFrame, packages: Packages, usual: Usual) -> None:
    deviation = pd.Series(np.nan_to_num(usual.price))
    dear = deviation.groupby(packages.group).transform("median").to_numpy()
    # A price that happens to be paid twice on a day fits each of the homes; that of a package fits few of them.
    misfit = (deviation.abs() / usual.price_spread).groupby(packages.group).transform("median").to_numpy()
    beyond_chance = packages.expected < _EXPECTED_MAX
    found = (packages.group >= 0) & (beyond_chance | (dear > _PACKAGE_DEAR) | (misfit > _MISFIT))
    _mark(rows, Doubt.PACKAGE, found, packages.one_record | (dear > _PACKAGE_DEAR))


# Values


def _last_sales(table: pd.DataFrame, judged: Bools) -> tuple[Floats, Dates]:
    """Return price and date of the sale of the same property id before each sale; NaN and NaT where there is none."""
    price = np.full(len(table), np.nan)
    date = np.full(len(table), np.datetime64("NaT"), dtype="datetime64[us]")
    if "property_id" not in table:
        return price, date
    known = table.loc[judged, ["property_id", "sale_date", "sale_price"]].dropna()
    known = known[known["property_id"].duplicated(keep=False)].sort_values(["property_id", "sale_date"], kind="stable")
    before = known.groupby("property_id", sort=False)[["sale_price", "sale_date"]].shift()
    price[known.index] = before["sale_price"].to_numpy()
    date[known.index] = before["sale_date"].to_numpy()
    return price, date


def _number(table: pd.DataFrame, name: str) -> Floats:
    return table[name].to_numpy(dtype="float64") if name in table else np.full(len(table), np.nan)


def _positive(values: Floats) -> Floats:
    return np.where(values > 0, values, np.nan)
