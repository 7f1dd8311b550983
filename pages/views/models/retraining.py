"""Retraining on screen: which sales to train on, the progress, and the result."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.access import Action, may
from core.states import JobState
from core.store import Market
from core.wording import count
from core.workflows.jobs import RetrainTask
from core.workflows.models.retraining import RetrainPlan, window_sales
from core.workflows.promotion import would_displace
from core.workflows.standing import Step
from core.workspace import Workspace
from pages.kit import job_progress
from pages.kit.palette import BAD
from pages.kit.text import plain

KIND: Final = "retrain"
_ALL, _LAST, _RECENT = "All sales", "Only the last months", "All, recent ones count more"
_HELP: Final = (
    "All sales is the safe choice. A window drops an earlier market entirely; a half-life fades it out gradually. The "
    "gate shows which prices the latest sales best."
)


def draw(workspace: Workspace, market: Market, step: Step) -> None:
    """Draw a retraining's progress with a cancel button, or the last result and the form for the next."""
    running = job_progress.open_job(KIND, market.market_id)
    closed = job_progress.take_closed(KIND, market.market_id)
    if running is not None:
        with st.container(border=True):
            st.markdown(f"**Retraining the model for {plain(market.name)}**")
            job_progress.draw(running)
        return
    if closed is not None and closed.state is JobState.DONE:
        st.success(
            f"Challenger {closed.result['model_id']} is trained and was compared with the live model.",
            icon=":material/check_circle:",
        )
    if closed is not None and closed.state is JobState.CANCELLED:
        st.info("Retraining was cancelled; nothing was saved.", icon=":material/info:")
    failure = job_progress.last_failure(KIND, market.market_id)
    if failure:
        st.error(plain(f"The last retraining stopped: {failure}"), icon=":material/error:")
    if may(workspace.actor, Action.TRAIN):
        waiting = would_displace(workspace.store, market.market_id)
        if waiting:
            st.caption(plain(waiting))
        plan = _form(workspace, market, primary=step is Step.RETRAIN)
        if plan is not None:
            job_progress.begin(RetrainTask(market.market_id, plan))


def _form(workspace: Workspace, market: Market, *, primary: bool) -> RetrainPlan | None:
    """Draw the button with its options folded; return the plan when it is pressed."""
    place = st.container()
    needed, compared = workspace.problem.training.sales_min, workspace.problem.monitoring.gate_sales_min
    with st.expander("Options of retraining", icon=":material/tune:"):
        st.caption(
            "Trains a challenger in the same way as the live model, on all but the latest one or two months of sales. "
            "Both models then price those months as in live use, and the gate says which is better. It needs at least "
            f"{count(needed, 'sale')}, and {compared:,} of the latest to compare on. A person decides on the promotion."
        )
        window = st.radio("Train on", [_ALL, _LAST, _RECENT], horizontal=True, help=_HELP, key="retrain_window")
        months = half_life = None
        refused = ""
        if window == _LAST:
            months = st.number_input("Months", 1, 240, 24, key="retrain_months", width=200)
            found = window_sales(workspace, market.market_id, int(months))
            if found.enough:
                st.caption(plain(found.words))
            else:
                refused = f":small[:{BAD}[:material/error: {plain(found.words)}]]"
                st.markdown(refused)
        if window == _RECENT:
            half_life = st.number_input(
                "Half-life, days",
                1,
                3_650,
                365,
                key="retrain_half_life",
                width=200,
                help="A sale of this age counts half.",
            )
    pressed = place.button(
        "Retrain",
        key="retrain",
        type="primary" if primary else "secondary",
        icon=":material/autorenew:",
    )
    if not pressed:
        return None
    if refused:
        # The options, which say so too, may be folded.
        place.markdown(refused)
        return None
    return RetrainPlan(
        window_months=None if months is None else int(months),
        half_life_days=None if half_life is None else float(half_life),
    )
