"""The scope the evidence supports: the price range in which the model demonstrably meets its target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats, Ints
from core.evaluate.accuracy import Figure
from core.evaluate.intervals import mean_interval
from core.evaluate.scored_sales import ScoredSales, error
from core.problem import Problem
from core.wording import count, money_short, percent

_BANDS: Final = 20


@dataclass(frozen=True)
class ProposedScope:
    """A contiguous range of *estimates*, in money, in which the model may be used without reviewing each price.

    ``low`` and ``high`` are missing if no range meets the target. ``inside`` and ``outside`` are the MAPE, with its
    95% interval (Student's), of the priced sales estimated inside and outside the range; ``share`` is the share inside.
    """

    low: float
    high: float
    target: float
    inside: Figure
    outside: Figure
    share: float
    currency: str

    @property
    def found(self) -> bool:
        """Whether any range meets the target."""
        return bool(np.isfinite(self.low))

    @property
    def words(self) -> str:
        """The proposal in plain words."""
        if not self.found:
            return (
                f"Do not deploy without review: no price range has a proven mean error of at most "
                f"{percent(self.target)}."
            )
        bounds = f"{money_short(self.low, self.currency)} to {money_short(self.high, self.currency)}"
        held = (
            f"{percent(self.share)} of test sales, mean error {percent(self.inside.value, 1)}, at most "
            f"{percent(self.inside.high, 1)}"
        )
        rest = (
            f"review the rest (mean error {percent(self.outside.value, 1)} of {count(self.outside.n, 'sale')})"
            if self.outside.n
            else "no test sale was estimated outside"
        )
        return f"Deploy for estimates from {bounds} ({held}); {rest}."


def propose_scope(scored: ScoredSales, problem: Problem) -> ProposedScope:
    """Find the widest range, by number of sales, that the evidence supports.

    The priced sales are cut by their estimate, which is known before a home sells, into up to twenty bands of equal
    size with rounded bounds. A range of adjacent bands is supported if the upper bound of its MAPE is within the
    target and none of its bands alone misses the target, so that good bands do not hide bad ones. Each band has at
    least estimate.small_sample_n sales.
    """
    table = scored.priced
    estimate, size = table["estimate"].to_numpy(dtype=float), error(table).abs().to_numpy(dtype=float)
    edges = _edges(estimate, problem.estimate.small_sample_n)
    target = problem.success.target_mape
    place = np.clip(np.searchsorted(edges, estimate, side="right") - 1, 0, max(len(edges) - 2, 0))
    chosen = _widest(place, size, len(edges) - 1, target) if len(edges) > 1 else None
    held = np.zeros(len(size), dtype=bool) if chosen is None else (place >= chosen[0]) & (place < chosen[1])
    low, high = (np.nan, np.nan) if chosen is None else (float(edges[chosen[0]]), float(edges[chosen[1]]))
    share = float(held.mean()) if len(held) else np.nan
    return ProposedScope(low, high, target, _mape(size[held]), _mape(size[~held]), share, scored.terms.currency)


def supports(scored: ScoredSales, low: float, high: float, problem: Problem) -> ProposedScope:
    """Return the evidence for a range that a person chose instead, bounds included."""
    table = scored.priced
    size = error(table).abs().to_numpy(dtype=float)
    held = table["estimate"].between(low, high).to_numpy()
    share = float(held.mean()) if len(held) else np.nan
    target = problem.success.target_mape
    return ProposedScope(low, high, target, _mape(size[held]), _mape(size[~held]), share, scored.terms.currency)


def _edges(estimate: Floats, smallest: int) -> Floats:
    bands = min(_BANDS, len(estimate) // smallest)
    if bands < 1:
        return np.empty(0)
    inner = np.quantile(estimate, np.linspace(0, 1, bands + 1)[1:-1])
    ends = [_rounded_down(float(estimate.min())), _rounded_up(float(estimate.max()))]
    edges = np.unique([ends[0], *(_rounded(float(edge)) for edge in inner), ends[1]])
    return _merged(estimate, edges, smallest)


def _merged(estimate: Floats, edges: Floats, smallest: int) -> Floats:
    """Drop edges, lowest first, that leave a band with too few sales after rounding."""
    kept = [float(edges[0])]
    for edge in edges[1:-1]:
        above = (estimate >= edge).sum()
        if ((estimate >= kept[-1]) & (estimate < edge)).sum() >= smallest and above >= smallest:
            kept.append(float(edge))
    return np.array([*kept, float(edges[-1])])


def _step(price: float) -> float:
    # Managers draw lines at two digits: $230K, $1.2M.
    return float(10.0 ** (np.floor(np.log10(price)) - 1))


def _rounded(price: float) -> float:
    return float(np.round(price / _step(price)) * _step(price))


def _rounded_down(price: float) -> float:
    return float(np.floor(price / _step(price)) * _step(price))


def _rounded_up(price: float) -> float:
    return float(np.floor(price / _step(price) + 1) * _step(price))


def _widest(place: Ints, size: Floats, bands: int, target: float) -> tuple[int, int] | None:
    """Return the best range's first band and the one after its last; ties go to the lower range."""
    n = np.bincount(place, minlength=bands).astype(float)
    total = np.bincount(place, size, minlength=bands)
    squares = np.bincount(place, size**2, minlength=bands)
    good = total <= target * n
    best: tuple[int, int] | None = None
    most = 0.0
    for first in range(bands):
        for end in range(first + 1, bands + 1):
            if not good[first:end].all():
                break
            held = n[first:end].sum()
            if held > most and _upper(total[first:end].sum(), squares[first:end].sum(), held) <= target:
                best, most = (first, end), held
    return best


def _upper(total: float, squares: float, n: float) -> float:
    mean = total / n
    sd = np.sqrt(max(squares - n * mean**2, 0.0) / max(n - 1, 1.0))
    return float(mean_interval(mean, sd, n)[1])


def _mape(size: Floats) -> Figure:
    if not len(size):
        return Figure(np.nan, np.nan, np.nan, 0)
    mean = float(size.mean())
    low, high = mean_interval(mean, float(pd.Series(size).std()), len(size))
    return Figure(mean, float(np.maximum(low, 0.0)), float(high), len(size))
