"""What other sales say about a home's place: price levels of its area codes and nearest neighbours, leak-free."""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from core.prepare.derived import days_since_2000
from core.prepare.facts import FactColumns
from core.prepare.neighbours import SUMMARY, NeighbourIndex, Rule, summarise

Floats = NDArray[np.float64]

_TREND_HALF_LIFE_DAYS: Final = 60.0
_AREA_PRIOR_SALES: Final = 10.0
# Leaving out a sale alone would let a tree read its price back from its area's mean; leaving out a fifth does not.
_FOLDS: Final = 5
_NEIGHBOURS: Final = 20
_FEW: Final = 5
# A year's distance in time counts like half a kilometre in space: recent neighbours first.
_KM_PER_YEAR: Final = 0.5


class MarketEvidence(TransformerMixin, BaseEstimator):
    """Price evidence of other sales, as log price per sq ft relative to the market's running trend.

    ``fit(X, y)`` keeps the training sales (y = log price). ``fit_transform`` gives each training sale what the
    *other* sales say under ``rule``; ``transform`` treats its rows as new subjects. Neither ever uses a row's own
    price. The trend is an exponentially weighted mean (half-life 60 days) of strictly earlier days, so under
    Rule.EARLIER no later price can move any feature; sales of the very first day have no trend and are no evidence.
    Columns added: ``trend``; ``<code>_level``, ``<code>_sales`` per area code; ``near_level``, ``near_spread``,
    ``near_few``, ``near_first_km``, ``near_last_km``, ``near_sales`` where homes have coordinates.
    """

    def __init__(self, facts: FactColumns, rule: Rule = Rule.EARLIER) -> None:
        self.facts = facts
        self.rule = rule

    def fit(self, X: pd.DataFrame, y: Floats) -> Self:
        """Keep the training sales as evidence."""
        self.days_ = days_since_2000(X["sale_date"])
        unit_price = np.asarray(y, dtype=float) - self._log_size(X)
        self.trend_days_, self.trend_values_ = _running_trend(self.days_, unit_price)
        self.deviation_ = unit_price - self._trend(self.days_)
        self.codes_ = {code: _by_code(X[code], self.days_, self.deviation_) for code in self.facts.area_codes}
        self.fold_sums_ = {code: _fold_sums(X[code], self.codes_[code][0], self.deviation_) for code in self.codes_}
        if self.facts.located:
            place = self._place(X, self.days_)
            rows = np.flatnonzero(np.isfinite(place).all(axis=1) & np.isfinite(self.deviation_))
            self.index_ = NeighbourIndex(place[rows], rows, self.days_[rows])
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the table with the evidence for new subjects appended."""
        return self._append(X, np.full(len(X), -1))

    def fit_transform(self, X: pd.DataFrame, y: Floats | None = None, **_: Any) -> pd.DataFrame:
        """Fit, and return each training sale with the evidence of the other sales."""
        if y is None:
            raise ValueError("MarketEvidence needs the log prices of the training sales")
        return self.fit(X, y)._append(X, np.arange(len(X)))

    def _append(self, X: pd.DataFrame, own: NDArray[np.int64]) -> pd.DataFrame:
        days = days_since_2000(X["sale_date"])
        columns: dict[str, Any] = {name: X[name].to_numpy() for name in X.columns}
        columns["trend"] = self._trend(days)
        for code in self.facts.area_codes:
            total, count = self._area_sums(X[code], code, days, own)
            columns[f"{code}_level"] = total / (count + _AREA_PRIOR_SALES)
            columns[f"{code}_sales"] = count
        if self.facts.located:
            columns |= self._neighbours(X, days, own)
        return pd.DataFrame(columns, index=X.index, copy=False)

    def _log_size(self, X: pd.DataFrame) -> Floats:
        if "living_area_sqft" not in self.facts.numeric:
            return np.zeros(len(X))
        size: Floats = np.log(X["living_area_sqft"].to_numpy(dtype=float))
        return size

    def _trend(self, days: Floats) -> Floats:
        position = np.searchsorted(self.trend_days_, days, side="right") - 1
        values: Floats = self.trend_values_[np.maximum(position, 0)]
        return values

    def _area_sums(self, codes: pd.Series, name: str, days: Floats, own: NDArray[np.int64]) -> tuple[Floats, Floats]:
        index, starts, sorted_days, running = self.codes_[name]
        group = index.get_indexer(pd.Index(codes))
        known = group >= 0
        first = np.where(known, starts[group], 0)
        last = np.where(known, starts[group + 1], 0)
        if self.rule is Rule.EARLIER:
            last = _earlier_end(sorted_days, first, last, days)
        total = np.where(known, running[last + np.where(known, group, 0)], 0.0)
        count = (last - first).astype(float)
        if self.rule is Rule.OTHERS:
            mine = known & (own >= 0)
            fold_total, fold_count = self.fold_sums_[name]
            cell = np.where(mine, group, 0), np.where(mine, own % _FOLDS, 0)
            total = total - np.where(mine, fold_total[cell], 0.0)
            count = count - np.where(mine, fold_count[cell], 0.0)
        return total, count

    def _place(self, X: pd.DataFrame, days: Floats) -> Floats:
        return np.column_stack(
            [X["east_km"].to_numpy(), X["north_km"].to_numpy(), days / 365.25 * _KM_PER_YEAR]
        ).astype(float)

    def _neighbours(self, X: pd.DataFrame, days: Floats, own: NDArray[np.int64]) -> dict[str, Floats]:
        place = self._place(X, days)
        found = np.isfinite(place).all(axis=1)
        table = np.full((len(X), len(SUMMARY)), np.nan)
        table[:, -1] = 0.0
        if found.any() and len(self.index_):
            nearest = self.index_.nearest(place[found], days[found], own[found], self.rule, _NEIGHBOURS)
            level = self.deviation_[self.index_.rows[nearest.position]]
            table[found] = summarise(level, nearest, _FEW)
        return {f"near_{name}": table[:, position] for position, name in enumerate(SUMMARY)}


def _running_trend(days: Floats, values: Floats) -> tuple[Floats, Floats]:
    daily = pd.DataFrame({"day": days, "sum": values, "n": 1.0}).groupby("day").sum()
    times = pd.Timestamp("2000-01-01") + pd.to_timedelta(daily.index.to_numpy(), unit="D")
    halflife = pd.Timedelta(days=_TREND_HALF_LIFE_DAYS)
    weighted = daily.ewm(halflife=halflife, times=pd.Series(times)).mean()
    mean = (weighted["sum"] / weighted["n"]).to_numpy()
    # Valid from the next day on: a day's own sales never set its trend, so on the first day there is none.
    known_from = daily.index.to_numpy(dtype=float) + 1.0
    return np.concatenate([[-np.inf], known_from]), np.concatenate([[np.nan], mean])


def _by_code(codes: pd.Series, days: Floats, deviation: Floats) -> tuple[pd.Index, NDArray[np.int64], Floats, Floats]:
    group, index = pd.factorize(codes, sort=True)
    rows = np.flatnonzero((group >= 0) & np.isfinite(deviation))
    rows = rows[np.lexsort((days[rows], group[rows]))]
    starts = np.searchsorted(group[rows], np.arange(len(index) + 1))
    # Sums run within each group, from a zero of its own: another area's later price must not move even a last digit.
    running = np.zeros(len(rows) + len(index))
    running[np.arange(len(rows)) + group[rows] + 1] = (
        pd.Series(deviation[rows]).groupby(group[rows]).cumsum().to_numpy()
    )
    return pd.Index(index), starts.astype(np.int64), days[rows], running


def _fold_sums(codes: pd.Series, index: pd.Index, deviation: Floats) -> tuple[Floats, Floats]:
    group = index.get_indexer(pd.Index(codes))
    rows = np.flatnonzero((group >= 0) & np.isfinite(deviation))
    cell = group[rows] * _FOLDS + rows % _FOLDS
    shape, size = (len(index), _FOLDS), len(index) * _FOLDS
    total = np.bincount(cell, weights=deviation[rows], minlength=size).astype(float)
    count = np.bincount(cell, minlength=size).astype(float)
    return total.reshape(shape), count.reshape(shape)


def _earlier_end(
    sorted_days: Floats, first: NDArray[np.int64], last: NDArray[np.int64], days: Floats
) -> NDArray[np.int64]:
    low, high = first.copy(), last.copy()
    while (low < high).any():
        middle = (low + high) // 2
        earlier = (low < high) & (sorted_days[np.minimum(middle, len(sorted_days) - 1)] < days)
        low, high = np.where(earlier, middle + 1, low), np.where((low < high) & ~earlier, middle, high)
    return low
