"""Drivers: what each group of facts adds to the price of a typical home nearby, in money that adds up exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.prepare.columns import Columns, stack
from core.serve.groups import FactGroup, group_of
from core.serve.subject import Subject, Value
from core.serve.typical import Typical

Floats = NDArray[np.float64]

_MARK: Final = "missing_"


@dataclass(frozen=True)
class Difference:
    """A fact in which the subject differs from a typical home nearby; None is not known."""

    name: str
    subject: Value | None
    typical: Value | None


@dataclass(frozen=True)
class Driver:
    """One reason of an estimate: ``amount`` (whole units of currency) is what these facts add, or take if negative."""

    group: FactGroup
    amount: float
    facts: tuple[Difference, ...]


@dataclass(frozen=True)
class Drivers:
    """From a typical home nearby to the estimate.

    ``typical`` is the estimate of a typical home of ``area`` ("zipcode 98103"; "the market" where no area is known),
    drawn from ``sales`` training sales; ``items`` are the largest amounts first. ``typical`` plus the amounts plus
    ``rounding`` is exactly ``point``, the estimate as shown.
    """

    area: str
    sales: int
    typical: float
    items: tuple[Driver, ...]
    rounding: float
    point: float


@dataclass(frozen=True)
class Walk:
    """The way from one home to another, one group of facts after the other taken over.

    ``groups`` are those in which the two differ; ``homes`` are the start and all before the end, which is left out:
    as many as groups, and the start alone where the two are alike.
    """

    groups: tuple[FactGroup, ...]
    homes: Columns


def walk(start: Columns, end: Columns, grouped: Mapping[FactGroup, tuple[str, ...]]) -> Walk:
    """Return the way from one home to another (one row each), in the order of the groups given."""
    differing = [(group, _members(start, names)) for group, names in grouped.items()]
    differing = [(group, names) for group, names in differing if _differ(start, end, names)]
    homes, now = [start], start
    for _, names in differing[:-1]:
        now = now | {name: end[name] for name in names}
        homes.append(now)
    return Walk(tuple(group for group, _ in differing), stack(homes))


def walks(start: Columns, end: Columns, grouped: Mapping[FactGroup, tuple[str, ...]]) -> tuple[Walk, Walk]:
    """Return the walk in the order of the groups and the one in the opposite order.

    What a fact adds depends on what was taken over before it (a bathroom is worth more in a large home); the mean of
    both orders shares such interactions (two of the orders of a Shapley value; Štrumbelj & Kononenko 2014).
    """
    return walk(start, end, grouped), walk(start, end, dict(reversed(list(grouped.items()))))


def drivers(
    both: tuple[Walk, Walk],
    prices: tuple[Floats, Floats],
    subject: Subject,
    typical: Typical,
    exact: float,
    point: float,
) -> Drivers:
    """Turn the prices of the homes on both ways, shapes (k,), into amounts that add up to the point."""
    amounts: dict[FactGroup, float] = dict.fromkeys(both[0].groups, 0.0)
    for way, price in zip(both, prices, strict=True):
        for group, amount in zip(way.groups, np.diff([*price, exact]), strict=bool(way.groups)):
            amounts[group] += float(amount) / 2
    base = float(round(prices[0][0]))
    items = [
        Driver(group, float(round(amount)), _facts(group, subject, typical.facts)) for group, amount in amounts.items()
    ]
    items.sort(key=lambda driver: (-abs(driver.amount), driver.group))
    rounding = point - base - sum(driver.amount for driver in items)
    return Drivers(typical.area, typical.sales, base, tuple(items), rounding, point)


def _members(home: Columns, names: Sequence[str]) -> tuple[str, ...]:
    marks = (f"{_MARK}{name}" for name in names)
    return (*(name for name in names if name in home), *(mark for mark in marks if mark in home))


def _differ(start: Columns, end: Columns, names: Sequence[str]) -> bool:
    return any(not _same(start[name][0], end[name][0]) for name in names)


def _same(one: object, other: object) -> bool:
    # Two unknown values are the same, though NaN is not itself.
    return one == other or (one != one and other != other)  # noqa: PLR0124


def _facts(group: FactGroup, subject: Subject, typical: Mapping[str, Value]) -> tuple[Difference, ...]:
    names = [name for name in dict.fromkeys((*subject.facts, *typical)) if group_of(name) is group]
    found = (Difference(name, subject.facts.get(name), typical.get(name)) for name in names)
    return tuple(one for one in found if one.subject is not None and one.subject != one.typical)
