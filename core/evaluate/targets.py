"""Whether a measured figure meets its target: pass, fail, or inconclusive with too few sales."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from core.evaluate.accuracy import Figure


class Verdict(StrEnum):
    """What a figure's interval says about its target."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NO_TARGET = "no target"


@dataclass(frozen=True)
class Target:
    """The inclusive bounds of a figure's target, infinite if there is none; ``source`` says where it comes from."""

    low: float
    high: float
    source: str


def at_most(limit: float, source: str) -> Target:
    """Return the target of a figure that must not exceed a limit."""
    return Target(-math.inf, limit, source)


def judge(figure: Figure, target: Target | None, smallest: int) -> Verdict:
    """Return "pass" if the whole interval meets the target, "fail" if none of it does, else "inconclusive".

    A figure of fewer than ``smallest`` sales is inconclusive whatever its interval: a bootstrap of few sales cannot see
    what they do not contain. Source: IAAO, Standard on Ratio Studies (2013), use of confidence intervals.
    """
    if target is None:
        return Verdict.NO_TARGET
    if figure.n < smallest or not (math.isfinite(figure.low) and math.isfinite(figure.high)):
        return Verdict.INCONCLUSIVE
    if target.low <= figure.low and figure.high <= target.high:
        return Verdict.PASS
    return Verdict.FAIL if figure.high < target.low or figure.low > target.high else Verdict.INCONCLUSIVE
