"""What a home like this usually sells for, and how large such homes are: robust, from the sales of the file itself.

Medians by area, type and time, Huber's regression on the recorded facts, then the median of the nearest sales. A wrong
value among them moves none of these, so a sale can be judged by the very table it stands in. It is evidence for a
person who reads the record, never a feature of a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from core.arrays import Bools, Floats, Ints

NEIGHBOURS: Final = 20
"""How many of the nearest sales speak for a home; fewer than half of them can be wrong before their median is."""

_ROUNDS: Final = 4
_PRIOR_SALES: Final = 8.0
_PERIOD_MIN: Final = 30
_LOCATED_SHARE: Final = 0.5
_KM_PER_LOG_SIZE: Final = 2.0
_KM_PER_YEAR: Final = 0.5
_KM_PER_DEGREE: Final = 111.2
_SPREAD_PRIOR: Final = 20.0
# A market is never surer than this: rounding and haggling alone move a price by some percent.
_SPREAD_LEAST: Final = 0.06
# A home three times as large as its rooms and neighbors say, or a third as large.
_SIZE_DOUBTED: Final = 1.1
_TO_SIGMA: Final = 1.4826
_HUBER: Final = 1.5
_FITTED_MAX: Final = 10_000
_FACTS: Final = ("bathrooms", "grade", "condition", "view", "waterfront", "floors", "garage_spaces", "year_built")
# What tells how large a home is without its area.
_SIZE_FACTS: Final = ("bedrooms", "bathrooms", "grade", "floors", "year_built")


@dataclass(frozen=True)
class Usual:
    """Deviations of n sales from what is usual for such a home there and then, natural logs, each of shape (n,).

    ``price``: log of sale price over the usual price of a home of its size and facts. ``size``: log of living area
    over the usual area of homes with such rooms; NaN where the area is not known. ``price_spread`` and ``size_spread``
    are one standard deviation of these nearby. ``elasticity``: the usual price follows living area to this power.
    """

    price: Floats
    price_spread: Floats
    size: Floats
    size_spread: Floats
    elasticity: float


def usual_values(facts: pd.DataFrame, speaks: Bools) -> Usual:
    """Judge each sale of a canonical table beside the others; only rows of ``speaks``, shape (n,), are evidence.

    Rows without a price above 0 or without a date have NaN. Facts may be absent from the table or missing.
    """
    price, area = _logs(facts, "sale_price"), _logs(facts, "living_area_sqft")
    days = _days(facts)
    known = np.isfinite(price) & np.isfinite(days)
    speaks = speaks & known
    groups = [_codes(facts, name) for name in ("zipcode", "neighbourhood", "property_type") if name in facts]
    sized = np.isfinite(area)
    size, _ = _fit(area, _features(facts, _SIZE_FACTS), groups, speaks & sized)
    place = _place(facts, np.nan_to_num(days))
    by_size, size_spread = _beside_nearest(size, place, groups, speaks & sized)
    # Homes whose size is in doubt say nothing of prices, and are compared with homes of a size that is not.
    away = np.where(sized, np.clip(by_size, -_SIZE_DOUBTED, _SIZE_DOUBTED) - by_size, 0.0)
    speaks = speaks & (away == 0.0)
    centred = np.where(sized, area - _median(area[speaks & sized]), 0.0)
    features = np.column_stack([centred, _features(facts, _FACTS), _log_feature(facts, "lot_area_sqft")])
    deviation, slopes = _fit(price, features, [*groups, _periods(days, speaks)], speaks)
    with_size = None if place is None else np.column_stack([place, (centred + away) * _KM_PER_LOG_SIZE])
    by_price, price_spread = _beside_nearest(deviation, with_size, groups, speaks)
    return Usual(
        price=np.where(known, by_price, np.nan),
        price_spread=price_spread,
        size=np.where(sized, by_size, np.nan),
        size_spread=size_spread,
        elasticity=float(np.clip(slopes[0], 0.0, 1.2)),
    )


# Regression


def _fit(values: Floats, features: Floats, groups: list[Ints], speaks: Bools) -> tuple[Floats, Floats]:
    """Return deviations from medians of the groups and a linear part, shape (n,), and the slopes, shape (p,)."""
    linear = np.zeros(len(values))
    slopes = np.zeros(features.shape[1])
    levels = np.full(len(values), _median(values[speaks]))
    for _ in range(_ROUNDS):
        for codes in groups:
            levels = levels + _group_medians(values - linear - levels, codes, speaks)
        slopes = _huber(features[speaks], (values - levels)[speaks])
        linear = features @ slopes
    rest = values - linear - levels
    return rest - _median(rest[speaks]), slopes


def _group_medians(rest: Floats, codes: Ints, speaks: Bools) -> Floats:
    """Return each row's group median, drawn towards zero where few sales speak for the group."""
    grouped = pd.Series(rest[speaks]).groupby(codes[speaks])
    middle, count = grouped.median(), grouped.size()
    drawn = middle * count / (count + _PRIOR_SALES)
    return np.nan_to_num(drawn.reindex(codes).to_numpy())


