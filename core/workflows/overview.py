"""The seven phases of a market at a glance: each phase's deliverable, its live figure, and what needs attention."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Final

from core.evaluate.accuracy import Figure
from core.evaluate.card.headline import CardHeadline, headline_of
from core.evaluate.headline import range_verdict
from core.evaluate.scope import GoverningScope, ScopeBasis
from core.evaluate.targets import Verdict
from core.monitor.expected import CameTrue
from core.monitor.rules import AlertKind
from core.monitor.windows import window_of
from core.problem import Problem
from core.states import AuditAction, Period
from core.store import DataVersion, Job, Market, ModelRecord, Store
from core.store.ledger.figures import Slice
from core.store.operations.alerts import UNRESOLVED, AlertRecord
from core.wording import count, days, market_day, money_range, percent
from core.workflows.jobs import training_under_way, why_training_failed
from core.workflows.models.floor import floor_of, miss_words, target_verdict
from core.workflows.models.gate import SameSales, measured_beside
from core.workflows.models.scope import governing_scope, signed_although
from core.workflows.models.waiting import waiting
from core.workflows.monitoring.figures import came_true_of, confidence_in_use, figure_of, with_intervals
from core.workflows.monitoring.limits import limits_of
from core.workflows.monitoring.readings import trained_on
from core.workflows.promotion import decided_against
from core.workflows.uploaded_rows import NO_ROWS, RowCounts, rows_of_all_uploads
from core.workspace import Workspace


class State(StrEnum):
    """The state of a phase, as shown."""

    OPEN = "Not yet"
    GOOD = "In order"
    UNSURE = "Inconclusive"
    BAD = "Needs attention"


@dataclass(frozen=True)
class Phase:
    """A phase's card: ``figure`` is its main number, ``facts`` the lines below it, all plain text.

    ``verdict`` replaces the state if the phase has a test to pass.
    """

    number: int
    name: str
    deliverable: str
    state: State
    figure: str
    facts: tuple[str, ...]
    verdict: str = ""


@dataclass(frozen=True)
class Month:
    """The live model's blind estimates of the homes sold in a month: mean error, share inside the range, number.

    ``over`` tells whether the month has ended, so that no more of its sales are to come.
    """

    label: str
    error: float
    held: float
    n: int
    over: bool = True


@dataclass(frozen=True)
class Watched:
    """What monitoring knows: ledger estimates, the live model's estimates with a sale, unresolved alerts.

    ``error`` is the mean error of its blind estimates with its interval, ``held`` the share of sales inside their
    ranges of ``level``; both are None before the first such sale. ``months`` are the latest six with sales.
    ``confidence`` is what its confidences promised and what came true, as Monitoring judges them.
    """

    asked: int
    error: Figure | None
    alerts: tuple[AlertRecord, ...]
    held: Figure | None = None
    level: float = 0.0
    months: tuple[Month, ...] = ()
    confidence: CameTrue | None = None

    @property
    def whole_months(self) -> tuple[tuple[str, int], ...]:
        """The months that are over, each with its name and its number of sales."""
        return tuple((one.label, one.n) for one in self.months if one.over)

    @property
    def too_confident(self) -> bool:
        """Whether significantly fewer estimates ended near the sale price than their confidences promised."""
        return self.confidence is not None and self.confidence.holds is False


NOTHING_WATCHED: Final = Watched(0, None, ())
_MONTHS: Final = 6


@dataclass(frozen=True)
class Overview:
    """What a market has so far; ``live_since`` is when its champion went live, ``today`` the market's date.

    ``age`` is the number of days since the champion was trained, ``retrain_after`` the limit, as in monitoring.
    ``scope`` is the champion's, signed or proposed; ``newest`` is the model trained last, ``against`` what a person
    decided against it if it has learned all sales there are. ``back`` says when the challenger was rolled back, ""
    if it never was; ``training`` is the open training, wherever it runs, ``failed`` why the last failed. ``although``
    says what a signed scope misses. ``rows`` counts the rows of all uploads by what became of them. ``chain`` is the
    version with those that it was built on, newest first. ``beside`` are the champion's figures on the latest sales on
    which a later model was compared with it.
    """

    market: Market
    version: DataVersion | None
    champion: ModelRecord | None
    models: int
    live_since: datetime | None
    today: date
    age: int = 0
    retrain_after: int = 0
    watched: Watched = NOTHING_WATCHED
    scope: GoverningScope | None = None
    newest: ModelRecord | None = None
    challenger: ModelRecord | None = None
    rows: RowCounts = NO_ROWS
    against: str = ""
    back: str = ""
    training: Job | None = None
    failed: str = ""
    although: str = ""
    chain: tuple[DataVersion, ...] = ()
    beside: SameSales | None = None

    def is_of_the_latest_sales(self, model: ModelRecord) -> bool:
        """Tell whether a model learned from the sales there are, so that training would only repeat it."""
        return self.version is not None and not self.since(model)

    def since(self, model: ModelRecord) -> str:
        """Say what happened to the sales since a model was trained, "" if nothing did: no model learns from the rest.

        To be read before "since …".
        """
        learned = next((one for one in self.chain if one.version_id == model.version_id), None)
        if self.version is None or model.version_id == self.version.version_id:
            return ""
        if learned is None or self.version.rows > learned.rows:
            return "New sales have arrived"
        return "" if learned.sha256 == self.version.sha256 else "The stored sales have changed"


_BINDINGS: Final = (AuditAction.MODEL_PROMOTED, AuditAction.MODEL_ROLLED_BACK)


def overview(workspace: Workspace, market: Market) -> Overview:
    """Read what the cards need; raises StoreError leaves."""
    store = workspace.store
    version, champion = store.versions.latest(market.market_id), store.models.champion(market.market_id)
    records, watched = store.models.list(market.market_id), watched_of(workspace, market, champion)
    newest = max(records, key=lambda one: one.created_at, default=None)
    today, live_since = workspace.today(market), _since(store, market, champion)
    if champion is not None and watched.error is not None:
        figures = confidence_in_use(store, market.market_id, champion.model_id, today).total
        watched = replace(watched, confidence=came_true_of(figures, workspace.problem))
    age = (today - trained_on(store, market, champion)).days if champion else 0
    limit = int(limits_of(workspace, market.market_id)[AlertKind.RETRAINING_OVERDUE].value)
    scope = governing_scope(store, champion) if champion else None
    challenger = next(iter(waiting(store, records)), None)
    chain = tuple(store.versions.chain(market.market_id)) if version is not None else ()
    seen = Overview(market, version, champion, len(records), live_since, today, age, limit, watched, scope)
    seen = replace(seen, newest=newest, challenger=challenger, rows=rows_of_all_uploads(chain), chain=chain)
    of_all_sales = newest is not None and seen.is_of_the_latest_sales(newest)
    against = decided_against(store, market, champion, newest) if newest is not None and of_all_sales else ""
    return replace(
        seen,
        against=against,
        back=decided_against(store, market, champion, challenger) if challenger else "",
        training=training_under_way(store, market.market_id),
        failed=why_training_failed(store, market.market_id),
        although=signed_although(store, champion) if champion else "",
        beside=measured_beside(records, champion.model_id) if champion else None,
    )


def phases(seen: Overview, problem: Problem) -> tuple[Phase, ...]:
    """Return the seven cards in order."""
    return (
        _problem(seen, problem),
        _collection(seen),
        _preparation(seen),
        _training(seen, problem),
        _evaluation(seen, problem),
        _deployment(seen, problem),
        _monitoring(seen, problem),
    )


def attention(seen: Overview, problem: Problem) -> tuple[str, ...]:
    """Return what needs attention, each item as a sentence with its remedy."""
    if seen.version is None and seen.models:
        return (
            "All sales of this market were undone, so nothing is priced. On the Sales data page, use them again or "
            "upload a sales file.",
        )
    if seen.version is None:
        return ("This market has no sales yet. Upload a sales file on the Sales data page.",)
    if seen.champion is None:
        least = problem.training.sales_min
        if seen.version.rows < least:
            return (
                f"{count(seen.version.rows, 'sale')} are too few to train on; add sales until there are {least:,}.",
            )
        return (_without_champion(seen),)
    found = []
    test = headline_of(seen.champion.card)
    missed = miss_words(seen.champion.card, problem)
    if missed:
        found.append(f"{missed} Train on more or newer sales.")
    if coverage_state(test, problem) is State.BAD:
        held = f"The {percent(test.level)} range held {percent(test['coverage'].value, 1)} of the test sales"
        found.append(f"{held}, off its level. Train a new model.")
    if since := seen.since(seen.champion):
        found.append(f"{since} since the live model was trained. Train a new one and compare.")
    stale = (seen.today - seen.version.last_sale).days if seen.version.last_sale else 0
    if stale > problem.monitoring.retrain_days:
        found.append(f"The latest sale is {days(stale)} old, so today's prices are a guess. Upload newer sales.")
    if seen.age > seen.retrain_after:
        found.append(
            f"The live model was trained {days(seen.age)} ago, past the limit of {days(seen.retrain_after)}. "
            "Train a new one and compare."
        )
    return tuple(found)


def _without_champion(seen: Overview) -> str:
    floor = floor_of(seen.newest.card) if seen.newest else None
    if seen.newest is not None and seen.newest.version_id not in [one.version_id for one in seen.chain]:
        return "No model is live, so nothing can be priced: the sales of the last one trained were undone. Train anew."
    if seen.newest is None or floor is None or floor.reached:
        return "No model is live, so nothing can be priced. Train one on the Models page."
    return (
        f"No model is live, so nothing can be priced. Model {seen.newest.model_id} did not go live on its own. "
        f"{floor.words} {floor.remedy}".rstrip()
    )


NOT_SIGNED: Final = "Not signed"
"""The verdict on a scope that a person still has to sign."""

ALTHOUGH: Final = "Signed although not proven"
"""The verdict on a scope that a person signed against, or without, what its test shows."""

MISSED: Final = "Missed"
"""The word for a promise that the live model misses in use: an alert on it is open, or all its sales surely say so."""

ERROR_KINDS: Final = (AlertKind.TARGET_MISSED, AlertKind.ERROR_HIGH)
"""The alerts by which the mean error is missed."""


def is_missed(alerts: Iterable[AlertRecord], kinds: tuple[AlertKind, ...]) -> bool:
    """Tell whether an alert of these kinds on the whole market is not resolved."""
    return any(one.kind in kinds and not one.segment for one in alerts)


def error_in_use(store: Store, market: Market, model_id: str) -> Figure | None:
    """Return the mean error of a model's blind estimates with its interval, None before the first such sale."""
    total = store.figures.accuracy(market.market_id, Slice(model_id=model_id), Period.MONTH).total
    return figure_of(with_intervals(total.to_frame().T).iloc[0], "mape") if total["n"] else None


