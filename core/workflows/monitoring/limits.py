"""The limits of a market's alerts: which hold, who changes them, and how alerts follow a change and its undoing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from core.access import Action, reason_for
from core.errors import InvalidRecord
from core.monitor.alerts import thresholds_of
from core.monitor.rules import AlertKind, Threshold
from core.store import Market
from core.store.operations.alerts import AlertRecord
from core.store.operations.thresholds import ThresholdRecord
from core.workflows.monitoring.notices import notify
from core.workspace import Workspace

ALERTS_READ: Final = 2_000
"""The most alerts of a market that a check reads, newest first."""

KINDS: Final = frozenset(kind.value for kind in AlertKind)
"""The kinds of alerts in use; a store may hold alerts of kinds that are no more."""


@dataclass(frozen=True)
class FollowedLimits:
    """The effect of changed limits on alerts: those resolved and those reopened."""

    resolved: tuple[AlertRecord, ...]
    reopened: tuple[AlertRecord, ...]


def limits_of(workspace: Workspace, market_id: str) -> Mapping[AlertKind, Threshold]:
    """Return the limits in use; raises NotFound, InvalidThreshold, StoreUnavailable."""
    return thresholds_of(workspace.problem, workspace.store.thresholds.values(market_id))


def set_threshold(workspace: Workspace, market_id: str, kind: AlertKind, value: float, reason: str) -> ThresholdRecord:
    """Set the limit of a kind of alert for a market; earlier limits stay on record, and alerts follow.

    Raises AccessDenied, InvalidThreshold for a value out of bounds, NotFound, ReasonNeeded.
    """
    workspace.require(Action.ACT_ON_ALERTS)
    thresholds_of(workspace.problem, {kind.value: value})
    record = workspace.store.thresholds.set(
        market_id, kind.value, value, reason_for("To change a limit", reason), workspace.actor
    )
    _follow(workspace, market_id)
    return record


def limit_doubt(limits: Mapping[AlertKind, Threshold], kind: AlertKind, value: float) -> str:
    """Say that a limit would open “Error too high” before “Target missed”, which is meant to come first; else ""."""
    after = {one: limit.value for one, limit in limits.items()} | {kind: value}
    high, target = after[AlertKind.ERROR_HIGH], after[AlertKind.TARGET_MISSED]
    if kind not in (AlertKind.ERROR_HIGH, AlertKind.TARGET_MISSED) or high >= target:
        return ""
    limit = limits[kind]
    return (
        f"“Error too high” would open at {limit.bound(high)}, below “Target missed” at {limit.bound(target)}, so the "
        "alarm would come before the promise is broken."
    )


def reset_threshold(workspace: Workspace, market_id: str, kind: AlertKind, reason: str) -> ThresholdRecord:
    """Let the problem statement's limit of a kind of alert hold again for a market; what was set stays on record.

    Alerts follow: those that only the limit set opened are resolved, those that it alone resolved are open again.
    Raises AccessDenied, NotFound, ReasonNeeded, InvalidRecord for a limit that is not set, StoreUnavailable.
    """
    workspace.require(Action.ACT_ON_ALERTS)
    record = workspace.store.thresholds.reset(
        market_id, kind.value, reason_for("To change a limit", reason), workspace.actor
    )
    _follow(workspace, market_id)
    return record


def follow_limits(workspace: Workspace, market: Market, limits: Mapping[AlertKind, Threshold]) -> FollowedLimits:
    """Update alerts whose limit has changed since it opened or resolved them, and notify people of the changes.

    An unresolved alert is resolved if the figure that opened it is within the limit now in force. An alert that figures
    or a limit resolved is reopened if its figure then would not have resolved it now. Repeating this changes nothing.
    Raises NotFound, StoreUnavailable.
    """
    alerts = workspace.store.alerts
    resolved, reopened = [], []
    for one in latest_alerts(alerts.list(market.market_id, None, ALERTS_READ)):
        limit = limits[AlertKind(one.kind)]
        # A person, or another worker, may have been faster.
        with suppress(InvalidRecord):
            if one.is_open and (measure := _within(one, limit)) is not None:
                why = f"The limit is {limit.bound(limit.value)} now, and the figure that opened it is within that."
                by = {"limit": limit.value, "measure": measure}
                period = str(one.document["reading"]["period"])
                resolved.append(alerts.resolve(one.alert_id, why, period, workspace.actor, by))
            elif _resolved_too_soon(one, limit):
                why = f"The limit is {limit.bound(limit.value)} now, and the figure that resolved it is beyond that."
                reopened.append(alerts.reopen(one.alert_id, why, workspace.actor))
    notify(workspace.store, market, [*resolved, *reopened])
    return FollowedLimits(tuple(resolved), tuple(reopened))


def _follow(workspace: Workspace, market_id: str) -> None:
    follow_limits(workspace, workspace.store.markets.get(market_id), limits_of(workspace, market_id))


def latest_alerts(alerts: Iterable[AlertRecord]) -> list[AlertRecord]:
    """Return the alert of each kind and segment that is unresolved, else the newest; ``alerts`` are newest first."""
    found: dict[tuple[str, str], AlertRecord] = {}
    for one in alerts:
        key = one.kind, one.segment
        # A reopened alert may be older than a resolved one; at most one per kind and segment is unresolved.
        if one.kind in KINDS and (key not in found or one.is_open):
            found[key] = one
    return list(found.values())


def _within(alert: AlertRecord, limit: Threshold) -> float | None:
    """Return the measure that opened an alert, if the limit was another then and holds it now; else None."""
    reading = alert.document["reading"]
    measure = reading.get("measure")
    if measure is None or reading.get("limit") == limit.value or measure > limit.value:
        return None
    return float(measure)


def _resolved_too_soon(alert: AlertRecord, limit: Threshold) -> bool:
    """Tell whether the figure that resolved an alert would not have done so under the limit now in force."""
    if alert.judged is None:
        return False
    then, measure = alert.judged
    return then != limit.value and measure > limit.resolves_at
