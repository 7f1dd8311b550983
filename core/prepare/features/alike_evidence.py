"""Evidence from the most similar sales: neighbors in place, size, quality, age and time combined, leak-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from core.arrays import Floats, Ints
from core.prepare.features.alike_areas import keep_alike
from core.prepare.features.area_evidence import EvidenceStep, log_size
from core.prepare.features.columns import Columns, size, words
from core.prepare.features.derived import days_since_2000
from core.prepare.features.neighbours import SUMMARY, NeighbourIndex, Rule, summarise

# Kilometers that a difference of one unit counts for: a doubling of size (0.7 in logs) counts like two kilometers, a
# step of construction grade like 0.6, a decade of age like 0.2. Set by appraisal judgment, not learned from prices, so
# that no price can influence the choice of comparables.
_KM_PER_UNIT: Final = {"grade": 0.6, "effective_age": 0.02, "bedrooms": 0.2, "bathrooms": 0.2, "condition": 0.2}
_KM_PER_LOG: Final = {"living_area_sqft": 3.0, "lot_area_sqft": 0.5}
_KM_OTHER_TYPE: Final = 2.0
KM_PER_YEAR: Final = 0.5
# The second look weights similarity a third as much: homes that are nearer but less similar.
_LOOKS: Final = {"alike": 1.0, "near_alike": 1.0 / 3.0}
_NEIGHBOURS: Final = 12
_FEW: Final = 4
# A home 10% larger sells for about 6% more: the usual size elasticity within a neighborhood.
_SIZE_ELASTICITY: Final = 0.6


@dataclass(frozen=True)
class Comparables:
    """The sales most similar to a home, nearest first, each array of shape (k,).

    ``rows`` are their positions among the evidence sales; ``distance`` is their similarity distance in kilometers: of
    place, and of what differences in size, quality, age, type and time count for.
    """

    rows: Ints
    distance: Floats


NO_COMPARABLES: Final = Comparables(np.empty(0, dtype=np.int64), np.empty(0))


class AlikeEvidence(EvidenceStep):
    """Prices of the most similar other sales, adjusted to the subject's size and the market's trend at its date.

    Needs the columns DerivedFacts adds and, to keep sales, also their ``trend``. Markets without coordinates get no
    columns; there, comparables are chosen by the smallest area shared instead of by distance. Columns per look:
    ``<look>_level``, ``_spread``, ``_few``, ``_first_km``, ``_last_km``.
    """

    def fit(self, X: Columns, y: Floats) -> Self:
        """Learn the property types that count as axes, and keep the training sales as comparables."""
        kinds = set(words(X, "property_type", "")) - {""} if self._typed() else set()
        self.kinds_ = sorted(str(kind) for kind in kinds)
        return super().fit(X, y)

    def keep(self, X: Columns, y: Floats) -> Self:
        """Replace the comparables with these sales."""
        if not self.facts.located:
            self.alike_areas_ = keep_alike(self._places(X)["alike"], X, self.facts)
            return self
        level = np.asarray(y, dtype=float) - X["trend"]
        places = self._places(X)
        usable = np.isfinite(level) & np.isfinite(places["alike"]).all(axis=1)
        rows, days = np.flatnonzero(usable), days_since_2000(X["sale_date"])[usable]
        self.level_, self.size_ = level[usable], log_size(X, self.facts)[usable]
        self.indexes_ = {look: NeighbourIndex(place[usable], rows, days) for look, place in places.items()}
        return self

    def evidence(self, X: Columns, own: Ints) -> Columns:
        """Return the evidence of the most similar sales about each home, by look."""
        columns: Columns = {}
        if self.facts.located:
            days, sizes = days_since_2000(X["sale_date"]), log_size(X, self.facts)
            for look, place in self._places(X).items():
                columns |= self._look(look, place, days, sizes, own)
        return columns

    def comparables(self, X: Columns, count: int) -> Comparables:
        """Return the ``count`` usable sales most similar to the one home in ``X``.

        Fewer if there are no more; none if a compared fact of this home is unknown.
        """
        place = self._places(X)["alike"][0]
        if not self.facts.located:
            day = days_since_2000(X["sale_date"])[0] if self.rule is Rule.EARLIER else np.inf
            return Comparables(*self.alike_areas_.nearest(place, X, day, count))
        if not np.isfinite(place).all() or not len(self.indexes_["alike"]):
            return NO_COMPARABLES
        index = self.indexes_["alike"]
        day = days_since_2000(X["sale_date"])[0] if self.rule is Rule.EARLIER else np.inf
        found, distance = index.earlier(place, day, count)
        return Comparables(index.rows[found], distance)

    def _look(self, look: str, place: Floats, days: Floats, sizes: Floats, own: Ints) -> Columns:
        table = np.full((len(place), len(SUMMARY)), np.nan)
        found, index = np.isfinite(place).all(axis=1), self.indexes_[look]
        if found.any() and len(index):
            nearest = index.nearest(place[found], days[found], own[found], self.rule, _NEIGHBOURS)
            larger = self.size_[nearest.position] - sizes[found][:, None]
            table[found] = summarise(self.level_[nearest.position] - _SIZE_ELASTICITY * larger, nearest, _FEW)
        return {f"{look}_{name}": table[:, position] for position, name in enumerate(SUMMARY[:-1])}

    def _typed(self) -> bool:
        return "property_type" in self.facts.categorical

    def _places(self, X: Columns) -> dict[str, Floats]:
        """Return each home's place by look, shape (n, axes): where, when, and how it is."""
        days = days_since_2000(X["sale_date"])
        axes = [days / 365.25 * KM_PER_YEAR]
        axes = [X["east_km"], X["north_km"], *axes] if self.facts.located else axes
        fixed = len(axes)
        axes += [X[name] * weight for name, weight in _KM_PER_UNIT.items() if name in X]
        axes += [np.log1p(X[name]) * weight for name, weight in _KM_PER_LOG.items() if name in X]
        if self._typed():
            kinds = words(X, "property_type", "")
            axes += [(kinds == kind) * (_KM_OTHER_TYPE / np.sqrt(2)) for kind in self.kinds_]
        place = np.empty((size(X), len(axes)))
        for position, axis in enumerate(axes):
            place[:, position] = axis
        places = {}
        for look, scale in _LOOKS.items():
            places[look] = place.copy()
            places[look][:, fixed:] *= scale
        return places
