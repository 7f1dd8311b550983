"""Whether the live model's file can be verified, as the alert on it says at once and until it can be again."""

from __future__ import annotations

import logging
from typing import Final

from core.errors import StoreUnavailable
from core.monitor.rules import AlertKind
from core.store.operations.alerts import UNRESOLVED
from core.workflows.monitoring.alerts import judge_one
from core.workflows.monitoring.readings import verified
from core.workspace import Workspace

_LOG: Final = logging.getLogger(__name__)


def report_live_model(workspace: Workspace, market_id: str, *, readable: bool) -> None:
    """Open the alert on a live model that cannot be verified, or resolve it; a database that fails costs no price."""
    try:
        alerts = workspace.store.alerts.list(market_id, UNRESOLVED)
        if readable and not any(one.kind == AlertKind.MODEL_UNVERIFIED for one in alerts):
            return
        market = workspace.store.markets.get(market_id)
        judge_one(workspace, market_id, verified(workspace.today(market), readable=readable))
    except StoreUnavailable as error:
        _LOG.warning("the alert on the live model of market %s waits for the next check: %s", market_id, error)
