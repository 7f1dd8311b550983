"""The promotion gate: compares challenger and champion on the same latest sales and explains its verdict.

A person promotes; the gate reports what the figures show and asks for a reason if they advise against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import t

from core.arrays import Bools, Floats, Indices, Objects, ShortInts
from core.evaluate.accuracy import Figure
from core.evaluate.intervals import draws, mean_interval, spread
from core.problem import Problem
from core.wording import count, percent, point_number

COVERAGE: Final = "coverage"
"""The name of the check of how far the shares of sales inside the ranges are from the level."""

MEAN_ERROR: Final = "mape"
"""The name of the check of the mean errors of all sales."""

_WITHIN: Final = 0.10
# As in core.measures: an error of exactly 10% counts as within 10%, whatever its last binary digit.
_TIE: Final = 1e-12
_CONFIDENCE: Final = 0.95


class GateVerdict(StrEnum):
    """What the figures say about a promotion."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class CheckVerdict(StrEnum):
    """How the challenger compares in one figure: significantly better, significantly worse beyond the margin, or
    neither.
    """

    BETTER = "better"
    WORSE = "worse"
    NEITHER = "no sure difference"


@dataclass(frozen=True)
class Answers:
    """A model's answers on n sales, arrays of shape (n,), money; NaN where it gives no estimate."""

    point: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Check:
    """One figure of both models and their difference, challenger less champion, with its 95% interval.

    Shares are fractions; the COD is a percentage of the median ratio. ``margin`` is how much worse is tolerated, in the
    figure's unit; worse is less for ppe10 and hit_rate, more for all others. For a segment's check, ``name`` is the
    segmentation and ``segment`` the segment (empty for all sales). ``held`` are the shares of sales inside the ranges,
    champion and challenger, whose distance from the level the coverage's check compares. ``ends`` are the 95% interval
    of the champion's mean error, in the check of it.
    """

    name: str
    label: str
    champion: float
    challenger: float
    difference: Figure
    margin: float
    verdict: CheckVerdict
    segment: str = ""
    held: tuple[float, float] | None = None
    ends: tuple[float, float] | None = None


@dataclass(frozen=True)
class Gate:
    """The verdict on n common sales with every check behind it; ``segments`` has the segments' checks, worst first."""

    verdict: GateVerdict
    n: int
    checks: tuple[Check, ...]
    segments: tuple[Check, ...]
    words: str


@dataclass(frozen=True)
class _Sample:
    """The inputs to a model's figures: arrays of shape (samples, drawn), or (1, n) for all sales once."""

    signed: Floats
    inside: Bools

    def of(self, rows: ShortInts) -> _Sample:
        return _Sample(self.signed[0][rows], self.inside[0][rows])


@dataclass(frozen=True)
class _Measure:
    """A figure to compare: ``of`` gives one value per sample; ``sign`` is -1 if more is better."""

    name: str
    label: str
    of: Callable[[_Sample], Floats]
    sign: float
    scale: float


def gate(
    price: ArrayLike,
    champion: Answers,
    challenger: Answers,
    segments: Mapping[str, ArrayLike],
    problem: Problem,
    seed: int,
) -> Gate:
    """Compare two models on the same n sales by their prices, shape (n,), in a paired bootstrap.

    ``segments`` has, by segmentation, the segment of each sale, missing for none. The challenger passes if its median
    error (MdAPE) is significantly lower; its mean error, share within 10%, COD, absolute median bias, distance
    of coverage from estimate.level and hit rate are not significantly worse by more than monitoring.gate_margin; and no
    segment with at least estimate.small_sample_n sales has a mean error significantly worse by more than
    monitoring.gate_segment_margin, corrected for the number of segments. Significant means that the whole 95% interval
    of the paired difference lies on that side. The challenger fails if any figure is significantly worse; otherwise,
    and below monitoring.gate_sales_min common sales, the verdict is inconclusive. Sales for which either model has no
    estimate count only in the hit rate. Raises ValueError if shapes differ.
    """
    prices = np.asarray(price, dtype=float)
    _check_shapes(prices, champion, challenger, segments)
    answered = np.isfinite(champion.point), np.isfinite(challenger.point)
    common = answered[0] & answered[1]
    n = int(common.sum())
    if n < problem.monitoring.gate_sales_min:
        words = (
            f"{count(n, 'sale')} priced by both models are too few to tell them apart; "
            f"{problem.monitoring.gate_sales_min} are needed. Wait for more sales, or promote with a reason."
        )
        return Gate(GateVerdict.INCONCLUSIVE, n, (), (), words)
    old, new = (_sample(prices[common], one, common) for one in (champion, challenger))
    checks = (*_compared(old, new, problem, seed), *_hit_rate(*answered, problem))
    parts = tuple(_by_segment(old, new, segments, common, problem))
    verdict = _verdict(checks, parts)
    return Gate(verdict, n, checks, parts, " ".join(_sentences(verdict, n, checks, parts)))


