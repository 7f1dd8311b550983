"""Homes with unknown facts: an estimate and a range trained to work without them.

A model fitted on complete records fills the blanks with usual values and then knows too much. Here every training home
is seen again with facts hidden at random, beside the marks of what is hidden; ranges are calibrated on such homes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.linear_model import GammaRegressor
from sklearn.pipeline import Pipeline

from core.arrays import Bools, Floats, Ints, Objects, drawn
from core.prepare.features.columns import take
from core.prepare.features.known_facts import MARK, KnownFacts, marks_of
from core.prepare.features.neighbours import Rule
from core.prepare.features.pipeline import feature_matrix, under_rule
from core.problem import EstimateRules
from core.train.blend import BlendedBoosting, Loss, leaves_for
from core.train.own_sale import OutOfFold, OwnSaleBesideUnknowns, Resales, learn_beside_unknowns
from core.train.ranges import RangeCalibration

COPIES: Final = 4
"""How often each training home is seen with facts hidden; half of the times with earlier sales only."""

HELD_OUT_COPIES: Final = 4
"""How often each home held out is; which facts make an error large together takes many homes to see."""

FOLDS_MAX: Final = 6
"""On how many of the folds of a training run, at most, the homes held out are priced with facts hidden."""

HELD_OUT: Final = 8_000
"""How many homes held out are enough to calibrate on; more folds than bring them take time and teach little."""

HOMES_MAX: Final = 20_000
"""How many homes at most are seen with facts hidden; more take memory and time and teach little."""

# With facts unknown most errors are larger than those that Huber's loss squares. King County, size and zipcode known
# (training folds): median error 11.5% and 45.1% within 10% with it, 11.4% and 45.3% with the absolute loss.
# What the known facts say depends on which others are unknown: that takes larger trees that see more of the marks at
# once, and more copies of each home. Mean error in logs, three parts of King County's training sales: six facts known
# 14.75% with two copies, 15 leaves and a third of the columns, 14.59% with these settings; size and zipcode known
# 15.75% and 15.65%. Melbourne and a simulated city, six facts known: 16.72% and 16.28%.
_SETTINGS: Final[dict[str, Any]] = {
    "n_estimators": 300,
    "learning_rate": 0.15,
    "colsample_bytree": 0.6,
    "loss": Loss.ABSOLUTE,
}
_LEAVES: Final = 31
# The share of facts hidden between which the weight of the second estimate is measured.
_EDGES: Final = (0.0, 0.2, 0.5, 0.8, 1.0)
# How far the weight may move for a fact: some facts, such as the place, leave the model of complete records with
# little to go by, and others with all it needs. A standard deviation of that much is expected beforehand.
_EFFECT_SD: Final = 0.5
# How far a fact unknown may move the width of ranges: a standard deviation of that much is expected beforehand.
_FACTOR_SD: Final = 0.07
_FACTORS: Final = (0.5, 2.0)
# How far the logs of expected errors may be drawn together: a standard deviation of that much is expected beforehand.
_SHRINKAGE_SD: Final = 0.3
# A sale that brought just the estimate is no proof that others would.
_LEAST_SCORE: Final = 0.01
# The largest tenth of the errors count as much as the least of them: a few odd sales say nothing of a fact.
_LARGE: Final = 0.9
# From this weight on the second estimate counts alone: the first one would change the answer little, take two thirds
# of the time, and the more sales it learned from, the more it relies on the facts that are only filled in.
_ALONE: Final = 0.7
_ONE, _FEW, _HALF, _MOST = (
    "at most one fact unknown",
    "few facts unknown",
    "about half the facts unknown",
    "most facts unknown",
)
GROUPS: Final = (_ONE, _FEW, _HALF, _MOST)
"""The groups of homes by how much is unknown of them; in each, what ranges hold is measured.