_STATES: Final = {Verdict.PASS: State.GOOD, Verdict.FAIL: State.BAD, Verdict.INCONCLUSIVE: State.UNSURE}


def error_state(error: Figure, problem: Problem) -> State:
    """Judge a mean error (MAPE) by its target, with the same rule as the Evaluation and Monitoring pages."""
    return _STATES[target_verdict(error, problem)]


def coverage_state(test: CardHeadline, problem: Problem) -> State:
    """Judge the range's coverage of test sales by its level, with the same rule as the Evaluation page."""
    return range_state(test["coverage"], test.level, problem)


def range_state(held: Figure, level: float, problem: Problem) -> State:
    """Judge the share of sales that a range of this level held, with the same rule as the Evaluation page."""
    return _STATES[range_verdict(held, level, problem)]


def is_range_off(held: Figure, level: float, problem: Problem) -> bool:
    """Tell whether a range held surely fewer sales than it states, or is off its level, as the Evaluation page says."""
    return range_state(held, level, problem) is State.BAD


def _problem(seen: Overview, problem: Problem) -> Phase:
    signed = seen.scope is None or seen.scope.basis is ScopeBasis.SIGNED
    target = f"Mean error target: {percent(problem.success.target_mape)}"
    although = (f"The scope is {seen.although}",) if seen.although else ()
    return Phase(
        1,
        "Problem",
        "A target in numbers",
        State.GOOD if signed and not seen.although else State.UNSURE,
        f"Within {percent(problem.success.tolerance)}",
        (target, _scope(seen, problem), *although),
        ALTHOUGH if seen.although else "" if signed else NOT_SIGNED,
    )


