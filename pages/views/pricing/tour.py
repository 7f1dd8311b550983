"""Three lines about the page, for whoever has just opened the demo city."""

from __future__ import annotations

import streamlit as st

from core.store import Market
from pages.kit import session
from pages.kit.text import plain


def draw(market: Market) -> None:
    """Draw the tour with a way to close it, where it is offered."""
    if not session.tour_offered(market):
        return
    with st.container(border=True, gap="small", key="tour"):
        st.markdown(
            f"**A first home of {plain(market.name)}, already priced**\n"
            "1. **The range** is what the home should sell for; the line below it says how often such ranges held.\n"
            "2. **Comparables, Why this price, What if** show what the range rests on.\n"
            "3. **Your price** at the foot of the page: accept the estimate, or enter your own."
        )
        st.button("Close the tour", icon=":material/close:", key="close_tour", on_click=session.close_tour)
