"""The page “Price a home”: prices one home or a file of many, as a range with its reasons."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import streamlit as st

from core.errors import ImpossibleProperty, NotInPilot
from core.serve.estimate import Estimate, Refused
from core.serve.review.unavailable import Unavailable
from core.store import Job, Market
from core.train.model import Model
from core.workflows.jobs import TRAININGS
from core.workflows.models.floor import miss_words
from core.workflows.pilot.rollout import require_in_pilot
from core.workflows.pricing.answers import RecordedAnswer, begin_home, price_and_record
from core.workflows.pricing.desk import Desk
from core.workspace import Workspace
from pages.kit import cached_desk, job_progress, navigation, session
from pages.kit.text import plain
from pages.views.estimate import nearest, typed_home
from pages.views.home import first_start
from pages.views.pricing import (
    address,
    explanation_tabs,
    fact_fields,
    feedback,
    latest,
    many_homes,
    stored_estimate,
    subject_form,
    tour,
)
from pages.views.pricing import answer as answer_card
from pages.views.pricing.decision import FORM_CHANGED


def main(workspace: Workspace) -> None:
    """Draw the page for the open market, or what is missing and where to get it."""
    answer_card.style()
    st.title("Price a home", anchor=False)
    market = session.market()
    if market is None:
        st.info("There is no market yet. Upload sales, or open the demo city, to price homes.", icon=":material/info:")
        navigation.link_to("", "Go to the home page")
        return
    stored_estimate.follow(workspace)
    opened = stored_estimate.unread()
    if opened is not None and opened.market_id != market.market_id:
        session.open_market(opened.market_id)
        st.rerun()
    stored_estimate.drop_fault_elsewhere(market.market_id)
    try:
        require_in_pilot(workspace, market)
    except NotInPilot as error:
        stored_estimate.mark_read()
        _nothing(workspace, plain(str(error)))
        return
    desk = cached_desk.desk(workspace, market.market_id)
    if desk.bundle is None:
        _without_model(workspace, desk)
        return
    if opened is not None and many_homes.HOW_MANY not in st.query_params:
        # The choice made before stays while other pages are open, and a link to an estimate leads to it.
        st.session_state[many_homes.HOW_MANY] = many_homes.ONE
    tabs = [many_homes.ONE, many_homes.MANY]
    one, many = st.tabs(tabs, key=many_homes.HOW_MANY, on_change="rerun", bind="query-params")
    if one.open:
        with one:
            _one(workspace, desk, desk.bundle.model)
    if many.open:
        with many:
            many_homes.draw(workspace, desk, workspace.utc_today())


def _nothing(workspace: Workspace, why: str, what_helps: str = "") -> None:
    """Say why nothing can be priced, and what helps: the page Home says that to the roles that have one."""
    if workspace.actor.role in navigation.LANDING:
        st.info(f"{why} {what_helps}".strip(), icon=":material/info:")
        return
    st.info(f"{why} The home page shows the next step.", icon=":material/info:")
    navigation.link_to("", "Go to the home page")


def _without_model(workspace: Workspace, desk: Desk) -> None:
    """Say that nothing can be priced; a stored estimate can still be viewed."""
    # There is no form to fill, and another market can be chosen.
    stored_estimate.mark_read()
    if desk.fault:
        answer = desk.no_model()
        st.error(plain(f"{answer.message} {answer.reason} {answer.remedy}"), icon=":material/error:")
    elif (job := _making_a_model(desk.market)) is not None:
        st.info(
            f"{plain(desk.market.name)} is being prepared. Homes can be priced here as soon as its model is live.",
            icon=":material/hourglass_top:",
        )
        job_progress.draw(job)
    else:
        name = plain(desk.market.name)
        _nothing(workspace, f"No model is live for {name}, so there is no price yet.", session.who_trains())
    answered = stored_estimate.shown(desk.market.market_id)
    stored_estimate.point_to(answered)
    if answered is not None:
        _answer(workspace, answered, answer_card.seen_at_level(workspace, answered, desk), desk)


def _making_a_model(market: Market) -> Job | None:
    """Return the open job that brings a market its model: a training, or the opening of the demo city."""
    for kind in TRAININGS:
        if (job := job_progress.open_job(kind, market.market_id)) is not None:
            return job
    return first_start.demo_under_way() if market.simulated else None


def _one(workspace: Workspace, desk: Desk, model: Model) -> None:
    today = workspace.utc_today()
    level, usual = desk.problem.estimate.level, desk.valuation_date(today)
    if (typed := typed_home.take(desk.market.market_id, usual, level)) is not None:
        subject_form.put(desk, model, typed.question)
        fact_fields.take_for(desk.market, typed.facts_of)
    fact_fields.take_again(desk.market)
    if (opened := stored_estimate.unread()) is not None:
        subject_form.put(desk, model, opened.question)
        # Only now: a key pressed meanwhile begins the run anew, perhaps before all fields were filled.
        stored_estimate.mark_read()
    left = stored_estimate.came_back(desk.market.market_id)
    if left is not None and not explanation_tabs.form_changed(left, desk):
        # The menu leads to the next home; the one priced is among the latest estimates, its decision made or open.
        subject_form.clear(desk, model, stored_estimate.forget)
    if session.take_first_price(desk.market):
        subject_form.fill(desk, model)
        subject_form.press(desk)
    address.take_typed(workspace, desk, model)
    question = subject_form.pressed(desk, model, today, _level(desk))
    if question is not None:
        question = replace(question, home_id=_home_id(desk, model))
        stored_estimate.keep(price_and_record(workspace, desk, question, "page"))
    answered = stored_estimate.shown(desk.market.market_id)
    if answered is not None and subject_form.is_another(desk, model, answered.question):
        # A range beside the facts of another home would be taken for its range, and decided on.
        stored_estimate.forget()
        answered = None
    stored_estimate.point_to(answered)
    _keep_typed(desk, model, today, answered is not None)
    _link_fault(workspace, desk.market)
    seen = answer_card.seen_at_level(workspace, answered, desk) if answered is not None else None
    answer_card.announce(answered, seen)
    tour.draw(desk.market)
    with st.container(key="desk"):
        with st.container(key="home"):
            subject_form.draw(
                desk, model, today, answered, lambda: address.draw(workspace, desk, model), stored_estimate.forget
            )
        if answered is not None:
            _answer(workspace, answered, seen, desk)
        else:
            with st.container(key="answer"):
                answer_card.empty(desk, subject_form.note(desk, model))
                latest.draw(workspace, desk.market)
                _conditions(desk)


def _keep_typed(desk: Desk, model: Model, today: date, is_answered: bool) -> None:
    """Keep what is in the form for a reload, unless an answer in the address has it."""
    market = desk.market
    try:
        asked = subject_form.asked(desk, model, today, desk.problem.estimate.level)
    except ImpossibleProperty:
        # What can be kept of it was kept before.
        return
    typed = None if is_answered else typed_home.Typed(asked, fact_fields.taken_for(market))
    typed_home.hold(market.market_id, typed, model.facts.area_codes, desk.valuation_date(today))


def _home_id(desk: Desk, model: Model) -> str:
    """Return what tells that the home about to be priced is the one whose answer is still shown, or another."""
    before = stored_estimate.shown(desk.market.market_id)
    if before is None or subject_form.is_another(desk, model, before.question):
        return begin_home()
    return before.question.home_id or begin_home()


def _answer(workspace: Workspace, answered: RecordedAnswer, seen: Estimate | None, desk: Desk) -> None:
    """Draw the answer, ``seen`` at the chosen level where it has a price, the evidence for it, then the decision."""
    with st.container(key="answer"):
        if explanation_tabs.form_changed(answered, desk):
            st.warning(FORM_CHANGED, icon=":material/sync_problem:")
        axis = answer_card.draw(answered, desk, seen)
        if not (isinstance(answered.result, Refused) or _is_incomplete(answered)):
            feedback.draw(workspace, answered)
        answer_card.draw_origin(answered, _missed_words(desk), _scope_words(desk))
        if answered.estimate_id is not None:
            latest.draw_earlier(workspace, desk.market, answered.estimate_id)
    if seen is not None and axis is not None:
        evidence = st.container(key="evidence")
        places = explanation_tabs.Places(axis, st.empty())
        with evidence:
            explanation_tabs.draw(workspace, answered, seen, desk, places)
    elif isinstance(answered.result, Unavailable):
        with st.container(key="evidence"):
            facts = answered.question.facts
            nearest.draw(desk.nearest_sales(facts, answered.question.as_of), facts, desk.market)


def _is_incomplete(answered: RecordedAnswer) -> bool:
    """Tell whether a fact that a price needs was left blank: there is no answer to have an opinion on yet."""
    return isinstance(answered.result, Unavailable) and bool(answered.result.missing)


def _conditions(desk: Desk) -> None:
    """Say in which scope the live model is used, and that it misses its target if it does."""
    if missed := _missed_words(desk):
        st.caption(f":material/priority_high: {plain(missed)}")
    if scope := _scope_words(desk):
        st.caption(plain(scope))


def _missed_words(desk: Desk) -> str:
    return miss_words(desk.record.card, desk.problem) if desk.record else ""


def _scope_words(desk: Desk) -> str:
    scope = desk.live_market.scope if desk.live_market else None
    return scope.agent_words(desk.market.currency) if scope is not None else ""


def _link_fault(workspace: Workspace, market: Market) -> None:
    fault = stored_estimate.fault()
    if fault is None:
        return
    st.warning(plain(fault), icon=":material/link_off:")
    if (named := st.query_params.get(stored_estimate.PARAMETER)) is not None:
        latest.draw_earlier(workspace, market, named)


def _level(desk: Desk) -> float:
    return st.session_state.get(answer_card.LEVEL_KEY) or desk.problem.estimate.level


main(session.guard("pricing"))
