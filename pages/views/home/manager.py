"""What a manager sees first: one sentence, one button, and how the live model does in use."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.evaluate.card.headline import headline_of
from core.monitor.scorecard import Line, Nearer
from core.problem import Problem
from core.store import Market
from core.wording import MISSING, count, percent
from core.workflows.models.gate import SameSales, worse_error, worse_range
from core.workflows.monitoring.scorecard import decisions_beside
from core.workflows.overview import Overview, State, error_state, is_range_off
from core.workflows.pilot.rollout import nobody_has_estimates
from core.workflows.standing import Decided, Standing, decided, standing_for, worst_homes
from core.workspace import Workspace
from pages.kit import figures, navigation
from pages.kit.palette import BAD, GOOD, WATCH, palette
from pages.kit.spark import spark
from pages.kit.text import plain

_LINE_MIN: Final = 2


def draw(workspace: Workspace, market: Market, seen: Overview) -> None:
    """Draw the sentence with its button, the three tiles, then what fails with the way to it."""
    standing = standing_for(workspace.actor, seen, workspace.problem)
    _sentence(standing)
    if held := nobody_has_estimates(workspace, market):
        st.warning(plain(held), icon=":material/block:")
        if st.button("Open the pilot", key="open_pilot", icon=":material/arrow_forward:"):
            navigation.go_to("monitoring", view="Pilot")
    if seen.champion is None:
        return
    with figures.boxes("home"):
        _error(seen, workspace.problem)
        _range(seen, workspace.problem)
        _decisions(
            decided(workspace, market.market_id, seen.champion.model_id),
            decisions_beside(workspace, market.market_id, seen.champion.model_id),
        )
    _failing(seen)


def _sentence(standing: Standing) -> None:
    icon = f":{GOOD}[:material/check_circle:]" if standing.good else f":{WATCH}[:material/priority_high:]"
    path, label = navigation.STEPS[standing.step]
    with st.container(border=True):
        navigation.say_in_parts(icon, standing)
        if standing.mine and st.button(label, key="next_step", type="primary"):
            navigation.go_to(path, **navigation.query_of(standing.step))


def _tile(label: str, value: str, note: str, verdict: str = "") -> None:
    """Draw a figure; a ``verdict`` against it stands before its note, in red as on the page Models."""
    st.metric(label, value)
    st.caption(f":{BAD}[{plain(verdict)}] {plain(note)}" if verdict else plain(note))


def _error(seen: Overview, problem: Problem) -> None:
    watched, target = seen.watched, problem.success.target_mape
    assert seen.champion is not None
    error = watched.error or headline_of(seen.champion.card)["mape"]
    above = error_state(error, problem) is State.BAD
    verdict, beside = (f"Above the target of {percent(target)}.", "") if above else ("", f"Target: {percent(target)}. ")
    with figures.box():
        if watched.error is None:
            _tile("Error on test sales", percent(error.value, 1), f"{beside}No sale in use yet", verdict)
            _later(worse_error(seen.beside, error, problem), seen, problem)
            return
        note = f"{beside}{count(error.n, 'sale')}, each priced before its listing"
        _tile("Error in use", percent(error.value, 1), note, verdict)
        by_month = ", ".join(f"{one.label} {percent(one.error, 1)}" for one in watched.months)
        spark("error", [one.error for one in watched.months], f"Mean error by month: {by_month}", palette(), target)
        _ends(seen, error.n)
        if not above:
            _later(worse_error(seen.beside, error, problem), seen, problem)


def _range(seen: Overview, problem: Problem) -> None:
    watched = seen.watched
    assert seen.champion is not None
    test = headline_of(seen.champion.card)
    held, level = (watched.held, watched.level) if watched.held else (test["coverage"], test.level)
    off = is_range_off(held, level, problem)
    side = "Fewer" if held.value < level else "More"
    verdict, beside = (
        (f"{side} than the {percent(level)} promised.", "") if off else ("", f"{percent(level)} promised. ")
    )
    with figures.box():
        if watched.held is None:
            _tile("Range held", percent(held.value), f"{beside}{held.n:,} test sales", verdict)
            _later_range(worse_range(seen.beside, held, problem), seen)
            return
        note = f"{beside}{count(held.n, 'sale')}, each priced before its listing"
        _tile("Range held", percent(held.value), note, verdict)
        by_month = ", ".join(f"{one.label} {percent(one.held)}" for one in watched.months)
        spark(
            "held", [one.held for one in watched.months], f"Range held by month: {by_month}", palette(), watched.level
        )
        _ends(seen, held.n)
        if not off:
            _later_range(worse_range(seen.beside, held, problem), seen)


def _later(found: SameSales | None, seen: Overview, problem: Problem) -> None:
    """Draw the live model's worse error on later sales, in red if it is surely above the target."""
    if found is not None:
        words = plain(f"{percent(found.error, 1)} for {found.sales(seen.market.currency)}")
        surely = error_state(found.mape, problem) is State.BAD
        _beside_another(f":{BAD}[{words}]" if surely else words)


def _later_range(found: SameSales | None, seen: Overview) -> None:
    if found is not None:
        _beside_another(f":{BAD}[{plain(f'{percent(found.held)} of {found.sales(seen.market.currency)}')}]")


def _beside_another(words: str) -> None:
    st.caption(f"{words}, when another model was compared with it")


def _ends(seen: Overview, n: int) -> None:
    """Name the months of a line, and the sales among all ``n`` that are of earlier ones."""
    months = seen.watched.months
    if len(months) < _LINE_MIN:
        return
    last = months[-1].label if months[-1].over else f"{months[-1].label} so far"
    earlier = n - sum(one.n for one in months)
    before = f"; {count(earlier, 'earlier sale is', 'earlier sales are')} not drawn" if earlier else ""
    st.caption(f"{months[0].label} to {last}{before}")


def _decisions(found: Decided, beside: Line | None) -> None:
    with figures.box():
        value = MISSING if found.share is None else percent(found.share)
        decided_on = f"of its {count(found.decisions, 'estimate')} that agents decided on"
        note = decided_on if found.decisions else "No agent has decided on it yet"
        _tile("Estimates accepted", value, note)
        if beside is not None:
            st.markdown(plain(_beside(beside)))


def _beside(line: Line) -> str:
    """Say who was closer to the sale price where an agent decided."""
    agents, model = percent(line.agent.value, 1), percent(line.model.value, 1)
    sales = f"{count(line.n, 'home')} decided on and sold since"
    if line.nearer is Nearer.UNSURE:
        return f"Agents {agents} off the sale price, the model {model}: no sure difference ({sales})."
    closer = "the agents are closer" if line.nearer is Nearer.AGENT else "the model is closer"
    return f"Agents {agents} off the sale price, the model {model}: {closer} ({sales})."


def _failing(seen: Overview) -> None:
    """Draw which homes fail most, and the alerts as a link."""
    alerts = seen.watched.alerts
    if not alerts:
        missed = ", but confidence is missed" if seen.watched.too_confident else ""
        navigation.link_to("monitoring", f"No alert is open{missed}: see Monitoring")
        return
    worst = worst_homes(alerts)
    with st.container(border=True):
        if worst:
            st.markdown(f"**Fails most:** {plain(worst)}")
        navigation.link_to("monitoring", f"{count(len(alerts), 'alert')} not resolved: see Monitoring")
