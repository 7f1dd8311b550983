"""The feature pipeline: canonical homes in, a numeric matrix with named columns out, fitted on training homes only."""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from core.prepare.alike import AlikeEvidence
from core.prepare.derived import DerivedFacts
from core.prepare.evidence import MarketEvidence
from core.prepare.facts import AREA_CODES, COORDINATES, FactColumns, FactImputer
from core.prepare.neighbours import Rule

_NOT_FEATURES: Final = frozenset({*AREA_CODES, *COORDINATES, "sale_date", "year_renovated"})
_CATEGORY_SALES_MIN: Final = 20
_CATEGORIES_MAX: Final = 30


class CategoryColumns(TransformerMixin, BaseEstimator):
    """One 0/1 column per category with at least 20 training sales (the rest pooled), beside the numeric columns."""

    def __init__(self, facts: FactColumns) -> None:
        self.facts = facts

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn the categories from training homes."""
        names = list(self.facts.categorical)
        self.numeric_ = [name for name in X.columns if name not in _NOT_FEATURES and name not in names]
        self.columns_ = list(self.numeric_)
        if names:
            self.encoder_ = OneHotEncoder(
                sparse_output=False,
                handle_unknown="infrequent_if_exist",
                min_frequency=_CATEGORY_SALES_MIN,
                max_categories=_CATEGORIES_MAX,
            ).fit(_words(X, names))
            self.columns_ += [str(name) for name in self.encoder_.get_feature_names_out(names)]
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the feature matrix, shape (n, features)."""
        numeric = np.column_stack([X[name].to_numpy(dtype=float) for name in self.numeric_])
        if not self.facts.categorical:
            return numeric
        return np.hstack([numeric, self.encoder_.transform(_words(X, list(self.facts.categorical)))])

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Return the names of the matrix columns."""
        return np.asarray(self.columns_, dtype=object)


def _words(X: pd.DataFrame, names: list[str]) -> NDArray[np.object_]:
    return X[names].fillna("unknown").to_numpy(dtype=object)


def feature_pipeline(facts: FactColumns, rule: Rule) -> Pipeline:
    """Return the unfitted pipeline: impute, derive, add market evidence under ``rule``, encode.

    Fit it with ``fit_transform(homes, log_price)``: training homes then get the evidence of *other* sales only.
    """
    return Pipeline(
        [
            ("facts", FactImputer(facts)),
            ("derived", DerivedFacts(facts)),
            ("evidence", MarketEvidence(facts, rule)),
            ("alike", AlikeEvidence(facts, rule)),
            ("encode", CategoryColumns(facts)),
        ]
    )


def baseline_features(facts: FactColumns) -> Pipeline:
    """Return the linear baseline's unfitted features: imputed facts scaled, sizes in logs, categories one-hot."""
    sizes: list[str] = [name for name in ("living_area_sqft", "lot_area_sqft") if name in facts.numeric]
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
        [("facts", FactImputer(facts)), ("derived", DerivedFacts(facts)), ("columns", ColumnTransformer(steps))]
    )


def _filled(X: pd.DataFrame) -> NDArray[np.object_]:
    return _words(X, list(X.columns))
