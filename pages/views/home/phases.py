"""The seven phases of a market, from the problem to the model in use, with the problem statement."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

import pandas as pd
import streamlit as st

from core.access import Action, may
from core.problem import Problem
from core.schema import label_of
from core.wording import money_range, percent
from core.workflows.overview import NOT_SIGNED, Overview, Phase, State, phases
from core.workspace import Workspace
from pages.kit import navigation
from pages.kit.figures import frame
from pages.kit.palette import BAD, GOOD, NEUTRAL, WATCH, Tone
from pages.kit.text import plain

_LOOKS: Final[dict[State, tuple[Tone, str]]] = {
    State.OPEN: (NEUTRAL, ":material/radio_button_unchecked:"),
    State.GOOD: (GOOD, ":material/check_circle:"),
    State.UNSURE: (WATCH, ":material/help:"),
    State.BAD: (BAD, ":material/warning:"),
}
_IN_A_ROW: Final = 4
FOLD: Final = "how_it_is_made"


def draw(workspace: Workspace, seen: Overview) -> None:
    """Draw the phases and the problem statement, folded; their contents are drawn only when opened."""
    fold = st.expander("How it is made", key=FOLD, icon=":material/flowsheet:", on_change="rerun")
    if not fold.open:
        return
    with fold:
        cards = phases(seen, workspace.problem)
        for start in range(0, len(cards), _IN_A_ROW):
            places = st.columns(_IN_A_ROW, gap="small")
            for place, phase in zip(places, cards[start : start + _IN_A_ROW], strict=False):
                with place.container(border=True, height="stretch"):
                    card(phase)
                    if phase.verdict == NOT_SIGNED and seen.champion and may(workspace.actor, Action.PROMOTE):
                        navigation.sign_here(seen.champion.model_id)
        st.markdown("**The problem statement**")
        statement(workspace.problem)


def card(phase: Phase) -> None:
    """Draw one phase."""
    colour, icon = _LOOKS[phase.state]
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"):
        st.markdown(f"**{phase.number} · {phase.name}**", width="content")
        st.badge(phase.verdict or phase.state.value, icon=icon, color=colour)
    st.caption(plain(phase.deliverable))
    st.markdown(f"**{plain(phase.figure)}**")
    st.caption("  \n".join(plain(fact) for fact in phase.facts) or "\u00a0")


def statement(problem: Problem) -> None:
    """Draw the problem statement in use."""
    st.markdown(f"**Goal.** {plain(problem.goal.business)}")
    st.markdown(f"**Task.** {plain(problem.goal.task)}")
    st.markdown("**Users.** " + plain("; ".join(problem.goal.users)) + ".")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Success and scope**")
        frame(pd.DataFrame(promises(problem), columns=["What", "Value"]), "promises")
    with right:
        st.markdown("**Possible values**, inclusive")
        frame(limits(problem), "limits")


def promises(problem: Problem) -> list[tuple[str, str]]:
    """Return the targets and the scope as pairs of words."""
    success, scope = problem.success, problem.scope
    return [
        ("An estimate is right within", percent(success.tolerance)),
        ("Mean error (MAPE) at most", percent(success.target_mape)),
        ("Answer time promised", f"at most {success.answer_ms:,.0f} ms"),
        ("Alert on slow answers", f"one in twenty over {problem.monitoring.alert_p95_ms:,.0f} ms"),
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
        {"Fact": label_of(name), **{end: _number(name, bound) for end, bound in asdict(limit).items()}}
        for name, limit in problem.limits.items()
    ]
    return pd.DataFrame(rows).rename(columns={"low": "From", "high": "To"})


def _number(name: str, bound: float) -> str:
    return f"{bound:.0f}" if name.startswith("year") else f"{bound:,.2f}".removesuffix(".00")
