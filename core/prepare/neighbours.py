"""The nearest sales that may speak for a home, and what they say together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

_OVERSAMPLE: Final = 4
_SOFTENING_KM: Final = 0.3
# From here on a search on all processors saves more than starting its threads costs; the answer is the same.
_MANY: Final = 2_000

SUMMARY: Final = ("level", "spread", "few", "first_km", "last_km", "sales")
"""What ``summarise`` returns of each home's neighbours, in this order."""


class Rule(StrEnum):
    """Which sales may speak for a home."""

    EARLIER = "only sales before its own date"  # production, and every split by time
    OTHERS = "any other training sale"  # the premise of a random split


@dataclass(frozen=True)
class Nearest:
    """Neighbours of n homes, each array of shape (n, k), nearest first: positions in the index, km, and who may speak.

    Where fewer than k sales may speak, the others fill the row with ``allowed`` false.
    """

    position: Rows
    distance: Floats
    allowed: Mask


class NeighbourIndex:
    """Sales at their places (km along any number of axes), with the training row and day of each."""

    def __init__(self, places: Floats, rows: Rows, days: Floats) -> None:
        self.rows, self.days = rows, days
        self.tree = cKDTree(places)

    def __len__(self) -> int:
        return len(self.rows)

    def nearest(self, places: Floats, days: Floats, own: Rows, rule: Rule, count: int) -> Nearest:
        """Find ``count`` sales that may speak for each home; ``own`` is its training row, -1 for a new subject."""
        wanted = count + 1 if rule is Rule.OTHERS else count * _OVERSAMPLE
        workers = -1 if len(places) >= _MANY else 1
        distance, found = self.tree.query(places, k=np.arange(1, min(wanted, len(self)) + 1), workers=workers)
        allowed = self.rows[found] != own[:, None]
        if rule is Rule.EARLIER:
            allowed &= self.days[found] < days[:, None]
        order = np.argsort(~allowed, axis=1, kind="stable")[:, :count]
        return Nearest(*(np.take_along_axis(table, order, axis=1) for table in (found, distance, allowed)))


def summarise(level: Floats, nearest: Nearest, few: int) -> Floats:
    """Return level, spread, level of the nearest ``few``, first and last distance and number of neighbours, (n, 6).

    ``level``, shape (n, k), is what each neighbour says; the nearer weigh more. Without neighbours all but the number
    are missing.
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
    last = np.take_along_axis(nearest.distance, np.maximum(count - 1, 0)[:, None], axis=1)[:, 0]
    table = np.column_stack([mean, spread, closest, nearest.distance[:, 0], last, count.astype(float)])
    table[~some, :-1] = np.nan
    return table
