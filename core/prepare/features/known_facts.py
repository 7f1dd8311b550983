"""Which facts of a home are known: the marks that tell a model what it must do without, and homes with facts hidden."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Bools, Floats
from core.prepare.features.columns import Columns, blanks, size
from core.prepare.features.facts import COORDINATES, FactColumns
from core.prepare.features.postal_codes import next_wider, often_new
from core.schema import NEIGHBOURHOOD_FIELDS

MARK: Final = "unknown:"
"""How the name of a mark begins: ``unknown:grade`` is 1 for a home whose grade is not known, else 0."""

_PLACE: Final = "coordinates"
# A fact that fewer of the training homes record is often missing in any home, and the model has learned that already.
# The place is another matter: its blank changes every figure of the neighbors. Melbourne, where 78% of the homes have
# coordinates, priced without them (training folds): median error 10.9%, 80% range held 77.8% by the model of complete
# records; 10.4% and 81.1% by that of unknown facts.
_USUAL_SHARE: Final = 0.9
# Most agents know either nearly all of the facts or only a few.
_HIDDEN: Final = (1.0, 0.6)
# And of some homes one fact alone: that is what most agents lack, and a share drawn at random seldom leaves it.
_SINGLE: Final = 0.25
# And of others mostly the basics are known: who says the year says the rooms. Drawn fact by fact, none of 19,000 homes
# of the simulated city had its four basic facts known and most of the other eleven hidden, as at a kitchen table.
_BASICS: Final = frozenset({"property_type", "bedrooms", "bathrooms", "year_built", "lot_area_sqft"})
_BASICS_APART: Final = 0.25
# And of others the basics are all that is known, or all but one of them: what a seller says at the first call. Drawn
# otherwise, hardly one home in fifty was like that. 80% ranges of such homes in a simulated city held 83.5% of 3,947
# held out; with these homes drawn, 81.5%.
_BASICS_ALONE: Final = 0.1
_ONE_BASIC_LESS: Final = 0.5
# And of some of those without any place, the wider area that the postal code names is known: "2314" of "2314 ED". Of
# others, that alone is not known better.
_WIDER_SHARE: Final = 0.3
_WIDER_ALONE: Final = 0.1
_CODE: Final = "zipcode"
_AREA_FIGURES: Final = frozenset(field.name for field in NEIGHBOURHOOD_FIELDS)


@dataclass(frozen=True)
class KnownFacts:
    """The facts an agent may not know, by name; ``usual`` are those nearly every training home records, and the place.

    Coordinates count as one fact. Left out are the facts without which there is no price, figures of a neighborhood,
    which follow from the place, and the year of a renovation, of which a blank says that there was none.

    ``postal_codes`` are those of the training homes, where new homes often lie in others and have coordinates. Without
    coordinates a home in any other code counts as one whose code is unknown: only the wider area says where it is.
    """

    columns: tuple[tuple[str, tuple[str, ...]], ...]
    usual: tuple[str, ...]
    codes: tuple[str, ...]
    postal_codes: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the facts, in the order of the marks."""
        return tuple(name for name, _ in self.columns)

    def marks(self, homes: Columns) -> Columns:
        """Return a mark for each fact, by the name of its column: 1 where a home lacks it, as arrays of shape (n,)."""
        missing = {name: _missing(homes, columns) for name, columns in self.columns}
        if self.postal_codes and _CODE in missing:
            rows = np.flatnonzero(missing[_PLACE] & ~missing[_CODE])
            missing[_CODE][rows] = [str(code) not in self.postal_codes for code in homes[_CODE][rows]]
        return {f"{MARK}{name}": unknown * 1.0 for name, unknown in missing.items()}

    def is_usual(self) -> Bools:
        """Return which of the facts are usual, shape (facts,)."""
        return np.array([name in self.usual for name in self.names], dtype=bool)

    def draw(self, homes: int, seed: int) -> Bools:
        """Draw which facts to hide from each of n homes, shape (n, facts): one alone, or from none to all of them.

        Of some homes, the share hidden of the basics, such as the rooms, is another than the one of the other facts.
        Of others, nothing but the basics is left, or all of them but one.
        """
        rng = np.random.default_rng(seed)
        chance = np.repeat(rng.beta(*_HIDDEN, size=(homes, 1)), len(self.columns), axis=1)
        kind = rng.uniform(size=homes)
        single, apart = np.flatnonzero(kind < _SINGLE), np.flatnonzero(kind >= 1 - _BASICS_APART)
        basics = np.array([name in _BASICS for name in self.names], dtype=bool)
        chance[np.ix_(apart, np.flatnonzero(basics))] = 1 - rng.beta(*_HIDDEN, size=(len(apart), 1))
        hidden: Bools = rng.uniform(size=chance.shape) < chance
        alone = np.flatnonzero((kind >= _SINGLE) & (kind < _SINGLE + _BASICS_ALONE))
        hidden[alone] = ~basics
        if basics.any():
            less = alone[rng.uniform(size=len(alone)) < _ONE_BASIC_LESS]
            hidden[less, rng.choice(np.flatnonzero(basics), size=len(less))] = True
        hidden[single] = False
        hidden[single, rng.integers(len(self.columns), size=len(single))] = True
        if self.postal_codes:
            wider = single[rng.uniform(size=len(single)) < _WIDER_ALONE]
            hidden[wider] = np.isin(np.arange(len(self.columns)), self._places)
        if places := self._places:
            # Without any place there is no price; the area code is what an agent knows first.
            placeless = hidden[:, places].all(axis=1)
            if self.postal_codes:
                placeless &= rng.uniform(size=homes) >= _WIDER_SHARE
                placeless[wider] = False
            hidden[:, places[0]] &= ~placeless
        return hidden

    @property
    def _places(self) -> list[int]:
        """The places of the facts that say where a home is among the facts, the area codes first."""
        return [number for number, name in enumerate(self.names) if name in self.codes or name == _PLACE]

    def hide(self, homes: pd.DataFrame, hidden: Bools) -> pd.DataFrame:
        """Return homes without the facts hidden from each.

        Where every place is hidden, the wider area that the postal code names is left of it, else the code itself.
        """
        changed = homes.copy()
        for number, (_, columns) in enumerate(self.columns):
            for column in columns:
                changed[column] = changed[column].mask(hidden[:, number])
        if self.postal_codes:
            placeless = np.asarray(hidden[:, self._places].all(axis=1), dtype=bool)
            wider = homes[_CODE].map(lambda code: next_wider(str(code)) or code)
            changed[_CODE] = changed[_CODE].mask(placeless, wider)
        return changed


