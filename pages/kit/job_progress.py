"""Jobs on screen: progress, run time, a way to stop, and the result."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from core.access import Action, may
from core.errors import DoorstepError, InvalidRecord
from core.progress import AHEAD, expected_fraction, shown_fraction, time_left
from core.states import JobState
from core.store import Job
from core.workflows import jobs
from core.workflows.embedded_worker import EmbeddedWorker
from pages.kit import errors, session
from pages.kit.text import plain

_FOLLOWED: Final = "_followed_job"
_SHOWN: Final = "_fraction_shown"
_OPEN: Final = ("waiting", "running")


def begin(task: jobs.Task) -> None:
    """Put the task before the workers; the next rerun draws its progress. Draws the error if it is refused."""
    try:
        job = jobs.start(session.workspace(), task)
        _embedded().ensure(session.store())
    except DoorstepError as error:
        errors.show(error)
        return
    st.session_state[_FOLLOWED] = job.job_id
    st.rerun()


def open_job(kind: str, market_id: str | None) -> Job | None:
    """Return the open job of that kind, whoever started it, so that a reload finds it again."""
    store = session.store()
    store.jobs.sweep(jobs.SILENCE)
    found = jobs.under_way(store, kind, market_id)
    if found is not None and found.state is JobState.WAITING:
        # Its worker may have ended with the app, or without a word.
        _embedded().ensure(store)
    return found


@st.cache_resource(max_entries=1, show_spinner=False)
def _embedded() -> EmbeddedWorker:
    return EmbeddedWorker()


def take_closed(kind: str, market_id: str | None) -> Job | None:
    """Return the job this session followed once it is done, failed or cancelled; only the first call gets it."""
    job_id = st.session_state.get(_FOLLOWED)
    if job_id is None:
        return None
    job = session.store().jobs.get(job_id)
    if (job.kind, job.market_id) != (kind, market_id) or job.state in _OPEN:
        return None
    del st.session_state[_FOLLOWED]
    return job


def last_failure(kind: str, market_id: str | None) -> str:
    """Return why the newest job of that kind failed; "" if it did not."""
    newest = next((job for job in session.store().jobs.list() if (job.kind, job.market_id) == (kind, market_id)), None)
    return newest.error if newest is not None and newest.state is JobState.FAILED else ""


def draw(job: Job) -> None:
    """Draw an open job, refreshed every second; when it closes, the whole page reruns."""
    st.session_state[_FOLLOWED] = job.job_id
    _watch(job.job_id)


@st.fragment(run_every="1s")
def _watch(job_id: str) -> None:
    job = session.store().jobs.get(job_id)
    if open_job(job.kind, job.market_id) is None:
        st.rerun()
    waits = job.state is JobState.WAITING
    now = datetime.now(UTC)
    fraction = job.fraction if waits else _fraction(job, now)
    st.progress(fraction, plain(job.message) or ("Waiting to start" if waits else "Starting"))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        left = time_left(fraction, (now - job.created_at).total_seconds())
        so_far = ", ".join(filter(None, (f"{elapsed(job, now)} so far", left)))
        st.caption(f"{so_far}. You may leave this page; the work continues.")
        if not may(session.current_actor(), Action.TRAIN):
            return
        if job.cancel_requested:
            st.caption("Stopping…")
        elif st.button("Cancel", key=f"cancel_{job_id}", icon=":material/close:"):
            _cancel(job_id)
            st.rerun()


def _fraction(job: Job, now: datetime) -> float:
    """Return the fraction to show, which does not fall as long as the work goes on."""
    seconds, quiet = ((now - since).total_seconds() for since in (job.created_at, job.updated_at))
    fraction = expected_fraction(job.fraction, seconds, quiet)
    job_id, shown, at = st.session_state.get(_SHOWN, ("", 0.0, now))
    if job_id == job.job_id and shown - job.fraction <= AHEAD:
        fraction = shown_fraction(job.fraction, fraction, shown, (now - at).total_seconds())
    st.session_state[_SHOWN] = (job.job_id, fraction, now)
    return fraction


def _cancel(job_id: str) -> None:
    # It may have ended while the button was on the screen.
    with suppress(InvalidRecord):
        jobs.cancel(session.workspace(), job_id)


def elapsed(job: Job, now: datetime) -> str:
    """Write how long the job has been running: "8 s", "2 min 5 s"."""
    minutes, seconds = divmod(max(0, int((now - job.created_at).total_seconds())), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
