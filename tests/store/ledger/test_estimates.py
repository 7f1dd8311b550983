from __future__ import annotations

import math
import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidRecord, NotFound, StoreUnavailable
from core.states import EstimateState, Period
from core.store import Market, NewDecision, Store, open_store
from core.store.base.database import Database
from core.store.base.values import plain_document
from core.store.ledger.estimates import Ledger
from core.store.ledger.figures import Slice
from core.store.ledger.records import WantedEstimates
from tests.store.base.test_values import DOCUMENTS
from tests.store.conftest import Address
from tests.store.samples import AGENT, ANALYST, estimate, no_estimate


def test_an_estimate_is_kept_as_it_was_shown(store: Store, market: Market) -> None:
    before = datetime.now(UTC)
    new = estimate(
        market.market_id,
        level_id="cccccccccccc",
        property_type="condo",
        area="98103",
        facts={"bedrooms": np.int64(3), "view": math.nan, "built": date(1990, 1, 1)},
        answer={"drivers": [{"name": "area", "amount": np.float64(-12.5)}], "point": np.float32(0.5)},
        fsd=0.11,
        flags=("wide range", "imputed fact"),
        list_price=259_000,
    )
    made = store.ledger.append(new, AGENT)
    assert store.ledger.get(made.estimate_id) == made
    assert before <= made.at <= datetime.now(UTC)
    assert len(made.estimate_id) == len(bytes.fromhex(made.estimate_id)) * 2 == 16
    assert (made.actor, made.role, made.office) == ("Kim Agent", "agent", "North")
    assert made.facts == {"bedrooms": 3, "view": None, "built": "1990-01-01"}
    assert made.answer == {"drivers": [{"name": "area", "amount": -12.5}], "point": 0.5}
    same = {"as_of", "channel", "status", "currency", "latency_ms", "model_id", "version_id", "level_id", "reason"}
    same |= {"property_key", "property_type", "area", "point", "low", "high", "level", "confidence", "fsd", "flags"}
    for name in same | {"list_price", "market_id"}:
        assert getattr(made, name) == getattr(new, name), name


def test_values_of_numpy_and_pandas_are_stored_as_what_they_mean(
    address: Address, store: Store, market: Market
) -> None:
    new = estimate(
        market.market_id,
        as_of=pd.Timestamp("2024-02-29 13:00"),
        point=np.int64(250_000),
        low=np.float32(240_000),
        high=np.int32(265_000),
        confidence=np.float64(71.5),
        fsd=math.nan,
        list_price=pd.NA,
        area=np.str_("98103"),
        property_key=math.nan,
        property_type="",
    )
    made = store.ledger.get(store.ledger.append(new, AGENT).estimate_id)
    assert (made.as_of, made.point, made.low, made.high) == (date(2024, 2, 29), 250_000, 240_000, 265_000)
    assert (made.confidence, made.fsd, made.list_price) == (71.5, None, None)
    assert (made.area, made.property_key, made.property_type) == ("98103", "", None)
    engine = address.engine()
    with engine.connect() as connection:  # SQLite would take numpy's integers as bytes without a word
        assert connection.scalar(sa.text("select sum(point) from estimate where point > 1000")) == 250_000
    engine.dispose()


def test_every_document_comes_back_as_it_was_given(store: Store, market: Market) -> None:
    documents = st.dictionaries(st.text(max_size=3), DOCUMENTS, max_size=3)

    @settings(deadline=None, max_examples=30)
    @given(facts=documents, answer=documents)
    def check(facts: dict[str, Any], answer: dict[str, Any]) -> None:
        try:
            expected = plain_document(facts, "facts"), plain_document(answer, "answer")
        except InvalidRecord:  # two keys that read alike
            return
        made = store.ledger.append(estimate(market.market_id, facts=facts, answer=answer), AGENT)
        kept = store.ledger.get(made.estimate_id)
        assert (kept.facts, kept.answer) == (made.facts, made.answer) == expected

    check()


