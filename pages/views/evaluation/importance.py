"""What moves the estimates: importance of facts on unseen sales, the effect of one fact, and a driver summary."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.errors import DoorstepError, NotFound
from core.evaluate.behavior.partial_dependence import PartialEffect
from core.schema import label_of
from core.serve import words
from core.wording import count
from core.workflows.models.driver_summary import driver_summary
from core.workflows.models.explanations import Explainer
from pages.kit import errors, session
from pages.kit.charts import plot
from pages.kit.choice import on_offer
from pages.kit.figures import between, csv, frame, lean, missing
from pages.kit.palette import palette
from pages.kit.text import plain
from pages.views.evaluation.model_charts import effect_chart
from pages.views.evaluation.selection import Selection, compute_once, explainer
from pages.views.models import card as cards


def draw(selection: Selection) -> None:
    """Draw the importances on the model's card, then effects and drivers, which need the model itself."""
    lines = selection.record.card.get("importance", [])
    with st.container(border=True):
        st.header("Which facts matter", anchor=False)
        _importance(lines, selection)
    try:
        opened = explainer(selection)
    except NotFound as error:
        missing(str(error))
        return
    except DoorstepError as error:
        errors.show(error)
        return
    with st.container(border=True):
        st.header("The effect of one fact", anchor=False)
        _effect(opened, lines, selection)
    with st.container(border=True):
        st.header("Driver summary", anchor=False)
        _summary(opened, selection)


def _importance(lines: list[dict[str, Any]], selection: Selection) -> None:
    st.caption(
        "How much the mean error rises when a fact is shuffled among validation sales, which the model was not "
        "trained on."
    )
    if not any(line["rise"] > 0 for line in lines):
        missing("Shuffling no fact raises the error: the model has learned nothing from its facts.")
        return
    plot(
        cards.importance_chart(lines, palette()),
        key="importance",
        alt="Bar chart: rise of the error when each fact is shuffled; figures in the file below",
    )
    csv(pd.DataFrame(lines), "importance", selection)


@st.fragment
def _effect(opened: Explainer, lines: list[dict[str, Any]], selection: Selection) -> None:
    session.use_names()
    facts = opened.facts
    if not facts:
        missing("No fact of these homes varies, so there is no effect to show.")
        return
    weight = {line["fact"]: line["rise"] for line in lines}
    most = max(facts, key=lambda fact: weight.get(fact, 0.0))
    fact = st.selectbox(
        "Fact",
        list(facts),
        facts.index(most),
        format_func=label_of,
        key="fact",
        bind="query-params",
        width=300,
    )
    fact = on_offer(fact, facts, most)
    effect = compute_once(selection, f"effect of {fact}", lambda *_: opened.partial(fact))
    market, is_words = selection.market, isinstance(effect.values[0], str)
    names = [_display_value(fact, value, selection) for value in effect.values]
    reference = words.fact_value(fact, effect.reference, market)
    st.caption(
        plain(
            f"The same {count(effect.homes, 'home')} from its training sales, priced again with each value, compared "
            f"with {label_of(fact).lower()} {reference}. {'Lines' if is_words else 'The band'}: the middle 80% of them."
        )
    )
    plot(
        effect_chart(effect, names, words.labelled(fact, market), palette()),
        key=f"effect_{fact}",
        alt=f"Chart: change of the estimate with {label_of(fact).lower()}; the figures are in the file below",
    )
    st.caption("All other facts stay the same, even related ones, so read the ends with care.")
    csv(_effect_lines(effect, names, selection), f"effect-of-{fact}", selection)


def _display_value(fact: str, value: float | str, selection: Selection) -> float | str:
    """Write a value for the axis: a number in the market's unit, or text."""
    if isinstance(value, str):
        return words.fact_value(fact, value, selection.market)
    return words.shown(fact, value, selection.market)


def _effect_lines(effect: PartialEffect, names: list[float | str], selection: Selection) -> pd.DataFrame:
    return pd.DataFrame(
        {
            words.labelled(effect.fact, selection.market): names,
            "mean_change": effect.mean,
            "low_80": effect.low,
            "high_80": effect.high,
            "homes": effect.homes,
        }
    )


def _summary(opened: Explainer, selection: Selection) -> None:
    found = compute_once(selection, "drivers in short", lambda scored, _: driver_summary(opened, scored))
    if not found:
        missing("The desk would have priced none of these sales, so there are no drivers to summarize.")
        return
    st.caption(
        f"From the typical home nearby to the estimate, over {count(found[0].homes, 'test sale')} drawn at random, as "
        "shares of the estimate. To see the drivers of one sale, check it under “Where it fails”."
    )
    table = pd.DataFrame(
        {
            "Facts": [one.group.value.capitalize() for one in found],
            "Moves it by, %": [round(100 * one.size, 1) for one in found],
            "Middle 80%": [between(one.low, one.high, lean) for one in found],
            "Raises the price of, % of homes": [round(100 * one.adds) for one in found],
        }
    )
    frame(table, "driver_summary")
    csv(table, "driver-summary", selection)