def gate_rule(problem: Problem) -> str:
    """Say what the gate asks of a challenger, and what its margins are."""
    limits = (100 * one for one in (problem.monitoring.gate_margin, problem.monitoring.gate_segment_margin))
    margin, segment = (f"{one:g} {'point' if one == 1 else 'points'}" for one in limits)
    return (
        "The gate has both models price the same latest sales, which neither learned from. It passes a challenger "
        "whose median error is significantly lower and none of whose other figures is significantly worse by more "
        f"than its margin: {margin} for all sales, {segment} for the mean error of a segment."
    )


def _check_shapes(prices: Floats, champion: Answers, challenger: Answers, segments: Mapping[str, ArrayLike]) -> None:
    arrays = {
        f"{name} {part}": np.shape(getattr(one, part))
        for name, one in (("champion", champion), ("challenger", challenger))
        for part in ("point", "low", "high")
    }
    arrays |= {f"segments by {name}": np.shape(labels) for name, labels in segments.items()}
    for name, shape in arrays.items():
        if shape != prices.shape or prices.ndim != 1:
            raise ValueError(f"{name} {shape} must have the shape of the sales' prices, {prices.shape}")
    if not (np.isfinite(prices) & (prices > 0)).all():
        raise ValueError("sale prices must be finite and positive; leave other sales out of the comparison")


def _sample(prices: Floats, answers: Answers, common: Bools) -> _Sample:
    point, low, high = (np.asarray(one, dtype=float)[common] for one in (answers.point, answers.low, answers.high))
    return _Sample((point / prices - 1.0)[None, :], ((prices >= low) & (prices <= high))[None, :])


def _compared(old: _Sample, new: _Sample, problem: Problem, seed: int) -> Iterator[Check]:
    measures = _measures(problem.estimate.level)
    n, held = old.signed.shape[1], (float(old.inside.mean()), float(new.inside.mean()))
    sampled = [
        [one.sign * (one.of(new.of(rows)) - one.of(old.of(rows))) for one in measures] for rows in draws(n, seed)
    ]
    for place, one in enumerate(measures):
        before, now = (float(one.of(sample)[0]) for sample in (old, new))
        worse = one.sign * (now - before)
        low, high = spread(np.concatenate([part[place] for part in sampled]), worse, n)
        margin = 0.0 if one.name == "mdape" else problem.monitoring.gate_margin * one.scale
        check = _check(one.name, one.label, before, now, (worse, low, high, n), margin, one.sign)
        if one.name == MEAN_ERROR:
            size = np.abs(old.signed[0])
            bottom, top = mean_interval(size.mean(), size.std(ddof=1), n)
            check = replace(check, ends=(float(bottom), float(top)))
        yield replace(check, held=held) if one.name == COVERAGE else check


def _check(
    name: str,
    label: str,
    champion: float,
    challenger: float,
    worse: tuple[float, float, float, int],
    margin: float,
    sign: float,
    segment: str = "",
) -> Check:
    """Judge how much worse the challenger is (value, low, high, n); the check reports the figure's own difference."""
    value, low, high, n = worse
    # The observed difference must point the same way: intervals of few distinct values can exclude it.
    if high < 0 and value < 0:
        verdict = CheckVerdict.BETTER
    else:
        verdict = CheckVerdict.WORSE if low > margin and value > margin else CheckVerdict.NEITHER
    ends = (low, high) if sign > 0 else (-high, -low)
    figure = Figure(sign * value, ends[0], ends[1], n)
    return Check(name, label, champion, challenger, figure, margin, verdict, segment)


def _measures(level: float) -> tuple[_Measure, ...]:
    return (
        _Measure("mdape", "Median error (MdAPE)", lambda one: np.median(np.abs(one.signed), axis=1), 1.0, 1.0),
        _Measure(MEAN_ERROR, "Mean error (MAPE)", lambda one: np.abs(one.signed).mean(axis=1), 1.0, 1.0),
        _Measure("ppe10", "Within 10% (PPE10)", lambda one: _share(np.abs(one.signed) <= _WITHIN + _TIE), -1.0, 1.0),
        _Measure("cod", "Scatter of the ratios (COD)", _dispersion, 1.0, 100.0),
        _Measure("bias", "Bias (median signed error, either way)", _bias, 1.0, 1.0),
        _Measure(
            COVERAGE,
            f"Range held, how far from {percent(level)}",
            lambda one: np.abs(_share(one.inside) - level),
            1.0,
            1.0,
        ),
    )


def _share(true: Bools) -> Floats:
    share: Floats = np.count_nonzero(true, axis=1) / true.shape[1]
    return share


def _bias(one: _Sample) -> Floats:
    bias: Floats = np.abs(np.median(one.signed, axis=1))
    return bias


def _dispersion(one: _Sample) -> Floats:
    """Return the coefficient of dispersion, in percent of the median ratio (IAAO Standard on Ratio Studies, 2013)."""
    ratio = one.signed + 1.0
    middle = np.median(ratio, axis=1, keepdims=True)
    spread_: Floats = 100 * np.abs(ratio - middle).mean(axis=1) / middle[:, 0]
    return spread_