def _huber(features: Floats, values: Floats) -> Floats:
    """Huber's M-estimate of the slopes by reweighted least squares (Huber 1964), with an intercept left out."""
    slopes = np.zeros(features.shape[1])
    if len(values) <= 2 * features.shape[1]:
        return slopes
    # A few thousand sales know the slopes as well as all of them do.
    step = max(len(values) // _FITTED_MAX, 1)
    features, values = features[::step], values[::step]
    centred = features - features.mean(axis=0)
    ridge = 1e-6 * len(values) * np.eye(features.shape[1])
    weight = np.ones(len(values))
    for _ in range(2 * _ROUNDS):
        weighted = centred * weight[:, None]
        slopes = np.linalg.solve(weighted.T @ centred + ridge, weighted.T @ values)
        rest = values - centred @ slopes
        rest -= np.median(rest)
        scale = max(_TO_SIGMA * float(np.median(np.abs(rest))), _SPREAD_LEAST)
        weight = np.minimum(1.0, _HUBER * scale / np.maximum(np.abs(rest), 1e-12))
        # Values ten times over have no say at all.
        weight[np.abs(rest) > 6 * scale] = 0.0
    return slopes


# Neighbors


def _beside_nearest(
    deviation: Floats, place: Floats | None, groups: list[Ints], speaks: Bools
) -> tuple[Floats, Floats]:
    """Return deviations from the median of the nearest sales, and their spread; from the group's where unlocated."""
    usable = speaks & np.isfinite(deviation)
    overall = _spread(deviation[usable])
    level, spread = _group_level(deviation, groups, usable, overall)
    if place is not None:
        located = np.isfinite(place).all(axis=1)
        index = np.flatnonzero(usable & located)
        rows = np.flatnonzero(located)
        if len(index) > NEIGHBOURS:
            _, found = cKDTree(place[index]).query(place[rows], k=NEIGHBOURS + 1, workers=-1)
            near = np.where(index[found] == rows[:, None], np.nan, deviation[index[found]])
            level[rows] = np.nanmedian(near, axis=1)
            local = _TO_SIGMA * np.nanmedian(np.abs(near - level[rows][:, None]), axis=1)
            spread[rows] = _drawn(local, NEIGHBOURS, overall)
    return deviation - level, np.maximum(spread, _SPREAD_LEAST)


def _group_level(deviation: Floats, groups: list[Ints], usable: Bools, overall: float) -> tuple[Floats, Floats]:
    if not groups:
        return np.zeros(len(deviation)), np.full(len(deviation), overall)
    codes = groups[0]
    level = _group_medians(deviation, codes, usable)
    off = pd.Series(np.abs(deviation - level)[usable]).groupby(codes[usable])
    local = (_TO_SIGMA * off.median()).reindex(codes).to_numpy()
    count: Floats = np.asarray(off.size().reindex(codes).fillna(0), dtype=np.float64)
    return level, np.where(np.isfinite(local), _drawn(np.nan_to_num(local), count, overall), overall)


def _drawn(local: Floats, count: Floats | int, overall: float) -> Floats:
    """Draw local spreads towards the market's: few sales tell little of how far prices differ."""
    drawn: Floats = np.sqrt((count * local**2 + _SPREAD_PRIOR * overall**2) / (count + _SPREAD_PRIOR))
    return drawn


def _spread(values: Floats) -> float:
    if not len(values):
        return 1.0
    return max(_TO_SIGMA * float(np.median(np.abs(values - np.median(values)))), _SPREAD_LEAST)


def _place(facts: pd.DataFrame, days: Floats) -> Floats | None:
    """Return km east, km north and time as km, shape (n, 3); None where most sales have no coordinates."""
    if "latitude" not in facts or "longitude" not in facts:
        return None
    latitude, longitude = facts["latitude"].to_numpy(dtype="float64"), facts["longitude"].to_numpy(dtype="float64")
    located = np.isfinite(latitude) & np.isfinite(longitude)
    if located.mean() < _LOCATED_SHARE:
        return None
    east = longitude * np.cos(np.radians(np.median(latitude[located]))) * _KM_PER_DEGREE
    return np.column_stack([east, latitude * _KM_PER_DEGREE, days / 365.25 * _KM_PER_YEAR])


# Values


def _logs(facts: pd.DataFrame, name: str) -> Floats:
    if name not in facts:
        return np.full(len(facts), np.nan)
    values = facts[name].to_numpy(dtype="float64")
    logs: Floats = np.log(np.where(np.isfinite(values) & (values > 0), values, np.nan))
    return logs


def _log_feature(facts: pd.DataFrame, name: str) -> Floats:
    values = _logs(facts, name)
    middle = _median(values[np.isfinite(values)])
    # Acres of land do not go on adding value at the same rate.
    return np.clip(np.where(np.isfinite(values), values - middle, 0.0), -2.0, 2.0)


def _features(facts: pd.DataFrame, names: tuple[str, ...]) -> Floats:
    """Return the recorded facts as columns around their medians, shape (n, p); missing ones are at the median."""
    columns = [np.zeros(len(facts))]
    for name in names:
        if name not in facts:
            continue
        values = facts[name].to_numpy(dtype="float64")
        known = values[np.isfinite(values)]
        if not len(known):
            continue
        low, middle, high = np.quantile(known, [0.01, 0.5, 0.99])
        scale = max(float(known.std()), 1e-9) if name == "year_built" else 1.0
        columns.append(np.where(np.isfinite(values), np.clip(values, low, high) - middle, 0.0) / scale)
    return np.column_stack(columns)


def _codes(facts: pd.DataFrame, name: str) -> Ints:
    return pd.factorize(facts[name])[0].astype("int64")


def _days(facts: pd.DataFrame) -> Floats:
    when = facts["sale_date"].to_numpy().astype("datetime64[D]")
    days = (when - np.datetime64("2000-01-01")).astype("float64")
    return np.where(np.isnat(when), np.nan, days)


def _periods(days: Floats, speaks: Bools) -> Ints:
    """Return months as numbers; quarters or years where months have few sales."""
    for length in (30.44, 91.31, 365.25):
        periods = np.nan_to_num(days // length).astype("int64")
        if not speaks.any() or np.median(np.unique(periods[speaks], return_counts=True)[1]) >= _PERIOD_MIN:
            break
    return periods


def _median(values: Floats) -> float:
    return float(np.median(values)) if len(values) else 0.0
