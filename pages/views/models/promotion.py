"""Which model is live: a manager's promotions and rollbacks, and what is to be done where the live model is lost."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.access import Action, may
from core.errors import DoorstepError
from core.store import Market, ModelRecord
from core.workflows.models.gate import gate_on, reason_needed
from core.workflows.promotion import promote_challenger, rollback
from core.workspace import Workspace
from pages.kit import errors, session
from pages.kit.text import plain

_MESSAGE: Final = "_models_said"
_UNTYPED: Final = "rolled back by a click"


def draw(workspace: Workspace, market: Market, live: ModelRecord | None, record: ModelRecord) -> None:
    """Draw what a manager can decide of the model chosen, and the way back to the champion before."""
    st.subheader("Decide", anchor=False)
    needed = reason_needed(gate_on(record), live.model_id if live else None)
    # A reason belongs to one decision: once another model is live, the field starts empty.
    key = f"reason_{live.model_id if live else market.market_id}"
    reason = st.text_input("Reason, for the record", key=key, max_chars=300, placeholder="Why this model").strip()
    chosen_is_live = live is not None and record.model_id == live.model_id
    with st.container(horizontal=True):
        promoting = st.button(
            f"Promote {record.model_id}",
            key="promote",
            type="primary",
            icon=":material/publish:",
            disabled=chosen_is_live or bool(needed and not reason),
            help="It is live already." if chosen_is_live else "Agents price with it from their next estimate on.",
        )
        rolling = st.button(
            "Roll back to the champion before",
            key="rollback",
            icon=":material/undo:",
            help="Brings back, at once and everywhere, the model that was live before the present one.",
        )
    if needed and not reason and not chosen_is_live:
        st.caption("To promote, write a reason first: it stays in the audit trail with your name. To roll back, click.")
    if promoting:
        promote(workspace, record.model_id, reason)
    if rolling:
        _roll_back(workspace, market, reason)


def warn_if_lost(workspace: Workspace, live: ModelRecord | None) -> None:
    """Say so where the file of the live model is missing: agents get no estimate until another one is live."""
    if live is None or session.store().models.holds(live):
        return
    remedy = (
        "Roll back or promote another one below."
        if may(workspace.actor, Action.PROMOTE)
        else "Ask a manager to roll back."
    )
    st.error(
        plain(f"The file of the live model {live.model_id} is missing, so agents get no estimate. {remedy}"),
        icon=":material/error:",
    )


def promote(workspace: Workspace, model_id: str, reason: str) -> None:
    """Promote a model; says so on the page's next run, or draws why it was refused."""
    try:
        now = promote_challenger(workspace, model_id, reason)
    except DoorstepError as error:
        errors.show(error)
        return
    _say(f"Model {now.model_id} is live; agents price with it from now on.")


def say_once() -> None:
    """Draw what was decided on the run before."""
    sentence = st.session_state.pop(_MESSAGE, "")
    if sentence:
        st.success(sentence, icon=":material/check_circle:")


def _roll_back(workspace: Workspace, market: Market, reason: str) -> None:
    try:
        now = rollback(workspace, market.market_id, reason or _UNTYPED)
    except DoorstepError as error:
        errors.show(error)
        return
    _say(f"Model {now.model_id} is live again.")


def _say(sentence: str) -> None:
    st.session_state[_MESSAGE] = sentence
    st.rerun()
