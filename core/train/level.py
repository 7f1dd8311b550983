"""The market level: how far prices have moved away from a model since it was trained, as a dated correction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np

from core.arrays import Floats, Ints, Objects

_AREA_DAYS: Final = 180.0
RECENT_DAYS: Final = 365.0
"""How far back residuals are kept for a level and its areas."""

# Prior: a model is rarely off by more than 5%.
_LEVEL_SD: Final = 0.05
# The movement is extrapolated by at most a month; a month's estimates need half of that on average.
_HORIZON_DAYS: Final = 30.0
_SALES_MIN: Final = 20
_AREA_SALES_MIN: Final = 5
_WIDTH_DAYS: Final = 180.0
# With this many sales, the width moves half of the way (in logs) to what their errors needed.
_WIDTH_SALES: Final = 200.0
# However small the latest errors, ranges do not shrink to less than half.
_LEAST_WIDTH: Final = 0.5
_STEP_DAYS: Final = 15.0
_MAD_TO_SD: Final = 1.4826
# The variance of a median is that of a mean times pi / 2.
_MEDIAN_SPREAD: Final = float(np.sqrt(np.pi / 2))
_CLIP_SDS: Final = 2.5
_ROUNDS: Final = 30
_LEAST_RESIDUAL: Final = 0.005
_EPOCH: Final = date(2000, 1, 1)


@dataclass(frozen=True)
class _Reading:
    """One way to estimate the level: over ``days`` days, with a prior standard deviation of the daily drift."""

    days: float
    slope_sd: float


# One quarter with its drift, about 1% a month, follows a turn; three quarters tell a movement from noise.
_QUARTER: Final = _Reading(90.0, 0.01 / 30.0)
_READINGS: Final = (_QUARTER, _Reading(270.0, 0.0))
# Before any evidence, there is an even chance that nothing moved; then recent sales show which reading to trust.
_BELIEFS: Final = np.array([0.5, 0.25, 0.25])
_MONTHS_JUDGED: Final = 3
_MONTH_DAYS: Final = 30.0
# However many the sales, a quarter of a percent off does not count against a reading.
_TOLERANCE: Final = 0.0025


@dataclass(frozen=True)
class Residuals:
    """Log residuals (sale price / estimate) of n sales the model had not seen.

    ``days`` since 2000-01-01 and ``log_ratio`` have shape (n,); ``areas`` holds, by area code, each sale's area (n,).
    ``below`` and ``above`` are how far the main range reached from the estimate to either side, in logs, (n,).
    """

    days: Floats
    log_ratio: Floats
    areas: Mapping[str, Objects]
    below: Floats
    above: Floats

    def between(self, first: float, end: float) -> Residuals:
        """Return the residuals of sales from day ``first`` to before day ``end``."""
        rows = (self.days >= first) & (self.days < end)
        return Residuals(
            self.days[rows],
            self.log_ratio[rows],
            {code: areas[rows] for code, areas in self.areas.items()},
            self.below[rows],
            self.above[rows],
        )

    def latest(self, days: float) -> Residuals:
        """Return the residuals of the last ``days`` before the latest sale, and of that day."""
        last = float(self.days.max())
        return self.between(last - days, last + 1)


def join(parts: tuple[Residuals, ...]) -> Residuals:
    """Join several sets of residuals; all must have the same area codes."""
    codes = parts[0].areas
    return Residuals(
        np.concatenate([part.days for part in parts]),
        np.concatenate([part.log_ratio for part in parts]),
        {code: np.concatenate([part.areas[code] for part in parts]) for code in codes},
        np.concatenate([part.below for part in parts]),
        np.concatenate([part.above for part in parts]),
    )


@dataclass(frozen=True)
class MarketLevel:
    """A dated correction of a model's log estimates, based on ``sales`` residuals before the day ``as_of``.

    ``level`` is the market-wide shift on that day, ``slope`` its daily change, extrapolated by at most a month;
    ``areas`` holds what each area adds, by area code and area. ``curve`` gives (day since 2000, shift) of earlier days,
    to adjust earlier sales to the present. All are logs: 0.03 raises an estimate by about 3%. ``width`` multiplies the
    width of ranges: what the latest errors needed.
    """

    as_of: date
    sales: int
    level: float
    slope: float
    areas: Mapping[str, Mapping[str, float]]
    curve: tuple[tuple[float, float], ...]
    width: float = 1.0

    def shift(self, days: Floats, areas: Mapping[str, Objects]) -> Floats:
        """Return the correction of homes valued on ``days`` (since 2000-01-01), shape (n,), in their areas.

        Without ``areas`` it is that of the whole market.
        """
        start = day_of(self.as_of)
        times, shifts = np.array([*self.curve, (start, self.level)]).T
        ahead = np.clip(days - start, 0.0, _HORIZON_DAYS)
        total: Floats = np.interp(days, times, shifts) + self.slope * ahead
        for code, known in self.areas.items():
            if known and code in areas:
                total = total + np.array([known.get(area, 0.0) for area in areas[code]])
        return total


def day_of(when: date) -> float:
    """Return a calendar date as days since 2000-01-01."""
    return float((when - _EPOCH).days)


def market_level(residuals: Residuals, as_of: date, held: float) -> MarketLevel:
    """Estimate the market level on a day from the residuals of earlier sales.

    Level and slope are the mean of three forecasts, each weighted by how well it predicted the medians of the last
    three months (Bates & Granger 1969; weights exp(-squared error / 2 variance), as in Bayesian model averaging): that
    nothing moved; a line over 90 days; a constant over 270 days. The latter two minimize absolute deviations, with more
    weight on recent days, and are shrunk toward zero by their sampling error (normal prior). Areas get empirical-Bayes
    means of the remainder over 180 days, or nothing if they differ only by chance. Fewer than 20 sales give a level of
    zero. Later residuals have no effect.

    The width is that at which the main range would have held the share ``held`` of the last 180 days' sales around the
    estimates so shifted, shrunk toward 1 by the number of sales.
    """
    now = day_of(as_of)
    recent = residuals.between(now - RECENT_DAYS, now)
    level, slope = _weights(recent, now) @ _forecasts(recent, now)
    areas = _areas(recent.between(now - _AREA_DAYS, now))
    found = MarketLevel(as_of, len(recent.days), float(level), float(slope), areas, _curve(recent, now))
    return replace(found, width=_width(recent.between(now - _WIDTH_DAYS, now), found, held))


def _width(recent: Residuals, level: MarketLevel, held: float) -> float:
    """Return the factor of the width; each sale's error is measured by how far its range reached on that side."""
    sales = len(recent.days)
    if not sales:
        return 1.0
    error = recent.log_ratio - level.shift(recent.days, recent.areas)
    reach = np.maximum(np.where(error < 0, recent.below, recent.above), _LEAST_RESIDUAL)
    needed = max(float(np.quantile(np.abs(error) / reach, held)), _LEAST_WIDTH)
    return float(needed ** (sales / (sales + _WIDTH_SALES)))


