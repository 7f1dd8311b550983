"""The headline: is the model good enough, figure by figure against its target, the baseline and the list price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core import measures
from core.evaluate.accuracy import Figure
from core.evaluate.intervals import Ranked, resamples, share_interval, spread
from core.evaluate.scored import Scored, error, inside
from core.evaluate.verdict import Target, Verdict, at_most, judge
from core.problem import Problem

Floats = NDArray[np.float64]

COVERAGE_BAND: Final = 0.05
"""How far from its level a range may hold before it misleads: four in five is neither three nor nearly all."""

_SHARES: Final = {"ppe5": 0.05, "ppe10": 0.10, "ppe20": 0.20}
# As the measures themselves: an error of exactly 10 % counts as within 10 %, whatever its last binary digit.
_TIE: Final = 1e-12


@dataclass(frozen=True)
class Line:
    """One figure of the headline: ``name`` is its key, ``label`` its words; shares are fractions."""

    name: str
    label: str
    figure: Figure
    target: Target | None
    verdict: Verdict


@dataclass(frozen=True)
class Rival:
    """The model's MAPE beside another's on the same sales; ``saved`` is theirs less ours, above 0 where we are nearer.

    ``verdict`` is "pass" where we surely are.
    """

    name: str
    ours: float
    theirs: float
    saved: Figure
    verdict: Verdict


@dataclass(frozen=True)
class Headline:
    """The figures of one set of scored sales; ``rivals`` are those for whom any price is known."""

    sales: int
    lines: tuple[Line, ...]
    rivals: tuple[Rival, ...]

    def line(self, name: str) -> Line:
        """Return the figure of that key: mape, mdape, ppe5, ppe10, ppe20, r_squared, bias, hit_rate, coverage, width.

        Raises KeyError for another.
        """
        for one in self.lines:
            if one.name == name:
                return one
        raise KeyError(name)


def headline(scored: Scored, problem: Problem) -> Headline | None:
    """Work the headline out, None where no sale was priced.

    All but the hit rate are of the sales the desk would have priced. Intervals hold 95 %: by the bootstrap, the hit
    rate's exact.
    """
    table = scored.priced.sort_values("intake_row")
    if table.empty:
        return None
    targets, others = _targets(scored, problem), _others(table)
    figures, saved = _figures(table, others, scored.terms.level, scored.terms.seed)
    figures["hit_rate"] = _hit_rate(scored)
    lines = tuple(
        Line(name, _label(name, scored), figure, targets.get(name), _verdict(figure, targets.get(name), problem))
        for name, figure in figures.items()
    )
    rivals = tuple(_rival(other, saved[other.name], problem) for other in others)
    return Headline(len(scored.table), lines, rivals)


@dataclass(frozen=True)
class _Other:
    """Another's absolute errors beside ours, shape (n,); ``known`` marks the sales it priced, others hold zeros."""

    name: str
    known: NDArray[np.bool_]
    ours: Floats
    theirs: Floats


def _verdict(figure: Figure, target: Target | None, problem: Problem) -> Verdict:
    return judge(figure, target, problem.estimate.thin_n)


def _targets(scored: Scored, problem: Problem) -> dict[str, Target]:
    level = scored.terms.level
    return {
        "mape": at_most(problem.success.target_mape, "problem statement, success.target_mape"),
        "bias": Target(-0.10, 0.10, "IAAO Standard on Ratio Studies (2013): level of appraisal 0.90 to 1.10"),
        "coverage": Target(level - COVERAGE_BAND, level + COVERAGE_BAND, f"the range's own level, {level:.0%}"),
        "width": at_most(problem.estimate.wide_range, "problem statement, estimate.wide_range"),
    }


