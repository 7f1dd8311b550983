"""Samples of homes: about as many as asked for, of all that was written, and none of the sold among the unsold."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from core.errors import NotFound
from core.store import Market, Store
from core.store.ledger.figures import Slice
from core.store.ledger.outcomes import NewOutcome
from tests.store.samples import AGENT, ANALYST, commit, estimate, no_estimate

FIRST = date(2024, 1, 1)


@pytest.fixture
def market(store: Store) -> Market:
    return store.markets.create("Larkhaven", "USD", "sqft", True, ANALYST)


@pytest.fixture
def ids(store: Store, market: Market) -> list[str]:
    """Three hundred priced homes over 300 days, of confidence 50 or 60, and one without a price."""
    entries = [
        (
            datetime(2024, 1, 1, 9, tzinfo=UTC) + timedelta(days=number),
            estimate(market.market_id, confidence=50 + 10 * (number % 2), facts={"bedrooms": number % 2}),
            AGENT,
        )
        for number in range(300)
    ]
    past = (datetime(2024, 1, 1, tzinfo=UTC), no_estimate(market.market_id), AGENT)
    return store.ledger.append_past([*entries, past])[:300]


def sell(store: Store, market: Market, estimate_ids: list[str], made: date) -> None:
    version = commit(store, market.market_id)
    found = {
        one: [
            NewOutcome(
                estimate_id=one,
                sale_key=one,
                sale_date=made + timedelta(days=40),
                sale_price=240_000.0,
                list_date=None,
                list_price=None,
                first_list_price=None,
                counted=True,
                blind=True,
                estimated_at=datetime(made.year, made.month, made.day, 9, tzinfo=UTC),
                model_id="0123456789ab",
                office="North",
                channel="page",
                property_type=None,
                area=None,
                point=250_000.0,
                low=240_000.0,
                high=265_000.0,
                level=0.8,
                confidence=50.0,
            )
        ]
        for one in estimate_ids
    }
    store.outcomes.record(market.market_id, [version.version_id], version.version_id, found, ANALYST)


def test_all_homes_where_they_are_few_and_a_spread_of_them_where_they_are_many(
    store: Store, market: Market, ids: list[str]
) -> None:
    every = store.samples.asked(market.market_id, Slice(), 1_000)
    assert (len(every.homes), every.n) == (300, 300)
    some = store.samples.asked(market.market_id, Slice(), 60)
    assert some.n == 300
    assert 45 <= len(some.homes) <= 75
    assert some.homes["day"].is_monotonic_increasing
    half = (some.homes["day"] > FIRST + timedelta(days=150)).mean()
    assert 0.4 <= half <= 0.6
    odd = Counter(facts["bedrooms"] for facts in some.homes["facts"])
    assert min(odd[0], odd[1]) >= 15
    assert store.samples.asked(market.market_id, Slice(since=FIRST + timedelta(days=290)), 60).n == 10


def test_sold_homes_come_with_price_and_facts(store: Store, market: Market, ids: list[str]) -> None:
    sell(store, market, ids[:4], FIRST)
    sample = store.samples.sold(market.market_id, Slice(), 10)
    assert sample.n == 4
    assert sample.homes["sale_price"].tolist() == [240_000.0] * 4
    assert [facts["bedrooms"] for facts in sample.homes["facts"]] == [0, 1, 0, 1]
    assert store.samples.sold(market.market_id, Slice(office="South"), 10).homes.empty


def test_confidences_of_homes_not_sold_yet(store: Store, market: Market, ids: list[str]) -> None:
    sell(store, market, ids[0:6:2], FIRST)
    unsold = store.samples.unsold_confidences(market.market_id, Slice())
    assert dict(unsold.itertuples(index=False)) == {50.0: 147, 60.0: 150}
    late = store.samples.unsold_confidences(market.market_id, Slice(since=FIRST + timedelta(days=290)))
    assert dict(late.itertuples(index=False)) == {50.0: 5, 60.0: 5}
    first = store.samples.unsold_confidences(market.market_id, Slice(until=FIRST + timedelta(days=9)))
    assert dict(first.itertuples(index=False)) == {50.0: 2, 60.0: 5}
    for where, counts in ((Slice(), unsold), (Slice(until=FIRST + timedelta(days=9)), first)):
        sums = store.samples.unsold(market.market_id, where)
        assert sums.n == counts["n"].sum()
        assert sums.confidence == pytest.approx((counts["confidence"] * counts["n"]).sum())
        assert sums.squares == pytest.approx((counts["confidence"] ** 2 * counts["n"]).sum())


def test_an_unknown_market_is_refused(store: Store) -> None:
    for read in (store.samples.asked, store.samples.sold):
        with pytest.raises(NotFound, match="nowhere"):
            read("nowhere", Slice(), 10)
    with pytest.raises(NotFound, match="nowhere"):
        store.samples.unsold_confidences("nowhere", Slice())
