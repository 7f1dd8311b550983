"""Retraining of every market at once: a job for each, done by all workers and by this process, and a report."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from core.access import Action
from core.errors import AlreadyExists, DoorstepError, NotFound, StoreError
from core.progress import Progress
from core.states import JobState, Undecided
from core.store import Job, Store
from core.workflows.jobs import RetrainTask, start, under_way
from core.workflows.models.gate import gate_on
from core.workflows.models.retraining import RetrainPlan, window_words
from core.workflows.models.waiting import undecided_challenger
from core.workflows.worker import GRACE_SECONDS, Worker, WorkerSettings
from core.workspace import Workspace

_LOOK_SECONDS: Final = 1.0
# It stops when the last job has ended; until then jobs of workers that died come back to it.
_IDLE_SECONDS: Final = 86_400.0


@dataclass(frozen=True)
class MarketRetrained:
    """How the retraining of one market ended: its job, the challenger with the gate's verdict, or why there is none.

    ``seconds`` are those its job ran, as seen once a second; those it waited for a worker do not count.
    """

    market_id: str
    job_id: str | None
    model_id: str | None
    verdict: str
    words: str
    seconds: float

    @property
    def done(self) -> bool:
        """True if there is a challenger."""
        return self.model_id is not None

    @property
    def failed(self) -> bool:
        """True if its retraining began and gave no challenger."""
        return self.job_id is not None and not self.done


def retrain_markets(workspace: Workspace, plan: RetrainPlan, progress: Progress) -> tuple[MarketRetrained, ...]:
    """Train a challenger for every market with a live model, and return how each ended, by market; promote none.

    A challenger that waits for a decision keeps its place, and the new one stands beside it; where no sale came in
    since it was trained, there is no new one.

    Every market is a job of its own. All running workers take them, and so does this process until the last has ended.
    A market that fails does not stop the others; one whose retraining is under way already is waited for. If this is
    interrupted, the jobs it made are cancelled. Raises AccessDenied, NotFound without any market, StoreError.
    """
    workspace.require(Action.TRAIN)
    store = workspace.store
    markets = [market.market_id for market in store.markets.list()]
    if not markets:
        raise NotFound("There is no market to retrain. Import a sales file first.")
    mine, asked, refused = _put_before_workers(workspace, markets, plan)
    try:
        with _one_more_worker(workspace):
            ended = _wait(store, asked, progress)
    except BaseException:
        _cancel(store, mine)
        raise
    reports = [*refused, *(_report(store, market, *ended[market]) for market in asked)]
    return tuple(sorted(reports, key=lambda one: one.market_id))


def _put_before_workers(
    workspace: Workspace, markets: list[str], plan: RetrainPlan
) -> tuple[list[str], dict[str, str], list[MarketRetrained]]:
    """Return the jobs made here, the job of each market, and the markets without one."""
    mine: list[str] = []
    asked: dict[str, str] = {}
    refused: list[MarketRetrained] = []
    for market in markets:
        if workspace.store.models.champion(market) is None:
            words = "No model is live, so there is none to challenge. Train its first model."
            refused.append(MarketRetrained(market, None, None, "", words, 0.0))
            continue
        if words := _same_again(workspace.store, market, plan):
            refused.append(MarketRetrained(market, None, None, "", words, 0.0))
            continue
        try:
            asked[market] = start(workspace, RetrainTask(market, plan, Undecided.KEPT)).job_id
            mine.append(asked[market])
        except AlreadyExists:
            running = under_way(workspace.store, RetrainTask.kind, market)
            if running is None:
                words = "Its retraining ended while this one began. Start it again if you need another."
                refused.append(MarketRetrained(market, None, None, "", words, 0.0))
            else:
                asked[market] = running.job_id
    return mine, asked, refused


def _same_again(store: Store, market_id: str, plan: RetrainPlan) -> str:
    """Say that a challenger which waits for a decision was trained so on the same sales; "" without one."""
    waits, latest = undecided_challenger(store, market_id), store.versions.latest(market_id)
    if waits is None or latest is None or waits.version_id != latest.version_id:
        return ""
    if window_words(waits.card.get("window_months"), waits.card.get("half_life_days")) != plan.words:
        return ""
    return (
        f"Challenger {waits.model_id} learned from the same sales and waits for a decision. Another one would be no "
        "different, so none was trained."
    )


@contextmanager
def _one_more_worker(workspace: Workspace) -> Iterator[None]:
    """Do waiting jobs in this process, too, beside the caller."""
    stop = threading.Event()
    worker = Worker(workspace, WorkerSettings(idle_seconds=_IDLE_SECONDS))
    # The processes of jobs end with the thread that starts them, which lives as long as the worker runs.
    thread = threading.Thread(target=worker.run, args=(stop,), name="one more worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(GRACE_SECONDS)


def _wait(store: Store, asked: Mapping[str, str], progress: Progress) -> dict[str, tuple[Job, float]]:
    """Wait until every job has ended; return each market's job and for how many seconds it was seen to run."""
    ended: dict[str, tuple[Job, float]] = {}
    began: dict[str, float] = {}
    while len(ended) < len(asked):
        fraction, doing = float(len(ended)), ""
        for market, job_id in asked.items():
            if market in ended:
                continue
            job = store.jobs.get(job_id)
            if not job.is_open:
                now = time.monotonic()
                ended[market] = (job, now - began.get(market, now))
                fraction += 1
            elif job.state is JobState.RUNNING:
                began.setdefault(market, time.monotonic())
                fraction += job.fraction
                doing = doing or f"; {market}: {job.message or 'starting'}"
        progress(fraction / len(asked), f"{len(ended):,} of {len(asked):,} markets retrained{doing}")
        time.sleep(_LOOK_SECONDS if len(ended) < len(asked) else 0)
    return ended


def _cancel(store: Store, jobs: list[str]) -> None:
    for job_id in jobs:
        # Whoever interrupts waits for nothing: a job that cannot be cancelled now goes on, and is listed by `jobs`.
        with suppress(StoreError):
            store.jobs.request_cancel(job_id)


def _report(store: Store, market_id: str, job: Job, seconds: float) -> MarketRetrained:
    model_id = job.result.get("model_id")
    if job.state is not JobState.DONE or model_id is None:
        words = job.error or f"The job is {job.state}."
        return MarketRetrained(market_id, job.job_id, None, "", words, seconds)
    try:
        gated = gate_on(store.models.get(str(model_id)))
    except DoorstepError as error:
        return MarketRetrained(market_id, job.job_id, str(model_id), "", str(error), seconds)
    verdict, words = (
        (gated.gate.verdict.value, gated.gate.words) if gated else ("", "Not compared with the live model.")
    )
    return MarketRetrained(market_id, job.job_id, str(model_id), verdict, words, seconds)


def report_document(reports: tuple[MarketRetrained, ...]) -> dict[str, Any]:
    """Return the report as JSON values."""
    return {
        "markets": [vars(one) for one in reports],
        "retrained": sum(one.done for one in reports),
        "failed": sum(one.failed for one in reports),
    }
