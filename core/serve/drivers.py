"""Drivers: how much each group of facts adds to the price of a typical home nearby; the amounts add up exactly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.arrays import Bools, Floats, Ints
from core.prepare.features.columns import Columns, blanks, size, stack, take
from core.prepare.features.known_facts import MARK
from core.prepare.features.own_sales import DAYS_A_YEAR, ROW, YEARS_SINCE
from core.problem import Problem
from core.serve.fact_groups import FactGroup, backward, group_of, groups_of
from core.serve.subject import Subject, Value
from core.serve.typical_home import Typical, typical_nearby
from core.train.live_model import LiveModel
from core.train.model import Model

OWN_SALE_DAY: Final = "own_sale_day"
"""The name under which a driver gives the day of the home's own earlier sale (ISO), as a fact of that group."""

OWN_SALE_PRICE: Final = "own_sale_price"
"""The name under which a driver gives what that sale brought; answers of earlier releases lack it."""

_MARK: Final = "missing_"
_NAMED_MOST: Final = 5


@dataclass(frozen=True)
class Difference:
    """A fact in which the subject differs from a typical home nearby; None means unknown."""

    name: str
    subject: Value | None
    typical: Value | None


@dataclass(frozen=True)
class Driver:
    """One reason for an estimate: ``amount`` (in whole units of currency) is what its facts add (take, if negative)."""

    group: FactGroup
    amount: float
    facts: tuple[Difference, ...]


@dataclass(frozen=True)
class Drivers:
    """From a typical home nearby to the estimate.

    ``typical`` is the estimate of a typical home in ``area`` ("zipcode 98103", or "the market" if no area is known),
    based on ``sales`` training sales; ``items`` come largest amount first. ``typical`` plus the amounts plus
    ``rounding`` equals ``point``, the estimate as shown.
    """

    area: str
    sales: int
    typical: float
    items: tuple[Driver, ...]
    rounding: float
    point: float

    def main_steps(self, rounded: Callable[[float], float]) -> MainSteps:
        """Return the five largest reasons as ``rounded`` writes money, and the rest; what is shown adds up.

        Where every reason is named, only rounding is left: the largest takes it, for it is no reason of its own.
        """
        start = rounded(self.typical)
        named = [(one, change) for one in self.items[:_NAMED_MOST] if (change := rounded(one.amount))]
        rest = self.point - start - sum(change for _, change in named)
        if named and len(named) == len(self.items):
            largest, change = named[0]
            named[0], rest = (largest, change + rest), 0.0
        return MainSteps(start, tuple(named), rest)


@dataclass(frozen=True)
class MainSteps:
    """The way from ``start``, the typical home's price, to the estimate: ``named`` reasons, then ``rest``, in money."""

    start: float
    named: tuple[tuple[Driver, float], ...]
    rest: float


@dataclass(frozen=True)
class Ways:
    """The paths from m homes to others: each step copies one more group of facts.

    ``groups`` are those in which each start differs from its end, in order. ``homes`` are the starts and all steps
    before the end: as many per start as it has groups, or only the start if both homes are equal. ``owner`` gives the
    start each home belongs to, in order.
    """

    groups: tuple[tuple[FactGroup, ...], ...]
    homes: Columns
    owner: Ints

    def split(self, prices: Floats) -> list[Floats]:
        """Split the prices of ``homes`` by start."""
        return np.split(prices, np.cumsum(np.bincount(self.owner, minlength=len(self.groups)))[:-1])


@dataclass(frozen=True)
class Compared:
    """n subjects, each with a typical home nearby; ``homes`` are the subjects as the model sees them.

    ``forward`` are the paths from the typical homes to the subjects in the order of the groups, ``back`` those in
    reverse order. ``own_prices`` are what the subjects' own earlier sales brought, (n,), missing without one.
    """

    subjects: tuple[Subject, ...]
    typical: tuple[Typical, ...]
    homes: Columns
    forward: Ways
    back: Ways
    own_prices: Floats

    @property
    def priced(self) -> tuple[Columns, Columns, Columns]:
        """The homes to price, to be stacked: the subjects, then those on the paths to them, forward and back."""
        return self.homes, self.forward.homes, self.back.homes


