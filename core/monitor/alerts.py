"""Alerts: what is measured against which limit, when an alert opens and when it is resolved, and what it says."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from statistics import median
from typing import Final

from core.errors import InvalidThreshold
from core.monitor.windows import Period, Window, window_named
from core.problem import Problem
from core.wording import count, days, percent

_USUAL_MIN: Final = 3


class AlertKind(StrEnum):
    """What an alert is about."""

    ERROR_HIGH = "error_high"
    TARGET_MISSED = "target_missed"
    VOLUME_DOWN = "volume_down"
    SLOW = "slow"
    COVERAGE_OFF = "coverage_off"
    FEATURE_DRIFT = "feature_drift"
    LEVEL_DRIFT = "level_drift"
    LEDGER_FAILURES = "ledger_failures"
    RETRAINING_OVERDUE = "retraining_overdue"


class AlertState(StrEnum):
    """Where an alert stands; acknowledged means that a person has seen it and deals with it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Unit(StrEnum):
    """What a threshold is measured in."""

    SHARE = "share"
    MILLISECONDS = "milliseconds"
    COUNT = "count"
    DAYS = "days"


@dataclass(frozen=True)
class Threshold:
    """The limit of one kind of alert; a manager may set ``value`` anywhere from ``low`` to ``high``, both included.

    A period of fewer than ``n_min`` sales or estimates says nothing. ``periods`` in a row beyond the limit open an
    alert; as many better than it by the share ``hysteresis`` resolve it. ``centre`` is what a distance is measured
    from. Raises InvalidThreshold if the value is out of its bounds.
    """

    name: AlertKind
    value: float
    low: float
    high: float
    n_min: int
    periods: int
    unit: Unit
    why: str
    hysteresis: float
    centre: float = 0.0
    earlier: int = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.low <= self.value <= self.high):
            raise InvalidThreshold(
                f"Threshold {self.name.value} = {self.written(self.value)} must lie between {self.written(self.low)} "
                f"and {self.written(self.high)}. Choose a value between."
            )
        if self.unit in (Unit.COUNT, Unit.DAYS) and self.value != round(self.value):
            raise InvalidThreshold(f"Threshold {self.name.value} = {self.value:g} must be a whole number. Round it.")
        if self.periods < 1 or self.n_min < 0 or not 0 <= self.hysteresis < 1:
            raise InvalidThreshold(
                f"Threshold {self.name.value} needs periods = {self.periods} of at least 1, n_min = {self.n_min} of at "
                f"least 0 and hysteresis = {self.hysteresis:g} from 0 to below 1. Correct the problem statement."
            )

    def changed(self, value: float) -> Threshold:
        """Return the threshold at another value; raises InvalidThreshold if that is out of its bounds."""
        return replace(self, value=value)

    def written(self, number: float) -> str:
        """Write a number in the threshold's unit."""
        if self.unit is Unit.SHARE:
            return percent(number, 1)
        if self.unit is Unit.DAYS:
            return days(number)
        return f"{number:,.0f} ms" if self.unit is Unit.MILLISECONDS else f"{number:,.0f}"


@dataclass(frozen=True)
class Reading:
    """One figure of one period, of all sales where ``segment`` is empty; ``low`` and ``high`` NaN where not known.

    ``value`` by kind: error_high, target_missed: MAPE; volume_down: number of estimates, also where it is 0; slow: p95
    in ms; coverage_off: share of sales inside their range; feature_drift: number of drifted facts; level_drift: the
    shift as a share; ledger_failures: estimates not written; retraining_overdue: age of the live model in days.
    Readings of accuracy are to be of the live model's estimates only: those of a model retired say nothing of it.
    """

    kind: AlertKind
    segment: str
    period: Window
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Alert:
    """The latest alert of its kind and segment, as the store keeps it.

    ``period`` is the key of the latest period that had been read when its state last changed.
    """

    alert_id: str
    kind: AlertKind
    segment: str
    state: AlertState
    period: str


