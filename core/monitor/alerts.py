"""Alerts: which figure has which limit, when an alert opens and resolves, and what it says."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from core.errors import InvalidThreshold
from core.monitor.rules import RULE_OF, RULES, AlertKind, Judged, Reading, Threshold, is_within
from core.monitor.windows import Window, window_named
from core.problem import Problem
from core.states import AlertState, Period
from core.wording import count


@dataclass(frozen=True)
class Alert:
    """The latest alert of its kind and segment, as stored.

    ``period`` is the key of the latest period read when its state last changed.
    """

    alert_id: str
    kind: AlertKind
    segment: str
    state: AlertState
    period: str


@dataclass(frozen=True)
class Transition:
    """An alert that opens or resolves; ``alert_id`` is the resolved alert's id, empty for a new one.

    ``since`` is the key of the first period of the run, ``period`` that of its last, to which value, interval and n
    belong. ``summary`` states what was measured, ``cause`` why, if known, and ``action`` what to do next; ``measure``
    is what was compared with the limit, NaN if nothing was.
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
    summary: str
    measure: float = math.nan

    @property
    def words(self) -> str:
        """The summary; if the alert opens, also its cause, if known, and what to do next."""
        if self.state is not AlertState.OPEN:
            return self.summary
        cause = f" Cause: {self.cause.rstrip('.')}." if self.cause else ""
        return f"{self.summary}{cause} Next: {self.action}"

    @property
    def reading(self) -> dict[str, float | str | None]:
        """The figures as JSON values, None if unknown."""
        figures = {"value": self.value, "limit": self.limit, "measure": self.measure}
        figures |= {"low": self.low, "high": self.high}
        known = {name: number if math.isfinite(number) else None for name, number in figures.items()}
        return {"since": self.since, "period": self.period, "n": self.n, **known}


def thresholds_of(problem: Problem, changed: Mapping[str, float], currency: str = "") -> dict[AlertKind, Threshold]:
    """Return the threshold of every kind: the problem statement's, or the value a manager set instead.

    Alerts write days as people of a market with this ``currency`` do.
    Raises InvalidThreshold for a value out of bounds or an unknown name.
    """
    known = {rule.kind: replace(rule.threshold(problem), currency=currency) for rule in RULES}
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
) -> tuple[Transition, ...]:
    """Decide which alerts open and which resolve, from all recent readings and the latest alert of each kind.

    Only a run of periods changes a state. A period counts only if it is over (or one period is enough), is not in the
    future, and has enough sales or estimates; otherwise it neither breaks nor extends a run. A state set by a person
    stands until later periods contradict it: acknowledged alerts can only resolve here, and resolved ones reopen only
    on new periods. Coverage and level count as off only if their interval excludes the expected value. The same call
    twice gives the same answer. ``now`` is timezone-aware. Alerts that open have no cause yet: add it with
    ``with_cause``.
    """
    latest = {(one.kind, one.segment): one for one in alerts}
    rows: dict[tuple[AlertKind, str], dict[datetime, Reading]] = {}
    for one in readings:
        if one.kind in thresholds and _counts(one, thresholds[one.kind], now):
            rows.setdefault((one.kind, one.segment), {})[one.period.start] = one
    found = [
        _transition([row[start] for start in sorted(row)], thresholds[key[0]], latest.get(key))
        for key, row in rows.items()
    ]
    return tuple(one for one in found if one is not None)


def with_cause(
    transition: Transition, causes: Mapping[AlertKind, str], actions: Mapping[AlertKind, str] | None = None
) -> Transition:
    """Add the cause of its kind, in words, to an alert that opens, and what the cause calls for; others are unchanged.

    Without an action, the alert keeps its rule's.
    """
    if transition.state is not AlertState.OPEN:
        return transition
    action = (actions or {}).get(transition.kind) or transition.action
    return replace(transition, cause=causes.get(transition.kind, ""), action=action)


def settled_by_promotion(alerts: Iterable[Alert], model_id: str, period: Window) -> tuple[Transition, ...]:
    """Resolve the alerts on the accuracy of the replaced model: they were about its estimates.

    The new model's estimates open new ones if it is no better; ``period`` is the one in which it was promoted.
    """
    summary = f"Model {model_id} was promoted; this alert was about the previous model's estimates."
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
            summary,
        )
        for one in alerts
        if one.state is not AlertState.RESOLVED and RULE_OF[one.kind].of_the_model
    )


def latest_judged(readings: Iterable[Reading], threshold: Threshold, now: datetime) -> tuple[Judged, ...]:
    """Return the measures of the whole market's periods that count for one kind, oldest first."""
    row = {
        one.period.start: one
        for one in readings
        if one.kind is threshold.name and not one.segment and _counts(one, threshold, now)
    }
    return tuple(RULE_OF[threshold.name].judge([row[start] for start in sorted(row)], threshold))


