"""The scope the evidence supports: the prices, types and areas for which the model demonstrably meets its target."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Bools, Floats, Ints
from core.evaluate.accuracy import Figure
from core.evaluate.intervals import mean_interval
from core.evaluate.scored_sales import ScoredSales, error
from core.prepare.features.profile import MEDIAN
from core.problem import Problem
from core.train.bundle import Bundle
from core.wording import count, half_up, money_range, money_short, percent

_BANDS: Final = 20
# A group is left out if its mean error is above the target by this many standard errors: of a hundred areas that meet
# it, hardly one is left out by chance.
_SURELY: Final = 3.0
# A small test has few bands, so two standard errors are enough.
_DISPROVED: Final = 2.0
_NAMED_MAX: Final = 6
_REVIEWED: Final = "A price needs review for"
NO_PRICES: Final = "the tests support no prices without review, and no manager has signed any"

CARRIED_OVER: Final = "of the model before, without what this model’s test disproves"
"""What became of a scope that a new model's small test could not draw anew."""


def nothing_proven(target: float) -> str:
    """Say that a test proposes no scope, as part of a sentence."""
    return f"no price range has a proven mean error of at most {percent(target)}"


class ScopeBasis(StrEnum):
    """What a scope rests on."""

    SIGNED = "signed"
    PROPOSED = "unsigned"
    CARRIED = "carried over"
    NOTHING = "nothing proposed"
    DEFAULT = "problem statement"


@dataclass(frozen=True)
class GoverningScope:
    """The scope that decides which estimates a person reviews and which homes get no price.

    Estimates from ``low`` to ``high`` (money in the market's currency) need no review for their price. Those beyond do,
    but where nobody signed a scope drawn from tests: there a note says that their accuracy is not shown yet. Homes of a
    type or in an area left out get no price if the scope is signed; else a person reviews the estimate.
    """

    low: float
    high: float
    basis: ScopeBasis
    types_left_out: tuple[str, ...] = ()
    areas_left_out: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether no price is in scope, so that a person reviews every estimate."""
        return self.basis is ScopeBasis.NOTHING

    @property
    def name(self) -> str:
        """The scope's name in a sentence: "the signed scope", "the proposed scope (unsigned)"."""
        return {
            ScopeBasis.SIGNED: "the signed scope",
            ScopeBasis.PROPOSED: "the proposed scope (unsigned)",
            ScopeBasis.CARRIED: "the scope carried over (unsigned)",
            ScopeBasis.NOTHING: NO_PRICES,
            ScopeBasis.DEFAULT: "the standard prices",
        }[self.basis]

    def agent_words(self, currency: str) -> str:
        """Say to an agent which prices need review, or are not proven where nobody signed, and which homes get none.

        "Approved for prices from $200K to $1.2M; beyond, a price needs review. No price for: condo."
        """
        if self.is_empty:
            return f"{NO_PRICES[:1].upper()}{NO_PRICES[1:]}: every price needs review."
        left_out = left_out_words(self.types_left_out, self.areas_left_out)
        prices = f"from {money_short(self.low, currency)} to {money_short(self.high, currency)}"
        # A signature is a decision, which its test may not bear out.
        beyond, none = {
            ScopeBasis.SIGNED: (f"Approved for prices {prices}; beyond, a price needs review.", "No price for"),
            ScopeBasis.DEFAULT: (f"Standard prices run {prices}; beyond, a price needs review.", _REVIEWED),
        }.get(self.basis, (f"Shown to be accurate enough for prices {prices}, beyond not yet (unsigned).", _REVIEWED))
        return f"{beyond} {none}: {left_out}." if left_out else beyond

    def words(self, currency: str) -> str:
        """Return the scope in words: "$200K to $1.2M, without condo (unsigned)"."""
        if self.is_empty:
            return f"none; {NO_PRICES}"
        left_out = left_out_words(self.types_left_out, self.areas_left_out)
        until = ": until it is signed, homes left out get a price for review" if left_out else ""
        status = {
            ScopeBasis.SIGNED: "signed",
            ScopeBasis.PROPOSED: f"unsigned{until}",
            ScopeBasis.CARRIED: f"{CARRIED_OVER}; unsigned{until}",
            ScopeBasis.DEFAULT: "standard prices, nothing signed or proposed",
        }[self.basis]
        return f"{money_range(self.low, self.high, currency)}{f', without {left_out}' if left_out else ''} ({status})"


NOTHING_PROPOSED: Final = GoverningScope(math.inf, -math.inf, ScopeBasis.NOTHING)
"""What governs where a test proposes nothing: no price lies in it."""


