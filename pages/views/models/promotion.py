"""Which model is live, and which may be: a manager's promotions, rollbacks and rejections, and a live model lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.access import REASON_ASKED, REASON_MAX, Action, Actor, may
from core.errors import DoorstepError
from core.states import Stage
from core.store import Market, ModelRecord
from core.wording import market_instant
from core.workflows import promotion
from core.workflows.models.floor import below_floor
from core.workflows.models.gate import gate_on, gate_result
from core.workflows.models.scope import ScopeChange
from core.workspace import Workspace
from pages.kit import session
from pages.kit.text import forget, kept_text, plain

_MESSAGE: Final = "_models_said"
OWN: Final = "You trained it, so somebody else has to promote it."
_UNDO: Final = "_models_undo"
_REFUSED: Final = "_models_refused"


def draw(workspace: Workspace, market: Market, live: ModelRecord | None, record: ModelRecord) -> None:
    """Draw a manager's options for the selected model."""
    if live is not None and record.model_id == live.model_id:
        st.caption("It is live already, so there is nothing to promote.")
        return
    became = promotion.became(workspace.store, market, record)
    if became:
        st.info(plain(f"It {became}."), icon=":material/swap_horiz:")
    with st.container(horizontal=True):
        promote_button(workspace, live, record, "promote", f"Promote {record.model_id}")
        if may_be_rejected(record, workspace.actor):
            reject_button(workspace, record)
        if (record.stage is Stage.REJECTED or became) and may(workspace.actor, Action.REJECT):
            _reinstate_button(workspace, record)


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
    if words := below_floor(record):
        st.warning(plain(f"This model does not go live on its own. {words}"), icon=":material/block:")


def may_be_rejected(record: ModelRecord, actor: Actor) -> bool:
    """Tell whether an actor may reject a model: a candidate or challenger."""
    return record.stage in (Stage.CANDIDATE, Stage.CHALLENGER) and may(actor, Action.REJECT)


def reject_button(
    workspace: Workspace, record: ModelRecord, key: str = "reject", label: str = "", *, primary: bool = False
) -> None:
    """Draw the button that says what a rejection does and, within it, the one that rejects."""

    def reject(reason: str) -> str:
        now = promotion.reject(workspace, record.model_id, reason)
        st.session_state[_UNDO] = now.model_id
        return f"Model {now.model_id} is rejected. Its card below can take that back later, too."

    model_id = record.model_id
    fold = _fold(
        label or f"Reject {model_id}", f"{key}_{model_id}_{record.stage}", icon=":material/block:", primary=primary
    )
    with fold:
        st.markdown(plain(f"Model {model_id} is no longer offered for promotion. You can take that back."))
        _deed(key, f"{key}_reason_{model_id}", "Reject it", reject, icon=":material/block:")


def promote_button(
    workspace: Workspace,
    live: ModelRecord | None,
    record: ModelRecord,
    key: str,
    label: str,
    *,
    primary: bool = False,
) -> None:
    """Draw the button that says what a promotion will do, and within it the reason and the button that does it.

    A click can change which model is live, so each model has a pop-over of its own: the next one starts closed.
    """
    live_id = live.model_id if live else None
    own, rejected = promotion.needs_another(workspace, record), record.stage is Stage.REJECTED

    def promote(reason: str) -> str:
        promotion.require_unmoved(workspace, record.market_id, live_id)
        now = promotion.promote_challenger(workspace, record.model_id, reason)
        return f"Model {now.model_id} is live; agents price with it from now on."

    fold = _fold(
        label,
        f"{key}_{record.model_id}_{record.stage}",
        icon=":material/publish:",
        primary=primary,
        disabled=own or rejected,
        help_text=OWN if own else "It was rejected." if rejected else None,
    )
    if own or rejected:
        return
    with fold:
        effect = promotion.promotion_effect(workspace, record.model_id)
        why = gate_result(gate_on(record), live_id)
        say_effect(key, effect.words, effect.scope, why)
        reason_key = f"{key}_reason_{record.model_id}_{live_id}"
        _deed(key, reason_key, "Make it live", promote, icon=":material/publish:", primary=primary, asked=bool(why))


def _fold(
    label: str, key: str, *, icon: str, primary: bool = False, disabled: bool = False, help_text: str | None = None
) -> DeltaGenerator:
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    return st.popover(label, type=kind, icon=icon, disabled=disabled, help=help_text, key=key)


def _deed(
    key: str,
    reason_key: str,
    label: str,
    do: Callable[[str], str],
    *,
    icon: str,
    primary: bool = False,
    asked: bool = True,
) -> None:
    """Draw the field for the reason, what was refused last, and the button that does the deed.

    The button acts before the page is drawn again: what another window has taken off the page meanwhile is refused
    with its reason, not lost.
    """
    kept_text(REASON_ASKED if asked else "Reason, for the record", reason_key, max_chars=REASON_MAX)
    refused = st.session_state.get(_REFUSED)
    if refused and refused[0] == reason_key:
        del st.session_state[_REFUSED]
        st.error(plain(refused[1]), icon=":material/error:")
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    st.button(label, key=key, type=kind, icon=icon, on_click=_do, args=(reason_key, do))