@dataclass(frozen=True)
class Transition:
    """An alert that opens, or one that is resolved; ``alert_id`` is that of the alert resolved, empty for a new one.

    ``since`` is the key of the first period of the row, ``period`` that of its last, whose value, interval and n are
    given. ``words`` say all of it in sentences, ``action`` what to do next.
    """

    alert_id: str
    kind: AlertKind
    segment: str
    state: AlertState
    since: str
    period: str
    value: float
    limit: float
    low: float
    high: float
    n: int
    cause: str
    action: str
    words: str

    @property
    def reading(self) -> dict[str, float | str | None]:
        """The figures as JSON values, None where not known."""
        figures = {"value": self.value, "limit": self.limit, "low": self.low, "high": self.high}
        known = {name: number if math.isfinite(number) else None for name, number in figures.items()}
        return {"since": self.since, "period": self.period, "n": self.n, **known}


def thresholds_of(problem: Problem, changed: Mapping[str, float]) -> dict[AlertKind, Threshold]:
    """Return the threshold of every kind: the problem statement's, with the values a manager set instead, by kind.

    Raises InvalidThreshold for a value out of bounds or an unknown name.
    """
    known = {one.name: one for one in _defaults(problem)}
    for name, value in changed.items():
        if name not in known:
            raise InvalidThreshold(f"Threshold {name!r} is unknown; choose one of {', '.join(known)}.")
        known[AlertKind(name)] = known[AlertKind(name)].changed(value)
    return known


def judge_alerts(
    readings: Iterable[Reading],
    thresholds: Mapping[AlertKind, Threshold],
    alerts: Iterable[Alert],
    now: datetime,
    causes: Mapping[AlertKind, str],
) -> tuple[Transition, ...]:
    """Say which alerts open and which are resolved, from all readings of late and the latest alert of each kind.

    Nothing but a row of periods changes a state, and a period counts only if it is over (or one is enough), not in the
    future, and has enough sales or estimates; one that has not neither breaks a row nor lengthens it. A state changed
    by a person stands until periods after it say otherwise: acknowledged alerts are only ever resolved here, and
    resolved ones open again on new periods alone. Coverage and level count as off only where their interval shuts the
    expected value out. The same call twice gives the same answer. ``now`` is aware; ``causes`` are in words, by kind.
    """
    latest = {(one.kind, one.segment): one for one in alerts}
    rows: dict[tuple[AlertKind, str], dict[datetime, Reading]] = {}
    for one in readings:
        if one.kind in thresholds and _counts(one, thresholds[one.kind], now):
            rows.setdefault((one.kind, one.segment), {})[one.period.start] = one
    found = [
        _transition([row[start] for start in sorted(row)], thresholds[key[0]], latest.get(key), causes.get(key[0], ""))
        for key, row in rows.items()
    ]
    return tuple(one for one in found if one is not None)


def settled_by_promotion(alerts: Iterable[Alert], model_id: str, period: Window) -> tuple[Transition, ...]:
    """Resolve the alerts on the accuracy of the model that was replaced: they were of its estimates.

    The new model's own estimates open them again if it is no better; ``period`` is the one it was promoted in.
    """
    words = f"Model {model_id} was promoted; this alert was of the estimates of the model before it."
    return tuple(
        Transition(
            one.alert_id,
            one.kind,
            one.segment,
            AlertState.RESOLVED,
            period.key,
            period.key,
            math.nan,
            math.nan,
            math.nan,
            math.nan,
            0,
            "",
            "Watch the new model's error as its first sales arrive.",
            words,
        )
        for one in alerts
        if one.state is not AlertState.RESOLVED and one.kind in _OF_THE_MODEL
    )


_OF_THE_MODEL: Final = frozenset(
    {
        AlertKind.ERROR_HIGH,
        AlertKind.TARGET_MISSED,
        AlertKind.COVERAGE_OFF,
        AlertKind.FEATURE_DRIFT,
        AlertKind.LEVEL_DRIFT,
        AlertKind.RETRAINING_OVERDUE,
    }
)