def test_answers_without_a_price_are_kept_with_their_reason(store: Store, market: Market) -> None:
    refused = no_estimate(market.market_id, status="refused", reason="1000 bedrooms", model_id=None, channel="api")
    for new in (no_estimate(market.market_id), refused):
        made = store.ledger.get(store.ledger.append(new, AGENT).estimate_id)
        assert (made.status, made.reason, made.point, made.answer) == (new.status, new.reason, None, {})


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"channel": "fax"}, "'fax'.*'command line'"),
        ({"status": "maybe"}, "'maybe'.*'refused'"),
        ({"currency": "usd"}, "usd"),
        ({"latency_ms": -1.0}, "-1.0 ms"),
        ({"latency_ms": math.nan}, "latency"),
        ({"as_of": pd.NaT}, r"estimate\.as_of"),
        ({"as_of": "2024-02-29"}, r"estimate\.as_of"),
        ({"point": math.nan, "model_id": None}, "no model_id, point"),
        ({"point": 270_000.0}, "270000.0 is not .* inside the range"),
        ({"low": -1.0}, "-1.0"),
        ({"point": 0.0, "low": 0.0}, "above zero"),
        ({"high": math.inf}, r"estimate\.high is inf"),
        ({"point": "250000"}, r"estimate\.point is '250000'"),
        ({"level": 80}, "80.0 is not between 0 and 1"),
        ({"confidence": 100.5}, "100.5"),
        ({"fsd": -0.1}, "-0.1"),
        ({"list_price": 0}, "list price"),
        ({"facts": {"x": object()}}, r"estimate\.facts\.x"),
        ({"status": "unavailable", "reason": "why"}, "has point, low, high, level, confidence"),
    ],
)
def test_an_estimate_that_contradicts_itself_is_refused(
    store: Store, market: Market, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidRecord, match=named):
        store.ledger.append(estimate(market.market_id, **changes), AGENT)
    assert store.ledger.count(market.market_id) == 0


def test_a_missing_price_needs_its_reason(store: Store, market: Market) -> None:
    with pytest.raises(InvalidRecord, match="no reason"):
        store.ledger.append(no_estimate(market.market_id, reason=" "), AGENT)


def test_estimates_are_listed_newest_first_by_market_and_actor(store: Store, market: Market) -> None:
    other = store.markets.create("Other", "USD", "sqft", False, ANALYST)
    made = [store.ledger.append(estimate(market.market_id), actor) for actor in (AGENT, ANALYST, AGENT)]
    store.ledger.append(estimate(other.market_id), AGENT)
    listed = store.ledger.list(market.market_id, 10)
    assert [line.estimate_id for line in listed] == [record.estimate_id for record in reversed(made)]
    assert (listed[0].point, listed[0].at, listed[0].office) == (250_000, made[2].at, "North")
    assert not hasattr(listed[0], "facts")
    assert [line.estimate_id for line in store.ledger.list(market.market_id, 1)] == [made[2].estimate_id]
    [mine] = store.ledger.list(market.market_id, 9, ANALYST.actor_id)
    assert (mine.actor, mine.actor_id) == (ANALYST.name, ANALYST.actor_id)
    assert store.ledger.list(market.market_id, 9, "local:Nobody") == []
    assert len(store.ledger.list(market.market_id, 9, office="North")) == 2
    # However a sign-in or a key writes its office, it sees the office's estimates, in every filter.
    assert len(store.ledger.list(market.market_id, 9, office=" NORTH.")) == 2
    for name, n in (("North", 2), (" north", 2), ("Nor", 0)):
        assert store.figures.traffic(market.market_id, Slice(office=name), Period.MONTH).total["n"] == n
        exported = b"".join(store.export.ledger(market.market_id, Slice(office=name)))
        assert exported.decode().count("North") == n
    assert store.ledger.list(market.market_id, 9, ANALYST.actor_id, "North") == []
    assert (store.ledger.count(market.market_id), store.ledger.count(other.market_id)) == (3, 1)


