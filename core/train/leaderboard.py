"""One candidate fitted and measured on validation sales: error, fit time, latency of one estimate, size on disk."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import Any, Final

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from core import measures
from core.train.candidates import Candidate, make_estimator

Floats = NDArray[np.float64]

_TIMED_ESTIMATES: Final = 15


@dataclass(frozen=True)
class Inputs:
    """Training and validation sales as one family sees them: fitted features, matrices (n, p) and log prices (n,)."""

    features: Pipeline
    train: Any
    train_log_price: Floats
    validation: Any
    validation_log_price: Floats
    sample: pd.DataFrame

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the matrix columns."""
        return column_names(self.features)


@dataclass(frozen=True)
class Score:
    """A line of the leaderboard; errors are shares of the sale price, times seconds and milliseconds, size bytes."""

    family: str
    settings: str
    trained_rows: int
    train_mape: float
    mape: float
    mdape: float
    ppe10: float
    fit_seconds: float
    latency_ms: float
    size_bytes: int


@dataclass(frozen=True)
class Scored:
    """A candidate with its score on validation; the fitted estimator is not kept, forests being large."""

    candidate: Candidate
    score: Score


def fit_and_score(candidate: Candidate, inputs: Inputs, rows: NDArray[np.int64], seed: int) -> Scored:
    """Fit a candidate on the given training rows and score it on the validation sales."""
    started = time.perf_counter()
    estimator = fit(candidate, inputs.train[rows], inputs.train_log_price[rows], inputs.columns, seed)
    seconds = time.perf_counter() - started
    estimate = np.exp(estimator.predict(inputs.validation))
    price = np.exp(inputs.validation_log_price)
    seen = measures.mape(np.exp(estimator.predict(inputs.train[rows])), np.exp(inputs.train_log_price[rows]))
    score = Score(
        family=candidate.family.value,
        settings=candidate.describe(),
        trained_rows=len(rows),
        train_mape=seen,
        mape=measures.mape(estimate, price),
        mdape=measures.mdape(estimate, price),
        ppe10=measures.ppe10(estimate, price),
        fit_seconds=seconds,
        latency_ms=_latency_ms(inputs, estimator),
        size_bytes=_size_bytes(estimator),
    )
    return Scored(candidate, score)


def fit(candidate: Candidate, matrix: Any, log_price: Floats, columns: tuple[str, ...], seed: int) -> Any:
    """Return the fitted estimator of log price."""
    return make_estimator(candidate, columns, seed).fit(matrix, log_price)


def column_names(features: Pipeline) -> tuple[str, ...]:
    """Return the names of the columns of a fitted feature pipeline's matrix."""
    return tuple(str(name) for name in features[-1].get_feature_names_out())


def _latency_ms(inputs: Inputs, estimator: Any) -> float:
    times = []
    with threadpool_limits(1):
        for row in range(min(_TIMED_ESTIMATES, len(inputs.sample))):
            home = inputs.sample.iloc[[row]]
            started = time.perf_counter()
            estimator.predict(inputs.features.transform(home))
            times.append(time.perf_counter() - started)
    return float(np.median(times)) * 1000.0


def _size_bytes(estimator: Any) -> int:
    buffer = io.BytesIO()
    joblib.dump(estimator, buffer, compress=1)
    return buffer.getbuffer().nbytes
