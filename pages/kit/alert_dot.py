"""The dot beside “Monitoring” in the menu while alerts are not resolved, for those who may act on them."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.access import Action, may
from core.errors import StoreUnavailable
from core.store import Market
from core.store.operations.alerts import UNRESOLVED
from core.wording import count
from core.workspace import Workspace
from pages.kit.palette import palette

PATH: Final = "monitoring"


def draw(workspace: Workspace, market: Market) -> None:
    """Draw the dot if there are such alerts; its text alternative gives their number.

    A database that is away shows none: homes can still be priced, and the page says what it needs itself.
    """
    if not may(workspace.actor, Action.ACT_ON_ALERTS):
        return
    try:
        alerts = workspace.store.alerts.list(market.market_id, UNRESOLVED)
    except StoreUnavailable:
        return
    if alerts:
        words = f"{count(len(alerts), 'alert')} not resolved"
        link = f'[data-testid="stSidebarNavLink"][href$="/{PATH}"]'
        dot = f'content: "●" / "{words}"; color: {palette().less}; margin-left: auto; padding-left: 0.5rem;'
        st.html(f"<style>{link}::after {{ {dot} }}</style>")