def ways(starts: Columns, ends: Columns, grouped: Mapping[FactGroup, tuple[str, ...]]) -> Ways:
    """Return the paths from m homes to m others, or to a single one, in the order of the groups given."""
    members = {group: _members(ends, names) for group, names in grouped.items()}
    other = _others(starts, ends, [name for names in members.values() for name in names])
    differs = np.column_stack([np.any([other[name] for name in names], axis=0) for names in members.values()])
    steps = np.maximum(differs.sum(axis=1), 1)
    owner = np.repeat(np.arange(len(differs)), steps)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(steps) - steps, steps)
    # The position of each group on its path: a home has copied the groups before its own position.
    place = np.cumsum(differs, axis=1) - 1
    end = owner if size(ends) == len(differs) else np.zeros(len(owner), dtype=np.int64)
    copied = (differs[owner] & (place[owner] < step[:, None])).T
    taken = {name: rows for names, rows in zip(members.values(), copied, strict=True) for name in names}
    # What is not known of the end says nothing of the way to it: every home on it is priced without that.
    taken |= {name: np.ones(len(owner), dtype=bool) for name in ends if name.startswith(MARK)}
    groups = tuple(tuple(group for group, own in zip(members, row, strict=True) if own) for row in differs.tolist())
    return Ways(groups, _mixed(starts, owner, ends, end, taken), owner)


def _others(starts: Columns, ends: Columns, names: Sequence[str]) -> dict[str, Bools]:
    """Return in which starts each fact is another than at the end, by name, shape (m,) each."""
    numbers = _numbers(names, starts, ends)
    found = dict(zip(numbers, _other(_rows(starts, numbers), _rows(ends, numbers)), strict=True))
    return found | {name: _other(starts[name], ends[name]) for name in names if name not in found}


def _mixed(starts: Columns, owner: Ints, ends: Columns, end: Ints, taken: Mapping[str, Bools]) -> Columns:
    """Return the starts at ``owner`` with the facts of the ends at ``end`` in the homes that have ``taken`` them."""
    numbers = _numbers([*taken], starts, ends)
    before, after = _rows(starts, numbers)[:, owner], _rows(ends, numbers)[:, end]
    found: Columns = dict(zip(numbers, np.where([taken[name] for name in numbers], after, before), strict=True))
    for name, values in starts.items():
        if name not in found:
            found[name] = values[owner]
            if name in taken and taken[name].any():
                found[name] = np.where(taken[name], ends[name][end], found[name])
    return {name: found[name] for name in starts}


def _numbers(names: Sequence[str], starts: Columns, ends: Columns) -> list[str]:
    """Return the names of numbers: of dozens of facts, all at once take a tenth of the time."""
    return [name for name in names if starts[name].dtype == ends[name].dtype == np.float64]


def _rows(homes: Columns, names: Sequence[str]) -> Floats:
    return np.array([homes[name] for name in names], dtype=float).reshape(len(names), size(homes))


def compared(model: Model, subjects: Sequence[Subject]) -> Compared:
    """Compare one or more subjects with typical homes nearby, of which the same is assumed as of the subjects.

    What a fact adds depends on the facts copied before it (a bathroom is worth more in a large home). Averaging both
    orders splits such interactions (two of the orders of a Shapley value; Štrumbelj & Kononenko 2014).
    """
    typical = tuple(typical_nearby(model, subject) for subject in subjects)
    usual = (Subject(near.facts, subject.as_of) for near, subject in zip(typical, subjects, strict=True))
    given = stack([one.columns(model.facts) for one in (*subjects, *usual)])
    filled = model.fill_for_sale(given)
    count = len(subjects)
    homes = take(filled, range(count))
    starts = _assuming(take(filled, range(count, 2 * count)), homes, take(given, range(count)), model.facts.all)
    groups = groups_of(model)
    there, back = ways(starts, homes, groups), ways(starts, homes, backward(groups))
    brought = model.own_sales.prices(homes[ROW]) if model.own_sales else np.full(count, np.nan)
    return Compared(tuple(subjects), typical, homes, there, back, brought)


