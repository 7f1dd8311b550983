"""Which offices have estimates, and the forms with which a manager starts, widens and stops the pilot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

import pandas as pd
import streamlit as st

from core.access import Action, may
from core.errors import InvalidRecord
from core.states import Group
from core.store.operations.rollouts import OfficePlan, Rollout
from core.wording import count, either, instant, market_day
from core.workflows.pilot.rollout import (
    add_offices,
    gap_before,
    rollout_history,
    rollout_of,
    rollout_words,
    stop_offices,
    take_back_change,
    unheard_of,
    whose_day,
)
from core.workflows.pricing.answers import offices
from pages.kit.choice import FIRST_DAY, LAST_DAY
from pages.kit.figures import frame
from pages.kit.text import plain
from pages.views.monitoring.selection import Selection

_ASKED: Final = "_rollout_asked"
_STOPPING: Final = "_rollout_stopping"
_GROUPS: Final = {
    Group.PILOT: "Pilot: has estimates from the start on",
    Group.CONTROL: "Control: compared with, and waits for its start",
    Group.EVERYONE: "Everyone else: all offices not named",
}
_CHANGES: Final = {"started": "Started", "widened": "Widened", "stopped": "Stopped", "taken_back": "Taken back"}


def draw(selection: Selection) -> None:
    """Draw who has estimates, what can be changed, and what was."""
    workspace, market_id = selection.workspace, selection.market.market_id
    rollout = rollout_of(workspace, market_id)
    with st.container(border=True, key="rollout"):
        st.header("Who has estimates", anchor=False)
        st.markdown(f"**{plain(rollout_words(rollout, selection.clock, selection.market.currency))}**")
        if rollout is not None and rollout.offices:
            frame(
                pd.DataFrame([_row(one, selection.clock, selection.market.currency) for one in rollout.offices]),
                "rollout_offices",
            )
        st.caption(plain(whose_day(selection.market, selection.clock)))
        if may(workspace.actor, Action.MANAGE_PILOT):
            _add(selection, rollout)
            _stop(selection, rollout)
        _history(selection)


def _row(one: OfficePlan, today: date, currency: str) -> dict[str, object]:
    starts = "No date set" if one.starts is None else market_day(one.starts, currency)
    now = "Yes" if one.is_in(today) else "Not yet"
    return {
        "Office": one.office or "Everyone else",
        "Group": one.group.capitalize(),
        "Starts": starts,
        "Has estimates": now,
    }


def _add(selection: Selection, rollout: Rollout | None) -> None:
    with (
        st.expander("Start a pilot" if rollout is None else "Add offices", icon=":material/add:"),
        st.form("rollout_add", border=False),
    ):
        if rollout is None:
            st.caption(
                "From the start on only the offices named here have estimates. All others, and agents whose account "
                "names no office, have none until they are added."
            )
        if known := offices(selection.workspace, selection.market.market_id):
            st.caption(plain(f"Offices with estimates so far: {', '.join(known)}."))
        names = st.text_area(
            "Offices, one a line", key="rollout_names", height=80, help="As the offices' accounts and keys name them."
        )
        group = st.radio("Group", list(_GROUPS), format_func=lambda one: _GROUPS[one], key="rollout_group")
        days = whose_day(selection.market, selection.clock)
        starts = st.date_input("Start", selection.clock, FIRST_DAY, LAST_DAY, key="rollout_start", help=plain(days))
        reason = st.text_input("Reason", key="rollout_add_reason")
        pressed = st.form_submit_button("Give them estimates", type="primary", icon=":material/add:")
        if pressed:
            named = [""] if group == Group.EVERYONE else [one for one in names.splitlines() if one.strip()]
            plans = [OfficePlan(one, group, starts) for one in named]
            gap = gap_before(rollout, starts, selection.clock, selection.market.currency)
            if not _asks(_ASKED, (_unheard(named, known), gap)):
                _do(lambda: add_offices(selection.workspace, selection.market.market_id, plans, reason))


def _unheard(named: Sequence[str], known: Sequence[str]) -> str:
    strange = unheard_of(named, known)
    if not strange:
        return ""
    return f"No agent of {either(strange)} has had an estimate yet. Check the spelling against the offices above."


def _asks(key: str, doubts: Sequence[str]) -> bool:
    """Ask once about what a change would do; tell whether the answer is still to come."""
    words = " ".join(filter(None, doubts))
    if not words or st.session_state.get(key) == words:
        st.session_state.pop(key, None)
        return False
    st.session_state[key] = words
    st.warning(plain(f"{words} If it is right, press again."), icon=":material/help:")
    return True


def _stop(selection: Selection, rollout: Rollout | None) -> None:
    workspace, market_id = selection.workspace, selection.market.market_id
    with st.expander("Stop, or take back the last change", icon=":material/block:"):
        with st.form("rollout_stop", border=False):
            named = [one.office for one in rollout.offices if one.office] if rollout else []
            keep: Sequence[str] = ()
            if named:
                keep = st.multiselect(
                    "Offices that keep their place",
                    named,
                    key="rollout_keep",
                    help="Agents of all other offices get no more estimates. What they got stays in the ledger.",
                )
            reason = st.text_input("Reason", key="rollout_stop_reason")
            label = "Stop all other offices" if named else "Stop estimates for all offices"
            if st.form_submit_button(label, icon=":material/block:"):
                everybody = "" if keep else "No office and no agent would have estimates."
                if not _asks(_STOPPING, (everybody,)):
                    _do(lambda: stop_offices(workspace, market_id, keep, reason))
        with st.form("rollout_back", border=False):
            why = st.text_input("Reason", key="rollout_back_reason")
            if st.form_submit_button("Take back the last change", icon=":material/undo:", disabled=rollout is None):
                _do(lambda: take_back_change(workspace, market_id, why))


def _do(change: Callable[[], object]) -> None:
    try:
        change()
    except InvalidRecord as error:
        st.error(plain(str(error)), icon=":material/error:")
    else:
        st.rerun()


def _history(selection: Selection) -> None:
    changes = rollout_history(selection.workspace, selection.market.market_id)
    if not changes:
        return
    with st.expander(f"{count(len(changes), 'change')}", icon=":material/history:"):
        for one in changes:
            st.markdown(
                f"**{_CHANGES[one.change]}** · {plain(one.reason)}  \n:gray[{plain(one.actor)}, {instant(one.at)}]"
            )
