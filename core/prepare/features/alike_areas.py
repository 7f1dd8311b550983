"""Similar sales where homes have no coordinates: the smaller the area two homes share, the nearer they count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats, Ints
from core.prepare.features.area_levels import area_levels
from core.prepare.features.columns import Columns
from core.prepare.features.derived import days_since_2000
from core.prepare.features.facts import FactColumns

# Kilometers that stand for the distance of two homes by what they share: the smallest area nothing, the next wider one
# one kilometer, and twice as many with each further step. Set by judgment, like the weights of other differences.
_KM_FIRST: Final = 1.0


@dataclass(frozen=True)
class AlikeAreas:
    """Sales with their places among the compared facts, (n, axes), days and areas.

    ``areas``, (n, levels), numbers each sale's area by level, the smallest first, -1 if unknown; ``numbers`` are these
    numbers by area for each level.
    """

    places: Floats
    days: Floats
    areas: Ints
    numbers: Mapping[str, Mapping[str, int]]
    facts: FactColumns

    def nearest(self, place: Floats, home: Columns, day: float, count: int) -> tuple[Ints, Floats]:
        """Return the rows and distances of the ``count`` sales before ``day`` most similar to one home."""
        if not np.isfinite(place).all():
            return np.empty(0, dtype=np.int64), np.empty(0)
        levels = area_levels(home, self.facts)
        own = np.array([known.get(levels[name][0], -2) for name, known in self.numbers.items()])
        shared = self.areas == own
        step = np.where(shared.any(axis=1), shared.argmax(axis=1), shared.shape[1])
        apart = np.where(step > 0, _KM_FIRST * 2.0 ** (step - 1), 0.0)
        gap = self.places - place
        distance = np.sqrt(np.einsum("ij,ij->i", gap, gap) + apart**2)
        usable = np.flatnonzero((self.days < day) & np.isfinite(distance))
        if len(usable) > count:
            usable = usable[distance[usable] <= np.partition(distance[usable], count)[count]]
        order = usable[np.argsort(distance[usable], kind="stable")[:count]]
        return order, distance[order]


def keep_alike(places: Floats, homes: Columns, facts: FactColumns) -> AlikeAreas:
    """Keep sales with their places among the compared facts, shape (n, axes)."""
    numbered: list[Ints] = []
    numbers: dict[str, dict[str, int]] = {}
    levels = area_levels(homes, facts)
    for name in sorted(levels, key=lambda one: -pd.Series(levels[one]).nunique()):
        codes, areas = pd.factorize(levels[name])
        numbered.append(codes.astype(np.int64))
        numbers[name] = {str(area): number for number, area in enumerate(areas)}
    areas = np.column_stack(numbered) if numbered else np.empty((len(places), 0), dtype=np.int64)
    return AlikeAreas(places, days_since_2000(homes["sale_date"]), areas, numbers, facts)
