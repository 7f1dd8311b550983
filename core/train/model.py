"""The fitted model: everything that turns homes into estimates, ranges and confidences."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from core.arrays import Bools, Floats, Ints, Objects
from core.prepare.features.alike_evidence import NO_COMPARABLES, Comparables
from core.prepare.features.area_evidence import EvidenceStep, log_size
from core.prepare.features.columns import Columns, columns_of, size, words
from core.prepare.features.facts import FactColumns
from core.prepare.features.known_facts import marks_of
from core.prepare.features.neighbours import Rule
from core.prepare.features.own_sales import OWN_SALE, OwnSales, identity_of, keep_own_sales
from core.prepare.features.pipeline import feature_matrix
from core.prepare.features.pipeline import under_rule as pipeline_under_rule
from core.prepare.features.profile import MarketProfile
from core.progress import Progress
from core.train.level import Residuals
from core.train.own_sale import KeptSales, OutOfFold, OwnSaleEffect, learn_from_pairs, own_sales, sold_soon
from core.train.ranges import Horizon, RangeCalibration, round_for_display
from core.train.unknown_facts import UnknownFactsModel, range_kinds

SOLD_SOON: Final = "homes sold again within 18 months"
"""The group with which the range of such homes is measured."""


@dataclass(frozen=True)
class Priced:
    """Estimates of n homes in the market's currency, each array of shape (n,).

    ``point`` is rounded, ``exact`` is not; ``low`` and ``high`` bound the range at ``level``; ``confidence`` is
    P(sale within ``tolerance`` of the estimate), 0 to 1; ``fsd`` the forecast standard deviation as a share of the
    estimate; ``segments`` the calibration groups. ``years_since_sale`` is the time since the home's own earlier sale,
    NaN without one; None if the model keeps no sales by home.
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
    years_since_sale: Floats | None = None


def half_width(priced: Priced) -> Floats:
    """Return half of each range's width as a share of the estimate, shape (n,)."""
    half: Floats = (priced.high - priced.low) / (2 * priced.point)
    return half


def some_of(priced: Priced, rows: Ints | Bools) -> Priced:
    """Return the answers for some of the homes, by position or mask."""
    arrays = ("point", "exact", "low", "high", "confidence", "fsd", "segments")
    years = None if priced.years_since_sale is None else priced.years_since_sale[rows]
    chosen = {name: getattr(priced, name)[rows] for name in arrays}
    return dataclasses.replace(priced, **chosen, years_since_sale=years)


