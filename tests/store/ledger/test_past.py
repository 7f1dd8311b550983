"""Simulated markets take entries of the past; markets of real sales do not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from core.errors import InvalidRecord
from core.states import Period
from core.store import Market, NewDecision, Store
from core.store.ledger.figures import Slice
from tests.store.samples import AGENT, ANALYST, estimate

THEN = datetime(2024, 3, 1, 9, tzinfo=UTC)


def test_past_estimates_and_decisions_stand_at_their_instants(store: Store, market: Market) -> None:
    ids = store.ledger.append_past([(THEN + timedelta(days=n), estimate(market.market_id), AGENT) for n in range(3)])
    assert [store.ledger.get(one).at for one in ids] == [THEN + timedelta(days=n) for n in range(3)]
    later = THEN + timedelta(days=5)
    [decided] = store.ledger.decide_past([(later, NewDecision(ids[0], "accept", 250_000.0), ANALYST)])
    assert store.ledger.decision(ids[0]) == decided
    assert (decided.at, decided.actor) == (later, ANALYST.name)
    assert store.events.of(market.market_id, "decisions.simulated")[0].detail == {"decisions": 1}
    days = store.figures.traffic(market.market_id, Slice(), Period.DAY).periods["start"]
    assert [day.date() for day in days] == [date(2024, 3, 1), date(2024, 3, 2), date(2024, 3, 3)]
    assert store.ledger.append_past([]) == []
    assert store.ledger.decide_past([]) == []


def test_markets_of_real_sales_refuse_them(store: Store, market: Market) -> None:
    real = store.markets.create("Real", "USD", "sqft", False, ANALYST)
    entries = [(THEN, estimate(market.market_id), AGENT), (THEN, estimate(real.market_id), AGENT)]
    with pytest.raises(InvalidRecord, match="holds real sales"):
        store.ledger.append_past(entries)
    assert store.ledger.count(market.market_id) == 0
    made = store.ledger.append(estimate(real.market_id), AGENT)
    with pytest.raises(InvalidRecord, match="holds real sales"):
        store.ledger.decide_past([(datetime.now(UTC), NewDecision(made.estimate_id, "accept", 250_000.0), AGENT)])
    assert store.ledger.decision(made.estimate_id) is None


@pytest.mark.parametrize("at", [datetime.now(UTC) + timedelta(days=1), datetime(2024, 3, 1)])
def test_only_past_instants_with_a_time_zone_do(store: Store, market: Market, at: datetime) -> None:
    with pytest.raises(InvalidRecord, match="in the future or has no time zone"):
        store.ledger.append_past([(at, estimate(market.market_id), AGENT)])


def test_a_decision_cannot_come_before_its_estimate(store: Store, market: Market) -> None:
    [made] = store.ledger.append_past([(THEN, estimate(market.market_id), AGENT)])
    with pytest.raises(InvalidRecord, match="before its estimate"):
        store.ledger.decide_past([(THEN - timedelta(hours=1), NewDecision(made, "accept", 250_000.0), AGENT)])