def find_known_facts(homes: pd.DataFrame, facts: FactColumns, critical: Iterable[str]) -> KnownFacts:
    """Return which facts of a market an agent may not know; ``critical`` are those without which there is no price."""
    needed = {*critical, *_AREA_FIGURES}
    singles = [name for name in (*facts.area_codes, *facts.numeric, *facts.categorical) if name not in needed]
    columns: list[tuple[str, tuple[str, ...]]] = [(name, (name,)) for name in singles]
    if facts.located:
        columns.append((_PLACE, COORDINATES))
    recorded = {name: float(homes[list(own)].notna().all(axis=1).mean()) for name, own in columns}
    usual = tuple(name for name, share in recorded.items() if share >= _USUAL_SHARE or name == _PLACE)
    wider = facts.located and _CODE in facts.area_codes and often_new(homes[_CODE])
    known = frozenset(homes[_CODE].dropna().astype(str)) if wider else frozenset[str]()
    return KnownFacts(tuple(columns), usual, facts.area_codes, known)


def _missing(homes: Columns, columns: tuple[str, ...]) -> Bools:
    missing = np.zeros(size(homes), dtype=bool)
    for name in columns:
        missing |= blanks(homes[name])
    return missing


def marks_of(columns: Columns) -> Floats:
    """Return the marks of homes as a matrix, shape (n, facts), in the order of ``KnownFacts.names``."""
    marks = [values for name, values in columns.items() if name.startswith(MARK)]
    return np.column_stack(marks) if marks else np.empty((size(columns), 0))