@dataclass(frozen=True)
class _Judged:
    """A reading with what it is held against the limit by, and the usual value where there is one."""

    reading: Reading
    measure: float
    usual: float = math.nan


def _defaults(problem: Problem) -> tuple[Threshold, ...]:
    rules = problem.monitoring
    n, row, share = rules.alert_n_min, rules.alert_periods, rules.alert_hysteresis
    kind, unit = AlertKind, Unit
    level = problem.estimate.level
    return (
        Threshold(
            kind.ERROR_HIGH, rules.alert_mape, 0.02, 0.50, n, row, unit.SHARE, "a broken promise to sellers", share
        ),
        Threshold(
            kind.TARGET_MISSED, problem.success.target_mape, 0.02, 0.50, n, row, unit.SHARE, "the promise itself", share
        ),
        Threshold(
            kind.VOLUME_DOWN,
            rules.alert_volume_drop,
            0.10,
            0.95,
            n,
            row,
            unit.SHARE,
            "agents turned away, or the service is down",
            share,
            earlier=rules.alert_volume_periods,
        ),
        Threshold(
            kind.SLOW,
            rules.alert_p95_ms,
            50,
            60_000,
            n,
            row,
            unit.MILLISECONDS,
            "the client waits with the agent",
            share,
        ),
        Threshold(
            kind.COVERAGE_OFF,
            rules.alert_coverage_band,
            0.01,
            0.30,
            n,
            row,
            unit.SHARE,
            "a range that holds another share than it says misleads",
            share,
            centre=level,
        ),
        Threshold(
            kind.FEATURE_DRIFT,
            rules.alert_drifted_fields,
            0,
            100,
            n,
            row,
            unit.COUNT,
            "the model prices homes unlike those it learned from",
            share,
        ),
        Threshold(
            kind.LEVEL_DRIFT,
            rules.alert_level_shift,
            0.02,
            0.50,
            n,
            row,
            unit.SHARE,
            "half of the promised accuracy gone by the price level alone",
            share,
        ),
        Threshold(
            kind.LEDGER_FAILURES,
            rules.alert_pending,
            0,
            1_000_000,
            0,
            1,
            unit.COUNT,
            "the ledger is to be complete",
            0.0,
        ),
        Threshold(
            kind.RETRAINING_OVERDUE, rules.retrain_days, 7, 1_095, 0, 1, unit.DAYS, "price reviews are quarterly", 0.0
        ),
    )


def _counts(reading: Reading, threshold: Threshold, now: datetime) -> bool:
    # A row of periods is one of whole periods; where one is enough, the present one may speak at once.
    if reading.period.start > now or not math.isfinite(reading.value):
        return False
    return threshold.periods == 1 or reading.period.is_over(now)


def _transition(row: list[Reading], threshold: Threshold, alert: Alert | None, cause: str) -> Transition | None:
    judged = _judged(row, threshold)
    if alert is not None:
        judged = [one for one in judged if _is_news(one.reading.period, alert, threshold)]
    last = judged[-threshold.periods :]
    if len(last) < threshold.periods:
        return None
    if alert is None or alert.state is AlertState.RESOLVED:
        if all(one.measure > threshold.value for one in last):
            return _opened(_run(judged, threshold), threshold, cause)
        return None
    if all(one.measure <= threshold.value * (1 - threshold.hysteresis) for one in last):
        return _resolved(last, threshold, alert)
    return None


def _is_news(period: Window, alert: Alert, threshold: Threshold) -> bool:
    known = window_named(alert.period).start
    # Where one period is enough, it may clear within the very period that opened it.
    again = threshold.periods == 1 and alert.state is not AlertState.RESOLVED
    return period.start >= known if again else period.start > known


