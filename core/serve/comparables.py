"""Comparable sales: chosen by similarity, adjusted by the model to the subject's date and facts, reconciled with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from core.arrays import Floats, Ints
from core.collect.addresses import with_unit
from core.prepare.features.columns import Columns, size, take
from core.prepare.features.derived import days_since_2000
from core.prepare.features.facts import COORDINATES
from core.prepare.features.known_facts import MARK
from core.prepare.features.own_sales import ROW, no_own_sale
from core.prepare.features.projection import distance_km
from core.serve.drivers import Ways, ways
from core.serve.fact_groups import FactGroup, changed_since
from core.serve.likeness import CANDIDATES, Likeness, most_alike, newest_of_each_home, other_kind
from core.serve.subject import Value
from core.train.live_model import LiveModel
from core.train.ranges import round_for_display

IN_USE: Final = 5
"""How many of the offered comparables are used unless an agent chooses otherwise; appraisers show three to six."""

OFFERED: Final = 7
GROSS_HIGH: Final = 0.25
"""A gross adjustment above this share of the sale price marks a weak comparable, by the custom of appraisers."""

NET_HIGH: Final = 0.15
"""A net adjustment above this share of the sale price, up or down, marks a weak comparable."""

GROSS_MOST: Final = 1.0
"""A sale whose gross adjustment is above this share of its price, more than all of it, is no comparable."""

_FAR: Final = 2.0
"""Sales adjusted beyond this many times one of these limits confirm no price where most of the weight is theirs.