def standard_prices(bundle: Bundle, problem: Problem) -> GoverningScope:
    """Return the standard prices of a market whose scope nobody has proposed or signed.

    They are the currency's setting if it holds the market's median price, else quantiles of the market's own training
    prices: bounds drawn for other times or places would call most of the market luxury.
    """
    quantiles, fixed = bundle.model.profile.price_quantiles, problem.scope.price.get(bundle.currency)
    if fixed is not None and fixed.standard_low <= quantiles[MEDIAN] <= fixed.standard_high:
        return GoverningScope(fixed.standard_low, fixed.standard_high, ScopeBasis.DEFAULT)
    elsewhere = problem.scope.elsewhere
    low, high = quantiles[elsewhere.low_quantile], quantiles[elsewhere.high_quantile]
    return GoverningScope(low, high, ScopeBasis.DEFAULT)


def left_out_words(types: tuple[str, ...], areas: tuple[str, ...]) -> str:
    """Name what a scope leaves out: "condo, 98118 and 98178", the first few areas by name; "" for nothing."""
    shown = areas if len(areas) <= _NAMED_MAX else areas[: _NAMED_MAX - 1]
    rest = [f"{len(areas) - len(shown)} more areas"] if len(shown) < len(areas) else []
    names = [*(kind.replace("_", " ") for kind in types), *shown, *rest]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


@dataclass(frozen=True)
class ProposedScope:
    """A contiguous range of *estimates*, in money, in which the model may be used without reviewing each price.

    ``low`` and ``high`` are missing if no range meets the target. Homes of the types and in the areas left out are
    outside at any price. ``inside`` and ``outside`` are the MAPE, with its 95% interval (Student's), of the priced
    sales inside and outside; ``share`` is the share inside. ``missed`` names the prices, types and areas inside that
    surely miss the target, however good the others are, and ``untested`` the prices inside that lie beyond all test
    sales.
    """

    low: float
    high: float
    target: float
    inside: Figure
    outside: Figure
    share: float
    currency: str
    types_left_out: tuple[str, ...] = ()
    areas_left_out: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    untested: str = ""

    @property
    def found(self) -> bool:
        """Whether any range meets the target."""
        return bool(np.isfinite(self.low))

    @property
    def words(self) -> str:
        """The proposal in plain words."""
        if not self.found:
            return f"Do not deploy without review: {nothing_proven(self.target)}."
        bounds = f"{money_short(self.low, self.currency)} to {money_short(self.high, self.currency)}"
        error = f"mean error {percent(self.inside.value, 1)}"
        held = (
            f"{percent(self.share)} of test sales, {error}, at most {percent(self.inside.high, 1)}"
            if math.isfinite(self.inside.high)
            else f"only {count(self.inside.n, 'test sale')}, {error}"
        )
        rest = (
            f"review the rest (mean error {percent(self.outside.value, 1)} of {count(self.outside.n, 'sale')})"
            if self.outside.n
            else "no test sale was estimated outside"
        )
        left_out = left_out_words(self.types_left_out, self.areas_left_out)
        without = f" No price for {left_out}." if left_out else ""
        return f"Use it for estimates from {bounds} ({held}); {rest}.{without}"

    def governing(self, basis: ScopeBasis) -> GoverningScope:
        """Return the scope as estimates are judged by it."""
        return GoverningScope(self.low, self.high, basis, self.types_left_out, self.areas_left_out)


def propose_scope(scored: ScoredSales, problem: Problem) -> ProposedScope:
    """Find the widest range, by number of sales, that the evidence supports.

    Property types and areas of at least estimate.small_sample_n sales whose MAPE surely misses the target are left out
    first. The other priced sales are cut by their estimate, which is known before a home sells, into up to twenty bands
    of equal size with rounded bounds. A range of adjacent bands is supported if the upper bound of its MAPE is within
    the target and none of its bands alone misses the target, so that good bands do not hide bad ones. Each band has at
    least estimate.small_sample_n sales.
    """
    table, target, smallest = scored.priced, problem.success.target_mape, problem.estimate.small_sample_n
    types, areas = _groups_left_out(scored, problem)
    kept = table[~_left_out(scored, types, areas)]
    estimate, size = kept["estimate"].to_numpy(dtype=float), error(kept).abs().to_numpy(dtype=float)
    edges = _edges(estimate, smallest)
    place = np.clip(np.searchsorted(edges, estimate, side="right") - 1, 0, max(len(edges) - 2, 0))
    chosen = _widest(place, size, len(edges) - 1, target) if len(edges) > 1 else None
    if chosen is None:
        nothing = np.zeros(len(table), dtype=bool)
        return _proposal(scored, np.nan, np.nan, nothing, (), (), target)
    low, high = float(edges[chosen[0]]), float(edges[chosen[1]])
    # The bands include their lower bound, the last of all also its upper one.
    below = table["estimate"] <= high if chosen[1] == len(edges) - 1 else table["estimate"] < high
    held = ((table["estimate"] >= low) & below).to_numpy() & ~_left_out(scored, types, areas)
    return _proposal(scored, low, high, held, types, areas, target)