def _judged(row: list[Reading], threshold: Threshold) -> list[_Judged]:
    """Return the readings that say something, in order, each with its measure: bad above the threshold's value."""
    if threshold.name is AlertKind.VOLUME_DOWN:
        return _volumes(row, threshold)
    known = [one for one in row if one.n >= threshold.n_min]
    if threshold.name in (AlertKind.COVERAGE_OFF, AlertKind.LEVEL_DRIFT):
        return [_Judged(one, _distance(one, threshold.centre)) for one in known if math.isfinite(one.low + one.high)]
    return [_Judged(one, one.value) for one in known]


def _distance(one: Reading, centre: float) -> float:
    return 0.0 if one.low <= centre <= one.high else abs(one.value - centre)


def _volumes(row: list[Reading], threshold: Threshold) -> list[_Judged]:
    found = []
    for place, one in enumerate(row):
        before = [earlier.value for earlier in row[max(0, place - threshold.earlier) : place]]
        usual = median(before) if len(before) >= _USUAL_MIN else 0.0
        if usual > 0 and usual >= threshold.n_min:
            found.append(_Judged(one, 1 - one.value / usual, usual))
    return found


def _run(judged: list[_Judged], threshold: Threshold) -> list[_Judged]:
    """Return the whole row of periods beyond the limit up to the last one."""
    start = len(judged)
    while start and judged[start - 1].measure > threshold.value:
        start -= 1
    return judged[start:]


def _opened(run: list[_Judged], threshold: Threshold, cause: str) -> Transition:
    first, last = run[0].reading.period, run[-1].reading.period
    action = _ACTIONS[threshold.name]
    told = "" if len(run) < 2 else f", {len(run)} periods in a row since {first.label}"
    sentences = [f"{_happened(run[-1], threshold, 'beyond')}{told}."]
    if cause:
        sentences.append(f"Cause: {cause.rstrip('.')}.")
    sentences.append(f"Next: {action}")
    return _transition_of(
        "", AlertState.OPEN, run[-1].reading, first.key, last.key, threshold, cause, action, sentences
    )


def _resolved(last: list[_Judged], threshold: Threshold, alert: Alert) -> Transition:
    first, reading = last[0].reading.period, last[-1].reading
    told = "" if len(last) < 2 else f", the {len(last)} periods since {first.label} are all within it"
    sentences = [f"Resolved: {_happened(last[-1], threshold, 'within')}{told}."]
    period = reading.period.key
    return _transition_of(
        alert.alert_id, AlertState.RESOLVED, reading, first.key, period, threshold, "", "Nothing.", sentences
    )


def _transition_of(
    alert_id: str,
    state: AlertState,
    reading: Reading,
    since: str,
    period: str,
    threshold: Threshold,
    cause: str,
    action: str,
    sentences: list[str],
) -> Transition:
    return Transition(
        alert_id=alert_id,
        kind=reading.kind,
        segment=reading.segment,
        state=state,
        since=since,
        period=period,
        value=reading.value,
        limit=threshold.value,
        low=reading.low,
        high=reading.high,
        n=reading.n,
        cause=cause,
        action=action,
        words=" ".join(sentences),
    )


_WHEN: Final = {Period.DAY: "on", Period.WEEK: "in the", Period.MONTH: "in"}


def _happened(one: _Judged, threshold: Threshold, side: str) -> str:
    """Say what was measured when, and that it lies "within" or "beyond" its limit."""
    where = f" of {one.reading.segment}" if one.reading.segment else ""
    period = one.reading.period
    when = f"{_WHEN[period.period]} {period.label}"
    measured = _MEASURED[threshold.name](one, threshold, where, when)
    limit = _LIMITS.get(threshold.name, "the limit of {}").format(threshold.written(threshold.value))
    return f"{measured}, {side} {limit}"


def _error(one: _Judged, threshold: Threshold, where: str, when: str) -> str:
    value = threshold.written(one.reading.value)
    return f"The mean error (MAPE){where} was {value} {when} ({_sales(one.reading, threshold)})"


def _volume(one: _Judged, _: Threshold, where: str, when: str) -> str:
    change = f"{percent(abs(one.measure))} {'below' if one.measure >= 0 else 'above'} the usual {one.usual:,.0f}"
    return f"{count(round(one.reading.value), 'estimate')}{where} {when} are {change}"


