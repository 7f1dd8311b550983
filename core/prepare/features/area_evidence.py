"""Evidence from other sales about a home's location: price levels of its areas and nearest neighbors, leak-free."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from core.arrays import Floats, Ints
from core.prepare.features.area_levels import area_levels
from core.prepare.features.columns import Columns, size
from core.prepare.features.derived import days_since_2000
from core.prepare.features.facts import FactColumns
from core.prepare.features.neighbours import SUMMARY, NeighbourIndex, Rule, summarise
from core.prepare.features.postal_codes import next_wider_of, often_new
from core.prepare.signals.pace import Pace, waits

_TREND_HALF_LIFE_DAYS: Final = 60.0
_AREA_PRIOR_SALES: Final = 10.0
_AREAS_MIN: Final = 2
# Leaving out only the sale itself would let a tree infer its price from its area's mean; leaving out a fifth does not.
_FOLDS: Final = 5
_NEIGHBOURS: Final = 20
_CODE: Final = "zipcode"
_FEW: Final = 5
# A year's distance in time counts like half a kilometer in space: recent neighbors first.
_KM_PER_YEAR: Final = 0.5
# Larger than any day number, so that area and day can be sorted and searched as one number.
_CALENDAR: Final = 1e7


class EvidenceStep(TransformerMixin, BaseEstimator):
    """A step that adds the evidence of kept sales to homes, using only the sales that ``rule`` allows.

    ``fit(X, y)`` keeps the training sales (y = log price) as evidence. ``fit_transform`` gives each training sale the
    evidence of the *other* sales; ``transform`` treats its rows as new subjects.
    """

    def __init__(self, facts: FactColumns, rule: Rule = Rule.EARLIER) -> None:
        self.facts = facts
        self.rule = rule

    def fit(self, X: Columns, y: Floats) -> Self:
        """Keep the training sales as evidence."""
        self.n_features_in_ = len(X)
        return self.keep(X, y)

    @abstractmethod
    def keep(self, X: Columns, y: Floats) -> Self:
        """Replace the evidence with these sales; nothing else changes."""

    @abstractmethod
    def evidence(self, X: Columns, own: Ints) -> Columns:
        """Return the sales' evidence about each home; ``own`` (n,) is its position among them, -1 for a new subject.

        A home's own price is left out of the evidence of its area and its neighbors.
        """

    def transform(self, X: Columns) -> Columns:
        """Return the homes with the evidence for new subjects appended."""
        return X | self.evidence(X, np.full(size(X), -1))

    def fit_transform(self, X: Columns, y: Floats | None = None, **_: Any) -> Columns:
        """Fit, and return each training sale with the evidence of the other sales."""
        if y is None:
            raise ValueError(f"{type(self).__name__} needs the log prices of the training sales")
        return X | self.fit(X, y).evidence(X, np.arange(size(X)))


class MarketEvidence(EvidenceStep):
    """Price evidence from other sales, as log price per sq ft relative to the market's running trend.

    Neither ``fit_transform`` nor ``transform`` ever uses a row's own price. The trend is an exponentially weighted mean
    (half-life 60 days) of strictly earlier days, so under Rule.EARLIER no later price can move any feature; sales on
    the first day have no trend and are not evidence. If a sale is valued on a later day, its price is left out of its
    area's level and its neighbors, but not of the trend, where it is one of the whole market's sales.
    Columns added: ``trend``; ``<code>_level``, ``<code>_sales`` per area code; ``near_level``, ``near_spread``,
    ``near_few``, ``near_first_km``, ``near_last_km``, ``near_sales`` if homes have coordinates.

    A home known by the wider area of a postal code alone has the level of that.

    Without coordinates there are such columns for every level of ``area_levels``, and ``<level>_price``, of which the
    size is not taken off. A level with few sales is drawn to the next wider one instead of to the market.
    """

    wider_: _AreaSales | None = None
    """The sales by the smallest wider areas that postal codes name; a model of an earlier release has none."""

    def fit(self, X: Columns, y: Floats) -> Self:
        """Learn the levels of areas, the widest first, and keep the training sales as evidence."""
        counts = {name: pd.Series(areas).nunique() for name, areas in area_levels(X, self.facts).items()}
        levels = [name for name in counts if self.facts.located or counts[name] >= _AREAS_MIN]
        self.levels_ = tuple(levels if self.facts.located else sorted(levels, key=lambda name: counts[name]))
        return super().fit(X, y)

    def keep(self, X: Columns, y: Floats) -> Self:
        """Replace the evidence with these sales."""
        self.days_ = days_since_2000(X["sale_date"])
        unit_price = np.asarray(y, dtype=float) - log_size(X, self.facts)
        self.trend_days_, self.trend_values_ = running_trend(self.days_, unit_price)
        self.deviation_ = unit_price - self.trend(self.days_)
        areas = area_levels(X, self.facts)
        self.areas_ = {name: _area_sales(codes, self.days_, self.deviation_) for name, codes in areas.items()}
        if not self.facts.located:
            self.whole_trend_ = running_trend(self.days_, np.asarray(y, dtype=float))
            whole = np.asarray(y, dtype=float) - value_on(self.whole_trend_, self.days_)
            self.whole_areas_ = {name: _area_sales(areas[name], self.days_, whole) for name in self.levels_}
        if self.facts.located:
            if _CODE in areas and often_new(areas[_CODE]):
                self.wider_ = _area_sales(next_wider_of(areas[_CODE]), self.days_, self.deviation_)
            place = _place(X, self.days_)
            rows = np.flatnonzero(np.isfinite(place).all(axis=1) & np.isfinite(self.deviation_))
            self.index_ = NeighbourIndex(place[rows], rows, self.days_[rows])
        return self

    def trend(self, days: Floats) -> Floats:
        """Return the market's trend on each day, shape (n,): log price per sq ft, missing up to the first sale."""
        return value_on((self.trend_days_, self.trend_values_), days)

    def evidence(self, X: Columns, own: Ints) -> Columns:
        """Return trend, area levels and neighbors of each home."""
        days = days_since_2000(X["sale_date"])
        columns: Columns = {"trend": self.trend(days)}
        areas = area_levels(X, self.facts)
        columns |= self._levels("level", self.areas_, areas, days, own)
        if self.facts.located:
            return columns | self._neighbours(X, days, own)
        return columns | self._levels("price", self.whole_areas_, areas, days, own)

    def knows(self, areas: Columns) -> bool:
        """Tell whether there are sales in any area of one home, given by ``area_levels``, however wide."""
        return any(areas[name][0] in kept.position for name, kept in self.areas_.items())

    def _levels(self, title: str, kept: Mapping[str, _AreaSales], areas: Columns, days: Floats, own: Ints) -> Columns:
        columns: Columns = {}
        wider = np.zeros(len(days))
        for name in self.levels_:
            total, count = self._area_sums(kept[name], areas[name], days, own)
            if name == _CODE and self.wider_ is not None:
                rows = np.flatnonzero(kept[name].groups(areas[name]) < 0)
                total[rows], count[rows] = self._area_sums(self.wider_, areas[name][rows], days[rows], own[rows])
            level = (total + _AREA_PRIOR_SALES * wider) / (count + _AREA_PRIOR_SALES)
            columns[f"{name}_{title}"] = level
            columns[f"{name}_sales"] = count
            wider = wider if self.facts.located else level
        return columns

    def _area_sums(self, area: _AreaSales, codes: NDArray[Any], days: Floats, own: Ints) -> tuple[Floats, Floats]:
        group = area.groups(codes)
        known = group >= 0
        first = np.where(known, area.starts[group], 0)
        last = np.where(known, area.starts[group + 1], 0)
        if self.rule is Rule.EARLIER:
            last = np.clip(np.searchsorted(area.keys, group * _CALENDAR + days), first, last)
        total = np.where(known, area.running[last + np.where(known, group, 0)], 0.0)
        count = (last - first).astype(float)
        mine = np.flatnonzero(known & (own >= 0))
        if mine.size:
            held_back = self._fold_sums if self.rule is Rule.OTHERS else self._own_sums
            own_total, own_count = held_back(area, group[mine], days[mine], own[mine])
            total[mine] -= own_total
            count[mine] -= own_count
        return total, count

    def _fold_sums(self, area: _AreaSales, group: Ints, days: Floats, own: Ints) -> tuple[Floats, Floats]:
        fold = own % _FOLDS
        return area.fold_total[group, fold], area.fold_count[group, fold]

    def _own_sums(self, area: _AreaSales, group: Ints, days: Floats, own: Ints) -> tuple[Floats, Floats]:
        deviation = area.values[own]
        counted = (area.member[own] == group) & (self.days_[own] < days) & np.isfinite(deviation)
        return np.where(counted, deviation, 0.0), counted.astype(float)

    def _neighbours(self, X: Columns, days: Floats, own: Ints) -> Columns:
        place = _place(X, days)
        found = np.isfinite(place).all(axis=1)
        table = np.full((len(place), len(SUMMARY)), np.nan)
        table[:, -1] = 0.0
        if found.any() and len(self.index_):
            nearest = self.index_.nearest(place[found], days[found], own[found], self.rule, _NEIGHBOURS)
            level = self.deviation_[self.index_.rows[nearest.position]]
            table[found] = summarise(level, nearest, _FEW)
        return {f"near_{name}": table[:, position] for position, name in enumerate(SUMMARY)}


