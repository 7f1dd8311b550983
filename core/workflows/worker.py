"""The worker: a process that does waiting jobs, watches markets, retries failed writes, and retrains on schedule."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from apscheduler.schedulers.background import BackgroundScheduler

from core.access import Actor, Role
from core.errors import AlreadyExists, DoorstepError, StoreError, in_full
from core.installation import program
from core.monitor.rules import RULES
from core.progress import when_parent_ends
from core.states import AuditAction, JobState, Undecided
from core.store import Job, Market, ModelRecord, Store
from core.store.operations.alerts import UNRESOLVED
from core.store.operations.workers import ALIVE_WITHIN
from core.workflows.claimed_work import ClaimedWork
from core.workflows.data.outcomes import settle_outcomes
from core.workflows.jobs import TRAININGS, Kinds, RetrainTask, start
from core.workflows.models.retraining import RetrainPlan
from core.workflows.models.shadow import shadow_pending
from core.workflows.models.waiting import undecided_challenger
from core.workflows.monitoring.alerts import watch_market
from core.workflows.monitoring.notifications import Notices
from core.workflows.monitoring.schedule import schedule_of
from core.workflows.promotion import decided_against
from core.workspace import Workspace

_LOG: Final = logging.getLogger(__name__)

WORKER_ACTOR: Final = Actor("Doorstep worker", Role.MANAGER)
"""The actor in the audit trail for the worker's own actions."""

GRACE_SECONDS: Final = 8.0
"""How long a running round may take to end after a stop request; the supervisor kills it after ten or more."""

_BEAT_SECONDS: Final = 15.0
_LOOK_SECONDS: Final = 1.0
_FORGOTTEN_AFTER: Final = timedelta(days=1)
_AGAIN_AFTER: Final = timedelta(days=1)
_TRAINING: Final = frozenset({"train", "retrain"})
_CALLS_FOR_TRAINING: Final = frozenset(rule.kind.value for rule in RULES if rule.calls_for_training)


class Trigger(StrEnum):
    """What may start a retraining automatically: the age of the live model, or an open alert on its estimates."""

    SCHEDULE = "schedule"
    ALERT = "alert"


@dataclass(frozen=True)
class WorkerSettings:
    """A worker's intervals, in seconds; another worker that is silent for ``silence`` counts as dead.

    With ``idle_seconds`` it only does waiting jobs, and ends when there was none for that long.
    """

    turn_seconds: float = 3_600.0
    beat_seconds: float = _BEAT_SECONDS
    retry_seconds: float = 60.0
    silence: timedelta = ALIVE_WITHIN
    idle_seconds: float | None = None
    triggers: frozenset[Trigger] = field(default_factory=lambda: frozenset({Trigger.SCHEDULE}))


@dataclass(frozen=True)
class Turn:
    """What one round did: counts of alerts opened and resolved, estimates written late and shadow estimates made.

    ``started`` and ``swept`` are the ids of jobs started and jobs taken back from dead workers; ``problems`` lists what
    went wrong. Markets that another worker is at are left to it.
    """

    at: datetime
    opened: int
    resolved: int
    written: int
    shadows: int
    started: tuple[str, ...]
    swept: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class WorkerState:
    """Whether a worker runs, its last sign of life, last and next round (UTC), the latest problems, and a summary."""

    alive: bool
    beat_at: datetime | None
    last_turn: datetime | None
    next_turn: datetime | None
    problems: tuple[str, ...]
    words: str


Starter = Callable[[Workspace, str], Job]
"""Puts a market's retraining before the workers."""


def start_retraining(workspace: Workspace, market_id: str) -> Job:
    """Have a challenger trained on all the market's sales, to be compared with the champion on the latest ones.

    A challenger that waits for a decision keeps its place, and the new one stands beside it.
    Raises AccessDenied, AlreadyExists while a retraining of the market waits or runs.
    """
    return start(workspace, RetrainTask(market_id, RetrainPlan(), Undecided.KEPT))


