"""Notices of alerts: what people who are notified learn when one opens, changes or is resolved."""

from __future__ import annotations

from collections.abc import Iterable

from core.store import Market, Store
from core.store.operations.alerts import AlertRecord
from core.workflows.monitoring.notifications import Notice, Notices


def notify(store: Store, market: Market, alerts: Iterable[AlertRecord]) -> None:
    """Put a notice of each alert in the queue, and send what waits; a notice that cannot be sent raises nothing."""
    notices = Notices(store.home)
    for one in alerts:
        notices.put(_notice(market, one))
    notices.send()


def _notice(market: Market, alert: AlertRecord) -> Notice:
    return Notice(
        # Reopening an alert is news too.
        key=f"{alert.alert_id}-{alert.state}-{len(alert.document['history'])}",
        market_id=market.market_id,
        subject=f"{market.name}: {alert.kind.replace('_', ' ')} {alert.state}",
        document={
            "alert_id": alert.alert_id,
            "market_id": market.market_id,
            "market": market.name,
            "simulated": market.simulated,
            "kind": alert.kind,
            "segment": alert.segment,
            "state": alert.state,
            "opened_at": alert.opened_at.isoformat(),
            "changed_at": alert.changed_at.isoformat(),
            "changed_by": alert.changed_by,
            "why": alert.why,
            "next_action": alert.next_action,
            "reading": alert.document["reading"],
        },
    )
