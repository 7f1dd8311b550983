"""What operators measure: answers, waiting estimates, jobs, workers, alerts and the error in use, as plain readings.

Every figure is of the store and so of all processes; what one server alone knows, such as the time of its requests, is
measured where it happens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from core.access import Action
from core.states import Period
from core.store import Market, Store
from core.store.ledger.answer_counts import AnswerCount
from core.store.ledger.figures import Slice
from core.store.operations.alerts import UNRESOLVED
from core.workflows.monitoring.readings import trained_on
from core.workspace import Workspace

LATENCY_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper ends of the latency's buckets; 0.5 s is what an agent is promised."""

_RECENT_JOBS: Final = 1_000


class Kind(StrEnum):
    """Whether a reading only ever grows, or goes up and down."""

    COUNTER = "counter"
    GAUGE = "gauge"


@dataclass(frozen=True)
class Reading:
    """One measured quantity: its values by the values of its ``labels``, in the unit that ends its name."""

    name: str
    meaning: str
    kind: Kind
    labels: tuple[str, ...]
    values: Mapping[tuple[str, ...], float]


@dataclass(frozen=True)
class Latency:
    """How long a market's answers took: ``within`` counts those at most as long as each of LATENCY_SECONDS."""

    market_id: str
    within: tuple[int, ...]
    count: int
    seconds: float


@dataclass(frozen=True)
class Metrics:
    """All readings at one moment."""

    readings: tuple[Reading, ...]
    latencies: tuple[Latency, ...]


def read_metrics(workspace: Workspace) -> Metrics:
    """Measure the store; raises AccessDenied, StoreUnavailable."""
    workspace.require(Action.WATCH)
    store, counts = workspace.store, workspace.store.answer_counts.all()
    markets = store.markets.list()
    readings = (_answers(counts), *_spool(store), _jobs(store), *_workers(workspace), *_of_markets(workspace, markets))
    return Metrics(readings, tuple(_latencies(counts)))


def _answers(counts: tuple[AnswerCount, ...]) -> Reading:
    found: Counter[tuple[str, ...]] = Counter()
    for one in counts:
        found[one.market_id, one.channel, one.status] += one.n
    meaning = "Answers in the ledger, by market, channel and status"
    return Reading("doorstep_answers_total", meaning, Kind.COUNTER, ("market", "channel", "status"), found)


def _latencies(counts: tuple[AnswerCount, ...]) -> Iterator[Latency]:
    for market_id in sorted({one.market_id for one in counts}):
        own = [(one.milliseconds / 1000, one.n) for one in counts if one.market_id == market_id]
        within = tuple(sum(n for seconds, n in own if seconds <= end) for end in LATENCY_SECONDS)
        yield Latency(market_id, within, sum(n for _, n in own), sum(seconds * n for seconds, n in own))


def _spool(store: Store) -> tuple[Reading, ...]:
    state = store.spool.state()
    return (
        _single("doorstep_ledger_waiting", "Answers given that the ledger has not taken yet", state.waiting),
        _single("doorstep_ledger_unreadable", "Files of waiting answers that cannot be read", state.spoilt),
        _single("doorstep_ledger_lost", "Answers that nothing could hold, until the audit trail says so", state.lost),
    )


def _jobs(store: Store) -> Reading:
    found: Counter[tuple[str, ...]] = Counter((job.kind, job.state.value) for job in store.jobs.list(_RECENT_JOBS))
    meaning = f"Jobs among the latest {_RECENT_JOBS:,}, by kind and state"
    return Reading("doorstep_jobs", meaning, Kind.GAUGE, ("kind", "state"), found)


def _workers(workspace: Workspace) -> tuple[Reading, ...]:
    at = workspace.clock()
    ages: dict[tuple[str, ...], float] = {
        (one.worker_id,): max((at - one.beat_at).total_seconds(), 0.0) for one in workspace.store.workers.list()
    }
    meaning = "Time since each worker's last sign of life; one is due every 15 seconds"
    return (
        _single("doorstep_workers", "Workers that have not left", len(ages)),
        Reading("doorstep_worker_silence_seconds", meaning, Kind.GAUGE, ("worker",), ages),
    )


def _of_markets(workspace: Workspace, markets: list[Market]) -> tuple[Reading, ...]:
    store = workspace.store
    alerts: Counter[tuple[str, ...]] = Counter()
    figures: dict[str, dict[tuple[str, ...], float]] = {name: {} for name in _FIGURES}
    for market in markets:
        alerts.update((market.market_id, one.kind) for one in store.alerts.list(market.market_id, UNRESOLVED))
        for name, value in _in_use(workspace, market).items():
            figures[name][market.market_id,] = value
    gauges = (Reading(name, _FIGURES[name], Kind.GAUGE, ("market",), figures[name]) for name in _FIGURES)
    meaning = "Unresolved alerts, by market and kind"
    return (Reading("doorstep_alerts_open", meaning, Kind.GAUGE, ("market", "kind"), alerts), *gauges)


_FIGURES: Final = {
    "doorstep_model_live": "1 if a model is promoted, else 0; an alert says if its file cannot be verified",
    "doorstep_model_age_seconds": "Time since the live model was trained, by the market's clock",
    "doorstep_sold_estimates": "Blind estimates of the live model whose home has sold",
    "doorstep_error_in_use_ratio": "Mean absolute error of these estimates (MAPE), as a share of the sale price",
    "doorstep_within_tolerance_ratio": "Share of these estimates within 10% of the sale price (PPE10)",
    "doorstep_range_held_ratio": "Share of these estimates' ranges that held the sale price",
}


def _in_use(workspace: Workspace, market: Market) -> dict[str, float]:
    """Return a market's gauges; one without sold estimates has no error."""
    store, champion = workspace.store, workspace.store.models.champion(market.market_id)
    if champion is None:
        return {"doorstep_model_live": 0.0}
    age = timedelta(days=(workspace.today(market) - trained_on(store, market, champion)).days)
    found = store.figures.accuracy(market.market_id, Slice(model_id=champion.model_id), Period.MONTH).total
    figures = {
        "doorstep_model_live": 1.0,
        "doorstep_model_age_seconds": age.total_seconds(),
        "doorstep_sold_estimates": float(found["n"]),
    }
    if not found["n"]:
        return figures
    named = {"error_in_use": "mape", "within_tolerance": "ppe10", "range_held": "coverage"}
    return figures | {f"doorstep_{name}_ratio": float(found[column]) for name, column in named.items()}


def _single(name: str, meaning: str, value: float) -> Reading:
    return Reading(name, meaning, Kind.GAUGE, (), {(): float(value)})
