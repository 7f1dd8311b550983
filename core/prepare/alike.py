"""What the sales most alike a home say: neighbours in place, size, quality, age and time together, leak-free."""

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
Rows = NDArray[np.int64]

# How many kilometres apart two homes seem that differ by one unit: a doubling of size (0.7 in logs) counts like two
# kilometres, a step of construction grade like 0.6, a decade of age like 0.2. Set by appraisal judgement and not
# learned from prices, so that no price can reach the choice of comparables.
_KM_PER_UNIT: Final = {"grade": 0.6, "effective_age": 0.02, "bedrooms": 0.2, "bathrooms": 0.2, "condition": 0.2}
_KM_PER_LOG: Final = {"living_area_sqft": 3.0, "lot_area_sqft": 0.5}
_KM_OTHER_TYPE: Final = 2.0
_KM_PER_YEAR: Final = 0.5
# The second look weighs likeness a third as much: nearer homes, less alike.
_LOOKS: Final = {"alike": 1.0, "near_alike": 1.0 / 3.0}
_NEIGHBOURS: Final = 12
_FEW: Final = 4
# A home ten percent larger sells for about six percent more: the usual size elasticity within a neighbourhood.
_SIZE_ELASTICITY: Final = 0.6


class AlikeEvidence(TransformerMixin, BaseEstimator):
    """Prices of the most alike other sales, adjusted to the subject's size and the market's trend at its date.

    Expects the columns DerivedFacts and MarketEvidence add. Like MarketEvidence, ``fit_transform`` gives each training
    sale what *other* sales say under ``rule``, ``transform`` treats rows as new subjects. Markets without coordinates
    get no columns. Columns, per look: ``<look>_level``, ``_spread``, ``_few``, ``_first_km``, ``_last_km``.
    """

    def __init__(self, facts: FactColumns, rule: Rule = Rule.EARLIER) -> None:
        self.facts = facts
        self.rule = rule

    def fit(self, X: pd.DataFrame, y: Floats) -> Self:
        """Keep the training sales as comparables."""
        self.n_features_in_ = X.shape[1]
        if not self.facts.located:
            return self
        level = np.asarray(y, dtype=float) - X["trend"].to_numpy(dtype=float)
        places = {look: self._places(X, scale) for look, scale in _LOOKS.items()}
        usable = np.isfinite(level) & np.isfinite(places["alike"]).all(axis=1)
        rows, days = np.flatnonzero(usable), days_since_2000(X["sale_date"])[usable]
        self.level_, self.size_ = level[usable], self._log_size(X)[usable]
        self.indexes_ = {look: NeighbourIndex(place[usable], rows, days) for look, place in places.items()}
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the table with the evidence for new subjects appended."""
        return self._append(X, np.full(len(X), -1))

    def fit_transform(self, X: pd.DataFrame, y: Floats | None = None, **_: Any) -> pd.DataFrame:
        """Fit, and return each training sale with the evidence of the other sales."""
        if y is None:
            raise ValueError("AlikeEvidence needs the log prices of the training sales")
        return self.fit(X, y)._append(X, np.arange(len(X)))

    def _append(self, X: pd.DataFrame, own: Rows) -> pd.DataFrame:
        columns: dict[str, Any] = {name: X[name].to_numpy() for name in X.columns}
        if self.facts.located:
            for look, scale in _LOOKS.items():
                columns |= self._look(X, look, scale, own)
        return pd.DataFrame(columns, index=X.index, copy=False)

    def _look(self, X: pd.DataFrame, look: str, scale: float, own: Rows) -> dict[str, Floats]:
        place = self._places(X, scale)
        table = np.full((len(X), len(SUMMARY)), np.nan)
        found, index = np.isfinite(place).all(axis=1), self.indexes_[look]
        if found.any() and len(index):
            days = days_since_2000(X["sale_date"])[found]
            nearest = index.nearest(place[found], days, own[found], self.rule, _NEIGHBOURS)
            larger = self.size_[nearest.position] - self._log_size(X)[found][:, None]
            table[found] = summarise(self.level_[nearest.position] - _SIZE_ELASTICITY * larger, nearest, _FEW)
        return {f"{look}_{name}": table[:, position] for position, name in enumerate(SUMMARY[:-1])}

    def _log_size(self, X: pd.DataFrame) -> Floats:
        if "living_area_sqft" not in self.facts.numeric:
            return np.zeros(len(X))
        return np.log(X["living_area_sqft"].to_numpy(dtype=float))

    def _places(self, X: pd.DataFrame, scale: float) -> Floats:
        days = days_since_2000(X["sale_date"])
        axes = [X["east_km"].to_numpy(), X["north_km"].to_numpy(), days / 365.25 * _KM_PER_YEAR]
        axes += [X[name].to_numpy() * weight * scale for name, weight in _KM_PER_UNIT.items() if name in X.columns]
        axes += [np.log1p(X[name].to_numpy()) * weight * scale for name, weight in _KM_PER_LOG.items() if name in X]
        if "property_type" in self.facts.categorical:
            kinds = X["property_type"].fillna("").to_numpy(dtype=object)
            axes += [(kinds == kind) * (_KM_OTHER_TYPE / np.sqrt(2)) * scale for kind in self._kinds(X)]
        return np.column_stack(axes).astype(float)

    def _kinds(self, X: pd.DataFrame) -> list[str]:
        if not hasattr(self, "kinds_"):
            self.kinds_ = sorted(str(kind) for kind in X["property_type"].dropna().unique())
        return self.kinds_