def drivers(these: Compared, log_price: Floats, exact: Floats, point: Floats) -> list[Drivers]:
    """Convert the log prices of ``these.priced`` to amounts that add up to the points.

    ``exact`` and ``point`` are the estimates of the n subjects, unrounded and as shown, each of shape (n,).
    """
    parts = np.cumsum([len(these.subjects), len(these.forward.owner)])
    _, there, again = np.split(np.exp(log_price), parts)
    prices = zip(these.forward.split(there), these.back.split(again), strict=True)
    groups = zip(these.forward.groups, these.back.groups, strict=True)
    figures = zip(exact.tolist(), point.tolist(), strict=True)
    years = these.homes.get(YEARS_SINCE, np.full(len(these.subjects), np.nan)).tolist()
    own = map(_OwnSale, years, these.own_prices.tolist())
    homes = zip(these.subjects, these.typical, own, strict=True)
    return [
        _describe(tuple(zip(order, price, strict=True)), *home, *figure)
        for order, price, home, figure in zip(groups, prices, homes, figures, strict=True)
    ]


def drivers_of(live_model: LiveModel, subjects: Sequence[Subject], problem: Problem, level: float) -> list[Drivers]:
    """Return the drivers of priced homes, in order: the same as ``estimate`` gives each at ``level``."""
    if not subjects:
        return []
    these = compared(live_model.model, subjects)
    homes, count = stack(these.priced), len(subjects)
    matrix = live_model.model.matrix(homes)
    log_price = live_model.log_estimate(homes, matrix)
    tolerance = problem.success.tolerance
    priced = live_model.priced(these.homes, matrix[:count], log_price[:count], (level,), tolerance)[level]
    return drivers(these, log_price, priced.exact, priced.point)


@dataclass(frozen=True)
class _OwnSale:
    """A home's own earlier sale: the years since, and what it brought in money; both NaN without one."""

    years: float
    price: float


def _describe(
    both: Sequence[tuple[tuple[FactGroup, ...], Floats]],
    subject: Subject,
    typical: Typical,
    own: _OwnSale,
    exact: float,
    point: float,
) -> Drivers:
    """Return one home's drivers by the prices of both paths to it."""
    amounts: dict[FactGroup, float] = dict.fromkeys(both[0][0], 0.0)
    for groups, prices in both:
        for group, amount in zip(groups, np.diff([*prices, exact]), strict=bool(groups)):
            amounts[group] += float(amount) / 2
    base = float(round(both[0][1][0]))
    items = [
        Driver(group, float(round(amount)), _facts(group, subject, typical.facts, own))
        for group, amount in amounts.items()
    ]
    items.sort(key=lambda driver: (-abs(driver.amount), driver.group))
    rounding = point - base - sum(driver.amount for driver in items)
    return Drivers(typical.area, typical.sales, base, tuple(items), rounding, point)


def _assuming(starts: Columns, homes: Columns, given: Columns, names: Sequence[str]) -> Columns:
    """Return typical homes with what is assumed of the subjects, so that no fact nobody gave is a reason for a price.

    The usual fact of an area is not that of its condos, nor of a small home, for which a blank fact is filled.
    """
    starts = dict(starts)
    for name in names:
        blank = blanks(given[name])
        if blank.any():
            for column in _members(homes, (name,)):
                starts[column] = np.where(blank, homes[column], starts[column])
    return starts


def _members(home: Columns, names: Sequence[str]) -> tuple[str, ...]:
    marks = (f"{_MARK}{name}" for name in names)
    return (*(name for name in names if name in home), *(mark for mark in marks if mark in home))


def _other(values: NDArray[Any], ends: NDArray[Any]) -> Bools:
    # Two unknown values count as equal, although NaN does not equal itself.
    same: Bools = (values == ends) | ((values != values) & (ends != ends))  # noqa: PLR0124
    return ~same.astype(bool)


def _facts(group: FactGroup, subject: Subject, typical: Mapping[str, Value], own: _OwnSale) -> tuple[Difference, ...]:
    if group is FactGroup.OWN_SALE:
        sold = subject.as_of - timedelta(days=round(own.years * DAYS_A_YEAR))
        day = Difference(OWN_SALE_DAY, sold.isoformat(), None)
        # No trend is known up to the first sale, and without it no price of that day is kept.
        return (day, Difference(OWN_SALE_PRICE, float(round(own.price)), None)) if np.isfinite(own.price) else (day,)
    names = [name for name in dict.fromkeys((*subject.facts, *typical)) if group_of(name) is group]
    found = (Difference(name, subject.facts.get(name), typical.get(name)) for name in names)
    return tuple(one for one in found if one.subject is not None and one.subject != one.typical)
