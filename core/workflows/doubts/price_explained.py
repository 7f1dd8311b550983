"""Facts of a market's own that explain its prices better than any fact of a home does: the price is in them.

Unlike core.collect.leaks, which compares a column with the price alone, this finds a price less what the lot costs, a
price divided by its area's usual one, or bands of the price in which some rows are wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import lightgbm
import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, cross_val_predict

from core.arrays import Floats, evenly
from core.prepare.features.derived import days_since_2000
from core.schema import is_extra

_SALES_MIN: Final = 200
_SALES_MAX: Final = 4_000
_SUSPECTS_MAX: Final = 5
# The mean error in logs with a fact, divided by that without it. Of the true facts of King County, Melbourne and
# Singapore none is below 0.89 (the floors of a flat), and an earlier sale price of every home is at 0.78. A price less
# what the lot costs is at 0.36, its ratio to the area's median at 0.60, bands of it with 3% of the rows wrong at 0.65,
# its distance from the area's mean at 0.70.
_RATIO: Final = 0.72
# Several that say the same hide one another. All true facts of Singapore's own together are at 0.65.
_TOGETHER: Final = 0.5
# Words of more levels become numbers by the place they first come at: categories would be learned by heart.
_LEVELS_MAX: Final = 200
_PLACE: Final = ("zipcode", "neighbourhood", "latitude", "longitude")
_FOLDS: Final = 3
_SEED: Final = 0
_SETTINGS: Final[dict[str, Any]] = {
    "n_estimators": 150,
    "num_leaves": 15,
    "min_child_samples": 10,
    "colsample_bytree": 0.5,
    "n_jobs": 1,
    "verbose": -1,
    "random_state": _SEED,
    "deterministic": True,
    "force_row_wise": True,
}


@dataclass(frozen=True)
class Explained:
    """A fact that explains prices too well: the mean error, in logs, of ``n`` sales with and without it."""

    name: str
    with_it: float
    without: float
    n: int


def explained_by(sales: pd.DataFrame, facts: Collection[str]) -> tuple[Explained, ...]:
    """Return the facts of the market's own that explain its prices too well, the best first.

    ``sales`` has canonical columns, of which ``facts`` are those a model would learn from. Nothing is found in fewer
    than 200 sales.
    """
    known = sales[sales["sale_price"] > 0]
    some = known.iloc[evenly(len(known), _SALES_MAX)]
    own = [name for name in facts if is_extra(name)]
    if len(some) < _SALES_MIN or not own:
        return ()
    log_price = np.log(some["sale_price"].to_numpy(dtype=float))
    numbers = _numbers(some, facts)
    suspects = _most_used(numbers, log_price, own)
    error = _error(numbers, log_price)
    found = _singly(numbers, log_price, suspects, error) or _together(numbers, log_price, suspects, error)
    return tuple(sorted(found, key=lambda one: one.with_it / one.without))


def _singly(numbers: pd.DataFrame, log_price: Floats, suspects: Sequence[str], error: float) -> list[Explained]:
    """Return the facts without which the error is far larger than ``error``, that with all of them."""
    left_out = ((name, _error(numbers.drop(columns=name), log_price)) for name in suspects)
    return [Explained(name, error, without, len(log_price)) for name, without in left_out if error < _RATIO * without]


def _together(numbers: pd.DataFrame, log_price: Floats, suspects: Sequence[str], error: float) -> list[Explained]:
    """Return the facts each of which makes the error far smaller, where all of them together make it half as large."""
    bare = numbers.drop(columns=[*suspects])
    without = _error(bare, log_price)
    if error >= _TOGETHER * without:
        return []
    added = ((name, _error(bare.join(numbers[name]), log_price)) for name in suspects)
    return [Explained(name, with_it, without, len(log_price)) for name, with_it in added if with_it < _RATIO * without]


def _most_used(numbers: pd.DataFrame, log_price: Floats, own: Sequence[str]) -> list[str]:
    """Return the facts of the market's own that a model uses most: one with the price in it is among them."""
    fitted = lightgbm.LGBMRegressor(importance_type="gain", **_SETTINGS).fit(numbers, log_price)
    gains = pd.Series(fitted.feature_importances_, index=numbers.columns)[[*own]]
    return [str(name) for name in gains[gains > 0].nlargest(_SUSPECTS_MAX).index]


def _error(numbers: pd.DataFrame, log_price: Floats) -> float:
    folds = KFold(_FOLDS, shuffle=True, random_state=_SEED)
    estimate = cross_val_predict(lightgbm.LGBMRegressor(**_SETTINGS), numbers, log_price, cv=folds)
    return float(np.abs(estimate - log_price).mean())


def _numbers(sales: pd.DataFrame, facts: Collection[str]) -> pd.DataFrame:
    """Return the facts as numbers and categories, with the place and the day of each sale."""
    names = [name for name in dict.fromkeys([*facts, *_PLACE]) if name in sales]
    columns = {name: _as_input(sales[name]) for name in names}
    return pd.DataFrame({**columns, "day": days_since_2000(sales["sale_date"].to_numpy())}, index=sales.index)


def _as_input(values: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values):
        return pd.Series(values.to_numpy(dtype=float, na_value=np.nan), index=values.index)
    codes, levels = pd.factorize(values)
    places = pd.Series(codes, index=values.index).where(codes >= 0)
    return places.astype("category") if len(levels) <= _LEVELS_MAX else places.astype("float64")