class PaceEvidence(EvidenceStep):
    """How fast homes sold before the day: ``pace_market``, ``pace_area`` and ``pace_change``, as logs of days.

    Only sales that ended before a home's own day count, whatever the rule, so that its own wait never does. The area is
    the smallest area code. No columns where sales have no list dates.
    """

    def keep(self, X: Columns, y: Floats) -> Self:
        """Replace the sales whose waits are known; prices play no part."""
        if self.facts.listed:
            listed = X["list_date"] if "list_date" in X else np.full(size(X), np.datetime64("NaT"))
            wait = waits(X["sale_date"], listed)
            self.pace_ = Pace.of(self._areas(X), days_since_2000(X["sale_date"]), wait)
        return self

    def evidence(self, X: Columns, own: Ints) -> Columns:
        """Return the pace of the market and of each home's area on its day."""
        if not self.facts.listed:
            return {}
        market, area, change = self.pace_.on(self._areas(X), days_since_2000(X["sale_date"]))
        return {"pace_market": market, "pace_area": area, "pace_change": change}

    def _areas(self, X: Columns) -> NDArray[Any]:
        return X[self.facts.area_codes[-1]] if self.facts.area_codes else np.full(size(X), "", dtype=object)


def value_on(series: tuple[Floats, Floats], days: Floats) -> Floats:
    """Return the value of a running trend on each day, shape (n,), missing up to the first sale."""
    known_from, values = series
    on: Floats = values[np.maximum(np.searchsorted(known_from, days, side="right") - 1, 0)]
    return on


