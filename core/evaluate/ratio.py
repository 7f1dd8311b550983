"""The IAAO ratio study: level and uniformity of the estimates as ratios to sale prices.

Source: International Association of Assessing Officers, Standard on Ratio Studies (April 2013), sections 5 and 9. The
limits are from its table 1-3 (COD), section 9.2.7 (PRD and PRB) and its level of appraisal of 0.90 to 1.10, as quoted
by the Cook County Assessor's packages assessr and assesspy and by Indiana's 50 IAC 27-4-5.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import t

from core.arrays import Bools, Floats
from core.evaluate.accuracy import Figure
from core.evaluate.intervals import draws, median_interval, spread
from core.evaluate.scored_sales import ScoredSales
from core.evaluate.segmentation import Segmentation, segments_of
from core.evaluate.targets import Target, Verdict, at_most, judge
from core.problem import Problem

_FENCE: Final = 1.5
_STANDARD: Final = "IAAO Standard on Ratio Studies (2013)"


class Uniformity(Enum):
    """The highest coefficient of dispersion the standard accepts for a kind of home (its table 1-3).

    It also gives a minimum of 5.0, because values closer to sale prices may have been set from them; estimates of
    sealed sales cannot be.
    """

    NEWER = 10.0
    """Single-family homes and condominiums in newer or more homogeneous areas."""
    OLDER = 15.0
    """Single-family homes and condominiums in older or more heterogeneous areas, such as a whole market."""
    OTHER = 20.0
    """Rural, seasonal and manufactured homes, and buildings with two to four units."""


@dataclass(frozen=True)
class RatioStudy:
    """A ratio study of n sales; ratios are estimate / sale price, and the COD is a percentage of the median ratio.

    The median ratio's interval is exact (order statistics), those of COD and PRD are from the bootstrap, and the
    PRB's is from its regression; ``weighted_mean`` is the sum of estimates over the sum of prices.
    """

    n: int
    median: Figure
    mean: float
    weighted_mean: float
    cod: Figure
    prd: Figure
    prb: Figure


@dataclass(frozen=True)
class Judged:
    """One statistic of a study, judged by the standard's limits."""

    name: str
    label: str
    figure: Figure
    target: Target
    verdict: Verdict


def ratio_study(estimate: Floats, sale_price: Floats, seed: int) -> RatioStudy:
    """Study the ratios of positive estimates to positive sale prices, shapes (n,); raises ValueError for none.

    Their order has no effect. Statistics of too few sales are missing: the PRB and its interval below three sales, or
    if all values are equal.
    """
    values, prices = np.asarray(estimate, dtype=float), np.asarray(sale_price, dtype=float)
    if values.shape != prices.shape or values.ndim != 1 or not len(values):
        raise ValueError(f"estimates {values.shape} and sale prices {prices.shape} must be equal, non-empty and flat")
    if not ((values > 0).all() and (prices > 0).all() and np.isfinite(values / prices).all()):
        raise ValueError("a ratio needs a positive estimate and a positive price; leave other sales out of the study")
    order = np.lexsort((prices, values / prices))
    values, prices = values[order], prices[order]
    ratio, n = values / prices, len(values)
    median, weighted = float(np.median(ratio)), float(values.sum() / prices.sum())
    cod, prd = float(100 * np.abs(ratio - median).mean() / median), float(ratio.mean()) / weighted
    cods, prds = _sampled(values, prices, ratio, seed)
    return RatioStudy(
        n=n,
        median=Figure(median, *median_interval(ratio), n),
        mean=float(ratio.mean()),
        weighted_mean=weighted,
        cod=Figure(cod, *spread(cods, cod, n), n),
        prd=Figure(prd, *spread(prds, prd, n), n),
        prb=_price_related_bias(values, prices, ratio, median),
    )


def typical(estimate: Floats, sale_price: Floats) -> Bools:
    """Mark the ratios within 1.5 interquartile ranges of the quartiles, shape (n,), which outlier trimming keeps.

    A study of only these must state that it is trimmed and how many sales it leaves out. Quartiles are interpolated
    linearly.
    """
    ratio = np.asarray(estimate, dtype=float) / np.asarray(sale_price, dtype=float)
    first, third = np.quantile(ratio, [0.25, 0.75])
    fence = _FENCE * (third - first)
    kept: Bools = (ratio >= first - fence) & (ratio <= third + fence)
    return kept


