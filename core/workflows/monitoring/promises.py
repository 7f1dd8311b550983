"""The promises a market is held to: error, range, confidence, volume, speed and freshness, with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

import pandas as pd

from core.access import Action
from core.evaluate.card.headline import short_range_words
from core.monitor.alerts import happened, latest_judged
from core.monitor.rules import RULE_OF, AlertKind, Judged, Reading, Threshold
from core.monitor.windows import window_named, window_of
from core.states import Period
from core.store.ledger.figures import Slice
from core.store.operations.alerts import AlertRecord
from core.wording import market_day
from core.workflows.models.floor import miss_words
from core.workflows.monitoring.alerts import market_watch, next_step, open_alerts, step_now
from core.workflows.monitoring.figures import came_true_of
from core.workflows.monitoring.readings import (
    MarketWatch,
    latest_days,
    promised_readings,
    range_cause_of,
    trained_on,
)
from core.workspace import Workspace

SHOWN: Final = 6
"""Periods of a promise's line."""


class PromiseState(StrEnum):
    """Whether a promise is met: missed while an alert is not resolved, on watch if only the last period was off.

    An alert opens after two periods in a row beyond the limit: the one rule wherever a promise in use is named.
    """

    MET = "Met"
    WATCH = "On watch"
    MISSED = "Missed"
    UNKNOWN = "Not yet known"


class Remedy(StrEnum):
    """The one thing to do about a promise that is missed or on watch."""

    NONE = "none"
    RETRAIN = "retrain"
    ALERT = "alert"
    FIGURES = "figures"


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
_BEFORE_CONFIDENCE: Final = 2
_NOTHING: Final = {
    "Error": "No home that the live model priced before its listing has a known sale yet.",
    "Range": "No home that the live model priced before its listing has a known sale yet.",
    "Volume": "Too few months have estimates to say what is usual.",
    "Speed": "Too few homes were priced on the page to time the answers.",
    "Freshness": "No model is live.",
}


def promises_of(workspace: Workspace, market_id: str) -> tuple[Promise, ...]:
    """Return the six promises in order; raises AccessDenied, NotFound, StoreUnavailable."""
    workspace.require(Action.WATCH)
    watch = market_watch(workspace, market_id)
    found, alerts = promised_readings(watch), open_alerts(workspace, market_id)
    rest = [_promise(watch, name, kinds, found, alerts) for name, kinds in _KINDS]
    return (*rest[:_BEFORE_CONFIDENCE], _confidence(watch), *rest[_BEFORE_CONFIDENCE:])


def error_promise(workspace: Workspace, market_id: str) -> Promise:
    """Return only the promise on the mean error; raises as ``promises_of``."""
    workspace.require(Action.WATCH)
    watch = market_watch(workspace, market_id)
    name, kinds = _KINDS[0]
    return _promise(watch, name, kinds, promised_readings(watch), open_alerts(workspace, market_id))


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
    if kinds[0] is AlertKind.SLOW and judged:
        promised = limit.written(watch.problem.success.answer_ms)
        line = replace(line, words=f"{line.words} Answers are promised within {promised}.")
    if kinds[0] is AlertKind.RETRAINING_OVERDUE and watch.champion is not None:
        latest = market_day(date.fromisoformat(str(watch.champion.card["last_sale"])), watch.market.currency)
        line = replace(line, words=f"{line.words} The latest sale it learned from is of {latest}.")
    if line.state is PromiseState.UNKNOWN and (tested := _on_its_test(watch, name)):
        line = replace(line, words=f"{line.words} {tested}")
    if alert is None:
        return _quiet(watch, line) if kinds[0] is AlertKind.VOLUME_DOWN and line.state is PromiseState.WATCH else line
    cause = _cause(watch, alert)
    remedy = Remedy.RETRAIN if RULE_OF[kinds[0]].of_the_model else Remedy.ALERT
    challenger = watch.store.models.challenger(watch.market.market_id)
    return replace(line, cause=cause, action=next_step(alert, challenger), remedy=remedy)


