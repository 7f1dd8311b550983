"""The pricing desk of a market, loaded once for all sessions and again only when another model goes live."""

from __future__ import annotations

import streamlit as st

from core.lifecycle import Desk, open_desk
from core.problem import Problem, load_problem
from core.store import Store

_KEPT = 4


def desk(store: Store, market_id: str) -> Desk:
    """Return the market's desk with its live model; raises NotFound, ArtifactCorrupt."""
    champion = store.models.champion(market_id)
    return _desk(str(store.home), market_id, champion.model_id if champion else "", store)


@st.cache_resource(max_entries=1, show_spinner=False)
def problem() -> Problem:
    """Return the problem statement in force; raises ProblemStatementError."""
    return load_problem()


# Few are kept: a model takes tens of megabytes, and those of the markets in use are soon loaded again.
@st.cache_resource(max_entries=_KEPT, show_spinner="Opening the market’s model")
def _desk(home: str, market_id: str, model_id: str, _store: Store) -> Desk:
    # Home and model are the key: another folder or another champion is another desk.
    return open_desk(_store, market_id, problem())
