"""How alike two homes are in a model's eyes: about what it would adjust between them; which sales are most alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge
from sklearn.preprocessing import OneHotEncoder, SplineTransformer

from core.arrays import Bools, Floats, Ints
from core.collect.addresses import address_key
from core.prepare.features.columns import Columns, size, take, words
from core.prepare.features.derived import days_since_2000
from core.prepare.features.facts import COORDINATES
from core.prepare.features.own_sales import home_keys
from core.serve.fact_groups import FactGroup, group_of
from core.train.live_model import LiveModel

LATELY_DAYS: Final = 365
"""Older sales are compared only where a home has too few like it within this time."""

CANDIDATES: Final = 16
"""How many sales are chosen for the model to adjust them.

The ones it adjusts least are offered. Gross adjustments of the five in use, 1,200 homes sold in King County in winter
(benchmark ``comparables``), chosen of the nearest 512 and 16 adjusted: median 11.9%, 10.5% over 25%; of 1,024 and 16,
11.7% and 9.7%; of 2,048 and 16, 11.6% and 9.1%; of 1,024 and 20, 11.4% and 8.5%, but slower.
"""
_NEAREST: Final = 1_024
# Older sales and those farther away are looked at, too, where fewer than this many are like the home.
_LIKE_IT: Final = 5
_KIND: Final = "property_type"

# More sales than these take time when a desk opens, and say little more about how a model values facts.
_SALES: Final = 1_500
_SEED: Final = 0
_KNOTS: Final = 8
# A type or area in fewer sales than this counts with the other rare ones.
_FEWEST: Final = 10
_MOST: Final = 300
_RIDGE: Final = 1.0
_DATE: Final = "sale_date"
_OTHER: Final = "a word that no sale has"
# Sums of the same adjustments in another order differ in their last digits.
_ROUNDING: Final = 1.0 + 1e-9


@dataclass(frozen=True)
class Curve:
    """What a number adds to the log estimate: ``values`` at ``knots``, straight lines between them."""

    knots: Floats
    values: Floats

    def of(self, numbers: Floats) -> Floats:
        """Return what each number adds, shape (n,)."""
        return np.interp(numbers, self.knots, self.values)


@dataclass(frozen=True)
class Table:
    """What a word adds to the log estimate; ``rest`` is what any other word does."""

    values: Mapping[str, float]
    rest: float

    def of(self, texts: NDArray[Any]) -> Floats:
        """Return what each word adds, shape (n,)."""
        return np.array([self.values.get(text, self.rest) for text in texts])


@dataclass(frozen=True)
class Likeness:
    """About how a model values homes: ``curves`` of facts that are numbers, ``tables`` of those that are words.

    The sum of what each fact adds stands in for the model's estimate. It is worked out in microseconds, so that many
    sales can be compared with a subject before the model adjusts the best of them. ``market`` is what the day adds once
    the market level is counted.
    """

    curves: Mapping[str, Curve]
    tables: Mapping[str, Table]
    market: Curve

    @property
    def names(self) -> tuple[str, ...]:
        """The facts it knows, the date of sale among them."""
        return (*self.curves, *self.tables)

    def moved(self, days: Floats, until: float) -> Floats:
        """Return how the whole market moved from each of ``days`` to ``until``, since 2000, in logs, shape (n,).

        Homes of all kinds are set beside each other with their facts, so that what sold on a day does not count; and
        straight lines of some months leave no room for what jumps from one day to the next.
        """
        change: Floats = self.market.of(np.array([until])) - self.market.of(days)
        return change

    def nearest(self, homes: Columns, subject: Columns, count: int) -> Ints:
        """Return the places of the ``count`` homes that need the least gross adjustment to one subject, in order.

        ``homes`` are sales with the facts ``names`` as the model sees them.
        """
        return np.argsort(self.gross(homes, subject), kind="stable")[:count]

    def gross(self, homes: Columns, subject: Columns) -> Floats:
        """Return about how much homes are adjusted gross to one subject, in logs, shape (n,)."""
        moves = [_moved(steps, homes, subject) for steps in self._groups]
        gross: Floats = np.sum([np.abs(one) for one in moves], axis=0)
        return gross

    def within(self, filled: Columns, rows: Ints, subject: Columns, most: float) -> Ints:
        """Return those of ``rows`` that may need no more gross adjustment to one subject than ``most``, in their order.

        A whole market is looked at fact by fact, what tells homes apart most first: the adjustments of a home add up,
        so one that is beyond ``most`` by its size alone needs no look at its other facts. A few beyond it may be left.
        """
        if not np.isfinite(most):
            return rows
        total = np.zeros(len(rows))
        for steps in sorted(self._groups, key=_look_order):
            homes = {name: filled[name][rows] for name in steps}
            total = total + np.abs(_moved(steps, homes, subject))
            keep = total <= most * _ROUNDING
            rows, total = rows[keep], total[keep]
        return rows

    @cached_property
    def _groups(self) -> tuple[_Steps, ...]:
        """The steps of the facts that are adjusted together, group by group."""
        found: dict[FactGroup | str, dict[str, Curve | Table]] = {}
        every: Mapping[str, Curve | Table] = {**self.curves, **self.tables}
        for name, step in every.items():
            found.setdefault(_DATE if name == _DATE else group_of(name), {})[name] = step
        return tuple(found.values())


_Steps = Mapping[str, Curve | Table]


def _moved(steps: _Steps, homes: Columns, subject: Columns) -> Floats:
    """Return how far the facts of one group move homes to a subject, in logs, shape (n,)."""
    gaps = [step.of(_values(subject, name)) - step.of(_values(homes, name)) for name, step in steps.items()]
    # A place that is not known tells homes apart in no way.
    first, *others = [np.where(np.isnan(gap), 0.0, gap) for gap in gaps]
    for gap in others:
        first = first + gap
    return first


def _look_order(steps: _Steps) -> tuple[bool, float]:
    """Return what orders groups of facts: numbers, which are quick to look up, first, and the widest first of all."""
    curves = [step for step in steps.values() if isinstance(step, Curve)]
    return len(curves) < len(steps), -max((float(np.ptp(step.values)) for step in curves), default=0.0)


def likeness_of(live_model: LiveModel) -> Likeness:
    """Learn about how a live model values homes from what it says of some of its sales, drawn at random.

    The prices of these sales are not looked at. Raises ValueError if the model keeps no sales.
    """
    rows = np.random.default_rng(_SEED).permutation(size(live_model.filled))[:_SALES]
    homes, facts = take(live_model.filled, np.sort(rows)), live_model.model.facts
    matrix = live_model.model.matrix(homes, np.sort(rows))
    # Which sales are alike the model says without the level, how the market moved with it.
    estimate = [live_model.model.log_estimate(matrix, level) for level in (0.0, live_model.shift(homes))]
    places = COORDINATES if facts.located else ()
    known = {name: _without_blanks(_values(homes, name)) for name in (*facts.numeric, *places, _DATE)}
    numbers = {name: _spline(values) for name, values in known.items()}
    texts = {name: _encoder(homes, name) for name in (*facts.categorical, *facts.area_codes)}
    columns = [spline.transform(known[name][:, None]) for name, spline in numbers.items()]
    columns += [encoder.transform(_values(homes, name)[:, None]) for name, encoder in texts.items()]
    of_each = Ridge(alpha=_RIDGE).fit(np.hstack(columns), np.column_stack(estimate)).coef_
    learned, at_level = (np.split(one, np.cumsum([part.shape[1] for part in columns])[:-1]) for one in of_each)
    curves = zip(numbers.items(), learned, strict=False)
    tables = zip(texts.items(), learned[len(numbers) :], strict=True)
    return Likeness(
        {name: _curve(spline, of_it) for (name, spline), of_it in curves},
        {name: _table(encoder, of_it) for (name, encoder), of_it in tables},
        _curve(numbers[_DATE], at_level[[*numbers].index(_DATE)]),
    )


def most_alike(live_model: LiveModel, likeness: Likeness | None, subject: Columns, most: float) -> Ints:
    """Return the rows of at most CANDIDATES sales most like a home (one row), of its own kind as long as there are any.

    First those near in place and time, then those of longer ago, then those of the whole market before the valuation
    date are looked at, until enough need no more gross adjustment than ``most``, a share of the price. Other kinds
    follow where the market has too few of the home's own.
    """
    near = live_model.model.comparables(subject, _NEAREST).rows
    if likeness is None or not len(near):
        return near[:CANDIDATES]
    # Each is looked up only if the one before is not enough.
    looks: tuple[Callable[[Floats], Ints], ...] = (
        lambda _: _lately(live_model, subject, near),
        lambda _: near,
        lambda of_near: _earlier(live_model, likeness, subject, near, of_near),
    )
    found, gross = near[:0], np.empty(0)
    for look in looks:
        found, gross = _ranked(live_model, likeness, subject, _same_kind(live_model, subject, look(gross)))
        if len(found) >= CANDIDATES and gross[_LIKE_IT - 1] <= most:
            break
    if len(found) < CANDIDATES:
        found = np.append(found, _ranked(live_model, likeness, subject, np.setdiff1d(near, found))[0])
    return found[:CANDIDATES]


def _ranked(live_model: LiveModel, likeness: Likeness, subject: Columns, rows: Ints) -> tuple[Ints, Floats]:
    """Return sales in the order of their gross adjustment, and about how large it is, each of shape (n,)."""
    gross = likeness.gross({name: live_model.filled[name][rows] for name in likeness.names}, subject)
    order = np.argsort(gross, kind="stable")
    return rows[order], gross[order]


def other_kind(live_model: LiveModel, rows: Ints, kind: str) -> Bools:
    """Return which sales are known to be of another kind of home than ``kind``, shape (n,); none where that is ""."""
    if not kind or _KIND not in live_model.sales:
        return np.zeros(len(rows), dtype=bool)
    kinds = _kinds(live_model, rows)
    other: Bools = (kinds != kind) & (kinds != "")
    return other


def _same_kind(live_model: LiveModel, subject: Columns, rows: Ints) -> Ints:
    """Return the sales recorded as of the home's own kind; all if it is not known."""
    if _KIND not in subject or _KIND not in live_model.sales:
        return rows
    [kind] = words(subject, _KIND, "")
    return rows[_kinds(live_model, rows) == kind] if kind else rows


