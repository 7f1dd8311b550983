"""Decisions on estimates: what must be explained, what is refused and why, and which one counts."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access import Actor, Role
from core.errors import AccessDenied, InvalidDecision, NotFound
from core.problem import Problem
from core.store import EstimateRecord, NewEstimate, Store
from core.workflows.pricing.decisions import (
    DecisionInput,
    check_decision,
    decide,
    departure,
    history,
    kind_of,
    take_back,
    usual_listing,
)
from tests.acting import acting
from tests.postgresql import ON_BOTH

AGENT = Actor("Ann", Role.AGENT, "North")
POINT, LOW, HIGH = 500_000.0, 430_000.0, 590_000.0


@pytest.fixture
def estimate(store: Store) -> EstimateRecord:
    """A priced estimate of 500,000, range 430,000 to 590,000, in the ledger."""
    market = store.markets.create("Town", "USD", "sqft", False, AGENT)
    new = NewEstimate(
        market_id=market.market_id,
        as_of=date(2025, 1, 1),
        channel="page",
        status="priced",
        currency="USD",
        latency_ms=9.0,
        model_id="m",
        facts={},
        answer={},
        point=POINT,
        low=LOW,
        high=HIGH,
        level=0.8,
        confidence=70.0,
    )
    return store.ledger.append(new, AGENT)


def refusal(decision: DecisionInput, estimate: EstimateRecord, problem: Problem) -> InvalidDecision:
    with pytest.raises(InvalidDecision) as caught:
        check_decision(decision, estimate, problem)
    return caught.value


def test_an_accepted_estimate_needs_nothing_more(store: Store, problem: Problem, estimate: EstimateRecord) -> None:
    made = decide(acting(store, AGENT, problem), estimate.estimate_id, DecisionInput("accept", POINT, 510_000))
    assert (made.kind, made.price, made.listing_price) == ("accept", POINT, 510_000)
    assert (made.actor, made.role, made.office) == ("Ann", "agent", "North")
    assert store.ledger.decision(estimate.estimate_id) == made


@ON_BOTH
def test_a_later_decision_supersedes_and_both_are_kept(
    store: Store, problem: Problem, estimate: EstimateRecord
) -> None:
    decide(acting(store, AGENT, problem), estimate.estimate_id, DecisionInput("accept", POINT))
    note = "  New kitchen, says Mr. Jim Doe (555-123-4567, jim@x.com; 06-12345678).  "
    adjusted = DecisionInput("adjust", 540_000, None, "condition_better", note)
    decide(acting(store, AGENT, problem), estimate.estimate_id, adjusted)
    counting = store.ledger.decision(estimate.estimate_id)
    assert counting is not None
    assert (counting.price, counting.reason_code) == (540_000, "condition_better")
    assert counting.note.startswith("New kitchen, says ")
    assert not [one for one in ("Doe", "4567", "@", "678") if one in counting.note], "a note reaches no person"
    assert [one.kind for one in history(acting(store), estimate.estimate_id)] == ["adjust", "accept"]
    events = [event for event in store.events.list(estimate.market_id) if event.action == "decision.made"]
    assert [event.detail["kind"] for event in events] == ["adjust", "accept"]


def test_a_decision_is_taken_back_by_those_who_may_decide_on_the_estimate(
    store: Store, problem: Problem, estimate: EstimateRecord
) -> None:
    made = decide(acting(store, AGENT, problem), estimate.estimate_id, DecisionInput("accept", POINT))
    for stranger in (replace(AGENT, office="South"), Actor("Ana", Role.ANALYST)):
        with pytest.raises(AccessDenied):
            take_back(acting(store, stranger, problem), estimate.estimate_id, made.decision_id)
    take_back(acting(store, AGENT, problem), estimate.estimate_id, made.decision_id)
    assert history(acting(store), estimate.estimate_id) == []
    with pytest.raises(InvalidDecision, match=r"^This decision no longer counts: somebody decided anew"):
        take_back(acting(store, AGENT, problem), estimate.estimate_id, made.decision_id)


@pytest.mark.parametrize(
    ("decision", "field", "told"),
    [
        (DecisionInput("accept", 510_000), "price", "$510,000 is not the estimate of $500,000"),
        (DecisionInput("adjust", 600_000, None, "other", "x"), "price", "outside the range of $430,000 to $590,000"),
        (DecisionInput("override", -1), "price", "must lie between"),
        (DecisionInput("override", float("nan")), "price", "Your price = nan is impossible"),
        (DecisionInput("accept", POINT, 5), "listing_price", "Listing price = $5 is impossible"),
        (DecisionInput("adjust", 530_000), "reason_code", "6.0% above the estimate; beyond 5% a reason is needed"),
        (DecisionInput("override", 470_000), "reason_code", "6.0% below the estimate"),
        (DecisionInput("override", 590_000, None, "layout"), "note", "beyond 15% a note is needed"),
        (DecisionInput("override", 590_000, None, "layout", "   "), "note", "beyond 15% a note is needed"),
        (DecisionInput("adjust", 530_000, None, "other"), "note", "Add a note"),
        (DecisionInput("adjust", 530_000, None, "magic"), "reason_code", "'magic' is unknown; choose one of"),
        (DecisionInput("adjust", 510_000, None, None, "x" * 1_001), "note", "1,001 characters; at most 1,000"),
        (DecisionInput("perhaps", POINT), "kind", "choose one of accept, adjust, override"),  # type: ignore[arg-type]
    ],
)
def test_a_decision_against_the_rules_names_field_value_limit_and_remedy(
    problem: Problem, estimate: EstimateRecord, decision: DecisionInput, field: str, told: str
) -> None:
    error = refusal(decision, estimate, problem)
    assert error.field == field
    assert told in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    "decision",
    [
        DecisionInput("adjust", 525_000),
        DecisionInput("adjust", 475_000, None, "layout"),
        DecisionInput("override", 560_000, 575_000, "layout"),
        DecisionInput("override", 650_000, 660_000, "renovation_unknown", "Rebuilt in 2023 without a permit on file."),
    ],
)
def test_a_decision_within_the_rules_is_recorded(
    store: Store, problem: Problem, estimate: EstimateRecord, decision: DecisionInput
) -> None:
    assert decide(acting(store, AGENT, problem), estimate.estimate_id, decision).price == decision.price


@given(st.floats(1_000, 2_000_000))
def test_a_price_is_the_one_kind_of_decision_that_the_rules_allow_for_it(price: float) -> None:
    kind = kind_of(price, POINT, LOW, HIGH)
    assert (kind == "accept") == (abs(price - POINT) <= 0.005)
    assert (kind == "override") == (not LOW <= price <= HIGH)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(price=st.floats(11_000, 2_000_000))
def test_a_reason_is_asked_for_exactly_beyond_its_limit(
    problem: Problem, estimate: EstimateRecord, price: float
) -> None:
    decision = DecisionInput("override", price)
    if abs(departure(price, POINT)) > problem.decisions.explain_over:
        assert refusal(decision, estimate, problem).field == "reason_code"
    else:
        check_decision(decision, estimate, problem)


def test_there_is_nothing_to_decide_where_there_is_no_price(store: Store, problem: Problem) -> None:
    market = store.markets.create("Town", "USD", "sqft", False, AGENT)
    new = NewEstimate(
        market_id=market.market_id,
        as_of=date(2025, 1, 1),
        channel="page",
        status="unavailable",
        reason="Living area is missing.",
        currency="USD",
        latency_ms=9.0,
        facts={},
        answer={},
    )
    record = store.ledger.append(new, AGENT)
    with pytest.raises(InvalidDecision, match="no price to decide on"):
        decide(acting(store, AGENT, problem), record.estimate_id, DecisionInput("override", POINT))
    with pytest.raises(NotFound):
        decide(acting(store, AGENT, problem), "0" * 16, DecisionInput("accept", POINT))
    with pytest.raises(NotFound):
        store.ledger.decision("0" * 16)


def test_analysts_do_not_decide(store: Store, problem: Problem, estimate: EstimateRecord) -> None:
    with pytest.raises(AccessDenied, match="may not decide on an estimate"):
        decide(acting(store, Actor("Bo", Role.ANALYST), problem), estimate.estimate_id, DecisionInput("accept", POINT))
    assert store.ledger.decision(estimate.estimate_id) is None


def test_the_usual_listing_price_is_a_little_above(problem: Problem) -> None:
    assert usual_listing(500_000, problem) == pytest.approx(510_000)


def test_a_refusal_can_be_sent_between_processes() -> None:
    sent = pickle.loads(pickle.dumps(InvalidDecision("why", "note")))
    assert (str(sent), sent.field) == ("why", "note")


def test_the_comparables_in_use_go_into_the_audit_trail(
    store: Store, problem: Problem, estimate: EstimateRecord
) -> None:
    decide(
        acting(store, AGENT, problem),
        estimate.estimate_id,
        DecisionInput("accept", POINT, comparables={"7": 0.6, "9": 0.4}),
    )
    [event] = [one for one in store.events.list(estimate.market_id, 20) if one.action == "decision.made"]
    assert event.detail["comparables"] == {"7": 0.6, "9": 0.4}
