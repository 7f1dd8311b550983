"""Where the model is wrong: error by one segmentation or two crossed ones, and the sales behind a segment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import streamlit as st

from core.evaluate.segmentation import Segmentation, available
from core.evaluate.segments import by_segment, sales_of, surely_over, worst
from core.wording import MISSING, count, percent
from pages.kit.charts import intervals, plot
from pages.kit.choice import on_offer
from pages.kit.figures import FEW, TICKED_ROW, csv, fields, formats, frame, missing, with_ends, without_blank
from pages.kit.palette import palette
from pages.kit.text import plain
from pages.views.evaluation.charts import heat_map
from pages.views.evaluation.sales import draw_sales, forget_sale
from pages.views.evaluation.selection import Selection, compute_once

NOTHING: Final = "nothing"
_SHOWN: Final = 15
_SMALL_NAMED: Final = 3
_HEADS: Final = {
    "mape": "Mean error, %",
    "mdape": "Median error, %",
    "ppe10": "Within 10%, %",
    "bias": "Bias, %",
    "coverage": "Inside the range, %",
}
_FIRST: Final = "segment"
_SECOND: Final = "and_segment"

_BY_ESTIMATE: Final = frozenset({Segmentation.ESTIMATE_BAND, Segmentation.ESTIMATE_TENTH})


def draw(selection: Selection) -> None:
    """Draw the segmentation selectors, the errors, and the sales of the selected segment."""
    ways = compute_once(selection, "available", available) if len(selection.scored.priced) else ()
    with st.container(border=True):
        st.header("Error by segment", anchor=False)
        if not ways:
            missing("These sales have no fact that divides them into at least two segments.")
            return
        by = _chosen(ways)
        name = " by ".join(by)
        table = compute_once(selection, f"segments {name}", lambda scored, problem: by_segment(scored, by, problem))
        _say_worst(table, by, selection)
        if len(by) == 1:
            _one(table, by[0], selection)
        else:
            _crossed(table, (by[0], by[1]), selection)
        csv(_exported(table, by), f"segments-{name.replace(' ', '-')}", selection)
    _misses(table, by, selection)


def _chosen(ways: tuple[Segmentation, ...]) -> tuple[Segmentation, ...]:
    names = [way.value for way in ways]
    usual = names.index(Segmentation.ESTIMATE_BAND.value) if Segmentation.ESTIMATE_BAND in ways else 0
    with fields("segments"):
        first = st.selectbox(
            "Divide by", names, usual, format_func=str.capitalize, key="by", bind="query-params", width=300
        )
        first = on_offer(first, names, names[usual])
        others = [NOTHING, *(name for name in names if name != first)]
        second = st.selectbox(
            "Cross with", others, format_func=str.capitalize, key="cross", bind="query-params", width=300
        )
    return tuple(Segmentation(name) for name in (first, on_offer(second, others, NOTHING)) if name != NOTHING)


def _say_worst(table: pd.DataFrame, by: tuple[Segmentation, ...], selection: Selection) -> None:
    first = worst(table).head(1).to_dict("records")
    least = selection.problem.estimate.small_sample_n
    if not first:
        st.markdown(plain(f"No segment has {count(least, 'sale')} or more, so these figures are only hints."))
        return
    row = first[0]
    target = percent(selection.problem.success.target_mape)
    words = f"mean error {percent(row['mape'], 1)} on {count(row['n'], 'sale')}; the target is {target}"
    st.markdown(f"**Worst: {plain(_segment_name(row, by))}** ({plain(words)}). {plain(_thin_note(table, least))}")
    for small in surely_over(table, selection.problem.success.target_mape).head(_SMALL_NAMED).to_dict("records"):
        st.markdown(
            f"**Few sales, yet surely over the target: {plain(_segment_name(small, by))}** "
            + plain(
                f"({percent(small['mape'], 1)}, at least {percent(small['mape_low'], 1)} by its interval, on "
                f"{count(small['n'], 'sale')})."
            )
        )


def _segment_name(row: Mapping[Any, Any], by: tuple[Segmentation, ...]) -> str:
    return ", ".join(str(row[one.value]) for one in by)


def _thin_note(table: pd.DataFrame, least: int) -> str:
    few = int(table["thin"].sum())
    return f"{count(few, 'segment has', 'segments have')} fewer than {least} sales and can mislead." if few else ""


def _one(table: pd.DataFrame, by: Segmentation, selection: Selection) -> None:
    shown = table if len(table) <= _SHOWN else worst(table).head(_SHOWN)
    if len(shown) < len(table):
        st.caption(f"In the chart: the {len(shown)} worst without small samples; in the table: all {len(table)}.")
    if len(shown):
        plot(
            intervals(
                shown[by.value].astype("str").tolist(),
                shown,
                "mape",
                "Mean error, %",
                selection.problem.success.target_mape,
                palette(),
            ),
            key=f"segments_chart_{by}",
            on_select=lambda: _pick_mark(f"segments_chart_{by}"),
            selection_mode="points",
            alt=f"Mean error with its interval by {by}; the figures are in the table below",
        )
    own = " Bands and tenths by estimate are of this model’s own estimate." if by in _BY_ESTIMATE else ""
    st.caption(
        f"Dashed: the target; in parentheses: 95% intervals.{own} To see a segment’s sales, select its mark or choose "
        "it below."
    )
    readable = without_blank(_readable(table, (by,)))
    # A table would lose its last columns on a phone, where api/static/dashboard.css shows the cards instead.
    with st.container(key="segment_cards"):
        frame(readable, f"segment_cards_{by}")
    st.container(key="segment_table").dataframe(
        readable,
        hide_index=True,
        height="content" if len(table) < 14 else "auto",
        column_config={by.capitalize(): st.column_config.Column(pinned=True), **formats(readable)},
        row_height=TICKED_ROW,
        placeholder=MISSING,
        key=f"segments_{by}",
        on_select=lambda: _pick_row(table, by),
        selection_mode="single-row",
    )


def _crossed(table: pd.DataFrame, by: tuple[Segmentation, Segmentation], selection: Selection) -> None:
    # The longer one goes down the page, because a phone is taller than wide.
    long_first = sorted(by, key=lambda one: -table[one.value].nunique())
    rows, columns = long_first[0], long_first[1]
    shown = _largest(_largest(table, rows), columns)
    if len(shown) < len(table):
        st.caption(f"In the map: the {_SHOWN} segments with the most sales each way; in the file: all.")
    st.caption("Mean error in percent; an asterisk marks a small sample. Select a cell to see its sales.")
    plot(
        heat_map(shown, (rows.value, columns.value), "mape", "Mean error, %", palette()),
        key=f"map_{rows}_{columns}",
        on_select=lambda: _pick_cell(f"map_{rows}_{columns}", (rows, columns), by),
        selection_mode="points",
        alt=f"Heat map of the mean error by {rows} and {columns}; the figures are in the table below",
    )
    with st.expander("Show as a table", icon=":material/table_rows:"):
        frame(_readable(table, by), f"cells_{rows}_{columns}")


def _largest(table: pd.DataFrame, by: Segmentation) -> pd.DataFrame:
    sizes = table.groupby(by.value, observed=True)["n"].sum()
    return table[table[by.value].isin(sizes.nlargest(_SHOWN).index)]


def _readable(table: pd.DataFrame, by: tuple[Segmentation, ...]) -> pd.DataFrame:
    shown = pd.DataFrame({one.capitalize(): table[one.value].astype("str") for one in by})
    shown["Sales"] = table["n"]
    for name, head in _HEADS.items():
        shown[head] = with_ends(table, name)
    shown.insert(len(by) + 1, "Note", table["thin"].map({True: FEW, False: ""}))
    return shown


def _exported(table: pd.DataFrame, by: tuple[Segmentation, ...]) -> pd.DataFrame:
    return table.assign(**{one.value: table[one.value].astype("str") for one in by})


def _pick_row(table: pd.DataFrame, by: Segmentation) -> None:
    rows = st.session_state[f"segments_{by}"].selection.rows
    if rows:
        st.session_state[_FIRST] = str(table[by.value].iloc[rows[0]])
        forget_sale()


def _pick_mark(key: str) -> None:
    points = [point for point in st.session_state[key].selection.points if point.get("customdata")]
    if points:
        st.session_state[_FIRST] = str(points[0]["customdata"][0])
        forget_sale()


def _pick_cell(key: str, axes: tuple[Segmentation, Segmentation], by: tuple[Segmentation, Segmentation]) -> None:
    points = [point for point in st.session_state[key].selection.points if point.get("customdata")]
    if points:
        named = dict(zip(axes, points[0]["customdata"], strict=False))
        st.session_state[_FIRST], st.session_state[_SECOND] = (str(named[one]) for one in by)
        forget_sale()


def _misses(table: pd.DataFrame, by: tuple[Segmentation, ...], selection: Selection) -> None:
    with st.container(border=True):
        st.header("The sales of a segment", anchor=False)
        cell = _cell(table, by)
        if not cell:
            st.caption("Choose a segment here or above to see its sales, worst misses first, each with an explanation.")
            return
        sales = sales_of(selection.scored, cell, selection.problem)
        if sales.empty:
            missing("No test sale is in both segments. Choose another cell.")
            return
        st.caption(f"{count(len(sales), 'sale')}, worst misses first; an error above 0 means the estimate is too high.")
        draw_sales(sales, "segment-sales", "_".join(cell.values()), selection)


def _cell(table: pd.DataFrame, by: tuple[Segmentation, ...]) -> Mapping[Segmentation, str]:
    """Draw a selector of one segment per segmentation; empty until all are chosen."""
    chosen: dict[Segmentation, str] = {}
    with fields("cell"):
        for key, one in zip((_FIRST, _SECOND), by, strict=False):
            names = [str(name) for name in table[one.value].cat.remove_unused_categories().cat.categories]
            name = st.selectbox(
                one.capitalize(),
                names,
                None,
                key=key,
                placeholder="Choose a segment",
                bind="query-params",
                width=300,
                on_change=forget_sale,
            )
            if name in names:
                chosen[one] = str(name)
    return chosen if len(chosen) == len(by) else {}
