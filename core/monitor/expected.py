"""Expected accuracy of estimates without a known sale: what their confidences promise, and whether it comes true.

A confidence is the calibrated probability that the sale price falls within 10% of the estimate, so the mean confidence
of estimates is their expected PPE10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from core.arrays import Floats
from core.evaluate.accuracy import Figure
from core.wording import count, percent

EXACT: Final = 400
"""Up to this many estimates, the interval is exact; beyond, the normal approximation is as good."""

_TAIL: Final = 0.025


@dataclass(frozen=True)
class Expected:
    """The share of n estimates expected to end within 10% of the sale price.

    If the confidences are right, 95% of such shares fall in the interval: it reflects only the chance by which each
    sale ends within 10% or not.
    """

    ppe10: Figure
    words: str


@dataclass(frozen=True)
class Calibration:
    """What the confidences of n sales promised and what came true, and whether chance explains the difference.

    ``promised.low`` and ``promised.high`` bound the promised share; ``holds`` is False if the share fell outside.
    """

    promised: Figure
    observed: float
    holds: bool
    words: str


@dataclass(frozen=True)
class CameTrue:
    """The share of n sales that their confidences promised to end within 10%, and what came true with its interval.

    ``holds`` is None while there are too few sales to tell; a promise below what came true counts as kept.
    """

    promised: float
    observed: Figure
    holds: bool | None
    words: str


def came_true(promised: float, observed: Figure, smallest: int) -> CameTrue | None:
    """Compare the mean confidence of sold estimates, 0 to 1, with the share that came true; None without a sale."""
    if not observed.n:
        return None
    words = (
        f"{percent(promised, 1)} of {count(observed.n, 'sale')} were promised to end within 10% of the estimate, and "
        f"{percent(observed.value, 1)} did ({percent(observed.low, 1)} to {percent(observed.high, 1)})."
    )
    return CameTrue(promised, observed, None if observed.n < smallest else promised <= observed.high, words)


def unsold_words(expected: Expected, known: CameTrue | None) -> str:
    """Say what the confidences of unsold estimates promise, with what came true of those sold beside it."""
    if known is None or known.holds is None:
        return expected.words
    if known.holds:
        return f"{expected.words} Such confidences came true so far: {known.words}"
    return (
        f"The confidences of {count(expected.ppe10.n, 'estimate')} promise that {percent(expected.ppe10.value)} end "
        f"within 10% of the sale price. Expect fewer: {known.words}"
    )


def expected_accuracy(confidence: ArrayLike) -> Expected | None:
    """Return the expected PPE10 of estimates from their confidences, 0 to 1, shape (n,); None for no estimate.

    The interval is that of the Poisson binomial distribution: exact up to 400 estimates, its normal limit beyond.
    Raises ValueError for a confidence that is missing or outside 0 to 1.
    """
    chance = np.asarray(confidence, dtype=float)
    if chance.ndim != 1 or not ((chance >= 0) & (chance <= 1)).all():
        raise ValueError("confidences must be flat and between 0 and 1; leave out estimates that have none")
    n = len(chance)
    if n > EXACT:
        return expected_of_sums(n, float(chance.sum()), float((chance * chance).sum()))
    if not n:
        return None
    below = np.cumsum(_law(chance))
    low, high = (int(np.searchsorted(below, tail - 1e-12)) for tail in (_TAIL, 1 - _TAIL))
    return _expected(Figure(float(chance.mean()), low / n, min(high, n) / n, n))


def expected_of_sums(n: int, total: float, squares: float) -> Expected:
    """Return the expected PPE10 of more than EXACT estimates from the sums of confidences (0 to 1) and their squares.

    The interval is the normal limit of the Poisson binomial distribution, whose variance is the sum of p (1 - p).
    Raises ValueError for n not above EXACT.
    """
    if n <= EXACT:
        raise ValueError(f"{n} estimates are too few for the normal limit; pass the confidences of up to {EXACT}")
    mean, half = total / n, float(norm.ppf(1 - _TAIL)) * max(0.0, total - squares) ** 0.5 / n
    return _expected(Figure(mean, max(0.0, mean - half), min(1.0, mean + half), n))


def _expected(figure: Figure) -> Expected:
    words = (
        f"{percent(figure.value)} of {count(figure.n, 'estimate')} are expected to end within 10% of the sale price "
        f"({percent(figure.low)} to {percent(figure.high)}), based on their confidences; none has a known sale yet."
    )
    return Expected(figure, words)


def calibration(confidence: ArrayLike, tolerance: ArrayLike) -> Calibration | None:
    """Compare the confidences of known sales with which of them ended within 10%, shape (n,) each.

    None for no sale. Raises ValueError as expected_accuracy does, and if the shapes differ.
    """
    true = np.asarray(tolerance, dtype=bool)
    promised = expected_accuracy(confidence)
    if true.shape != np.shape(confidence):
        raise ValueError(f"confidences {np.shape(confidence)} and outcomes {true.shape} must be for the same sales")
    if promised is None:
        return None
    figure, observed = promised.ppe10, float(true.mean())
    holds = figure.low <= observed <= figure.high
    observed_words = (
        f"{percent(observed)} of {count(figure.n, 'sale')} ended within 10%; {percent(figure.value)} were promised"
    )
    bounds = f"({percent(figure.low)} to {percent(figure.high)} by chance)"
    verdict = "the confidences hold" if holds else "do not rely on the confidences; retrain to recalibrate them"
    return Calibration(figure, observed, holds, f"{observed_words} {bounds}: {verdict}.")


def _law(chance: Floats) -> Floats:
    """Return the probability of each number of successes, 0 to n, in independent trials, adding one trial at a time."""
    law = np.ones(1)
    for one in chance:
        law = np.convolve(law, [1 - one, one])
    return law