def is_enough_for_a_scope(scored: ScoredSales, problem: Problem) -> bool:
    """Tell whether a test has enough priced sales to draw a scope from: twenty bands of estimate.small_sample_n."""
    return len(scored.priced) >= _BANDS * problem.estimate.small_sample_n


def carried_scope(before: GoverningScope, scored: ScoredSales, problem: Problem) -> GoverningScope | None:
    """Return the scope of an earlier model as far as a small test of a new one does not disprove it.

    A challenger is tested on the sales of a month or two, too few to prove a wide scope anew. Left out are the types
    and areas left out before and those that surely miss the target in this test; prices end where the mean error of a
    band is above the target by two standard errors. None if the test disproves all.
    """
    target, smallest = problem.success.target_mape, problem.estimate.small_sample_n
    types, areas = _groups_left_out(scored, problem, before.types_left_out, before.areas_left_out)
    kept = scored.priced[~_left_out(scored, types, areas)]
    if kept.empty and len(scored.priced):
        return None
    edges = _edges(kept["estimate"].to_numpy(dtype=float), smallest)
    run = _longest_not_disproved(kept, edges, target) if len(edges) > 1 else (0, 0)
    if run is None:
        return None
    first, end = run
    low = max(before.low, edges[first]) if first else before.low
    high = min(before.high, edges[end]) if end < len(edges) - 1 else before.high
    return GoverningScope(float(low), float(high), ScopeBasis.CARRIED, types, areas) if low < high else None


def _longest_not_disproved(kept: pd.DataFrame, edges: Floats, target: float) -> tuple[int, int] | None:
    """Return first and end of the adjacent bands with most sales of which none surely misses the target."""
    place = np.clip(np.searchsorted(edges, kept["estimate"].to_numpy(dtype=float), side="right") - 1, 0, len(edges) - 2)
    bands = error(kept).abs().groupby(place)
    held = (bands.mean() - _DISPROVED * bands.std() / np.sqrt(bands.size()) <= target).to_numpy()
    runs = (np.diff(held, prepend=~held[:1]).cumsum())[held]
    if not len(runs):
        return None
    most = bands.size()[held].groupby(runs).sum().idxmax()
    found = np.flatnonzero(held)[runs == most]
    return int(found[0]), int(found[-1]) + 1


def share_outside(scope: GoverningScope | None, scored: ScoredSales) -> float:
    """Return the share of priced sales that a scope, else the standard prices, flags or withholds; NaN without any."""
    if scope is None:
        scope = GoverningScope(scored.terms.standard_low, scored.terms.standard_high, ScopeBasis.DEFAULT)
    within = scored.priced["estimate"].between(scope.low, scope.high).to_numpy()
    held = within & ~_left_out(scored, scope.types_left_out, scope.areas_left_out)
    return 1.0 - float(held.mean()) if len(held) else math.nan


def supports(
    scored: ScoredSales,
    low: float,
    high: float,
    problem: Problem,
    types_left_out: tuple[str, ...] = (),
    areas_left_out: tuple[str, ...] = (),
) -> ProposedScope:
    """Return the evidence for a scope that a person chose instead, bounds included.

    It must hold for each part of the scope as for a proposal: the average over many usual homes says nothing of a few
    dear ones, and no sale speaks for prices beyond them all.
    """
    kept = ~_left_out(scored, types_left_out, areas_left_out)
    held = scored.priced["estimate"].between(low, high).to_numpy() & kept
    found = _proposal(scored, low, high, held, types_left_out, areas_left_out, problem.success.target_mape)
    estimate = scored.priced["estimate"].to_numpy(dtype=float)
    smallest = problem.estimate.small_sample_n
    bands = _bands_within(estimate[kept], estimate[held], (low, high), smallest)
    missed = (*_bands_missed(scored.priced[held], bands, found, smallest), *_groups_missed(scored, held, problem))
    return replace(found, missed=missed, untested=_untested(estimate[kept], found))


