"""Ranges and confidence: a conformal predictive distribution of the sale price, calibrated by segment.

How much wider ranges must be some time after the latest known sale is measured on the market's own past.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import lightgbm
import numpy as np
import pandas as pd
from crepes import ConformalPredictiveSystem
from numpy.typing import ArrayLike
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import GroupKFold, KFold, cross_val_predict

from core.arrays import Bools, Floats, Ints, Objects, drawn
from core.problem import EstimateRules
from core.train.blend import predict

_BANDS: Final = 5
EVERYWHERE: Final = "all homes"
"""The widest calibration group."""

_FOLDS: Final = 5
# By which power errors fall with the sales learned from. Fits on all sales erred by less than fits on seven eighths, at
# the 80% quantile of homes that neither had seen (mean of two draws of training sales, six fits; later sales known, and
# only earlier ones): King County 0.997, 0.988; Melbourne 0.989, 0.986; Singapore 0.990, 0.990.
_LEARNING: Final = 0.075
# Beyond a factor of 20 either way, a bound is meaningless; crepes would return infinity there.
_LOG_BOUND: Final = 3.0
# Shallow and slow: the size of an error is mostly chance, and a model that fitted it would narrow the wrong ranges.
_DIFFICULTY: Final[dict[str, Any]] = {
    "n_estimators": 200,
    "learning_rate": 0.03,
    "num_leaves": 15,
    "min_child_samples": 60,
    "reg_lambda": 5.0,
    "colsample_bytree": 0.5,
    "subsample": 0.7,
    "subsample_freq": 1,
    "n_jobs": 1,
    "verbose": -1,
    "deterministic": True,
    "force_row_wise": True,
}


MONTH: Final = 30.0
"""The days of a month ahead."""

LONGEST: Final = 365
"""No market is priced more days ahead of its latest sale than this, however long its history."""

# Three days on which the past is cut off; the first leaves a quarter of the sales before it to learn from.
_CUTS: Final = 3
_SHARE_BEFORE: Final = 0.25
_SALES_BEFORE: Final = 200
# A quantile of fewer sales than this is chance.
_SALES_MIN: Final = 20
# How many sales after a cut are priced; more take time and teach little.
_SALES_MAX: Final = 6_000
# With this many sales in a month ahead, half of what they show counts.
_PRIOR_SALES: Final = 200.0
# However many the sales, a cut shows one course of the market. Beside the cuts stand two courses that drift with a
# standard deviation of 1% a month, which is what the market level expects as well.
_PRIOR_CUTS: Final = 2.0
_PRIOR_DRIFT: Final = 0.01


def round_for_display(price: ArrayLike) -> Floats:
    """Round prices to 500 below 100,000, to 1,000 below 500,000, to 5,000 below two million, else to 10,000.

    A half is rounded up, as people do.
    """
    values = np.asarray(price, dtype=float)
    step = np.select([values < 100_000, values < 500_000, values < 2_000_000], [500.0, 1_000.0, 5_000.0], 10_000.0)
    rounded: Floats = np.floor(values / step + 0.5) * step
    return rounded


@dataclass(frozen=True)
class Segments:
    """The calibration group of a home: property type within a price band, else the band, else all homes.

    Bands are quintiles of the *estimate*, never of the sale price, so a new home's group is known before it sells.
    """

    edges: tuple[float, ...]
    own: frozenset[str]

    def of(self, log_estimate: Floats, kinds: Objects) -> Objects:
        """Return the segment name of each home, shape (n,)."""
        bands = self.bands(log_estimate)
        names = _names(kinds, bands)
        return np.array(
            [
                name if name in self.own else band if band in self.own else EVERYWHERE
                for name, band in zip(names, bands, strict=True)
            ],
            dtype=object,
        )

    def members(self, log_estimate: Floats, kinds: Objects) -> Iterator[tuple[str, Ints]]:
        """Yield each group with its homes; a wider group includes homes that also have a narrower group."""
        bands = np.array(self.bands(log_estimate), dtype=object)
        names = np.array(_names(kinds, self.bands(log_estimate)), dtype=object)
        yield EVERYWHERE, np.arange(len(bands))
        for name in sorted(self.own):
            yield name, np.flatnonzero((bands == name) | (names == name))

    def bands(self, log_estimate: Floats) -> list[str]:
        """Return the price band of each estimate, lowest first: ``price band 1`` to ``price band 5``."""
        return [f"price band {band + 1}" for band in np.searchsorted(self.edges, log_estimate, side="right")]


def _names(kinds: Objects, bands: list[str]) -> list[str]:
    return [f"{kind} in {band}" for kind, band in zip(kinds, bands, strict=True)]


def find_segments(log_estimate: Floats, kinds: Objects, smallest: int) -> Segments:
    """Choose the segments with at least ``smallest`` calibration sales."""
    quantiles = np.quantile(log_estimate, np.linspace(0, 1, _BANDS + 1)[1:-1])
    bare = Segments(tuple(float(edge) for edge in quantiles), frozenset())
    bands = bare.bands(log_estimate)
    names = _names(kinds, bands)
    found, counts = np.unique(np.array([*bands, *names], dtype=object), return_counts=True)
    return Segments(bare.edges, frozenset(str(name) for name, n in zip(found, counts, strict=True) if n >= smallest))


def of_final_fit(folds: int) -> float:
    """Return how large the errors of a fit on all sales are, as a share of those of fits without one of the folds.

    Ranges are measured with the latter, and would hold more than they promise around the estimates of the former.
    """
    return float((1 - 1 / folds) ** _LEARNING)


class RangeCalibration:
    """The calibrated predictive distribution of log(sale price) around a point estimate.

    Residuals of sales the model had not seen are divided by their expected size (from a separate small boosted model)
    and ranked within the segment (Mondrian conformal predictive system: Boström et al. 2021, as in crepes). Quantiles
    of the distribution give the range at any level; its mass within 10% of the estimate is the confidence.
    """

    def __init__(self, rules: EstimateRules, seed: int) -> None:
        self.rules, self.seed = rules, seed

    def fit(
        self, features: Floats, log_estimate: Floats, log_price: Floats, kinds: Objects, homes: Ints | None = None
    ) -> RangeCalibration:
        """Calibrate as ``fit_sizes`` does."""
        self.fit_sizes(features, log_estimate, log_price, kinds, homes)
        return self

    def fit_sizes(
        self, features: Floats, log_estimate: Floats, log_price: Floats, kinds: Objects, homes: Ints | None = None
    ) -> Floats:
        """Calibrate on out-of-fold estimates: features (n, p), logs (n,), property types (n,).

        ``homes`` tells which rows are of the same home, (n,): then no home teaches how far its own estimate errs.
        Returns the expected size of each error from fits without its home, (n,).
        """
        residual = log_price - log_estimate
        size = np.abs(residual)
        inputs = np.column_stack([features, log_estimate])
        self.floor_ = float(np.quantile(size, 0.5)) / 3.0
        difficulty = self._difficulty_model()
        shuffled = KFold if homes is None else GroupKFold
        folds = shuffled(_FOLDS, shuffle=True, random_state=self.seed)
        expected = np.maximum(cross_val_predict(difficulty, inputs, size, cv=folds, groups=homes), self.floor_)
        self.difficulty_: lightgbm.Booster = difficulty.fit(inputs, size).booster_
        expected = self.refine(features, expected, size, homes)
        self.segments_ = find_segments(log_estimate, kinds, self.rules.segment_min)
        self.systems_: dict[str, ConformalPredictiveSystem] = {}
        for name, rows in self.segments_.members(log_estimate, kinds):
            system = ConformalPredictiveSystem()
            system.fit(residuals=residual[rows], sigmas=expected[rows])
            self.systems_[name] = system
        return expected

    def refine(self, features: Floats, expected: Floats, size: Floats, homes: Ints | None) -> Floats:
        """Return what to expect of errors of that ``size``, shape (n,), given what was ``expected`` without their home.

        Where nothing more is known of the homes than their features, it is what was expected.
        """
        return expected

    def reach(self, log_estimate: Floats, size: Floats, kinds: Objects) -> tuple[Floats, Floats]:
        """Return how far the main range reaches below and above each estimate, in logs, shape (n,) each."""
        low, high = self.range(log_estimate, size, self.segments_.of(log_estimate, kinds), self.rules.level)
        return log_estimate - np.log(low), np.log(high) - log_estimate

    def expected_size(self, features: Floats, log_estimate: Floats) -> Floats:
        """Return the expected absolute log error of each estimate, shape (n,)."""
        predicted = predict(self.difficulty_, np.column_stack([features, log_estimate]))
        return np.maximum(predicted, self.floor_)

    def range(self, log_estimate: Floats, size: Floats, segments: Objects, level: float) -> tuple[Floats, Floats]:
        """Return low and high prices of the range at ``level``, rounded for display, never crossing the estimate."""
        low, high = np.empty(len(size)), np.empty(len(size))
        for name, rows in _groups(segments):
            system, centre = self.systems_[name], log_estimate[rows]
            bounds = system.predict_int(y_hat=centre, sigmas=size[rows], confidence=level)
            low[rows], high[rows] = bounds[:, 0], bounds[:, 1]
        low = np.clip(low, log_estimate - _LOG_BOUND, log_estimate)
        high = np.clip(high, log_estimate, log_estimate + _LOG_BOUND)
        return round_for_display(np.exp(low)), round_for_display(np.exp(high))

    def probability_within(self, log_estimate: Floats, size: Floats, segments: Objects, tolerance: float) -> Floats:
        """Return P(|sale / estimate - 1| <= tolerance) of each home, shape (n,)."""
        share = np.empty(len(size))
        for name, rows in _groups(segments):
            system, centre = self.systems_[name], log_estimate[rows]
            above = system.predict_p(y_hat=centre, sigmas=size[rows], y=centre + np.log1p(tolerance), smoothing=False)
            below = system.predict_p(y_hat=centre, sigmas=size[rows], y=centre + np.log1p(-tolerance), smoothing=False)
            share[rows] = np.clip(above - below, 0.0, 1.0)
        return share

    def forecast_sd(self, log_estimate: Floats, size: Floats, segments: Objects) -> Floats:
        """Return the forecast standard deviation (FSD) as a share of the estimate: half the central 68.27%."""
        spread = np.empty(len(size))
        for name, rows in _groups(segments):
            centre = log_estimate[rows]
            bounds = self.systems_[name].predict_int(y_hat=centre, sigmas=size[rows], confidence=0.6827)
            spread[rows] = (np.exp(bounds[:, 1] - centre) - np.exp(bounds[:, 0] - centre)) / 2
        return spread

    def _difficulty_model(self) -> lightgbm.LGBMRegressor:
        return lightgbm.LGBMRegressor(random_state=self.seed, **_DIFFICULTY)


def _groups(segments: Objects) -> Iterator[tuple[str, Ints]]:
    for name in sorted(set(segments)):
        yield name, np.flatnonzero(segments == name)


@dataclass(frozen=True)
class Horizon:
    """How far ahead of its latest sale a market's past was priced, and by how much ranges must widen on the way.

    ``days`` is the farthest day measured. ``factors`` multiply the width of ranges in each month of 30 days ahead,
    starting with 1 in the first and never falling; they hold in the middle of the month.
    """

    days: int
    factors: tuple[float, ...]

    def widening(self, ahead: Floats) -> Floats:
        """Return the factor of the width of homes ``ahead`` days after the latest sale, shape (n,): 1 or more."""
        middles = MONTH * (np.arange(len(self.factors)) + 0.5)
        factor: Floats = np.interp(ahead, middles, self.factors)
        return factor


NOT_MEASURED: Final = Horizon(0, (1.0,))
"""The horizon of a market with too little history to measure one."""


@dataclass(frozen=True)
class PastCut:
    """An earlier day (since 2000-01-01) at which a market's past is cut off: positions of sales before and after."""

    day: float
    before: Ints
    after: Ints


