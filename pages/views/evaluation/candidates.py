"""How the model was chosen: overfitting check, candidates, learning curve, and the cost of each forest size."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from core.evaluate.behavior.overfitting import FitCheck
from core.evaluate.behavior.trade_off import ForestSize, forest_sizes_of, trade_off
from core.evaluate.card.headline import headline_of
from core.train.curve import CurvePoint, more_data_helps
from core.wording import count
from core.workflows.models.retraining import refitted_words
from core.workflows.models.test_scores import fit_of
from pages.kit import navigation
from pages.kit.charts import plot
from pages.kit.figures import box, boxes, card, csv, frame, missing, number, share
from pages.kit.palette import palette
from pages.kit.text import plain
from pages.views.evaluation.model_charts import curve_chart, size_chart
from pages.views.evaluation.selection import Selection
from pages.views.models import card as cards

# Nobody would notice less than this, a twentieth of a percent of the price.
_WORTH_IT: Final = 0.0005


def draw(selection: Selection) -> None:
    """Draw how the model was chosen and whether it was chosen well."""
    with st.container(border=True):
        st.header("Overfitting check", anchor=False)
        _fit(fit_of(selection.workspace, selection.record.model_id), headline_of(selection.record.card)["mape"].n)
    with st.container(border=True):
        st.header("Candidates", anchor=False)
        st.caption(plain(refitted_words(selection.record)))
        _board(cards.scores(selection.record.card["leaderboard"]), "candidates", selection)
    with st.container(border=True):
        st.header("Would more sales help?", anchor=False)
        _curve(selection)
    with st.container(border=True):
        st.header("How large a forest?", anchor=False)
        _forests(selection)


def _validation(selection: Selection) -> str:
    card = selection.record.card
    return plain(f"On validation sales of the {card['split']} split; the test sales did not affect the choice.")


def _fit(found: FitCheck | None, priced: int) -> None:
    """Draw the errors side by side; ``priced`` counts the test sales of the headline, which all got a price."""
    if found is None:
        missing("The model's card has no line for the chosen candidate, so there is nothing to compare the test with.")
        return
    st.markdown(f"**{plain(found.finding)}**")
    with boxes("fit"):
        for label, value in (("Error on training sales", found.train), ("Error on validation sales", found.validation)):
            with box():
                st.metric(label, share(value))
                st.caption("of the chosen candidate")
        card("Error on the sealed test", found.test, share)
    wider = "These figures include test sales for which the desk gives no price; the headline covers only the others. "
    st.caption(
        f"{wider if found.test.n > priced else ''}"
        f"Sealed tests of this market were opened {count(found.opened, 'time')}, once for each trained model: the more "
        "often, the more the chosen model owes to chance."
    )


def _board(board: pd.DataFrame, name: str, selection: Selection) -> None:
    if board.empty:
        missing("The model's card lists no candidates.")
        return
    cards.draw_scores(board, f"board_{name}")
    csv(board, name, selection)


def _curve(selection: Selection) -> None:
    lines = selection.record.card.get("curve", [])
    points = [CurvePoint(**line) for line in lines]
    gain = more_data_helps(tuple(points))
    if gain is None:
        missing(
            "This model was trained without a learning curve: quick trainings and earlier releases leave it out. Train "
            "a new model to see what more sales would gain."
        )
        navigation.link_to("models", "Train a model")
        return
    st.caption(_validation(selection))
    st.markdown(f"**{plain(_gain(gain, points[-1]))}**")
    plot(
        curve_chart(points, selection.problem.success.target_mape, palette()),
        key="curve",
        alt="Line chart: error on training and validation sales by number of training sales; figures in the file",
    )
    st.caption(
        "The winning candidate, fitted on growing parts of its training sales. If the lines are far apart but "
        "converge, more sales help. Dashed: the target."
    )
    csv(pd.DataFrame(lines), "learning-curve", selection)


def _gain(gain: float, last: CurvePoint) -> str:
    """State what one more doubling would gain at the current pace, which slows down: an upper bound."""
    twice = f"{2 * last.rows:,} sales instead of {last.rows:,}"
    if gain <= _WORTH_IT:
        return f"More sales would hardly help: the last doubling no longer lowered the error ({share(last.mape)})."
    return (
        f"More sales would help a little at most: {twice} would lower the error from {share(last.mape)} to "
        f"{share(last.mape - gain)} at best."
        if gain < 10 * _WORTH_IT
        else f"More sales help: {twice} would lower the error from {share(last.mape)} to about "
        f"{share(last.mape - gain)} at the current pace."
    )


def _forests(selection: Selection) -> None:
    search = selection.record.card.get("forest_search", [])
    if not search:
        missing(
            "This run did not compare forests. Train with random forests and a budget for their settings to see what "
            "each size costs."
        )
        navigation.link_to("models", "Train a model")
        return
    st.caption(_validation(selection))
    sizes = forest_sizes_of(selection.record.card)
    if sizes:
        _sizes(sizes, selection)
    else:
        missing(
            "The forests tried differ in more than their number of trees, so the cost of trees alone is unknown. "
            "Train a new model: it compares five sizes of its best forest."
        )
        navigation.link_to("models", "Train a model")
    with st.expander(f"All forest settings tried ({len(search)})", icon=":material/forest:", expanded=not sizes):
        _board(cards.scores(search).drop(columns="Family"), "forest-search", selection)


def _sizes(sizes: tuple[ForestSize, ...], selection: Selection) -> None:
    sentence = trade_off(sizes)
    if sentence:
        st.markdown(f"**{plain(sentence)}**")
    first = sizes[0]
    st.caption(
        plain(
            f"Forests that differ only in their number of trees: depth up to {first.depth}, at least "
            f"{count(first.leaf, 'sale')} per leaf, fitted on {count(first.trained_rows, 'sale')}."
        )
    )
    trees = [one.trees for one in sizes]
    measures = (
        ("error", "Mean error, %", "%", [100 * one.mape for one in sizes]),
        ("memory", "Size, MB", "MB", [one.size_bytes / 1e6 for one in sizes]),
        ("latency", "One estimate, ms", "ms", [one.latency_ms for one in sizes]),
    )
    for place, (name, title, unit, values) in zip(st.columns(3, gap="medium"), measures, strict=True):
        with place:
            plot(
                size_chart(trees, values, title, unit, palette()),
                key=f"forest_{name}",
                alt=f"Line chart: {title} of forests by their number of trees; the figures are in the file below",
            )
    table = pd.DataFrame(
        {
            "Trees": trees,
            "Validation MAPE, %": measures[0][3],
            "Size, MB": measures[1][3],
            "One estimate, ms": measures[2][3],
            "Fit, s": [one.fit_seconds for one in sizes],
        }
    )
    frame(table, "forest_sizes", write={"Validation MAPE, %": number(2)})
    csv(table, "forest-sizes", selection)
