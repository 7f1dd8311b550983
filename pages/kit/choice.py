"""Selectors between a few views or options, kept in the page's address, and the bounds of every field for a day."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

import streamlit as st

FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
"""Streamlit drops a typed day beyond a field's bounds without a word, and its own are ten years to either side: these
are beyond any day a person means, and what a day is for says whether it is possible."""


def on_offer(chosen: str | None, options: Collection[str], usual: str) -> str:
    """Return what was chosen, or the usual option where it is not on offer.

    A selector kept in the address gives any word found there: another model or market may not have that option.
    """
    return chosen if chosen is not None and chosen in options else usual


def view(views: Sequence[str]) -> str:
    """Draw the selector of a page's views, the first by default; return the selected view."""
    chosen = st.pills(
        "View",
        views,
        default=views[0],
        required=True,
        key="view",
        bind="query-params",
        label_visibility="collapsed",
    )
    return on_offer(chosen, views, views[0])


def one_of(label: str, options: Sequence[str], key: str, usual: str) -> str:
    """Draw a selector with a label only for screen readers; return the selected option, ``usual`` by default."""
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
    return on_offer(chosen, options, usual)
