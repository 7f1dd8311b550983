"""Which model is live, and which may be: a manager's promotions, rollbacks and rejections, and a live model lost."""

from __future__ import annotations

from typing import Final, Literal

import streamlit as st

from core.access import Action, Actor, may
from core.errors import DoorstepError
from core.states import Stage
from core.store import Market, ModelRecord
from core.wording import market_instant
from core.workflows import promotion
from core.workflows.models.floor import floor_of
from core.workflows.models.gate import gate_on, reason_needed
from core.workflows.models.scope import ScopeChange
from core.workspace import Workspace
from pages.kit import errors, session
from pages.kit.text import plain

_MESSAGE: Final = "_models_said"
OWN: Final = "You trained it, so somebody else has to promote it."
_UNDO: Final = "_models_undo"


def draw(workspace: Workspace, market: Market, live: ModelRecord | None, record: ModelRecord) -> None:
    """Draw a manager's options for the selected model."""
    if live is not None and record.model_id == live.model_id:
        st.caption("It is live already, so there is nothing to promote.")
        return
    needed = reason_needed(gate_on(record), live.model_id if live else None)
    # A reason belongs to one decision: once another model is live, or this one is rejected, the field starts empty.
    key = f"reason_{live.model_id if live else market.market_id}_{record.stage}"
    reason = st.text_input("Reason, for the record", key=key, max_chars=300, placeholder="Why this model").strip()
    chosen_is_live = live is not None and record.model_id == live.model_id
    rejected = record.stage is Stage.REJECTED
    own = promotion.needs_another(workspace, record)
    with st.container(horizontal=True):
        promoting = promote_button(
            workspace,
            record,
            "promote",
            f"Promote {record.model_id}",
            disabled=chosen_is_live or rejected or own or bool(needed and not reason),
            help_text=_promote_help(chosen_is_live, rejected, own),
        )
        rejecting = may_be_rejected(record, workspace.actor) and reject_button(record)
        reinstating = rejected and may(workspace.actor, Action.REJECT) and _reinstate_button(record)
    if needed and not reason and not chosen_is_live and not rejected:
        st.caption("To promote, write a reason first: it stays in the audit trail with your name.")
    if promoting:
        promote(workspace, record.model_id, reason)
    if rejecting:
        reject(workspace, record.model_id, reason)
    if reinstating:
        _reinstate(workspace, record.model_id, reason)


def say_by_whom(record: ModelRecord, currency: str) -> None:
    """Say who trained a model and, beside it, who made it live."""
    promoted = promotion.promoter_of(session.store(), record.model_id)
    by = f" · Made live by {plain(promoted.actor)}, {market_instant(promoted.at, currency)}" if promoted else ""
    st.caption(f"Trained by {plain(record.created_by)}, {market_instant(record.created_at, currency)}{by}")


def say_if_rejected(record: ModelRecord, currency: str) -> None:
    """Say who rejected a model, when and why; nothing of one that is not rejected."""
    if record.rejected_at is not None:
        words = (
            f"Rejected {market_instant(record.rejected_at, currency)} by {record.rejected_by}: “{record.rejected_why}”"
        )
        st.warning(plain(words), icon=":material/block:")


def say_if_below_floor(record: ModelRecord) -> None:
    """Say why a candidate did not go live on its own; nothing of one that reaches the floor."""
    floor = floor_of(record.card)
    if record.stage is Stage.CANDIDATE and floor is not None and not floor.reached:
        st.warning(plain(f"This model does not go live on its own. {floor.words}"), icon=":material/block:")


def may_be_rejected(record: ModelRecord, actor: Actor) -> bool:
    """Tell whether an actor may reject a model: a candidate or challenger."""
    return record.stage in (Stage.CANDIDATE, Stage.CHALLENGER) and may(actor, Action.REJECT)


def reject_button(record: ModelRecord, key: str = "reject", label: str = "") -> bool:
    """Draw the button that rejects a model; tells whether it was clicked."""
    return st.button(
        label or f"Reject {record.model_id}",
        key=key,
        icon=":material/block:",
        help="It is no longer offered for promotion. Write the reason first; you can take it back.",
    )