def no_level(as_of: date) -> MarketLevel:
    """Return the level of a market that has not moved away from the model."""
    return MarketLevel(as_of, 0, 0.0, 0.0, {}, ((day_of(as_of) - 1.0, 0.0),))


def _forecasts(known: Residuals, now: float) -> Floats:
    """Return each forecast's level and slope on a day, shape (3, 2); the first is that nothing moved."""
    return np.array([(0.0, 0.0), *(_read(known.between(now - one.days, now), now, one) for one in _READINGS)])


def _read(near: Residuals, now: float, reading: _Reading) -> tuple[float, float]:
    time = near.days - now
    return _local_line(time, near.log_ratio, 1.0 + time / reading.days, reading.slope_sd)


def _weights(recent: Residuals, now: float) -> Floats:
    """Return the weight of each forecast, judged by the months before ``now``; weights sum to one."""
    loss = np.zeros(len(_BELIEFS))
    for month in range(1, _MONTHS_JUDGED + 1):
        start = now - month * _MONTH_DAYS
        sold = recent.between(start, start + _MONTH_DAYS)
        if len(sold.days) >= _SALES_MIN:
            level, slope = _forecasts(recent, start).T
            missed = np.median(sold.log_ratio - level[:, None] - slope[:, None] * (sold.days - start), axis=1)
            loss += missed**2 / (_median_variance(sold.log_ratio) + _TOLERANCE**2)
    trust = _BELIEFS * np.exp(-(loss - loss.min()) / 2.0)
    return np.asarray(trust / trust.sum())


def _median_variance(values: Floats) -> float:
    return _spread(values - np.median(values)) ** 2 / len(values)