They are calibrated together: between groups apart, one more fact unknown could narrow the range.
"""

_AS_LIVE, _LATER_KNOWN = "homes with facts unknown", "homes with facts unknown, later sales known"


@dataclass(frozen=True)
class HiddenHomes:
    """Homes held out from a fit and priced with facts hidden: arrays of shape (n,), ``hidden`` (n, facts).

    ``rows`` are their places among the homes of the run. ``early`` are those priced with earlier sales only. ``filled``
    is the log estimate of the model of complete records after filling the blanks, ``learned`` that of the estimator of
    blanks.
    """

    rows: Ints
    hidden: Bools
    early: Bools
    filled: Floats
    learned: Floats


@dataclass(frozen=True)
class Weights:
    """How much the second estimate counts, from 0 to 1: by the share of facts unknown, and by which they are.

    ``shares`` has a weight for each part of the shares, ``facts`` what each fact adds while few others are unknown.
    """

    shares: Floats
    facts: Floats

    def of(self, marks: Floats) -> Floats:
        """Return the weight of each home by the marks of what is unknown of it, (n, facts); shape (n,)."""
        share = marks.mean(axis=1)
        weight = np.clip(_interpolated(share, self.shares) + _while_few(marks) @ self.facts, 0.0, 1.0)
        return np.where(weight >= _ALONE, 1.0, weight)


@dataclass(frozen=True)
class Shrinkage:
    """How far expected errors are drawn together, where they differ more than the errors themselves do.

    ``usual`` is the mean log of expected errors. The log of each changes by ``base`` and by ``moves``, which multiply
    how far it is from the mean, 1 where the home's own earlier sale is known, and the product of the two.
    """

    usual: float
    base: float
    moves: tuple[float, ...]

    @classmethod
    def learn(cls, expected: Floats, size: Floats, sold_before: Bools, homes: int) -> Shrinkage:
        """Learn from errors of that ``size`` what was ``expected`` without their home, (n,); ``homes`` is their number.

        Errors are exponential around what is expected (a gamma regression with a log link; McCullagh & Nelder 1989).
        """
        usual = float(np.log(expected).mean())
        penalty = 1 / (homes * _SHRINKAGE_SD**2)
        score = np.maximum(size / expected, _LEAST_SCORE)
        inputs = _shrinkage_inputs(expected, sold_before, usual)
        found = GammaRegressor(alpha=penalty, max_iter=1_000).fit(inputs, score)
        return cls(usual, float(found.intercept_), tuple(map(float, found.coef_)))

    def of(self, expected: Floats, sold_before: Bools) -> Floats:
        """Return the expected errors so drawn together, shape (n,)."""
        added = self.base + _shrinkage_inputs(expected, sold_before, self.usual) @ np.array(self.moves)
        return expected * np.exp(np.clip(added, *np.log(_FACTORS)))


def _shrinkage_inputs(expected: Floats, sold_before: Bools, usual: float) -> Floats:
    beyond = np.log(expected) - usual
    return np.column_stack([beyond, sold_before, beyond * sold_before])


def _sold_before(features: Floats) -> Bools:
    return np.isfinite(features[:, 0])


class UnknownFactsRanges(RangeCalibration):
    """Ranges of homes whose features end with the marks of what is unknown, each fact with a factor of its own.

    The small trees that say how large an error to expect see that much is unknown and hardly which: without its
    condition and without its number of floors, a home got nearly the same range.
    """

    def __init__(self, rules: EstimateRules, seed: int, facts: int) -> None:
        super().__init__(rules, seed)
        self.facts = facts

    def refine(self, features: Floats, expected: Floats, size: Floats, homes: Ints | None) -> Floats:
        """Learn how far expected errors really differ, then what each fact unknown adds to the errors beyond them.

        The latter is a ridge regression that compares each home with itself only: most of its error is its own,
        whatever is unknown of it. ``features`` begin with what an own earlier sale says.
        """
        count = len(size) if homes is None else len(np.unique(homes))
        self.shrinkage_ = Shrinkage.learn(expected, size, _sold_before(features), count)
        drawn_together = self.shrinkage_.of(expected, _sold_before(features))
        score = size / drawn_together
        usual = np.minimum(score, np.quantile(score, _LARGE))
        beyond, parts = (usual / usual.mean())[:, None], self._parts(features)
        if homes is not None:
            beyond, parts = _within(homes, beyond), _within(homes, parts)
        penalty = float(beyond.var()) / _FACTOR_SD**2
        self.moves_: Floats = np.zeros(parts.shape[1])
        if penalty > 0:  # Errors that never differ from what was expected say nothing of a fact.
            learned = np.linalg.solve(parts.T @ parts + penalty * np.eye(parts.shape[1]), parts.T @ beyond)
            self.moves_ = np.asarray(learned[:, 0], dtype=float)
        return drawn_together * self._factor(features)

    def expected_size(self, features: Floats, log_estimate: Floats) -> Floats:
        """Return the expected absolute log error of each estimate, shape (n,)."""
        expected = super().expected_size(features, log_estimate)
        return self.shrinkage_.of(expected, _sold_before(features)) * self._factor(features)

    def _factor(self, features: Floats) -> Floats:
        factor: Floats = np.clip(1.0 + self._parts(features) @ self.moves_, *_FACTORS)
        return factor

    def _parts(self, features: Floats) -> Floats:
        """Return the marks twice, (n, 2 facts): once each the less, once the more, the more facts are unknown."""
        marks = features[:, features.shape[1] - self.facts :]
        few = _while_few(marks)
        return np.hstack([few, marks - few])


def _within(homes: Ints, values: Floats) -> Floats:
    """Return values, (n, columns), less the mean of their home."""
    _, number, count = np.unique(homes, return_inverse=True, return_counts=True)
    total = np.zeros((len(count), values.shape[1]))
    np.add.at(total, number, values)
    return values - (total / count[:, None])[number]


@dataclass(frozen=True)
class UnknownFactsModel:
    """What prices homes with usual facts unknown: which these are, the second estimator, its weights and ranges.

    ``own_effect`` is what a home's own earlier sale says about its price; None where a market shows nothing of it.
    """

    known: KnownFacts
    estimator: BlendedBoosting
    weights: Weights
    ranges: UnknownFactsRanges
    own_effect: OwnSaleBesideUnknowns | None

    def applies(self, marks: Floats) -> Bools:
        """Return which homes lack a usual fact: one nearly every training home records, or the place; shape (n,)."""
        return np.asarray(marks[:, self.known.is_usual()].any(axis=1), dtype=bool)

    def log_estimate(self, matrix: Floats, filled: Floats) -> Floats:
        """Return log estimates of homes by features and marks, ``filled`` being those after filling the blanks.

        Of homes whose weight is 1, ``filled`` does not matter.
        """
        marks = matrix[:, matrix.shape[1] - len(self.known.columns) :]
        weight = self.weight(marks)
        return weight * np.asarray(self.estimator.predict(matrix), dtype=float) + (1 - weight) * filled

    def weight(self, marks: Floats) -> Floats:
        """Return how much the second estimate counts by the facts unknown, marks of shape (n, facts); shape (n,)."""
        return self.weights.of(marks)

    def own_shift(self, own: Floats, marks: Floats, log_estimate: Floats) -> Floats:
        """Return what the own earlier sale, (n, 3), adds to log estimates, shape (n,); zero without one."""
        if self.own_effect is None:
            return np.zeros(len(own))
        return self.own_effect.shift(own, log_estimate, marks.mean(axis=1))

    def range_inputs(self, matrix: Floats, own: Floats, log_estimate: Floats) -> Floats:
        """Return what tells how far estimates err: features and marks, and what an own earlier sale, (n, 3), says."""
        known = own if self.own_effect is not None else _no_own_sale(len(matrix))
        return _range_inputs(matrix, known, log_estimate)

    def groups(self, marks: Floats) -> Objects:
        """Return in words how much is unknown of each home, shape (n,): the group its range is measured with."""
        return _groups(marks)


def range_kinds(early: Bools) -> Objects:
    """Return the kinds by which ranges are calibrated, shape (n,): of homes with the evidence of earlier sales or not.

    A live estimate has earlier sales only. With all homes, 80% ranges of 26,864 homes of Singapore of which size and
    area were known held 82.2%, with such homes 81.6% (King County 78.5% and 78.7%, Melbourne 81.4% and 81.7%).
    """
    return np.where(early, _AS_LIVE, _LATER_KNOWN).astype(object)


def _no_own_sale(homes: int) -> Floats:
    return np.full((homes, 3), np.nan)


def _range_inputs(matrix: Floats, own: Floats, log_estimate: Floats) -> Floats:
    # Of training homes the residual is always known, of a home for sale hardly ever: it would tell one from the other.
    years, moved, _ = own.T
    return np.column_stack([years, np.abs(moved - log_estimate), matrix])


def _groups(marks: Floats) -> Objects:
    share = marks.mean(axis=1)
    tests = [marks.sum(axis=1) <= 1, share <= 1 / 3, share <= 2 / 3]
    return np.select(tests, [_ONE, _FEW, _HALF], _MOST).astype(object)


@dataclass(frozen=True)
class HiddenCopies:
    """Homes seen several times with facts hidden: ``owner`` is the home of each row, ``matrix`` features and marks.

    ``early`` are the rows with the evidence of earlier sales only, shape (n,).
    """

    owner: Ints
    hidden: Bools
    early: Bools
    matrix: Floats


def hidden_copies(
    known: KnownFacts, features: Pipeline, homes: pd.DataFrame, own: Ints | None, copies: int, seed: int
) -> HiddenCopies:
    """Return each home several times, with facts hidden at random, and half of the times with earlier sales only.

    A live estimate has the sales before its day, which may be few: a model used to all of them relies on what a young
    market or a rare area lacks. ``own`` are the places of the homes among the sales of the evidence, None for homes
    not among them.
    """
    chosen = drawn(len(homes), HOMES_MAX, seed)
    owner, early = np.tile(chosen, copies), np.repeat(np.arange(copies) % 2 == 1, len(chosen))
    hidden = known.draw(len(owner), seed)
    places = None if own is None else own[owner]
    seen = known.hide(homes.iloc[owner], hidden)
    return HiddenCopies(owner, hidden, early, _matrix(known, features, seen, places, early))


def folds_needed(homes: int, folds: int) -> int:
    """Return the number of a run's folds on which the second estimator is fitted and measured, for ``homes`` homes."""
    return min(FOLDS_MAX, math.ceil(HELD_OUT * folds / homes))


