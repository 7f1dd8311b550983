"""The page “Price a home”: prices one home or a file of many, as a range with its reasons."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.errors import NotInPilot
from core.serve.estimate import Estimate
from core.train.model import Model
from core.workflows.models.floor import miss_words
from core.workflows.pilot.rollout import require_in_pilot
from core.workflows.pricing.answers import RecordedAnswer, price_and_record
from core.workflows.pricing.desk import Desk
from core.workspace import Workspace
from pages.kit import cached_desk, navigation, session
from pages.kit.text import plain
from pages.views.pricing import answer as answer_card
from pages.views.pricing import explanation_tabs, feedback, many_homes, stored_estimate, subject_form


def main(workspace: Workspace) -> None:
    """Draw the page for the open market, or what is missing and where to get it."""
    st.title("Price a home", anchor=False)
    market = session.market()
    if market is None:
        _nothing("There is no market yet. Upload sales, or open the demo city, to price homes.")
        return
    stored_estimate.follow(workspace)
    opened = stored_estimate.unread()
    if opened is not None and opened.market_id != market.market_id:
        session.open_market(opened.market_id)
        st.rerun()
    try:
        require_in_pilot(workspace, market)
    except NotInPilot as error:
        _nothing(plain(str(error)))
        return
    desk = cached_desk.desk(workspace, market.market_id)
    if desk.bundle is None:
        _without_model(workspace, desk)
        return
    _conditions(desk)
    one, many = st.tabs(["One home", "Many at once"])
    with one:
        _one(workspace, desk, desk.bundle.model)
    with many:
        many_homes.draw(workspace, desk, workspace.utc_today())


def _conditions(desk: Desk) -> None:
    """Say in which scope the live model is used, and that it misses its target if it does."""
    missed = miss_words(desk.record.card, desk.problem) if desk.record else ""
    if missed:
        st.caption(f":material/priority_high: {plain(missed)}")
    scope = desk.live_market.scope if desk.live_market else None
    if scope is not None:
        st.caption(f"Scope: {plain(scope.words(desk.market.currency))}")


def _nothing(why: str) -> None:
    st.info(why, icon=":material/info:")
    navigation.link_to("", "Go to the home page")


def _without_model(workspace: Workspace, desk: Desk) -> None:
    """Say that nothing can be priced; a stored estimate can still be viewed."""
    if desk.fault:
        answer = desk.no_model()
        st.error(plain(f"{answer.message} {answer.reason} {answer.remedy}"), icon=":material/error:")
    else:
        _nothing(
            f"No model is live for {plain(desk.market.name)}, so there is no price yet. "
            "The home page shows the next step."
        )
    answered = stored_estimate.shown(desk.market.market_id)
    stored_estimate.point_to(answered)
    if answered is not None:
        _answer(workspace, answered, desk, st.container())


def _one(workspace: Workspace, desk: Desk, model: Model) -> None:
    faults = st.container()
    form, result = st.columns([5, 6], gap="medium")
    if stored_estimate.unread() is not None:
        subject_form.put(desk, model, stored_estimate.read())
    with form:
        question = subject_form.draw(desk, model, workspace.utc_today(), _level(desk), stored_estimate.forget)
    if question is not None:
        stored_estimate.keep(price_and_record(workspace, desk, question, "page"))
    answered = stored_estimate.shown(desk.market.market_id)
    stored_estimate.point_to(answered)
    with faults:
        _link_fault()
    if answered is not None:
        _answer(workspace, answered, desk, result)
    else:
        with result:
            answer_card.empty(desk)


def _answer(workspace: Workspace, answered: RecordedAnswer, desk: Desk, place: DeltaGenerator) -> None:
    with place:
        answer_card.draw(answered, desk, lambda: _again(workspace, answered, desk))
        decision = st.empty()
        feedback.draw(workspace, answered)
        answer_card.draw_origin(answered)
    if isinstance(answered.result, Estimate):
        explanation_tabs.draw(workspace, answered, answered.result, desk, decision)


def _link_fault() -> None:
    fault = stored_estimate.fault()
    if fault is not None:
        st.warning(f"{plain(fault)} Price the home again, or ask for a new link.", icon=":material/link_off:")


def _again(workspace: Workspace, answered: RecordedAnswer, desk: Desk) -> None:
    """Price the same home at the selected level."""
    stored_estimate.keep(price_and_record(workspace, desk, replace(answered.question, level=_level(desk)), "page"))


def _level(desk: Desk) -> float:
    return st.session_state.get(answer_card.LEVEL_KEY) or desk.problem.estimate.level


main(session.guard("pricing"))
