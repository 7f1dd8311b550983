"""How many doubtful sales of a market wait for a decision, for every page that says so."""

from __future__ import annotations

import streamlit as st

from core.errors import DoorstepError
from core.store import Market
from core.workflows.data.scrutiny import ToDecide, queue_revision, to_decide
from core.workspace import Workspace


def waiting(workspace: Workspace, market: Market) -> ToDecide:
    """Count the doubtful sales of a market that wait for a decision; none where they cannot be read."""
    try:
        revision = queue_revision(workspace, market.market_id)
        return _waiting(str(workspace.store.home), market.market_id, revision, workspace)
    except DoorstepError:
        # The page about them says what is wrong.
        return ToDecide()


@st.cache_resource(max_entries=16, show_spinner="Looking through the sales…")
def _waiting(home: str, market_id: str, revision: str, _workspace: Workspace) -> ToDecide:
    return to_decide(_workspace, market_id)
