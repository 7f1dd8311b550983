"""The scorecard: model and agent compared with the sale price, and how listings performed."""

from __future__ import annotations

import math
from typing import Final

import pandas as pd
import streamlit as st

from core.evaluate.accuracy import Figure
from core.monitor.scorecard import Effect, Line, Scorecard, gap
from core.wording import count, points
from core.workflows.monitoring.scorecard import MarketScorecard, OfficesCompared, scorecard_of
from pages.kit import navigation
from pages.kit.charts import share_chart
from pages.kit.choice import one_of
from pages.kit.figures import FEW, boxes, card, frame, in_cell, missing, share
from pages.kit.palette import palette
from pages.kit.text import plain
from pages.views.monitoring.selection import Selection, compute_once, source
from pages.views.monitoring.words import chart, csv

_GROUPS: Final = ("By decision", "By reason", "By office")


def draw(selection: Selection) -> None:
    """Draw who was closer, by group, then the outcomes of the listings."""
    source(selection)
    found = compute_once(selection, "scorecard", _found)
    _nearer(selection, found.card, found.of_models_before)
    _effects(selection, found.card)
    _offices(selection, found.offices)


def _found(selection: Selection) -> MarketScorecard:
    return scorecard_of(selection.workspace, selection.market.market_id, selection.where.since, selection.where.until)


def _nearer(selection: Selection, found: Scorecard, of_models_before: str) -> None:
    with st.container(border=True):
        st.header("Who was closer to the sale price?", anchor=False)
        if found.overall is None:
            missing("No home with an agent's decision sold on these days. Decide on estimates, then upload sales.")
            navigation.link_to("pricing", "Price a home")
            return
        line = found.overall
        st.markdown(f"**{plain(_sentence(line))}**")
        if of_models_before:
            st.caption(plain(of_models_before))
        with boxes("scorecard"):
            card("The model’s mean error", line.model, share)
            card("The agents’ mean error", line.agent, share)
            card("Saved by the agents", line.saved, points)
            card("Agent closer, where they differ", line.agent_nearer, share)
        chosen = one_of("Lines", _GROUPS, "lines", _GROUPS[0])
        lines = dict(zip(_GROUPS, (found.decisions, found.reasons, found.offices), strict=True))[chosen]
        if not lines:
            missing("No decision on these sales names one.")
            return
        st.caption("Error saved by the agent, in points of the sale price; left of 0, the model was closer.")
        table = pd.DataFrame([_row(one) for one in lines])
        chart(
            share_chart(
                [one.label.capitalize() if one.by == "decision" else one.label for one in lines],
                [(one.saved.value, one.saved.low, one.saved.high) for one in lines],
                "Saved by the agent, points",
                palette(),
            ).update_xaxes(rangemode="normal", zeroline=True),
            "lines",
            "Dot chart: error the agents saved, with intervals; the figures are in the table below",
        )
        frame(table, "lines")
        csv(
            pd.DataFrame([_flat(one) for one in (line, *found.decisions, *found.reasons, *found.offices)]),
            "scorecard",
            selection,
        )


def _sentence(line: Line) -> str:
    words = {
        "model": "the model was closer on average",
        "agent": "the agents were closer on average",
        "no sure difference": "neither was significantly closer on average",
    }[line.nearer.value]
    return f"On {count(line.n, 'sale')} with a decision, {words}."


def _row(one: Line) -> dict[str, object]:
    return {
        "Group": one.label.capitalize() if one.by == "decision" else one.label,
        "Sales": one.n,
        "Note": FEW if one.thin else "",
        "Model’s error, %": round(100 * one.model.value, 1),
        "Agent’s error, %": round(100 * one.agent.value, 1),
        "Saved, points": in_cell(100 * one.saved.value, 100 * one.saved.low, 100 * one.saved.high),
        "Agent closer, %": round(100 * one.agent_nearer.value, 0),
        "Model’s bias, %": round(100 * one.model_bias.value, 1),
        "Agent’s bias, %": round(100 * one.agent_bias.value, 1),
        "Closer": one.nearer.value,
    }


def _flat(one: Line) -> dict[str, object]:
    found: dict[str, object] = {"by": one.by or "all", "segment": one.segment, "label": one.label, "n": one.n}
    for name in ("model", "agent", "saved", "agent_nearer", "model_bias", "agent_bias"):
        figure = getattr(one, name)
        found |= {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}
    return found | {"nearer": one.nearer.value, "few_sales": one.thin}


def _effects(selection: Selection, found: Scorecard) -> None:
    if found.overall is None:
        return
    with st.container(border=True):
        st.header("Listings that followed the estimate, and those that did not", anchor=False)
        st.warning(plain(found.warning), icon=":material/info:")
        if not found.effects:
            missing(
                "These days have no accepted and overridden listings with list dates or first list prices to compare."
            )
            return
        _draw_effects(found.effects, "effects", selection)


def _offices(selection: Selection, found: OfficesCompared) -> None:
    with st.container(border=True):
        st.header("Offices with estimates and the others", anchor=False)
        if not found.effects:
            missing(found.words)
            return
        st.markdown(plain(found.words))
        st.warning(plain(found.warning), icon=":material/info:")
        _draw_effects(found.effects, "offices_compared", selection)
        st.caption("First list prices are known only where an agent decided, so price cuts are not compared here.")


def _draw_effects(effects: tuple[Effect, ...], name: str, selection: Selection) -> None:
    for one in effects:
        st.markdown(f"- {plain(one.words)}")
    table = pd.DataFrame([effect_row(one) for one in effects])
    frame(table, name)
    csv(table, name, selection)


def effect_row(one: Effect) -> dict[str, object]:
    """Return a comparison of two groups as a row of a table."""
    scale = 100.0 if one.unit == "share" else 1.0
    return {
        "Outcome": one.label + (", %" if one.unit == "share" else ", days"),
        one.first.capitalize(): round(scale * one.first_value.value, 1),
        f"n {one.first}": one.first_value.n,
        one.second.capitalize(): round(scale * one.second_value.value, 1),
        f"n {one.second}": one.second_value.n,
        "Difference": difference(one.difference, one.unit),
        "Note": FEW if one.thin else "",
    }


def difference(found: Figure, unit: str) -> str:
    """Write a difference with its interval in one cell: "−1.6 days (−8.4 to 5.1)"."""
    written = gap(found.value, unit)
    if not math.isfinite(found.low + found.high):
        return written
    scale = 100.0 if unit == "share" else 1.0
    return f"{written} ({scale * found.low:.1f} to {scale * found.high:.1f})".replace("-", "−")
