"""Facts derived from other facts: age at the sale, renovation, ratios, time, and location in kilometers."""

from __future__ import annotations

from typing import Final, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from core.arrays import Dates, Floats
from core.prepare.features.columns import Columns
from core.prepare.features.facts import FactColumns
from core.prepare.features.projection import Projection

_EPOCH: Final = np.datetime64("2000-01-01")
_RATIOS: Final = (
    ("area_per_bedroom", "living_area_sqft", "bedrooms"),
    ("lot_per_area", "lot_area_sqft", "living_area_sqft"),
    ("baths_per_bedroom", "bathrooms", "bedrooms"),
)


def days_since_2000(dates: Dates) -> Floats:
    """Return calendar dates as days since 2000-01-01, shape (n,)."""
    return (dates.astype("datetime64[D]") - _EPOCH).astype(float)


class DerivedFacts(TransformerMixin, BaseEstimator):
    """Add age, effective age, renovation, ratios, months and kilometers (also along both diagonals) to the facts."""

    def __init__(self, facts: FactColumns) -> None:
        self.facts = facts

    def fit(self, X: Columns, y: object = None) -> Self:
        """Learn the market's center from training homes."""
        if self.facts.located:
            self.projection_ = Projection(float(np.nanmedian(X["latitude"])), float(np.nanmedian(X["longitude"])))
        self.n_features_in_ = len(X)
        return self

    def transform(self, X: Columns) -> Columns:
        """Return the facts with the derived columns appended."""
        days = days_since_2000(X["sale_date"])
        columns = X | {"months": days / 30.4375}
        if "year_built" in X:
            columns |= _ages(X, days)
        for name, top, bottom in _RATIOS:
            if top in X and bottom in X:
                columns[name] = X[top] / np.maximum(X[bottom], 0.5)
        if self.facts.located:
            east, north = self.projection_.kilometres(X)
            columns |= {"east_km": east, "north_km": north, "diagonal_km": east + north, "counter_km": east - north}
        return columns


def _ages(X: Columns, days: Floats) -> Columns:
    year = 2000.0 + days / 365.25
    built = X["year_built"]
    ages: Columns = {"age": np.floor(year) - built}
    if "year_renovated" not in X:
        return ages
    renovated = X["year_renovated"]
    # The buyer cannot know about a renovation after the sale.
    done = np.isfinite(renovated) & (renovated <= year) & (renovated > built)
    return ages | {
        "effective_age": np.floor(year) - np.where(done, renovated, built),
        "renovated": done * 1.0,
    }