def test_a_list_is_narrowed_by_address_office_and_what_was_decided(store: Store, market: Market) -> None:
    def ids(**wanted: Any) -> list[str]:
        return [one.estimate_id for one in store.ledger.list(market.market_id, 9, wanted=WantedEstimates(**wanted))]

    keys = ("12 N ELM ST", "12 N ELM ST #4", "9 OAK_AVE")
    places = ("98103", "98103", "Île-du-Nord")
    homes = [
        store.ledger.append(estimate(market.market_id, property_key=key, area=area), actor).estimate_id
        for key, area, actor in zip(keys, places, (AGENT, ANALYST, AGENT), strict=True)
    ]
    unpriced = store.ledger.append(no_estimate(market.market_id, property_key="1 ELM CT"), AGENT).estimate_id
    assert ids() == [unpriced, *reversed(homes)]
    assert ids(words=("elm", "N")) == [homes[1], homes[0]]
    assert ids(words=("98103", "#4")) == [homes[1]]
    assert ids(words=("Île",)) == [homes[2]]
    assert ids(words=("K_A",)) == [homes[2]]
    assert ids(words=("L_M",)) == [], "an underscore is no wildcard"
    assert ids(office="north ") == [unpriced, homes[2], homes[0]]
    store.ledger.decide(NewDecision(homes[0], "accept", 250_000.0), AGENT)
    last = store.ledger.decide(NewDecision(homes[0], "adjust", 251_000.0), AGENT)
    assert (ids(state=EstimateState.ADJUSTED), ids(state=EstimateState.ACCEPTED)) == ([homes[0]], [])
    assert ids(state=EstimateState.OPEN) == [homes[2], homes[1]]
    assert ids(state=EstimateState.NO_PRICE) == [unpriced]
    store.ledger.take_back(homes[0], last.decision_id, AGENT)
    assert ids(state=EstimateState.ACCEPTED, office="North", words=("ELM",)) == [homes[0]]
    assert store.ledger.offices(market.market_id) == ["North"]


def test_many_estimates_are_written_together_in_order(store: Store, market: Market) -> None:
    keys = [f"home {number}" for number in range(10_000)]
    ids = store.ledger.append_many(
        [estimate(market.market_id, property_key=key, channel="file") for key in keys], AGENT
    )
    assert len(set(ids)) == store.ledger.count(market.market_id) == 10_000
    assert [store.ledger.get(ids[number]).property_key for number in (0, 4321, -1)] == [keys[0], keys[4321], keys[-1]]
    assert [line.estimate_id for line in store.ledger.list(market.market_id, 2)] == ids[:-3:-1]
    assert store.ledger.append_many([], AGENT) == []


def test_many_estimates_are_all_written_or_none(store: Store, market: Market) -> None:
    good = estimate(market.market_id)
    with pytest.raises(InvalidRecord):
        store.ledger.append_many([good, estimate(market.market_id, point=-1.0)], AGENT)
    with pytest.raises(NotFound, match="nowhere"):
        store.ledger.append_many([good, estimate("nowhere")], AGENT)
    assert store.ledger.count(market.market_id) == 0


def test_what_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        store.ledger.append(estimate("nowhere"), AGENT)
    for ask in (store.ledger.get, store.ledger.decision):
        with pytest.raises(NotFound, match="'never'"):
            ask("never")
    with pytest.raises(NotFound, match="'never'"):
        store.ledger.decide(NewDecision("never", "accept", 1.0), AGENT)
    for listing in (store.ledger.list, store.ledger.decisions):
        with pytest.raises(NotFound, match="nowhere"):
            listing("nowhere", 5)
    with pytest.raises(NotFound, match="nowhere"):
        store.ledger.count("nowhere")


def test_threads_append_at_once_and_none_is_lost(store: Store, market: Market) -> None:
    ids: list[str] = []
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            for part in range(50):
                new = estimate(market.market_id, property_key=f"{number}/{part}")
                ids.append(store.ledger.append(new, AGENT).estimate_id)
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    listed = store.ledger.list(market.market_id, 1000)
    assert sorted(line.estimate_id for line in listed) == sorted(ids)
    assert {line.property_key for line in listed} == {f"{a}/{b}" for a in range(8) for b in range(50)}


