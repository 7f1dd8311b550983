"""The line about a market's open alerts on every page: which ones, and where to handle them."""

from __future__ import annotations

from collections import Counter
from typing import Final

import streamlit as st

from core.errors import StoreUnavailable
from core.store import Market
from core.store.operations.alerts import UNRESOLVED
from core.wording import count
from core.workspace import Workspace
from pages.kit.navigation import link_to, page_at
from pages.kit.text import plain
from pages.views.monitoring.words import in_order, kind_of

PATH: Final = "monitoring"


def draw(workspace: Workspace, market: Market) -> None:
    """Draw the line if there are such alerts, with a link for those allowed to open them.

    A database that is away shows none: homes can still be priced, and the page says what it needs itself.
    """
    try:
        alerts = in_order(workspace.store.alerts.list(market.market_id, UNRESOLVED))
    except StoreUnavailable:
        return
    if not alerts:
        return
    kinds = Counter(kind_of(one) for one in alerts)
    named = ", ".join(name if n == 1 else f"{name} ({n})" for name, n in kinds.items())
    words = f"{count(len(alerts), 'alert')} not resolved: {named}."
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="alert_banner"):
        st.markdown(f":orange[:material/warning:] {plain(words)}", width="content")
        if workspace.actor.role in page_at(PATH).roles:
            link_to(PATH, "See the alerts")
