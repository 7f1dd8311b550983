"""Open alerts as notices for agents: what moved or did not hold, by how much, and what to do at the desk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from core.monitor.rules import TYPE_SEGMENT, AlertKind
from core.monitor.windows import window_named
from core.serve.review.flag import DriftNotice, FlagKind, Severity
from core.store import Store
from core.store.operations.alerts import UNRESOLVED, AlertRecord
from core.wording import bound, count, percent

NOTICED: Final = (
    AlertKind.COVERAGE_OFF.value,
    AlertKind.TARGET_MISSED.value,
    AlertKind.LEVEL_DRIFT.value,
    AlertKind.FEATURE_DRIFT.value,
)
"""The kinds of alerts that flag estimates: those about the record of late, then those about what moved."""


def drift_notices(store: Store, market_id: str) -> tuple[DriftNotice, ...]:
    """Return the notices that flag the market's estimates, by kind; raises NotFound, StoreUnavailable.

    Ranges that held more sales than they promise are no matter for an agent.
    """
    alerts = [one for one in store.alerts.list(market_id, UNRESOLVED) if one.kind in NOTICED]
    found = sorted(alerts, key=lambda one: NOTICED.index(one.kind))
    return tuple(notice for one in found if (notice := _notice(one)) is not None)


def _record_notice(kind: FlagKind, reading: Mapping[str, Any], level: float) -> DriftNotice | None:
    """Return the notice of an alert about the record in use: how ranges held, or how far estimates were off."""
    value, sales = float(reading["value"]), count(int(reading["n"]), "sale")
    when = f"{sales} of {window_named(reading['period']).label}"
    if kind is FlagKind.RANGE_HELD_LESS:
        if value >= level:
            return None
        held = f"{percent(value)} of {when}"
        action = "Leave more room than the range shows, and check the price against sales of recent weeks."
        return DriftNotice("", Severity.REVIEW, "range", held, percent(level), action, kind)
    off = f"{percent(value, 1)} on average, {when}"
    action = "Check the price against sales of recent weeks before you quote it."
    return DriftNotice("", Severity.REVIEW, "error", off, f"at most {bound(float(reading['limit']))}", action, kind)


_RECORD: Final[Mapping[str, FlagKind]] = {
    AlertKind.COVERAGE_OFF: FlagKind.RANGE_HELD_LESS,
    AlertKind.TARGET_MISSED: FlagKind.TARGET_MISSED,
}


def _notice(alert: AlertRecord) -> DriftNotice | None:
    reading = alert.document["reading"]
    if alert.kind in _RECORD:
        # How far from its level the range held, and where it held, give the level.
        value, measure = float(reading["value"]), float(reading["measure"])
        return _record_notice(_RECORD[alert.kind], reading, value + measure)
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
