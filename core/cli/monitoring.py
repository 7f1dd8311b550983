"""The verbs that monitor a market, and those of the worker and its jobs: their arguments and their handlers."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.session import OK, AddVerb, Session, add_market, whole_id
from core.cli.values import calendar_day, minutes, whole_number
from core.errors import WrongUsage

if TYPE_CHECKING:
    from core.store import Job
    from core.store.operations.alerts import AlertRecord
    from core.workflows.standing import Standing


def add_verbs(verb: AddVerb) -> None:
    """Declare the verbs and their arguments."""
    watch = verb("watch", "judge the latest figures once: open and resolve alerts", _watch)
    add_market(watch, "id or name of one market (default: all)")
    alerts = verb("alerts", "list a market's unresolved alerts", _alerts)
    add_market(alerts)
    alerts.add_argument("--all", action="store_true", help="include resolved alerts")
    ledger = verb("ledger", "write the estimates, with decisions and sales, to a CSV file", _ledger)
    ledger.add_argument("file", type=Path, metavar="FILE", help="CSV file to write; an existing one is never replaced")
    add_market(ledger)
    ledger.add_argument("--since", type=calendar_day, metavar="YYYY-MM-DD", help="first day of the estimates (UTC)")
    ledger.add_argument("--until", type=calendar_day, metavar="YYYY-MM-DD", help="last day of the estimates (UTC)")
    ledger.set_defaults(check=_check_ledger)
    about = "do waiting jobs, watch every market and retrain on schedule, until stopped by SIGTERM or Ctrl-C"
    worker = verb("worker", about, _worker)
    worker.add_argument(
        "--every", type=minutes, default=60.0, metavar="MINUTES", help="time between rounds (default: 60)"
    )
    worker.add_argument(
        "--on-alert",
        choices=["notify", "retrain"],
        default="notify",
        help="what an open accuracy alert starts (default: %(default)s)",
    )
    worker.add_argument(
        "--until-idle",
        type=whole_number(0, 86_400),
        metavar="SECONDS",
        help="do waiting jobs only, and end when none came for so long",
    )
    worker.add_argument(
        "--parent", type=whole_number(1), metavar="PID", help="end with the process of this number, which started it"
    )
    jobs = verb("jobs", "list trainings and other long work that workers do, newest first", _jobs)
    add_market(jobs, "id or name of one market (default: all)")
    jobs.add_argument("--open", action="store_true", help="only jobs that wait or run")
    cancel = verb("cancel", "cancel a job: a waiting one at once, a running one within seconds", _cancel)
    cancel.add_argument("job", metavar="JOB", help="its id, as `jobs` lists it, or its first characters")


def _check_ledger(options: argparse.Namespace) -> None:
    if options.since and options.until and options.since > options.until:
        raise WrongUsage(
            f"--since {options.since} is after --until {options.until}, so no estimate can match; swap the two days."
        )


def _watch(session: Session) -> int:
    """Run one round, for the given market or for all."""
    from core.wording import market_day
    from core.workflows.monitoring.alerts import alert_lines, watch_market
    from core.workflows.monitoring.schedule import schedule_of
    from core.workflows.worker import schedule_words

    options, store = session.options, session.workspace.store
    markets = [session.market()] if options.market else store.markets.list()
    watched = [watch_market(session.workspace, one.market_id) for one in markets]
    schedules = {one.market_id: schedule_of(session.workspace, one.market_id) for one in markets}
    document = {
        "markets": [
            {
                "market": one.market_id,
                "as_of": one.clock,
                "retraining_on": when.next_on if (when := schedules[one.market_id]) else None,
                "opened": [alert.alert_id for alert in one.opened],
                "resolved": [alert.alert_id for alert in one.resolved],
                "open": [asdict(alert) for alert in one.open],
                "notes": list(one.notes),
            }
            for one in watched
        ]
    }

    def text() -> str:
        lines = []
        for one in watched:
            changed = f"{len(one.opened)} opened, {len(one.resolved)} resolved, {len(one.open)} not resolved"
            market = store.markets.get(one.market_id)
            standing = session.standing(market)
            steps = _own_steps(one.open, standing)
            lines += [f"{one.market_id} as of {market_day(one.clock, market.currency)}: {changed}", standing.sentence]
            lines += [*alert_lines(one.open, steps), *one.notes, schedule_words(session.workspace, one.market_id)]
        return "\n".join(lines) or "no markets yet"

    session.print_result(document, text)
    return OK


def _alerts(session: Session) -> int:
    from core.workflows.monitoring.alerts import alert_lines, open_alerts
    from core.workflows.standing import next_for

    store, market = session.workspace.store, session.market()
    alerts = open_alerts(session.workspace, market.market_id)
    standing = session.standing(market)
    if session.options.all:
        alerts = tuple(store.alerts.list(market.market_id))
    rows = [asdict(alert) | {"next": next_for(alert, standing) if alert.is_open else ""} for alert in alerts]
    document = {"market": market.market_id, "standing": standing.sentence, "alerts": rows}
    steps = _own_steps([alert for alert in alerts if alert.is_open], standing)
    session.print_result(
        document, lambda: "\n".join([*(alert_lines(alerts, steps) or ["no open alerts"]), standing.sentence])
    )
    return OK


def _own_steps(alerts: Iterable[AlertRecord], standing: Standing) -> dict[str, str]:
    """Return what to do by alert id, "" for the one next step that the market's own sentence names."""
    from core.workflows.standing import next_for

    following = {one.alert_id: next_for(one, standing) for one in alerts}
    return {alert_id: "" if step == standing.next else step for alert_id, step in following.items()}


