"""What to ask next: which unknown fact would narrow the range most, and by how much, worked out for the home itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.arrays import Floats, Objects
from core.train.model import Model, half_width

OFFERED: Final = 3
"""How many facts are named at most."""

_LEAST_GAIN: Final = 0.01


@dataclass(frozen=True)
class AskNext:
    """A fact not known: half the range's width as a share of the estimate, now and once the fact is known.

    ``then`` is what to expect before the answer is known: it is worked out for the fact's usual value in such a home.
    ``name`` is the fact's, or "coordinates".
    """

    name: str
    now: float
    then: float


def ask_next(
    model: Model,
    matrix: Floats,
    log_estimate: float,
    kinds: Objects,
    level: float,
    tolerance: float,
    widening: Floats | float = 1.0,
) -> tuple[AskNext, ...]:
    """Return the unknown facts that would narrow the range of one home most, the best first.

    ``matrix`` is its row of features and marks, shape (1, columns), ``log_estimate`` its estimate with the market
    level, ``kinds`` its property type, shape (1,), ``widening`` the factor of its range's width. Empty if every usual
    fact is known, or none would help by a point.
    """
    learned = model.unknown
    if learned is None:
        return ()
    names = learned.known.names
    first = matrix.shape[1] - len(names)
    unknown = np.flatnonzero(matrix[0, first:] > 0)
    if not len(unknown):
        return ()
    rows = np.repeat(matrix, len(unknown) + 1, axis=0)
    rows[np.arange(1, len(rows)), first + unknown] = 0.0
    centre = model.log_estimate(rows)
    shift = log_estimate - centre[0]
    priced = model.spread(rows, centre + shift, np.repeat(kinds, len(rows)), (level,), tolerance, widening)[level]
    width = half_width(priced)
    found = [
        AskNext(names[fact], float(width[0]), float(then))
        for fact, then in zip(unknown, width[1:], strict=True)
        if then <= width[0] - _LEAST_GAIN
    ]
    return tuple(sorted(found, key=lambda one: one.then)[:OFFERED])
