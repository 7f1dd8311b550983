"""What to ask next: which unknown fact would narrow the range most, and by how much, worked out for the home itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.arrays import Floats
from core.train.model import Model

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


@dataclass(frozen=True)
class Questions:
    """The facts not known of one home, and its features and marks as if each of them were known, (facts, columns).

    A fact keeps the value assumed for it: the usual one of such a home.
    """

    names: tuple[str, ...]
    matrix: Floats


def questions(model: Model, matrix: Floats, never: frozenset[str]) -> Questions:
    """Return what could be asked about the home whose row of features and marks is ``matrix``, shape (1, columns).

    ``never`` are the facts that nobody finds out about this home: those of an area, and those its type does not have.
    """
    learned = model.unknown
    if learned is None:
        return Questions((), matrix[:0])
    names = learned.known.names
    first = matrix.shape[1] - len(names)
    unknown = np.array(
        [fact for fact in np.flatnonzero(matrix[0, first:] > 0) if names[fact] not in never], dtype=np.int64
    )
    rows = np.repeat(matrix, len(unknown), axis=0)
    rows[np.arange(len(rows)), first + unknown] = 0.0
    return Questions(tuple(names[fact] for fact in unknown), rows)


def ask_next(asked: Questions, width: Floats) -> tuple[AskNext, ...]:
    """Return the unknown facts that would narrow the range of a home most, the best first; none below a point.

    ``width`` is half the range's width as a share of the estimate: now, then with each fact asked, shape (1 + facts,).
    """
    found = [
        AskNext(name, float(width[0]), float(then))
        for name, then in zip(asked.names, width[1:], strict=True)
        if then <= width[0] - _LEAST_GAIN
    ]
    return tuple(sorted(found, key=lambda one: one.then)[:OFFERED])
