"""Agents' decisions on the estimates, compared with the test's figures."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from core.evaluate.accuracy import Figure
from core.evaluate.agent_decisions import AgentDecisions, DecisionShare
from core.evaluate.headline import headline
from core.wording import count
from core.workflows.models.explanations import agent_decisions_of
from pages.kit import navigation
from pages.kit.charts import plot, share_chart
from pages.kit.choice import one_of
from pages.kit.figures import STAGES, between, boxes, card, csv, lean, missing, share
from pages.kit.palette import palette
from pages.kit.text import plain
from pages.views.evaluation.selection import Selection, compute_once

_THIS: Final = "This model"
_ALL: Final = "All models"
_BESIDE: Final = ("mape", "ppe10", "bias")


def draw(selection: Selection) -> None:
    """Draw agents' decisions on one model's or all estimates of the market, and the test's figures."""
    with st.container(border=True):
        st.header("What agents decided", anchor=False)
        chosen = one_of("Estimates of", (_THIS, _ALL), "estimates", _THIS)
        model_id = None if chosen == _ALL else selection.record.model_id
        found = agent_decisions_of(selection.workspace, selection.market.market_id, model_id)
        st.caption(_from(selection, chosen == _ALL))
        _decisions(found, selection)
    _beside(selection)


def _from(selection: Selection, every: bool) -> str:
    if every:
        return plain(
            f"Decisions recorded on all models' estimates for {selection.market.name}; the latest on each estimate."
        )
    return plain(
        f"Decisions recorded on the estimates of model {selection.record.model_id} "
        f"({STAGES[selection.record.stage]}), trained on data version "
        f"{selection.record.card['data_version']}, in live use; the latest on each estimate."
    )


def _decisions(found: AgentDecisions, selection: Selection) -> None:
    if not found.decided:
        missing(
            f"{found.finding} Agents decide on an estimate below its price range: accept, adjust within the range, or "
            "override with a reason."
        )
        navigation.link_to("pricing", "Price a home")
        return
    st.markdown(f"**{plain(found.finding)}**")
    if found.few:
        st.caption("There are fewer than 30 decisions, so these shares are only hints.")
    with boxes("verdicts"):
        card("Estimates decided on", found.decided_share, share)
        for one in found.kinds:
            card(one.label, one.share, share)
        card("Mean change where changed", found.departure, lean)
    if found.size.n:
        interval = between(found.size.low, found.size.high, share)
        st.caption(plain(f"In either direction, the average change was {share(found.size.value)} ({interval})."))
    csv(_lines(found), "verdicts", selection)
    st.markdown("**Why prices were changed**")
    if not found.reasons:
        st.caption("No estimate was adjusted or overridden, so there are no reasons to count.")
        return
    st.caption(f"Shares of the {count(found.departure.n, 'estimate')} changed, with 95% intervals.")
    plot(
        share_chart(
            [one.label for one in found.reasons],
            [(one.share.value, one.share.low, one.share.high) for one in found.reasons],
            "Share of changed estimates, %",
            palette(),
        ),
        key="reasons",
        alt="Bar chart: how often each reason was given for changing an estimate; figures in the file below",
    )
    csv(pd.DataFrame([_line(one) for one in found.reasons]), "reasons", selection)


def _beside(selection: Selection) -> None:
    with st.container(border=True):
        st.header("What the test says about the same model", anchor=False)
        found = compute_once(selection, "headline", headline)
        if found is None:
            missing("The desk would have priced none of the test sales, so there are no figures to compare with.")
            return
        with boxes("verdicts_beside"):
            for name in _BESIDE:
                line = found.line(name)
                card(line.label, line.figure, lean if name == "bias" else share)
        st.caption(
            "If the test passes but agents override, they see something that the model does not. If the test fails but "
            "agents accept, they trust the model too much."
        )


def _lines(found: AgentDecisions) -> pd.DataFrame:
    changes = (("Mean change where changed", found.departure), ("Mean size of a change", found.size))
    return pd.DataFrame(
        [
            _figure("Estimates decided on", found.decided, found.decided_share),
            *(_line(one) for one in found.kinds),
            *(_figure(name, figure.n, figure) for name, figure in changes),
        ]
    )


def _line(one: DecisionShare) -> dict[str, object]:
    return _figure(one.label, one.n, one.share)


def _figure(name: str, n: int, figure: Figure) -> dict[str, object]:
    return {"figure": name, "estimates": n, "value": figure.value, "low_95": figure.low, "high_95": figure.high}
