"""Whether a measured figure meets its target: passed, failed, or undecided with so few sales."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from core.evaluate.accuracy import Figure


class Verdict(StrEnum):
    """What a figure's interval says about its target."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NO_TARGET = "no target"


@dataclass(frozen=True)
class Target:
    """The bounds a figure shall lie within, both inclusive and infinite where there is none; ``source`` says whose."""

    low: float
    high: float
    source: str


def at_most(limit: float, source: str) -> Target:
    """Return the target of a figure that shall not exceed a limit."""
    return Target(-math.inf, limit, source)


def judge(figure: Figure, target: Target | None, smallest: int) -> Verdict:
    """Return "pass" where the whole interval meets the target, "fail" where none of it does, else "inconclusive".

    A figure of fewer than ``smallest`` sales is inconclusive whatever its interval: a bootstrap of few sales is blind
    to all it has not drawn. Source: IAAO, Standard on Ratio Studies (2013), use of confidence intervals.
    """
    if target is None:
        return Verdict.NO_TARGET
    if figure.n < smallest or not (math.isfinite(figure.low) and math.isfinite(figure.high)):
        return Verdict.INCONCLUSIVE
    if target.low <= figure.low and figure.high <= target.high:
        return Verdict.PASS
    return Verdict.FAIL if figure.high < target.low or figure.low > target.high else Verdict.INCONCLUSIVE
