"""Answers are written to the ledger before they are given, and shown again as they were."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.errors import AnswerUnreadable, ImpossibleProperty, NotFound, StoreUnavailable
from core.problem import Problem
from core.serve.estimate import Estimate, Refused
from core.serve.review.unavailable import Unavailable
from core.states import EstimateState
from core.store import Store, open_store
from core.store.ledger.estimates import Ledger
from core.workflows.pricing.answers import (
    AnswerFilter,
    Question,
    at_level,
    begin_home,
    every_recent,
    load_answer,
    own_undecided,
    price_and_record,
    recent,
    recent_alone,
)
from core.workflows.pricing.decisions import DecisionInput, decide
from core.workflows.pricing.desk import Desk, open_desk
from core.workflows.pricing.questions import Asked, list_price, question_of
from tests.acting import acting

AGENT = Actor("Ana", Role.AGENT, "North")


@pytest.fixture(scope="module")
def opened(small_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    home = tmp_path_factory.mktemp("answering") / "home"
    shutil.copytree(small_home, home)
    return open_store(home)


@pytest.fixture(scope="module")
def desk(opened: Store, problem: Problem) -> Desk:
    return open_desk(opened, opened.markets.list()[0].market_id, problem)


@pytest.fixture(scope="module")
def zipcode(desk: Desk) -> str:
    assert desk.bundle is not None
    return next(iter(desk.bundle.model.profile.area_codes["zipcode"]))


def ask(desk: Desk, facts: dict[str, object]) -> Question:
    return Question(facts, desk.valuation_date(date(2026, 1, 1)), 0.8)


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"living_area_sqft": 1_500.0, "address": "12 N. Main St., Apt 4", "bedrooms": 3}, Estimate),
        ({"bedrooms": 3.0}, Unavailable),
        ({"living_area_sqft": -3.0}, Refused),
    ],
)
def test_stored_answer_is_the_one_given(
    opened: Store, desk: Desk, zipcode: str, facts: dict[str, object], kind: type
) -> None:
    given = price_and_record(acting(opened, AGENT), desk, ask(desk, {"zipcode": zipcode, **facts}), "page")
    assert isinstance(given.result, kind)
    assert given.estimate_id is not None
    assert load_answer(acting(opened, AGENT), given.estimate_id) == given


@pytest.mark.parametrize(
    ("fact", "value", "stored"),
    [
        ("lot_area_sqft", float("inf"), "inf"),
        ("living_area_sqft", "inf", "inf"),
        ("living_area_sqft", "150 m3", "150 m3"),
        ("address", "Elm " * 100, ("Elm " * 100)[:199] + "…"),
    ],
)
def test_a_refusal_is_in_the_ledger_whatever_was_typed(
    opened: Store, desk: Desk, zipcode: str, fact: str, value: object, stored: str
) -> None:
    facts = {"zipcode": zipcode, "living_area_sqft": 1_500.0, fact: value}
    given = price_and_record(acting(opened, AGENT), desk, ask(desk, facts), "page")
    assert isinstance(given.result, Refused)
    assert given.estimate_id is not None
    entry = opened.ledger.get(given.estimate_id)
    assert (entry.status, entry.facts[fact]) == ("refused", stored)


def test_a_decimal_comma_is_the_number_it_says(opened: Store, desk: Desk, zipcode: str) -> None:
    comma, point = (
        price_and_record(acting(opened, AGENT), desk, ask(desk, {"zipcode": zipcode, **facts}), "page").result
        for facts in (
            {"living_area_sqft": "1500,5", "bathrooms": "1,5"},
            {"living_area_sqft": 1500.5, "bathrooms": 1.5},
        )
    )
    assert isinstance(comma, Estimate)
    assert comma == point


def test_ledger_names_model_data_and_market_level(opened: Store, desk: Desk, zipcode: str) -> None:
    facts = {"zipcode": zipcode, "living_area_sqft": 1_500.0, "address": "12 N. Main St., Apt 4"}
    given = price_and_record(acting(opened, AGENT), desk, ask(desk, facts), "page")
    assert given.estimate_id is not None
    entry = opened.ledger.get(given.estimate_id)
    assert desk.record is not None
    assert entry.model_id == desk.record.model_id
    assert entry.level_id is not None
    level = opened.levels.get(entry.level_id)
    assert (level.model_id, level.version_id) == (entry.model_id, entry.version_id)
    assert isinstance(given.result, Estimate)
    assert (entry.point, entry.low, entry.high) == (given.result.point, given.result.low, given.result.high)
    assert (entry.actor, entry.office, entry.channel) == ("Ana", "North", "page")
    assert entry.property_key == "12 N MAIN ST #4"


def test_level_is_the_same_object_whenever_the_desk_is_opened(opened: Store, desk: Desk, problem: Problem) -> None:
    again = open_desk(opened, desk.market.market_id, problem)
    assert again.live_market is not None
    assert desk.live_market is not None
    assert again.live_market.level_id == desk.live_market.level_id
    assert again.live_market.live_model.level == desk.live_market.live_model.level


def test_agent_gets_the_answer_although_the_ledger_fails(
    opened: Store, desk: Desk, zipcode: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise StoreUnavailable("The disk is full.")

    question = ask(desk, {"zipcode": zipcode, "living_area_sqft": 1_500.0})
    with monkeypatch.context() as failing:
        failing.setattr(Ledger, "append_signed", full)
        given = price_and_record(acting(opened, AGENT), desk, question, "page")
    assert isinstance(given.result, Estimate)
    assert given.estimate_id is None
    assert "The disk is full." in caplog.text
    assert opened.spool.state().waiting == 1

    # The next answer that can be written takes it along, as it was given.
    price_and_record(acting(opened, AGENT), desk, question, "page")
    assert opened.spool.state().waiting == 0
    later = load_answer(acting(opened, AGENT), given.pending_id)
    assert (later.result, later.at, later.actor) == (given.result, given.at, "Ana")


def test_agent_gets_the_answer_although_ledger_and_disk_fail(
    opened: Store, desk: Desk, zipcode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreUnavailable("The disk is full.")

    def no_space(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Ledger, "append_signed", full)
    monkeypatch.setattr("core.store.ledger.spool.write_atomically", no_space)
    before = opened.spool.state().lost
    given = price_and_record(
        acting(opened, AGENT), desk, ask(desk, {"zipcode": zipcode, "living_area_sqft": 1_500.0}), "page"
    )
    assert isinstance(given.result, Estimate)
    assert (given.estimate_id, given.pending_id) == (None, "")
    assert opened.spool.state().lost == before + 1


def test_own_recent_answers_come_newest_first(opened: Store, desk: Desk, zipcode: str) -> None:
    bea = Actor("Bea", Role.AGENT)
    ids = [
        price_and_record(
            acting(opened, bea), desk, ask(desk, {"zipcode": zipcode, "living_area_sqft": area}), "page"
        ).estimate_id
        for area in (1_200.0, 1_300.0)
    ]
    listed = recent(acting(opened, bea), desk.market.market_id, 10)
    assert [one.estimate.estimate_id for one in listed] == ids[::-1]


def test_open_is_the_latest_price_on_the_page_of_a_home_and_one_definition_for_both_lists(
    opened: Store, desk: Desk, zipcode: str
) -> None:
    ada, market_id = acting(opened, Actor("Ada", Role.AGENT)), desk.market.market_id
    facts = {"address": "12 Real Street, Larkhaven", "zipcode": zipcode, "living_area_sqft": 1_250.0}
    question = ask(desk, facts)
    first, second = (price_and_record(ada, desk, question, "page") for _ in range(2))
    nameless = price_and_record(ada, desk, ask(desk, {"zipcode": zipcode, "living_area_sqft": 1_250.0}), "page")
    price_and_record(ada, desk, ask(desk, {}), "page")
    asked = price_and_record(ada, desk, question, "api")
    row = price_and_record(ada, desk, question, "file")

    alone = recent_alone(ada, market_id, 9)
    assert [one.estimate.estimate_id for one in alone] == [asked.estimate_id, nameless.estimate_id, second.estimate_id]
    listed = every_recent(ada, market_id, 9)
    ids = [one.estimate_id for one in (row, asked, nameless, second, first)]
    assert [one.estimate.estimate_id for one in listed] == ids, "what has no price is no line"
    assert [one.decision_words("USD") for one in listed] == ["", "", "open", "open", ""]
    assert len(recent(ada, market_id, 9, AnswerFilter(state=EstimateState.NO_PRICE))) == 1
    open_ones = recent(ada, market_id, 9, AnswerFilter(state=EstimateState.OPEN))
    assert [one.estimate.estimate_id for one in open_ones] == [nameless.estimate_id, second.estimate_id]
    assert own_undecided(ada, market_id) == 2
    # The address stays as typed; a home without one is told by its facts.
    assert listed[3].home == f"12 Real St, Larkhaven, {zipcode}"
    assert listed[2].home == f"{zipcode}, 1,250 sq ft"
    assert second.estimate_id is not None
    assert isinstance(second.result, Estimate)
    decide(ada, second.estimate_id, DecisionInput("accept", second.result.point))
    assert own_undecided(ada, market_id) == 1
    # Priced again after the decision, the home waits for one again.
    price_and_record(ada, desk, question, "page")
    assert own_undecided(ada, market_id) == 2
    # Homes without an address in an area are not one home: each waits.
    price_and_record(ada, desk, ask(desk, {"zipcode": zipcode, "living_area_sqft": 1_500.0}), "page")
    assert own_undecided(ada, market_id) == 3
    assert [one.is_open for one in recent_alone(ada, market_id, 9)] == [True, True, True]
    # The same facts on the same day replace each other.
    price_and_record(ada, desk, ask(desk, {"zipcode": zipcode, "living_area_sqft": 1_500.0}), "page")
    assert [one.is_open for one in recent_alone(ada, market_id, 9)] == [True, True, True]
    # Releases before did not note which home was meant: there, area, type and size told.
    price_and_record(ada, desk, ask(desk, {"zipcode": zipcode, "living_area_sqft": 1_500.0, "bedrooms": 3.0}), "page")
    assert own_undecided(ada, market_id) == 3


def test_a_home_without_an_address_waits_for_its_decision_until_it_is_priced_again_and_not_until_another_is(
    opened: Store, desk: Desk, zipcode: str
) -> None:
    ada, market_id = acting(opened, Actor("Eve", Role.AGENT)), desk.market.market_id

    def priced(home_id: str, size: float) -> str:
        facts: dict[str, object] = {"zipcode": zipcode, "living_area_sqft": size}
        made = price_and_record(ada, desk, replace(ask(desk, facts), home_id=home_id), "page")
        assert load_answer(ada, str(made.estimate_id)).question == made.question
        return str(made.estimate_id)

    first, other = begin_home(), begin_home()
    mistyped, elsewhere, corrected = priced(first, 2_100.0), priced(other, 1_200.0), priced(first, 1_200.0)
    assert own_undecided(ada, market_id) == 1, "the same facts on the same day are the same home"
    larger = priced(other, 3_000.0)
    assert own_undecided(ada, market_id) == 2
    both = [larger, corrected]
    open_ones = recent(ada, market_id, 9, AnswerFilter(state=EstimateState.OPEN))
    assert [one.estimate.estimate_id for one in open_ones] == both
    assert [one.estimate.estimate_id for one in recent_alone(ada, market_id, 9)] == both
    listed = recent(ada, market_id, 9)
    assert [(one.estimate.estimate_id, one.earlier, one.is_open) for one in listed] == [(one, 1, True) for one in both]
    assert {one.estimate.estimate_id for one in every_recent(ada, market_id, 9)} == {*both, mistyped, elsewhere}


def test_another_level_is_the_same_estimate_and_is_not_recorded(opened: Store, desk: Desk, zipcode: str) -> None:
    agent = acting(opened, AGENT)
    given = price_and_record(agent, desk, ask(desk, {"zipcode": zipcode, "living_area_sqft": 1_450.0}), "page")
    assert isinstance(given.result, Estimate)
    assert given.estimate_id is not None
    before = opened.ledger.count(desk.market.market_id)
    wide = at_level(desk, load_answer(agent, given.estimate_id), 0.9, AGENT)
    assert wide is not None
    assert opened.ledger.count(desk.market.market_id) == before
    assert wide.low < given.result.low < given.result.high < wide.high
    assert wide.held != given.result.held
    same = replace(wide, low=given.result.low, high=given.result.high, level=0.8, held=given.result.held)
    assert replace(same, segment=given.result.segment) == given.result
    assert at_level(desk, given, 0.8, AGENT) == given.result
    assert at_level(desk, replace(given, model_id="another"), 0.9, AGENT) is None


def test_an_office_lead_sees_the_latest_answers_of_the_office_and_an_agent_only_their_own(
    opened: Store, desk: Desk, zipcode: str
) -> None:
    market_id = desk.market.market_id

    def priced_by(actor: Actor) -> str | None:
        question = ask(desk, {"zipcode": zipcode, "living_area_sqft": 1_400.0})
        return price_and_record(acting(opened, actor), desk, question, "page").estimate_id

    # Two people of one name, in one office, and somebody of another.
    kim, twin = (Actor("Kim", Role.AGENT, "Harbor", actor_id=f"oidc:{number}") for number in "12")
    ids = [priced_by(actor) for actor in (kim, twin, Actor("Zoe", Role.AGENT, "Hill"))]
    assert [one.estimate.estimate_id for one in recent(acting(opened, kim), market_id, 10)] == ids[:1]
    lead = acting(opened, Actor("Lee", Role.OFFICE_LEAD, "Harbor"))
    assert [one.estimate.estimate_id for one in recent(lead, market_id, 10)] == ids[1::-1]
    manager = acting(opened, Actor("Max", Role.MANAGER))
    assert [one.estimate.estimate_id for one in recent(manager, market_id, 3)] == ids[::-1]


def test_unknown_id_and_a_row_of_a_file_say_why_they_cannot_be_shown(opened: Store, desk: Desk) -> None:
    with pytest.raises(NotFound, match="feedfeed"):
        load_answer(acting(opened, AGENT), "feedfeedfeedfeed")
    row = price_and_record(acting(opened, AGENT), desk, ask(desk, {}), "file")
    assert row.estimate_id is not None
    from core.store import NewEstimate

    figures_only = NewEstimate(
        market_id=desk.market.market_id,
        as_of=date(2025, 1, 1),
        channel="file",
        status="refused",
        currency="USD",
        latency_ms=1.0,
        reason="a reason",
        facts={},
        answer={},
    )
    record = opened.ledger.append(figures_only, AGENT)
    with pytest.raises(AnswerUnreadable, match="file of many"):
        load_answer(acting(opened, AGENT), record.estimate_id)


def test_an_impossible_asking_price_is_named_as_the_asker_knows_it(small_desk: Desk, problem: Problem) -> None:
    with pytest.raises(ImpossibleProperty, match=r"^Asking price cannot be 5"):
        list_price(5.0, problem)
    for asked in (Asked({"ListPrice": 5}), Asked({}, list_price=5.0)):
        with pytest.raises(ImpossibleProperty, match=r"^List price cannot be 5"):
            question_of(small_desk, asked, date(2026, 1, 1))


def test_a_question_names_type_and_area_as_the_market_does(small_desk: Desk, zipcode: str) -> None:
    typed = {"property_type": "House", "zipcode": f"{zipcode}-0001", "living_area_sqft": "1,500 sqft", "bedrooms": "?"}
    kept = question_of(small_desk, Asked(typed), date(2026, 1, 1)).facts
    assert kept == {"property_type": "single_family", "zipcode": zipcode, "living_area_sqft": 1500, "bedrooms": "?"}