def _bands_within(all_estimates: Floats, inside: Floats, ends: tuple[float, float], smallest: int) -> Floats:
    """Return the edges of the bands that a proposal is drawn from, cut to a scope and with enough sales each."""
    low, high = ends
    edges = _edges(all_estimates, smallest)
    return _merged(inside, np.array([low, *edges[(edges > low) & (edges < high)], high]), smallest)


def _bands_missed(inside: pd.DataFrame, edges: Floats, found: ProposedScope, smallest: int) -> Iterator[str]:
    """Name the prices of neighboring bands that surely miss the target, with their mean error and its lower bound."""
    place = np.clip(np.searchsorted(edges, inside["estimate"], side="right") - 1, 0, len(edges) - 2)
    size = error(inside).abs().to_numpy(dtype=float)
    figures = [_mape(size[place == band]) for band in range(len(edges) - 1)]
    surely = [one.n >= smallest and one.low > found.target for one in figures]
    for missed, run in itertools.groupby(range(len(figures)), surely.__getitem__):
        if missed:
            bands = list(run)
            first, last = bands[0], bands[-1]
            prices = money_range(edges[first], edges[last + 1], found.currency)
            yield _missed_words(prices, size[(place >= first) & (place <= last)])


def _groups_missed(scored: ScoredSales, held: Bools, problem: Problem) -> Iterator[str]:
    """Name the property types and areas inside a scope that surely miss the target."""
    inside = scored.priced[held]
    for column in filter(None, ("property_type", scored.area)):
        for name in _missing_target(inside, column, problem.success.target_mape, problem.estimate.small_sample_n):
            size = error(inside[inside[column].astype(str) == name]).abs().to_numpy(dtype=float)
            yield _missed_words(name.replace("_", " "), size)


def _missed_words(name: str, size: Floats) -> str:
    figure = _mape(size)
    return f"{name} ({percent(figure.value, 1)} for {count(figure.n, 'sale')}, at least {percent(figure.low, 1)})"


def _untested(tested: Floats, found: ProposedScope) -> str:
    """Name a scope's prices beyond the lowest and the highest estimate of all test sales, both rounded outward."""
    if not len(tested):
        return ""
    first, last = _rounded_down(float(tested.min())), _rounded_up(float(tested.max()))
    below = f"below {money_short(first, found.currency)}" if found.low < first else ""
    above = f"above {money_short(last, found.currency)}" if found.high > last else ""
    return " or ".join(filter(None, (below, above)))


def _proposal(
    scored: ScoredSales,
    low: float,
    high: float,
    held: Bools,
    types: tuple[str, ...],
    areas: tuple[str, ...],
    target: float,
) -> ProposedScope:
    size = error(scored.priced).abs().to_numpy(dtype=float)
    share = float(held.mean()) if len(held) else np.nan
    currency = scored.terms.currency
    return ProposedScope(low, high, target, _mape(size[held]), _mape(size[~held]), share, currency, types, areas)


def _groups_left_out(
    scored: ScoredSales, problem: Problem, types: tuple[str, ...] = (), areas: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the types and areas to leave out: those given, and those that surely miss the target.

    Areas are judged without the types left out, so that a bad type does not cost the areas where it is common.
    """
    target, smallest = problem.success.target_mape, problem.estimate.small_sample_n
    kinds = tuple(sorted({*types, *_missing_target(scored.priced, "property_type", target, smallest)}))
    others = scored.priced[~_left_out(scored, kinds, ())]
    return kinds, tuple(sorted({*areas, *_missing_target(others, scored.area, target, smallest)}))


def _missing_target(table: pd.DataFrame, column: str | None, target: float, smallest: int) -> tuple[str, ...]:
    """Return the values of a column whose sales surely miss the target on average, in alphabetical order."""
    if column is None or table.empty:
        return ()
    groups = error(table).abs().groupby(table[column])
    surely = groups.mean() - _SURELY * groups.std() / np.sqrt(groups.size()) > target
    return tuple(sorted(map(str, surely.index[surely & (groups.size() >= smallest)])))


def _left_out(scored: ScoredSales, types: tuple[str, ...], areas: tuple[str, ...]) -> Bools:
    table = scored.priced
    left_out = table["property_type"].isin(types).to_numpy()
    if scored.area is not None:
        left_out = left_out | table[scored.area].isin(areas).to_numpy()
    return np.asarray(left_out, dtype=bool)


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
    return half_up(price, _step(price))


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
