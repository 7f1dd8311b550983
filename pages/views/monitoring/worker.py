"""Operations: whether the worker is alive, when it retrains, the spool, who gets alerts, and the audit trail."""

from __future__ import annotations

import streamlit as st

from core.access import Action, may
from core.wording import MISSING, count, market_day
from core.workflows.monitoring.notifications import Notices
from core.workflows.monitoring.schedule import schedule_of
from core.workflows.worker import schedule_words, worker_command, worker_state
from pages.kit.figures import boxes
from pages.kit.palette import GOOD, NEUTRAL, WATCH
from pages.kit.text import plain
from pages.views.monitoring import audit
from pages.views.monitoring.selection import Selection
from pages.views.monitoring.words import act, fact, say_what_was_done, standing, when

_EVERY = "10s"


def draw(selection: Selection) -> None:
    """Draw the background work, refreshed every few seconds, then the audit trail."""
    say_what_was_done()
    _watch(selection)
    audit.draw(selection)


@st.fragment(run_every=_EVERY)
def _watch(selection: Selection) -> None:
    _worker(selection)
    _ledger(selection)
    _draw_channels(selection)


def _worker(selection: Selection) -> None:
    state = worker_state(selection.workspace.store)
    schedule = schedule_of(selection.workspace, selection.market.market_id)
    due = schedule.next_on if schedule is not None else None
    with st.container(border=True):
        st.header("Worker", anchor=False)
        if state.alive:
            st.badge("Alive", icon=":material/check_circle:", color=GOOD)
        else:
            st.badge("Not running", icon=":material/warning:", color=WATCH)
        command = worker_command()
        # As code, the command is one word, which no line breaks.
        st.markdown(plain(state.words).replace(plain(command), f"`{command}`"))
        with boxes("worker"):
            fact("Last sign of life", when(selection, state.beat_at), "every few seconds while it runs")
            fact("Last round", when(selection, state.last_turn), "a round checks every market once")
            fact("Next round", when(selection, state.next_turn), "known while it runs")
            is_late = schedule is not None and schedule.is_overdue(selection.workspace.today(selection.market))
            by_day = "by the market’s day"
            name, note = ("Retraining was due", "overdue") if is_late else ("Next scheduled retraining", by_day)
            fact(name, market_day(due, selection.market.currency), note)
        following = standing(selection).next or "nothing."
        st.markdown(plain(schedule_words(selection.workspace, selection.market.market_id, following)))
        for problem in state.problems:
            st.warning(plain(problem), icon=":material/error:")


def _ledger(selection: Selection) -> None:
    state = selection.workspace.store.spool.state()
    with st.container(border=True):
        st.header("Ledger", anchor=False)
        if not (state.waiting or state.spoilt or state.lost):
            st.markdown("Every estimate is in the ledger; none are waiting.")
        else:
            since = f", the oldest since {when(selection, state.oldest)}" if state.oldest else ""
            st.warning(
                plain(
                    f"{count(state.waiting, 'estimate')} could not be written and waits{since}; {state.spoilt} can no "
                    f"longer be read, and {state.lost} could not be saved to disk either. The agents got their answers."
                ),
                icon=":material/error:",
            )
        allowed = state.waiting and may(selection.workspace.actor, Action.ACT_ON_ALERTS)
        if allowed and st.button("Write them now", icon=":material/refresh:", key="retry_ledger"):
            act(lambda: _retried(selection))


def _retried(selection: Selection) -> str:
    return f"{count(selection.workspace.store.spool.retry(), 'estimate')} written."


def _draw_channels(selection: Selection) -> None:
    state = Notices(selection.workspace.store.home).state()
    with st.container(border=True):
        st.header("Who gets alerts", anchor=False)
        for name, variable in (("webhook", "DOORSTEP_WEBHOOK_URL"), ("e-mail", "DOORSTEP_SMTP_URL")):
            if name in state.channels:
                st.badge(f"{name.capitalize()} configured", icon=":material/check_circle:", color=GOOD)
            else:
                st.badge(f"{name.capitalize()} not configured", icon=":material/remove:", color=NEUTRAL)
                st.caption(f"To use it, set {variable} where Doorstep is started.".replace("_", "\\_"))
        for problem in state.problems:
            st.warning(plain(problem), icon=":material/error:")
        if state.waiting or state.given_up:
            oldest = when(selection, state.oldest) if state.oldest else MISSING
            st.warning(
                plain(
                    f"{count(state.waiting, 'message')} waiting (oldest {oldest}), {state.failing} failed at "
                    f"least once, {state.given_up} given up. {state.last_error}"
                ),
                icon=":material/mail:",
            )
