"""The live model beside its challenger: how each does, and the way back to the model before."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.access import Action, may
from core.evaluate.card.headline import headline_of
from core.problem import Problem
from core.store import Market, ModelRecord
from core.wording import count, percent
from core.workflows.models.floor import miss_words
from core.workflows.overview import error_in_use
from core.workflows.promotion import rollback_effect
from core.workspace import Workspace
from pages.kit.palette import BAD
from pages.kit.text import plain
from pages.views.models import promotion

_REASON_MAX: Final = 300


def draw(workspace: Workspace, market: Market, live: ModelRecord | None) -> None:
    """Draw the live model's figures and the rollback."""
    st.markdown("**Live model**")
    if live is None:
        st.markdown("None. Nothing can be priced.")
        return
    st.markdown(plain(f"{live.model_id} · {live.card['family']}"))
    figures(workspace, live, error_in_use(workspace.store, market, live.model_id))
    missed = miss_words(live.card, workspace.problem)
    if missed:
        st.warning(plain(missed), icon=":material/priority_high:")
    if may(workspace.actor, Action.PROMOTE):
        _way_back(workspace, market, live)


def figures(workspace: Workspace, record: ModelRecord, in_use: tuple[float, int] | None = None) -> None:
    """Draw a model's error on its test sales and, of the live one, in use."""
    test = headline_of(record.card)["mape"]
    # api/static/dashboard.css keeps its place.
    with st.container(horizontal=True, gap="medium", key="live_figures"):
        with st.container(width="content", gap=None):
            st.metric("Error on test sales", percent(test.value, 1))
            _beside_target(test.value, workspace.problem, test.n)
        if in_use is not None:
            error, n = in_use
            with st.container(width="content", gap=None):
                st.metric("Error in use", percent(error, 1))
                _beside_target(error, workspace.problem, n)


def _beside_target(error: float, problem: Problem, n: int) -> None:
    """Say under a mean error whether it is above the target, and of how many sales it is."""
    target, sales = percent(problem.success.target_mape), plain(count(n, "sale"))
    if error > problem.success.target_mape:
        st.caption(f":{BAD}[above the target of {target}], {sales}")
    else:
        st.caption(f"target {target}, {sales}")


def _way_back(workspace: Workspace, market: Market, live: ModelRecord) -> None:
    effect = rollback_effect(workspace, market.market_id)
    fold = st.popover(
        "Roll back",
        icon=":material/undo:",
        disabled=effect is None,
        help="No model that could be live again was live before this one." if effect is None else None,
        # Another model is live after a click: a pop-over of the same key would stay open, and empty.
        key=f"roll_back_{live.model_id}",
    )
    if effect is None:
        return
    with fold:
        promotion.say_effect(effect.words, effect.scope)
        reason = st.text_input("Reason (optional)", key="rollback_reason", max_chars=_REASON_MAX).strip()
        if st.button("Roll back to the live model before", key="rollback", icon=":material/undo:"):
            promotion.roll_back(workspace, market, reason)
