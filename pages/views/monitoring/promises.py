"""The first view of the monitoring page: one row per promise with its line and state, cause and action folded."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.workflows.monitoring.figures import missing_file
from core.workflows.promises import Promise, Remedy, legend, promises_of
from pages.kit import navigation
from pages.kit.palette import palette
from pages.kit.spark import spark
from pages.kit.text import plain
from pages.views.monitoring.selection import Selection, compute_once
from pages.views.monitoring.words import PROMISE_LOOKS, go_to_view, to_next

# A limit this far above the line would flatten it.
_FAR: Final = 3.0
_NAME_WIDTH: Final = 100
_STATE_WIDTH: Final = 150
_EXPLAINED_BY_DRIFT: Final = frozenset({"Error", "Range", "Confidence"})


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
            elif promise.until_alert:
                st.caption(plain(promise.until_alert))
    st.caption(plain(legend(selection.problem)))


def _row(promise: Promise) -> None:
    colour, icon = PROMISE_LOOKS[promise.state]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(f"**{promise.name}**", width=_NAME_WIDTH)
        with st.container(width=_STATE_WIDTH):
            st.badge(promise.state.value, icon=icon, color=colour)
        if promise.values:
            far = promise.limit is None or promise.limit > _FAR * max(promise.values)
            over = " to ".join(dict.fromkeys((promise.labels[0], promise.labels[-1])))
            words = f"{promise.name}, {over}"
            spark(promise.name.lower(), promise.values, words, palette(), None if far else promise.limit)
            marked = f"; dashed: {promise.limit_words}" if promise.limit_words and not far else ""
            st.caption(plain(f"{over}{marked}"), width="content")
    st.markdown(plain(promise.words))


def _cause(selection: Selection, promise: Promise) -> None:
    label = "Cause and what to do" if promise.cause else "What to do"
    fold = st.expander(label, key=f"promise_{promise.name}", icon=":material/troubleshoot:", on_change="rerun")
    if not fold.open:
        return
    with fold:
        if promise.until_alert:
            st.caption(plain(promise.until_alert))
        if promise.cause:
            st.markdown(plain(promise.cause))
        st.markdown(f"**Next:** {plain(promise.action)}")
        if promise.remedy is Remedy.NEXT:
            to_next(selection)
            if promise.name in _EXPLAINED_BY_DRIFT:
                st.button(
                    "See what moved",
                    key=f"drift_{promise.name}",
                    on_click=go_to_view,
                    args=("Drift",),
                    icon=":material/troubleshoot:",
                )
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
