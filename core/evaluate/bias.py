"""Bias: the areas where the model errs to one side, whether it lags their price trend, and whether it is fair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from core.arrays import Floats, Indices
from core.evaluate.accuracy import Figure
from core.evaluate.intervals import draws, group_medians, mean_interval, spread
from core.evaluate.scored_sales import ScoredSales, error
from core.problem import Problem
from core.schema import label_of

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
    """How the mean signed error of areas depends on their price trend.

    ``slope`` is the change of the error, as a share of the price, per 100% of yearly price change (a tenth of it per
    10%), weighted by sales; ``correlation`` is Spearman's over areas; both intervals are from a bootstrap of the ``n``
    areas. A slope significantly below 0 means that rising areas are under-predicted and falling ones over-predicted.
    """

    slope: Figure
    correlation: Figure

    @property
    def finding(self) -> str:
        """What the slope shows, in a sentence."""
        if self.slope.high < 0:
            return "The model lags the market: rising areas are under-predicted, falling ones over-predicted."
        if self.slope.low > 0:
            return "The model overshoots: rising areas are over-predicted, falling ones under-predicted."
        return "No lag: the error does not significantly follow the areas' price trends."


@dataclass(frozen=True)
class Fairness:
    """How the signed error correlates with a neighborhood column: Spearman's correlation over sales.

    The interval is from a bootstrap of whole areas, whose sales share the column's value; ``areas`` is their number.
    """

    column: str
    correlation: Figure
    areas: int

    @property
    def label(self) -> str:
        """What the column is called."""
        return label_of(self.column)

    @property
    def found(self) -> bool:
        """Whether the error correlates significantly with the column."""
        return self.correlation.low > 0 or self.correlation.high < 0


def area_bias(scored: ScoredSales, problem: Problem) -> pd.DataFrame:
    """Return one row per area of the priced sales; none if the market records no area.

    Columns: area, n, bias (median signed error, above 0 is over-predicted) with bias_low and bias_high (exact),
    mean_error with mean_error_low and mean_error_high (Student's), trend (yearly, missing if unknown), thin (few
    sales), and latitude and longitude (the middle of its sales).
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
            "thin": n.to_numpy() < problem.estimate.small_sample_n,
            "latitude": middle["latitude"].to_numpy(),
            "longitude": middle["longitude"].to_numpy(),
        }
    )


def trend_bias(scored: ScoredSales, problem: Problem) -> TrendBias | None:
    """Regress the areas' mean signed errors on their price trends; None below five areas with different trends."""
    areas = area_bias(scored, problem).dropna(subset=["trend"])
    if len(areas) < _AREAS_MIN or areas["trend"].nunique() < 2:
        return None
    x, y, weight = (areas[name].to_numpy(dtype=float) for name in ("trend", "mean_error", "n"))
    parts = [
        (_slope(x[rows], y[rows], weight[rows]), _spearman(x[rows], y[rows]))
        for rows in draws(len(areas), scored.terms.seed)
    ]
    slopes, correlations = (np.concatenate(part) for part in zip(*parts, strict=True))
    slope, correlation = float(_slope(x, y, weight)), float(_spearman(x, y))
    return TrendBias(
        _figure(slope, slopes, len(areas), len(areas)), _figure(correlation, correlations, len(areas), len(areas))
    )


def fairness(scored: ScoredSales) -> tuple[Fairness, ...]:
    """Return how the signed error correlates with each numeric neighborhood column, strongest first.

    Empty if the data has no such columns or fewer than five areas.
    """
    area = scored.area
    if area is None:
        return ()
    table = scored.priced
    codes, signed = pd.factorize(table[area], sort=True)[0], error(table).to_numpy(dtype=float)
    found = [
        _leaning(name, table[name].to_numpy(dtype=float), signed, codes, scored.terms.seed)
        for name in scored.neighbourhood_columns
    ]
    known = [one for one in found if one is not None]
    return tuple(sorted(known, key=lambda one: (-abs(one.correlation.value), one.column)))


def _no_areas() -> pd.DataFrame:
    kinds = dict.fromkeys(AREA_COLUMNS, "float64") | {"area": "str", "n": "int64", "thin": "bool"}
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})


def _leaning(column: str, values: Floats, signed: Floats, codes: Indices, seed: int) -> Fairness | None:
    """Correlate errors with a column's values, shapes (n,); ``codes`` are the sales' areas, below 0 if unknown."""
    known = (codes >= 0) & ~np.isnan(values)
    areas, place = np.unique(codes[known], return_inverse=True)
    if len(areas) < _AREAS_MIN or np.ptp(values[known]) == 0:
        return None
    x, y = rankdata(values[known]), rankdata(signed[known])
    x, y = x - x.mean(), y - y.mean()
    per_area = np.column_stack([np.bincount(place, one) for one in (np.ones(len(x)), x, y, x * x, y * y, x * y)])
    # Ranks are those of all sales: ranking each sample again would barely change them and would cost a sort each.
    sampled = np.concatenate([_pearson(per_area[rows].sum(axis=1)) for rows in draws(len(areas), seed)])
    value = float(_pearson(per_area.sum(axis=0)))
    return Fairness(column, _figure(value, sampled, len(areas), len(x)), len(areas))


def _pearson(sums: Floats) -> Floats:
    """Return Pearson's correlation from the sums of 1, x, y, x², y² and xy along the last axis, NaN if undefined."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    spread_x, spread_y = xx - x * x / n, yy - y * y / n
    varied = (spread_x > 0) & (spread_y > 0)
    return np.where(varied, (xy - x * y / n) / np.sqrt(np.where(varied, spread_x * spread_y, 1.0)), np.nan)


def _spearman(x: Floats, y: Floats) -> Floats:
    """Return Spearman's correlation along the last axis, missing if either does not vary."""
    first, second = (
        ranks - ranks.mean(axis=-1, keepdims=True) for ranks in (rankdata(x, axis=-1), rankdata(y, axis=-1))
    )
    width = np.sqrt((first**2).sum(axis=-1) * (second**2).sum(axis=-1))
    return np.where(width > 0, (first * second).sum(axis=-1) / np.where(width > 0, width, 1.0), np.nan)


def _slope(x: Floats, y: Floats, weight: Floats) -> Floats:
    """Return the slope of y on x by weighted least squares along the last axis, missing if x does not vary."""
    mean = (weight * x).sum(axis=-1, keepdims=True) / weight.sum(axis=-1, keepdims=True)
    centred = x - mean
    width = (weight * centred**2).sum(axis=-1)
    varied = np.ptp(x, axis=-1) > 0
    return np.where(varied, (weight * centred * y).sum(axis=-1) / np.where(varied, width, 1.0), np.nan)


def _figure(value: float, sampled: Floats, drawn_from: int, n: int) -> Figure:
    # A sample that drew only one area has no slope and is left out.
    return Figure(value, *spread(sampled[np.isfinite(sampled)], value, drawn_from), n)
