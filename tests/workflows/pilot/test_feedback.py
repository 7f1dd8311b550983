"""Feedback on an estimate: one verdict of each person counts, history stays, and no person is kept in a note."""

from __future__ import annotations

import csv
import io

import pytest

from core.access import Actor, Role
from core.errors import AccessDenied, InvalidFeedback, NotFound
from core.states import FeedbackVerdict
from core.store import EstimateRecord, Market, Store
from core.store.ledger.figures import Slice
from core.workflows.monitoring.ledger_export import export_ledger
from core.workflows.pilot.feedback import feedback_forms, feedback_on, give_feedback, own_feedback
from tests.acting import acting
from tests.store.samples import AGENT, ANALYST, MANAGER, estimate, no_estimate

ANN = Actor("Ann", Role.AGENT, "North")
BEN = Actor("Ben", Role.AGENT, "South")


@pytest.fixture
def market(store: Store) -> Market:
    return store.markets.create("Springfield", "USD", "sqft", False, MANAGER)


@pytest.fixture
def given(store: Store, market: Market) -> EstimateRecord:
    """A priced estimate of the office North."""
    return store.ledger.append(estimate(market.market_id), AGENT)


def test_one_verdict_of_each_person_counts_and_what_they_said_before_is_kept(
    store: Store, given: EstimateRecord
) -> None:
    give_feedback(acting(store, ANN), given.estimate_id, FeedbackVerdict.TOO_HIGH, "  needs\n a roof ")
    give_feedback(acting(store, AGENT), given.estimate_id, FeedbackVerdict.USEFUL)
    last = give_feedback(acting(store, ANN), given.estimate_id, FeedbackVerdict.TOO_LOW)
    assert give_feedback(acting(store, ANN), given.estimate_id, FeedbackVerdict.TOO_LOW) == last
    forms = feedback_forms(feedback_on(acting(store, ANN), given.estimate_id))
    assert [(one["actor"], one["verdict"], one["note"], one["counts"]) for one in forms] == [
        ("Ann", "too_low", "", True),
        ("Kim Agent", "useful", "", True),
        ("Ann", "too_high", "needs a roof", False),
    ]
    assert own_feedback(acting(store, ANN), given.estimate_id) == last
    assert own_feedback(acting(store, MANAGER), given.estimate_id) is None
    trail = [one for one in store.events.list(given.market_id) if one.action == "feedback.given"]
    assert [(one.actor, one.detail["verdict"], one.detail["before"]) for one in trail] == [
        ("Ann", "too_low", "too_high"),
        ("Kim Agent", "useful", None),
        ("Ann", "too_high", None),
    ]


def test_persons_are_cut_out_of_a_note_before_it_is_stored(store: Store, given: EstimateRecord) -> None:
    note = "Too high, says John Miller, 206-555-1003 or j.miller@example.com"
    kept = give_feedback(acting(store, ANN), given.estimate_id, FeedbackVerdict.TOO_HIGH, note).note
    assert kept.startswith("Too high, says [removed]")
    everything = kept + str([one.detail for one in store.events.list(given.market_id)])
    assert not any(word in everything for word in ("Miller", "206", "@"))


def test_another_offices_estimate_and_one_that_is_not_there_take_no_feedback(
    store: Store, given: EstimateRecord
) -> None:
    for attempt in (
        lambda: give_feedback(acting(store, BEN), given.estimate_id, FeedbackVerdict.USEFUL),
        lambda: feedback_on(acting(store, BEN), given.estimate_id),
    ):
        with pytest.raises(AccessDenied, match="belongs to another office"):
            attempt()
    with pytest.raises(NotFound):
        give_feedback(acting(store, ANN), "0" * 16, FeedbackVerdict.USEFUL)
    with pytest.raises(AccessDenied, match="may not give feedback"):
        give_feedback(
            acting(store, Actor("key", Role.AGENT, "North", frozenset())), given.estimate_id, FeedbackVerdict.USEFUL
        )
    assert feedback_on(acting(store, ANN), given.estimate_id) == []


def test_what_cannot_be_said_is_refused_by_name(store: Store, market: Market, given: EstimateRecord) -> None:
    with pytest.raises(InvalidFeedback, match="1,001 characters; at most 1,000") as caught:
        give_feedback(acting(store, ANN), given.estimate_id, FeedbackVerdict.USEFUL, "x" * 1_001)
    assert caught.value.field == "note"
    unpriced = store.ledger.append(no_estimate(market.market_id), AGENT)
    with pytest.raises(InvalidFeedback, match="has no price that could be too high"):
        give_feedback(acting(store, ANN), unpriced.estimate_id, FeedbackVerdict.TOO_HIGH)
    give_feedback(acting(store, ANN), unpriced.estimate_id, FeedbackVerdict.WRONG_FACTS)


def test_the_ledgers_file_has_what_each_person_says_now(store: Store, market: Market, given: EstimateRecord) -> None:
    other = store.ledger.append(estimate(market.market_id), AGENT)
    give_feedback(acting(store, ANN), given.estimate_id, FeedbackVerdict.TOO_HIGH, "old roof")
    give_feedback(acting(store, AGENT), given.estimate_id, FeedbackVerdict.WRONG_FACTS, "=three baths")
    give_feedback(acting(store, ANN), given.estimate_id, FeedbackVerdict.USEFUL, "new roof")
    content = b"".join(export_ledger(acting(store, ANALYST), market.market_id, Slice())).decode("utf-8-sig")
    rows = {row["estimate_id"]: row for row in csv.DictReader(io.StringIO(content))}
    assert rows[given.estimate_id]["feedback"] == "wrong_facts; useful"
    assert rows[given.estimate_id]["feedback_note"] == "'=three baths; new roof"
    assert (rows[other.estimate_id]["feedback"], rows[other.estimate_id]["feedback_note"]) == ("", "")