@dataclass(frozen=True)
class Model:
    """A fitted estimator with everything needed to price a home: features, ranges, facts used and market profile.

    ``recent`` are the out-of-fold residuals of the last year it has seen, from which the market level is estimated.
    ``horizon`` says how much ranges widen with the days since the latest known sale. ``unknown`` prices homes of which
    usual facts are not known. ``own_sales`` finds a home's own earlier sale, and ``own_effect`` is what that says about
    its price; None for a model without evidence, or without enough such homes. ``ranges_by_rule`` are the ranges under
    each rule of evidence, ``ranges`` those of the rule in use; None for a model older than this field. ``narrowing``
    multiplies the width of all ranges, as the estimator errs less than those by which they were measured.
    """

    facts: FactColumns
    features: Pipeline
    estimator: Any
    ranges: RangeCalibration
    profile: MarketProfile
    recent: Residuals
    horizon: Horizon
    unknown: UnknownFactsModel | None = None
    own_sales: OwnSales | None = None
    own_effect: OwnSaleEffect | None = None
    ranges_by_rule: Mapping[Rule, RangeCalibration] | None = None
    narrowing: float = 1.0

    def estimate(self, homes: pd.DataFrame) -> Floats:
        """Return unrounded estimates of the sale prices, shape (n,); ``homes`` has the facts and ``sale_date``."""
        return np.exp(self.log_estimate(self.matrix(self.fill(homes))))

    def fill(self, sold: pd.DataFrame) -> Columns:
        """Return the facts of homes sold on ``sale_date``, with missing values filled in from training homes."""
        homes = identity_of(sold) | columns_of(sold, (*self.facts.all, "sale_date"))
        return self._filled(homes) | (self.own_sales.before_sales(homes) if self.own_sales else {})

    def fill_for_sale(self, homes: Columns) -> Columns:
        """Fill in homes to be valued as of ``sale_date``: every fact column, missing or not, as arrays of shape (n,).

        Columns that tell which home it is (IDENTITY) bring its own earlier sale, the columns OWN_SALE.
        """
        return self._filled(homes) | (self.own_sales.before_valuation(homes) if self.own_sales else {})

    def _filled(self, homes: Columns) -> Columns:
        columns = {name: homes[name] for name in (*self.facts.all, "sale_date")}
        filled: Columns = self.features.named_steps["facts"].fill(columns)
        return filled | (self.unknown.known.marks(homes) if self.unknown else {})

    def matrix(self, filled: Columns, own: Ints | None = None) -> Floats:
        """Return features, own earlier sale and marks of unknown facts of homes already filled, shape (n, columns).

        ``own``, shape (n,), is each home's position among the evidence's sales, whose price is then not used for that
        home; -1, or None for all, means a home that is not among them.
        """
        features = feature_matrix(self.features, filled, own)
        sale = [filled[name][:, None] for name in OWN_SALE[1:]] if self.own_sales else []
        return np.hstack([features, *sale, *([marks_of(filled)] if self.unknown else [])])

    def with_features(self, matrix: Floats, rows: Ints, others: Floats) -> Floats:
        """Return ``matrix`` with the features of ``others`` in these rows; own earlier sales and marks stay."""
        features = self._features(others)
        changed = matrix.copy()
        changed[rows, : features.shape[1]] = features
        return changed

    def log_estimate(self, matrix: Floats, shift: Floats | float = 0.0) -> Floats:
        """Return the log of the unrounded estimates of homes given by the rows of ``matrix``, shape (n,).

        ``shift`` is what the market level adds to each, before what its own earlier sale adds.
        """
        rows = self._rows_with_unknowns(matrix)
        estimate = self._as_if_complete(matrix, rows)
        if self.unknown is not None and len(rows):
            estimate[rows] = self.unknown.log_estimate(self._with_marks(matrix[rows]), estimate[rows])
        estimate = estimate + shift
        return estimate if self.own_effect is None else estimate + self._own_shift(matrix, estimate, rows)

    def _own_shift(self, matrix: Floats, estimate: Floats, with_unknowns: Ints) -> Floats:
        """Return what the own earlier sale adds to the log estimates, which differs where usual facts are unknown."""
        own = self._own(matrix)
        added = np.zeros(len(matrix)) if self.own_effect is None else self.own_effect.shift(own, estimate)
        if self.unknown is not None and len(with_unknowns):
            marks = self._marks(matrix[with_unknowns])
            added[with_unknowns] = self.unknown.own_shift(own[with_unknowns], marks, estimate[with_unknowns])
        return added

    def _as_if_complete(self, matrix: Floats, with_unknowns: Ints) -> Floats:
        """Return the log estimates of the model of complete records; 0 where only the one of unknown facts counts."""
        counts = np.ones(len(matrix), dtype=bool)
        if self.unknown is not None and len(with_unknowns):
            counts[with_unknowns] = self.unknown.weight(self._marks(matrix[with_unknowns])) < 1
        estimate = np.zeros(len(matrix))
        if counts.any():
            estimate[counts] = self.estimator.predict(self._features(matrix[counts]))
        return estimate

    def _features(self, matrix: Floats) -> Floats:
        return matrix[:, : self._places(matrix)[0]]

    def _own(self, matrix: Floats) -> Floats:
        first, end = self._places(matrix)
        return matrix[:, first:end]

    def _marks(self, matrix: Floats) -> Floats:
        return matrix[:, self._places(matrix)[1] :]

    def _with_marks(self, matrix: Floats) -> Floats:
        return np.hstack([self._features(matrix), self._marks(matrix)])

    def _places(self, matrix: Floats) -> tuple[int, int]:
        """Return where the own earlier sale begins and where it ends among the columns of ``matrix``."""
        end = matrix.shape[1] - (len(self.unknown.known.columns) if self.unknown else 0)
        return end - (len(OWN_SALE) - 1 if self.own_sales else 0), end

    def _rows_with_unknowns(self, matrix: Floats) -> Ints:
        """Return the homes that lack a usual fact: one nearly every training home records, or the place."""
        if self.unknown is None:
            return np.empty(0, dtype=np.int64)
        return np.flatnonzero(self.unknown.applies(self._marks(matrix)))

    def comparables(self, filled: Columns, count: int) -> Comparables:
        """Return the evidence sales most similar to the one home ``filled``, only those before its ``sale_date``.

        None if the model keeps no sales.
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
        self,
        matrix: Floats,
        centre: Floats,
        kinds: Objects,
        levels: tuple[float, ...],
        tolerance: float,
        widening: Floats | float = 1.0,
    ) -> dict[float, Priced]:
        """Return ranges and confidence around log estimates ``centre`` of homes given by features and marks.

        ``widening`` multiplies the expected size of each home's error, shape (n,) or one for all.
        """
        own = self._own(matrix)
        factor = self.narrowing * np.broadcast_to(np.asarray(widening, dtype=float), (len(matrix),))
        blank = self._rows_with_unknowns(matrix)
        complete = np.setdiff1d(np.arange(len(matrix)), blank)
        parts = []
        if len(complete) or not len(blank):
            inputs, rest = self._features(matrix[complete]), (levels, tolerance)
            wider = factor[complete] * (self.own_effect.widening(own[complete]) if self.own_effect else 1.0)
            found = _spread(self.ranges, inputs, centre[complete], wider, kinds[complete], *rest)
            parts.append((complete, found, _soon(self.own_effect, own[complete])))
        if self.unknown is not None and len(blank):
            inputs = self.unknown.range_inputs(self._with_marks(matrix[blank]), own[blank], centre[blank])
            groups = self.unknown.groups(self._marks(matrix[blank]))
            kinds, rest = range_kinds(np.ones(len(blank), dtype=bool)), (levels, tolerance)
            found = _spread(self.unknown.ranges, inputs, centre[blank], factor[blank], kinds, *rest)
            parts.append((blank, found, groups))
        years = own[:, 0] if self.own_sales else None
        return {level: _joined([(rows, one[level], groups) for rows, one, groups in parts], years) for level in levels}


def _spread(
    ranges: RangeCalibration,
    inputs: Floats,
    centre: Floats,
    factor: Floats,
    kinds: Objects,
    levels: tuple[float, ...],
    tolerance: float,
) -> dict[float, Priced]:
    width = ranges.expected_size(inputs, centre) * factor
    segments = ranges.segments_.of(centre, kinds)
    confidence = ranges.probability_within(centre, width, segments, tolerance)
    fsd = ranges.forecast_sd(centre, width, segments)
    point = np.exp(centre)
    answers = {}
    for level in levels:
        low, high = ranges.range(centre, width, segments, level)
        shown = np.clip(round_for_display(point), low, high)
        answers[level] = Priced(level, tolerance, shown, point, low, high, confidence, fsd, segments)
    return answers


def _soon(effect: OwnSaleEffect | None, own: Floats) -> Objects:
    """Return the group of the homes sold soon again, which are measured together, "" for others, shape (n,)."""
    groups = np.full(len(own), "", dtype=object)
    if effect:
        groups[sold_soon(own)] = SOLD_SOON
    return groups


def _joined(parts: Sequence[tuple[Ints, Priced, Objects]], years: Floats | None) -> Priced:
    """Return the answers of all homes from those of some at ``rows``; a group that is not "" counts there."""
    order = np.argsort(np.concatenate([rows for rows, _, _ in parts]))
    names = ("point", "exact", "low", "high", "confidence", "fsd")
    arrays = {name: np.concatenate([getattr(one, name) for _, one, _ in parts])[order] for name in names}
    segments = np.concatenate([np.where(groups == "", one.segments, groups) for _, one, groups in parts])[order]
    first = parts[0][1]
    return Priced(first.level, first.tolerance, **arrays, segments=segments, years_since_sale=years)


def property_kinds(homes: Columns, facts: FactColumns) -> Objects:
    """Return each home's property type for its calibration segment, shape (n,); "home" if a market has no types."""
    if "property_type" not in facts.categorical:
        return np.full(size(homes), "home", dtype=object)
    return words(homes, "property_type", "unknown type")


