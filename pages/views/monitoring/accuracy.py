"""Accuracy of the estimates as given: bias, coverage and confidence over time, and errors by group."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from core.store.ledger.figures import Basis
from core.wording import count, percent
from core.workflows.data.outcomes import estimates_left_out, sales_left_out
from core.workflows.monitoring.figures import Accuracy, accuracy_by
from pages.kit import navigation
from pages.kit.charts import intervals
from pages.kit.choice import one_of
from pages.kit.figures import FEW, fields, frame, missing, with_ends
from pages.kit.palette import palette
from pages.kit.text import plain
from pages.views.monitoring import charts
from pages.views.monitoring.selection import (
    BASES,
    PARTS,
    UNKNOWN,
    Selection,
    compute_once,
    compute_once_per_sale_data,
    errors_of,
    narrow,
)
from pages.views.monitoring.words import NO_SALES_YET, chart, csv

_SHOWN: Final = 12
_HEADS: Final = {
    "mape": "Mean error, %",
    "mean_error": "Mean signed error, %",
    "ppe10": "Within 10%, %",
    "coverage": "Inside the range, %",
}


def draw(selection: Selection) -> None:
    """Draw the figures over time, then by group."""
    selection = narrow(selection)
    with fields("basis"):
        word = st.selectbox(
            "Estimates",
            list(BASES),
            0,
            key="basis",
            bind="query-params",
            width=200,
            help="Blind: the last estimate before the home was listed, made without its list price. All that count: "
            "also those made with the list price. Every estimate: also earlier ones of the same home.",
        )
    basis = BASES.get(word or "", "blind")
    found = errors_of(selection, basis)
    if left_out := estimates_left_out(selection.workspace, selection.market.market_id):
        st.caption(plain(left_out))
    if too_late := compute_once(selection, "too_late", lambda one: sales_left_out(one.workspace, one.market.market_id)):
        st.caption(plain(too_late))
    if found.periods.empty:
        with st.container(border=True):
            missing(NO_SALES_YET)
            navigation.link_to("sales_data", "Bring in sales")
        return
    _over_time(selection, found)
    _by_group(selection, basis)


def _over_time(selection: Selection, found: Accuracy) -> None:
    table, colours = found.periods, palette()
    with st.container(border=True):
        st.header("Over time", anchor=False)
        st.caption(f"By date of sale; bands are 95% intervals; {count(int(found.total['n']), 'sale')}.")
        _thin(selection, table)
        promised = charts.Rule("promised", float(found.total["level"]))
        confidence = charts.Rule("promised by confidence", float(found.total["confidence"]) / 100)
        target = charts.Rule("target", selection.problem.success.target_mape)
        measures = {
            "Error": ("mape", "Mean error", target),
            "Ranges": ("coverage", "Sales inside their range", promised),
            "Within 10%": ("ppe10", "Sales within 10% of the estimate", confidence),
            "Bias": ("mean_error", "Mean signed error (above 0: too high)", charts.Rule("no bias", 0.0)),
        }
        name, title, rule = measures[one_of("Measure", list(measures), "measure", "Error")]
        chart(
            charts.over_time(table, name, title, [rule], selection.period, colours),
            "over_time",
            f"Line chart: {title} by period, with its interval; the figures are in the table below",
        )
        shown = pd.DataFrame(
            {"Sold": charts.period_labels(table, selection.period), "Sales": table["n"].astype("int64")}
        )
        st.caption(
            "The promise is the mean error. Of the signed errors, the median is the bias of a usual home; the mean "
            "also counts how far single homes are off."
        )
        frame(pd.concat([shown, _columns(table)], axis=1), "accuracy_time")
        csv(table, "accuracy", selection)


def _thin(selection: Selection, table: pd.DataFrame) -> None:
    least = selection.problem.estimate.small_sample_n
    few = table[table["n"] < least]
    if len(few):
        named = ", ".join(
            f"{label} ({n})" for label, n in zip(charts.period_labels(few, selection.period), few["n"], strict=True)
        )
        st.caption(plain(f"Fewer than {least} sales, so the figures can mislead: {named}."))


def _by_group(selection: Selection, basis: Basis) -> None:
    with st.container(border=True):
        st.header("By group", anchor=False)
        offered = {label: name for name, label in PARTS.items()}
        name = offered[one_of("By", list(offered), "accuracy_by", next(iter(offered)))]
        found = compute_once_per_sale_data(
            selection,
            "by",
            lambda c: accuracy_by(c.workspace, c.market.market_id, c.where, basis, name),
            basis,
            name,
        )
        table = found.assign(thin=found["n"] < selection.problem.estimate.small_sample_n)
        names = [str(one).replace("_", " ") or UNKNOWN for one in table[name]]
        worst = table[~table["thin"]].sort_values("mape", ascending=False)
        if len(worst):
            first = worst.iloc[0]
            group = str(first[name]).replace("_", " ") or UNKNOWN
            words = f"mean error {percent(first['mape'], 1)} on {count(int(first['n']), 'sale')}"
            st.markdown(f"**Worst: {plain(group)}** ({plain(words)}).")
        shown = worst.head(_SHOWN)
        if len(shown):
            part = f" In the chart: the {len(shown)} worst without small samples; in the table: all {len(table)}."
            st.caption(
                f"Dashed: the target. Lines through the marks: 95% intervals.{part if len(shown) < len(table) else ''}"
            )
            target = selection.problem.success.target_mape
            labels = [str(one).replace("_", " ") or UNKNOWN for one in shown[name]]
            chart(
                intervals(labels, shown, "mape", "Mean error, %", target, palette()),
                "by",
                "Mean error with its interval by group; the figures are in the table below",
            )
        readable = pd.DataFrame({PARTS[name]: names, "Sales": table["n"].astype("int64")})
        readable["Note"] = table["thin"].map({True: FEW, False: ""})
        frame(pd.concat([readable, _columns(table)], axis=1), "accuracy_by")
        csv(table, f"accuracy-by-{name}", selection)


def _columns(table: pd.DataFrame) -> pd.DataFrame:
    found = pd.DataFrame(index=table.index)
    for name, head in _HEADS.items():
        found[head] = with_ends(table, name)
    found["Median error, %"] = (100 * table["mdape"]).round(1)
    found["Bias (median), %"] = (100 * table["bias"]).round(1)
    return found
