"""The first view of the monitoring page: one row per promise with its line and state, cause and action folded."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.workflows.monitoring.figures import missing_file
from core.workflows.monitoring.promises import Promise, PromiseState, Remedy, promises_of
from pages.kit import navigation
from pages.kit.palette import palette
from pages.kit.spark import spark
from pages.kit.text import plain
from pages.views.monitoring.selection import Selection, compute_once
from pages.views.monitoring.words import PROMISE_LOOKS, go_to_view, to_models

# A limit this far above the line would flatten it.
_FAR: Final = 3.0
_NAME_WIDTH: Final = 100
_STATE_WIDTH: Final = 130


def draw(selection: Selection) -> None:
    """Draw what is wrong with the live model itself, then the promises."""
    _model(selection)
    found = compute_once(
        selection, "promises", lambda c: promises_of(c.workspace, c.market.market_id), selection.workspace.actor.role
    )
    for promise in found:
        with st.container(border=True, gap="xsmall"):
            _row(promise)
            if promise.action:
                _cause(selection, promise)
            elif promise.state is PromiseState.WATCH:
                st.caption("One period beyond it is no alert yet; a second one in a row opens it.")
    least = selection.problem.monitoring.alert_n_min
    st.caption(
        f"Missed: two periods in a row were beyond the limit, and the alert on it is not resolved. Months with fewer "
        f"than {least} sales or estimates are not judged."
    )


def _row(promise: Promise) -> None:
    colour, icon = PROMISE_LOOKS[promise.state]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(f"**{promise.name}**", width=_NAME_WIDTH)
        with st.container(width=_STATE_WIDTH):
            st.badge(promise.state.value, icon=icon, color=colour)
        if promise.values:
            far = promise.limit is None or promise.limit > _FAR * max(promise.values)
            words = f"{promise.name}, {promise.labels[0]} to {promise.labels[-1]}"
            spark(promise.name.lower(), promise.values, words, palette(), None if far else promise.limit)
    st.markdown(plain(promise.words))


def _cause(selection: Selection, promise: Promise) -> None:
    fold = st.expander(
        "Cause and what to do", key=f"promise_{promise.name}", icon=":material/troubleshoot:", on_change="rerun"
    )
    if not fold.open:
        return
    with fold:
        if promise.cause:
            st.markdown(plain(promise.cause))
        st.markdown(f"**Next:** {plain(promise.action)}")
        if promise.remedy is Remedy.RETRAIN:
            to_models(selection)
        elif promise.remedy is Remedy.FIGURES:
            st.button("See the traffic", key=f"see_{promise.name}", on_click=go_to_view, args=("Figures",))
        else:
            st.button(
                "See the alert",
                key=f"see_{promise.name}",
                on_click=go_to_view,
                args=("Alerts",),
                icon=":material/notifications:",
            )


def _model(selection: Selection) -> None:
    """State what is wrong with the live model itself: there is none, or its file is gone."""
    champion = selection.workspace.store.models.champion(selection.market.market_id)
    if champion is None:
        st.warning("No model is live, so nothing can be priced and nothing new is measured.", icon=":material/info:")
        navigation.link_to("models", "Train or promote a model")
        return
    wrong = compute_once(selection, "file", lambda c: missing_file(c.workspace.store, champion.model_id))
    if wrong:
        st.error(plain(f"The live model cannot be opened: {wrong}"), icon=":material/error:")
        target = selection.workspace.store.models.rollback_target(selection.market.market_id)
        navigation.link_to("models", "Roll back or train" if target else "Train a model")
