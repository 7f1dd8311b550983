"""Where the model is unfair: bias by area and trend, coverage and calibration, and the known hard cases."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from core.evaluate.accuracy import Figure
from core.evaluate.bias import TrendBias, area_bias, trend_bias
from core.evaluate.bias import fairness as leaning
from core.evaluate.edge_cases import EdgeCase, FlagQuality, edge_case_sales, edge_cases, flag_quality
from core.evaluate.reliability import Calibration, calibration, coverage_by_segment
from core.evaluate.scored_sales import ScoredSales
from core.evaluate.segmentation import Segmentation, available
from core.problem import Problem
from core.wording import MISSING, count, percent, points
from core.workflows.models.scope import flags_words
from pages.kit.charts import intervals, plot
from pages.kit.choice import on_offer
from pages.kit.figures import FEW, between, boxes, card, csv, frame, lean, missing, number, share, with_ends
from pages.kit.palette import palette
from pages.kit.text import plain
from pages.views.evaluation.charts import against_trend, area_map, reliability
from pages.views.evaluation.sales import draw_sales, forget_sale
from pages.views.evaluation.selection import Selection, compute_once

_SHOWN: Final = 15


def draw_bias(selection: Selection) -> None:
    """Draw the signed error of areas against their price trend, on a map and against neighborhood columns."""
    areas = compute_once(selection, "areas", area_bias)
    with st.container(border=True):
        st.header("Bias by area and price trend", anchor=False)
        if areas.empty:
            missing("The sales have neither neighborhood nor zipcode. Map one of them at upload to see bias by area.")
        else:
            _areas(selection, areas)
    with st.container(border=True):
        st.header("Does the error depend on the neighborhood?", anchor=False)
        _leanings(selection)


def draw_ranges(selection: Selection) -> None:
    """Draw whether confidences came true and ranges held the sale prices."""
    found = compute_once(selection, "calibration", _calibration)
    if found is None:
        missing("The desk would have priced none of these sales, so no range or confidence can be checked.")
        return
    with st.container(border=True):
        st.header("Do confidences come true?", anchor=False)
        tolerance = percent(selection.scored.terms.tolerance)
        st.markdown(
            f"Confidence promises a sale within {tolerance} of the estimate. On average it is off by "
            f"**{points(found.error).removeprefix('+')}** (expected calibration error). Marks on the dashed line keep "
            "the promise; the lines through them are 95% intervals."
        )
        plot(
            reliability(found, palette()),
            key="reliability",
            alt="Reliability chart: confidence promised against the share that came true; figures in the file below",
        )
        csv(_bins(found), "confidence", selection)
    _coverage(selection)


def draw_edges(selection: Selection) -> None:
    """Draw the sets of hard-to-price homes, and how well flags find big misses."""
    cases, flags = compute_once(selection, "edge cases", edge_cases), compute_once(selection, "flags", _flags)
    with st.container(border=True):
        st.header("Hard cases", anchor=False)
        held = [case for case in cases if case.n]
        empty = [case.name for case in cases if not case.n]
        if held:
            table = _case_table(held)
            # The meanings would cut the table.
            frame(table.drop(columns="Meaning"), "edge_cases")
            st.caption(plain("; ".join(f"{case.name}: {case.meaning}" for case in held) + "."))
            csv(table, "edge-cases", selection)
        else:
            missing("The data shows no hard cases among these sales.")
        if empty:
            st.caption(plain(f"No test sale: {', '.join(empty)}."))
    with st.container(border=True):
        st.header("Do review flags find the big misses?", anchor=False)
        _flag_quality(selection, flags)
    if held:
        _case_sales(selection, held)


def _calibration(scored: ScoredSales, _: Problem) -> Calibration | None:
    return calibration(scored)


def _flags(scored: ScoredSales, _: Problem) -> FlagQuality | None:
    return flag_quality(scored) if len(scored.priced) else None


def _areas(selection: Selection, areas: pd.DataFrame) -> None:
    found = compute_once(selection, "trend", trend_bias)
    if found is None:
        missing("Too few areas have a known price trend to compare the error with it.")
        _map(areas)
    else:
        left, right = st.columns(2, gap="medium")
        with left:
            _trend(found, areas.dropna(subset=["trend"]))
        with right:
            _map(areas)
    table = _area_table(areas)
    frame(table, "areas")
    csv(areas, "areas", selection)


def _trend(found: TrendBias, known: pd.DataFrame) -> None:
    st.markdown(f"**{plain(found.finding)}**")
    slope = found.slope
    per_tenth = between(slope.low / 10, slope.high / 10, lean)
    st.caption(
        plain(
            f"If prices rise 10% faster per year, the error changes by {lean(slope.value / 10)} "
            f"({per_tenth}; {count(slope.n, 'area')})."
        )
    )
    plot(
        against_trend(known, palette()),
        key="trend_chart",
        alt="Scatter chart: mean signed error of each area against its price trend; figures in the table below",
    )


def _map(areas: pd.DataFrame) -> None:
    placed = areas.dropna(subset=["latitude", "longitude"])
    if len(placed) < 2:
        missing("Too few areas have coordinates for a map.")
        return
    st.markdown("**Where it is biased**")
    st.caption("Blue: estimates too high; orange: too low. Larger marks mean more sales; pale marks mean few.")
    plot(
        area_map(placed, palette()),
        key="area_map",
        alt="Map of areas colored by their mean signed error; figures in the table below",
    )


def _area_table(areas: pd.DataFrame) -> pd.DataFrame:
    ordered = areas.iloc[np.lexsort((-areas["bias"].abs().to_numpy(), areas["thin"].to_numpy()))]
    table = pd.DataFrame(
        {
            "Area": ordered["area"].astype("str"),
            "Sales": ordered["n"],
            "Note": ordered["thin"].map({True: FEW, False: ""}),
            "Bias (median), %": with_ends(ordered, "bias"),
            "Mean signed error, %": with_ends(ordered, "mean_error"),
            "Trend, % per year": (100 * ordered["trend"]).round(1),
        }
    )
    return table.dropna(axis="columns", how="all")


def _leanings(selection: Selection) -> None:
    found = compute_once(selection, "fairness", lambda scored, _: leaning(scored))
    if not found:
        missing(
            "There is nothing to compare the error with: this needs numeric neighborhood columns (schools, crime, "
            "income) and at least five areas. Upload neighborhood data with the sales."
        )
        return
    st.caption("Rank correlation of the signed error with each column, with its 95% interval over whole areas.")
    table = pd.DataFrame(
        {
            "Column": [one.label for one in found],
            "Correlation": [round(one.correlation.value, 3) for one in found],
            "95% interval": [between(one.correlation.low, one.correlation.high, number(2)) for one in found],
            "Finding": ["correlated" if one.found else "no correlation" for one in found],
            "Sales": [one.correlation.n for one in found],
            "Areas": [one.areas for one in found],
        }
    )
    frame(table, "fairness", 3)
    csv(table, "fairness", selection)


def _bins(found: Calibration) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "promised": one.promised,
                "came_true": one.observed.value,
                "low_95": one.observed.low,
                "high_95": one.observed.high,
                "n": one.observed.n,
            }
            for one in found.bins
        ]
    )


def _coverage(selection: Selection) -> None:
    with st.container(border=True):
        st.header("Do ranges hold, and where?", anchor=False)
        ways = compute_once(selection, "available", available)
        if not ways:
            missing("The data has no fact that divides these sales into at least two segments.")
            return
        usual = ways.index(Segmentation.ESTIMATE_BAND) if Segmentation.ESTIMATE_BAND in ways else 0
        names = [way.value for way in ways]
        chosen = st.selectbox(
            "Ranges by",
            names,
            usual,
            format_func=str.capitalize,
            key="ranges_by",
            bind="query-params",
            width=300,
        )
        by = Segmentation(on_offer(chosen, names, names[usual]))
        table = compute_once(
            selection, f"coverage {by}", lambda scored, problem: coverage_by_segment(scored, by, problem)
        )
        level = selection.scored.terms.level
        main = table[table["level"] == level]
        shown = main if len(main) <= _SHOWN else main.nlargest(_SHOWN, "n")
        if len(shown) < len(main):
            st.caption(f"In the chart: the {len(shown)} segments with the most sales; in the table: all {len(main)}.")
        st.caption(
            "Dashed: what the range promises. Lines through the marks: 95% intervals; a hollow mark is a small sample."
        )
        plot(
            intervals(
                shown[by.value].astype("str").tolist(),
                shown,
                "coverage",
                f"Sales inside the {percent(level)} range, %",
                level,
                palette(),
            ),
            key="coverage_chart",
            alt=f"Coverage of the ranges by {by}; the figures are in the table below",
        )
        readable = pd.DataFrame(
            {
                by.capitalize(): table[by.value].astype("str"),
                "Promised, %": (100 * table["level"]).round(),
                "Held, %": with_ends(table, "coverage"),
                "Median width, % of estimate": (100 * table["width"]).round(1),
                "Sales": table["n"],
                "Note": table["thin"].map({True: FEW, False: ""}),
            }
        )
        frame(readable, "coverage")
        csv(readable, "coverage", selection)


def _case_table(cases: list[EdgeCase]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Set": [case.name for case in cases],
            "Sales": [case.n for case in cases],
            "Priced": [case.priced for case in cases],
            "Mean error": [_figure(case.mape) for case in cases],
            "Sent to review": [_figure(case.reviewed) for case in cases],
            "Not priced": [_figure(case.withheld) for case in cases],
            "Note": [FEW if case.thin else "" for case in cases],
            "Meaning": [case.meaning for case in cases],
        }
    )


def _figure(figure: Figure) -> str:
    if math.isnan(figure.value):
        return MISSING
    return f"{share(figure.value)} ({between(figure.low, figure.high, share)})"


def _flag_quality(selection: Selection, flags: FlagQuality | None) -> None:
    if flags is None:
        missing("The desk would have priced none of these sales, so no flag can be checked.")
        return
    over = percent(flags.over)
    if not flags.misses:
        missing(f"No estimate missed by more than {over}: there is nothing for flags to find.")
        return
    st.caption(
        plain(
            f"{count(flags.misses, 'estimate')} missed by more than {over}; "
            f"{count(flags.flagged, 'estimate')} carried a flag that asks for a review. "
            + flags_words(selection.workspace.store, selection.record, selection.scored)
        )
    )
    with boxes("flags"):
        card("Big misses that were flagged", flags.recall, share)
        card("Flagged that were big misses", flags.precision, share)
        card("Big misses among all", flags.base, share)
    if len(flags.kinds):
        kinds = flags.kinds
        table = pd.DataFrame(
            {
                "Flag": kinds["kind"].str.capitalize(),
                "Flagged": kinds["flagged"],
                "Big misses among them, %": with_ends(kinds, "precision"),
                "Share of all big misses, %": (100 * kinds["recall"]).round(1),
            }
        )
        frame(table, "flag_kinds")
        csv(table, "flags", selection)


def _case_sales(selection: Selection, cases: list[EdgeCase]) -> None:
    with st.container(border=True):
        st.header("The sales of a hard case", anchor=False)
        name = st.selectbox(
            "Hard case",
            [case.name for case in cases],
            None,
            format_func=str.capitalize,
            key="case",
            placeholder="Choose a set",
            bind="query-params",
            width=300,
            on_change=forget_sale,
        )
        if name is None or name not in [case.name for case in cases]:
            st.caption("Choose a set to see its sales, the worst misses first.")
            return
        draw_sales(edge_case_sales(selection.scored, name, selection.problem), "edge-sales", name, selection)