def _spread(remaining: Floats) -> float:
    """Return the standard deviation of one value such that the median of n values has it divided by the root of n."""
    return _MEDIAN_SPREAD * _MAD_TO_SD * float(np.median(np.abs(remaining)))


def _local_line(time: Floats, values: Floats, weight: Floats, slope_sd: float) -> tuple[float, float]:
    """Return level at time 0 and slope of a weighted least-absolute-deviations line, both shrunk toward zero."""
    if len(values) < _SALES_MIN:
        return 0.0, 0.0
    centre = float(np.average(time, weights=weight))
    offset = time - centre
    level, slope = _least_absolute(offset, values, weight)
    error = _spread(values - level - slope * offset) ** 2 * float((weight**2).sum() / weight.sum() ** 2)
    moment = float(np.average(offset**2, weights=weight))
    level *= _LEVEL_SD**2 / (_LEVEL_SD**2 + error)
    slope *= slope_sd**2 / (slope_sd**2 + error / moment) if moment > 0 and slope_sd > 0 else 0.0
    return level - slope * centre, slope


def _least_absolute(time: Floats, values: Floats, weight: Floats) -> tuple[float, float]:
    """Fit a line by iteratively reweighted least squares (Schlossmacher 1973); ``time`` need not be centered."""
    level, slope = float(np.median(values)), 0.0
    for _ in range(_ROUNDS):
        part = weight / np.maximum(np.abs(values - level - slope * time), _LEAST_RESIDUAL)
        middle, mean = float(np.average(time, weights=part)), float(np.average(values, weights=part))
        moment = float((part * (time - middle) ** 2).sum())
        slope = float((part * (time - middle) * (values - mean)).sum()) / moment if moment > 0 else 0.0
        level = mean - slope * middle
    return level, slope


def _areas(recent: Residuals) -> dict[str, dict[str, float]]:
    remaining = _without_months(recent)
    found: dict[str, dict[str, float]] = {}
    for code, areas in recent.areas.items():
        names, group = np.unique(areas.astype(str), return_inverse=True)
        means = _shrunk_means(remaining, group, len(names)) if len(names) else np.empty(0)
        # "Unknown" is not an area.
        found[code] = {str(name): float(mean) for name, mean in zip(names, means, strict=True) if mean and name != ""}
        if len(names):
            remaining = remaining - np.where(names[group] == "", 0.0, means[group])
    return found


def _without_months(recent: Residuals) -> Floats:
    remaining = recent.log_ratio.copy()
    if not len(remaining):
        return remaining
    month = ((recent.days.max() - recent.days) // _HORIZON_DAYS).astype(int)
    for one in np.unique(month):
        remaining[month == one] -= np.median(remaining[month == one])
    limit = _CLIP_SDS * _MAD_TO_SD * float(np.median(np.abs(remaining)))
    return np.clip(remaining, -limit, limit)


def _shrunk_means(values: Floats, group: Ints, groups: int) -> Floats:
    """Return each group's mean shrunk by the variance between groups (method of moments; Morris 1983)."""
    count = np.bincount(group, minlength=groups).astype(float)
    mean = np.bincount(group, weights=values, minlength=groups) / np.maximum(count, 1.0)
    known = count >= _AREA_SALES_MIN
    tolerance = float(values.var())
    if not known.any() or tolerance == 0.0:
        return np.zeros(groups)
    between = float((count * (mean**2 - tolerance / np.maximum(count, 1.0)))[known].sum() / count[known].sum())
    return mean * max(between, 0.0) / (max(between, 0.0) + tolerance / np.maximum(count, 1.0))


def _curve(recent: Residuals, now: float) -> tuple[tuple[float, float], ...]:
    """Return the level on days before ``now``, each from the sales within half a window on both sides."""
    if len(recent.days) < _SALES_MIN:
        return ((now - 1.0, 0.0),)
    points = []
    for day in np.arange(now - _STEP_DAYS, recent.days.min() - _STEP_DAYS, -_STEP_DAYS):
        weight = np.maximum(1.0 - np.abs(recent.days - day) / (_QUARTER.days / 2), 0.0)
        rows = weight > 0
        time, values = recent.days[rows] - day, recent.log_ratio[rows]
        points.append((float(day), _local_line(time, values, weight[rows], _QUARTER.slope_sd)[0]))
    return tuple(reversed(points))
