"""What agents made of estimates: counts and shares with exact intervals, and departures with their sign."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from core.evaluate.agent_decisions import NO_REASON, AgentDecisions, agent_decisions

REASONS = {"layout": "Layout, or how the lot can be used"}


def decisions(accepted: int, changed: list[tuple[str, str | None, float]]) -> pd.DataFrame:
    rows: list[tuple[str, str | None, float, float]] = [("accept", None, 100.0, 100.0)] * accepted
    rows += [(kind, reason, price, 100.0) for kind, reason, price in changed]
    return pd.DataFrame(rows, columns=["kind", "reason_code", "price", "point"])


def of(accepted: int, changed: list[tuple[str, str | None, float]], estimates: int) -> AgentDecisions:
    return agent_decisions(decisions(accepted, changed), estimates, REASONS)


def test_shares_are_of_those_decided_and_add_up() -> None:
    found = of(6, [("adjust", None, 103.0), ("override", "layout", 120.0), ("override", "layout", 110.0)], 20)
    assert (found.estimates, found.decided) == (20, 9)
    assert found.decided_share.value == pytest.approx(9 / 20)
    assert [(one.name, one.n) for one in found.kinds] == [("accept", 6), ("adjust", 1), ("override", 2)]
    assert sum(one.share.value for one in found.kinds) == pytest.approx(1)
    assert all(0 <= one.share.low <= one.share.value <= one.share.high <= 1 for one in found.kinds)
    assert [(one.name, one.label, one.n) for one in found.reasons] == [
        ("layout", REASONS["layout"], 2),
        (NO_REASON, "No reason given", 1),
    ]
    assert found.departure.value == pytest.approx(np.mean([0.03, 0.20, 0.10]))
    assert found.few


def test_sign_of_the_departures_is_told_from_their_size() -> None:
    found = of(0, [("override", "layout", 80.0), ("override", "layout", 120.0)] * 10, 20)
    assert found.departure.value == pytest.approx(0)
    assert found.size.value == pytest.approx(0.20)
    assert "no clear direction" in found.finding
    assert "too low" in of(0, [("override", "layout", 110.0 + one) for one in range(10)], 10).finding
    assert "too high" in of(0, [("override", "layout", 90.0 - one) for one in range(10)], 10).finding


def test_nothing_given_or_decided_is_said_and_no_figure_made_up() -> None:
    none = of(0, [], 0)
    assert "No estimate" in none.finding
    assert math.isnan(none.decided_share.value)
    undecided = of(0, [], 5)
    assert "no decisions" in undecided.finding
    assert all(one.n == 0 and math.isnan(one.share.value) for one in undecided.kinds)
    accepted = of(3, [], 5)
    assert "changed none" in accepted.finding
    assert accepted.departure.n == 0
    one = of(0, [("override", "gone", 110.0)], 1)
    assert one.reasons[0].label == "gone"
    assert math.isnan(one.departure.low)