def log_size(X: Columns, facts: FactColumns) -> Floats:
    """Return the log of each home's living area, shape (n,); zero if the market does not record it."""
    if "living_area_sqft" not in facts.numeric:
        return np.zeros(size(X))
    logs: Floats = np.log(X["living_area_sqft"])
    return logs


def _place(X: Columns, days: Floats) -> Floats:
    return np.column_stack([X["east_km"], X["north_km"], days / 365.25 * _KM_PER_YEAR])


@dataclass(frozen=True)
class _AreaSales:
    """The sales of each area of one code, sorted by area and day; ``position`` is an area's number by its code.

    The sales of area g are those from ``starts[g]`` to ``starts[g + 1]``; ``keys`` has each sale's area and day as one
    number, ``running[i + g]`` the sum of the first i sales' deviations within the area. ``fold_total`` and
    ``fold_count``, (areas, folds), are each fold's contribution; ``member`` is the area of every kept sale, or -1, and
    ``values`` its deviation.
    """

    position: Mapping[Any, int]
    starts: Ints
    keys: Floats
    running: Floats
    fold_total: Floats
    fold_count: Floats
    member: Ints
    values: Floats

    def groups(self, codes: NDArray[Any]) -> Ints:
        """Return the number of each home's area, -1 if it is unknown."""
        return np.array([self.position.get(code, -1) for code in codes], dtype=np.int64)


def _area_sales(codes: NDArray[Any], days: Floats, deviation: Floats) -> _AreaSales:
    group, names = pd.factorize(codes, sort=True)
    usable = np.flatnonzero((group >= 0) & np.isfinite(deviation))
    rows = usable[np.lexsort((days[usable], group[usable]))]
    starts = np.searchsorted(group[rows], np.arange(len(names) + 1))
    # Each group's sums start from zero: another area's later price must not change even a last digit.
    running = np.zeros(len(rows) + len(names))
    running[np.arange(len(rows)) + group[rows] + 1] = (
        pd.Series(deviation[rows]).groupby(group[rows]).cumsum().to_numpy()
    )
    cell, cells = group[usable] * _FOLDS + usable % _FOLDS, len(names) * _FOLDS
    fold_total = np.bincount(cell, weights=deviation[usable], minlength=cells).astype(float)
    fold_count = np.bincount(cell, minlength=cells).astype(float)
    return _AreaSales(
        position={name: number for number, name in enumerate(names)},
        starts=starts.astype(np.int64),
        keys=group[rows] * _CALENDAR + days[rows],
        running=running,
        fold_total=fold_total.reshape(-1, _FOLDS),
        fold_count=fold_count.reshape(-1, _FOLDS),
        member=group.astype(np.int64),
        values=deviation,
    )


def running_trend(days: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return the exponentially weighted mean of earlier days' values, and the days from which each is known."""
    daily = pd.DataFrame({"day": days, "sum": values, "n": 1.0}).groupby("day").sum()
    times = pd.Timestamp("2000-01-01") + pd.to_timedelta(daily.index.to_numpy(), unit="D")
    halflife = pd.Timedelta(days=_TREND_HALF_LIFE_DAYS)
    weighted = daily.ewm(halflife=halflife, times=pd.Series(times)).mean()
    mean = (weighted["sum"] / weighted["n"]).to_numpy()
    # Valid from the next day: a day's own sales never set its trend, so the first day has none.
    known_from = daily.index.to_numpy(dtype=float) + 1.0
    return np.concatenate([[-np.inf], known_from]), np.concatenate([[np.nan], mean])
