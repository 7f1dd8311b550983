"""The page “My profile”: who an agent and an office are on a seller's report, and what sellers are shown."""

from __future__ import annotations

import streamlit as st

from core.access import Action, may
from core.workspace import Workspace
from pages.kit import session
from pages.views.profile import figures, office, person


def main(workspace: Workspace) -> None:
    """Draw one's own profile, the office's, and for those who may choose it what sellers are shown."""
    st.title("My profile", anchor=False)
    names = ["Me", "Office"]
    if may(workspace.actor, Action.CHOOSE_FIGURES):
        names.append("What sellers see")
    opened = st.tabs(names, key="profile_open", on_change="rerun", bind="query-params")
    for tab, draw in zip(opened, (person.draw, office.draw, figures.draw), strict=False):
        if tab.open:
            with tab:
                draw(workspace)


main(session.guard("profile"))
