"""The promises a market is held to: error, range, confidence, volume, speed and freshness, with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

import pandas as pd

from core.access import Action
from core.evaluate.card.headline import headline_of, short_range_words
from core.evaluate.targets import Verdict
from core.monitor.alerts import happened, latest_judged, opening_words, why_none_open
from core.monitor.rules import RULE_OF, USUAL_MIN, AlertKind, Judged, Reading, Threshold
from core.monitor.windows import window_named, window_of
from core.problem import Problem
from core.states import AlertState, Period
from core.store import ModelRecord
from core.store.ledger.figures import Slice
from core.store.operations.alerts import AlertRecord
from core.wording import bound, count, market_day, percent
from core.workflows.models.floor import miss_words, target_verdict
from core.workflows.models.gate import worse_error, worse_range
from core.workflows.monitoring.alerts import market_watch, open_alerts
from core.workflows.monitoring.figures import CONFIDENCE_MONTHS, came_true_of, confidence_in_use
from core.workflows.monitoring.readings import (
    MarketWatch,
    promised_readings,
    range_cause_of,
    trained_on,
)
from core.workflows.monitoring.schedule import schedule_of
from core.workflows.overview import Overview, Watched, is_range_off, overview
from core.workflows.standing import Standing, next_for, next_instead, standing_for
from core.workspace import Workspace
from core.workspace import market_day as day_of

SHOWN: Final = 6
"""Periods of a promise's line."""


class PromiseState(StrEnum):
    """Whether a promise is met: missed while an alert is not resolved, or if all sales in use together surely break it;
    on watch if only the last period was off, or if answers took longer than promised, but not as long as opens an
    alert.

    Before the first sale in use, a promise that the model's test breaks is missed on the test.
    """

    MET = "Met"
    WATCH = "On watch"
    MISSED = "Missed"
    ON_TEST = "Missed on test"
    UNKNOWN = "Not yet known"


class Remedy(StrEnum):
    """Where to do what helps a promise that is missed or on watch; ``NEXT`` is the live model's one next step."""

    NONE = "none"
    NEXT = "next"
    ALERT = "alert"
    FIGURES = "figures"


@dataclass(frozen=True)
class Promise:
    """A promise: ``words`` is the latest figure with its limit, as a sentence, ``values`` its line, oldest first.

    ``labels`` name the periods of the line, ``limit`` is drawn beside it, None if it has no place there, and
    ``limit_words`` name it. ``cause`` and ``action`` say why it is missed or on watch and what to do, "" if unknown;
    ``until_alert`` says of one on watch what it takes for an alert to open.
    """

    name: str
    state: PromiseState
    words: str
    labels: tuple[str, ...]
    values: tuple[float, ...]
    limit: float | None
    limit_words: str = ""
    cause: str = ""
    action: str = ""
    remedy: Remedy = Remedy.NONE
    until_alert: str = ""


# Each promise with the kinds of alerts that break it; the first is the one whose figures are shown.
_KINDS: Final[tuple[tuple[str, tuple[AlertKind, ...]], ...]] = (
    ("Error", (AlertKind.TARGET_MISSED, AlertKind.ERROR_HIGH)),
    ("Range", (AlertKind.COVERAGE_OFF,)),
    ("Volume", (AlertKind.VOLUME_DOWN,)),
    ("Speed", (AlertKind.SLOW,)),
    ("Freshness", (AlertKind.RETRAINING_OVERDUE,)),
)
_BEFORE_CONFIDENCE: Final = 2
_BY_SALES: Final = (AlertKind.TARGET_MISSED, AlertKind.COVERAGE_OFF)
_NOTHING: Final = {
    "Error": "No home that the live model priced before its listing has a known sale yet.",
    "Range": "No home that the live model priced before its listing has a known sale yet.",
    "Speed": "Too few homes were priced on the page to time the answers.",
    "Freshness": "No model is live.",
}


def promises_of(workspace: Workspace, market_id: str) -> tuple[Promise, ...]:
    """Return the six promises in order; raises AccessDenied, NotFound, StoreUnavailable."""
    workspace.require(Action.WATCH)
    watch, read = _read(workspace, market_id)
    rest = [_promise(watch, name, kinds, read) for name, kinds in _KINDS]
    return (*rest[:_BEFORE_CONFIDENCE], _confidence(watch, read.standing), *rest[_BEFORE_CONFIDENCE:])


