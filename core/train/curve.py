"""The learning curve: how the winning candidate's error falls with more training sales."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from core import measures
from core.arrays import Floats, Ints
from core.parallel.calls import in_parallel
from core.progress import Progress
from core.train.candidates import Candidate
from core.train.leaderboard import column_names, fit

SHARES: Final = (0.10, 0.25, 0.50, 1.0)


@dataclass(frozen=True)
class CurvePoint:
    """The candidate trained on ``rows`` sales, a ``share`` of all: its MAPE on them and on the validation sales."""

    share: float
    rows: int
    train_mape: float
    mape: float


@dataclass(frozen=True)
class CurveSales:
    """The sales of a curve: tables of canonical columns, and log prices of the same rows, shape (n,).

    ``train_weight``, shape (n,), is the weight of each training sale; None for equal weights.
    """

    train: pd.DataFrame
    train_log_price: Floats
    validation: pd.DataFrame
    validation_log_price: Floats
    train_weight: Floats | None = None


def learning_curve(
    candidate: Candidate,
    features: Callable[[], Pipeline],
    sales: CurveSales,
    seed: int,
    progress: Progress,
    shares: tuple[float, ...] = SHARES,
) -> tuple[CurvePoint, ...]:
    """Fit a candidate on growing shares of the training sales; each share includes the previous one.

    ``features`` creates the unfitted pipeline, which is refitted on each share, since market evidence also comes from
    the training sales. Shares with fewer than 20 sales are skipped. The cost is about twice the fit on all sales.
    """
    order = np.random.default_rng(seed).permutation(len(sales.train))
    counts = [(share, round(share * len(order))) for share in shares]
    calls = [
        (candidate, features, sales, np.sort(order[:count]), share, seed) for share, count in counts if count >= 20
    ]
    return tuple(in_parallel(_point, calls, progress, "Drawing the learning curve"))


def more_data_helps(curve: tuple[CurvePoint, ...]) -> float | None:
    """Return about how much the validation MAPE fell when the sales last doubled; None for fewer than two points.

    It is scaled to one doubling, so it is the most that twice as many sales would gain at the current pace.
    """
    if len(curve) < 2:
        return None
    before, last = curve[-2:]
    return (before.mape - last.mape) / float(np.log2(last.rows / before.rows))


def _point(
    candidate: Candidate,
    features: Callable[[], Pipeline],
    sales: CurveSales,
    rows: Ints,
    share: float,
    seed: int,
) -> CurvePoint:
    log_price, pipeline = sales.train_log_price[rows], features()
    matrix = pipeline.fit_transform(sales.train.iloc[rows], log_price)
    weight = None if sales.train_weight is None else sales.train_weight[rows]
    estimator = fit(candidate, matrix, log_price, column_names(pipeline), seed, weight)
    seen = measures.mape(np.exp(estimator.predict(matrix)), np.exp(log_price))
    estimate = np.exp(estimator.predict(pipeline.transform(sales.validation)))
    return CurvePoint(share, len(rows), seen, measures.mape(estimate, np.exp(sales.validation_log_price)))
