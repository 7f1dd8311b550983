"""Monitors a market: what its figures say about the live model, which alerts open, and how people handle them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from core.access import Action, reason_for
from core.errors import InvalidRecord
from core.monitor.alerts import Alert, Transition, judge_alerts, settled_by_promotion, thresholds_of, with_cause
from core.monitor.cause import Leading
from core.monitor.drift import drifted
from core.monitor.rules import RULE_OF, RULES, AlertKind, Reading
from core.monitor.windows import earlier, window_named, window_of
from core.states import AlertState, AuditAction, Period
from core.store import Market, Store
from core.store.ledger.figures import Slice
from core.store.operations.alerts import UNRESOLVED, AlertRecord
from core.workflows.columns.names import use_names_of
from core.workflows.monitoring.limits import ALERTS_READ, KINDS, follow_limits, latest_alerts
from core.workflows.monitoring.notices import notify
from core.workflows.monitoring.readings import MarketWatch, fact_drift, late_cause, range_cause_of, readings
from core.workspace import Workspace, market_day

_EXPLAINED: Final = frozenset(rule.kind for rule in RULES if rule.explained)


@dataclass(frozen=True)
class Watched:
    """One check of a market as of ``clock``: what was read, what changed, what is unresolved, what was missing.

    ``notes`` explain in sentences what could not be judged.
    """

    market_id: str
    clock: date
    readings: tuple[Reading, ...]
    opened: tuple[AlertRecord, ...]
    resolved: tuple[AlertRecord, ...]
    open: tuple[AlertRecord, ...]
    notes: tuple[str, ...]


def watch_market(workspace: Workspace, market_id: str) -> Watched:
    """Judge a market's latest figures, open and resolve alerts, and notify the people configured.

    A simulated market uses its own clock. Checking twice changes nothing more. Raises AccessDenied, NotFound,
    InvalidThreshold for limits the problem statement no longer allows, StoreUnavailable; a message that cannot be sent
    raises nothing.
    """
    workspace.require(Action.WATCH)
    use_names_of(workspace.store, market_id)
    watch = market_watch(workspace, market_id)
    followed = follow_champion(workspace, watch.market, "")
    by_limits = follow_limits(workspace, watch.market, watch.limits)
    resolved = [*followed.settled, *by_limits.resolved]
    found = readings(watch)
    before = _latest(watch)
    judged = _judged(watch, found, before)
    resolved += _resolve_all(workspace, [one for one in judged if one.state is AlertState.RESOLVED])
    opened = [_open(workspace, watch, one) for one in _opening(watch, judged, before)]
    settled_already = {one.alert_id for one in (*followed.settled, *by_limits.resolved)}
    notify(workspace.store, watch.market, [*opened, *(one for one in resolved if one.alert_id not in settled_already)])
    reference = watch.reference
    notes = reference.notes if reference else ("No model is live, so only traffic and the ledger are monitored.",)
    unresolved = tuple(workspace.store.alerts.list(market_id, UNRESOLVED))
    reopened = (*followed.reopened, *by_limits.reopened)
    return Watched(market_id, watch.clock, found, (*reopened, *opened), tuple(resolved), unresolved, notes)


def judge_one(workspace: Workspace, market_id: str, reading: Reading) -> None:
    """Judge one figure at once, as ``watch_market`` does with all: open or resolve its alert, and notify people.

    Raises NotFound, InvalidThreshold, StoreUnavailable.
    """
    watch = market_watch(workspace, market_id)
    before = [one for one in _latest(watch) if one.kind is reading.kind]
    judged = _judged(watch, (reading,), before)
    changed = _resolve_all(workspace, [one for one in judged if one.state is AlertState.RESOLVED])
    changed += [_open(workspace, watch, one) for one in _opening(watch, judged, before)]
    notify(workspace.store, watch.market, changed)


@dataclass(frozen=True)
class Followed:
    """The effect of a change of the live model on alerts: those settled (on other models) and reopened (on it)."""

    settled: tuple[AlertRecord, ...]
    reopened: tuple[AlertRecord, ...]


def follow_champion(workspace: Workspace, market: Market, more: str) -> Followed:
    """Update the alerts for the live model, and notify people of the changes.

    Alerts on the accuracy of a model that is no longer live are settled. Alerts on the live model that an earlier
    change settled are reopened, since it prices again. ``more`` is added to the reasons. Repeating this changes
    nothing. Raises NotFound, StoreUnavailable.
    """
    store = workspace.store
    champion = store.models.champion(market.market_id)
    if champion is None:
        return Followed((), ())
    alerts = store.alerts.list(market.market_id, None, ALERTS_READ)
    settled = _settle(workspace, alerts, champion.model_id, workspace.today(market), more)
    reopened = _reopen(workspace, alerts, champion.model_id, more)
    notify(store, market, [*settled, *reopened])
    return Followed(tuple(settled), tuple(reopened))


def market_watch(workspace: Workspace, market_id: str) -> MarketWatch:
    """Return the market's state for today's checks; raises NotFound, InvalidThreshold, StoreUnavailable."""
    store = workspace.store
    market = store.markets.get(market_id)
    limits = thresholds_of(workspace.problem, store.thresholds.values(market_id), market.currency)
    champion = store.models.champion(market_id)
    return MarketWatch(store, market, champion, workspace.today(market), workspace.problem, limits)


def open_alerts(workspace: Workspace, market_id: str) -> tuple[AlertRecord, ...]:
    """Return the alerts that are open or acknowledged, newest first; raises AccessDenied, NotFound."""
    workspace.require(Action.WATCH)
    return tuple(workspace.store.alerts.list(market_id, UNRESOLVED))


def acknowledge(workspace: Workspace, alert_id: str, why: str, next_action: str) -> AlertRecord:
    """Acknowledge an open alert, with a reason and the next step.

    Raises AccessDenied, NotFound, ReasonNeeded, InvalidRecord for an alert that is not open, StoreUnavailable.
    """
    store = workspace.store
    workspace.require(Action.ACT_ON_ALERTS)
    record = store.alerts.acknowledge(
        alert_id, reason_for("To acknowledge an alert", why), next_action, workspace.actor
    )
    notify(store, store.markets.get(record.market_id), [record])
    return record


def unacknowledge(workspace: Workspace, alert_id: str, why: str) -> AlertRecord:
    """Give back an alert that somebody has taken on: it is open again, as it was before.

    Raises AccessDenied, NotFound, ReasonNeeded, InvalidRecord for an alert that is not acknowledged,
    StoreUnavailable.
    """
    store = workspace.store
    workspace.require(Action.ACT_ON_ALERTS)
    record = store.alerts.unacknowledge(alert_id, reason_for("To open an alert again", why), workspace.actor)
    notify(store, store.markets.get(record.market_id), [record])
    return record


def resolve(workspace: Workspace, alert_id: str, why: str) -> AlertRecord:
    """Resolve an alert manually; it opens again only on periods after those read so far.

    Raises AccessDenied, NotFound, ReasonNeeded, InvalidRecord for a resolved alert, StoreUnavailable.
    """
    store = workspace.store
    workspace.require(Action.ACT_ON_ALERTS)
    alert = store.alerts.get(alert_id)
    market = store.markets.get(alert.market_id)
    period = _last_read(alert, workspace.today(market))
    record = store.alerts.resolve(alert_id, reason_for("To resolve an alert", why), period, workspace.actor)
    notify(store, market, [record])
    return record


def reopen(workspace: Workspace, alert_id: str, why: str) -> AlertRecord:
    """Take back that a person resolved an alert: it is open or acknowledged, as it was before.

    Raises AccessDenied, NotFound, ReasonNeeded, InvalidRecord for an alert that no person resolved or where another
    of its kind and segment is open, StoreUnavailable.
    """
    store = workspace.store
    workspace.require(Action.ACT_ON_ALERTS)
    alert = store.alerts.get(alert_id)
    if not alert.resolved_by_hand:
        raise InvalidRecord(f"No person resolved alert {alert_id}, so nobody can take it back; reload the alerts.")
    record = store.alerts.reopen(alert_id, reason_for("To reopen an alert", why), workspace.actor)
    notify(store, store.markets.get(record.market_id), [record])
    return record


def without_next(why: str) -> str:
    """Return why an alert changed, without the next step that an opening one ends with."""
    return why.partition(" Next: ")[0]


def alert_lines(alerts: Iterable[AlertRecord], steps: Mapping[str, str] | None = None) -> list[str]:
    """Return a line per alert for a terminal: state, id, what was measured and why, and what to do now.

    ``steps`` has what to do now by alert id, "" for what stands beside the alerts; what it had when it opened may
    have been tried since.
    """
    found = []
    for one in alerts:
        words = str(one.document["history"][0]["why"])
        if steps and one.alert_id in steps:
            step = steps[one.alert_id]
            words = f"{without_next(words)}{f' Next: {step}' if step else ''}"
        found.append(f"{one.state:12} {one.alert_id}  {words}")
    return found


def _opening(watch: MarketWatch, judged: Iterable[Transition], before: Iterable[Alert]) -> list[Transition]:
    """Return the alerts to open, with their causes; a segment's only if the whole market's does not cover it.

    ``before`` are the latest alerts before this check: a kind that now resolves for the whole market also resolves for
    its segments.
    """
    opening = [one for one in judged if one.state is AlertState.OPEN]
    whole = {one.kind for one in opening if not one.segment}
    whole |= {one.kind for one in before if not one.segment and one.state is not AlertState.RESOLVED}
    wanted = [one for one in opening if not one.segment or one.kind not in whole]
    causes, actions = _causes(watch, wanted)
    return [with_cause(one, causes, actions) for one in wanted]


def _judged(watch: MarketWatch, found: Iterable[Reading], before: Iterable[Alert]) -> tuple[Transition, ...]:
    now = datetime.combine(watch.clock, time(), UTC)
    return judge_alerts(found, watch.limits, _with_segments(before, found), now)


def _with_segments(latest: Iterable[Alert], found: Iterable[Reading]) -> list[Alert]:
    """Return the latest alerts; resolved ones on the whole market also stand for its segments.

    An alert resolved for the whole market is resolved for each segment, so these open only on later periods.
    """
    known = {(one.kind, one.segment): one for one in latest}
    for kind, segment in {(one.kind, one.segment) for one in found if one.segment}:
        whole, own = known.get((kind, "")), known.get((kind, segment))
        if whole is None or whole.state is not AlertState.RESOLVED:
            continue
        if own is None or (own.state is AlertState.RESOLVED and _start(own) < _start(whole)):
            known[kind, segment] = replace(whole, segment=segment)
    return list(known.values())


def _start(alert: Alert) -> datetime:
    return window_named(alert.period).start


def _latest(watch: MarketWatch) -> list[Alert]:
    """Return the latest alert of each kind and segment, with the last period read."""
    alerts = watch.store.alerts.list(watch.market.market_id, None, ALERTS_READ)
    return [
        Alert(one.alert_id, AlertKind(one.kind), one.segment, AlertState(one.state), _period(watch, one))
        for one in latest_alerts(alerts)
    ]


def _period(watch: MarketWatch, alert: AlertRecord) -> str:
    if alert.is_open:
        return str(alert.document["reading"]["period"])
    judged = watch.store.events.of(alert.alert_id, AuditAction.ALERT_JUDGED)
    if judged:
        return str(judged[0].detail["period"])
    return _last_read(alert, market_day(watch.store, watch.market, alert.changed_at))


def _last_read(alert: AlertRecord, clock: date) -> str:
    """Return the last period that was over on a day, or that day itself for daily figures."""
    period = window_named(str(alert.document["reading"]["period"])).period
    present = window_of(clock, period)
    return present.key if RULE_OF[AlertKind(alert.kind)].daily else earlier(present).key


def _settle(
    workspace: Workspace, alerts: Iterable[AlertRecord], model_id: str, clock: date, more: str
) -> list[AlertRecord]:
    """Resolve the alerts on the accuracy of models that are no longer live."""
    of_another = {one.alert_id: one for one in alerts if _ends_with(one, model_id)}
    judged = [
        Alert(one.alert_id, AlertKind(one.kind), one.segment, AlertState(one.state), _last_read(one, clock))
        for one in of_another.values()
    ]
    found = []
    for end in settled_by_promotion(judged, model_id, earlier(window_of(clock, Period.MONTH))):
        period = _last_read(of_another[end.alert_id], clock)
        # A person or the worker may have been faster.
        with suppress(InvalidRecord):
            found.append(
                workspace.store.alerts.settle(
                    end.alert_id, f"{end.words} {more}".strip(), period, model_id, workspace.actor
                )
            )
    return found


def settling(store: Store, market_id: str, model_id: str) -> tuple[AlertRecord, ...]:
    """Return the alerts that are settled if this model becomes live; raises NotFound, StoreUnavailable."""
    return tuple(one for one in store.alerts.list(market_id, UNRESOLVED, ALERTS_READ) if _ends_with(one, model_id))


def _ends_with(alert: AlertRecord, model_id: str) -> bool:
    """Tell whether an alert is about the estimates of another model than the live one."""
    if alert.state not in UNRESOLVED or alert.kind not in KINDS or not RULE_OF[AlertKind(alert.kind)].of_the_model:
        return False
    return alert.document["reading"].get("model_id") not in (None, model_id)


def reopening(store: Store, market_id: str, model_id: str) -> int:
    """Count the alerts that reopen if this model prices again; raises NotFound, StoreUnavailable."""
    alerts = store.alerts.list(market_id)
    unresolved = {(one.kind, one.segment) for one in alerts if one.is_open}
    settled = {(one.kind, one.segment) for one in alerts if _returns(one, model_id)}
    return len(settled - unresolved)


def _returns(alert: AlertRecord, model_id: str) -> bool:
    return alert.is_settled and alert.document["reading"].get("model_id") == model_id


def _reopen(workspace: Workspace, alerts: Iterable[AlertRecord], model_id: str, more: str) -> list[AlertRecord]:
    """Reopen the alerts on the live model that were settled when it was replaced, the newest per kind and segment."""
    why = f"Model {model_id}, which this alert is about, prices again. {more}".strip()
    found = []
    for one in alerts:
        if _returns(one, model_id):
            # An alert of the same kind may be open already, or another worker may have been faster.
            with suppress(InvalidRecord):
                found.append(workspace.store.alerts.reopen(one.alert_id, why, workspace.actor))
    return found


def _resolve_all(workspace: Workspace, transitions: Iterable[Transition]) -> list[AlertRecord]:
    found = []
    for one in transitions:
        # A person, or another worker, may have been faster.
        with suppress(InvalidRecord):
            by = {"limit": one.limit, "measure": one.measure}
            found.append(workspace.store.alerts.resolve(one.alert_id, one.words, one.period, workspace.actor, by))
    return found


def _open(workspace: Workspace, watch: MarketWatch, transition: Transition) -> AlertRecord:
    reading: dict[str, Any] = {**transition.reading, "cause": transition.cause}
    if watch.champion is not None:
        reading["model_id"] = watch.champion.model_id
    return workspace.store.alerts.open(
        watch.market.market_id,
        transition.kind.value,
        transition.segment,
        reading,
        transition.words,
        transition.action,
        workspace.actor,
    )


def _causes(watch: MarketWatch, opening: Iterable[Transition]) -> tuple[dict[AlertKind, str], dict[AlertKind, str]]:
    """Explain the opening alerts, computed once for all kinds that share a cause; return causes and what to do."""
    causes: dict[AlertKind, str] = {}
    actions: dict[AlertKind, str] = {}
    if any(one.kind in _EXPLAINED for one in opening):
        found = late_cause(watch)
        if found is not None and found.leading is not Leading.NONE:
            causes |= dict.fromkeys(_EXPLAINED, found.words)
            actions |= dict.fromkeys(_EXPLAINED, found.remedy)
    for one in opening:
        if one.kind is AlertKind.COVERAGE_OFF:
            causes[one.kind] = range_cause_of(watch, window_named(one.since).start.date())
        if one.kind is AlertKind.FEATURE_DRIFT:
            since, until = window_named(one.since).start.date(), window_named(one.period).end - timedelta(days=1)
            facts, _ = fact_drift(watch, Slice(since=since, until=until.date()))
            causes[one.kind] = " ".join(fact.words for fact in drifted(facts) if fact.field != "estimate")
    return causes, actions
