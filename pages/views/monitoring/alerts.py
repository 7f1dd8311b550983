"""Alerts: which are open, who is handling them, what to do, and the limits at which they open."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

import pandas as pd
import streamlit as st

from core.access import REASON_ASKED, Action, may
from core.monitor.alerts import opening_words
from core.monitor.rules import AlertKind, Threshold, Unit
from core.monitor.windows import window_named
from core.states import AlertState, Period
from core.store.operations.alerts import AlertRecord
from core.store.operations.thresholds import ThresholdRecord
from core.wording import MISSING, count
from core.workflows.monitoring.alerts import (
    acknowledge,
    reopen,
    resolve,
    unacknowledge,
    watch_market,
    without_next,
)
from core.workflows.monitoring.limits import limit_doubt, limits_of, reset_threshold, set_threshold
from core.workflows.standing import is_next_step, next_for
from pages.kit.figures import frame, missing
from pages.kit.palette import NEUTRAL, NOTED, WATCH, Tone
from pages.kit.text import asks, plain
from pages.views.monitoring.selection import Selection
from pages.views.monitoring.words import (
    CAUSED,
    KINDS,
    act,
    csv,
    first_sentence,
    go_to_view,
    in_order,
    name_of,
    say_what_was_done,
    standing,
    to_next,
    when,
)

_STATES: Final[dict[str, tuple[str, Tone, str]]] = {
    AlertState.OPEN: ("Open", WATCH, ":material/warning:"),
    AlertState.ACKNOWLEDGED: ("Acknowledged", NOTED, ":material/person_check:"),
    AlertState.RESOLVED: ("Resolved", NEUTRAL, ":material/check:"),
}
_WORDS_MAX: Final = 500
_DOUBT: Final = "_limit_asked"


def draw(selection: Selection) -> None:
    """Draw alerts by state, each with its possible actions, then the limits."""
    say_what_was_done()
    alerts = selection.workspace.store.alerts.list(selection.market.market_id)
    _look(selection)
    unresolved = in_order(one for one in alerts if one.is_open)
    if not unresolved:
        st.success("No alert is open.", icon=":material/check_circle:")
    with st.container():
        for one in unresolved:
            _alert(selection, one)
    _resolved(selection, [one for one in alerts if not one.is_open])
    _limits(selection)


def _look(selection: Selection) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if st.button(
            "Check now", icon=":material/search:", key="watch", help="The worker checks automatically every hour."
        ):
            with st.spinner("Reading the latest figures"):
                act(lambda: _watched(selection))
        st.caption(plain(opening_words(selection.problem)))


def _watched(selection: Selection) -> str:
    found = watch_market(selection.workspace, selection.market.market_id)
    return f"Checked: {count(len(found.opened), 'alert')} opened, {len(found.resolved)} resolved."


def _alert(selection: Selection, alert: AlertRecord) -> None:
    """Draw one row: what it is, and one button; all the rest is folded."""
    word, colour, icon = _STATES[alert.state]
    first, currency = alert.document["history"][0], selection.market.currency
    # The key makes the row its alert's: as rows move up, what is open or typed in one must not pass on to the next.
    with st.container(border=True, gap="xsmall", key=f"alert_{alert.alert_id}"):
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown(f"**{plain(name_of(alert))}**", width="content")
            st.badge(word, color=colour, icon=icon)
            if alert.kind in CAUSED:
                st.button(
                    "See the cause",
                    key=f"cause_{alert.alert_id}",
                    on_click=go_to_view,
                    args=("Drift",),
                    icon=":material/troubleshoot:",
                )
        st.markdown(plain(first_sentence(str(first["why"]))))
        if alert.state is AlertState.ACKNOWLEDGED:
            st.markdown(f"**{plain(alert.changed_by)}** is handling it: {plain(alert.why)}")
        if following := _next(selection, alert):
            st.markdown(f"**Next:** {plain(following)}")
        if is_next_step(alert, standing(selection)):
            to_next(selection)
        # Without a key, the fold that was opened would stay open at its place for the alert that moves there.
        fold = f"handle_{alert.alert_id}"
        with st.expander("Handle it", icon=":material/person_check:", key=fold, on_change="rerun"):
            st.caption(
                plain(f"Opened {when(selection, alert.opened_at)} by {first['by']}. {_reading(alert, currency)}")
            )
            cause = str(alert.document["reading"].get("cause") or "")
            if cause:
                st.markdown(plain(cause))
            _forms(selection, alert)
            if len(alert.document["history"]) > 1:
                frame(_history(selection, alert), f"history_{alert.alert_id}")


def _next(selection: Selection, alert: AlertRecord) -> str:
    return next_for(alert, standing(selection))


def _reading(alert: AlertRecord, currency: str) -> str:
    reading = alert.document["reading"]
    if not reading.get("period"):
        return ""
    period = window_named(str(reading["period"]))
    label = period.label_in(currency)
    # What is read on a day, such as an age, is not counted from sales.
    if period.period is Period.DAY:
        return f"Measured on {label}."
    n = reading.get("n")
    return f"Figures for {label}, n = {int(n):,}." if n else f"Figures for {label}."


def _forms(selection: Selection, alert: AlertRecord) -> None:
    if not may(selection.workspace.actor, Action.ACT_ON_ALERTS):
        st.caption("A manager can acknowledge or resolve it.")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        if alert.state is AlertState.OPEN:
            _take_on(selection, alert)
        else:
            _give_back(selection, alert)
    with right:
        _resolve_form(selection, alert)


def _take_on(selection: Selection, alert: AlertRecord) -> None:
    with st.form(f"ack_{alert.alert_id}", border=False):
        why = st.text_input(REASON_ASKED, key=f"why_{alert.alert_id}", max_chars=_WORDS_MAX)
        following = st.text_input(
            "What happens next, if not as advised", key=f"next_{alert.alert_id}", max_chars=_WORDS_MAX
        )
        if st.form_submit_button("Acknowledge", type="primary"):
            act(lambda: _acknowledged(selection, alert, why, following))


def _give_back(selection: Selection, alert: AlertRecord) -> None:
    with st.form(f"unack_{alert.alert_id}", border=False):
        st.caption("Opening it again gives it the next step it had before.")
        why = st.text_input(REASON_ASKED, key=f"back_{alert.alert_id}", max_chars=_WORDS_MAX)
        if st.form_submit_button("Open it again"):
            act(lambda: _given_back(selection, alert, why))


def _resolve_form(selection: Selection, alert: AlertRecord) -> None:
    with st.form(f"res_{alert.alert_id}", border=False):
        st.caption("Once resolved, it opens again only if later periods are beyond the limit.")
        reason = st.text_input(REASON_ASKED, key=f"reason_{alert.alert_id}", max_chars=_WORDS_MAX)
        if st.form_submit_button("Resolve"):
            act(lambda: _closed(selection, alert, reason))


def _acknowledged(selection: Selection, alert: AlertRecord, why: str, following: str) -> str:
    acknowledge(selection.workspace, alert.alert_id, why, following)
    return f"{name_of(alert)}: acknowledged."


def _given_back(selection: Selection, alert: AlertRecord, why: str) -> str:
    unacknowledge(selection.workspace, alert.alert_id, why)
    return f"{name_of(alert)}: open again."


def _closed(selection: Selection, alert: AlertRecord, reason: str) -> str:
    resolve(selection.workspace, alert.alert_id, reason)
    return f"{name_of(alert)}: resolved."


def _history(selection: Selection, alert: AlertRecord) -> pd.DataFrame:
    changes = alert.document["history"]
    # What stands last is what to do now; a change that brought it back may have brought back old advice with it.
    steps = [*(one["next_action"] for one in changes[:-1]), _next(selection, alert)]
    return pd.DataFrame(
        [
            {
                "State": one["state"],
                "When": when(selection, datetime.fromisoformat(one["at"])),
                "By": one["by"],
                "Why": without_next(str(one["why"])),
                "Next": step or MISSING,
            }
            for one, step in zip(changes, steps, strict=True)
        ]
    )


def _resolved(selection: Selection, alerts: list[AlertRecord]) -> None:
    with st.expander(f"Resolved ({len(alerts)})", icon=":material/check:"):
        if not alerts:
            missing("No alert has been resolved yet.")
            return
        table = pd.DataFrame(
            [
                {
                    "Alert": name_of(one),
                    "Opened": when(selection, one.opened_at),
                    "Resolved": when(selection, one.changed_at),
                    "By": one.changed_by,
                    "Why": one.why,
                    "It was": without_next(str(one.document["history"][0]["why"])),
                }
                for one in alerts
            ]
        )
        frame(table, "resolved")
        csv(table, "resolved-alerts", selection)
        by_hand = [one for one in alerts if one.resolved_by_hand]
        if by_hand and may(selection.workspace.actor, Action.ACT_ON_ALERTS):
            _reopen_form(selection, by_hand)


def _reopen_form(selection: Selection, by_hand: list[AlertRecord]) -> None:
    st.caption("An alert that a person resolved can be reopened: it stands as it did before.")
    with st.form("reopen", border=False):
        names = {one.alert_id: f"{name_of(one)}, resolved {when(selection, one.changed_at)}" for one in by_hand}
        chosen = st.selectbox("Alert to reopen", list(names), format_func=names.__getitem__, key="reopen_alert")
        why = st.text_input(REASON_ASKED, key="reopen_why", max_chars=_WORDS_MAX)
        if st.form_submit_button("Reopen"):
            act(lambda: _reopened(selection, next(one for one in by_hand if one.alert_id == chosen), why))


def _reopened(selection: Selection, alert: AlertRecord, why: str) -> str:
    reopen(selection.workspace, alert.alert_id, why)
    return f"{name_of(alert)}: open again."


def _limits(selection: Selection) -> None:
    limits = limits_of(selection.workspace, selection.market.market_id)
    history = selection.workspace.store.thresholds.history(selection.market.market_id)
    changed = selection.workspace.store.thresholds.values(selection.market.market_id)
    with st.container(border=True):
        st.header("Limits", anchor=False)
        st.caption("From the problem statement; a manager may change them for this market.")
        table = pd.DataFrame(
            [
                {
                    "Alert": KINDS[kind.value],
                    "Opens beyond": one.bound(one.value),
                    "Set by": _set_by(selection, history, kind) if kind.value in changed else "problem statement",
                    "After": f"{one.periods} months of {one.n_min} or more" if one.n_min else "at once",
                    "May be set": f"{one.bound(one.low)} to {one.bound(one.high)}",
                    "Why there is a limit": one.why,
                }
                for kind, one in limits.items()
            ]
        )
        frame(table, "limits")
        if may(selection.workspace.actor, Action.ACT_ON_ALERTS):
            _change(selection, limits, changed)
        if history:
            with st.expander(f"Changes ({len(history)})", icon=":material/history:"):
                frame(_limit_changes(selection, history, limits), "limit_changes")


def _set_by(selection: Selection, history: list[ThresholdRecord], kind: AlertKind) -> str:
    """Say who set a limit last, when and why."""
    last = max((one for one in history if one.name == kind.value), key=lambda one: one.at, default=None)
    if last is None:
        return "a manager"
    why = f": “{last.reason}”" if last.reason else ""
    return f"{last.actor}, {when(selection, last.at)}{why}"


def _limit_changes(
    selection: Selection, history: list[ThresholdRecord], limits: Mapping[AlertKind, Threshold]
) -> pd.DataFrame:
    units = {kind.value: one for kind, one in limits.items()}
    return pd.DataFrame(
        [
            {
                "Alert": KINDS.get(one.name, one.name),
                "Limit": _limit_written(one, units.get(one.name)),
                "When": when(selection, one.at),
                "By": one.actor,
                "Why": one.reason,
            }
            for one in history
        ]
    )


def _limit_written(change: ThresholdRecord, unit: Threshold | None) -> str:
    if change.value is None:
        return "reset to the problem statement"
    return unit.bound(change.value) if unit else f"{change.value:g}"


def _change(selection: Selection, limits: Mapping[AlertKind, Threshold], changed: Collection[str]) -> None:
    with st.expander("Change a limit", icon=":material/tune:"):
        kind = st.selectbox(
            "Alert", list(limits), format_func=lambda one: KINDS[one.value], key="limit_kind", width=340
        )
        one = limits[kind]
        # No form: what is typed next takes the answer to the last press away.
        with st.container(key=f"limit_{kind.value}"):
            scale = 100.0 if (fraction := one.unit in (Unit.SHARE, Unit.POINTS)) else 1.0
            unit = {
                Unit.SHARE: "%",
                Unit.POINTS: "points",
                Unit.MILLISECONDS: "ms",
                Unit.DAYS: "days",
                Unit.COUNT: "number",
            }[one.unit]
            value = st.number_input(
                # What is beyond the bounds is refused with their names, as in any other place.
                f"Limit, {unit} ({one.low * scale:g} to {one.high * scale:g})",
                value=float(one.value * scale),
                step=0.5 if fraction else 1.0,
                format="%.1f" if fraction else "%.0f",
                # A field of its own once a limit is set: after a reset it starts from the problem statement's again.
                key=f"limit_value_{kind.value}{'_set' if kind.value in changed else ''}",
                width=200,
            )
            reason = st.text_input(REASON_ASKED, key=f"limit_why_{kind.value}", max_chars=_WORDS_MAX)
            with st.container(horizontal=True, gap="small"):
                setting = st.button("Set this limit", key="set_limit", type="primary")
                resetting = kind.value in changed and st.button("Reset to the problem statement", key="reset_limit")
            if setting and not asks(_DOUBT, (limit_doubt(limits, kind, float(value) / scale),)):
                act(lambda: _set(selection, kind, float(value) / scale, reason))
            if resetting:
                act(lambda: _reset(selection, kind, reason))


def _set(selection: Selection, kind: AlertKind, value: float, reason: str) -> str:
    set_threshold(selection.workspace, selection.market.market_id, kind, value, reason)
    return f"The limit of “{KINDS[kind.value]}” is set. Alerts that only the limit before it opened or resolved follow."


def _reset(selection: Selection, kind: AlertKind, reason: str) -> str:
    reset_threshold(selection.workspace, selection.market.market_id, kind, reason)
    return f"The limit of “{KINDS[kind.value]}” is the problem statement’s again, and alerts stand as it has them."