def _counts(reading: Reading, threshold: Threshold, now: datetime) -> bool:
    # A run consists of whole periods; if one period is enough, the current one counts at once.
    if reading.period.start > now or not math.isfinite(reading.value):
        return False
    return threshold.periods == 1 or reading.period.is_over(now)


def _transition(row: list[Reading], threshold: Threshold, alert: Alert | None) -> Transition | None:
    judged = RULE_OF[threshold.name].judge(row, threshold)
    news = [one for one in judged if alert is None or _is_news(one.reading.period, alert, threshold)]
    last = news[-threshold.periods :]
    if len(last) < threshold.periods:
        return None
    if alert is None or alert.state is AlertState.RESOLVED:
        if all(one.measure > threshold.value for one in last):
            return _opened(_run(judged, threshold), threshold)
        return None
    if all(one.measure <= threshold.resolves_at for one in last):
        return _resolved(last, threshold, alert)
    return None


def _is_news(period: Window, alert: Alert, threshold: Threshold) -> bool:
    known = window_named(alert.period).start
    # If one period is enough, the alert may resolve within the same period that opened it.
    again = threshold.periods == 1 and alert.state is not AlertState.RESOLVED
    return period.start >= known if again else period.start > known


def _run(judged: list[Judged], threshold: Threshold) -> list[Judged]:
    """Return the full run of periods beyond the limit up to the last one."""
    start = len(judged)
    while start and judged[start - 1].measure > threshold.value:
        start -= 1
    return judged[start:]


def _opened(run: list[Judged], threshold: Threshold) -> Transition:
    first = run[0].reading.period
    row = "" if len(run) < 2 else f", {len(run)} periods in a row since {first.label_in(threshold.currency)}"
    return _measured(run[-1], threshold, first.key, f"{happened(run[-1], threshold)}{row}.")


def _resolved(last: list[Judged], threshold: Threshold, alert: Alert) -> Transition:
    first = last[0].reading.period
    since = first.label_in(threshold.currency)
    if len(last) < 2:
        row = ""
    elif all(is_within(one, threshold) for one in last):
        row = f", the {len(last)} periods since {since} are all within it"
    else:
        row = f"; none of the {len(last)} periods since {since} is surely beyond it"
    summary = f"Resolved: {happened(last[-1], threshold)}{row}."
    found = _measured(last[-1], threshold, first.key, summary)
    return replace(found, alert_id=alert.alert_id, state=AlertState.RESOLVED, action="Nothing.")


def _measured(last: Judged, threshold: Threshold, since: str, summary: str) -> Transition:
    """Return a new alert on the last reading of a run of periods."""
    reading = last.reading
    return Transition(
        alert_id="",
        kind=reading.kind,
        segment=reading.segment,
        state=AlertState.OPEN,
        since=since,
        period=reading.period.key,
        value=reading.value,
        limit=threshold.value,
        low=reading.low,
        high=reading.high,
        n=reading.n,
        cause="",
        action=RULE_OF[threshold.name].action,
        summary=summary,
        measure=last.measure,
    )


_WHEN: Final = {Period.DAY: "on", Period.WEEK: "in the", Period.MONTH: "in"}


def happened(one: Judged, threshold: Threshold) -> str:
    """State what was measured when, and that it is within or beyond its limit, or beyond it but not surely."""
    where = f" of {one.reading.segment}" if one.reading.segment else ""
    period = one.reading.period
    when = f"{_WHEN[period.period]} {period.label_in(threshold.currency)}"
    measured = RULE_OF[threshold.name].measured(one, threshold, where, when)
    limit = RULE_OF[threshold.name].beyond.format(threshold.bound(threshold.value))
    if is_within(one, threshold):
        return f"{measured}, within {limit}"
    return f"{measured}, beyond {limit}{'' if one.measure > threshold.value else ', though chance may explain it'}"


def why_none_open(months: Iterable[tuple[str, int]], problem: Problem) -> str:
    """Say why sales that together break a promise open no alert, to be read after "no alert is open".

    ``months`` are those that are over, each with its name and its number of sales.
    """
    rules = problem.monitoring
    judged = [name for name, n in months if n >= rules.alert_n_min]
    if len(judged) >= rules.alert_periods:
        return f"which takes {rules.alert_periods} months in a row beyond the limit"
    have = "have" if len(judged) > 1 else "has"
    which = f"only {' and '.join(judged)} {have}" if judged else "no month has"
    return f"because {which} the {count(rules.alert_n_min, 'sale')} that a month is judged by"


def opening_words(problem: Problem) -> str:
    """Say when an alert opens and closes: those on a month after some in a row, those on a day at once."""
    rules, at_once = problem.monitoring, [rule.title for rule in RULES if rule.daily]
    return (
        f"An alert opens after {rules.alert_periods} months in a row beyond its limit, and closes after as many better "
        f"ones; months with fewer than {rules.alert_n_min} sales or estimates are not judged. Alerts about a day open "
        f"and close at once: {', '.join(at_once)}."
    )
