"""The prediction ledger as a file for those who check it, with decisions and sales beside each estimate."""

from __future__ import annotations

from collections.abc import Iterator

from core.access import Action, Actor, require
from core.store import Store
from core.store.figures import Slice


def export_ledger(store: Store, market_id: str, where: Slice, actor: Actor) -> Iterator[bytes]:
    """Yield the ledger as CSV in parts (see core.store.export), with an audit entry of who took it.

    Raises AccessDenied, NotFound and StoreUnavailable at the call; StoreUnavailable also while it is read.
    """
    require(actor, Action.VIEW_MODELS)
    market = store.markets.get(market_id)
    chosen = {name: value for name, value in vars(where).items() if value is not None}
    store.events.record(actor, "ledger.exported", market.market_id, market.market_id, chosen)
    return store.export.ledger(market_id, where)