Nor do sales that are adjusted as much gross on average, be one of them less far.
Up to there the mean of comparables is as near to sale prices as that of homes adjusted little; beyond, it errs more.
"""

_CONFIRMS_TO: Final = _FAR * GROSS_HIGH
_KIND: Final = "property_type"
# A sale whose gross adjustment is 30% of its price has 1/e of the weight of the same home sold today.
_LIKENESS_GROSS: Final = 0.3
# The least spread assumed for a price derived from one sale: what similar homes sell for varies by this much.
_LEAST_SPREAD: Final = 0.05


@dataclass(frozen=True)
class Comparable:
    """An earlier sale compared with the subject; money in the market's currency, unrounded.

    ``sale_id`` names it within its data version. ``similarity`` (0 to 1) falls with the gross adjustment;
    ``distance_km`` is None where the place of the sale or that of the subject is not known.
    ``time_adjusted`` is the price moved to the valuation date as the whole market moved, alike for all sales of a day;
    ``adjustments``, by fact group and in money, move it from the sale's facts to the subject's; ``adjusted`` is
    ``time_adjusted`` plus all adjustments. ``around`` is the part of the place's that is no difference of facts: what
    the sales around that home since say beyond the market. ``own`` marks this home's own earlier sale: it stood at the
    same place and had the same facts, but for those known to have changed, so it is adjusted for nothing else.
    ``added`` marks a sale that an agent added.
    """

    sale_id: str
    address: str
    facts: Mapping[str, Value]
    latitude: float | None
    longitude: float | None
    distance_km: float | None
    similarity: float
    sale_date: date
    sale_price: float
    time_adjusted: float
    adjustments: Mapping[FactGroup, float]
    adjusted: float
    own: bool = False
    added: bool = False
    around: float = 0.0

    @property
    def gross(self) -> float:
        """All adjustments, that of time among them, without their signs, as a share of the sale price."""
        return gross_adjustment(self.sale_price, self.time_adjusted, self.adjustments, self.around)

    @property
    def net(self) -> float:
        """All adjustments together, with their signs, as a share of the sale price."""
        return self.adjusted / self.sale_price - 1

    @property
    def weak(self) -> bool:
        """Tell whether it is adjusted so much that it says little of the subject."""
        return self.net_is_high or self.gross_is_high

    @property
    def net_is_high(self) -> bool:
        """Tell whether its net adjustment marks it as weak, by the percentage shown."""
        return round(100 * abs(self.net)) > 100 * NET_HIGH

    @property
    def gross_is_high(self) -> bool:
        """Tell whether its gross adjustment marks it as weak, by the percentage shown."""
        return round(100 * self.gross) > 100 * GROSS_HIGH


@dataclass(frozen=True)
class ComparableValue:
    """The value shown by the chosen comparables: the lowest, weighted mean and highest of their adjusted prices.

    ``reconciled`` weights the mean and the model's estimate by their uncertainty and stays inside the model's range;
    ``agrees`` is False if the mean lies outside that range. ``weights`` by sale_id sum to 1. ``confirms`` is False if
    the sales are, by weight, too unlike the home to confirm a price; ``adjusted_by`` is the weighted mean of their
    gross adjustments, as a share of their prices. Answers stored by earlier releases have neither.
    """

    low: float
    mean: float
    high: float
    reconciled: float
    agrees: bool
    weights: Mapping[str, float]
    confirms: bool = True
    adjusted_by: float = 0.0

    @property
    def sales_in_use(self) -> int:
        """How many sales have a weight."""
        return sum(share > 0 for share in self.weights.values())

    @property
    def offered(self) -> float | None:
        """The reconciled value as a price to decide on, rounded for display; None where the sales confirm no price."""
        return float(round_for_display(self.reconciled)) if self.confirms else None


@dataclass(frozen=True)
class Candidates:
    """Comparables before they are priced, nearest first.

    ``rows`` are their rows among the live model's sales, ``then`` the homes as they were sold; ``today`` leads from the
    same homes on the valuation date to the subject.
    """

    rows: Ints
    then: Columns
    today: Ways

    @property
    def homes(self) -> tuple[Columns, Columns]:
        """The homes to price, to be stacked: each comparable as it was sold, then the steps from it to the subject."""
        return self.then, self.today.homes

    @property
    def own(self) -> Ints:
        """For each of ``homes``, the sale it comes from, which must not be evidence for it."""
        return np.concatenate([self.rows, self.rows[self.today.owner]])


def in_use(comparables: Sequence[Comparable], weights: Mapping[str, float]) -> tuple[Comparable, ...]:
    """Return the sales that have a weight, in their order."""
    return tuple(one for one in comparables if weights.get(one.sale_id, 0.0) > 0)


def weak_in_use(comparables: Sequence[Comparable], value: ComparableValue) -> int:
    """Return how many of the sales behind a value are weak comparables."""
    return sum(one.weak for one in in_use(comparables, value.weights))


def gross_adjustment(
    price: float, time_adjusted: float, adjustments: Mapping[FactGroup, float], around: float = 0.0
) -> float:
    """Return all adjustments of a sale, that of time among them, without their signs, as a share of its price.

    What sold ``around`` it since is set against the market, of which it is the local part, and does not count twice.
    """
    of_place = adjustments.get(FactGroup.PLACE, 0.0)
    facts = sum(map(abs, adjustments.values())) - abs(of_place) + abs(of_place - around)
    return (abs(time_adjusted + around - price) + facts) / price


def similarity(gross: float) -> float:
    """Return the similarity of two homes (1 if equal, falling toward 0) from the gross adjustment between them."""
    return float(np.exp(-gross / _LIKENESS_GROSS))


def candidates(
    live_model: LiveModel, likeness: Likeness | None, subject: Columns, grouped: Mapping[FactGroup, tuple[str, ...]]
) -> Candidates:
    """Return a home's own earlier sale, if any, and the sales most like it in the model's eyes (one row)."""
    rows = _own_first(live_model, subject, most_alike(live_model, likeness, subject, _CONFIRMS_TO))
    return among(live_model, rows, subject, grouped)


def among(
    live_model: LiveModel, rows: Ints, subject: Columns, grouped: Mapping[FactGroup, tuple[str, ...]]
) -> Candidates:
    """Return these sales as candidates for a home (one row)."""
    # Of a comparable only what is known of the subject counts: no one can adjust for the rest.
    unknown = {name: np.repeat(values, len(rows)) for name, values in subject.items() if name.startswith(MARK)}
    # What its own earlier sale says of a comparable is already in its price.
    unknown |= no_own_sale(len(rows)) if live_model.model.own_sales else {}
    then = take(live_model.filled, rows) | unknown
    today = then | {"sale_date": np.repeat(subject["sale_date"], len(rows))}
    return Candidates(rows, then, ways(today, subject, grouped))


def unadjusted(live_model: LiveModel, likeness: Likeness | None, home: Columns) -> tuple[Comparable, ...]:
    """Return the sales most like a home that has no estimate, at the prices they brought, one of each home."""
    rows = most_alike(live_model, likeness, home, _CONFIRMS_TO)
    prices = live_model.sales["sale_price"][rows].tolist()
    found = [_Adjusted(number, False, price, price, {}) for number, price in enumerate(prices)]
    chosen = Candidates(rows, take(live_model.filled, rows), Ways((), {}, np.empty(0, dtype=np.int64)))
    kept = newest_of_each_home(live_model, rows)
    offered = [one for one in found if kept[one.number]]
    return tuple(_comparable(live_model, home, chosen, one) for one in offered[:IN_USE])


def _own_first(live_model: LiveModel, subject: Columns, rows: Ints) -> Ints:
    """Return the rows of sales with the home's own earlier sale in front."""
    own = own_row(live_model, subject)
    return rows if own is None else np.append(own, rows[rows != own])[:CANDIDATES]