def _scope(seen: Overview, problem: Problem) -> str:
    currency = seen.market.currency
    if seen.scope is not None:
        return f"Scope: {seen.scope.words(currency)}"
    fixed = problem.scope.price.get(currency)
    if fixed is not None:
        return f"Standard prices: {money_range(fixed.standard_low, fixed.standard_high, currency)}"
    wide = problem.scope.elsewhere
    return f"Standard prices: {percent(wide.low_quantile)} to {percent(wide.high_quantile)} of the market's own"


def _collection(seen: Overview) -> Phase:
    name, deliverable = "Collection", "Sales from every source, merged"
    if seen.version is None:
        return Phase(2, name, deliverable, State.OPEN, "No sales yet", ())
    version = seen.version
    facts = (
        f"from {count(seen.rows.files, 'sales file')}",
        f"{market_day(version.first_sale, seen.market.currency)} to "
        f"{market_day(version.last_sale, seen.market.currency)}",
    )
    return Phase(2, name, deliverable, State.GOOD, count(version.rows, "sale"), facts)


def _preparation(seen: Overview) -> Phase:
    name, deliverable = "Preparation", "Every row accounted for"
    if seen.version is None:
        return Phase(3, name, deliverable, State.OPEN, "No rows yet", ())
    rows = seen.rows
    if not rows.files:
        aside = f"{count(seen.version.set_aside, 'doubtful sale')} set aside"
        return Phase(3, name, deliverable, State.GOOD, "Doubtful sales reviewed", (aside,))
    facts = (
        f"{rows.accepted:,} accepted, {rows.repaired:,} repaired",
        f"{count(rows.duplicate, 'duplicate')}, {rows.rejected:,} rejected, {rows.set_aside:,} set aside",
    )
    return Phase(3, name, deliverable, State.GOOD, f"{rows.rows_in:,} rows read", facts)


