"""The pilot on the pages: an agent who is not yet in it, and a manager who starts, stops and reads it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.access import Actor, Role
from core.problem import Problem
from core.states import FeedbackVerdict, Group
from core.store import Store, open_store
from core.store.operations.rollouts import OfficePlan
from core.workflows.pilot.feedback import LABELS
from core.workflows.pilot.rollout import add_offices
from core.workflows.pricing.answers import Question, price_and_record
from core.workflows.pricing.desk import open_desk
from pages.kit import session
from pages.kit.navigation import PAGES_FOLDER, page_at
from tests.acting import acting
from tests.patience import PATIENCE_SECONDS

MANAGER = Actor("Max", Role.MANAGER)


@pytest.fixture
def store(own_small_store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setenv("DOORSTEP_HOME", str(own_small_store))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with open_store(own_small_store) as opened:
        yield opened


def page(path: str, role: Role, view: str = "") -> AppTest:
    app = AppTest.from_file(str(PAGES_FOLDER / "shell.py"), default_timeout=PATIENCE_SECONDS)
    app.session_state[session.ROLE_KEY] = role.value
    app.run()
    app = app.switch_page(page_at(path).script.name).run()
    if view:
        app.session_state["view"] = view
        app = app.run()
    assert not app.exception
    return app


def text(app: AppTest) -> str:
    """All the words on the page but tables, as a reader sees them."""
    return "\n".join(
        str(one.value) for one in (*app.markdown, *app.info, *app.warning, *app.error, *app.caption)
    ).replace("\\", "")


def press(app: AppTest, label: str) -> AppTest:
    [button] = [button for button in app.button if button.label == label]
    app = button.click().run()
    assert not app.exception
    return app


def test_an_agent_who_is_not_in_the_pilot_sees_one_sentence_and_no_form(store: Store) -> None:
    add_offices(
        acting(store, MANAGER), "larkhaven", [OfficePlan("", Group.EVERYONE, date(2099, 3, 2))], "the office opens"
    )
    app = page("pricing", Role.AGENT)
    [sentence] = [one.value for one in app.info]
    shown = sentence.replace("\\", "")
    assert shown.startswith("You are not yet in the pilot of estimates; it starts on Mar 2, 2099. In this simulated")
    assert shown.endswith("the day after its latest sale, and that day counts.")
    assert not app.button
    held = page("pricing", Role.MANAGER)
    assert [button for button in held.button if button.label == "Price this home"]


def test_a_manager_starts_stops_and_takes_back_on_the_page(store: Store) -> None:
    app = page("monitoring", Role.MANAGER, "Pilot")
    assert "Every office has estimates; no pilot is set." in text(app)
    assert "In this simulated market it is" in text(app)
    app.text_area("rollout_names").set_value("North\nSouth Bay\n")
    press(app, "Give them estimates")
    assert "at least 10 characters (0 so far)" in text(app)
    app.text_input("rollout_add_reason").set_value("the first two offices")
    press(app, "Give them estimates")
    rollout = store.rollouts.current("larkhaven")
    assert rollout is not None
    assert [one.office for one in rollout.offices] == ["North", "South Bay"]
    app.text_input("rollout_stop_reason").set_value("wrong facts")
    press(app, "Stop all other offices")
    assert "No office and no agent would have estimates. If it is right, press again." in text(app)
    assert store.rollouts.current("larkhaven") == rollout
    press(app, "Stop all other offices")
    stopped = store.rollouts.current("larkhaven")
    assert stopped is not None
    assert stopped.offices == ()
    again = page("monitoring", Role.MANAGER, "Pilot")
    assert not [button for button in again.button if button.label.startswith("Stop ")]
    assert "No office has estimates today." in text(page("", Role.MANAGER))
    assert "Estimates were stopped for all offices of this market" in text(page("pricing", Role.AGENT))
    app.text_input("rollout_back_reason").set_value("they are right")
    press(app, "Take back the last change")
    assert store.rollouts.current("larkhaven") == rollout


def test_a_first_pilot_of_a_later_day_is_asked_about_and_nothing_can_be_taken_back_before_it(store: Store) -> None:
    app = page("monitoring", Role.MANAGER, "Pilot")
    labels = [button.label for button in app.button]
    assert "Take back the last change" not in labels
    assert "Stop estimates for all offices" in labels
    reasons = [one.label for one in app.text_input if str(one.key).startswith("rollout")]
    assert reasons == ["Reason, at least 10 characters", "To stop: reason, at least 10 characters"]
    press(app, "Give them estimates")
    assert "No office is named; name at least one. To change who has estimates" in text(app), "all that is missing"
    app.text_area("rollout_names").set_value("North\n")
    app.text_input("rollout_add_reason").set_value("the first office")
    today = app.date_input("rollout_start").value
    assert isinstance(today, date)
    app.date_input("rollout_start").set_value(today + timedelta(days=1))
    press(app, "Give them estimates")
    assert "no office has estimates: those named here start then" in text(app)
    assert store.rollouts.current("larkhaven") is None
    press(app, "Give them estimates")
    assert "No office has estimates today." in text(app)


def test_an_office_nobody_has_heard_of_is_asked_about_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.views.monitoring.rollout.offices", lambda *_: ["North", "South Bay"])
    app = page("monitoring", Role.MANAGER, "Pilot")
    app.text_area("rollout_names").set_value("north\nSuoth Bay\n")
    app.text_input("rollout_add_reason").set_value("the first two offices")
    press(app, "Give them estimates")
    assert "No agent of Suoth Bay has had an estimate yet." in text(app)
    assert store.rollouts.current("larkhaven") is None
    press(app, "Give them estimates")
    rollout = store.rollouts.current("larkhaven")
    assert rollout is not None
    assert [one.office for one in rollout.offices] == ["north", "Suoth Bay"]


def test_an_analyst_reads_the_pilot_and_changes_nothing(store: Store) -> None:
    app = page("monitoring", Role.ANALYST, "Pilot")
    assert not [button for button in app.button if button.label in ("Give them estimates", "Stop all other offices")]


def test_one_click_says_what_an_agent_thinks_and_another_changes_it(store: Store, problem: Problem) -> None:
    desk = open_desk(store, "larkhaven", problem)
    assert desk.bundle is not None
    code = next(iter(desk.bundle.model.profile.area_codes["zipcode"]))
    facts = {"zipcode": code, "living_area_sqft": 1_680.0, "bedrooms": 3.0}
    agent = acting(store, Actor("Ann", Role.AGENT, "North"))
    answered = price_and_record(agent, desk, Question(facts, desk.bundle.model.profile.last_sale, 0.8), "page")

    def drawn() -> None:
        import streamlit as st

        from pages.views.pricing import feedback

        feedback.draw(*st.session_state["given"])

    app = AppTest.from_function(drawn, default_timeout=PATIENCE_SECONDS)
    app.session_state["given"] = (agent, answered)
    app.run()
    assert not app.caption
    assert answered.estimate_id is not None
    for verdict in (FeedbackVerdict.TOO_HIGH, FeedbackVerdict.USEFUL):
        app.session_state[f"verdict-{answered.estimate_id}"] = verdict
        app.run()
        assert not app.exception
        assert f"Recorded: {LABELS[verdict].lower()}" in text(app)
    app.text_area[0].set_value("the roof is new, ask Ann Miller")
    press(app, "Keep the note")
    said = store.feedback.of(answered.estimate_id)
    assert [(one.verdict, one.note) for one in said] == [
        (FeedbackVerdict.USEFUL, "the roof is new, ask [removed]"),
        (FeedbackVerdict.USEFUL, ""),
        (FeedbackVerdict.TOO_HIGH, ""),
    ]


def test_the_report_stands_above_the_rollout_and_says_what_it_lacks(store: Store) -> None:
    workspace = acting(store, MANAGER)
    clock = workspace.today(store.markets.get("larkhaven"))
    add_offices(workspace, "larkhaven", [OfficePlan("North", Group.PILOT, clock - timedelta(days=20))], "first office")
    app = page("monitoring", Role.ANALYST, "Pilot")
    shown = text(app)
    assert "Simulated market. North since" in shown
    assert "There are no listings to compare yet, so the pilot's effect is not known." in shown
    assert "One office has estimates: North." in shown
