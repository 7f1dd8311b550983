"""Whose listings the simulated city's sales were, and what their homes were first listed at."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np

from core.arrays import Floats, Objects

PILOT: Final = ("Harbour", "Lakeside", "Old Town")
"""The offices whose agents price homes in the story; those of the others get no estimate and serve as a comparison."""

OTHERS: Final = ("Northgate",)

OFFICES: Final = (*PILOT, *OTHERS)

# Of homes that wait, more have their price cut: hardly any within a month, most of those that wait half a year.
_PATIENT_DAYS: Final = 30.0
_CUT_WITHIN_DAYS: Final = 200.0
_CUT_SHARE: Final = (0.02, 0.7)
_CUT: Final = (0.02, 0.07)


def listed_by(seed: int, start: date, end: date, waited: Floats) -> tuple[Objects, Floats]:
    """Return each sale's listing office and by how much its price had been cut, as a share of the first list price.

    ``waited`` has the days from listing to sale, shape (n,). The draws have a generator of their own, so that nothing
    else of the city depends on them.
    """
    rng = np.random.default_rng([seed, 13, start.toordinal(), end.toordinal(), waited.size])
    office = rng.choice(np.array(OFFICES, dtype=object), waited.size)
    chance = np.clip((waited - _PATIENT_DAYS) / _CUT_WITHIN_DAYS, *_CUT_SHARE)
    cut = np.where(rng.random(waited.size) < chance, rng.uniform(*_CUT, waited.size), 0.0)
    return office, cut