def _label(name: str, scored: Scored) -> str:
    return {
        "mape": "Mean absolute error (MAPE)",
        "mdape": "Median absolute error (MdAPE)",
        "ppe5": "Within 5% of the sale price (PPE5)",
        "ppe10": "Within 10% of the sale price (PPE10)",
        "ppe20": "Within 20% of the sale price (PPE20)",
        "r_squared": "Share of price differences explained (R²)",
        "bias": "Bias (median signed error)",
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
        if known.any():
            found.append(_Other(name, known, np.where(known, ours, 0.0), np.where(known, theirs, 0.0)))
    return found


def _figures(
    table: pd.DataFrame, others: list[_Other], level: float, seed: int
) -> tuple[dict[str, Figure], dict[str, Figure]]:
    """Return the figures by name, and what the model saves against each other by its name, from one bootstrap."""
    n = len(table)
    price, estimate = (table[name].to_numpy(dtype=float) for name in ("sale_price", "estimate"))
    signed = error(table).to_numpy(dtype=float)
    size, held = np.abs(signed), inside(table, level).to_numpy(dtype=float)
    width = ((table["high"] - table["low"]) / table["point"]).to_numpy(dtype=float)
    means = {"mape": size, **{key: (size <= share + _TIE).astype(float) for key, share in _SHARES.items()}}
    means |= {"coverage": held, "width": width}
    ranked, explained = {"mdape": Ranked(size), "bias": Ranked(signed)}, _Explained(estimate, price)
    gaps = [column for other in others for column in (other.theirs - other.ours, other.known.astype(float))]
    matrix = np.column_stack([*means.values(), *explained.parts, *gaps])
    sampled: dict[str, list[float]] = {name: [] for name in (*means, *ranked, "r_squared", *(o.name for o in others))}
    for counts in resamples(n, seed):
        sums = counts @ matrix
        for name, total in zip(means, sums, strict=False):
            sampled[name].append(float(total) / n)
        sampled["r_squared"].append(explained.of(sums[len(means) : len(means) + 3], n))
        for name, values in ranked.items():
            sampled[name].append(values.median(values.running(counts)))
        for place, other in enumerate(others):
            saved, drawn = sums[len(means) + 3 + 2 * place :][:2]
            # A sample without any sale the other priced compares nothing.
            sampled[other.name] += [float(saved / drawn)] if drawn else []
    exact = {
        "mape": measures.mape(estimate, price),
        "mdape": measures.mdape(estimate, price),
        **{key: measures.ppe(estimate, price, share) for key, share in _SHARES.items()},
        "r_squared": measures.r_squared(estimate, price),
        "bias": measures.median_bias(estimate, price),
        "coverage": float(held.mean()),
        "width": float(width.mean()),
    }
    figures = {name: Figure(value, *spread(sampled[name]), n) for name, value in exact.items()}
    return figures, {other.name: _saved(other, sampled[other.name]) for other in others}


def _saved(other: _Other, sampled: list[float]) -> Figure:
    n = int(other.known.sum())
    return Figure(float((other.theirs - other.ours).sum() / n), *spread(sampled), n)


class _Explained:
    """R² of bootstrap samples from three sums: prices are centred once, so that no digits are lost."""

    def __init__(self, estimate: Floats, price: Floats) -> None:
        centred = price - price.mean()
        self.parts = ((price - estimate) ** 2, centred**2, centred)

    @staticmethod
    def of(sums: Floats, n: int) -> float:
        missed, square, total = sums
        variation = square - total**2 / n
        if variation <= 0:
            return 1.0 if missed == 0 else 0.0
        return float(1.0 - missed / variation)


def _hit_rate(scored: Scored) -> Figure:
    hits, n = int(scored.table["priced"].sum()), len(scored.table)
    low, high = share_interval(hits, n)
    return Figure(hits / n, float(low), float(high), n)


def _rival(other: _Other, saved: Figure, problem: Problem) -> Rival:
    nearer = Target(0.0, float("inf"), f"nearer to the sale price than the {other.name}")
    ours, theirs = (float(values.sum()) / saved.n for values in (other.ours, other.theirs))
    return Rival(other.name, ours, theirs, saved, judge(saved, nearer, problem.estimate.thin_n))
