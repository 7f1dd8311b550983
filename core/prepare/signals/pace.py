"""How fast homes sell on a day, in the whole market and by area: running means of the days from listing to sale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.arrays import Floats, Ints

WAIT_MAX: Final = 730.0
"""Homes that were for sale longer count as this many days: such a listing was forgotten or renewed."""

# A season tells how fast homes sell now, a year what is usual.
_NOW_DAYS: Final = 60.0
_USUAL_DAYS: Final = 365.0
# As many sales, weighed by their age, of an area say as much as the whole market does.
_PRIOR_SALES: Final = 5.0
# Larger than any day number, so that area and day can be sorted and searched as one number.
_CALENDAR: Final = 1e7


def waits(sold: NDArray[np.datetime64], listed: NDArray[np.datetime64]) -> Floats:
    """Return the log of 1 + days on market of each sale, shape (n,), NaN where the list date is unknown or later."""
    days = (sold.astype("datetime64[D]") - listed.astype("datetime64[D]")).astype(float)
    days[np.isnat(listed) | (days < 0)] = np.nan
    logs: Floats = np.log1p(np.minimum(days, WAIT_MAX))
    return logs


@dataclass(frozen=True)
class Pace:
    """The pace of a market, drawn from its past sales; each of its figures comes from sales before the day asked for.

    ``now`` and ``usual`` are the running means of one season and of a year, of the whole market and by area.
    """

    now: _Running
    usual: _Running

    @classmethod
    def of(cls, areas: NDArray[Any], days: Floats, wait: Floats) -> Self:
        """Draw the pace from sales with their area, day number and ``waits``, shape (n,) each."""
        return cls(_Running.of(areas, days, wait, _NOW_DAYS), _Running.of(areas, days, wait, _USUAL_DAYS))

    def on(self, areas: NDArray[Any], days: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the market's pace, how far the area's is from it, and how the area's changed, shape (n,) each.

        All are logs of days on market: a negative change means that homes sell faster than they did in the year.
        Missing up to the first sale with a list date.
        """
        market, area = self.now.on(areas, days)
        _, usual = self.usual.on(areas, days)
        return market, area - market, area - usual


@dataclass(frozen=True)
class _Running:
    """Means of values in which a value counts half as much for every ``half_life`` days of its age.

    ``keys`` are the sales' areas and days as one number, in order; ``totals`` and ``counts`` are running sums of
    weights that grow with the day, with a zero before each area's first sale, so that no area reaches into another and
    no later sale changes a digit of what was known before. Area -1 is the whole market.
    """

    position: Mapping[Any, int]
    starts: Ints
    keys: Floats
    totals: Floats
    counts: Floats
    first: float
    half_life: float

    @classmethod
    def of(cls, areas: NDArray[Any], days: Floats, values: Floats, half_life: float) -> Self:
        known = np.isfinite(values)
        codes, names = pd.factorize(areas[known], sort=True)
        # The whole market is the area after the last one.
        group = np.concatenate([codes, np.full(int(known.sum()), len(names))])
        rows = np.concatenate([np.flatnonzero(known)] * 2)[group >= 0]
        group = group[group >= 0]
        order = np.lexsort((days[rows], group))
        rows, group = rows[order], group[order]
        first = float(days[known].min()) if known.any() else 0.0
        weight = np.exp2((days[rows] - first) / half_life)
        starts = np.searchsorted(group, np.arange(len(names) + 2)).astype(np.int64)
        places = np.arange(len(rows)) + group + 1
        totals, counts = np.zeros((2, len(rows) + len(names) + 1))
        totals[places] = pd.Series(weight * values[rows]).groupby(group).cumsum().to_numpy()
        counts[places] = pd.Series(weight).groupby(group).cumsum().to_numpy()
        position = {name: number for number, name in enumerate(names)}
        return cls(position, starts, group * _CALENDAR + days[rows], totals, counts, first, half_life)

    def on(self, areas: NDArray[Any], days: Floats) -> tuple[Floats, Floats]:
        """Return the mean of the whole market and of each home's area on its day, shape (n,) each."""
        whole = len(self.starts) - 2
        total, count = self._sums(np.full(len(days), whole), days)
        market = np.divide(total, count, out=np.full(len(days), np.nan), where=count > 0)
        group = np.array([self.position.get(area, -1) for area in areas], dtype=np.int64)
        total, count = self._sums(group, days)
        return market, (total + _PRIOR_SALES * market) / (count + _PRIOR_SALES)

    def _sums(self, group: Ints, days: Floats) -> tuple[Floats, Floats]:
        known = group >= 0
        first, end = self.starts[group], self.starts[np.where(known, group, 0) + 1]
        last = np.clip(np.searchsorted(self.keys, group * _CALENDAR + days), first, end)
        place = np.where(known, last + group, 0)
        age = np.exp2((self.first - days) / self.half_life)
        return np.where(known, self.totals[place] * age, 0.0), np.where(known, self.counts[place] * age, 0.0)