def judged(study: RatioStudy, uniformity: Uniformity, smallest: int) -> tuple[Judged, ...]:
    """Judge level, COD, PRD and PRB by the standard's limits; below ``smallest`` sales all are inconclusive."""
    limits = (
        ("median", "Level of appraisal (median ratio)", study.median, Target(0.90, 1.10, _STANDARD)),
        ("cod", "Coefficient of dispersion (COD)", study.cod, at_most(uniformity.value, _STANDARD)),
        ("prd", "Price-related differential (PRD)", study.prd, Target(0.98, 1.03, _STANDARD)),
        ("prb", "Price-related bias (PRB)", study.prb, Target(-0.05, 0.05, _STANDARD)),
    )
    return tuple(
        Judged(name, label, figure, target, judge(figure, target, smallest)) for name, label, figure, target in limits
    )


def ratio_by_segment(scored: ScoredSales, by: Segmentation, uniformity: Uniformity, problem: Problem) -> pd.DataFrame:
    """Return a row per segment of the priced sales: the segment, n, thin, and each statistic with its interval.

    Columns ``<name>``, ``<name>_low``, ``<name>_high`` and ``<name>_verdict`` for median, cod, prd and prb.
    """
    table = scored.priced
    labels = segments_of(scored, by, problem)[table.index]
    rows = []
    for segment, sales in table.groupby(labels, observed=True, sort=True):
        study = ratio_study(sales["estimate"].to_numpy(), sales["sale_price"].to_numpy(), scored.terms.seed)
        row = {by.value: segment, "n": study.n, "thin": study.n < problem.estimate.small_sample_n}
        for one in judged(study, uniformity, problem.estimate.small_sample_n):
            row |= {
                one.name: one.figure.value,
                f"{one.name}_low": one.figure.low,
                f"{one.name}_high": one.figure.high,
                f"{one.name}_verdict": one.verdict.value,
            }
        rows.append(row)
    return pd.DataFrame(rows)


def _sampled(values: Floats, prices: Floats, ratio: Floats, seed: int) -> tuple[Floats, Floats]:
    """Return COD and PRD of every bootstrap sample, shape (samples,) each."""
    parts = [_of_samples(values[rows], prices[rows], ratio[rows]) for rows in draws(len(ratio), seed)]
    cods, prds = (np.concatenate(part) for part in zip(*parts, strict=True))
    return cods, prds


def _of_samples(values: Floats, prices: Floats, ratio: Floats) -> tuple[Floats, Floats]:
    """Return COD and PRD of each sample, from arrays of shape (samples, drawn)."""
    median = np.median(ratio, axis=1, keepdims=True)
    distance = np.abs(ratio - median).mean(axis=1)
    weighted = values.sum(axis=1) / prices.sum(axis=1)
    return 100 * distance / median[:, 0], ratio.mean(axis=1) / weighted


def _price_related_bias(values: Floats, prices: Floats, ratio: Floats, median: float) -> Figure:
    """Regress the relative distance from the median ratio on the doublings of a value midway between the two prices.

    The value is half the sale price plus half the estimate over the median ratio, so that an error in one of them does
    not tilt the line; the slope is the change of the ratio when the value doubles.
    """
    n = len(ratio)
    if n < 3:
        return Figure(np.nan, np.nan, np.nan, n)
    doublings = np.log2((values / median + prices) / 2)
    x, y = doublings - doublings.mean(), (ratio - median) / median
    width = float(x @ x)
    if width <= np.finfo(float).eps * n:
        return Figure(np.nan, np.nan, np.nan, n)
    slope = float(x @ y) / width
    left = y - y.mean() - slope * x
    half = float(t.ppf(0.975, n - 2)) * float(np.sqrt(left @ left / (n - 2) / width))
    return Figure(slope, slope - half, slope + half, n)