def worker_state(store: Store) -> WorkerState:
    """Return whether a worker watches the markets and when its next round is; raises StoreUnavailable."""
    seen = store.workers.list()
    workers = [one for one in seen if one.document.get("next_turn")]
    living = [one for one in workers if one.is_alive(ALIVE_WITHIN)]
    if not workers:
        at_jobs = any(one.is_alive(ALIVE_WITHIN) for one in seen)
        what = (
            "No worker watches the markets; the one that runs now does the jobs started on the pages, then ends."
            if at_jobs
            else "No worker is running."
        )
        return WorkerState(False, None, None, None, (), f"{what} Start one with: {worker_command()}.")
    shown = (living or workers)[0]
    report = shown.document
    last, following = _instant(report.get("last_turn")), _instant(report.get("next_turn"))
    problems = tuple(str(one) for one in report.get("problems", ()))
    if not living:
        words = f"The worker's last sign of life is too long ago. Start one with: {worker_command()}."
        return WorkerState(False, shown.beat_at, last, None, problems, words)
    words = "The worker is running." if following else "It is starting."
    return WorkerState(True, shown.beat_at, last, following, problems, words)


def schedule_words(workspace: Workspace, market_id: str, following: str = "") -> str:
    """Say when a market is retrained by schedule, what stands against it, and ``following``, the next step then.

    Raises NotFound, InvalidThreshold, StoreUnavailable.
    """
    store = workspace.store
    market, schedule = store.markets.get(market_id), schedule_of(workspace, market_id)
    live, newest, latest = (
        store.models.champion(market_id),
        _newest(store, market_id),
        store.versions.latest(market_id),
    )
    if schedule is None or live is None or newest is None:
        return "No retraining is scheduled: no model is live."
    today = workspace.today(market)
    parts = [schedule.words(today, market.currency)]
    waits = latest is not None and store.versions.has_sales_of(newest.version_id, latest)
    if today >= schedule.next_on and waits:
        parts.append("It starts once new sales are in.")
    if (tried := schedule.tried) is not None:
        learned = "was trained on the sales there are" if waits else "was trained last"
        against = decided_against(store, market, live, tried) or _waits_words(store, market_id, tried)
        parts.append(f"Model {tried.model_id} {learned} but {against}.")
        if following:
            parts.append(f"Next: {following}")
    return " ".join(parts)


def _waits_words(store: Store, market_id: str, tried: ModelRecord) -> str:
    """Say why a model trained after the live one is not live, where nobody decided against it."""
    undecided = undecided_challenger(store, market_id)
    if undecided is None:
        return "is not live"
    if undecided.model_id == tried.model_id:
        return "waits for a decision; until then a newer one stands beside it"
    return f"stands beside challenger {undecided.model_id}, which waits for a decision"