def _training(seen: Overview, problem: Problem) -> Phase:
    name, deliverable = "Training", "The best of several models"
    if seen.champion is None:
        needed = f"{problem.training.sales_min:,} sales or more are needed"
        return Phase(4, name, deliverable, State.OPEN, count(seen.models, "model"), (needed,))
    card = seen.champion.card
    facts = (f"Live: {card['family']}", f"Trained on {count(card['sales'], 'sale')}")
    return Phase(4, name, deliverable, State.GOOD, count(seen.models, "model"), facts)


def _evaluation(seen: Overview, problem: Problem) -> Phase:
    name, deliverable = "Evaluation", "Error on sales never seen"
    if seen.champion is None:
        return Phase(5, name, deliverable, State.OPEN, "Not measured", ())
    test, target = headline_of(seen.champion.card), problem.success.target_mape
    error = test["mape"]
    verdict = error_state(error, problem)
    badge = {State.GOOD: "Pass", State.BAD: "Fail", State.UNSURE: "Inconclusive"}[verdict]
    facts = (
        f"95% interval {percent(error.low, 1)} to {percent(error.high, 1)}; target {percent(target)}",
        test.words,
    )
    return Phase(5, name, deliverable, verdict, f"{percent(error.value, 1)} error", facts, badge)


def _deployment(seen: Overview, problem: Problem) -> Phase:
    name, deliverable = "Deployment", "A range on the agent's screen"
    if seen.champion is None:
        return Phase(6, name, deliverable, State.OPEN, "No live model", ())
    test, watched = headline_of(seen.champion.card), seen.watched
    since = market_day(seen.live_since or seen.champion.created_at, seen.market.currency)
    held, model = test["coverage"], f"Model {seen.champion.model_id}"
    tested = f"{percent(test.level)} range held {percent(held.value, 1)} of {count(held.n, 'test sale')}"
    if watched.held is None:
        return Phase(6, name, deliverable, coverage_state(test, problem), f"Live since {since}", (tested, model))
    used = f"{percent(watched.level)} range held {percent(watched.held.value)} of {watched.held.n:,} sales in use"
    missed = is_missed(watched.alerts, (AlertKind.COVERAGE_OFF,))
    off = is_range_off(held, test.level, problem)
    broken = missed or is_range_off(watched.held, watched.level, problem)
    state, verdict = (State.BAD, MISSED if broken else "") if broken or off else (State.GOOD, "")
    return Phase(6, name, deliverable, state, f"Live since {since}", (used, tested, model), verdict)


