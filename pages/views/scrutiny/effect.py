"""What the decisions on doubtful sales do to a model's error and to today's prices, measured when asked for."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.errors import DoorstepError
from core.progress import silent
from core.store import Market
from core.wording import percent
from core.workflows.data.scrutiny_effect import Effect, measure_effect
from core.workspace import Workspace
from pages.kit import errors
from pages.kit.text import plain

_MEASURED: Final = "_scrutiny_effect"


def draw(workspace: Workspace, market: Market, revision: str) -> None:
    """Draw the measured effect, or the button that measures it; a figure of an earlier queue is not shown."""
    with st.container(border=True):
        st.markdown("**What the decisions do**")
        kept = st.session_state.get(_MEASURED)
        if isinstance(kept, tuple) and kept[:2] == (market.market_id, revision):
            _figures(kept[2])
            return
        st.caption(
            "Error of a quick model on sales nobody doubts, with and without the decisions. Takes up to a minute."
        )
        if st.button("Measure the effect", key="scrutiny_effect", icon=":material/speed:"):
            try:
                with st.spinner("Training two quick models…"):
                    found = measure_effect(workspace, market.market_id, silent)
            except DoorstepError as error:
                errors.show(error)
                return
            st.session_state[_MEASURED] = (market.market_id, revision, found)
            st.rerun()


def _figures(found: Effect) -> None:
    figures = {
        "Error as brought": percent(found.as_brought, 2),
        "Error as decided": percent(found.as_decided, 2),
        "Prices that move": percent(found.moved),
    }
    with st.container(horizontal=True, gap="small"):
        for name, figure in figures.items():
            st.metric(name, figure, border=True, width="content")
    st.caption(plain(found.words))
