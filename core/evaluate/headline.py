"""The headline: is the model good enough? Each figure is compared with its target, the baseline and the list price."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from core import measures
from core.arrays import Bools, Floats, ShortInts
from core.evaluate.accuracy import Figure
from core.evaluate.intervals import draws, share_interval, spread
from core.evaluate.scored_sales import ScoredSales, error, inside
from core.evaluate.targets import Target, Verdict, at_most, judge
from core.problem import Problem
from core.wording import count, point_number, points

# Estimates are rounded before they are shown; errors that differ by less are the same.
_ROUNDING: Final = 0.001
_SHARES: Final = {"ppe5": 0.05, "ppe10": 0.10, "ppe20": 0.20}
# As in core.measures: an error of exactly 10% counts as within 10%, whatever its last binary digit.
_TIE: Final = 1e-12
_REASONS_NAMED: Final = 2
MEDIAN_BIAS: Final = "Bias (median signed error)"
"""What the bias is, wherever it is written."""
WHY_ANOTHER_IN_USE: Final = "agents enter facts that a record lacks, and a signed scope may leave homes out"
"""Why the hit rate in use is another than that on test sales."""


@dataclass(frozen=True)
class Line:
    """One figure of the headline: ``name`` is its key, ``label`` its text; shares are fractions."""

    name: str
    label: str
    figure: Figure
    target: Target | None
    verdict: Verdict


@dataclass(frozen=True)
class Rival:
    """The model's and a rival's MAPE on the same sales; ``saved`` is theirs less ours, above 0 if ours is smaller.

    ``verdict`` is "pass" if it is significantly smaller.
    """

    name: str
    ours: float
    theirs: float
    saved: Figure
    verdict: Verdict

    @property
    def apart(self) -> str:
        """How much nearer the sale price ours is, with its interval: "closer by 3.9 points (+3.0 to +4.6)"."""
        nearer = self.saved.value >= 0
        low, high = (self.saved.low, self.saved.high) if nearer else (-self.saved.high, -self.saved.low)
        known = f" ({point_number(low)} to {point_number(high)})" if math.isfinite(low + high) else ""
        gap = points(abs(self.saved.value)).removeprefix("+")
        return f"{'closer' if nearer else 'farther'} by {gap}{known}"


@dataclass(frozen=True)
class Headline:
    """The figures of one set of scored sales; ``rivals`` are those with any known price."""

    sales: int
    lines: tuple[Line, ...]
    rivals: tuple[Rival, ...]

    def line(self, name: str) -> Line:
        """Return one figure: mape, mdape, ppe5, ppe10, ppe20, r_squared, bias, hit_rate, coverage or width.

        Raises KeyError for any other name.
        """
        for one in self.lines:
            if one.name == name:
                return one
        raise KeyError(name)


def headline(scored: ScoredSales, problem: Problem) -> Headline | None:
    """Compute the headline; None if no sale was priced.

    All figures but the hit rate cover only the sales the desk would have priced. The 95% intervals are from the
    bootstrap; the hit rate's is exact.
    """
    table = scored.priced.sort_values("intake_row")
    if table.empty:
        return None
    wanted, others = targets(scored.terms.level, problem), _others(table)
    figures, saved = _figures(table, others, scored.terms.level, scored.terms.seed)
    figures["hit_rate"] = _hit_rate(scored)
    lines = tuple(
        Line(name, _label(name, scored), figure, wanted.get(name), _verdict(name, figure, scored.terms.level, problem))
        for name, figure in figures.items()
    )
    rivals = tuple(_rival(other, saved[other.name], problem) for other in others)
    return Headline(len(scored.table), lines, rivals)


@dataclass(frozen=True)
class _Other:
    """A rival's absolute errors and ours, shape (n,); ``known`` marks the sales it priced; others hold zeros."""

    name: str
    known: Bools
    ours: Floats
    theirs: Floats

    @cached_property
    def gap(self) -> Floats:
        """The error our estimate saves on each sale."""
        return self.theirs - self.ours

    def saved(self, rows: ShortInts) -> Floats:
        """Return the mean error saved per sale in each sample; samples without a sale the rival priced are dropped."""
        known = np.count_nonzero(self.known[rows], axis=1)
        total = self.gap[rows].sum(axis=1)
        return total[known > 0] / known[known > 0]


def _verdict(name: str, figure: Figure, level: float, problem: Problem) -> Verdict:
    if name == "coverage":
        return range_verdict(figure, level, problem)
    return judge(figure, targets(level, problem).get(name), problem.estimate.small_sample_n)


def range_verdict(held: Figure, level: float, problem: Problem) -> Verdict:
    """Judge the share of sales that ranges of a level held: the one rule wherever a range is judged.

    It fails if it surely lies outside the bounds around the level, or surely holds fewer sales than it states.
    """
    smallest = problem.estimate.small_sample_n
    if held.n >= smallest and held.high < level:
        return Verdict.FAIL
    return judge(held, targets(level, problem)["coverage"], smallest)


def targets(level: float, problem: Problem) -> dict[str, Target]:
    """Return the headline's targets by figure name; ``level`` is the range's."""
    band = problem.monitoring.alert_coverage_band
    return {
        "mape": at_most(problem.success.target_mape, "problem statement, success.target_mape"),
        "bias": Target(-0.10, 0.10, "IAAO Standard on Ratio Studies (2013): level of appraisal 0.90 to 1.10"),
        "coverage": Target(level - band, level + band, f"the range's own level, {level:.0%}"),
        "width": at_most(problem.estimate.wide_range, "problem statement, estimate.wide_range"),
    }


