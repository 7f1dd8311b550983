"""The page “Price a home”: one home or a file of many in, a range with its reasons out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.access import Actor
from core.lifecycle import Desk
from core.lifecycle.answering import Answered, answer
from core.serve.estimate import Estimate
from core.store import Store
from core.train.model import Model
from pages.widgets import answer as answer_card
from pages.widgets import desks, estimate_link, links, price_file, reasons, session, subject_form
from pages.widgets.markdown import plain


def main(who: Actor) -> None:
    """Draw the page for the open market, or what is missing and where to get it."""
    st.title("Price a home", anchor=False)
    store, market = session.store(), session.market()
    if market is None:
        _nothing("There is no market yet. Bring in sales, or open the demo city, to price homes.")
        return
    estimate_link.follow(store, who)
    opened = estimate_link.unread()
    if opened is not None and opened.market_id != market.market_id:
        session.open_market(opened.market_id)
        st.rerun()
    desk = desks.desk(store, market.market_id)
    if desk.bundle is None:
        _without_model(desk, store, who)
        return
    one, many = st.tabs(["One home", "Many at once"])
    with one:
        _one(desk, desk.bundle.model, store, who)
    with many:
        price_file.draw(desk, store, who, _today_utc())


def _nothing(why: str) -> None:
    st.info(why, icon=":material/info:")
    links.link_to("", "Go to the home page")


def _without_model(desk: Desk, store: Store, who: Actor) -> None:
    """Say that nothing can be priced; a stored estimate can still be looked at."""
    _nothing(
        f"No model is live for {plain(desk.market.name)}, so there is no price yet. The home page says what is next."
    )
    answered = estimate_link.shown(desk.market.market_id)
    estimate_link.point_to(answered)
    if answered is not None:
        _answer(answered, desk, store, who, st.container())


def _one(desk: Desk, model: Model, store: Store, who: Actor) -> None:
    faults = st.container()
    form, result = st.columns([5, 6], gap="medium")
    if estimate_link.unread() is not None:
        subject_form.put(desk, model, estimate_link.read())
    with form:
        question = subject_form.draw(desk, model, _today_utc(), _level(desk), estimate_link.forget)
    if question is not None:
        estimate_link.keep(answer(store, desk, question, "page", who))
    answered = estimate_link.shown(desk.market.market_id)
    estimate_link.point_to(answered)
    with faults:
        _link_fault()
    if answered is not None:
        _answer(answered, desk, store, who, result)
    else:
        with result:
            answer_card.empty(desk)


def _answer(answered: Answered, desk: Desk, store: Store, who: Actor, place: DeltaGenerator) -> None:
    with place:
        answer_card.draw(answered, desk, lambda: _again(answered, desk, store, who))
        decision = st.empty()
        answer_card.draw_origin(answered)
    if isinstance(answered.result, Estimate):
        reasons.draw(answered, answered.result, desk, store, who, decision)


def _link_fault() -> None:
    fault = estimate_link.fault()
    if fault is not None:
        st.warning(f"{plain(fault)} Price the home anew, or ask for the link again.", icon=":material/link_off:")


def _again(answered: Answered, desk: Desk, store: Store, who: Actor) -> None:
    """Price the same home at the level chosen now."""
    estimate_link.keep(answer(store, desk, replace(answered.question, level=_level(desk)), "page", who))


def _level(desk: Desk) -> float:
    return st.session_state.get(answer_card.LEVEL_KEY) or desk.problem.estimate.level


def _today_utc() -> date:
    return datetime.now(UTC).date()


main(session.guard("pricing"))