def fit_estimator(
    names: tuple[str, ...], known: KnownFacts, matrix: Floats, log_price: Floats, weight: Floats | None, seed: int
) -> BlendedBoosting:
    """Fit the second estimator on homes seen ``COPIES`` times with facts hidden; ``names`` are the features'."""
    columns = (*names, *(f"{MARK}{name}" for name in known.names))
    # A home seen several times is learned by heart as soon as one seen once. By homes instead of copies, King County of
    # 1,800 and 4,000 sales, size and zipcode known: MdAPE 11.95% to 11.86% and 12.01% to 11.94%, in a tenth less time.
    leaves = leaves_for(len(matrix) // COPIES, _LEAVES)
    return BlendedBoosting(columns, num_leaves=leaves, seed=seed, **_SETTINGS).fit(matrix, log_price, weight)


@dataclass(frozen=True)
class RunHomes:
    """All homes of a training run with their log prices, (n,), and the pipeline fitted on them."""

    features: Pipeline
    table: pd.DataFrame
    log_price: Floats


@dataclass(frozen=True)
class RunResales:
    """The own earlier sale of each home of a run, (n, 3), missing without one, and which home it is, (n,).

    ``complete`` are those priced out of fold with all facts known.
    """

    own: Floats
    homes: Ints
    complete: OutOfFold


def calibrate(
    known: KnownFacts,
    estimator: BlendedBoosting,
    held_out: HiddenHomes,
    homes: RunHomes,
    resales: RunResales | None,
    rules: EstimateRules,
    seed: int,
) -> UnknownFactsModel:
    """Measure weights and ranges on homes held out, each without its own price among the evidence."""
    rows, price = held_out.rows, homes.log_price[held_out.rows]
    seen = known.hide(homes.table.iloc[rows], held_out.hidden)
    matrix = _matrix(known, homes.features, seen, rows, held_out.early)
    marks = matrix[:, matrix.shape[1] - len(known.names) :]
    weights = fit_weights(marks, held_out, price)
    weight = weights.of(marks)
    estimate = weight * held_out.learned + (1 - weight) * held_out.filled
    effect, own = None, _no_own_sale(len(rows))
    if resales is not None:
        effect, added = _learn_own_effect(resales, homes, rows, estimate, marks, seed)
        estimate, own = estimate + added, resales.own[rows]
    ranges = UnknownFactsRanges(rules, seed, len(known.names))
    ranges.fit(_range_inputs(matrix, own, estimate), estimate, price, range_kinds(held_out.early), rows)
    return UnknownFactsModel(known, estimator, weights, ranges, effect)


def _learn_own_effect(
    resales: RunResales, homes: RunHomes, rows: Ints, estimate: Floats, marks: Floats, seed: int
) -> tuple[OwnSaleBesideUnknowns, Floats]:
    """Learn from the homes at ``rows``, and from the more sales of homes of which all facts are known."""
    complete = resales.complete
    every = np.concatenate([rows, complete.rows])
    sales = Resales(
        own=resales.own[every],
        log_estimate=np.concatenate([estimate, complete.log_estimate]),
        log_price=homes.log_price[every],
        homes=resales.homes[every],
        unknown=np.concatenate([marks.mean(axis=1), np.zeros(len(complete.rows))]),
    )
    effect, added = learn_beside_unknowns(sales, seed)
    return effect, added[: len(rows)]


def join_hidden(parts: list[HiddenHomes]) -> HiddenHomes:
    """Return the homes of all folds together."""
    names = ("rows", "hidden", "early", "filled", "learned")
    return HiddenHomes(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _matrix(known: KnownFacts, features: Pipeline, homes: pd.DataFrame, own: Ints | None, early: Bools) -> Floats:
    marks = marks_of(known.marks({name: homes[name].to_numpy() for name in homes.columns}))
    filled = features.named_steps["facts"].transform(homes)
    rows = np.flatnonzero(~early), np.flatnonzero(early)
    of_all, of_earlier = (
        feature_matrix(limited, take(filled, some), None if own is None else own[some])
        for limited, some in zip((features, under_rule(features, Rule.EARLIER)), rows, strict=True)
    )
    order = np.argsort(np.concatenate(rows))
    return np.hstack([np.vstack([of_all, of_earlier])[order], marks])


def fit_weights(marks: Floats, homes: HiddenHomes, price: Floats) -> Weights:
    """Return the weights of the second estimate that err least: first by the share hidden, then by what is hidden.

    The second step is a ridge regression of what the first one left over.
    """
    gap, wanted = homes.learned - homes.filled, price - homes.filled
    share = marks.mean(axis=1)
    shares = np.array([_least_error(gap[inside], wanted[inside]) for inside in _parts(share)], dtype=float)
    left = wanted - _interpolated(share, shares) * gap
    moves = gap[:, None] * _while_few(marks)
    penalty = float(left.var()) / _EFFECT_SD**2
    facts = np.linalg.solve(moves.T @ moves + penalty * np.eye(marks.shape[1]), moves.T @ left)
    return Weights(shares, np.asarray(facts, dtype=float))


def _parts(share: Floats) -> list[Bools]:
    return [(share >= low) & (share <= high) for low, high in pairwise(_EDGES)]


def _least_error(gap: Floats, wanted: Floats) -> float:
    return min(max(float(gap @ wanted) / max(float(gap @ gap), 1e-12), 0.0), 1.0)


def _while_few(marks: Floats) -> Floats:
    """Return the marks, each the less the more facts are unknown, (n, facts): with most unknown, none counts alone."""
    return marks * (1 - marks.mean(axis=1, keepdims=True))


def _interpolated(share: Floats, weights: Floats) -> Floats:
    middles = (np.array(_EDGES[:-1]) + np.array(_EDGES[1:])) / 2
    return np.interp(share, [0.0, *middles], [0.0, *weights])