def own_row(live_model: LiveModel, home: Columns) -> int | None:
    """Return where the live model's sales have this home's own earlier sale; None if they do not."""
    row = float(home[ROW][0]) if ROW in home else np.nan
    # Sales from before the training window say what the home brought, but are no comparables.
    return int(row) if row < size(live_model.filled) else None


def adjusted(
    live_model: LiveModel,
    likeness: Likeness | None,
    home: Columns,
    given: Mapping[str, Value],
    chosen: Candidates,
    log_price: Floats,
    log_estimate: float,
) -> tuple[Comparable, ...]:
    """Adjust sales and return those adjusted least, one of each home: its own earlier sale, sound ones, weak ones.

    Those of the home's own kind come before those of another, for which there is want of others alone.
    ``given`` are the facts entered of ``home``, ``log_price`` holds the log estimates of the sales' homes,
    ``log_estimate`` that of ``home`` itself.
    """
    count = len(chosen.rows)
    if not count:
        return ()
    days = days_since_2000(live_model.filled["sale_date"][chosen.rows])
    moved = likeness.moved(days, float(days_since_2000(home["sale_date"])[0])) if likeness else None
    own, prices = own_row(live_model, home), live_model.sales["sale_price"][chosen.rows].tolist()
    paths = zip(chosen.rows.tolist(), chosen.today.groups, chosen.today.split(log_price[count:]), strict=True)
    changed = frozenset[FactGroup]() if own is None else changed_since(live_model.sales, own, given)
    found = [
        _in_one_market(
            _adjust(number, price, then, groups, [*path.tolist(), log_estimate], changed if row == own else None),
            None if moved is None else float(moved[number]),
        )
        for number, ((row, groups, path), price, then) in enumerate(
            zip(paths, prices, log_price[:count].tolist(), strict=True)
        )
    ]
    kind = str(given.get(_KIND, ""))
    others = other_kind(live_model, chosen.rows, kind).tolist()
    least = sorted(found, key=lambda one: (not one.own, others[one.number], one.gross))
    kept = newest_of_each_home(live_model, chosen.rows)
    offered = [one for one in least if kept[one.number]]
    shown = [(others[one.number], _comparable(live_model, home, chosen, one)) for one in offered[:OFFERED]]
    # Of the first five, which count unless somebody picks, weak ones are there only for want of others of their kind.
    shown.sort(key=lambda pair: (not pair[1].own, pair[0], pair[1].weak))
    placed = {*COORDINATES} <= {*given}
    return tuple(one if placed else replace(one, distance_km=None) for _, one in shown)


