"""Ways from one page to another, by the address the registry gives it."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

from pages.kit import navigation


def go_to(path: str) -> NoReturn:
    """Leave this page for the one at the address."""
    # Without this empty mapping Streamlit would clear all parameters, and refuses to while role or market are bound.
    st.switch_page(navigation.page_at(path).script, query_params={})


def link_to(path: str, label: str) -> None:
    """Draw a link to the page at the address, with its icon."""
    page = navigation.page_at(path)
    st.page_link(page.script, label=label, icon=page.icon)