def _do(reason_key: str, do: Callable[[str], str]) -> None:
    try:
        done = do(str(st.session_state.get(reason_key, "")))
    except DoorstepError as error:
        st.session_state[_REFUSED] = (reason_key, str(error))
        return
    forget(reason_key)
    st.session_state[_MESSAGE] = done


def say_refused(slot: DeltaGenerator) -> None:
    """Draw on top what was refused where the page no longer offers it, as something changed in another window."""
    refused = st.session_state.pop(_REFUSED, None)
    if refused:
        slot.error(plain(f"Nothing was changed. {refused[1]}"), icon=":material/error:")


def say_effect(key: str, words: str, scope: ScopeChange | None, why: str = "") -> None:
    """Say what a change of the live model will do, what changes in scope, and ``why`` a reason is asked for."""
    # api/static/dashboard.css lets it scroll on a phone, so that the reason and the button below stay in sight.
    with st.container(key=f"effect_{key}", gap="small"):
        st.markdown(plain(words))
        if scope is not None:
            st.markdown(f"**Scope:** {plain(' '.join(scope.words))}")
        if why:
            st.markdown(plain(why))


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


def say_once(workspace: Workspace) -> None:
    """Draw what was decided in the previous run, with the way back from a rejection, in a place of its own."""
    place, sentence = st.container(), st.session_state.pop(_MESSAGE, "")
    rejected = st.session_state.pop(_UNDO, "")
    if sentence:
        place.success(sentence, icon=":material/check_circle:")
    if rejected:
        place.button("Undo", key="undo_reject", icon=":material/undo:", on_click=_undo, args=(workspace, rejected))


def _undo(workspace: Workspace, model_id: str) -> None:
    """Take a rejection back at once; the page says so in the run that follows."""
    try:
        now = promotion.reinstate(workspace, model_id, "undone at once")
    except DoorstepError as error:
        st.session_state[_MESSAGE] = str(error)
        return
    st.session_state[_MESSAGE] = f"Model {now.model_id} is a {now.stage} again."


def _reinstate_button(workspace: Workspace, record: ModelRecord) -> None:
    def reinstate(reason: str) -> str:
        now = promotion.reinstate(workspace, record.model_id, reason)
        return f"Model {now.model_id} is a {now.stage} again."

    model_id, waiting = record.model_id, workspace.store.models.challenger(record.market_id)
    with _fold(f"Reinstate {model_id}", f"reinstate_{model_id}_{record.stage}", icon=":material/restart_alt:"):
        st.markdown("It may be promoted again.")
        if waiting is not None and record.stage is Stage.CANDIDATE:
            st.markdown(plain(f"It takes the place of challenger {waiting.model_id}, which then waits beside it."))
        _deed("reinstate", f"reinstate_reason_{model_id}", "Reinstate it", reinstate, icon=":material/restart_alt:")


def take_place_button(workspace: Workspace, record: ModelRecord, challenger_id: str) -> None:
    """Draw the button that puts a later model in the challenger's place, which then waits beside it."""

    def take(reason: str) -> str:
        now = promotion.reinstate(workspace, record.model_id, reason)
        return f"Model {now.model_id} is the challenger now; {challenger_id} waits beside it."

    model_id = record.model_id
    with _fold(f"Compare {model_id}", f"take_place_{model_id}", icon=":material/swap_horiz:"):
        st.markdown(plain(f"It takes the place of challenger {challenger_id}, which then waits beside it."))
        label = "Make it the challenger"
        _deed("take_place", f"take_place_reason_{model_id}", label, take, icon=":material/swap_horiz:")


def rollback_button(workspace: Workspace, market: Market, live: ModelRecord) -> None:
    """Draw the button that says what a rollback does and, within it, the reason and the button that does it."""
    effect = promotion.rollback_effect(workspace, market.market_id)
    # Another model is live after a click: a pop-over of the same key would stay open, and empty.
    fold = _fold(
        "Roll back",
        f"roll_back_{live.model_id}",
        icon=":material/undo:",
        disabled=effect is None,
        help_text="No model that could be live again was live before this one." if effect is None else None,
    )
    if effect is None:
        return

    def roll_back(reason: str) -> str:
        promotion.require_unmoved(workspace, market.market_id, live.model_id)
        now = promotion.rollback(workspace, market.market_id, reason)
        return f"Model {now.model_id} is live again."

    with fold:
        say_effect("rollback", effect.words, effect.scope)
        label = "Make the earlier model live again"
        _deed("rollback", f"rollback_reason_{live.model_id}", label, roll_back, icon=":material/undo:")