def _label(name: str, scored: ScoredSales) -> str:
    return {
        "mape": "Mean absolute error (MAPE)",
        "mdape": "Median absolute error (MdAPE)",
        "ppe5": "Within 5% of the sale price (PPE5)",
        "ppe10": "Within 10% of the sale price (PPE10)",
        "ppe20": "Within 20% of the sale price (PPE20)",
        "r_squared": "Share of price differences explained (R²)",
        "bias": MEDIAN_BIAS,
        "hit_rate": "Homes priced (hit rate)",
        "coverage": f"Sales inside the {scored.terms.level:.0%} range",
        "width": f"Mean width of the {scored.terms.level:.0%} range, share of the estimate",
    }[name]


def _others(table: pd.DataFrame) -> list[_Other]:
    ours = error(table).abs().to_numpy(dtype=float)
    found = []
    for name, column in (("linear baseline", "baseline"), ("list price", "list_price")):
        theirs = ((table[column] - table["sale_price"]) / table["sale_price"]).abs()
        known = (table[column] > 0).to_numpy()
        # A model that is the linear baseline itself has no rival in it.
        if known.any() and float(np.abs(ours - theirs)[known].max()) > _ROUNDING:
            found.append(_Other(name, known, np.where(known, ours, 0.0), np.where(known, theirs, 0.0)))
    return found


def _figures(
    table: pd.DataFrame, others: list[_Other], level: float, seed: int
) -> tuple[dict[str, Figure], dict[str, Figure]]:
    """Return the figures by name and the error saved against each rival by its name, from one bootstrap."""
    n = len(table)
    price, estimate = (table[name].to_numpy(dtype=float) for name in ("sale_price", "estimate"))
    measured = _Measured(
        signed=error(table).to_numpy(dtype=float),
        missed=price - estimate,
        centred=price - price.mean(),
        held=inside(table, level).to_numpy(dtype=bool),
        width=((table["high"] - table["low"]) / table["point"]).to_numpy(dtype=float),
    )
    parts = [{**measured.of(rows), **{one.name: one.saved(rows) for one in others}} for rows in draws(n, seed)]
    sampled = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    exact = {
        "mape": measures.mape(estimate, price),
        "mdape": measures.mdape(estimate, price),
        **{key: measures.ppe(estimate, price, share) for key, share in _SHARES.items()},
        "r_squared": measures.r_squared(estimate, price),
        "bias": measures.median_bias(estimate, price),
        "coverage": float(measured.held.mean()),
        "width": float(measured.width.mean()),
    }
    figures = {name: Figure(value, *spread(sampled[name], value, n), n) for name, value in exact.items()}
    return figures, {one.name: _saved(one, sampled[one.name]) for one in others}


@dataclass(frozen=True)
class _Measured:
    """The inputs to the figures of n priced sales, arrays of shape (n,).

    ``missed`` is money; ``centred`` are prices less their mean, so that sums of squares lose no digits.
    """

    signed: Floats
    missed: Floats
    centred: Floats
    held: Bools
    width: Floats

    def of(self, rows: ShortInts) -> dict[str, Floats]:
        """Return every figure for each of the samples ``rows``, shape (samples, drawn): arrays of shape (samples,)."""
        signed = self.signed[rows]
        size, drawn = np.abs(signed), rows.shape[1]
        return {
            "mape": size.mean(axis=1),
            "mdape": np.median(size, axis=1),
            **{key: np.count_nonzero(size <= share + _TIE, axis=1) / drawn for key, share in _SHARES.items()},
            "r_squared": _explained(self.missed[rows], self.centred[rows]),
            "bias": np.median(signed, axis=1),
            "coverage": np.count_nonzero(self.held[rows], axis=1) / drawn,
            "width": self.width[rows].mean(axis=1),
        }


def _explained(missed: Floats, centred: Floats) -> Floats:
    """Return R² of each sample from its misses and centered prices, shapes (samples, drawn)."""
    left = np.einsum("ij,ij->i", missed, missed)
    variation = np.einsum("ij,ij->i", centred, centred) - centred.sum(axis=1) ** 2 / centred.shape[1]
    varied = variation > 0
    return np.where(varied, 1.0 - left / np.where(varied, variation, 1.0), (left == 0).astype(float))


def _saved(other: _Other, sampled: Floats) -> Figure:
    n, value = int(other.known.sum()), float(other.gap.sum() / other.known.sum())
    return Figure(value, *spread(sampled, value, len(other.known)), n)


def _hit_rate(scored: ScoredSales) -> Figure:
    hits, n = int(scored.table["priced"].sum()), len(scored.table)
    low, high = share_interval(hits, n)
    return Figure(hits / n, float(low), float(high), n)


def unpriced_words(scored: ScoredSales) -> str:
    """Say how many sales got no price and why, and why the hit rate in use is another; "" if all got one."""
    table = scored.table
    why = table.loc[~table["priced"], "withheld"]
    if why.empty:
        return ""
    reasons = why.value_counts()
    shown = [f"{str(reason).rstrip('.')} ({n:,})" for reason, n in reasons.head(_REASONS_NAMED).items() if reason]
    rest = int(reasons.iloc[_REASONS_NAMED:].sum())
    named = "; ".join([*shown, *([f"other reasons ({rest:,})"] if rest else [])])
    return (
        f"{len(why):,} of {count(len(table), 'sale')} got no price{f': {named}' if named else ''}. The hit rate in "
        f"use, on the page Monitoring, is another: {WHY_ANOTHER_IN_USE}."
    )


def _rival(other: _Other, saved: Figure, problem: Problem) -> Rival:
    nearer = Target(0.0, float("inf"), f"closer to the sale price than the {other.name}")
    ours, theirs = (float(values.sum()) / saved.n for values in (other.ours, other.theirs))
    return Rival(other.name, ours, theirs, saved, judge(saved, nearer, problem.estimate.small_sample_n))
