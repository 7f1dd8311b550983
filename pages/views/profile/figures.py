"""Whether sellers are shown figures of the neighborhood: the choice in force, why it is off, and how to change it."""

from __future__ import annotations

import streamlit as st

from core.access import REASON_ASKED
from core.errors import InvalidRecord, ReasonNeeded
from core.wording import market_instant
from core.workflows.profiles.seller_figures import (
    REASON_MAX,
    FiguresChoice,
    choose_figures,
    figures_choice,
    what_it_means,
)
from core.workspace import Workspace
from pages.kit.text import plain
from pages.views.profile import fields


def draw(workspace: Workspace) -> None:
    """Draw the choice of the whole company and the form that changes it."""
    fields.draw_done()
    choice = figures_choice(workspace)
    st.header("Figures of the neighborhood", anchor=False)
    state = "Sellers’ reports show them." if choice.shown else "Sellers’ reports leave them out."
    st.markdown(f"**{state}**")
    if choice.at is not None:
        currency = workspace.store.markets.common_currency()
        st.caption(plain(f"Chosen by {choice.actor}, {market_instant(choice.at, currency)}: “{choice.reason}”"))
    st.markdown(plain(what_it_means(choice)))
    _form(workspace, choice)


def _form(workspace: Workspace, choice: FiguresChoice) -> None:
    with st.form(f"figures-{fields.turn()}", border=True):
        reason = st.text_input(
            REASON_ASKED,
            max_chars=REASON_MAX,
            key=f"figures-reason-{fields.turn()}",
            help="It goes into the audit trail.",
        )
        label = "Leave them out again" if choice.shown else "Show them to sellers of all offices"
        icon = ":material/visibility_off:" if choice.shown else ":material/visibility:"
        pressed = st.form_submit_button(label, icon=icon)
    if not pressed:
        return
    try:
        choose_figures(workspace, not choice.shown, reason)
    except (InvalidRecord, ReasonNeeded) as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    fields.done("Reports made from now on follow this choice.")
