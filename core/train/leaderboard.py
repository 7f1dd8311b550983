"""Fits one candidate and measures it on validation sales: error, fit time, latency of one estimate, size on disk."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, replace
from typing import Any, Final

import joblib
import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from core import measures
from core.arrays import Floats, Ints
from core.prepare.features.facts import FactColumns
from core.prepare.features.neighbours import Rule
from core.prepare.features.pipeline import baseline_features, feature_pipeline
from core.states import Family
from core.train.candidates import FOREST_SETTINGS, Candidate, make_estimator

COMPARED_MAX: Final = 200_000
"""On how many sales at most a model is fitted that prices no home itself: candidates, the past, earlier residuals."""

_TIMED_ESTIMATES: Final = 15


@dataclass(frozen=True)
class Inputs:
    """Training and validation sales as one family sees them: fitted features, matrices (n, p) and log prices (n,).

    ``train_weight``, shape (n,), is the weight of each training sale; None for equal weights.
    """

    features: Pipeline
    train: Any
    train_log_price: Floats
    validation: Any
    validation_log_price: Floats
    sample: pd.DataFrame
    train_weight: Floats | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the matrix columns."""
        return column_names(self.features)

    def weight(self, rows: Ints) -> Floats | None:
        """Return the weights of some training sales, or None for equal weights."""
        return None if self.train_weight is None else self.train_weight[rows]


@dataclass(frozen=True)
class Recipe:
    """How to fit a candidate on a subset of the sales, or on ``sales_max`` of them if they are more; None: on all."""

    facts: FactColumns
    rule: Rule
    candidate: Candidate
    seed: int
    sales_max: int | None = None

    def features(self) -> Pipeline:
        """Return the unfitted feature pipeline of the candidate's family."""
        if self.candidate.family is Family.LINEAR:
            return baseline_features(self.facts)
        return feature_pipeline(self.facts, self.rule)


@dataclass(frozen=True)
class Score:
    """A line of the leaderboard: errors are shares of the sale price; units are in the names; size is in bytes."""

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
class ForestScore(Score):
    """A line of the forest search; lines with the same ``depth`` and ``leaf`` differ only in ``trees``."""

    trees: int
    depth: int
    leaf: int


@dataclass(frozen=True)
class ScoredCandidate:
    """A candidate with its validation score; the fitted estimator is not kept, because forests are large."""

    candidate: Candidate
    score: Score


def fit_and_score(candidate: Candidate, inputs: Inputs, rows: Ints, seed: int) -> ScoredCandidate:
    """Fit a candidate on the given training rows and score it on the validation sales."""
    started = time.perf_counter()
    estimator = fit(
        candidate, inputs.train[rows], inputs.train_log_price[rows], inputs.columns, seed, inputs.weight(rows)
    )
    return ScoredCandidate(candidate, _score(candidate, estimator, inputs, rows, time.perf_counter() - started))


def forest_at_sizes(
    candidate: Candidate, inputs: Inputs, rows: Ints, sizes: tuple[int, ...], seed: int
) -> tuple[ScoredCandidate, ...]:
    """Score one forest at increasing numbers of trees, growing it from each to the next on the same rows.

    A forest of 75 trees is the first half of one of 150 trees with the same seed, so only the largest costs time. Each
    size's fit time covers all its trees.
    """
    matrix, log_price, weight = inputs.train[rows], inputs.train_log_price[rows], _mean_one(inputs.weight(rows))
    estimator = make_estimator(candidate, inputs.columns, seed).set_params(warm_start=True)
    seconds, found = 0.0, []
    for trees in sizes:
        started = time.perf_counter()
        estimator.set_params(n_estimators=trees).fit(matrix, log_price, sample_weight=weight)
        seconds += time.perf_counter() - started
        grown = replace(candidate, settings={**candidate.settings, "n_estimators": trees})
        found.append(ScoredCandidate(grown, _score(grown, estimator, inputs, rows, seconds)))
    return tuple(found)


def forest_score(one: ScoredCandidate) -> ForestScore:
    """Return the score of a forest with its settings as numbers."""
    trees, depth, leaf = (int(one.candidate.settings[name]) for name in FOREST_SETTINGS)
    return ForestScore(**vars(one.score), trees=trees, depth=depth, leaf=leaf)


def _score(candidate: Candidate, estimator: Any, inputs: Inputs, rows: Ints, seconds: float) -> Score:
    estimate = np.exp(estimator.predict(inputs.validation))
    price = np.exp(inputs.validation_log_price)
    return Score(
        family=candidate.family.value,
        settings=candidate.describe(),
        trained_rows=len(rows),
        train_mape=measures.mape(np.exp(estimator.predict(inputs.train[rows])), np.exp(inputs.train_log_price[rows])),
        mape=measures.mape(estimate, price),
        mdape=measures.mdape(estimate, price),
        ppe10=measures.ppe10(estimate, price),
        fit_seconds=seconds,
        latency_ms=_latency_ms(inputs, estimator),
        size_bytes=_size_bytes(estimator),
    )


def fit(
    candidate: Candidate,
    matrix: Any,
    log_price: Floats,
    columns: tuple[str, ...],
    seed: int,
    weight: Floats | None = None,
) -> Any:
    """Return the fitted estimator of log price; ``weight``, shape (n,), holds the sales' relative weights.

    Weights are scaled to a mean of 1, so that penalties have the same strength as without weights.
    """
    return make_estimator(candidate, columns, seed).fit(matrix, log_price, sample_weight=_mean_one(weight))


def _mean_one(weight: Floats | None) -> Floats | None:
    return None if weight is None else weight / weight.mean()


def column_names(features: Pipeline) -> tuple[str, ...]:
    """Return the column names of a fitted feature pipeline's matrix."""
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
