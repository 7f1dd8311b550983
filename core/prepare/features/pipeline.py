"""The feature pipeline: canonical homes in, a numeric matrix with named columns out, fitted on training homes only."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from core.arrays import Floats, Ints, Objects
from core.prepare.features.alike_evidence import AlikeEvidence
from core.prepare.features.area_evidence import EvidenceStep, MarketEvidence, PaceEvidence
from core.prepare.features.columns import Columns, size, words
from core.prepare.features.derived import DerivedFacts
from core.prepare.features.facts import AREA_CODES, COORDINATES, FactColumns, FactImputer
from core.prepare.features.neighbours import Rule
from core.schema import AREAS

_NOT_FEATURES: Final = frozenset({*AREA_CODES, *COORDINATES, "address", "sale_date", "list_date", "year_renovated"})
_CATEGORY_SALES_MIN: Final = 20
# The fewest training sales of a category, and the most columns of one fact.
_CATEGORIES: Final = (_CATEGORY_SALES_MIN, 30)
_AREA_CODES: Final = (50, 80)


class CategoryColumns(TransformerMixin, BaseEstimator):
    """Adds a 0/1 column per category with at least 20 training sales (the rest pooled) to the numeric columns.

    Without coordinates each area code with at least 50 training sales, up to 80, gets such a column too.
    """

    def __init__(self, facts: FactColumns) -> None:
        self.facts = facts

    def fit(self, X: Columns, y: object = None) -> Self:
        """Learn the categories from training homes."""
        names = [*self.facts.categorical, *(() if self.facts.located else self.facts.area_codes)]
        self.numeric_ = [name for name in X if name not in _NOT_FEATURES and name not in names]
        self.columns_ = list(self.numeric_)
        self.categories_ = {}
        for name in names:
            fewest, most = _AREA_CODES if name in AREA_CODES else _CATEGORIES
            encoder = OneHotEncoder(
                sparse_output=False,
                handle_unknown="infrequent_if_exist",
                min_frequency=fewest,
                max_categories=most,
            ).fit(words(X, name, "unknown")[:, None])
            self.categories_[name] = _Categories.of(encoder, len(self.columns_))
            self.columns_ += [str(column) for column in encoder.get_feature_names_out([name])]
        return self

    def transform(self, X: Columns) -> Floats:
        """Return the feature matrix, shape (n, features)."""
        matrix = np.zeros((size(X), len(self.columns_)))
        for position, name in enumerate(self.numeric_):
            matrix[:, position] = X[name]
        for name, categories in self.categories_.items():
            column = categories.columns(words(X, name, "unknown"))
            rows = np.flatnonzero(column >= 0)
            matrix[rows, column[rows]] = 1.0
        return matrix

    def get_feature_names_out(self, input_features: object = None) -> Objects:
        """Return the names of the matrix columns."""
        return np.asarray(self.columns_, dtype=object)


@dataclass(frozen=True)
class _Categories:
    """The matrix column of each category of a fact, and of any other (-1: none)."""

    column: Mapping[Any, int]
    other: int

    @classmethod
    def of(cls, encoder: OneHotEncoder, first: int) -> _Categories:
        """Read them from the fitted encoder of one fact whose matrix columns begin at ``first``."""
        known = encoder.categories_[0]
        pooled = encoder.infrequent_categories_[0] is not None
        other = first + len(encoder.get_feature_names_out()) - 1 if pooled else -1
        columns = first + encoder.transform(known[:, None]).argmax(axis=1)
        return cls(dict(zip(known, columns.tolist(), strict=True)), other)

    def columns(self, values: Objects) -> Ints:
        """Return the matrix column of each home, shape (n,)."""
        return np.array([self.column.get(value, self.other) for value in values], dtype=np.int64)


class AsTable(TransformerMixin, BaseEstimator):
    """Converts named arrays back to a table, for scikit-learn steps that select columns by name."""

    def fit(self, X: Columns, y: object = None) -> Self:
        """Learn only the number of columns."""
        self.n_features_in_ = len(X)
        return self

    def transform(self, X: Columns) -> pd.DataFrame:
        """Return the columns as a table."""
        return pd.DataFrame(X, copy=False)


def feature_pipeline(facts: FactColumns, rule: Rule) -> Pipeline:
    """Return the unfitted pipeline: impute, derive, add market evidence under ``rule``, encode.

    Fit it with ``fit_transform(homes, log_price)``, so that training homes get only the evidence of *other* sales.
    """
    return Pipeline(
        [
            ("facts", FactImputer(facts)),
            ("derived", DerivedFacts(facts)),
            ("evidence", MarketEvidence(facts, rule)),
            ("alike", AlikeEvidence(facts, rule)),
            ("pace", PaceEvidence(facts, rule)),
            ("encode", CategoryColumns(facts)),
        ]
    )


def feature_matrix(features: Pipeline, filled: Columns, own: Ints | None) -> Floats:
    """Return the matrix of homes already filled by the first step of a fitted pipeline, as a plain array (n, p).

    ``own``, shape (n,), is each home's position among the sales the evidence is made of, whose price then does not
    speak for it; -1, or None for all, is a home not among them.
    """
    columns: Any = filled
    for _, step in features.steps[1:]:
        if isinstance(step, EvidenceStep) and own is not None:
            columns = columns | step.evidence(columns, own)
        else:
            columns = step.transform(columns)
    return dense(columns)


def under_rule(features: Pipeline, rule: Rule) -> Pipeline:
    """Return a fitted pipeline with its evidence limited by another rule and otherwise unchanged."""
    steps = [
        (name, copy.copy(step).set_params(rule=rule) if isinstance(step, EvidenceStep) else step)
        for name, step in features.steps
    ]
    return Pipeline(steps)


def dense(matrix: Any) -> Floats:
    """Return a feature matrix as a plain array, shape (n, p); one-hot baselines come sparse."""
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, dtype=float)


def baseline_features(facts: FactColumns) -> Pipeline:
    """Return the linear baseline's unfitted features: scaled imputed facts, sizes in logs, one-hot categories."""
    sizes: list[str] = [name for name in AREAS if name in facts.numeric]
    plain = [name for name in facts.numeric if name not in sizes]
    derived = [*plain, "months", *(["age"] if "year_built" in facts.numeric else [])]
    words = [*facts.categorical, *facts.area_codes]
    steps: list[tuple[str, Any, list[str]]] = [("scaled", StandardScaler(), derived)]
    if sizes:
        log = FunctionTransformer(np.log1p, feature_names_out="one-to-one")
        steps.append(("sizes", Pipeline([("log", log), ("scale", StandardScaler())]), sizes))
    if words:
        one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=_CATEGORY_SALES_MIN)
        fill = FunctionTransformer(_filled, feature_names_out="one-to-one")
        steps.append(("words", Pipeline([("fill", fill), ("one_hot", one_hot)]), words))
    return Pipeline(
        [
            ("facts", FactImputer(facts)),
            ("derived", DerivedFacts(facts)),
            ("table", AsTable()),
            ("columns", ColumnTransformer(steps)),
        ]
    )


def _filled(X: pd.DataFrame) -> Objects:
    return X.fillna("unknown").to_numpy(dtype=object)