class Worker:
    """Does due work continuously or round by round; a failure in one market does not affect the others."""

    def __init__(
        self,
        workspace: Workspace,
        settings: WorkerSettings,
        starter: Starter = start_retraining,
        kinds: Kinds = TRAININGS,
    ) -> None:
        self.worker_id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._workspace, self._settings, self._starter = workspace.acting_as(WORKER_ACTOR), settings, starter
        self._store = workspace.store
        self._jobs = ClaimedWork(self._workspace, self.worker_id, kinds)
        self._started_at = datetime.now(UTC)
        self._last: Turn | None = None
        self._next_turn = self._started_at
        self._turning, self._beating = threading.Lock(), threading.Lock()
        self._left = False

    def run(self, stop: threading.Event) -> bool:
        """Work until ``stop`` is set, or there is nothing to do; then leave the list of workers.

        A running job goes back to wait for another worker. Returns whether everything ended within ``GRACE_SECONDS``.
        """
        scheduler = BackgroundScheduler(timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None})
        for what, seconds in self._duties():
            scheduler.add_job(what, "interval", seconds=seconds, next_run_time=datetime.now(UTC))
        self.beat()
        scheduler.start()
        # The processes of jobs end with the thread that starts them (core/progress.py): it lives as long as this runs.
        jobs = threading.Thread(target=self._jobs.work, args=(stop,), name="jobs", daemon=True)
        jobs.start()
        try:
            self._wait(stop)
        finally:
            stop.set()
            scheduler.shutdown(wait=False)
            end = time.monotonic() + GRACE_SECONDS
            jobs.join(GRACE_SECONDS)
            ended = self._turning.acquire(timeout=max(0.0, end - time.monotonic())) and not jobs.is_alive()
            with self._beating:
                self._left = True
                self._store.workers.leave(self.worker_id)
        return ended

    def _duties(self) -> list[tuple[Callable[[], object], float]]:
        every = self._settings
        always = [(self.beat, every.beat_seconds), (self.take_over, every.beat_seconds)]
        if every.idle_seconds is not None:
            return [*always]
        return [*always, (self.turn, every.turn_seconds), (self.make_up, every.retry_seconds)]

    def _wait(self, stop: threading.Event) -> None:
        """Wait until asked to end or, in a worker that only does jobs, until none came for a while."""
        idle = self._settings.idle_seconds
        if idle is None:
            stop.wait()
        while not stop.wait(_LOOK_SECONDS):
            if self._jobs.idle_seconds() < (idle or 0.0) or self._jobs_wait():
                continue
            # Whoever put a job before us meanwhile still saw this worker: look again after leaving.
            self._store.workers.leave(self.worker_id)
            if not self._jobs_wait():
                return
            self.beat()

    def _jobs_wait(self) -> bool:
        try:
            return self._store.jobs.any_waiting()
        except StoreError:
            return True

    def take_over(self) -> tuple[str, ...]:
        """Take back the jobs of dead workers, and forget those long gone; return the jobs' ids."""
        return self._sweep([])

    def beat(self) -> None:
        """Give a sign of life, with what pages show about the worker."""
        last = self._last
        document: dict[str, Any] = {
            "started_at": self._started_at.isoformat(),
            "last_turn": last.at.isoformat() if last else None,
            "next_turn": self._next_turn.isoformat() if self._settings.idle_seconds is None else None,
            "problems": list(last.problems) if last else [],
            "triggers": sorted(one.value for one in self._settings.triggers),
        }
        with self._beating:
            if self._left:
                return
            try:
                self._store.workers.beat(self.worker_id, document)
            except StoreError as error:
                _LOG.error("no sign of life could be given: %s", in_full(error))

    def turn(self) -> Turn:
        """Do all due work, market by market, and return the result."""
        with self._turning:
            return self._turn()

    def _turn(self) -> Turn:
        at = datetime.now(UTC)
        self._next_turn = at + timedelta(seconds=self._settings.turn_seconds)
        problems: list[str] = []
        self.beat()  # a market taken by a worker without a sign of life would be free
        written, swept = self._retry_spool(problems), self._sweep(problems)
        opened = resolved = shadows = 0
        started: list[str] = []
        for market in self._markets(problems):
            try:
                if not self._store.workers.take_market(self.worker_id, market.market_id, ALIVE_WITHIN):
                    continue
                settle_outcomes(self._workspace, market.market_id)
                watched = watch_market(self._workspace, market.market_id)
                opened, resolved = opened + len(watched.opened), resolved + len(watched.resolved)
                started += self._retrain(market, at)
                if (schedule := schedule_of(self._workspace, market.market_id)) is not None:
                    today = self._workspace.today(market)
                    _LOG.info("market %s: %s", market.market_id, schedule.words(today, market.currency))
                shadows += shadow_pending(self._workspace, market.market_id)
            except DoorstepError as error:
                _LOG.error("market %s: %s", market.market_id, error)
                problems.append(f"{market.name}: {error}")
            finally:
                self._free(market)
        self._last = Turn(at, opened, resolved, written, shadows, tuple(started), swept, tuple(problems))
        _LOG.info("%d alerts opened, %d resolved, %d trainings started", opened, resolved, len(started))
        self.beat()
        return self._last

    def make_up(self) -> None:
        """Write estimates the ledger could not take, and send messages that did not arrive."""
        self._retry_spool([])
        Notices(self._store.home).send()

    def _markets(self, problems: list[str]) -> list[Market]:
        try:
            return self._store.markets.list()
        except StoreError as error:
            problems.append(str(error))
            return []

    def _free(self, market: Market) -> None:
        # Left to this worker, a market is freed by its next round, or by its end.
        with suppress(StoreError):
            self._store.workers.free_market(self.worker_id, market.market_id)

    def _retry_spool(self, problems: list[str]) -> int:
        try:
            return self._store.spool.retry()
        except StoreError as error:
            _LOG.error("spooled estimates still cannot be written: %s", in_full(error))
            problems.append(str(error))
            return 0

    def _sweep(self, problems: list[str]) -> tuple[str, ...]:
        try:
            swept = tuple(job.job_id for job in self._store.jobs.sweep(self._settings.silence))
            for one in self._store.workers.list():
                if one.beat_at < datetime.now(UTC) - _FORGOTTEN_AFTER:
                    self._store.workers.leave(one.worker_id)
        except StoreError as error:
            problems.append(str(error))
            return ()
        return swept

    def _retrain(self, market: Market, at: datetime) -> list[str]:
        """Start a training if one is due, there are new sales, and none is running or has just failed."""
        why = self._reason(market)
        if why is None or not self._may_start(market, at):
            return []
        try:
            job = self._starter(self._workspace, market.market_id)
        except AlreadyExists:
            return []
        detail = {"why": why.value, "job_id": job.job_id}
        self._store.events.record(WORKER_ACTOR, AuditAction.RETRAINING_STARTED, market.market_id, job.job_id, detail)
        return [job.job_id]

    def _reason(self, market: Market) -> Trigger | None:
        store, market_id = self._store, market.market_id
        newest, latest = _newest(store, market_id), store.versions.latest(market_id)
        schedule = schedule_of(self._workspace, market_id)
        if newest is None or latest is None or schedule is None:
            return None
        if store.versions.has_sales_of(newest.version_id, latest):
            return None
        triggers = self._settings.triggers
        if Trigger.SCHEDULE in triggers and self._workspace.today(market) >= schedule.next_on:
            return Trigger.SCHEDULE
        alerts = store.alerts.list(market_id, UNRESOLVED)
        asked = any(one.kind in _CALLS_FOR_TRAINING and one.opened_at > newest.created_at for one in alerts)
        return Trigger.ALERT if asked and Trigger.ALERT in triggers else None

    def _may_start(self, market: Market, at: datetime) -> bool:
        jobs = [job for job in self._store.jobs.list(200) if job.kind in _TRAINING]
        own = [job for job in jobs if job.market_id == market.market_id]
        if not own or own[0].state is JobState.DONE:
            return True
        if own[0].is_open:
            return False
        # A training that failed or was cancelled in this worker's lifetime would fail again; a new worker retries it.
        return own[0].created_at < self._started_at or at - own[0].updated_at > _AGAIN_AFTER


def run_worker(workspace: Workspace, settings: WorkerSettings, kinds: Kinds, starter: int | None = None) -> None:
    """Work until the process is asked to end (SIGTERM or SIGINT), or ``starter``, which started it, is gone.

    Raises StoreUnavailable if it cannot start.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if starter is not None:
        when_parent_ends(starter, stop.set)
    if not Worker(workspace, settings, kinds=kinds).run(stop):
        # Otherwise it would have to be killed. Its work is all-or-nothing, and the next worker resumes from there.
        _LOG.warning("the running round was interrupted")
        logging.shutdown()
        os._exit(0)


def worker_command() -> str:
    """Return the command that starts a worker."""
    return f"{program()} worker"


def _newest(store: Store, market_id: str) -> ModelRecord | None:
    return next(iter(store.models.list(market_id)), None)


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def settings_of(options: Mapping[str, Any]) -> WorkerSettings:
    """Return the settings of the options ``every`` (minutes), ``on_alert`` and ``until_idle`` (seconds, or None)."""
    triggers = {Trigger.SCHEDULE, *([Trigger.ALERT] if options["on_alert"] == "retrain" else [])}
    return WorkerSettings(60 * options["every"], triggers=frozenset(triggers), idle_seconds=options["until_idle"])