def test_a_decision_is_kept_with_its_audit_entry(store: Store, market: Market) -> None:
    made = store.ledger.append(estimate(market.market_id), AGENT)
    assert store.ledger.decision(made.estimate_id) is None
    [price] = np.array([255_000])  # an integer of NumPy, as a column gives it
    new = NewDecision(made.estimate_id, "adjust", price, 259_900.0, "new kitchen", "saw it myself")
    decided = store.ledger.decide(new, AGENT)
    assert store.ledger.decision(made.estimate_id) == decided
    assert store.ledger.decisions(market.market_id, 5) == [decided]
    assert (decided.kind, decided.price, decided.listing_price) == ("adjust", 255_000, 259_900)
    assert (decided.reason_code, decided.note, decided.market_id) == ("new kitchen", "saw it myself", market.market_id)
    assert (decided.actor, decided.role, decided.office) == ("Kim Agent", "agent", "North")
    assert timedelta(0) <= decided.at - made.at < timedelta(minutes=5)
    event = store.events.list(market.market_id)[0]
    assert (event.action, event.subject, event.actor) == ("decision.made", made.estimate_id, "Kim Agent")
    assert event.detail["decision_id"] == decided.decision_id
    assert (event.detail["kind"], event.detail["price"], event.detail["point"]) == ("adjust", 255_000, 250_000)


def test_deciding_leaves_the_estimate_and_earlier_decisions_as_they_were(
    address: Address, store: Store, market: Market
) -> None:
    made = store.ledger.append(estimate(market.market_id), AGENT)
    store.ledger.decide(NewDecision(made.estimate_id, "accept", 250_000.0), AGENT)
    last = store.ledger.decide(NewDecision(made.estimate_id, "override", 300_000.0, None, "", "unique"), ANALYST)
    assert store.ledger.get(made.estimate_id) == made
    assert store.ledger.decision(made.estimate_id) == last
    assert last.reason_code is None
    engine = address.engine()
    with engine.connect() as connection:
        kinds = connection.scalars(sa.text("select kind from decision order by seq")).all()
    engine.dispose()
    assert kinds == ["accept", "override"]


def test_a_decision_taken_back_gives_way_to_the_one_before_it(address: Address, store: Store, market: Market) -> None:
    made = store.ledger.append(estimate(market.market_id), AGENT)
    ledger, known = store.ledger, made.estimate_id
    first = ledger.decide(NewDecision(known, "accept", 250_000.0), AGENT)
    second = ledger.decide(NewDecision(known, "override", 300_000.0, 310_000.0, "", "unique"), AGENT)
    with pytest.raises(InvalidRecord, match="no longer counts"):
        ledger.take_back(known, first.decision_id, AGENT)
    ledger.take_back(known, second.decision_id, ANALYST)
    assert (ledger.decision(known), ledger.decisions_on(known)) == (first, [first])
    assert ledger.decisions_of([known]) == {known: first}
    assert ledger.decisions(market.market_id, 5) == [first]
    assert store.agent_decisions.kinds(market.market_id) == {"accept": 1}
    event = store.events.list(market.market_id)[0]
    assert (event.action, event.subject, event.actor) == ("decision.taken_back", known, ANALYST.name)
    assert (event.detail["decision_id"], event.detail["price"]) == (second.decision_id, 300_000)
    ledger.take_back(known, first.decision_id, AGENT)
    assert (ledger.decision(known), ledger.decisions_on(known), ledger.decisions(market.market_id, 5)) == (None, [], [])
    assert store.agent_decisions.of(market.market_id) == []
    assert ledger.undecided(market.market_id, made.actor_id) == 1
    with pytest.raises(InvalidRecord, match="no longer counts"):
        ledger.take_back(known, first.decision_id, AGENT)
    with pytest.raises(NotFound):
        ledger.take_back("0" * 16, first.decision_id, AGENT)
    again = ledger.decide(NewDecision(known, "accept", 250_000.0), AGENT)
    assert ledger.decision(known) == again


