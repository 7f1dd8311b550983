"""The frame around every page: navigation by role, the open market, its name on phones, and errors."""

from __future__ import annotations

from typing import Final

import streamlit as st
from streamlit.navigation.page import Page as StreamlitPage

from core.access import Role
from core.errors import AccessDenied, DoorstepError, SignInEnded
from core.store import Market
from core.workflows.usual_market import usual_market
from core.workspace import Workspace
from pages.kit import alert_dot, cached_desk, errors, login, session, touch
from pages.kit.navigation import LANDING, PAGES, Page, go_to, landing
from pages.kit.text import plain
from pages.views.home import first_start

# What is brought in may go into another market than the open one: the page says into which, and whose data it shows.
_NAME_THEIR_MARKET: Final = frozenset({"sales_data"})
_ON_PHONES: Final = "market_on_phones"


def main() -> None:
    """Draw the frame and run the open page inside it; an error stands where the page stopped."""
    touch.style()
    try:
        draw()
    except DoorstepError as error:
        errors.show(error)


def draw() -> None:
    """Draw sidebar and page, or the way in; raises what the page raises."""
    try:
        actor = session.enter()
    except SignInEnded as ended:
        without_pages("Sign in")
        login.draw_way_in(str(ended))
        return
    except AccessDenied as denied:
        without_pages("No access yet")
        login.draw_denied(str(denied))
        return
    current = st.navigation([entry(page, actor.role) for page in PAGES])
    st.set_page_config(f"{current.title} · Doorstep")
    if login.is_configured():
        login.draw_way_out(session.store(), actor)
    workspace = session.guard(current.url_path)
    # The selector takes the name of the market that a session begins with out of the address.
    named = st.query_params.get(session.MARKET_KEY, "")
    markets = cached_desk.markets(workspace)
    market = session.choose_market(markets, lambda: usual_market(workspace, markets))
    session.use_names()
    begin(workspace, market, named, current.url_path)
    if current.url_path not in _NAME_THEIR_MARKET:
        label(market)
    if market is not None:
        alert_dot.draw(workspace, market)
    current.run()


def begin(workspace: Workspace, market: Market | None, named: str, path: str) -> None:
    """Lead whoever opens Doorstep to where their role begins, once there are sales, into a market that can price.

    A market ``named`` in the address stays open. A demo city without a model stays on the first page, which opens it.
    """
    start = landing(path, workspace.actor.role)
    if start is None or market is None:
        return
    if cached_desk.desk(workspace, market.market_id).bundle is not None:
        go_to(start)
    if not named:
        other = usual_market(workspace, cached_desk.markets(workspace))
        if other is not None and other != market.market_id:
            session.open_market(other)
            go_to(start)
    if not market.simulated and first_start.has_sales(workspace):
        go_to(start)


def without_pages(title: str) -> None:
    """Name the screen and show no page; the address stays, so that the page asked for can be reached later."""
    st.navigation([entry(page, None) for page in PAGES], position="hidden")
    st.set_page_config(f"{title} · Doorstep")


def entry(page: Page, role: Role | None) -> StreamlitPage:
    """Return the page for Streamlit; one closed to the role stays reachable, so that its guard can explain why.

    The menu leaves out the first page for a role that begins elsewhere: it would lead there anyway.
    """
    listed = role in page.roles and not (page.path == "" and role in LANDING)
    return st.Page(
        page.script,
        title=page.title,
        icon=page.icon,
        url_path=page.path,
        default=page.path == "",
        visibility="visible" if listed else "hidden",
    )


def label(market: Market | None) -> None:
    """Name the open market over the page on a phone, where the sidebar is closed, and say if it is simulated.

    api/static/dashboard.css hides the label elsewhere from the first paint on.
    """
    if market is None:
        return
    with st.container(key=_ON_PHONES):
        if market.simulated:
            st.badge(f"{plain(market.name)} · {session.SIMULATED}", icon=":material/science:", color="orange")
        else:
            st.badge(plain(market.name), color="gray")
