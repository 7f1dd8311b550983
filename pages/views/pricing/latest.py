"""An agent's latest estimates beside the empty form: each with its decision, or that one is still open."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.store import Market
from core.wording import count, market_day
from core.workflows.pricing.answers import LatestAnswer, own_undecided, recent_alone
from core.workspace import Workspace, market_days
from pages.kit import navigation
from pages.kit.text import plain
from pages.views.pricing import stored_estimate

_SHOWN: Final = 5
_STYLE: Final = """<style>
.st-key-latest button, .st-key-latest button div { justify-content: flex-start; text-align: left; }
.st-key-latest button { padding: 0.375rem 0; min-height: 0; }
@media (max-width: 640px) { .st-key-latest button { min-height: 2.75rem; } }
</style>"""


def draw(workspace: Workspace, market: Market) -> None:
    """Draw the latest five estimates, each a button that opens it; nothing for none. Raises StoreUnavailable."""
    found = recent_alone(workspace, market.market_id, _SHOWN)
    if not found:
        return
    undecided = own_undecided(workspace, market.market_id)
    st.html(_STYLE)
    day_at = market_days(workspace.store, market)
    with st.container(border=True, gap=None, key="latest"):
        waiting = f" · {count(undecided, 'open decision', currency=market.currency)} of yours" if undecided else ""
        st.markdown(f"**Latest estimates**{waiting}")
        for one in found:
            st.button(
                _line(one, market),
                key=f"latest-{one.estimate.estimate_id}",
                type="tertiary",
                width="stretch",
                help=f"Priced {market_day(day_at(one.estimate.at), market.currency)}",
                on_click=stored_estimate.go_to,
                args=(one.estimate.estimate_id,),
            )
        navigation.link_to("estimates", "All estimates")


def _line(one: LatestAnswer, market: Market) -> str:
    parts = (one.home, one.answer_words(market.currency), one.decision_line(market.currency))
    return plain(" · ".join(filter(None, parts)))
