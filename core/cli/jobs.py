"""The verbs of jobs, the long work that workers do: list them, and cancel one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.cli.session import OK, AddVerb, Session, add_market

if TYPE_CHECKING:
    from core.store import Job


def add_verbs(verb: AddVerb) -> None:
    """Declare the verbs and their arguments."""
    jobs = verb("jobs", "list trainings and other long work that workers do, newest first", _jobs)
    add_market(jobs, "id or name of one market (default: all)")
    jobs.add_argument("--open", action="store_true", help="only jobs that wait or run")
    cancel = verb("cancel", "cancel a job: a waiting one at once, a running one within seconds", _cancel)
    cancel.add_argument("job", metavar="JOB", help="its id, as `jobs` lists it")


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
    from core.workflows.jobs import cancel

    job = cancel(session.workspace, session.options.job)
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
