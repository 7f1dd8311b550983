"""Comparable sales: chosen by likeness, brought to the subject's date and facts by the model, reconciled with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd

from core.arrays import Floats, Ints
from core.prepare.features.columns import Columns, stack, take
from core.prepare.features.derived import Projection
from core.serve.drivers import Ways, ways
from core.serve.fact_groups import FactGroup
from core.serve.subject import Value
from core.train.live_model import LiveModel

IN_USE: Final = 5
"""How many of the comparables offered are used until an agent chooses otherwise; appraisers show three to six."""

OFFERED: Final = 7
# A sale as unlike as one 1.5 km away, else the same, counts e times less than one next door today.
_LIKENESS_KM: Final = 1.5
_SPAN: Final = (0.1, 0.9)
# What one sale says of another home is never surer than this: the spread of prices paid for like homes.
_LEAST_SPREAD: Final = 0.05


@dataclass(frozen=True)
class Comparable:
    """One earlier sale beside the subject; money in the market's currency, unrounded.

    ``sale_id`` names it within its data version. ``similarity`` (0 to 1) falls with the distance in place, time and
    facts together; ``distance_km`` is from the middle of the area where the subject's own place is assumed.
    ``time_adjusted`` is the price brought to the valuation date by the market's movement;
    ``adjustments`` bring it from its own facts to the subject's, by group, in money; ``adjusted`` is their sum:
    ``time_adjusted`` plus all adjustments.
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


@dataclass(frozen=True)
class ComparableValue:
    """What chosen comparables say together: weighted mean and the 10% to 90% span of their adjusted prices.

    ``reconciled`` weighs it with the model's estimate by their uncertainties and stays inside the model's range;
    ``agrees`` is False where the comparables' mean lies outside that range. ``weights`` by sale_id sum to 1.
    """

    low: float
    mean: float
    high: float
    reconciled: float
    agrees: bool
    weights: Mapping[str, float]


@dataclass(frozen=True)
class Candidates:
    """Comparables before they are priced, most alike first.

    ``rows`` are theirs among the valuer's sales, ``distance`` their likeness distance (km), ``then`` the homes as they
    were sold; ``today`` leads from the same homes on the valuation date to the subject.
    """

    rows: Ints
    distance: Floats
    then: Columns
    today: Ways

    @property
    def homes(self) -> Columns:
        """The homes that need a price: each as it was sold, then those on the ways to the subject."""
        return stack([self.then, self.today.homes])

    @property
    def own(self) -> Ints:
        """For each of ``homes`` the sale it was, which must not speak for it."""
        return np.concatenate([self.rows, self.rows[self.today.owner]])


def similarity(distance: float) -> float:
    """Return how alike two homes are (1 the same, toward 0) from their likeness distance in km."""
    return float(np.exp(-distance / _LIKENESS_KM))


def candidates(live_model: LiveModel, subject: Columns, grouped: Mapping[FactGroup, tuple[str, ...]]) -> Candidates:
    """Return the sales most alike a home (one row, filled); none in a market without coordinates."""
    found = live_model.model.comparables(subject, OFFERED)
    then = take(live_model.filled, found.rows)
    today = then | {"sale_date": np.repeat(subject["sale_date"], len(found.rows))}
    return Candidates(found.rows, found.distance, then, ways(today, subject, grouped))


def adjusted(
    live_model: LiveModel, home: Columns, chosen: Candidates, log_price: Floats, log_estimate: float
) -> tuple[Comparable, ...]:
    """Adjust sales; ``log_price`` are the log estimates of their homes, ``log_estimate`` that of ``home`` itself."""
    count = len(chosen.rows)
    paths = chosen.today.split(log_price[count:]) if count else []
    return tuple(
        _adjusted(live_model, home, chosen, number, log_price[number], path, log_estimate)
        for number, path in enumerate(paths)
    )


def _adjusted(
    live_model: LiveModel,
    home: Columns,
    chosen: Candidates,
    number: int,
    then: float,
    path: Floats,
    log_estimate: float,
) -> Comparable:
    row, groups = int(chosen.rows[number]), chosen.today.groups[number]
    sale = {name: values[row] for name, values in live_model.sales.items()}
    # NaN and NaT, which stand for what is not recorded, are the values that differ from themselves.
    known = {name: value for name, value in sale.items() if value == value}  # noqa: PLR0124
    price = float(known["sale_price"])
    time_adjusted = price * float(np.exp(path[0] - then))
    # The model's price of each home on the way, scaled to what this one really sold for.
    reached = np.append(path, log_estimate) if groups else path
    steps = time_adjusted * np.exp(reached - path[0])
    adjustments = {group: float(amount) for group, amount in zip(groups, np.diff(steps), strict=True)}
    latitude, longitude = known.get("latitude"), known.get("longitude")
    facts = {name: _value(known[name]) for name in live_model.model.facts.all if name in known}
    return Comparable(
        sale_id=str(known.get("intake_row", row)),
        address=str(known.get("address", "")),
        facts=facts,
        latitude=None if latitude is None else float(latitude),
        longitude=None if longitude is None else float(longitude),
        distance_km=_kilometres(home, take(chosen.then, [number])),
        similarity=similarity(float(chosen.distance[number])),
        sale_date=pd.Timestamp(known["sale_date"]).date(),
        sale_price=price,
        time_adjusted=time_adjusted,
        adjustments=adjustments,
        adjusted=time_adjusted + sum(adjustments.values()),
    )


def reconcile(
    comparables: Sequence[Comparable],
    multipliers: Mapping[str, float],
    exact: float,
    fsd: float,
    low: float,
    high: float,
) -> ComparableValue | None:
    """Say what the chosen comparables are worth together beside the model's estimate and range.

    ``multipliers`` by sale_id scale each one's own weight, its similarity: 0 drops it, 2 doubles it; sales not named
    are dropped. None if none is left. The reconciled value weighs both by inverse variance: the model's forecast
    standard deviation ``fsd`` against the spread of the adjusted prices. That is not divided by their number: the
    errors of sales in one street are much the same. Raises ValueError for a negative or infinite multiplier.
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
    # One sale tells nothing of its own spread: it is then as unsure as the model.
    spread = (
        max(float(np.sqrt(weight @ (prices - mean) ** 2)), _LEAST_SPREAD)
        if len(chosen) > 1
        else max(fsd, _LEAST_SPREAD)
    )
    share = fsd**2 / (fsd**2 + spread**2)
    reconciled = float(np.exp((1 - share) * np.log(exact) + share * mean))
    span = _weighted_quantiles(prices, weight)
    return ComparableValue(
        low=float(np.exp(span[0])),
        mean=float(np.exp(mean)),
        high=float(np.exp(span[1])),
        reconciled=float(np.clip(reconciled, low, high)),
        agrees=bool(low <= np.exp(mean) <= high),
        weights={one.sale_id: float(share_of) for (one, _), share_of in zip(chosen, weight, strict=True)},
    )


def _weighted_quantiles(values: Floats, weight: Floats) -> Floats:
    order = np.argsort(values, kind="stable")
    middle = np.cumsum(weight[order]) - weight[order] / 2
    return np.interp(_SPAN, middle, values[order])


def _value(recorded: Any) -> Value:
    return recorded if isinstance(recorded, str) else float(recorded)


def _kilometres(home: Columns, sale: Columns) -> float | None:
    """Return the distance between two homes, from where their area is if their own place is not known."""
    if "latitude" not in home:
        return None
    [east], [north] = Projection(float(home["latitude"][0]), float(home["longitude"][0])).kilometres(sale)
    distance = float(np.hypot(east, north))
    return distance if np.isfinite(distance) else None
