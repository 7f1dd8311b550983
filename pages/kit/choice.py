"""One of a few ways to look at something, chosen on the page and kept in its address."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st


def view(views: Sequence[str]) -> str:
    """Draw the choice of a page's view, the first being the usual one; returns the view chosen."""
    chosen = st.pills(
        "View",
        views,
        default=views[0],
        required=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
    )
    return chosen if chosen in views else views[0]


def one_of(label: str, options: Sequence[str], key: str, usual: str) -> str:
    """Draw a choice whose label only a screen reader says; returns the option chosen, ``usual`` until one is."""
    chosen = st.segmented_control(
        label,
        options,
        default=usual,
        required=True,
        key=key,
        bind="query-params",
        label_visibility="collapsed",
        wrap=True,
    )
    return chosen if chosen in options else usual
