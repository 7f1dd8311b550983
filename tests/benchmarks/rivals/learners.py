"""The learners that Doorstep is held beside, each fitted as a practitioner would fit it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import pandas as pd
from lightgbm import LGBMRegressor
from sklearn.base import RegressorMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import TargetEncoder

from core.arrays import Floats
from core.prepare.features.facts import COORDINATES, FactColumns

SEED: Final = 0
_UNKNOWN: Final = "unknown"
_EPOCH: Final = pd.Timestamp("2000-01-01")

Predict = Callable[[pd.DataFrame], Floats]
"""Returns the log estimates of homes, shape (n,)."""

Learner = Callable[[pd.DataFrame, FactColumns], Predict]
"""Fits the log prices of sales on their facts."""


def learners() -> Mapping[str, Learner]:
    """Return the learners by name; CatBoost only where it is installed."""
    found: dict[str, Learner] = {"CatBoost": _catboost} if importlib.util.find_spec("catboost") else {}
    return found | {"LightGBM": _lightgbm, "HistGradientBoosting": _boosting, "RandomForest": _forest}


def _catboost(sales: pd.DataFrame, facts: FactColumns) -> Predict:
    from catboost import CatBoostRegressor

    words = _words(facts)
    model = CatBoostRegressor(
        iterations=2_000,
        learning_rate=0.06,
        depth=6,
        random_seed=SEED,
        verbose=0,
        allow_writing_files=False,
        cat_features=words,
    )
    model.fit(_table(sales, facts), np.log(sales["sale_price"]))
    return lambda homes: np.asarray(model.predict(_table(homes, facts)), dtype=float)


def _lightgbm(sales: pd.DataFrame, facts: FactColumns) -> Predict:
    table = _table(sales, facts)
    kinds = {name: pd.CategoricalDtype(sorted(table[name].unique())) for name in _words(facts)}

    def coded(homes: pd.DataFrame) -> pd.DataFrame:
        found = _table(homes, facts)
        known = {name: found[name].where(found[name].isin(kind.categories)) for name, kind in kinds.items()}
        return found.assign(**known).astype(kinds)

    model = LGBMRegressor(n_estimators=1_000, learning_rate=0.05, num_leaves=31, random_state=SEED, verbose=-1)
    model.fit(coded(sales), np.log(sales["sale_price"]))
    return lambda homes: np.asarray(model.predict(coded(homes)), dtype=float)


def _boosting(sales: pd.DataFrame, facts: FactColumns) -> Predict:
    model = HistGradientBoostingRegressor(max_iter=500, early_stopping=False, random_state=SEED)
    return _encoded(model, sales, facts)


def _forest(sales: pd.DataFrame, facts: FactColumns) -> Predict:
    forest = RandomForestRegressor(200, min_samples_leaf=2, max_features=1 / 3, n_jobs=-1, random_state=SEED)
    return _encoded(make_pipeline(SimpleImputer(strategy="median"), forest), sales, facts)


def _encoded(model: RegressorMixin, sales: pd.DataFrame, facts: FactColumns) -> Predict:
    """Fit a model that takes numbers only: each word counts as the cross-fitted mean price of its sales."""
    words, log_price = _words(facts), np.log(sales["sale_price"].to_numpy(dtype=float))
    encoder = TargetEncoder(target_type="continuous", cv=KFold(5, shuffle=True, random_state=SEED))
    coded = make_column_transformer((encoder, words), remainder="passthrough")
    fitted = make_pipeline(coded, model).fit(_table(sales, facts), log_price)
    return lambda homes: np.asarray(fitted.predict(_table(homes, facts)), dtype=float)


def _words(facts: FactColumns) -> list[str]:
    return [*facts.categorical, *facts.area_codes]


def _table(homes: pd.DataFrame, facts: FactColumns) -> pd.DataFrame:
    """Return the facts that Doorstep may use too: numbers, coordinates, the day of sale, and words as text."""
    places = COORDINATES if facts.located else ()
    renovated = ("year_renovated",) if facts.renovation else ()
    numbers = homes[[*facts.numeric, *places, *renovated]].astype(float)
    words = {name: homes[name].fillna(_UNKNOWN).astype(str).to_numpy(dtype=object) for name in _words(facts)}
    return numbers.assign(day=(homes["sale_date"] - _EPOCH).dt.days.astype(float), **words)