def test_the_ledger_offers_no_way_to_change_or_remove(store: Store) -> None:
    offered = {name for name in vars(Ledger) if not name.startswith("_")}
    reads = {"get", "list", "count", "decision", "decisions", "decisions_of", "decisions_on", "offices", "undecided"}
    reads |= {"open_among", "facts_of", "references_of"}
    appends = {"append", "append_many", "append_signed", "append_signed_many", "append_past", "decide", "decide_past"}
    appends.add("take_back")
    assert offered == appends | reads


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"kind": "accept", "price": 250_001.0}, "250001.0 is not the estimate's 250000.0"),
        ({"kind": "refuse", "price": 250_000.0}, "'refuse'"),
        ({"kind": "adjust", "price": 0.0}, "price 0.0 is not above zero"),
        ({"kind": "override", "price": -5.0}, "-5.0"),
        ({"kind": "override", "price": math.nan}, "no price"),
        ({"kind": "override", "price": math.inf}, r"decision\.price is inf"),
        ({"kind": "adjust", "price": 1.0, "listing_price": -1.0}, "listing price -1.0"),
    ],
)
def test_a_decision_that_does_not_fit_is_refused(
    store: Store, market: Market, changes: dict[str, Any], named: str
) -> None:
    made = store.ledger.append(estimate(market.market_id), AGENT)
    with pytest.raises(InvalidRecord, match=named):
        store.ledger.decide(NewDecision(made.estimate_id, **changes), AGENT)
    assert store.ledger.decision(made.estimate_id) is None
    assert [event.action for event in store.events.list()] == ["market.created"]


def test_only_priced_estimates_are_decided_on(store: Store, market: Market) -> None:
    made = store.ledger.append(no_estimate(market.market_id), AGENT)
    for kind in ("accept", "adjust", "override"):
        with pytest.raises(InvalidRecord, match="is unavailable, so there is no price"):
            store.ledger.decide(NewDecision(made.estimate_id, kind, 250_000.0), AGENT)


def test_the_latest_decision_of_each_estimate_counts(store: Store) -> None:
    numbers = iter(range(1000))

    @settings(deadline=None, max_examples=10)
    @given(choices=st.lists(st.tuples(st.integers(0, 2), st.floats(1, 1e9)), max_size=6))
    def check(choices: list[tuple[int, float]]) -> None:
        market = store.markets.create(f"City {next(numbers)}", "USD", "sqft", True, ANALYST)
        ids = store.ledger.append_many([estimate(market.market_id)] * 3, AGENT)
        counting: dict[str, float] = {}
        for which, price in choices:
            counting.pop(ids[which], None)
            counting[ids[which]] = store.ledger.decide(NewDecision(ids[which], "override", price), AGENT).price
        listed = store.ledger.decisions(market.market_id, 10)
        assert [(line.estimate_id, line.price) for line in listed] == list(counting.items())[::-1]
        assert store.ledger.decisions(market.market_id, 1) == listed[:1]
        for estimate_id in ids:
            decided = store.ledger.decision(estimate_id)
            assert (decided and decided.price) == counting.get(estimate_id)

    check()


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
def test_only_appends_go_without_waiting_for_the_disk(store: Store) -> None:
    assert [_synchronous(database) for database in (store._database, store._ledger_database)] == [2, 1]


def _synchronous(database: Database) -> int:
    with database.write() as connection:
        return connection.exec_driver_sql("PRAGMA synchronous").scalar_one()


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
def test_a_ledger_that_cannot_be_written_says_so(address: Address, market: Market, store: Store) -> None:
    blocker = address.engine()
    with (
        open_store(address.home, f"sqlite:///{address.home / 'doorstep.sqlite'}?timeout=0.1") as impatient,
        blocker.connect() as connection,
    ):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="another process has been writing"):
            impatient.ledger.append(estimate(market.market_id), AGENT)
        connection.exec_driver_sql("ROLLBACK")
        impatient.ledger.append(estimate(market.market_id), AGENT)
    blocker.dispose()
    assert store.ledger.count(market.market_id) == 1