def past_cuts(days: Floats, priced: Ints, seed: int) -> list[PastCut]:
    """Return where to cut off the past of sales on ``days`` (n,), the earliest first; none if it is too short.

    Only the sales at ``priced`` are among those after a cut.
    """
    last, before = float(days.max()), max(_SHARE_BEFORE, _SALES_BEFORE / len(days))
    if before >= 0.5:
        return []
    first = max(float(np.quantile(days, before)) + 1.0, last - LONGEST)
    found = []
    for cut in np.unique(np.floor(np.linspace(first, last, _CUTS + 1)[:-1])):
        after = np.sort(priced[(days[priced] >= cut) & (days[priced] < cut + LONGEST)])
        if (days[after] < cut + MONTH).sum() >= _SALES_MIN:
            found.append(PastCut(float(cut), np.flatnonzero(days < cut), after[drawn(len(after), _SALES_MAX, seed)]))
    return found


@dataclass(frozen=True)
class UsualErrors:
    """The sales of a run at ``rows`` with their out-of-fold log estimates and expected sizes of errors, all (n,)."""

    rows: Ints
    estimates: Floats
    sizes: Floats


def measure_horizon(
    cuts: list[PastCut], late: list[Floats], usual: UsualErrors, days: Floats, log_price: Floats, level: float
) -> Horizon:
    """Compare the errors of fits on the sales before each cut with the usual ones, month by month ahead.

    ``late`` holds the log estimates, by such a fit, of the sales after each cut. In each month ahead, the ``level``
    quantile of absolute scores (error / size) is divided by that of the same sales' out-of-fold scores, so that homes
    harder to price do not count as drift, and then by the same ratio in the first month, so that a fit on fewer sales
    does not either. What the cuts show is combined with a drift of 1% a month, as little history says little, and made
    to rise (isotonic regression; Barlow et al. 1972).
    """
    if not cuts:
        return NOT_MEASURED
    error, size = np.full(len(days), np.nan), np.full(len(days), np.nan)
    error[usual.rows], size[usual.rows] = log_price[usual.rows] - usual.estimates, usual.sizes
    months = []
    for cut, estimates in zip(cuts, late, strict=True):
        rows = cut.after
        scores = np.abs((log_price[rows] - estimates) / size[rows]), np.abs(error[rows] / size[rows])
        months.append(_ratios(days[rows] - cut.day, *scores, level))
    reach = float(np.quantile(np.abs(error[usual.rows]), level))
    return _horizon(pd.concat(months), min(LONGEST, int(days.max() - cuts[0].day) + 1), reach, level)


