"""The promises a market is held to: error, range, volume, speed and freshness, each with its state and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from core.access import Action
from core.monitor.alerts import happened, latest_judged
from core.monitor.rules import RULE_OF, AlertKind, Judged, Reading, Threshold
from core.store.operations.alerts import AlertRecord
from core.wording import day
from core.workflows.monitoring.alerts import market_watch, open_alerts
from core.workflows.monitoring.readings import MarketWatch, promised_readings, trained_on
from core.workspace import Workspace

SHOWN: Final = 6
"""Periods of a promise's line."""


class PromiseState(StrEnum):
    """Whether a promise is met: broken while an alert is not resolved, on watch if only the last period was off."""

    MET = "Met"
    WATCH = "On watch"
    BROKEN = "Broken"
    UNKNOWN = "Too few to tell"


class Remedy(StrEnum):
    """The one thing to do about a broken promise."""

    NONE = "none"
    RETRAIN = "retrain"
    ALERT = "alert"


@dataclass(frozen=True)
class Promise:
    """A promise: ``words`` is the latest figure with its limit, as a sentence, ``values`` its line, oldest first.

    ``labels`` name the periods of the line, ``limit`` is drawn beside it, None if it has no place there. ``cause`` and
    ``action`` are those of the alert, "" without one.
    """

    name: str
    state: PromiseState
    words: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    limit: float | None
    cause: str = ""
    action: str = ""
    remedy: Remedy = Remedy.NONE


# Each promise with the kinds of alerts that break it; the first is the one whose figures are shown.
_KINDS: Final[tuple[tuple[str, tuple[AlertKind, ...]], ...]] = (
    ("Error", (AlertKind.TARGET_MISSED, AlertKind.ERROR_HIGH)),
    ("Range", (AlertKind.COVERAGE_OFF,)),
    ("Volume", (AlertKind.VOLUME_DOWN,)),
    ("Speed", (AlertKind.SLOW,)),
    ("Freshness", (AlertKind.RETRAINING_OVERDUE,)),
)
_NOTHING: Final = {
    "Error": "No sale of a home priced before it was listed has come in yet.",
    "Range": "No sale of a home priced before it was listed has come in yet.",
    "Volume": "Too few months have estimates to say what is usual.",
    "Speed": "Too few homes were priced on the page to time the answers.",
    "Freshness": "No model is live.",
}


def promises_of(workspace: Workspace, market_id: str) -> tuple[Promise, ...]:
    """Return the five promises in order; raises AccessDenied, NotFound, StoreUnavailable."""
    workspace.require(Action.WATCH)
    watch = market_watch(workspace, market_id)
    found, alerts = promised_readings(watch), open_alerts(workspace, market_id)
    return tuple(_promise(watch, name, kinds, found, alerts) for name, kinds in _KINDS)


def _promise(
    watch: MarketWatch,
    name: str,
    kinds: tuple[AlertKind, ...],
    found: Sequence[Reading],
    alerts: Sequence[AlertRecord],
) -> Promise:
    now = datetime.combine(watch.clock, time.min, UTC)
    limit = watch.limits[kinds[0]]
    judged = latest_judged(found, limit, now)
    alert = next((one for kind in kinds for one in alerts if one.kind == kind and not one.segment), None)
    labels, values = _line(watch, kinds[0], found)
    line = Promise(name, _state(alert, judged, limit), _words(name, judged, limit), labels, values, _mark(limit))
    if alert is None:
        return line
    cause = str(alert.document["reading"].get("cause") or "")
    remedy = Remedy.RETRAIN if RULE_OF[kinds[0]].of_the_model else Remedy.ALERT
    return Promise(**{**vars(line), "cause": cause, "action": alert.next_action, "remedy": remedy})


def _state(alert: AlertRecord | None, judged: Sequence[Judged], limit: Threshold) -> PromiseState:
    if alert is not None:
        return PromiseState.BROKEN
    if not judged:
        return PromiseState.UNKNOWN
    return PromiseState.WATCH if judged[-1].measure > limit.value else PromiseState.MET


def _words(name: str, judged: Sequence[Judged], limit: Threshold) -> str:
    if not judged:
        return _NOTHING[name]
    side = "beyond" if judged[-1].measure > limit.value else "within"
    return f"{happened(judged[-1], limit, side)}."


def _line(watch: MarketWatch, kind: AlertKind, found: Sequence[Reading]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Return the latest periods and their figures; a model's age needs no readings."""
    now = datetime.combine(watch.clock, time.min, UTC)
    row = [one for one in found if one.kind is kind and not one.segment and one.period.is_over(now)]
    if kind is AlertKind.RETRAINING_OVERDUE:
        return _ages(watch)
    row = sorted(row, key=lambda one: one.period.start)[-SHOWN:]
    return tuple(one.period.label for one in row), tuple(one.value for one in row)


def _ages(watch: MarketWatch) -> tuple[tuple[str, ...], tuple[float, ...]]:
    if watch.champion is None:
        return (), ()
    age = (watch.clock - trained_on(watch.store, watch.market, watch.champion)).days
    steps = [step for step in range((SHOWN - 1) * 30, -1, -30) if step <= age]
    days = [watch.clock - timedelta(days=step) for step in steps]
    return tuple(day(one) for one in days), tuple(float(age - step) for step in steps)


def _mark(limit: Threshold) -> float | None:
    """Return the value that the line of a promise is compared with: a drop in volume has none."""
    if limit.name is AlertKind.VOLUME_DOWN:
        return None
    return limit.centre or limit.value
