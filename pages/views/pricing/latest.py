"""An agent's latest estimates beside the empty form, and the earlier ones of the home shown, with their decisions."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.store import Market
from core.wording import count, market_day
from core.workflows.pricing.answers import LatestAnswer, earlier_of_home, own_undecided, recent_alone
from core.workspace import Workspace, market_days
from pages.kit import navigation
from pages.kit.text import plain
from pages.views.pricing import stored_estimate

_SHOWN: Final = 5
_OF_ONE_HOME: Final = 200
_STYLE: Final = """<style>
:is(.st-key-latest, .st-key-earlier) button,
:is(.st-key-latest, .st-key-earlier) button div { justify-content: flex-start; text-align: left; }
:is(.st-key-latest, .st-key-earlier) button { padding: 0.375rem 0; min-height: 0; }
@media (max-width: 640px) { :is(.st-key-latest, .st-key-earlier) button { min-height: 2.75rem; } }
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


def draw_earlier(workspace: Workspace, market: Market, estimate_id: str) -> None:
    """Draw, folded, what the same asker was given for this home before, each a button that opens it; nothing for none.

    Raises StoreUnavailable.
    """
    found = earlier_of_home(workspace, market.market_id, estimate_id, _OF_ONE_HOME)
    if not found:
        return
    st.html(_STYLE)
    day_at = market_days(workspace.store, market)
    with (
        st.expander(f"{len(found)} earlier of this home", icon=":material/history:"),
        st.container(gap=None, key="earlier"),
    ):
        for one in found:
            key, day = one.estimate.estimate_id, market_day(day_at(one.estimate.at), market.currency)
            st.button(
                plain(f"{day} · {_state_of(one, market)}"),
                key=f"earlier-{key}",
                type="tertiary",
                width="stretch",
                on_click=stored_estimate.go_to,
                args=(key,),
            )


def _line(one: LatestAnswer, market: Market) -> str:
    return plain(f"{one.home} · {_state_of(one, market)}")


def _state_of(one: LatestAnswer, market: Market) -> str:
    parts = (one.answer_words(market.currency), one.decision_line(market.currency))
    return " · ".join(filter(None, parts))
