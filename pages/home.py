"""The page “Home”: two ways to begin on first start, then the seven phases of the open market at a glance."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final, Literal

import pandas as pd
import streamlit as st

from core.access import Action, may
from core.problem import Problem
from core.store import Market
from core.wording import money_range, percent
from core.workflows.overview import Phase, State, attention, overview, phases
from core.workspace import Workspace
from pages.kit import navigation, session
from pages.kit.text import plain
from pages.views.home import first_start

_Colour = Literal["gray", "green", "orange", "red"]
_LOOKS: Final[dict[State, tuple[_Colour, str]]] = {
    State.OPEN: ("gray", ":material/radio_button_unchecked:"),
    State.GOOD: ("green", ":material/check_circle:"),
    State.UNSURE: ("orange", ":material/help:"),
    State.BAD: ("red", ":material/warning:"),
}
_IN_A_ROW: Final = 4


def main(workspace: Workspace) -> None:
    """Draw the two ways to begin while there are no sales or the demo city is opening, else the phases."""
    first_start.go_in_when_ready()
    market = session.market()
    job = first_start.demo_under_way()
    if market is None or not has_sales(workspace) or (job is not None and market.simulated):
        first_start.doors(workspace, job)
        return
    problem = workspace.problem
    st.title("Home")
    st.markdown(f"**{plain(session.title_of(market))}** in seven phases, from the problem to the model in use.")
    glance(workspace, market)
    with st.expander("The problem statement", icon=":material/flag:"):
        statement(problem)


def has_sales(workspace: Workspace) -> bool:
    """Tell whether any market holds sales."""
    return any(
        workspace.store.versions.latest(market.market_id) is not None for market in workspace.store.markets.list()
    )


def glance(workspace: Workspace, market: Market) -> None:
    """Draw what needs attention, the seven cards and the next steps."""
    seen = overview(workspace, market)
    for sentence in attention(seen, workspace.problem):
        st.warning(plain(sentence), icon=":material/priority_high:")
    if market.simulated and seen.champion is None:
        with st.container(border=True):
            first_start.demo_door(workspace, None, "Resume opening it")
    cards = phases(seen, workspace.problem)
    for start in range(0, len(cards), _IN_A_ROW):
        places = st.columns(_IN_A_ROW, gap="small")
        row = cards[start : start + _IN_A_ROW]
        for place, phase in zip(places, row, strict=False):
            with place.container(border=True, height="stretch"):
                card(phase)
        for place in places[len(row) :]:
            with place.container(border=True, height="stretch"):
                ways_on(workspace)


def card(phase: Phase) -> None:
    """Draw one phase."""
    colour, icon = _LOOKS[phase.state]
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"):
        st.markdown(f"**{phase.number} · {phase.name}**", width="content")
        st.badge(phase.verdict or phase.state.value, icon=icon, color=colour)
    st.caption(plain(phase.deliverable))
    st.subheader(plain(phase.figure), anchor=False)
    st.caption("  \n".join(plain(fact) for fact in phase.facts) or "\u00a0")


def ways_on(workspace: Workspace) -> None:
    """Draw links to this role's next steps."""
    st.markdown("**Next steps**")
    navigation.link_to("pricing", "Price a home")
    if may(workspace.actor, Action.VIEW_DATA):
        navigation.link_to("sales_data", "Bring in sales")
    if may(workspace.actor, Action.VIEW_MODELS):
        navigation.link_to("models", "Train and compare")


def statement(problem: Problem) -> None:
    """Draw the problem statement in use."""
    st.markdown(f"**Goal.** {plain(problem.goal.business)}")
    st.markdown(f"**Task.** {plain(problem.goal.task)}")
    st.markdown("**Users.** " + plain("; ".join(problem.goal.users)) + ".")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Success and scope**")
        st.dataframe(pd.DataFrame(promises(problem), columns=["What", "Value"]), hide_index=True, height="content")
    with right:
        st.markdown("**Possible values**, inclusive")
        st.dataframe(limits(problem), hide_index=True, height="content")


def promises(problem: Problem) -> list[tuple[str, str]]:
    """Return the targets and the scope as pairs of words."""
    success, scope = problem.success, problem.scope
    return [
        ("An estimate is right within", percent(success.tolerance)),
        ("Mean error (MAPE) at most", percent(success.target_mape)),
        ("Answer time at most", f"{success.answer_ms:g} ms"),
        *(
            (f"Standard prices, {currency}", money_range(price.standard_low, price.standard_high, currency))
            for currency, price in scope.price.items()
        ),
        (
            "Standard prices elsewhere",
            f"{percent(scope.elsewhere.low_quantile)} to "
            f"{percent(scope.elsewhere.high_quantile)} of the market's own prices",
        ),
        ("Homes", ", ".join(scope.residential_types).replace("_", " ")),
        ("Always reviewed by a person", ", ".join(scope.unusual_types).replace("_", " ")),
        ("Dwelling units at most", str(scope.units_max)),
        ("Range shown first", percent(problem.estimate.level)),
        ("Retrain after", f"{problem.monitoring.retrain_days} days"),
    ]


def limits(problem: Problem) -> pd.DataFrame:
    """Return the bounds of each field as text, years without thousands separators."""
    rows = [
        {"Fact": name.replace("_", " "), **{end: _number(name, bound) for end, bound in asdict(limit).items()}}
        for name, limit in problem.limits.items()
    ]
    return pd.DataFrame(rows).rename(columns={"low": "From", "high": "To"})


def _number(name: str, bound: float) -> str:
    return f"{bound:.0f}" if name.startswith("year") else f"{bound:,g}"


main(session.guard(""))