def _hit_rate(old: Bools, new: Bools, problem: Problem) -> Iterator[Check]:
    if old.all() and new.all():
        return
    worse = old.astype(float) - new.astype(float)
    figure = _paired(worse, _CONFIDENCE)
    yield _check("hit_rate", "Homes priced (hit rate)", old.mean(), new.mean(), figure, _margin(problem), -1.0)


def _margin(problem: Problem) -> float:
    return problem.monitoring.gate_margin


def _paired(values: Floats, confidence: float) -> tuple[float, float, float, int]:
    """Return the mean of paired differences with Student's interval at a confidence, and their number."""
    n, mean = len(values), float(values.mean())
    half = float(t.ppf((1 + confidence) / 2, n - 1)) * float(values.std(ddof=1)) / float(np.sqrt(n))
    return mean, mean - half, mean + half, n


def _by_segment(
    old: _Sample, new: _Sample, segments: Mapping[str, ArrayLike], common: Bools, problem: Problem
) -> list[Check]:
    errors = np.abs(old.signed[0]), np.abs(new.signed[0])
    groups = [
        (by, name, rows)
        for by, labels in segments.items()
        for name, rows in _rows(np.asarray(labels, dtype=object)[common])
        if len(rows) >= problem.estimate.small_sample_n
    ]
    # Among many segments, some look worse by chance (Bonferroni).
    confidence = 1 - (1 - _CONFIDENCE) / max(len(groups), 1)
    margin = problem.monitoring.gate_segment_margin
    found = [
        _check(
            by,
            f"Mean error (MAPE), {by.replace('_', ' ')} {name}",
            float(errors[0][rows].mean()),
            float(errors[1][rows].mean()),
            _paired(errors[1][rows] - errors[0][rows], confidence),
            margin,
            1.0,
            name,
        )
        for by, name, rows in groups
    ]
    return sorted(found, key=lambda one: -one.difference.low)


def _rows(labels: Objects) -> list[tuple[str, Indices]]:
    codes, names = pd.factorize(labels, sort=True)
    return [(str(name), np.flatnonzero(codes == code)) for code, name in enumerate(names)]


def _verdict(checks: tuple[Check, ...], segments: tuple[Check, ...]) -> GateVerdict:
    if any(one.verdict is CheckVerdict.WORSE for one in (*checks, *segments)):
        return GateVerdict.FAIL
    return GateVerdict.PASS if checks[0].verdict is CheckVerdict.BETTER else GateVerdict.INCONCLUSIVE


def _sentences(verdict: GateVerdict, n: int, checks: tuple[Check, ...], segments: tuple[Check, ...]) -> Iterator[str]:
    first = checks[0]
    if verdict is GateVerdict.PASS:
        yield f"The challenger is better: {_figures(first)}, on the same {count(n, 'sale')}."
    elif first.verdict is CheckVerdict.BETTER:
        yield f"The challenger's typical error is lower ({_figures(first)}, {count(n, 'sale')}), but it does not pass."
    elif first.verdict is CheckVerdict.WORSE:
        yield f"The challenger is worse: {_figures(first)}, on the same {count(n, 'sale')}."
    else:
        yield f"The {count(n, 'sale')} do not settle which model is better: {_figures(first)}."
    for one in (*checks[1:], *segments):
        if one.verdict is CheckVerdict.WORSE:
            yield f"Worse beyond the margin: {_figures(one)}."
    better = " and ".join(one.label for one in checks[1:] if one.verdict is CheckVerdict.BETTER)
    if better:
        alone = f" The gate decides by {first.label} alone." if first.verdict is CheckVerdict.NEITHER else ""
        yield f"{'It is better by' if alone else 'Also better:'} {better}.{alone}"
    if verdict is GateVerdict.PASS:
        largest = f"; {count(len(segments), 'segment')} compared, none significantly worse" if segments else ""
        yield f"No figure is significantly worse beyond its margin{largest}."
    if verdict is GateVerdict.INCONCLUSIVE:
        yield "Wait for more sales, or promote with a reason."


def _figures(one: Check) -> str:
    value, (low, high) = _change(one), (_signed(one, end) for end in (one.difference.low, one.difference.high))
    return (
        f"{one.label} {_written(one, one.champion)} to {_written(one, one.challenger)} "
        f"(difference {value}, {low} to {high}{_n(one)})"
    )


def _n(one: Check) -> str:
    return f", {count(one.difference.n, 'sale')}" if one.segment else ""


def _change(one: Check) -> str:
    number = _signed(one, one.difference.value)
    return f"{number} points" if _is_share(one) else number


def _signed(one: Check, number: float) -> str:
    return point_number(number) if _is_share(one) else f"{number:+z.1f}".replace("-", "−")


def _written(one: Check, number: float) -> str:
    return percent(number, 1) if _is_share(one) else f"{number:z.1f}".replace("-", "−")


def _is_share(one: Check) -> bool:
    return one.name != "cod" or bool(one.segment)
