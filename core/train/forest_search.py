"""The search for a forest's settings, by successive halving: many on few sales, the best of them on more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from core.arrays import Ints
from core.parallel.calls import in_parallel
from core.problem import Training
from core.progress import Progress, part
from core.train.candidates import Candidate, forest_candidates
from core.train.leaderboard import Inputs, ScoredCandidate, fit_and_score

_FACTOR: Final = 3
_KEPT_MIN: Final = 4
_DOING: Final = "Trying settings"


def search_forest(
    inputs: Inputs, rows: Ints, training: Training, budget: int, seed: int, progress: Progress
) -> tuple[ScoredCandidate, ...]:
    """Return forests of ``budget`` depths and leaf sizes with the fewest trees, each on the most sales it was tried on.

    All are tried on a third of the training sales at ``rows``, and the best third of them, at least four, on all of
    these. Source: successive halving, Jamieson and Talwalkar (2016), with a factor of 3.
    """
    candidates = forest_candidates(training, budget, seed)
    kept = max(_KEPT_MIN, math.ceil(len(candidates) / _FACTOR))
    if len(candidates) <= kept:
        return _scored(candidates, inputs, rows, seed, progress, _DOING)
    few = np.sort(np.random.default_rng(seed).choice(rows, len(rows) // _FACTOR, replace=False))
    tried = _scored(candidates, inputs, few, seed, part(progress, 0.0, 0.5), _DOING)
    ranked = sorted(tried, key=lambda one: one.score.mape)
    best = [one.candidate for one in ranked[:kept]]
    again = _scored(best, inputs, rows, seed, part(progress, 0.5, 1.0), f"{_DOING}, the best on more sales")
    return (*again, *ranked[kept:])


def best_of(search: Sequence[ScoredCandidate]) -> ScoredCandidate:
    """Return the best of those tried on the most sales."""
    most = max(one.score.trained_rows for one in search)
    return min((one for one in search if one.score.trained_rows == most), key=lambda one: one.score.mape)


def _scored(
    candidates: Sequence[Candidate], inputs: Inputs, rows: Ints, seed: int, progress: Progress, doing: str
) -> tuple[ScoredCandidate, ...]:
    return tuple(in_parallel(fit_and_score, [(one, inputs, rows, seed) for one in candidates], progress, doing))
