"""Figures of the homes around a home, such as their mean living area: its place tells them, and no agent finds out."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.spatial import cKDTree

from core.arrays import Floats, Ints, drawn
from core.prepare.features.columns import Columns
from core.prepare.features.facts import COORDINATES, FactColumns
from core.prepare.features.projection import Projection
from core.schema import is_extra

# Share of the variance that the mean of the four nearest places explains, in King County's 21,613 sales: of the mean
# living area of the 15 nearest homes 0.73, of their mean lot 0.71; of what a home itself has at most 0.44 (construction
# grade, year built, view), and 0.52 of its lot, 0.64 of its price. With 5,000 sales it is 0.54 of the mean living area:
# so small a market asks as before.
_SHARE_MIN: Final = 2 / 3
_NEAREST: Final = 4
_PLACES_MAX: Final = 4_000
_PLACES_MIN: Final = 200
# Homes within some ten meters are one place: those of a building share its facts, which an agent can find out.
_DECIMALS: Final = 4
# A few huge lots would be most of the variance of all.
_USUAL: Final = (0.01, 0.99)
# What is the same in neighboring places is a fact they were built with, as the year of an estate: a mean of homes
# around differs a little from place to place.
_SAME_MAX: Final = 0.5


def figures_around(facts: FactColumns, sales: Columns) -> frozenset[str]:
    """Return the market's own numeric facts that the place of a home nearly determines; none without coordinates."""
    names = [name for name in facts.numeric if is_extra(name) and name in sales]
    if not names or not facts.located or not {*COORDINATES} <= {*sales}:
        return frozenset()
    degrees = np.column_stack([sales[name].astype(float) for name in COORDINATES])
    located = np.flatnonzero(np.isfinite(degrees).all(axis=1))
    spots, place = np.unique(degrees[located].round(_DECIMALS), axis=0, return_inverse=True)
    if len(spots) < _PLACES_MIN:
        return frozenset()
    where = dict(zip(COORDINATES, spots.T, strict=True))
    at = np.column_stack(Projection(*spots.mean(axis=0).tolist()).kilometres(where))
    asked = drawn(len(spots), _PLACES_MAX, 0)
    # The nearest place is the place itself.
    around = cKDTree(at).query(at[asked], k=_NEAREST + 1)[1][:, 1:]
    return frozenset(
        name
        for name in names
        if _is_around(_means(sales[name][located].astype(float), place.ravel(), len(spots)), asked, around)
    )


def _means(values: Floats, place: Ints, places: int) -> Floats:
    """Return the mean of the known values of each place, NaN without one, shape (places,)."""
    known = np.isfinite(values)
    count = np.bincount(place[known], minlength=places)
    if not known.any():
        return np.full(places, np.nan)
    usual = np.clip(values[known], *np.quantile(values[known], _USUAL))
    total = np.bincount(place[known], weights=usual, minlength=places)
    return np.divide(total, count, out=np.full(places, np.nan), where=count > 0)


def _is_around(values: Floats, asked: Ints, around: Ints) -> bool:
    """Tell whether the mean of the places ``around``, (n, nearest), explains most of the variance of those asked."""
    own, theirs = values[asked], values[around]
    known = np.isfinite(own) & np.isfinite(theirs).all(axis=1)
    if known.sum() < _PLACES_MIN or own[known].var() == 0.0:
        return False
    own, theirs = own[known], theirs[known]
    share = 1.0 - float(((own - theirs.mean(axis=1)) ** 2).mean() / own.var())
    return share >= _SHARE_MIN and float((theirs == own[:, None]).mean()) <= _SAME_MAX
