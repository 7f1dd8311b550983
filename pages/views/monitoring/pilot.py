"""The pilot: which offices have estimates, and what came of it."""

from __future__ import annotations

import streamlit as st

from pages.views.monitoring import rollout
from pages.views.monitoring.selection import Selection


def draw(selection: Selection) -> None:
    """Draw who has estimates."""
    rollout.draw(selection)
    st.caption("Agents of an office that is not yet in see when it starts. Managers and analysts are never held back.")