def promote_button(
    workspace: Workspace,
    record: ModelRecord,
    key: str,
    label: str,
    *,
    primary: bool = False,
    disabled: bool = False,
    help_text: str | None = None,
) -> bool:
    """Draw the button that says what a promotion will do, and within it the one that does it; tells if it was clicked.

    A click can change which model is live, so each model has a pop-over of its own: the next one starts closed.
    """
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    fold = st.popover(
        label,
        type=kind,
        icon=":material/publish:",
        disabled=disabled,
        help=help_text,
        key=f"{key}_{record.model_id}_{record.stage}",
    )
    with fold:
        if not disabled:
            effect = promotion.promotion_effect(workspace, record.model_id)
            say_effect(effect.words, effect.scope)
        return st.button("Make it live", key=key, type=kind, icon=":material/publish:", disabled=disabled)


def say_effect(words: str, scope: ScopeChange | None) -> None:
    """Say what a change of the live model will do, and what changes in scope."""
    st.markdown(plain(words))
    if scope is not None:
        st.markdown(f"**Scope:** {plain(' '.join(scope.words))}")


def warn_if_lost(workspace: Workspace, live: ModelRecord | None) -> None:
    """Warn if the live model's file is missing: until another one is live, the one before it answers, if any."""
    if live is None or session.store().models.holds(live):
        return
    ways = promotion.ways_out(session.store().models.rollback_target(live.market_id))
    remedy = f"You can {ways}." if may(workspace.actor, Action.PROMOTE) else f"A manager can {ways}."
    st.error(
        plain(
            f"The file of the live model {live.model_id} is missing, so the model before it answers, if there is "
            f"one. {remedy}"
        ),
        icon=":material/error:",
    )


def promote(workspace: Workspace, model_id: str, reason: str) -> None:
    """Promote a model; confirm it on the page's next run, or draw why it was refused."""
    try:
        now = promotion.promote_challenger(workspace, model_id, reason)
    except DoorstepError as error:
        errors.show(error)
        return
    _say(f"Model {now.model_id} is live; agents price with it from now on.")


def reject(workspace: Workspace, model_id: str, reason: str) -> None:
    """Reject a model; says so on the page's next run, or draws why it was refused."""
    try:
        now = promotion.reject(workspace, model_id, reason)
    except DoorstepError as error:
        errors.show(error)
        return
    st.session_state[_UNDO] = now.model_id
    _say(f"Model {now.model_id} is rejected. Its card below can take that back later, too.")


def say_once(workspace: Workspace) -> None:
    """Draw what was decided in the previous run, with the way back from a rejection."""
    sentence = st.session_state.pop(_MESSAGE, "")
    rejected = st.session_state.pop(_UNDO, "")
    if sentence:
        st.success(sentence, icon=":material/check_circle:")
    if rejected:
        st.button("Undo", key="undo_reject", icon=":material/undo:", on_click=_undo, args=(workspace, rejected))


def _undo(workspace: Workspace, model_id: str) -> None:
    """Take a rejection back at once; the page says so in the run that follows."""
    try:
        now = promotion.reinstate(workspace, model_id, "undone at once")
    except DoorstepError as error:
        st.session_state[_MESSAGE] = str(error)
        return
    st.session_state[_MESSAGE] = f"Model {now.model_id} is a {now.stage} again."


def _promote_help(live: bool, rejected: bool, own: bool) -> str:
    if live:
        return "It is live already."
    if own:
        return OWN
    return "It was rejected." if rejected else "Agents price with it from their next estimate on."


def _reinstate_button(record: ModelRecord) -> bool:
    return st.button(
        f"Reinstate {record.model_id}",
        key="reinstate",
        icon=":material/restart_alt:",
        help="Takes the rejection back: it may be promoted again.",
    )


def _reinstate(workspace: Workspace, model_id: str, reason: str) -> None:
    try:
        now = promotion.reinstate(workspace, model_id, reason)
    except DoorstepError as error:
        errors.show(error)
        return
    _say(f"Model {now.model_id} is a {now.stage} again.")


def roll_back(workspace: Workspace, market: Market, reason: str) -> None:
    """Restore the previous champion; confirm it on the page's next run, or draw why it was refused."""
    try:
        now = promotion.rollback(workspace, market.market_id, reason)
    except DoorstepError as error:
        errors.show(error)
        return
    _say(f"Model {now.model_id} is live again.")


def _say(sentence: str) -> None:
    st.session_state[_MESSAGE] = sentence
    st.rerun()
