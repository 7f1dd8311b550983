"""Facts that explain a market's prices better than any fact of a home does: the price is in them.

Unlike core.collect.leaks, which compares a column with the price alone, this finds a price less what the lot costs, a
price divided by its area's usual one, bands of the price in which some rows are wrong, or a year computed from the
price with noise: in facts of any name.
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
from core.prepare.features.facts import AREA_CODES, COORDINATES
from core.schema import is_extra

_SALES_MIN: Final = 200
_SALES_MAX: Final = 4_000
_SUSPECTS_MAX: Final = 5
# The mean error in logs with a fact, divided by that without it. Of the true facts of King County (both files),
# Melbourne, Singapore and Acadiana, but for size and place, none is below 0.86 (the type of home), and an earlier sale
# price of every home is at 0.78. A price less what the lot costs is at 0.36, its ratio to the area's median at 0.60,
# bands of it with 3% of the rows wrong at 0.65, its distance from the area's mean at 0.70.
_RATIO: Final = 0.72
# In one suburb the type of home is at 0.64, in one town of flats the storey at 0.71, and among few sales chance makes a
# difference: that of a true lot was 0.68 in one zip code of 234.
_RATIO_OF_FEW: Final = 0.5
_FEW: Final = 2_000
_TELLING: Final = frozenset({"property_type"})
# Several that say the same hide one another. All true facts of Singapore's own together are at 0.65.
_TOGETHER: Final = 0.5
# The place tells much of a price: the latitude 0.68 in samples of 500 sales beside the zip code, and 0.53 where nothing
# else says where a home is.
_PLACE_RATIO: Final = 0.55
_LONE_PLACE_RATIO: Final = 0.35
# The size may be all that is known, so it is asked what it explains with nothing else, neither place nor day, divided
# by what all others explain without it. Whole markets are at 0.8 to 2.8; single zip codes, towns and suburbs with no
# other fact at 0.45 or more. The price divided by a rate, with 3% of noise, is at 0.2.
_SIZE_ALONE: Final = 0.35
_SIZE: Final = "living_area_sqft"
# Words of more levels become numbers by the place they first come at: categories would be learned by heart.
_LEVELS_MAX: Final = 200
_PLACE: Final = (*AREA_CODES, *COORDINATES)
_DAY: Final = "day"
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
    """A fact that explains prices too well: the mean error, in logs, of ``n`` sales with and without it.

    ``alone`` means that it is the only fact of the first error, and that all others are those of the second.
    """

    name: str
    with_it: float
    without: float
    n: int
    alone: bool = False


def explained_by(sales: pd.DataFrame, facts: Collection[str]) -> tuple[Explained, ...]:
    """Return the facts that explain a market's prices too well, the best first.

    ``sales`` has canonical columns, of which ``facts`` are those a model would learn from; the place counts besides.
    Nothing is found in fewer than 200 sales.
    """
    known = sales[sales["sale_price"] > 0]
    some = known.iloc[evenly(len(known), _SALES_MAX)]
    if len(some) < _SALES_MIN:
        return ()
    log_price = np.log(some["sale_price"].to_numpy(dtype=float))
    numbers = _numbers(some, facts)
    # Beside a size that tells the price, others seem to tell the little that is left.
    if alone := _size_alone(numbers, log_price):
        return (alone,)
    error = _error(numbers, log_price)
    # A true lot tells much beside a price less what the lot costs, so a market's own facts are suspected first.
    own = [str(name) for name in numbers if is_extra(str(name))]
    usual = [str(name) for name in numbers if name not in (_SIZE, _DAY, *_PLACE, *own)]
    for names in (own, usual):
        suspects = _most_used(numbers, log_price, names)
        found = _singly(numbers, log_price, suspects, error) or _together(numbers, log_price, suspects, error)
        if found:
            return tuple(sorted(found, key=lambda one: one.with_it / one.without))
    return tuple(_places(numbers, log_price, error))


def _singly(numbers: pd.DataFrame, log_price: Floats, suspects: Sequence[str], error: float) -> list[Explained]:
    """Return the facts without which the error is far larger than ``error``, that with all of them."""
    n = len(log_price)
    return [one for name in suspects for one in _missed(numbers, log_price, [name], error, _ratio(name, n))]


def _missed(
    numbers: pd.DataFrame, log_price: Floats, names: Sequence[str], error: float, ratio: float
) -> list[Explained]:
    left_out = ((name, _error(numbers.drop(columns=name), log_price)) for name in names)
    return [Explained(name, error, without, len(log_price)) for name, without in left_out if error < ratio * without]


def _together(numbers: pd.DataFrame, log_price: Floats, suspects: Sequence[str], error: float) -> list[Explained]:
    """Return the facts each of which makes the error far smaller, where all of them together make it half as large."""
    bare = numbers.drop(columns=[*suspects])
    without = _error(bare, log_price)
    if error >= _TOGETHER * without:
        return []
    added = ((name, _error(bare.join(numbers[name]), log_price)) for name in suspects)
    n = len(log_price)
    return [Explained(name, with_it, without, n) for name, with_it in added if with_it < _ratio(name, n) * without]


def _ratio(name: str, sales: int) -> float:
    return _RATIO if sales >= _FEW and name not in _TELLING else _RATIO_OF_FEW


def _places(numbers: pd.DataFrame, log_price: Floats, error: float) -> list[Explained]:
    """Return the area codes or coordinates that tell too much of the price, less where both say where a home is."""
    found = [[name for name in names if name in numbers] for names in (AREA_CODES, COORDINATES)]
    ratio = _PLACE_RATIO if all(found) else _LONE_PLACE_RATIO
    return _missed(numbers, log_price, [name for names in found for name in names], error, ratio)


def _size_alone(numbers: pd.DataFrame, log_price: Floats) -> Explained | None:
    """Return the living area if it alone tells the price far better than all other facts together do."""
    if _SIZE not in numbers:
        return None
    alone, others = _error(numbers[[_SIZE]], log_price), _error(numbers.drop(columns=_SIZE), log_price)
    return Explained(_SIZE, alone, others, len(log_price), alone=True) if alone < _SIZE_ALONE * others else None


def _most_used(numbers: pd.DataFrame, log_price: Floats, own: Sequence[str]) -> list[str]:
    """Return the facts of a home that a model uses most: one with the price in it is among them."""
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
    return pd.DataFrame({**columns, _DAY: days_since_2000(sales["sale_date"].to_numpy())}, index=sales.index)


def _as_input(values: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values):
        return pd.Series(values.to_numpy(dtype=float, na_value=np.nan), index=values.index)
    codes, levels = pd.factorize(values)
    places = pd.Series(codes, index=values.index).where(codes >= 0)
    return places.astype("category") if len(levels) <= _LEVELS_MAX else places.astype("float64")