def error_promise(workspace: Workspace, market_id: str) -> Promise:
    """Return only the promise on the mean error; raises as ``promises_of``."""
    workspace.require(Action.WATCH)
    watch, read = _read(workspace, market_id)
    return _promise(watch, *_KINDS[0], read)


def legend(problem: Problem) -> str:
    """Say what "Missed" means, of each promise what holds for it."""
    return (
        "Missed: an alert on it is not resolved, a person resolved it while the limit is still passed, or all sales in "
        "use together surely break the promise. On watch: the last month passed the limit, which opens no alert yet, "
        "or answers took longer than promised, but not as long as opens an alert. Confidence has no alert: it is "
        "missed if "
        f"significantly fewer estimates of the last {CONFIDENCE_MONTHS} months ended within "
        f"{percent(problem.success.tolerance)} of the price than promised. Lines end with the last month that is "
        f"over; “in use” counts all sales so far. {opening_words(problem)}"
    )


@dataclass(frozen=True)
class _Read:
    """What the promises of a market are judged by."""

    found: Sequence[Reading]
    alerts: Sequence[AlertRecord]
    standing: Standing
    seen: Overview
    scheduled: str


def _read(workspace: Workspace, market_id: str) -> tuple[MarketWatch, _Read]:
    watch = market_watch(workspace, market_id)
    seen = overview(workspace, watch.market)
    standing = standing_for(workspace.actor, seen, workspace.problem).still
    schedule = schedule_of(workspace, market_id)
    scheduled = schedule.words(watch.clock, watch.market.currency) if schedule is not None else ""
    return watch, _Read(promised_readings(watch), open_alerts(workspace, market_id), standing, seen, scheduled)


def _promise(watch: MarketWatch, name: str, kinds: tuple[AlertKind, ...], read: _Read) -> Promise:
    now = datetime.combine(watch.clock, time.min, UTC)
    limit = watch.limits[kinds[0]]
    judged = latest_judged(read.found, limit, now)
    alert = next((one for kind in kinds for one in read.alerts if one.kind == kind and not one.segment), None)
    line = _line_of(watch, name, kinds[0], read.found, judged, read.scheduled)
    line = replace(line, state=_state(alert, judged, limit), limit_words=_limit_words(limit))
    if alert is None:
        line = _by_all_its_sales(line, read.seen.watched, watch.problem)
    if line.state is PromiseState.WATCH:
        line = replace(line, until_alert=_no_alert_yet(limit, read.found))
    if line.state is PromiseState.UNKNOWN:
        line = _by_its_test(watch, line, read.seen)
    if kinds[0] is AlertKind.SLOW and line.state is PromiseState.MET:
        line = _by_its_promise(line, judged[-1], limit, watch.problem.success.answer_ms)
    if kinds[0] is AlertKind.VOLUME_DOWN and line.state is PromiseState.UNKNOWN:
        # A line that cannot be judged yet would look like a verdict.
        line = replace(line, labels=(), values=())
    of_the_model = RULE_OF[kinds[0]].of_the_model
    off = line.state in (PromiseState.WATCH, PromiseState.MISSED)
    if alert is None and off and (by_hand := _by_hand(watch, kinds, limit, judged)):
        line = replace(line, state=PromiseState.MISSED, cause=by_hand)
        if of_the_model and read.standing.next:
            return replace(line, action=read.standing.next, remedy=Remedy.NEXT)
        return replace(line, remedy=Remedy.FIGURES)
    if alert is None:
        return _without_alert(watch, line, of_the_model=of_the_model, standing=read.standing)
    remedy = Remedy.NEXT if of_the_model else Remedy.ALERT
    return replace(line, cause=_cause(watch, alert), action=next_for(alert, read.standing), remedy=remedy)


def _by_hand(watch: MarketWatch, kinds: tuple[AlertKind, ...], limit: Threshold, judged: Sequence[Judged]) -> str:
    """Say who resolved the alert that these figures would open, and why; "" if nobody did.

    An alert about a day opens at once, any other after some months in a row beyond its limit.
    """
    needed = 1 if RULE_OF[kinds[0]].daily else watch.problem.monitoring.alert_periods
    if len(judged) < needed or not all(one.measure > limit.value for one in judged[-needed:]):
        return ""
    resolved = watch.store.alerts.list(watch.market.market_id, (AlertState.RESOLVED,))
    latest = next((one for one in resolved if one.kind in kinds and not one.segment), None)
    if latest is None or not latest.resolved_by_hand:
        return ""
    on = market_day(day_of(watch.store, watch.market, latest.changed_at), watch.market.currency)
    return f"The alert was resolved by {latest.changed_by} on {on}: “{latest.why}”. The limit is still passed."