def _slow(one: _Judged, threshold: Threshold, where: str, when: str) -> str:
    value, n = threshold.written(one.reading.value), count(one.reading.n, "estimate")
    return f"One answer in twenty{where} took {value} or more {when} ({n})"


def _coverage(one: _Judged, threshold: Threshold, where: str, when: str) -> str:
    level, value = percent(threshold.centre), threshold.written(one.reading.value)
    return f"The {level} range{where} held {value} of the sales {when} ({_sales(one.reading, threshold)})"


def _drifted(one: _Judged, _: Threshold, where: str, when: str) -> str:
    facts, homes = count(round(one.reading.value), "fact"), count(one.reading.n, "home")
    return f"{facts} of the {homes} priced{where} {when} differ from what the model learned from"


def _level(one: _Judged, threshold: Threshold, where: str, when: str) -> str:
    side = "above" if one.reading.value > 0 else "below"
    moved = f"{threshold.written(abs(one.reading.value))} {side} the level the model expects"
    return f"Homes{where} sold {moved} {when} ({_sales(one.reading, threshold)})"


def _unwritten(one: _Judged, _: Threshold, where: str, when: str) -> str:
    waiting = count(round(one.reading.value), "estimate")
    return f"{waiting}{where} could not be written to the ledger and wait on disk ({when})"


def _overdue(one: _Judged, threshold: Threshold, where: str, when: str) -> str:
    return f"The live model{where} is {threshold.written(one.reading.value)} old ({when})"


def _sales(reading: Reading, threshold: Threshold) -> str:
    return f"{_interval(reading, threshold)}{count(reading.n, 'sale')}"


def _interval(reading: Reading, threshold: Threshold) -> str:
    if not math.isfinite(reading.low + reading.high):
        return ""
    return f"{threshold.written(reading.low)} to {threshold.written(reading.high)}, "


_ACTIONS: Final[dict[AlertKind, str]] = {
    AlertKind.ERROR_HIGH: "see the root cause, retrain with the latest sales and compare the challenger.",
    AlertKind.TARGET_MISSED: "see which segments miss it; retraining with the latest sales is the usual remedy.",
    AlertKind.VOLUME_DOWN: "ask the offices whether they reach the desk, and look at the unavailable answers.",
    AlertKind.SLOW: "see which model and office are slow, and whether files of many homes run at busy hours.",
    AlertKind.COVERAGE_OFF: "retrain, which calibrates the range anew; tell agents until then.",
    AlertKind.FEATURE_DRIFT: "see which facts moved: an error of a file, or homes the model needs to learn.",
    AlertKind.LEVEL_DRIFT: "commit the latest sales, so that the market level follows; retrain if the error stays.",
    AlertKind.LEDGER_FAILURES: "free the disk or bring the database back; what waits is then written by itself.",
    AlertKind.RETRAINING_OVERDUE: "start a retraining; the challenger is promoted only if you say so.",
}

_MEASURED: Final[dict[AlertKind, Callable[[_Judged, Threshold, str, str], str]]] = {
    AlertKind.ERROR_HIGH: _error,
    AlertKind.TARGET_MISSED: _error,
    AlertKind.VOLUME_DOWN: _volume,
    AlertKind.SLOW: _slow,
    AlertKind.COVERAGE_OFF: _coverage,
    AlertKind.FEATURE_DRIFT: _drifted,
    AlertKind.LEVEL_DRIFT: _level,
    AlertKind.LEDGER_FAILURES: _unwritten,
    AlertKind.RETRAINING_OVERDUE: _overdue,
}
_LIMITS: Final[dict[AlertKind, str]] = {
    AlertKind.ERROR_HIGH: "the alert limit of {}",
    AlertKind.TARGET_MISSED: "the target of {}",
    AlertKind.VOLUME_DOWN: "a drop of {}",
    AlertKind.COVERAGE_OFF: "{} of its level",
}
