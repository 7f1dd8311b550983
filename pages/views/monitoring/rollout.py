"""Which offices have estimates, and the forms with which a manager starts, widens and stops the pilot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

import pandas as pd
import streamlit as st

from core.access import REASON_ASKED, Action, may
from core.errors import InvalidRecord, ReasonNeeded
from core.states import Group
from core.store.operations.rollouts import OfficePlan, Rollout
from core.wording import count, day_form, market_day
from core.workflows.pilot.doubts import doubts_of_adding, doubts_of_stopping
from core.workflows.pilot.rollout import (
    add_offices,
    as_known,
    change_words,
    end_pilot,
    is_for_everyone,
    rollout_history,
    rollout_of,
    rollout_words,
    stop_offices,
    take_back_change,
    whose_day,
)
from core.workflows.pricing.answers import offices
from pages.kit.choice import FIRST_DAY, LAST_DAY
from pages.kit.figures import frame
from pages.kit.text import asks, plain
from pages.views.monitoring.selection import Selection
from pages.views.monitoring.words import act, say_what_was_done, when

_ASKED: Final = "_rollout_asked"
_STOPPING: Final = "_rollout_stopping"
_GROUPS: Final = {
    Group.PILOT: "Pilot: has estimates from the start on",
    Group.CONTROL: "Control: compared with, and waits for its start",
    Group.EVERYONE: "Everyone else: all offices not named",
}


def draw(selection: Selection) -> None:
    """Draw who has estimates, what can be changed, and what was."""
    workspace, market_id = selection.workspace, selection.market.market_id
    rollout = rollout_of(workspace, market_id)
    say_what_was_done()
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
            if rollout is not None and not is_for_everyone(rollout, selection.clock):
                _end(selection)
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
    with st.expander("Start a pilot" if rollout is None else "Add offices", icon=":material/add:"):
        if rollout is None:
            st.caption(
                "From the start on only the offices named here have estimates. All others, and agents whose account "
                "names no office, have none until they are added."
            )
        if known := offices(selection.workspace, selection.market.market_id):
            st.caption(plain(f"Offices that have had an estimate: {', '.join(known)}."))
        group = st.radio("Group", list(_GROUPS), format_func=lambda one: _GROUPS[one], key="rollout_group")
        with st.form("rollout_add", border=False):
            _add_form(selection, rollout, known, group)


def _add_form(selection: Selection, rollout: Rollout | None, known: Sequence[str], group: Group) -> None:
    # After each change the fields are new ones: nothing is left to be pressed again.
    made = len(rollout_history(selection.workspace, selection.market.market_id))
    new = f"_{made}" if made else ""
    names = ""
    if group != Group.EVERYONE:
        names = st.text_area(
            "Offices, one a line",
            key=f"rollout_names{new}",
            height=80,
            help="As the offices' accounts and keys name them.",
        )
    waits = group == Group.CONTROL
    starts = st.date_input(
        "Start (empty: no date yet)" if waits else "Start",
        # A control has no estimates before its start.
        None if waits else selection.clock,
        FIRST_DAY,
        LAST_DAY,
        key="rollout_start_control" if waits else "rollout_start",
        help=plain(whose_day(selection.market, selection.clock)),
        format=day_form(selection.market.currency),
    )
    reason = st.text_input(REASON_ASKED, key=f"rollout_add_reason{new}")
    label = "Add them as control" if waits else "Give them estimates"
    if not st.form_submit_button(label, type="primary", icon=":material/add:"):
        return
    named = [""] if group == Group.EVERYONE else [one for one in names.splitlines() if one.strip()]
    plans = [OfficePlan(one, group, starts) for one in named]
    if not asks(_ASKED, doubts_of_adding(selection.workspace, selection.market, plans, known)):
        held = [one.office for one in rollout.offices] if rollout else []
        added = "Everyone else" if group == Group.EVERYONE else ", ".join(as_known(named, [*held, *known]))
        _do(lambda: add_offices(selection.workspace, selection.market.market_id, plans, reason), f"Added: {added}.")


def _end(selection: Selection) -> None:
    """Draw how a pilot ends well: everyone has estimates, and its report stays."""
    with (
        st.expander("End the pilot: everyone has estimates", icon=":material/done_all:"),
        st.form("rollout_end", border=False),
    ):
        today = market_day(selection.clock, selection.market.currency)
        st.caption(plain(f"From {today} on every office has estimates. What came of the pilot until then stays."))
        reason = st.text_input(REASON_ASKED, key="rollout_end_reason")
        if st.form_submit_button("End the pilot", icon=":material/done_all:"):
            _do(
                lambda: end_pilot(selection.workspace, selection.market.market_id, reason),
                "The pilot has ended: every office has estimates.",
            )


def _stop(selection: Selection, rollout: Rollout | None) -> None:
    workspace, market_id = selection.workspace, selection.market.market_id
    if rollout is None:
        with st.expander("Stop estimates for all offices", icon=":material/block:"):
            _stop_form(selection, rollout)
        return
    with st.expander("Stop, or take back the last change", icon=":material/block:"):
        if rollout.offices:
            _stop_form(selection, rollout)
        with st.form("rollout_back", border=False):
            why = st.text_input(f"To take it back: {REASON_ASKED.lower()}", key="rollout_back_reason")
            if st.form_submit_button("Take back the last change", icon=":material/undo:"):
                _do(lambda: take_back_change(workspace, market_id, why), "The last change is taken back.")


def _stop_form(selection: Selection, rollout: Rollout | None) -> None:
    workspace, market_id = selection.workspace, selection.market.market_id
    with st.form("rollout_stop", border=False):
        named = [one.office for one in rollout.offices if one.office] if rollout else []
        keep: Sequence[str] = ()
        if named:
            keep = st.multiselect(
                "Offices that keep their place",
                named,
                key="rollout_keep",
                help="Agents of all other offices get no more estimates. What they got stays, in the report too.",
            )
        reason = st.text_input(f"To stop: {REASON_ASKED.lower()}", key="rollout_stop_reason")
        label = "Stop all other offices" if named else "Stop estimates for all offices"
        if st.form_submit_button(label, icon=":material/block:") and not asks(_STOPPING, doubts_of_stopping(keep)):
            _do(lambda: stop_offices(workspace, market_id, keep, reason), "Stopped.")


def _do(change: Callable[[], object], done: str) -> None:
    try:
        change()
    except (InvalidRecord, ReasonNeeded) as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    act(lambda: done)


def _history(selection: Selection) -> None:
    changes = rollout_history(selection.workspace, selection.market.market_id)
    if not changes:
        return
    with st.expander(f"{count(len(changes), 'change')}", icon=":material/history:"):
        for one in changes:
            by = f"{plain(one.actor)}, {when(selection, one.at)}"
            change = change_words(one, selection.clock)
            st.markdown(f"**{change}** · {plain(one.reason)}  \n:gray[{by}]")