def _kinds(live_model: LiveModel, rows: Ints) -> NDArray[Any]:
    """Return the kinds of sales as recorded, "" for none: one that was filled in is no reason to prefer a sale."""
    return words({_KIND: live_model.sales[_KIND][rows]}, _KIND, "")


def _lately(live_model: LiveModel, subject: Columns, rows: Ints) -> Ints:
    """Return the sales of the last months, which appraisers prefer."""
    age = (subject["sale_date"][0] - live_model.filled["sale_date"][rows]).astype("timedelta64[D]").astype(int)
    return rows[age <= LATELY_DAYS]


def _earlier(live_model: LiveModel, likeness: Likeness, subject: Columns, near: Ints, of_near: Floats) -> Ints:
    """Return the sales before the valuation date, as a later one may know what the home brings, that may be the best.

    ``of_near`` are the gross adjustments of those of the home's own kind among ``near``, in order: a sale that needs
    more than the CANDIDATES-th of them is none of the best.
    """
    is_before = live_model.filled["sale_date"] < subject["sale_date"][0]
    is_bound = len(of_near) >= CANDIDATES and bool(is_before[near].all())
    most = float(of_near[CANDIDATES - 1]) if is_bound else np.inf
    rows = _same_kind(live_model, subject, np.flatnonzero(is_before))
    return likeness.within(live_model.filled, rows, subject, most)


