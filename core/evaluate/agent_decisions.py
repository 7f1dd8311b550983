"""Business validation: agents' decisions on estimates, as shares with intervals, to compare with the test's figures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.arrays import Floats
from core.evaluate.accuracy import Figure
from core.evaluate.intervals import mean_interval, share_interval
from core.wording import count, percent, signed_percent

NO_REASON: Final = ""
"""The name for decisions without a reason: below a set departure, no reason is required."""

_KINDS: Final = {"accept": "Accepted", "adjust": "Adjusted within the range", "override": "Overridden"}
_ENOUGH: Final = 30


@dataclass(frozen=True)
class DecisionShare:
    """One kind of decision, or one reason: ``n`` decisions and their share with its exact 95% interval."""

    name: str
    label: str
    n: int
    share: Figure


@dataclass(frozen=True)
class AgentDecisions:
    """What agents decided on the priced ``estimates``; the latest decision on each counts.

    ``kinds`` are accept, adjust and override, as shares of the ``decided``; ``reasons`` are those given for changed
    prices, as shares of these, the most frequent first. ``departure`` is the mean signed departure of the changed
    prices from the estimate, ``size`` the mean absolute departure; both are shares with Student's intervals, missing
    if no price was changed.
    """

    estimates: int
    decided: int
    decided_share: Figure
    kinds: tuple[DecisionShare, ...]
    reasons: tuple[DecisionShare, ...]
    departure: Figure
    size: Figure

    @property
    def finding(self) -> str:
        """What the decisions show, in one or two sentences."""
        if not self.estimates:
            return "No estimate of this model has been given to an agent yet."
        if not self.decided:
            return f"{count(self.estimates, 'estimate')} given; no decisions yet."
        accepted = self.kinds[0]
        accepted_words = (
            f"Agents accepted {percent(accepted.share.value)} of {count(self.decided, 'estimate')} they decided on"
        )
        if not self.departure.n:
            return f"{accepted_words}, and changed none."
        lean = self.departure
        way = "with no clear direction"
        if lean.low > 0:
            way = "significantly up: agents find the estimates too low"
        elif lean.high < 0:
            way = "significantly down: agents find the estimates too high"
        return f"{accepted_words}; those they changed moved by {signed_percent(lean.value, 1)} on average, {way}."

    @property
    def few(self) -> bool:
        """Whether there are too few decisions to tell a rate from chance."""
        return self.decided < _ENOUGH


def agent_decisions(decisions: pd.DataFrame, estimates: int, reasons: Mapping[str, str]) -> AgentDecisions:
    """Summarize decisions, one per estimate: columns kind, reason_code (missing if none), price and point (money).

    ``estimates`` counts the priced estimates, decided or not; ``reasons`` maps each reason code to words.
    """
    decided = len(decisions)
    changed = decisions[decisions["kind"] != "accept"]
    given = changed["reason_code"].astype("object").where(changed["reason_code"].notna(), NO_REASON)
    counts = given.value_counts()
    ordered = sorted(counts.items(), key=lambda one: (-int(one[1]), str(one[0])))
    moved = ((changed["price"] - changed["point"]) / changed["point"]).to_numpy(dtype=float)
    kinds = decisions["kind"].value_counts()
    return AgentDecisions(
        estimates=estimates,
        decided=decided,
        decided_share=_share(decided, estimates),
        kinds=tuple(_line(name, label, int(kinds.get(name, 0)), decided) for name, label in _KINDS.items()),
        reasons=tuple(_line(str(name), _reason(str(name), reasons), int(n), len(changed)) for name, n in ordered),
        departure=_mean(moved, -math.inf),
        size=_mean(np.abs(moved), 0.0),
    )


def _reason(code: str, reasons: Mapping[str, str]) -> str:
    return "No reason given" if code == NO_REASON else reasons.get(code, code.replace("_", " "))


def _line(name: str, label: str, n: int, of: int) -> DecisionShare:
    return DecisionShare(name, label, n, _share(n, of))


def _share(n: int, of: int) -> Figure:
    if not of:
        return Figure(math.nan, math.nan, math.nan, 0)
    low, high = share_interval(n, of)
    return Figure(n / of, float(low), float(high), of)


def _mean(values: Floats, least: float) -> Figure:
    n = len(values)
    if not n:
        return Figure(math.nan, math.nan, math.nan, 0)
    mean = float(values.mean())
    low, high = mean_interval(mean, float(values.std(ddof=1)) if n > 1 else math.nan, n)
    return Figure(mean, float(np.maximum(low, least)), float(high), n)