def _ledger(session: Session) -> int:
    from core.store.ledger.figures import Slice
    from core.workflows.monitoring.ledger_export import ledger_to_file

    options, market = session.options, session.market()
    where = Slice(options.since, options.until)
    size = ledger_to_file(session.workspace, market.market_id, where, options.file)
    document = {"market": market.market_id, "file": options.file, "bytes": size, **vars(where)}
    session.print_result(document, lambda: f"ledger of {market.market_id} in {options.file}, {size:,} bytes")
    return OK


def _worker(session: Session) -> int:
    from core.demo.opening import DemoTask
    from core.workflows.jobs import TRAININGS
    from core.workflows.operations.logs import start_logging
    from core.workflows.operations.settings import check_settings
    from core.workflows.worker import run_worker, settings_of

    check_settings(session.workspace.store.home)
    start_logging("warning" if session.options.quiet else "info")
    kinds = {**TRAININGS, DemoTask.kind: DemoTask}
    run_worker(session.workspace, settings_of(vars(session.options)), kinds, session.options.parent)
    return OK


def _jobs(session: Session) -> int:
    from core.workflows.jobs import list_jobs

    options = session.options
    market_id = session.market().market_id if options.market is not None else None
    found = [job for job in list_jobs(session.workspace, market_id) if job.is_open or not options.open]
    currency = session.workspace.store.markets.common_currency()
    session.print_result(
        {"jobs": [_form(job) for job in found]},
        lambda: "\n".join(_line(job, currency) for job in found) or ("no open jobs" if options.open else "no jobs yet"),
    )
    return OK


def _cancel(session: Session) -> int:
    from core.workflows.jobs import cancel, list_jobs

    named = whole_id(session.options.job, [one.job_id for one in list_jobs(session.workspace)], "jobs")
    job = cancel(session.workspace, named)
    stopped = "was cancelled" if not job.is_open else "is asked to stop; it ends within seconds"
    session.print_result(_form(job), lambda: f"job {job.job_id} ({job.kind}) {stopped}")
    return OK


def _form(job: Job) -> dict[str, Any]:
    """Return a job as JSON values; instants are in UTC, ``fraction`` is 0 to 1."""
    return {
        "job": job.job_id,
        "kind": job.kind,
        "market": job.market_id,
        "state": job.state.value,
        "fraction": job.fraction,
        "message": job.message,
        "error": job.error or None,
        "cancel_requested": job.cancel_requested,
        "created_at": job.created_at.isoformat(),
        "updated_at": job.updated_at.isoformat(),
    }


def _line(job: Job, currency: str) -> str:
    from core.wording import market_instant

    state = "stopping" if job.is_open and job.cancel_requested else job.state.value
    about = f"{job.fraction:.0%} {job.message}".strip() if job.is_open else job.error
    of = f"{job.kind} of {job.market_id}" if job.market_id else job.kind
    return f"{job.job_id}  {state:<9}  {market_instant(job.created_at, currency)}  {of}  {about}".rstrip()
