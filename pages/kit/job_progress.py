"""Jobs on screen: progress, run time, a way to stop, and the result."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import streamlit as st

from core.access import Action, may
from core.errors import DoorstepError
from core.states import JobState
from core.store import Job
from core.workflows import jobs
from pages.kit import errors, session
from pages.kit.text import plain

_FOLLOWED: Final = "_followed_job"
_OPEN: Final = ("waiting", "running")
# A stopped server takes its jobs with it; the store then checks whether the process is still running.
_SILENT_TOO_LONG: Final = timedelta(minutes=3)


def begin(task: jobs.Task) -> None:
    """Start the task in its own process; the next rerun draws its progress. Draws the error if it is refused."""
    try:
        job = jobs.start(session.workspace(), task)
    except DoorstepError as error:
        errors.show(error)
        return
    st.session_state[_FOLLOWED] = job.job_id
    st.rerun()


def open_job(kind: str, market_id: str | None) -> Job | None:
    """Return the open job of that kind, whoever started it, so that a reload finds it again."""
    store = session.store()
    store.jobs.sweep(_SILENT_TOO_LONG)
    return jobs.under_way(store, kind, market_id)


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
    if job.state not in _OPEN:
        st.rerun()
    st.progress(job.fraction, plain(job.message) or "Starting")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{elapsed(job, datetime.now(UTC))} so far. You may leave this page; the work continues.")
        if not may(session.current_actor(), Action.TRAIN):
            return
        if job.cancel_requested:
            st.caption("Stopping at the next step…")
        elif st.button("Cancel", key=f"cancel_{job_id}", icon=":material/close:"):
            session.store().jobs.request_cancel(job_id)
            st.rerun()


def elapsed(job: Job, now: datetime) -> str:
    """Write how long the job has been running: "8 s", "2 min 5 s"."""
    minutes, seconds = divmod(max(0, int((now - job.created_at).total_seconds())), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