def _on_its_test(watch: MarketWatch, name: str) -> str:
    """Say what speaks against a live model before the first sale in use, "" if its test does not."""
    if watch.champion is None:
        return ""
    card = watch.champion.card
    tests = {"Error": miss_words(card, watch.problem, "On its test sales, it"), "Range": short_range_words(card)}
    return tests.get(name, "")


def _cause(watch: MarketWatch, alert: AlertRecord) -> str:
    """Return an alert's cause: of a range by the sales since it was off, of fewer estimates by the day they stopped."""
    reading = alert.document["reading"]
    if alert.kind == AlertKind.COVERAGE_OFF and reading.get("since"):
        return range_cause_of(watch, window_named(str(reading["since"])).start.date())
    if alert.kind == AlertKind.VOLUME_DOWN:
        return _stopped(watch)
    return str(reading.get("cause") or "")


def _quiet(watch: MarketWatch, line: Promise) -> Promise:
    """Return the promise on volume with the reason for a quiet month and whom to ask."""
    return replace(line, cause=_stopped(watch), action=RULE_OF[AlertKind.VOLUME_DOWN].action, remedy=Remedy.FIGURES)


def _stopped(watch: MarketWatch) -> str:
    """Say on which day the latest estimate was requested, if some days before the market's day had none."""
    since = watch.clock - timedelta(days=_LOOKED_BACK)
    asked = watch.store.figures.traffic(watch.market.market_id, Slice(since, watch.clock), Period.DAY).periods
    if asked.empty:
        return f"No estimate was requested in the last {_LOOKED_BACK} days."
    latest = asked["start"].max().date()
    idle = (watch.clock - latest).days
    if idle < _IDLE:
        return "Estimates came in to the end; there were fewer of them."
    return f"The latest estimate is of {market_day(latest, watch.market.currency)}; the {idle} days since have none."


def _confidence(watch: MarketWatch) -> Promise:
    """Return the promise of the confidences: as many estimates end within 10% of the sale price as they state."""
    if watch.champion is None:
        return Promise("Confidence", PromiseState.UNKNOWN, _NOTHING["Freshness"], (), (), None)
    where = Slice(latest_days(watch.clock, 12), watch.clock, watch.champion.model_id)
    found = watch.store.figures.accuracy(watch.market.market_id, where, Period.MONTH)
    known = came_true_of(found.total, watch.problem)
    if known is None:
        return Promise("Confidence", PromiseState.UNKNOWN, _NOTHING["Error"], (), (), None)
    months = found.periods[found.periods["start"] < pd.Timestamp(watch.clock)].tail(SHOWN)
    state = _HOLDS[known.holds]
    line = Promise(
        "Confidence",
        state,
        known.words,
        tuple(window_of(start.date(), Period.MONTH).label for start in months["start"]),
        tuple(float(one) for one in months["ppe10"]),
        known.promised,
    )
    if state is not PromiseState.MISSED:
        return line
    less = f"{100 * (known.promised - known.observed.value):.0f} points"
    return replace(
        line,
        cause=f"The confidences were calibrated on the model's test sales; they are {less} too high on the homes sold.",
        action=step_now(
            f"retrain, which measures them anew; until then, read a confidence as {less} lower.",
            watch.store.models.challenger(watch.market.market_id),
        ),
        remedy=Remedy.RETRAIN,
    )


_HOLDS: Final = {None: PromiseState.UNKNOWN, True: PromiseState.MET, False: PromiseState.MISSED}
_LOOKED_BACK: Final = 60
_IDLE: Final = 4


def _state(alert: AlertRecord | None, judged: Sequence[Judged], limit: Threshold) -> PromiseState:
    if alert is not None:
        return PromiseState.MISSED
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
    return tuple(market_day(one, watch.market.currency) for one in days), tuple(float(age - step) for step in steps)


def _mark(limit: Threshold) -> float | None:
    """Return the value that the line of a promise is compared with: a drop in volume has none."""
    if limit.name is AlertKind.VOLUME_DOWN:
        return None
    return limit.centre or limit.value
