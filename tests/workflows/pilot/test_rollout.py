"""The rollout by office: who has estimates on which day, who is never held back, and every change with its inverse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access import Actor, Role, office_key
from core.errors import AccessDenied, InvalidRecord, NotInPilot, ReasonNeeded, StoreUnavailable
from core.states import AuditAction, Group
from core.store import Market, Store
from core.store.operations.rollouts import OfficePlan, Rollout
from core.workflows.pilot.report import pilot_report
from core.workflows.pilot.rollout import (
    add_offices,
    as_known,
    change_words,
    control_at_once,
    end_pilot,
    is_for_everyone,
    require_in_pilot,
    rollout_form,
    rollout_history,
    rollout_words,
    shared_days,
    stop_offices,
    take_back_change,
)
from core.workspace import Workspace
from tests.acting import acting
from tests.store.samples import MANAGER

MONDAY = date(2026, 3, 2)
TUESDAY = date(2026, 3, 3)


@pytest.fixture
def market(store: Store) -> Market:
    return store.markets.create("Springfield", "USD", "sqft", False, MANAGER)


def agent_of(store: Store, office: str, day: date = MONDAY, role: Role = Role.AGENT) -> Workspace:
    return acting(store, Actor("Kim", role, office), today=day)


def pilot(name: str, starts: date | None = MONDAY) -> OfficePlan:
    return OfficePlan(name, Group.PILOT, starts)


def start(store: Store, market: Market, *plans: OfficePlan) -> None:
    add_offices(acting(store), market.market_id, plans, "first offices")


@pytest.mark.parametrize("same", ["NORTH-SIDE  realty, Inc.", "Northside Realty Inc", "ＮＯＲＴＨside realty inc"])
def test_names_of_an_office_compare_without_case_blanks_and_punctuation(same: str) -> None:
    assert office_key(same) == "northsiderealtyinc"


@given(st.text())
def test_folding_an_offices_name_again_changes_nothing(name: str) -> None:
    assert office_key(office_key(name)) == office_key(name)


def test_without_a_rollout_everyone_is_in(store: Store, market: Market) -> None:
    for office in ("North", ""):
        require_in_pilot(agent_of(store, office), market)


def test_an_office_is_in_from_its_first_day_on_and_others_hear_when_they_start(store: Store, market: Market) -> None:
    start(store, market, pilot("North Side"), pilot("South", TUESDAY), OfficePlan("East", Group.CONTROL, None))
    require_in_pilot(agent_of(store, "north-side"), market)
    with pytest.raises(NotInPilot) as waiting:
        require_in_pilot(agent_of(store, "South"), market)
    assert str(waiting.value) == (
        "Your office, South, is not yet in the pilot of estimates; it starts on Mar 3, 2026. "
        "Days count in UTC, where it is Mar 2, 2026."
    )
    require_in_pilot(agent_of(store, "South", TUESDAY), market)
    for office in ("East", "West"):
        with pytest.raises(NotInPilot, match=f"Your office, {office}, is not yet in .* no start date"):
            require_in_pilot(agent_of(store, office, date(2030, 1, 1)), market)
    with pytest.raises(NotInPilot, match="Your account names no office"):
        require_in_pilot(agent_of(store, " - "), market)


def test_everyone_else_starts_on_their_day_but_a_named_office_has_its_own(store: Store, market: Market) -> None:
    start(
        store, market, pilot("North"), OfficePlan("East", Group.CONTROL, None), OfficePlan("", Group.EVERYONE, TUESDAY)
    )
    for office in ("West", ""):
        with pytest.raises(NotInPilot, match="it starts on Mar 3, 2026"):
            require_in_pilot(agent_of(store, office), market)
        require_in_pilot(agent_of(store, office, TUESDAY), market)
    with pytest.raises(NotInPilot, match="no start date"):
        require_in_pilot(agent_of(store, "East", TUESDAY), market)


def test_only_agents_and_office_leads_are_held_back(store: Store, market: Market) -> None:
    start(store, market, pilot("North"))
    held = set()
    for role in Role:
        try:
            require_in_pilot(agent_of(store, "South", role=role), market)
        except NotInPilot:
            held.add(role)
    assert held == {Role.AGENT, Role.OFFICE_LEAD}


def test_a_database_that_is_away_holds_nobody_back(
    store: Store, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(store, market, pilot("North"))

    def away(market_id: str) -> None:
        raise StoreUnavailable("The database is away.")

    monkeypatch.setattr(store.rollouts, "current", away)
    require_in_pilot(agent_of(store, "South"), market)


def test_widening_adds_offices_and_moves_those_named_before(store: Store, market: Market) -> None:
    start(store, market, pilot("North"), OfficePlan("East", Group.CONTROL, None))
    record = add_offices(acting(store), market.market_id, [pilot("EAST", TUESDAY), pilot("West")], "it helps them")
    assert record.rollout is not None
    assert record.rollout.offices == (pilot("North"), pilot("East", TUESDAY), pilot("West"))
    [widened, started] = [one for one in store.events.list(market.market_id) if one.action.startswith("rollout")]
    assert (widened.action, started.action) == ("rollout.widened", "rollout.started")
    assert (widened.actor, widened.detail["reason"]) == ("Mia", "it helps them")
    assert [one["office"] for one in widened.detail["after"]] == ["North", "East", "West"]
    assert widened.detail["before"] == started.detail["after"]


def test_an_office_is_named_once_and_as_its_estimates_name_it(
    store: Store, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.ledger, "offices", lambda _: ["Harbour", "Old Town"])
    typed = ["harbour", "Nowhere  Office", "HARBOUR", "nowhere office"]
    record = add_offices(acting(store), market.market_id, [pilot(name) for name in typed], "the first offices")
    assert record.rollout is not None
    assert [one.office for one in record.rollout.offices] == ["Harbour", "nowhere office"]
    assert as_known(typed, ["Harbour"]) == ("Harbour", "Nowhere Office")


def test_stopping_leaves_nobody_but_those_kept(store: Store, market: Market) -> None:
    start(store, market, pilot("North"), pilot("South"), OfficePlan("", Group.EVERYONE, MONDAY))
    stop_offices(acting(store), market.market_id, ["north"], "wrong facts")
    require_in_pilot(agent_of(store, "North"), market)
    for office in ("South", "West"):
        with pytest.raises(NotInPilot):
            require_in_pilot(agent_of(store, office), market)
    stop_offices(acting(store), market.market_id, [], "all of them")
    with pytest.raises(NotInPilot):
        require_in_pilot(agent_of(store, "North"), market)
    with pytest.raises(InvalidRecord, match="Utopia is not in the rollout"):
        stop_offices(acting(store), market.market_id, ["Utopia"], "to see it refused")


def test_every_change_is_taken_back_one_after_the_other_until_everyone_is_in_again(
    store: Store, market: Market
) -> None:
    def current() -> object:
        return store.rollouts.current(market.market_id)

    workspace, states = acting(store), [current()]
    add_offices(workspace, market.market_id, [pilot("North")], "change a, to see")
    states.append(current())
    add_offices(workspace, market.market_id, [pilot("South")], "change b, to see")
    states.append(current())
    stop_offices(workspace, market.market_id, [], "change c, to see")
    take_back_change(workspace, market.market_id, "c was wrong")
    assert current() == states[2]
    take_back_change(workspace, market.market_id, "b was wrong")
    assert current() == states[1]
    add_offices(workspace, market.market_id, [pilot("West")], "change d, to see")
    for earlier in (states[1], states[0]):
        take_back_change(workspace, market.market_id, "back again")
        assert current() == earlier
    with pytest.raises(InvalidRecord, match="no change to take back"):
        take_back_change(workspace, market.market_id, "back once more")
    assert len(store.rollouts.history(market.market_id)) == 8
    assert {one.action for one in store.events.list(market.market_id)} >= {"rollout.stopped", "rollout.taken_back"}


def test_a_change_needs_a_reason_a_name_and_the_right_to_make_it(store: Store, market: Market) -> None:
    workspace, market_id = acting(store), market.market_id
    with pytest.raises(ReasonNeeded, match="at least 10 characters"):
        add_offices(workspace, market_id, [pilot("North")], "  ")
    with pytest.raises(InvalidRecord, match="does not name an office"):
        add_offices(workspace, market_id, [pilot(" - ")], "to see it refused")
    with pytest.raises(InvalidRecord, match="81 characters"):
        add_offices(workspace, market_id, [pilot("x" * 81)], "to see it refused")
    with pytest.raises(InvalidRecord, match="leave out 'North'"):
        add_offices(workspace, market_id, [replace(pilot("North"), group=Group.EVERYONE)], "to see it refused")
    with pytest.raises(InvalidRecord, match="No office is named"):
        add_offices(workspace, market_id, [], "to see it refused")
    kim = agent_of(store, "North")
    changes: tuple[Callable[[], object], ...] = (
        lambda: add_offices(kim, market_id, [pilot("North")], "to see it refused"),
        lambda: stop_offices(kim, market_id, [], "to see it refused"),
        lambda: take_back_change(kim, market_id, "to see it refused"),
    )
    for change in changes:
        with pytest.raises(AccessDenied, match="may not start, widen or stop the pilot"):
            change()
    assert store.rollouts.current(market_id) is None


def test_a_sentence_says_who_has_estimates(store: Store, market: Market) -> None:
    assert rollout_words(None, MONDAY, "USD") == "Every office has estimates; no pilot is set."
    start(store, market, pilot("North"), pilot("South", TUESDAY))
    rollout = store.rollouts.current(market.market_id)
    assert rollout_words(rollout, date(2026, 3, 1), "USD") == "No office has estimates today."
    assert rollout_words(rollout, MONDAY, "USD") == "One office has estimates: North."
    assert rollout_words(rollout, TUESDAY, "USD") == "These offices have estimates: North, South."
    start(store, market, OfficePlan("", Group.EVERYONE, date(2026, 3, 9)))
    rollout = store.rollouts.current(market.market_id)
    assert (
        rollout_words(rollout, MONDAY, "USD") == "One office has estimates: North. Everyone else starts on Mar 9, 2026."
    )
    assert rollout_words(rollout, date(2026, 3, 9), "USD") == "Every office has estimates."
    form = rollout_form(market, rollout, MONDAY)
    assert form["offices"][0] == {"office": "North", "group": "pilot", "starts": "2026-03-02", "in": True}


def test_ending_a_pilot_gives_everyone_estimates_and_keeps_the_pilots_offices(store: Store, market: Market) -> None:
    manager = acting(store, MANAGER)
    with pytest.raises(InvalidRecord, match="no pilot to end"):
        end_pilot(manager, market.market_id, "nothing to end")
    today = manager.today(market)
    before = today - timedelta(days=30)
    plans = [OfficePlan("North", Group.PILOT, before), OfficePlan("South", Group.CONTROL, None)]
    add_offices(manager, market.market_id, plans, "the first office")
    record = end_pilot(manager, market.market_id, "it went well")
    # The change before it only added offices, though every office has estimates today.
    words = [change_words(one, today) for one in rollout_history(manager, market.market_id)]
    assert words == ["Ended: every office has estimates", "Started"]
    assert record.rollout is not None
    assert is_for_everyone(record.rollout, today)
    assert record.rollout.of_group(Group.PILOT) == (plans[0],)
    assert record.rollout.of_group(Group.CONTROL) == (replace(plans[1], starts=today),)
    assert store.events.of(market.market_id, AuditAction.ROLLOUT_ENDED)
    report = pilot_report(manager, market.market_id)
    assert report is not None
    assert (report.offices, report.ended, report.days) == (("North",), today, 30)
    with pytest.raises(InvalidRecord, match="no pilot to end"):
        end_pilot(manager, market.market_id, "once again")


def test_a_first_pilot_in_the_past_is_asked_about() -> None:
    today = date(2025, 7, 1)
    asked = shared_days(None, date(2025, 2, 1), today, "USD")
    assert asked.startswith("From Feb 1, 2025 until today every office had estimates")
    assert (shared_days(None, today, today, "USD"), shared_days(Rollout(()), date(2025, 2, 1), today, "USD")) == (
        "",
        "",
    )


def test_a_control_with_estimates_at_once_is_asked_about() -> None:
    today = date(2025, 7, 1)
    control = OfficePlan("Harbour", Group.CONTROL, today)
    assert control_at_once([control], today, "USD").startswith("Harbour would have estimates on Jul 1, 2025")
    later = (replace(control, starts=None), replace(control, starts=date(2025, 7, 2)))
    assert control_at_once([*later, replace(control, group=Group.PILOT)], today, "USD") == ""
