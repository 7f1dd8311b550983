"""The page “Home”: two ways to begin on first start, then what the role comes for, and how the model is made."""

from __future__ import annotations

import streamlit as st

from core.access import Action, Role, may
from core.workflows.overview import overview
from core.workspace import Workspace, clock_note
from pages.kit import navigation, session
from pages.views.home import analyst, first_start, manager, phases


def main(workspace: Workspace) -> None:
    """Draw the two ways to begin while there are no sales or the demo city is opening, else the role's own view."""
    first_start.go_in_when_ready()
    market = session.market()
    job = first_start.demo_under_way()
    if market is None or not first_start.has_sales(workspace) or (job is not None and market.simulated):
        first_start.doors(workspace, job)
        return
    st.title("Home", anchor=False)
    seen = overview(workspace, market)
    note = clock_note(market, seen.today)
    if note:
        st.caption(note)
    if market.simulated and seen.champion is None:
        with st.container(border=True):
            first_start.demo_door(workspace, None, "Resume opening it")
    if workspace.actor.role is Role.ANALYST:
        analyst.draw(workspace, market, seen)
    elif may(workspace.actor, Action.WATCH):
        manager.draw(workspace, market, seen)
    else:
        navigation.link_to("pricing", "Price a home")
    phases.draw(workspace, seen)


main(session.guard(""))