def _values(homes: Columns, name: str) -> NDArray[Any]:
    """Return a fact of homes: numbers and days as numbers, words without blanks."""
    if name == _DATE:
        return days_since_2000(homes[name])
    return words(homes, name, "") if homes[name].dtype == object else homes[name]


def _without_blanks(numbers: Floats) -> Floats:
    """Return numbers with the median of those known in place of the others, shape (n,)."""
    recorded = numbers[np.isfinite(numbers)]
    return np.where(np.isfinite(numbers), numbers, np.median(recorded) if len(recorded) else 0.0)


def _spline(numbers: Floats) -> SplineTransformer:
    return SplineTransformer(n_knots=_KNOTS, degree=1, knots=_knots(numbers)).fit(numbers[:, None])


def _knots(numbers: Floats) -> Floats:
    """Return knots, shape (k, 1): quantiles, or both ends of a fact that has few values."""
    found = np.unique(np.quantile(numbers, np.linspace(0, 1, _KNOTS)))
    return (found if len(found) > 1 else np.array([found[0], found[0] + 1.0]))[:, None]


def _encoder(homes: Columns, name: str) -> OneHotEncoder:
    encoder = OneHotEncoder(
        sparse_output=False, handle_unknown="infrequent_if_exist", min_frequency=_FEWEST, max_categories=_MOST
    )
    return encoder.fit(_values(homes, name)[:, None])


def _curve(spline: SplineTransformer, learned: Floats) -> Curve:
    knots = spline.bsplines_[0].t[1:-1]
    return Curve(knots, spline.transform(knots[:, None]) @ learned)


def _table(encoder: OneHotEncoder, learned: Floats) -> Table:
    [texts] = encoder.categories_
    values = encoder.transform(texts[:, None]) @ learned
    [rest] = encoder.transform(np.array([[_OTHER]], dtype=object)) @ learned
    return Table(dict(zip(texts.tolist(), values.tolist(), strict=True)), float(rest))


def newest_of_each_home(live_model: LiveModel, rows: Ints) -> Bools:
    """Return which of the sales at ``rows`` are the newest of their homes among them, shape (n,).

    Two sales are of one home if they share its property id or its address; a sale with neither is of a home of its own.
    """
    sales = live_model.sales
    ids = home_keys({name: sales[name][rows] for name in ("property_id", _DATE) if name in sales}).ids
    seen, newest = set[str](), np.zeros(len(rows), dtype=bool)
    addresses = [_address_key(address) for address in live_model.addresses(rows)]
    for number in np.argsort(sales[_DATE][rows], kind="stable")[::-1].tolist():
        names = {f"{kind}:{key}" for kind, key in (("id", ids[number]), ("at", addresses[number])) if key}
        newest[number] = not names & seen
        seen |= names
    return newest


# Each takes 30 µs to work out, and the same sales are asked about again and again.
@lru_cache(maxsize=1 << 16)
def _address_key(address: str) -> str:
    return address_key(address)
