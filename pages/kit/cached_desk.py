"""The pricing desks kept open for all sessions; the API of the same process uses the same ones."""

from __future__ import annotations

import streamlit as st

from core.store import Market
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.known_homes import AddressBooks
from core.workflows.pricing.open_desks import OpenDesks
from core.workspace import Workspace


def desk(workspace: Workspace, market_id: str) -> Desk:
    """Return the market's desk with its live model; raises NotFound, ArtifactCorrupt."""
    return open_desks().desk(workspace, market_id, lambda: st.spinner("Loading the market’s model"))


def markets(workspace: Workspace) -> list[Market]:
    """Return all markets, those whose model is in memory while the database is away; raises StoreUnavailable."""
    return open_desks().markets(workspace.store)


@st.cache_resource(max_entries=1, show_spinner=False)
def open_desks() -> OpenDesks:
    """Return this process's desks."""
    return OpenDesks()


@st.cache_resource(max_entries=1, show_spinner=False)
def address_books() -> AddressBooks:
    """Return this process's address books."""
    return AddressBooks()