def _ratios(ahead: Floats, late: Floats, usual: Floats, level: float) -> pd.DataFrame:
    """Return the months ahead of one cut with their number of sales and ratio; the first month's ratio is 1."""
    found = []
    for number, inside in _months((ahead // MONTH).astype(np.int64)):
        ratio = float(np.quantile(late[inside], level) / np.quantile(usual[inside], level))
        found.append((number, int(inside.sum()), ratio))
    table = pd.DataFrame(found, columns=["month", "n", "ratio"])
    return table.assign(ratio=table["ratio"] / table["ratio"].iloc[0])


def _months(month: Ints) -> Iterator[tuple[int, Bools]]:
    """Yield the months ahead with enough sales, up to the first without."""
    for number in range(int(month.max()) + 1):
        inside = month == number
        if inside.sum() < _SALES_MIN:
            return
        yield number, inside


def _horizon(months: pd.DataFrame, farthest: int, reach: float, level: float) -> Horizon:
    """Return the horizon; ``reach`` is the ``level`` quantile of absolute log errors without drift."""
    weight = months["n"] / (months["n"] + _PRIOR_SALES)
    # Drift adds to the variance, never takes from it: a range is wider by the root of one plus what is added.
    added = weight * (months["ratio"] ** 2 - 1).clip(lower=0.0)
    weights, total = (one.groupby(months["month"]).sum().to_numpy() for one in (weight, added))
    month = np.arange(len(weights), dtype=float)
    drift = NormalDist().inv_cdf((1 + level) / 2) * _PRIOR_DRIFT * month / reach
    expected = (total + _PRIOR_CUTS * drift**2) / (weights + _PRIOR_CUTS)
    rising = IsotonicRegression().fit(month, expected, weights).predict(month)
    factors = np.sqrt(1 + np.maximum(rising, 0.0))
    factors[0] = 1.0
    return Horizon(min(farthest, int(MONTH * len(factors))), tuple(float(one) for one in factors))