def _without_alert(watch: MarketWatch, line: Promise, *, of_the_model: bool, standing: Standing) -> Promise:
    """Add what to do about a promise that is on watch, or missed on the test or by all sales in use."""
    if line.state not in (PromiseState.WATCH, PromiseState.ON_TEST, PromiseState.MISSED):
        return line
    if line.name == "Volume":
        return _quiet(watch, line)
    if line.name == "Speed":
        return replace(line, action=RULE_OF[AlertKind.SLOW].action, remedy=Remedy.FIGURES)
    if of_the_model and standing.next:
        return replace(line, action=standing.next, remedy=Remedy.NEXT)
    return line


def _line_of(
    watch: MarketWatch, name: str, kind: AlertKind, found: Sequence[Reading], judged: Sequence[Judged], scheduled: str
) -> Promise:
    """Return a promise's figures in words and as a line, its state not yet judged."""
    limit = watch.limits[kind]
    labels, values = _line(watch, kind, found)
    words = [_words(name, judged, limit)]
    if kind is AlertKind.SLOW and judged:
        promised = watch.problem.success.answer_ms
        late = ", so they took longer than promised" if judged[-1].measure > promised else ""
        words.append(f"Answers are promised within {limit.written(promised)}{late}.")
    if kind is AlertKind.RETRAINING_OVERDUE and watch.champion is not None:
        words.append(_learned(watch, watch.champion))
        words.append(scheduled)
    if kind in _BY_SALES:
        words.append(_too_few_since(watch, limit, found, judged))
    return Promise(name, PromiseState.UNKNOWN, " ".join(filter(None, words)), labels, values, _mark(limit))


def _learned(watch: MarketWatch, live: ModelRecord) -> str:
    """Say up to which sale a model learned, and that the market has later ones."""
    latest, version = date.fromisoformat(str(live.card["last_sale"])), watch.store.versions.latest(live.market_id)
    learned = f"The latest sale it learned from is of {market_day(latest, watch.market.currency)}"
    if version is None or version.last_sale is None or version.last_sale <= latest:
        return f"{learned}."
    return f"{learned}; the market has sales to {market_day(version.last_sale, watch.market.currency)}."


def _too_few_since(watch: MarketWatch, limit: Threshold, found: Sequence[Reading], judged: Sequence[Judged]) -> str:
    """Name the last month that is over but has too few sales to be judged, if it is later than the one that was."""
    now = datetime.combine(watch.clock, time.min, UTC)
    rows = [one for one in found if one.kind is limit.name and not one.segment and one.n and one.period.is_over(now)]
    last = max(rows, key=lambda one: one.period.start, default=None)
    if last is None or last.n >= limit.n_min or (judged and judged[-1].reading.period.start >= last.period.start):
        return ""
    label, value = last.period.label_in(limit.currency), limit.written(last.value)
    few = f"its {count(last.n, 'sale')} are too few to be judged ({limit.n_min} are needed)"
    return f"{label} stood at {value}, but {few}."


def _no_alert_yet(limit: Threshold, found: Sequence[Reading]) -> str:
    """Say what it takes for an alert to open, and that months drawn beyond the limit may have too few sales for it."""
    words = "One month beyond it is no alert yet; a second one in a row opens it."
    few = limit.name in _BY_SALES and any(
        one.n < limit.n_min for one in found if one.kind is limit.name and not one.segment
    )
    return f"{words} Months with fewer than {count(limit.n_min, 'sale')} are not judged." if few else words


def _limit_words(limit: Threshold) -> str:
    """Name what the dashed line beside a promise marks."""
    return "the range’s level" if limit.centre else f"the limit of {limit.bound(limit.value)}"


