"""Facts that follow from other facts: age at the sale, renovation, ratios, time and place in kilometres."""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from core.prepare.facts import FactColumns

KM_PER_DEGREE: Final = 111.195
_EPOCH: Final = np.datetime64("2000-01-01")
_RATIOS: Final = (
    ("area_per_bedroom", "living_area_sqft", "bedrooms"),
    ("lot_per_area", "lot_area_sqft", "living_area_sqft"),
    ("baths_per_bedroom", "bathrooms", "bedrooms"),
)


def days_since_2000(dates: pd.Series) -> NDArray[np.float64]:
    """Return calendar dates as days since 2000-01-01, shape (n,)."""
    return (dates.to_numpy(dtype="datetime64[D]") - _EPOCH.astype("datetime64[D]")).astype(float)


class Projection:
    """Degrees to kilometres east and north of a market's centre (equirectangular; exact enough within a city)."""

    def __init__(self, latitude: float, longitude: float) -> None:
        self.latitude, self.longitude = latitude, longitude
        self._east = KM_PER_DEGREE * float(np.cos(np.radians(latitude)))

    def kilometres(self, homes: pd.DataFrame) -> NDArray[np.float64]:
        """Return east and north in km, shape (n, 2); missing coordinates stay missing."""
        east = (homes["longitude"].to_numpy(dtype=float) - self.longitude) * self._east
        north = (homes["latitude"].to_numpy(dtype=float) - self.latitude) * KM_PER_DEGREE
        return np.column_stack([east, north])

    def point(self, latitude: float, longitude: float) -> tuple[float, float]:
        """Return east and north of one place in km."""
        return (longitude - self.longitude) * self._east, (latitude - self.latitude) * KM_PER_DEGREE


class DerivedFacts(TransformerMixin, BaseEstimator):
    """Add age, effective age, renovation, ratios, months and kilometres (also along both diagonals) to the facts."""

    def __init__(self, facts: FactColumns) -> None:
        self.facts = facts

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn the market's centre from training homes."""
        if self.facts.located:
            self.projection_ = Projection(float(X["latitude"].median()), float(X["longitude"].median()))
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the facts with the derived columns appended."""
        days = days_since_2000(X["sale_date"])
        columns: dict[str, Any] = {name: X[name].to_numpy() for name in X.columns}
        columns["months"] = days / 30.4375
        if "year_built" in columns:
            columns |= _ages(X, days)
        for name, top, bottom in _RATIOS:
            if top in columns and bottom in columns:
                columns[name] = columns[top] / np.maximum(columns[bottom], 0.5)
        if self.facts.located:
            east, north = self.projection_.kilometres(X).T
            columns |= {"east_km": east, "north_km": north, "diagonal_km": east + north, "counter_km": east - north}
        return pd.DataFrame(columns, index=X.index, copy=False)


def _ages(X: pd.DataFrame, days: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    year = 2000.0 + days / 365.25
    built = X["year_built"].to_numpy(dtype=float)
    ages = {"age": np.floor(year) - built}
    if "year_renovated" not in X.columns:
        return ages
    renovated = X["year_renovated"].to_numpy(dtype=float)
    # A renovation after the sale is not yet known to its buyer.
    done = np.isfinite(renovated) & (renovated <= year) & (renovated > built)
    return ages | {
        "effective_age": np.floor(year) - np.where(done, renovated, built),
        "renovated": done * 1.0,
    }
