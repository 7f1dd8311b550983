"""The address of the home, looked up in sales and tax roll: choosing one enters all its recorded facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import streamlit as st

from core.errors import StoreError
from core.serve.agent.address_book import KnownHome, Matches, sources_words
from core.serve.words import headline
from core.store import Market
from core.train.model import Model
from core.wording import count
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.known_homes import home_at, homes_like
from core.workspace import Workspace
from pages.kit import cached_desk
from pages.kit.text import plain
from pages.views.pricing import fact_fields, subject_form
from pages.views.pricing.fact_fields import key

_FOUND: Final = "address_found"
_CHOSEN: Final = "address_chosen"
_STYLE: Final = """<style>
.st-key-addresses button, .st-key-addresses button div { justify-content: flex-start; text-align: left; }
</style>"""


@dataclass(frozen=True)
class _Found:
    """What was found for a typed address in a market."""

    market_id: str
    typed: str
    matches: Matches


def draw(workspace: Workspace, desk: Desk, model: Model) -> None:
    """Draw the field and, once something is typed, the homes it may mean; a press on one enters its facts."""
    market = desk.market
    # On a computer, api/static/dashboard.js puts the cursor here.
    with st.container(key="begin_here"):
        typed = st.text_input(
            "Address",
            key=key(market, "address"),
            placeholder="Address or property id, then Enter" if desk.numbered else "Type an address, then Enter",
            persist_state="session",
            on_change=subject_form.address_changed,
            args=(desk, model),
        )
    chosen = st.session_state.get(_CHOSEN)
    if not typed or not isinstance(typed, str):
        return
    if isinstance(chosen, KnownHome) and chosen.address == typed:
        st.caption(plain(f"{sources_words(chosen, market)}. Check them."))
        return
    if subject_form.holds_facts_of(desk, typed):
        # A press on a home of a list would replace the facts that were priced.
        _say_where_from(workspace, desk, model, typed)
        return
    if of := fact_fields.put_away(market):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.caption(f"The facts of {plain(of)} are put away.", width="content")
            st.button(
                "Bring them back", key="facts_back", on_click=fact_fields.bring_back, args=(market,), type="tertiary"
            )
    try:
        found = _look_up(workspace, desk, typed)
    except StoreError:
        st.caption("Addresses cannot be looked up at the moment. Enter the home.")
        return
    _choices(found, desk, model)


def take_typed(workspace: Workspace, desk: Desk, model: Model) -> None:
    """Take the home whose whole address was typed, where it is about to be priced and nobody chose it from the list.

    Call it before the form is drawn. As in a file, what is entered stays and blank facts come from the records.
    """
    market = desk.market
    if not (typed := subject_form.not_chosen(market)):
        return
    codes = subject_form.chosen_codes(market, model)
    try:
        home = home_at(workspace, desk, cached_desk.address_books(), typed, codes)
    except StoreError:
        return
    if home is not None:
        st.session_state[_CHOSEN] = home
        subject_form.complete(desk, model, home.address, home.facts)


def _look_up(workspace: Workspace, desk: Desk, typed: str) -> _Found:
    """Return what was found for an address, kept until another is typed; raises StoreError."""
    market_id, found = desk.market.market_id, st.session_state.get(_FOUND)
    if not isinstance(found, _Found) or (found.market_id, found.typed) != (market_id, typed):
        found = _Found(market_id, typed, homes_like(workspace, desk, cached_desk.address_books(), typed))
        st.session_state[_FOUND] = found
    return found


def _say_where_from(workspace: Workspace, desk: Desk, model: Model, typed: str) -> None:
    """Say where the facts of a stored estimate are from, if they are still those of a known home."""
    try:
        homes = _look_up(workspace, desk, typed).matches.homes
    except StoreError:
        return
    for home in homes:
        if home.address == typed and subject_form.shows(desk, model, home.facts):
            st.session_state[_CHOSEN] = home
            st.caption(plain(f"{sources_words(home, desk.market)}. Check them."))
            return


def _choices(found: _Found, desk: Desk, model: Model) -> None:
    if not found.matches.homes:
        st.caption("Not found in the market’s sales and tax roll: enter the home.")
        return
    st.html(_STYLE)
    with st.container(gap=None, key="addresses"):
        for at, home in enumerate(found.matches.homes):
            st.button(
                _label(home, desk.market),
                key=f"address-{at}",
                type="tertiary",
                width="stretch",
                icon=":material/home_pin:",
                on_click=_choose,
                args=(home, desk, model),
            )
        if more := found.matches.more:
            fit = count(more, "more home fits", "more homes fit", currency=desk.market.currency)
            st.caption(f"{fit}: type more of the address, or the unit.")
        st.caption("None of these: enter the home.")


def _label(home: KnownHome, market: Market) -> str:
    return plain(" · ".join((home.address, headline({**home.facts, "address": None}, market))))


def _choose(home: KnownHome, desk: Desk, model: Model) -> None:
    st.session_state[_CHOSEN] = home
    subject_form.put_facts(desk, model, {**home.facts, "address": home.address})
