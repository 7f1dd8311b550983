"""Bias: for which areas the model errs to one side, whether it lags their price trend, and whether it is fair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from core.evaluate.accuracy import Figure
from core.evaluate.intervals import group_medians, mean_interval, resamples, spread
from core.evaluate.scored import Scored, error
from core.problem import Problem
from core.schema import label_of

Floats = NDArray[np.float64]

AREA_COLUMNS: Final = (
    "area",
    "n",
    "bias",
    "bias_low",
    "bias_high",
    "mean_error",
    "mean_error_low",
    "mean_error_high",
    "trend",
    "thin",
    "latitude",
    "longitude",
)
_AREAS_MIN: Final = 5


@dataclass(frozen=True)
class TrendBias:
    """How the mean signed error of areas goes with their price trend.

    ``slope`` is the change of the error, as a share of the price, with one whole of yearly price change (a tenth of it
    with 10 % a year), weighted by sales; ``correlation`` is Spearman's over areas; both intervals are from a bootstrap
    of areas, ``n`` being their number. A slope surely below 0 means rising areas are under- and falling ones
    over-predicted.
    """

    slope: Figure
    correlation: Figure

    @property
    def finding(self) -> str:
        """What the slope says, in a sentence."""
        if self.slope.high < 0:
            return "The model lags the market: rising areas are under-predicted, falling ones over-predicted."
        if self.slope.low > 0:
            return "The model overshoots: rising areas are over-predicted, falling ones under-predicted."
        return "No lag shows: the error does not surely follow the areas' price trends."


@dataclass(frozen=True)
class Fairness:
    """How the signed error goes with a neighbourhood column: Spearman's correlation over sales.

    The interval is from a bootstrap of whole areas, whose sales share the column's value; ``areas`` is their number.
    """

    column: str
    label: str
    correlation: Figure
    areas: int

    @property
    def found(self) -> bool:
        """Whether the error surely leans with the column."""
        return self.correlation.low > 0 or self.correlation.high < 0


def area_bias(scored: Scored, problem: Problem) -> pd.DataFrame:
    """Return one row per area of the priced sales; none where the market records no area.

    Columns: area, n, bias (median signed error, above 0 is over-predicted) with bias_low and bias_high (exact),
    mean_error with mean_error_low and mean_error_high (Student's), trend (yearly, missing where not known), thin, and
    latitude and longitude (the middle of its sales).
    """
    area = scored.area
    if area is None:
        return _no_areas()
    table = scored.priced.dropna(subset=[area])
    groups = table.groupby(area, sort=True)
    codes, n = groups.ngroup().to_numpy().astype(np.int64), groups.size()
    signed = error(table)
    median, low, high = group_medians(signed.to_numpy(dtype=float), codes, len(n))
    by_area = signed.groupby(table[area], sort=True)
    mean = by_area.mean().to_numpy()
    mean_low, mean_high = mean_interval(mean, by_area.std().to_numpy(), n.to_numpy())
    middle = groups[["trend", "latitude", "longitude"]].mean()
    return pd.DataFrame(
        {
            "area": n.index.to_numpy(),
            "n": n.to_numpy(dtype=np.int64),
            "bias": median,
            "bias_low": low,
            "bias_high": high,
            "mean_error": mean,
            "mean_error_low": mean_low,
            "mean_error_high": mean_high,
            "trend": middle["trend"].to_numpy(),
            "thin": n.to_numpy() < problem.estimate.thin_n,
            "latitude": middle["latitude"].to_numpy(),
            "longitude": middle["longitude"].to_numpy(),
        }
    )


def trend_bias(scored: Scored, problem: Problem) -> TrendBias | None:
    """Hold the areas' mean signed errors against their price trends; None below five areas of different trends."""
    areas = area_bias(scored, problem).dropna(subset=["trend"])
    if len(areas) < _AREAS_MIN or areas["trend"].nunique() < 2:
        return None
    x, y, weight = (areas[name].to_numpy(dtype=float) for name in ("trend", "mean_error", "n"))
    slopes, correlations = [], []
    for counts in resamples(len(areas), scored.terms.seed):
        rows = np.repeat(np.arange(len(areas)), counts.astype(np.int64))
        slopes.append(_slope(x[rows], y[rows], weight[rows]))
        correlations.append(_spearman(x[rows], y[rows]))
    return TrendBias(
        _figure(_slope(x, y, weight), slopes, len(areas)), _figure(_spearman(x, y), correlations, len(areas))
    )


def fairness(scored: Scored) -> tuple[Fairness, ...]:
    """Return how the signed error leans with each numeric neighbourhood column, the strongest lean first.

    None where the data has no such columns, or fewer than five areas.
    """
    area = scored.area
    if area is None:
        return ()
    table = scored.priced
    found = [
        _leaning(table[table[[area, name]].notna().all(axis=1)], area, name, scored.terms.seed)
        for name in scored.neighbourhood_columns
    ]
    known = [one for one in found if one is not None]
    return tuple(sorted(known, key=lambda one: (-abs(one.correlation.value), one.column)))


def _no_areas() -> pd.DataFrame:
    kinds = dict.fromkeys(AREA_COLUMNS, "float64") | {"area": "str", "n": "int64", "thin": "bool"}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _leaning(table: pd.DataFrame, area: str, column: str, seed: int) -> Fairness | None:
    if table[area].nunique() < _AREAS_MIN or table[column].nunique() < 2:
        return None
    x, y = rankdata(table[column].to_numpy()), rankdata(error(table).to_numpy())
    x, y = x - x.mean(), y - y.mean()
    sums = pd.DataFrame({"one": 1.0, "x": x, "y": y, "xx": x * x, "yy": y * y, "xy": x * y})
    per_area = sums.groupby(table[area].to_numpy(), sort=True).sum().to_numpy()
    # Ranks are those of all sales: ranking every sample anew would hardly move them and cost a sort each.
    sampled = [_pearson(counts @ per_area) for counts in resamples(len(per_area), seed)]
    value = _figure(_pearson(per_area.sum(axis=0)), sampled, len(table))
    return Fairness(column, label_of(column), value, len(per_area))


def _pearson(sums: Floats) -> float:
    n, x, y, xx, yy, xy = sums
    spread_x, spread_y = xx - x * x / n, yy - y * y / n
    if spread_x <= 0 or spread_y <= 0:
        return np.nan
    return float((xy - x * y / n) / np.sqrt(spread_x * spread_y))


def _spearman(x: Floats, y: Floats) -> float:
    ranked = [rankdata(values) for values in (x, y)]
    first, second = (values - values.mean() for values in ranked)
    width = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / width if width > 0 else np.nan


def _slope(x: Floats, y: Floats, weight: Floats) -> float:
    centred = x - np.average(x, weights=weight)
    width = float(weight @ centred**2)
    return float((weight * centred) @ y) / width if width > 0 else np.nan


def _figure(value: float, sampled: list[float], n: int) -> Figure:
    # A sample that drew one area only has no slope, and says nothing.
    known = [one for one in sampled if np.isfinite(one)]
    return Figure(value, *(spread(known) if known else (np.nan, np.nan)), n)
