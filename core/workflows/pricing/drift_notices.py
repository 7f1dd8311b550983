"""Open drift alerts as notices for agents: what moved, by how much, and what to do at the desk."""

from __future__ import annotations

from typing import Final

from core.monitor.rules import TYPE_SEGMENT, AlertKind
from core.monitor.windows import window_named
from core.serve.flags import DriftNotice, Severity
from core.store import Store
from core.store.operations.alerts import UNRESOLVED, AlertRecord
from core.wording import bound, count, percent

DRIFT: Final = (AlertKind.LEVEL_DRIFT.value, AlertKind.FEATURE_DRIFT.value)
"""The kinds of alerts that flag estimates."""


def drift_alerts(store: Store, market_id: str) -> tuple[AlertRecord, ...]:
    """Return the market's unresolved drift alerts, newest first; raises NotFound, StoreUnavailable."""
    return tuple(one for one in store.alerts.list(market_id, UNRESOLVED) if one.kind in DRIFT)


def drift_notices(store: Store, market_id: str) -> tuple[DriftNotice, ...]:
    """Return the notices that flag the market's estimates; raises NotFound, StoreUnavailable."""
    return tuple(_notice(one) for one in drift_alerts(store, market_id))


def _notice(alert: AlertRecord) -> DriftNotice:
    reading = alert.document["reading"]
    value, limit, when = float(reading["value"]), float(reading["limit"]), window_named(reading["period"]).label
    kind = alert.segment.removeprefix(TYPE_SEGMENT).replace(" ", "_") if alert.segment else ""
    if alert.kind == AlertKind.LEVEL_DRIFT:
        side = "above" if value > 0 else "below"
        return DriftNotice(
            kind,
            Severity.REVIEW,
            "price level",
            f"homes sold {percent(abs(value), 1)} {side} the level the model expects in {when}",
            f"{bound(limit)} in either direction",
            "Check the price against sales of recent weeks before you quote it.",
        )
    return DriftNotice(
        kind,
        Severity.NOTE,
        "homes priced",
        f"{count(round(value), 'fact')} of the homes priced in {when} differ from the model's training sales",
        f"at most {round(limit):,}",
        "Check the facts you entered; if they are right, the model has seen few homes like this one.",
    )
