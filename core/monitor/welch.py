"""Differences between the means of independent groups, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import t

from core.arrays import Floats


def welch(first: Floats, second: Floats) -> tuple[float, float, float]:
    """Return the first mean less the second with its 95% interval, missing if a group has only one value.

    Source: Welch, The generalization of Student's problem (Biometrika 34, 1947).
    """
    return _contrast((first, second), (1.0, -1.0))


def difference_in_differences(
    after: Floats, before: Floats, other_after: Floats, other_before: Floats
) -> tuple[float, float, float]:
    """Return how much more a group's mean changed than another's, with its 95% interval.

    The interval is Welch's for a contrast of four means, missing if a group has only one value. It takes the groups to
    be independent, and the other group's change to be what this one's would have been. Source: Ashenfelter and Card,
    Using the longitudinal structure of earnings (Review of Economics and Statistics 67, 1985).
    """
    return _contrast((after, before, other_after, other_before), (1.0, -1.0, -1.0, 1.0))


def _contrast(groups: Sequence[Floats], signs: Sequence[float]) -> tuple[float, float, float]:
    difference = sum(sign * float(one.mean()) for sign, one in zip(signs, groups, strict=True))
    if min(map(len, groups)) < 2:
        return difference, np.nan, np.nan
    parts = [float(one.var(ddof=1)) / len(one) for one in groups]
    spread = sum(parts)
    if spread == 0:
        return difference, difference, difference
    freedom = spread**2 / sum(part**2 / (len(one) - 1) for part, one in zip(parts, groups, strict=True))
    half = float(t.ppf(0.975, freedom)) * float(np.sqrt(spread))
    return difference, difference - half, difference + half
