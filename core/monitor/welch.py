"""The difference between the means of two independent groups, with its interval."""

from __future__ import annotations

import numpy as np
from scipy.stats import t

from core.arrays import Floats


def welch(first: Floats, second: Floats) -> tuple[float, float, float]:
    """Return the first mean less the second with its 95% interval, missing if a group has only one value.

    Source: Welch, The generalization of Student's problem (Biometrika 34, 1947).
    """
    difference = float(first.mean() - second.mean())
    if min(len(first), len(second)) < 2:
        return difference, np.nan, np.nan
    parts = [float(one.var(ddof=1)) / len(one) for one in (first, second)]
    spread = sum(parts)
    if spread == 0:
        return difference, difference, difference
    freedom = spread**2 / sum(part**2 / (len(one) - 1) for part, one in zip(parts, (first, second), strict=True))
    half = float(t.ppf(0.975, freedom)) * float(np.sqrt(spread))
    return difference, difference - half, difference + half
