"""The fitted model: everything that turns homes into estimates, ranges and confidences."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from core.arrays import Floats, Ints, Objects
from core.prepare.features.alike_evidence import NO_COMPARABLES, Comparables
from core.prepare.features.area_evidence import EvidenceStep
from core.prepare.features.columns import Columns, size, words
from core.prepare.features.facts import FactColumns
from core.prepare.features.neighbours import Rule
from core.prepare.features.profile import MarketProfile
from core.train.level import Residuals
from core.train.ranges import RangeCalibration, round_for_display


@dataclass(frozen=True)
class Priced:
    """Estimates of n homes in the market's currency, each array of shape (n,).

    ``point`` is rounded, ``exact`` is not; ``low`` and ``high`` bound the range at ``level``; ``confidence`` is
    P(sale within ``tolerance`` of the estimate), 0 to 1; ``fsd`` the forecast standard deviation as a share of the
    estimate; ``segments`` the calibration groups.
    """

    level: float
    tolerance: float
    point: Floats
    exact: Floats
    low: Floats
    high: Floats
    confidence: Floats
    fsd: Floats
    segments: Objects


@dataclass(frozen=True)
class Model:
    """A fitted estimator with everything needed to price a home: features, ranges, facts used and market profile.

    ``recent`` are the out-of-fold residuals of the last year it has seen, from which the market level is estimated.
    """

    facts: FactColumns
    features: Pipeline
    estimator: Any
    ranges: RangeCalibration
    profile: MarketProfile
    recent: Residuals

    def estimate(self, homes: pd.DataFrame) -> Floats:
        """Return unrounded estimates of the sale prices, shape (n,); ``homes`` has the facts and ``sale_date``."""
        return np.exp(self.log_estimate(self.matrix(self.fill(homes))))

    def fill(self, homes: pd.DataFrame) -> Columns:
        """Return the facts of homes with missing values filled in from training homes."""
        filled: Columns = self.features.named_steps["facts"].transform(homes)
        return filled

    def fill_columns(self, homes: Columns) -> Columns:
        """Fill in homes given as arrays: every fact column, missing or not, and ``sale_date``."""
        filled: Columns = self.features.named_steps["facts"].fill(homes)
        return filled

    def matrix(self, filled: Columns, own: Ints | None = None) -> Floats:
        """Return the feature matrix of filled homes, shape (n, p).

        ``own``, shape (n,), is each home's position among the evidence's sales, whose price is then not used for that
        home; -1, or None for all, means a home that is not among them.
        """
        columns: Any = filled
        for _, step in self.features.steps[1:]:
            if isinstance(step, EvidenceStep) and own is not None:
                columns = columns | step.evidence(columns, own)
            else:
                columns = step.transform(columns)
        return dense(columns)

    def log_estimate(self, matrix: Floats) -> Floats:
        """Return the log of the unrounded estimates of homes from their feature matrix, shape (n,)."""
        return np.asarray(self.estimator.predict(matrix), dtype=float)

    def comparables(self, filled: Columns, count: int) -> Comparables:
        """Return the evidence sales most similar to the one home ``filled``, only those before its ``sale_date``.

        None if the model keeps no sales with their location.
        """
        alike = self.features.named_steps.get("alike")
        if alike is None:
            return NO_COMPARABLES
        found: Comparables = alike.comparables(self.features.named_steps["derived"].transform(filled), count)
        return found

    def price(self, homes: pd.DataFrame, level: float, tolerance: float) -> Priced:
        """Return estimates with ranges and confidence, rounded for display."""
        return self.price_filled(self.fill(homes), (level,), tolerance)[level]

    def price_filled(self, filled: Columns, levels: tuple[float, ...], tolerance: float) -> dict[float, Priced]:
        """Return estimates as ``price`` does, for filled homes, by level of the range."""
        matrix = self.matrix(filled)
        return self.spread(matrix, self.log_estimate(matrix), property_kinds(filled, self.facts), levels, tolerance)

    def spread(
        self, matrix: Floats, centre: Floats, kinds: Objects, levels: tuple[float, ...], tolerance: float
    ) -> dict[float, Priced]:
        """Return ranges and confidence around the log estimates ``centre`` of homes in a feature matrix."""
        width = self.ranges.expected_size(matrix, centre)
        segments = self.ranges.segments_.of(centre, kinds)
        confidence = self.ranges.probability_within(centre, width, segments, tolerance)
        fsd = self.ranges.forecast_sd(centre, width, segments)
        point = np.exp(centre)
        answers = {}
        for level in levels:
            low, high = self.ranges.range(centre, width, segments, level)
            shown = np.clip(round_for_display(point), low, high)
            answers[level] = Priced(level, tolerance, shown, point, low, high, confidence, fsd, segments)
        return answers


def dense(matrix: Any) -> Floats:
    """Return a feature matrix as a dense array, shape (n, p); one-hot baselines are sparse."""
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, dtype=float)


def property_kinds(homes: Columns, facts: FactColumns) -> Objects:
    """Return each home's property type for its calibration segment, shape (n,); "home" if a market has no types."""
    if "property_type" not in facts.categorical:
        return np.full(size(homes), "home", dtype=object)
    return words(homes, "property_type", "unknown type")


def for_production(model: Model) -> Model:
    """Return the model with evidence limited to sales before the valuation date, as every live estimate must be."""
    return under_rule(model, Rule.EARLIER)


def under_rule(model: Model, rule: Rule) -> Model:
    """Return the model with its evidence limited by another rule and otherwise unchanged."""
    limited = {
        name: copy.copy(step).set_params(rule=rule)
        for name, step in model.features.steps
        if isinstance(step, EvidenceStep)
    }
    return _with_steps(model, limited)


def refreshed(model: Model, sales: pd.DataFrame) -> Model:
    """Return the model with market evidence from ``sales`` instead of the training sales.

    ``sales`` has canonical columns with ``sale_date`` and ``sale_price``; positions in ``Comparables`` and ``own``
    refer to its order. Trend, area levels and neighbors then come from these sales; everything learned stays: how
    facts are filled, categories, estimator and ranges. A model without evidence is returned unchanged.
    """
    if not any(isinstance(step, EvidenceStep) for _, step in model.features.steps):
        return model
    log_price = np.log(sales["sale_price"].to_numpy(dtype=float))
    homes = model.features.named_steps["derived"].transform(model.fill(sales))
    market = copy.copy(model.features.named_steps["evidence"]).keep(homes, log_price)
    trend = {"trend": market.trend(market.days_)}
    alike = copy.copy(model.features.named_steps["alike"]).keep(homes | trend, log_price)
    return _with_steps(model, {"evidence": market, "alike": alike})


def _with_steps(model: Model, steps: Mapping[str, EvidenceStep]) -> Model:
    changed = [(name, steps.get(name, step)) for name, step in model.features.steps]
    return dataclasses.replace(model, features=Pipeline(changed))