def for_production(model: Model) -> Model:
    """Return the model with evidence limited to sales before the valuation date, as every live estimate must be."""
    return under_rule(model, Rule.EARLIER)


def under_rule(model: Model, rule: Rule) -> Model:
    """Return the model with its evidence limited by another rule, and the ranges measured with such evidence."""
    ranges = (model.ranges_by_rule or {}).get(rule, model.ranges)
    return dataclasses.replace(model, features=pipeline_under_rule(model.features, rule), ranges=ranges)


def has_evidence(model: Model) -> bool:
    """Tell whether the model uses other sales as evidence; a linear baseline does not."""
    return any(isinstance(step, EvidenceStep) for _, step in model.features.steps)


def with_own_sales(
    model: Model, kept: KeptSales, priced: OutOfFold, level: float, seed: int, progress: Progress
) -> Model:
    """Return the model with the kept sales by home, and with what it learned from homes sold more than once."""
    filled = model.features.named_steps["facts"].transform(kept.homes)
    own = own_sales(kept, filled, seed, progress)
    effect = learn_from_pairs(own, kept, priced, model.ranges, level, seed)
    return dataclasses.replace(model, own_sales=own, own_effect=effect)


def refreshed(model: Model, sales: pd.DataFrame) -> Model:
    """Return the model with market evidence from ``sales`` instead of the training sales.

    ``sales`` has canonical columns with ``sale_date`` and ``sale_price``; positions in ``Comparables`` and ``own``
    refer to its order. Trend, area levels, neighbors and a home's own earlier sales then come from these sales;
    everything learned stays: how facts are filled, categories, estimator and ranges. A model without evidence is
    returned unchanged.
    """
    if not has_evidence(model):
        return model
    log_price = np.log(sales["sale_price"].to_numpy(dtype=float))
    homes = model.features.named_steps["derived"].transform(model.features.named_steps["facts"].transform(sales))
    market = copy.copy(model.features.named_steps["evidence"]).keep(homes, log_price)
    trend = {"trend": market.trend(market.days_)}
    alike = copy.copy(model.features.named_steps["alike"]).keep(homes | trend, log_price)
    steps: dict[str, EvidenceStep] = {"evidence": market, "alike": alike}
    if (pace := model.features.named_steps.get("pace")) is not None:
        steps["pace"] = copy.copy(pace).keep(homes, log_price)
    newer = _with_steps(model, steps)
    if model.own_sales is None:
        return newer
    kept = keep_own_sales(identity_of(sales), log_price, log_size(homes, model.facts), model.own_sales.residuals)
    return dataclasses.replace(newer, own_sales=kept)


def _with_steps(model: Model, steps: Mapping[str, EvidenceStep]) -> Model:
    changed = [(name, steps.get(name, step)) for name, step in model.features.steps]
    return dataclasses.replace(model, features=Pipeline(changed))