def like_enough(comparables: Sequence[Comparable]) -> tuple[Comparable, ...]:
    """Return the sales adjusted by at most GROSS_MOST of their price, and the home's own; the rest compares nothing."""
    return tuple(one for one in comparables if one.own or one.gross <= GROSS_MOST)


@dataclass(frozen=True)
class _Adjusted:
    """How the sale at a place among the candidates is moved to the date and the facts of the subject, in money."""

    number: int
    own: bool
    price: float
    time_adjusted: float
    adjustments: Mapping[FactGroup, float]
    around: float = 0.0

    @property
    def gross(self) -> float:
        return gross_adjustment(self.price, self.time_adjusted, self.adjustments, self.around)


def _adjust(
    number: int,
    price: float,
    then: float,
    groups: tuple[FactGroup, ...],
    path: list[float],
    own_changed: frozenset[FactGroup] | None,
) -> _Adjusted:
    """Move a sale along a path; ``then`` and ``path`` are log estimates: as sold, today, then after each group.

    Of the home's own sale, only the groups in ``own_changed`` count; None is for the sale of another home.
    """
    # The model's price of the home at each step, scaled to the sale price: the home's own movement, for one movement of
    # all sales of a day left them 0.8 points of their price farther from what homes sold for (King County, Melbourne).
    # ``_in_one_market`` only splits it.
    time_adjusted = reached = price * math.exp(path[0] - then)
    amounts: dict[FactGroup, float] = {}
    for group, before, after in zip(groups, path, path[1:], strict=False):
        if own_changed is None or group in own_changed:
            amounts[group] = reached * math.expm1(after - before)
            reached += amounts[group]
    return _Adjusted(number, own_changed is not None, price, time_adjusted, amounts)


def _in_one_market(sale: _Adjusted, moved: float | None) -> _Adjusted:
    """Count to the place what the home's own movement, in the model's eyes, is beyond the market's, ``moved`` in logs.

    Two sales of one day then move alike, and each adjusted price stays what it is.
    """
    if moved is None:
        return sale
    market = sale.price * math.exp(moved)
    around = sale.time_adjusted - market
    place = sale.adjustments.get(FactGroup.PLACE, 0.0) + around
    return replace(sale, time_adjusted=market, adjustments={**sale.adjustments, FactGroup.PLACE: place}, around=around)


def _comparable(live_model: LiveModel, home: Columns, chosen: Candidates, this: _Adjusted) -> Comparable:
    row = int(chosen.rows[this.number])
    # NaN and NaT, which mean "not recorded", are the only values that differ from themselves.
    known = {name: value for name, values in live_model.sales.items() if (value := values[row]) == value}
    latitude, longitude = known.get("latitude"), known.get("longitude")
    return Comparable(
        sale_id=str(known.get("intake_row", row)),
        address=with_unit(str(known.get("address", "")), str(known.get("unit", ""))),
        facts={name: _value(known[name]) for name in live_model.model.facts.all if name in known and name != "address"},
        latitude=None if latitude is None else float(latitude),
        longitude=None if longitude is None else float(longitude),
        # A sale whose place is not recorded stands at its area's middle: how far away it is, nobody knows.
        distance_km=None if latitude is None else distance_km(home, chosen.then, this.number),
        similarity=similarity(this.gross),
        sale_date=pd.Timestamp(known["sale_date"]).date(),
        sale_price=this.price,
        time_adjusted=this.time_adjusted,
        adjustments=this.adjustments,
        adjusted=this.time_adjusted + sum(this.adjustments.values()),
        own=this.own,
        around=this.around,
    )


