"""A market's pricing desk, opened once for all sessions and reopened only when model, sales, alerts or scope change."""

from __future__ import annotations

import streamlit as st

from core.workflows.models.scope import governing_scope
from core.workflows.pricing.desk import Desk, open_desk
from core.workflows.pricing.drift_notices import drift_alerts
from core.workspace import Workspace

_KEPT = 4


def desk(workspace: Workspace, market_id: str) -> Desk:
    """Return the market's desk with its live model; raises NotFound, ArtifactCorrupt."""
    store = workspace.store
    champion, latest = store.models.champion(market_id), store.versions.latest(market_id)
    model_id = champion.model_id if champion else ""
    alerts = tuple(one.alert_id for one in drift_alerts(store, market_id))
    scope = str(governing_scope(store, champion)) if champion else ""
    return _desk(str(store.home), market_id, model_id, latest.version_id if latest else "", alerts, scope, workspace)


# Few are kept: a model takes tens of megabytes, and one in use is quickly loaded again.
@st.cache_resource(max_entries=_KEPT, show_spinner="Loading the market’s model")
def _desk(
    home: str,
    market_id: str,
    model_id: str,
    version_id: str,
    alerts: tuple[str, ...],
    scope: str,
    _workspace: Workspace,
) -> Desk:
    # The arguments are the cache key: another folder, champion, data version, open drift alert or scope gives another
    # desk.
    return open_desk(_workspace.store, market_id, _workspace.problem)
