"""Coverage and calibration: whether ranges hold what they promise, by segment, and whether confidences come true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.evaluate.accuracy import Figure
from core.evaluate.intervals import share_interval
from core.evaluate.scored_sales import ScoredSales, bounds_at, inside
from core.evaluate.segmentation import Segmentation, segments_of
from core.problem import Problem

_BINS: Final = 10


@dataclass(frozen=True)
class ConfidenceBin:
    """Homes of similar confidence: the mean probability ``promised``, and the share that came true (exact interval)."""

    promised: float
    observed: Figure


@dataclass(frozen=True)
class Calibration:
    """The reliability of confidence in ten equal bins; ``error`` is the expected calibration error (Naeini 2015)."""

    bins: tuple[ConfidenceBin, ...]
    error: float


def calibration(scored: ScoredSales) -> Calibration | None:
    """Compare confidences with the share of sales within ``terms.tolerance`` of the estimate; None without sales."""
    table = scored.priced
    if table.empty:
        return None
    promised = table["confidence"].to_numpy(dtype=float)
    ratio = (table["sale_price"] / table["estimate"]).to_numpy(dtype=float)
    right = np.abs(ratio - 1.0) <= scored.terms.tolerance
    place = np.minimum((promised * _BINS).astype(np.int64), _BINS - 1)
    n = np.bincount(place, minlength=_BINS)
    hits = np.bincount(place[right], minlength=_BINS)
    total = np.bincount(place, promised, minlength=_BINS)
    low, high = share_interval(hits, n)
    bins = tuple(
        ConfidenceBin(
            float(total[one] / n[one]),
            Figure(float(hits[one] / n[one]), float(low[one]), float(high[one]), int(n[one])),
        )
        for one in np.flatnonzero(n)
    )
    gap = sum(abs(one.promised - one.observed.value) * one.observed.n for one in bins) / len(table)
    return Calibration(bins, gap)


def coverage_by_segment(scored: ScoredSales, by: Segmentation, problem: Problem) -> pd.DataFrame:
    """Return the coverage in every segment of the priced sales at every level, in the segments' order.

    Columns: the segmentation, named as it is; level; n; coverage with coverage_low and coverage_high (exact); width
    (median, as a share of the estimate); thin.
    """
    table = scored.priced
    labels = segments_of(scored, by, problem)[table.index]
    parts = [
        _at(table, labels.rename(by.value), level, problem.estimate.small_sample_n) for level in scored.terms.levels
    ]
    return pd.concat(parts, ignore_index=True).sort_values([by.value, "level"], ignore_index=True)


def _at(table: pd.DataFrame, labels: pd.Series, level: float, small_sample_n: int) -> pd.DataFrame:
    low, high = bounds_at(level)
    columns = pd.DataFrame({"held": inside(table, level), "width": (table[high] - table[low]) / table["point"]})
    groups = columns.groupby(labels, observed=True, sort=True)
    n, hits = groups.size(), groups["held"].sum()
    bounds = share_interval(hits.to_numpy(), n.to_numpy())
    return n.index.to_frame(index=False).assign(
        level=level,
        n=n.to_numpy(dtype=np.int64),
        coverage=hits.to_numpy() / n.to_numpy(),
        coverage_low=bounds[0],
        coverage_high=bounds[1],
        width=groups["width"].median().to_numpy(),
        thin=n.to_numpy() < small_sample_n,
    )
