"""The nearest sales that may be used for a home, and their combined evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from scipy.spatial import cKDTree

from core.arrays import Bools, Floats, Ints, distinct

_OVERSAMPLE: Final = 4
# One extra for a sale that may not be used, one to see whether the last of the others is apart from the next.
_SPARE: Final = 2
# A home valued after this share of the indexed sales probably finds all its neighbors among the nearest few.
_MOST: Final = 0.97
_SOFTENING_KM: Final = 0.3
# From this size, a search on all processors saves more than starting its threads costs; the answer is the same.
_MANY: Final = 2_000

SUMMARY: Final = ("level", "spread", "few", "first_km", "last_km", "sales")
"""What ``summarise`` returns of each home's neighbors, in this order."""


class Rule(StrEnum):
    """Which sales may be used for a home."""

    EARLIER = "only sales before its own date"  # production, and every split by time
    OTHERS = "any other training sale"  # the premise of a random split


@dataclass(frozen=True)
class Nearest:
    """Neighbors of n homes, each array of shape (n, k), nearest first: positions in the index, km, and ``allowed``.

    If fewer than k sales may be used, others fill the row with ``allowed`` false.
    """

    position: Ints
    distance: Floats
    allowed: Bools

    def first(self, count: int) -> Nearest:
        """Return the nearest ``count`` of each home, allowed ones first."""
        if self.allowed[:, :count].all():
            return Nearest(self.position[:, :count], self.distance[:, :count], self.allowed[:, :count])
        order = np.argsort(~self.allowed, axis=1, kind="stable")[:, :count]
        # Of one home this takes a third of the time of take_along_axis.
        homes = np.arange(len(order))[:, None]
        return Nearest(self.position[homes, order], self.distance[homes, order], self.allowed[homes, order])

    def of(self, homes: Ints | Bools) -> Nearest:
        """Return the neighbors of some of the homes."""
        return Nearest(self.position[homes], self.distance[homes], self.allowed[homes])

    def below(self, other: Nearest) -> Nearest:
        """Return the neighbors of the other homes followed by these; both have the same k."""
        return Nearest(
            np.concatenate([other.position, self.position]),
            np.concatenate([other.distance, self.distance]),
            np.concatenate([other.allowed, self.allowed]),
        )


class NeighbourIndex:
    """Sales at their places (km along any number of axes), with the training row and day of each."""

    def __init__(self, places: Floats, rows: Ints, days: Floats) -> None:
        self.rows, self.days = rows, days
        self.tree = cKDTree(places)
        self.late = float(np.quantile(days, _MOST)) if len(days) else np.inf

    def __len__(self) -> int:
        return len(self.rows)

    def nearest(self, places: Floats, days: Floats, own: Ints, rule: Rule, count: int) -> Nearest:
        """Find ``count`` sales that may be used for each home; ``own`` is its training row, -1 for a new subject."""
        wanted = min(count + 1 if rule is Rule.OTHERS else count * _OVERSAMPLE, len(self))
        late = days > self.late
        if rule is Rule.OTHERS or wanted <= count + _SPARE or not late.any():
            return self._search(places, days, own, rule, wanted).first(count)
        # Late homes need few candidates, if enough are allowed and no two are equally far: the order of ties may depend
        # on how many are sought.
        few = self._search(places[late], days[late], own[late], rule, count + _SPARE)
        enough = few.allowed[:, :-1].sum(axis=1) >= count
        enough &= (np.diff(few.distance, axis=1) > 0).all(axis=1)
        if late.all() and enough.all():
            return few.first(count)
        rest = np.ones(len(days), dtype=bool)
        rest[np.flatnonzero(late)[enough]] = False
        many = self._search(places[rest], days[rest], own[rest], rule, wanted)
        order = np.argsort(np.concatenate([np.flatnonzero(~rest), np.flatnonzero(rest)]))
        return many.first(count).below(few.of(enough).first(count)).of(order)

    def earlier(self, place: Floats, day: float, count: int) -> tuple[Ints, Floats]:
        """Find the nearest sales before ``day`` of one place (axes,): positions and km, (k,), k < count if no more."""
        few = self.nearest(place[None], np.array([day]), np.array([-1]), Rule.EARLIER, count)
        if few.allowed.shape[1] == count and few.allowed.all():
            return few.position[0], few.distance[0]
        before = np.flatnonzero(self.days < day)
        distance = np.sqrt(((self.tree.data[before] - place) ** 2).sum(axis=1))
        order = np.argsort(distance, kind="stable")[:count]
        return before[order], distance[order]

    def _search(self, places: Floats, days: Floats, own: Ints, rule: Rule, wanted: int) -> Nearest:
        ranks = np.arange(1, wanted + 1)
        if len(places) >= _MANY:
            distance, found = self.tree.query(places, k=ranks, workers=-1)
        else:
            # Of the homes that explain one price, many stand at one place.
            once, which = distinct(places)
            distance, found = (of_each[which] for of_each in self.tree.query(places[once], k=ranks))
        allowed = self.rows[found] != own[:, None]
        if rule is Rule.EARLIER:
            allowed &= self.days[found] < days[:, None]
        return Nearest(found, distance, allowed)


def summarise(level: Floats, nearest: Nearest, few: int) -> Floats:
    """Return level, spread, level of the nearest ``few``, first and last distance and number of neighbors, (n, 6).

    ``level``, shape (n, k), is each neighbor's level; nearer ones have more weight. Without neighbors, everything but
    the number is missing.
    """
    weight = nearest.allowed / (nearest.distance + _SOFTENING_KM)
    total = weight.sum(axis=1)
    some = total > 0
    safe = np.where(some, total, 1.0)
    mean = (weight * level).sum(axis=1) / safe
    spread = np.sqrt((weight * (level - mean[:, None]) ** 2).sum(axis=1) / safe)
    few = min(few, level.shape[1])
    closest = np.where(nearest.allowed[:, :few].all(axis=1), level[:, :few].mean(axis=1), np.nan)
    count = nearest.allowed.sum(axis=1)
    last = nearest.distance[np.arange(len(count)), np.maximum(count - 1, 0)]
    table = np.column_stack([mean, spread, closest, nearest.distance[:, 0], last, count.astype(float)])
    table[~some, :-1] = np.nan
    return table
