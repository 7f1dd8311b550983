"""What a manager sees first: one sentence, one button, and how the live model does in use."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.evaluate.card.headline import headline_of
from core.monitor.scorecard import Line, Nearer
from core.problem import Problem
from core.store import Market
from core.wording import MISSING, count, percent
from core.workflows.monitoring.scorecard import decisions_beside
from core.workflows.overview import Overview
from core.workflows.pilot.rollout import nobody_has_estimates
from core.workflows.standing import Decided, Standing, Step, decided, standing_of, worst_homes
from core.workspace import Workspace
from pages.kit import figures, navigation
from pages.kit.palette import GOOD, WATCH, palette
from pages.kit.spark import spark
from pages.kit.text import plain

_STEPS: Final[dict[Step, tuple[str, str]]] = {
    Step.UPLOAD: ("sales_data", "Open Sales data"),
    Step.TRAIN: ("models", "Open Models to train"),
    Step.RETRAIN: ("models", "Open Models to retrain"),
    Step.COMPARE: ("models", "Open Models to decide"),
    Step.ALERTS: ("monitoring", "See the alerts"),
    Step.SIGN: ("evaluation", "Open the signature"),
    Step.WATCH: ("monitoring", "See how it does"),
}


def draw(workspace: Workspace, market: Market, seen: Overview) -> None:
    """Draw the sentence with its button, the three tiles, then what fails with the way to it."""
    standing = standing_of(seen, workspace.problem)
    _sentence(standing)
    if held := nobody_has_estimates(workspace, market):
        st.warning(plain(held), icon=":material/block:")
        if st.button("Open the pilot", key="open_pilot", icon=":material/arrow_forward:"):
            navigation.go_to("monitoring", view="Pilot")
    if seen.champion is None:
        return
    with figures.boxes("home"):
        _error(seen, workspace.problem)
        _range(seen)
        _decisions(
            decided(workspace, market.market_id, seen.champion.model_id),
            decisions_beside(workspace, market.market_id, seen.champion.model_id),
        )
    _failing(seen)


def _sentence(standing: Standing) -> None:
    icon = f":{GOOD}[:material/check_circle:]" if standing.good else f":{WATCH}[:material/priority_high:]"
    path, label = _STEPS[standing.step]
    with st.container(border=True):
        st.markdown(f"{icon} **{plain(standing.sentence)}**")
        if st.button(label, key="next_step", type="primary"):
            navigation.go_to(path, **(navigation.SIGNATURE if standing.step is Step.SIGN else {}))


def _tile(label: str, value: str, note: str) -> None:
    st.metric(label, value)
    st.caption(plain(note))


def _error(seen: Overview, problem: Problem) -> None:
    watched, target = seen.watched, problem.success.target_mape
    with figures.box():
        if watched.error is None:
            assert seen.champion is not None
            tested = headline_of(seen.champion.card)["mape"]
            _tile("Error on test sales", percent(tested.value, 1), f"Target: {percent(target)}. No sale in use yet")
            return
        note = f"Target: {percent(target)}. {count(watched.error.n, 'sale')}, each priced before its listing"
        _tile("Error in use", percent(watched.error.value, 1), note)
        by_month = ", ".join(f"{one.label} {percent(one.error, 1)}" for one in watched.months)
        spark("error", [one.error for one in watched.months], f"Mean error by month: {by_month}", palette(), target)
        _ends(seen)


def _range(seen: Overview) -> None:
    watched = seen.watched
    with figures.box():
        if watched.held is None:
            assert seen.champion is not None
            test = headline_of(seen.champion.card)
            held = test["coverage"]
            _tile("Range held", percent(held.value), f"{percent(test.level)} promised. {held.n:,} test sales")
            return
        promised = f"{percent(watched.level)} promised. {count(watched.held.n, 'sale')}, each priced before its listing"
        _tile("Range held", percent(watched.held.value), promised)
        by_month = ", ".join(f"{one.label} {percent(one.held)}" for one in watched.months)
        spark(
            "held", [one.held for one in watched.months], f"Range held by month: {by_month}", palette(), watched.level
        )
        _ends(seen)


def _ends(seen: Overview) -> None:
    months = seen.watched.months
    if len(months) > 1:
        st.caption(f"{months[0].label} to {months[-1].label}")


def _decisions(found: Decided, beside: Line | None) -> None:
    with figures.box():
        value = MISSING if found.share is None else percent(found.share)
        decided_on = f"of {count(found.decisions, 'estimate')} of it that agents decided on"
        note = decided_on if found.decisions else "No agent has decided on it yet"
        _tile("Estimates accepted", value, note)
        if beside is not None:
            st.markdown(plain(_beside(beside)))


def _beside(line: Line) -> str:
    """Say who was closer to the sale price where an agent decided."""
    agents, model = percent(line.agent.value, 1), percent(line.model.value, 1)
    sales = f"{count(line.n, 'sale')} with a decision"
    if line.nearer is Nearer.UNSURE:
        return f"Agents {agents} off the sale price, the model {model}: no sure difference ({sales})."
    closer = "the agents are closer" if line.nearer is Nearer.AGENT else "the model is closer"
    return f"Agents {agents} off the sale price, the model {model}: {closer} ({sales})."


def _failing(seen: Overview) -> None:
    """Draw which homes fail most, and the alerts as a link."""
    alerts = seen.watched.alerts
    if not alerts:
        navigation.link_to("monitoring", "No alert is open: see Monitoring")
        return
    worst = worst_homes(alerts)
    with st.container(border=True):
        if worst:
            st.markdown(f"**Fails most:** {plain(worst)}")
        navigation.link_to("monitoring", f"{count(len(alerts), 'alert')} not resolved: see Monitoring")
