"""The page “Price a home”: one home or a file of many in, a range with its confidence and its flags out."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

import streamlit as st

from core.access import Actor
from core.lifecycle import Desk
from core.store import Store
from core.train.model import Model
from pages.widgets import answer, desks, links, price_file, session, subject_form
from pages.widgets.asking import Answered, ask, model_id
from pages.widgets.markdown import plain

_ANSWER: Final = "answered"


def main(who: Actor) -> None:
    """Draw the page for the open market, or what is missing and where to get it."""
    st.title("Price a home", anchor=False)
    store, market = session.store(), session.market()
    if market is None:
        _nothing("There is no market yet. Bring in sales, or open the demo city, to price homes.")
        return
    desk = desks.desk(store, market.market_id)
    if desk.bundle is None:
        _nothing(
            f"No model is live for {plain(market.name)}, so there is no price yet. The home page says what is next."
        )
        return
    one, many = st.tabs(["One home", "Many at once"])
    with one:
        _one(desk, desk.bundle.model, who)
    with many:
        _many(desk, store, who)


def _nothing(why: str) -> None:
    st.info(why, icon=":material/info:")
    links.link_to("", "Go to the home page")


def _one(desk: Desk, model: Model, who: Actor) -> None:
    form, result = st.columns([5, 6], gap="medium")
    with form:
        asked = subject_form.draw(desk, model, _today_utc(), _forget)
    if asked is not None:
        _keep(ask(desk, asked, _level(desk), who))
    with result:
        answered = _answered(desk)
        if answered is None:
            answer.empty(desk)
        else:
            answer.draw(answered, desk, lambda: _again(desk, who))


def _many(desk: Desk, store: Store, who: Actor) -> None:
    price_file.draw(desk, store, who, _today_utc())


def _again(desk: Desk, who: Actor) -> None:
    """Price the same home at the level chosen now."""
    answered = _answered(desk)
    if answered is not None:
        _keep(ask(desk, answered.asked, _level(desk), who))


def _level(desk: Desk) -> float:
    return st.session_state.get(answer.LEVEL_KEY) or desk.problem.estimate.level


def _keep(answered: Answered) -> None:
    st.session_state[_ANSWER] = answered


def _forget() -> None:
    st.session_state.pop(_ANSWER, None)


def _answered(desk: Desk) -> Answered | None:
    """Return the last answer, unless it came from another market or a model no longer live."""
    kept = st.session_state.get(_ANSWER)
    if not isinstance(kept, Answered) or (kept.market_id, kept.model_id) != (desk.market.market_id, model_id(desk)):
        return None
    return kept


def _today_utc() -> date:
    return datetime.now(UTC).date()


main(session.guard("pricing"))
