"""The fitted model: everything that turns homes into estimates, ranges and confidences."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from core.prepare.facts import FactColumns
from core.prepare.neighbours import Rule
from core.prepare.profile import MarketProfile
from core.train.ranges import RangeCalibration, said

Floats = NDArray[np.float64]
Words = NDArray[np.object_]


@dataclass(frozen=True)
class Priced:
    """Estimates of n homes in the market's currency, each array of shape (n,).

    ``point`` is rounded as said, ``exact`` is not; ``low`` and ``high`` bound the range at ``level``; ``confidence`` is
    P(sale within ``within`` of the estimate), 0 to 1; ``fsd`` the forecast standard deviation as a share of the
    estimate; ``segments`` the calibration groups.
    """

    level: float
    within: float
    point: Floats
    exact: Floats
    low: Floats
    high: Floats
    confidence: Floats
    fsd: Floats
    segments: Words


@dataclass(frozen=True)
class Model:
    """A fitted estimator with all it needs to price a home: features, ranges, facts used and the market's profile."""

    facts: FactColumns
    features: Pipeline
    estimator: Any
    ranges: RangeCalibration
    profile: MarketProfile

    def estimate(self, homes: pd.DataFrame) -> Floats:
        """Return unrounded estimates of the sale prices, shape (n,); ``homes`` has the facts and ``sale_date``."""
        return np.exp(self._log_estimate(self.features.transform(homes)))

    def fill(self, homes: pd.DataFrame) -> pd.DataFrame:
        """Return the facts of homes with what is missing filled in as training homes suggest."""
        return self.features.named_steps["facts"].transform(homes)

    def price(self, homes: pd.DataFrame, level: float, within: float) -> Priced:
        """Return estimates with ranges and confidence, rounded as a person says them."""
        return self.price_filled(self.fill(homes), (level,), within)[level]

    def price_filled(self, filled: pd.DataFrame, levels: tuple[float, ...], within: float) -> dict[float, Priced]:
        """Return the same for homes already filled, by level of the range."""
        matrix = self.features[1:].transform(filled)
        centre = self._log_estimate(matrix)
        size = self.ranges.expected_size(dense(matrix), centre)
        segments = self.ranges.segments_.of(centre, property_kinds(filled, self.facts))
        confidence = self.ranges.probability_within(centre, size, segments, within)
        fsd = self.ranges.forecast_sd(centre, size, segments)
        point = np.exp(centre)
        answers = {}
        for level in levels:
            low, high = self.ranges.range(centre, size, segments, level)
            shown = np.clip(said(point), low, high)
            answers[level] = Priced(level, within, shown, point, low, high, confidence, fsd, segments)
        return answers

    def _log_estimate(self, matrix: Any) -> Floats:
        return np.asarray(self.estimator.predict(matrix), dtype=float)


def dense(matrix: Any) -> Floats:
    """Return a feature matrix as a plain array, shape (n, p); one-hot baselines come sparse."""
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, dtype=float)


def property_kinds(homes: pd.DataFrame, facts: FactColumns) -> Words:
    """Return each home's property type for its calibration segment, shape (n,); "home" where a market has none."""
    if "property_type" not in facts.categorical:
        return np.full(len(homes), "home", dtype=object)
    return homes["property_type"].fillna("unknown type").to_numpy(dtype=object)


def for_production(model: Model) -> Model:
    """Return the model with evidence limited to sales before the valuation date, as every live estimate must be."""
    steps = [
        (name, copy.copy(step).set_params(rule=Rule.EARLIER) if "rule" in step.get_params(deep=False) else step)
        for name, step in model.features.steps
    ]
    return dataclasses.replace(model, features=Pipeline(steps))
