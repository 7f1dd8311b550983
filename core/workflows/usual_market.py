"""Which of several markets opens where nobody names one: one that can price, the one used last."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import StoreUnavailable
from core.store import Market
from core.workspace import Workspace


def usual_market(workspace: Workspace, markets: Sequence[Market]) -> str | None:
    """Return the id of the market in which this actor priced last, among those that can price; None for none.

    It is the first that can for whoever never priced, and none while the database is away.
    """
    try:
        ready = workspace.store.bases.ready(workspace.actor.actor_id)
    except StoreUnavailable:
        return None
    able = [one.market_id for one in markets if one.market_id in ready]
    used = {one: at for one in able if (at := ready[one]) is not None}
    return max(used, key=used.__getitem__, default=next(iter(able), None))