def _by_its_test(watch: MarketWatch, line: Promise, seen: Overview) -> Promise:
    """Add what a live model's tests say before the first sale in use, and that they break the promise if they do.

    They are its own, and that on later sales on which another model was compared with it, if that is worse.
    """
    if watch.champion is None or line.name not in ("Error", "Range"):
        return line
    card, problem = watch.champion.card, watch.problem
    test = headline_of(card)
    if line.name == "Range":
        known = "coverage" in test.figures
        words, broken = short_range_words(card, problem), known and is_range_off(test["coverage"], test.level, problem)
        later = worse_range(seen.beside, test["coverage"] if known else None, problem)
        found = f"its {percent(test.level)} range held {percent(later.held)}" if later is not None else ""
        broken = broken or later is not None
    else:
        words = miss_words(card, problem, "It")
        broken = target_verdict(test["mape"], problem) is Verdict.FAIL
        words = f"On its test sales, i{words[1:]}" if broken else words
        later = worse_error(seen.beside, test["mape"], problem)
        found = f"its mean error was {percent(later.error, 1)}" if later is not None else ""
        broken = broken or (later is not None and target_verdict(later.mape, problem) is Verdict.FAIL)
    if later is not None:
        sales = later.sales(watch.market.currency)
        words = f"{words} On {sales}, when another model was compared with it, {found}.".strip()
    state = PromiseState.ON_TEST if broken else line.state
    return replace(line, words=f"{line.words} {words}".strip(), state=state)


def _by_its_promise(line: Promise, last: Judged, limit: Threshold, answer_ms: float) -> Promise:
    """Put the promise on speed on watch if answers took longer than promised: the limit of its alert may be higher."""
    if last.measure <= answer_ms:
        return line
    return replace(line, state=PromiseState.WATCH, until_alert=f"No alert opens up to {limit.bound(limit.value)}.")


def _by_all_its_sales(line: Promise, in_use: Watched, problem: Problem) -> Promise:
    """Call a promise missed that all sales in use together surely break, though no month is sure enough alone."""
    if line.name == "Error" and in_use.error is not None:
        figure = in_use.error
        broken = target_verdict(figure, problem) is Verdict.FAIL
        found = f"the mean error is {percent(figure.value, 1)}"
        against = f"above the target of {bound(problem.success.target_mape)}"
    elif line.name == "Range" and in_use.held is not None:
        figure = in_use.held
        broken = is_range_off(figure, in_use.level, problem)
        found = f"the {percent(in_use.level)} range held {percent(figure.value, 1)}"
        against = "not the share it promises"
    else:
        return line
    if not broken:
        return line
    ends = f"{percent(figure.low, 1)} to {percent(figure.high, 1)}"
    none = f"no alert is open, {why_none_open(in_use.whole_months, problem)}"
    words = f"Over all {count(figure.n, 'sale')} in use, {found} ({ends}), {against}; {none}."
    return replace(line, state=PromiseState.MISSED, words=f"{line.words} {words}")


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


def _confidence(watch: MarketWatch, standing: Standing) -> Promise:
    """Return the promise of the confidences: as many estimates end within 10% of the sale price as they state."""
    if watch.champion is None:
        return Promise("Confidence", PromiseState.UNKNOWN, _NOTHING["Freshness"], (), (), None)
    found = confidence_in_use(watch.store, watch.market.market_id, watch.champion.model_id, watch.clock)
    known = came_true_of(found.total, watch.problem)
    if known is None:
        return Promise("Confidence", PromiseState.UNKNOWN, _NOTHING["Error"], (), (), None)
    over = found.periods["start"] + pd.offsets.MonthBegin(1) <= pd.Timestamp(watch.clock)
    months = found.periods[over].tail(SHOWN)
    state = _HOLDS[known.holds]
    line = Promise(
        "Confidence",
        state,
        known.words,
        tuple(window_of(start.date(), Period.MONTH).label for start in months["start"]),
        tuple(float(one) for one in months["ppe10"]),
        known.promised,
        "the share promised",
    )
    if state is not PromiseState.MISSED:
        return line
    less = f"{100 * (known.promised - known.observed.value):.0f} points"
    tested = percent(headline_of(watch.champion.card)["mape"].value, 1)
    return replace(
        line,
        cause=f"They were set on the model’s test sales, with a mean error of {tested}; in use it is "
        f"{percent(float(found.total['mape']), 1)}. The view Drift says why. Until a newer model is live, read a "
        f"confidence as {less} lower.",
        action=next_instead("retrain, which measures them anew.", standing),
        remedy=Remedy.NEXT,
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
        return _NOTHING.get(name) or _nothing_usual(limit)
    return f"{happened(judged[-1], limit)}."


def _nothing_usual(limit: Threshold) -> str:
    """Say what it takes to tell how many estimates are usual."""
    return (
        f"How many estimates a month are usual is not known yet: that takes at least {USUAL_MIN} earlier months, and "
        f"at least {count(limit.n_min, 'estimate')} in half of them."
    )


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
