"""Long work on screen: how far it is, how long it has run, a way to stop it, and what became of it."""

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
# A server that was stopped takes its work with it; the store then asks whether the process still runs.
_SILENT_TOO_LONG: Final = timedelta(minutes=3)


def begin(task: jobs.Task) -> None:
    """Start the work in a process of its own and draw its progress from the next run on; a refusal is drawn."""
    try:
        job = jobs.start(session.workspace(), task)
    except DoorstepError as error:
        errors.show(error)
        return
    st.session_state[_FOLLOWED] = job.job_id
    st.rerun()


def open_job(kind: str, market_id: str | None) -> Job | None:
    """Return the work of that kind under way, whoever started it, so that it is found again after a reload."""
    store = session.store()
    store.jobs.sweep(_SILENT_TOO_LONG)
    return jobs.under_way(store, kind, market_id)


def take_closed(kind: str, market_id: str | None) -> Job | None:
    """Return the work this visit followed once it is done, failed or cancelled; only the first call gets it."""
    job_id = st.session_state.get(_FOLLOWED)
    if job_id is None:
        return None
    job = session.store().jobs.get(job_id)
    if (job.kind, job.market_id) != (kind, market_id) or job.state in _OPEN:
        return None
    del st.session_state[_FOLLOWED]
    return job


def last_failure(kind: str, market_id: str | None) -> str:
    """Return why the newest work of that kind failed; empty where it did not."""
    newest = next((job for job in session.store().jobs.list() if (job.kind, job.market_id) == (kind, market_id)), None)
    return newest.error if newest is not None and newest.state is JobState.FAILED else ""


def draw(job: Job) -> None:
    """Draw open work, refreshed every second; when it closes the whole page runs again."""
    st.session_state[_FOLLOWED] = job.job_id
    _watch(job.job_id)


@st.fragment(run_every="1s")
def _watch(job_id: str) -> None:
    job = session.store().jobs.get(job_id)
    if job.state not in _OPEN:
        st.rerun()
    st.progress(job.fraction, plain(job.message) or "Starting a process of its own")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{elapsed(job, datetime.now(UTC))} so far. You may leave this page; the work goes on.")
        if not may(session.current_actor(), Action.TRAIN):
            return
        if job.cancel_requested:
            st.caption("Stopping at the next step…")
        elif st.button("Cancel", key=f"cancel_{job_id}", icon=":material/close:"):
            session.store().jobs.request_cancel(job_id)
            st.rerun()


def elapsed(job: Job, now: datetime) -> str:
    """Write how long the work has been under way: "8 s", "2 min 5 s"."""
    minutes, seconds = divmod(max(0, int((now - job.created_at).total_seconds())), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