def reconcile(
    comparables: Sequence[Comparable],
    multipliers: Mapping[str, float],
    exact: float,
    fsd: float,
    low: float,
    high: float,
) -> ComparableValue | None:
    """Combine the chosen comparables into one value and reconcile it with the model's estimate and range.

    ``multipliers`` by sale_id scale each sale's weight, its similarity: 0 drops it, 2 doubles it; sales not named are
    dropped. Returns None if none is left. The reconciled value weights both by inverse variance: the model's from its
    forecast standard deviation ``fsd``, the comparables' from the spread of their adjusted prices, not divided by
    their number: sales on one street share much of their error. The more they are adjusted, the less they pull, and not
    at all where they confirm no price: the model adjusts them, so that they share its error. Raises ValueError for
    a multiplier below 0 or infinite.
    """
    chosen = [(one, multipliers.get(one.sale_id, 0.0)) for one in comparables]
    for one, multiplier in chosen:
        if not 0.0 <= multiplier < np.inf:
            raise ValueError(f"The weight of sale {one.sale_id} is {multiplier}; it must be 0 or more, and finite.")
    chosen = [(one, multiplier) for one, multiplier in chosen if multiplier > 0]
    if not chosen:
        return None
    prices = np.log([one.adjusted for one, _ in chosen])
    raw = np.array([one.similarity * multiplier for one, multiplier in chosen])
    weight = raw / raw.sum() if raw.sum() > 0 else np.full(len(raw), 1 / len(raw))
    mean = float(weight @ prices)
    # A single sale has no spread, so it gets the model's uncertainty.
    spread = (
        max(float(np.sqrt(weight @ (prices - mean) ** 2)), _LEAST_SPREAD)
        if len(chosen) > 1
        else max(fsd, _LEAST_SPREAD)
    )
    adjusted_by = float(weight @ [one.gross for one, _ in chosen])
    share = fsd**2 / (fsd**2 + spread**2) * _reliability(adjusted_by)
    reconciled = float(np.exp((1 - share) * np.log(exact) + share * mean))
    far = float(weight @ [_is_far(one) for one, _ in chosen])
    lowest, highest = adjusted_span([one for one, _ in chosen])
    return ComparableValue(
        low=lowest,
        mean=float(np.clip(np.exp(mean), lowest, highest)),
        high=highest,
        reconciled=float(np.clip(reconciled, low, high)),
        # Rounded as it is shown, or a mean of $384,300 would lie above a range that ends at $384,000.
        agrees=bool(low <= round_for_display(np.exp(mean)) <= high or low <= np.exp(mean) <= high),
        weights={one.sale_id: float(share_of) for (one, _), share_of in zip(chosen, weight, strict=True)},
        confirms=far <= 1 / 2 and adjusted_by <= _CONFIRMS_TO,
        adjusted_by=adjusted_by,
    )


def _reliability(adjusted_by: float) -> float:
    """Return how much of their pull sales keep, 1 to 0, by the mean of their gross adjustments.

    Chosen among a dozen forms on 2,400 homes in King County and Melbourne, whose reconciled values came nearer to the
    sale prices by 0.3 and 0.1 points on average; on other homes the gain may be smaller.
    """
    return max(1 - adjusted_by / _CONFIRMS_TO, 0.0) ** 2


def _is_far(one: Comparable) -> bool:
    """Tell whether a sale is too unlike the home to confirm its price, and not only a weak comparable."""
    return abs(one.net) > _FAR * NET_HIGH or one.gross > _CONFIRMS_TO


def adjusted_span(comparables: Sequence[Comparable]) -> tuple[float, float]:
    """Return the lowest and the highest adjusted price of at least one comparable."""
    prices = [one.adjusted for one in comparables]
    return min(prices), max(prices)


def _value(recorded: Any) -> Value:
    return recorded if isinstance(recorded, str) else float(recorded)
