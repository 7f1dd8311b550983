"""The sealed test: the accuracy of a model's estimates, ranges and confidences on sales it has never seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from core import measures
from core.arrays import Bools, Floats
from core.evaluate.intervals import draws, spread
from core.prepare.features.columns import Columns
from core.train.bundle import RangeCoverage
from core.train.model import SOLD_SOON, Model, Priced, property_kinds

_BINS: Final = 10


@dataclass(frozen=True)
class Figure:
    """A measured value with its 95% bootstrap interval and the number of sales behind it."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Reliability:
    """Homes of similar confidence: the mean promised probability, the share that came true, and their number."""

    promised: float
    observed: float
    n: int


@dataclass(frozen=True)
class Evaluation:
    """Figures of one test: errors as shares, R² of prices, coverage and relative width of the range at ``level``.

    ``tested`` are the lowest and the highest estimate of a test sale.
    """

    level: float
    n: int
    mape: Figure
    mdape: Figure
    ppe10: Figure
    bias: Figure
    r_squared: Figure
    coverage: Figure
    width: Figure
    calibration_error: float
    reliability: tuple[Reliability, ...]
    tested: tuple[float, float]

    def metrics(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return asdict(self) | {"tested": list(self.tested)}


def measure(priced: Mapping[float, Priced], price: Floats, level: float, seed: int) -> Evaluation:
    """Compare existing estimates, keyed by the level of their range, with the homes' sale prices, shape (n,)."""
    main, point = priced[level], priced[level].exact
    inside = _inside(main, price)
    width = (main.high - main.low) / main.point
    reliability = reliability_of(main, price)
    samples = [rows for block in draws(len(price), seed) for rows in block]

    def figure(measured: Callable[[Floats, Floats], float]) -> Figure:
        value, sampled = measured(point, price), [measured(point[rows], price[rows]) for rows in samples]
        return Figure(value, *spread(sampled, value, len(price)), len(price))

    def share(values: Floats) -> Figure:
        value, sampled = float(values.mean()), [values[rows].mean() for rows in samples]
        return Figure(value, *spread(sampled, value, len(values)), len(values))

    return Evaluation(
        level=level,
        n=len(price),
        mape=figure(measures.mape),
        mdape=figure(measures.mdape),
        ppe10=figure(measures.ppe10),
        bias=figure(measures.median_bias),
        r_squared=figure(measures.r_squared),
        coverage=share(inside.astype(float)),
        width=share(width),
        calibration_error=sum(abs(one.promised - one.observed) * one.n for one in reliability) / len(price),
        reliability=reliability,
        tested=(float(main.point.min()), float(main.point.max())),
    )


def reliability_of(priced: Priced, price: Floats) -> tuple[Reliability, ...]:
    """Return how often the confidences of estimates came true, given the sale prices, (n,); lowest tenth first."""
    promised, correct = priced.confidence, np.abs(price / priced.exact - 1.0) <= priced.tolerance
    # Equal-width bins, as in the definition of the expected calibration error (Naeini et al. 2015).
    bins = np.minimum((promised * _BINS).astype(int), _BINS - 1)
    groups = [(bins == one) for one in range(_BINS)]
    return tuple(
        Reliability(float(promised[rows].mean()), float(correct[rows].mean()), int(rows.sum()))
        for rows in groups
        if rows.any()
    )


def held_by_group(
    model: Model, homes: Columns, priced: Mapping[float, Priced], price: Floats
) -> dict[float, dict[str, RangeCoverage]]:
    """Return what ranges held of the ``homes``' sale prices, (n,), by level and group; answers are keyed by level."""
    return {level: _held(model, homes, answers, price) for level, answers in priced.items()}


def _inside(priced: Priced, price: Floats) -> Bools:
    return (price >= priced.low) & (price <= priced.high)


def _held(model: Model, filled: Columns, priced: Priced, price: Floats) -> dict[str, RangeCoverage]:
    inside = _inside(priced, price)
    groups = model.ranges.segments_.members(np.log(priced.exact), property_kinds(filled, model.facts))
    held = {name: RangeCoverage(float(inside[rows].mean()), len(rows)) for name, rows in groups if len(rows)}
    soon = priced.segments == SOLD_SOON
    return held | ({SOLD_SOON: RangeCoverage(float(inside[soon].mean()), int(soon.sum()))} if soon.any() else {})