def _monitoring(seen: Overview, problem: Problem) -> Phase:
    name, deliverable = "Monitoring", "When to retrain"
    if seen.champion is None:
        return Phase(7, name, deliverable, State.OPEN, "Nothing to watch", ())
    age, limit, watched = seen.age, seen.retrain_after, seen.watched
    late = State.GOOD if age <= limit and not watched.alerts and not watched.too_confident else State.BAD
    alerts = f"{count(len(watched.alerts), 'alert')} not resolved" if watched.alerts else "No alert is open"
    if watched.error is None:
        facts = ("since the live model was trained", f"Retrain after {days(limit)}")
        return Phase(7, name, deliverable, late, days(age), (*facts, alerts) if watched.alerts else facts)
    error = watched.error
    facts = (f"{count(error.n, 'sale')}, priced before the list price was known", alerts)
    missed = is_missed(watched.alerts, ERROR_KINDS) or error_state(error, problem) is State.BAD
    figure = f"{percent(error.value, 1)} error in use"
    return Phase(7, name, deliverable, State.BAD if missed else late, figure, facts, MISSED if missed else "")


def watched_of(workspace: Workspace, market: Market, champion: ModelRecord | None) -> Watched:
    """Return what monitoring knows of a market's live model; raises NotFound, StoreUnavailable."""
    store, now = workspace.store, datetime.combine(workspace.today(market), time.min, UTC)
    asked = store.ledger.count(market.market_id)
    alerts = tuple(store.alerts.list(market.market_id, UNRESOLVED))
    if champion is None or not asked:
        return Watched(asked, None, alerts)
    found = store.figures.accuracy(market.market_id, Slice(model_id=champion.model_id), Period.MONTH)
    if not found.total["n"]:
        return Watched(asked, None, alerts)
    total = with_intervals(found.total.to_frame().T).iloc[0]
    months = tuple(
        Month(month.label, float(error), float(held), int(n), month.is_over(now))
        for month, error, held, n in (
            (window_of(start.date(), Period.MONTH), *figures)
            for start, *figures in found.periods.tail(_MONTHS)[["start", "mape", "coverage", "n"]].to_numpy()
        )
    )
    error, held = figure_of(total, "mape"), figure_of(total, "coverage")
    return Watched(asked, error, alerts, held, float(total["level"]), months)


def _since(store: Store, market: Market, champion: ModelRecord | None) -> datetime | None:
    if champion is None:
        return None
    if market.simulated:
        # Its models live by its own days, not by those of the computer that made them.
        return datetime.combine(trained_on(store, market, champion), time(), UTC)
    events = store.events.list(champion.market_id)
    return next((one.at for one in events if one.action in _BINDINGS and one.subject == champion.model_id), None)
