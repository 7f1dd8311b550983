"""The one look of every chart, in both themes, and the charts that several pages draw."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import plotly.io as pio
import streamlit as st

from pages.kit.palette import DARK, LIGHT, Palette, palette

MARK: Final = 9
SMALL: Final = 12
_TEXT: Final = 13
# The font of the pages (.streamlit/config.toml).
_FAMILY: Final = '"Source Sans", sans-serif'
_NAMES: Final = {LIGHT: "doorstep_light", DARK: "doorstep_dark"}
_CONFIG: Final = {"displayModeBar": False, "scrollZoom": False, "responsive": True}
# A letter of a line's name beside the chart is about this wide.
_LETTER_PX: Final = 6.5
# A wider label would leave no room for the marks on a phone.
_NAME_LINE: Final = 24
_LABEL_MAX: Final = 24
_BAR_GAP: Final = 0.12
_MONTHS_NAMED: Final = 8


def plot(figure: go.Figure, key: str, alt: str, **picking: Any) -> Any:
    """Draw a chart in the one look, without zoom or drag; ``alt`` describes it to those who cannot see it.

    ``picking`` is what Streamlit needs to know of marks that can be selected; return what is.
    """
    figure.layout.template = _NAMES[palette()]
    return st.plotly_chart(figure, theme=None, config=_CONFIG, key=key, alt=alt, **picking)


def template(colours: Palette) -> go.layout.Template:
    """Return the look of every chart in a theme: fonts, colors, lines, hover and margins."""
    axis = {
        "automargin": True,
        "fixedrange": True,
        "gridcolor": colours.grid,
        "linecolor": colours.faint,
        "tickcolor": colours.faint,
        "tickangle": 0,
        "tickfont": {"size": SMALL},
        "ticklabelstandoff": 6,
        "title": {"font": {"size": _TEXT}, "standoff": 10},
        "zeroline": False,
    }
    see_through = "rgba(0,0,0,0)"
    bar = {"thickness": 10, "outlinewidth": 0, "tickfont": {"size": SMALL}, "title": {"font": {"size": SMALL}}}
    return go.layout.Template(
        data={"heatmap": [{"colorbar": bar}], "scatter": [{"marker": {"colorbar": bar}}]},
        layout={
            "paper_bgcolor": see_through,
            "plot_bgcolor": see_through,
            "font": {"family": _FAMILY, "size": _TEXT, "color": colours.whole},
            "colorway": [colours.more, colours.less, colours.whole],
            "hoverlabel": {
                "bgcolor": colours.page,
                "bordercolor": colours.faint,
                "align": "left",
                "font": {"family": _FAMILY, "size": _TEXT, "color": colours.text},
            },
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": 1.02,
                "yanchor": "bottom",
                "traceorder": "normal",
                "font": {"size": _TEXT, "color": colours.text},
            },
            "annotationdefaults": {"font": {"size": SMALL, "color": colours.text}, "showarrow": False},
            "coloraxis": {"colorbar": bar},
            "dragmode": False,
            "separators": ".,",
            "xaxis": axis | {"showgrid": False},
            "yaxis": axis | {"showgrid": True},
        },
    )


for _colours, _name in _NAMES.items():
    pio.templates[_name] = template(_colours)


def rule(
    figure: go.Figure, value: float, name: str, colours: Palette, dash: str = "dash", anchor: str = "middle"
) -> None:
    """Draw a target or limit as a line across the chart, its name beside the chart, where no line crosses it.

    ``anchor`` is the part of the name at the line's height: "bottom" writes it above the line, "top" below.
    """
    figure.add_hline(
        value,
        line={"color": colours.less, "dash": dash, "width": 2},
        annotation={"text": name, "xanchor": "left", "yanchor": anchor},
        annotation_position="right",
    )


def beside(names: Sequence[str]) -> int:
    """Return the margin in pixels that the names of such lines need."""
    return 12 + round(_LETTER_PX * max((len(name) for name in names), default=0))


def faded(colour: str, strength: float = 0.2) -> str:
    """Return a color at a part of its strength."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{strength})"


def intervals(
    names: Sequence[str], table: pd.DataFrame, measure: str, title: str, line: float | None, colours: Palette
) -> go.Figure:
    """Return a dot with its interval for each row, first row on top, in percent; ``line`` marks the target."""
    value = 100 * table[measure].to_numpy(dtype=float)
    low, high = (100 * table[f"{measure}_{end}"].to_numpy(dtype=float) for end in ("low", "high"))
    places = list(range(len(table)))
    thin = table["thin"].to_numpy(dtype=bool)
    dots = go.Scatter(
        x=value,
        y=places,
        mode="markers",
        marker={
            "size": MARK + 1,
            "color": colours.more,
            "symbol": np.where(thin, "circle-open", "circle").tolist(),
        },
        error_x=reach(value.tolist(), low.tolist(), high.tolist(), colours),
        # Selecting a mark does not change the others.
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        customdata=np.column_stack([list(names), table["n"].astype(str)]),
        hovertemplate="%{customdata[0]}: %{x:.1f}%, n = %{customdata[1]}<extra></extra>",
    )
    figure = go.Figure(dots)
    if line is not None:
        figure.add_vline(100 * line, line={"color": colours.less, "dash": "dash", "width": 2})
    figure.update_layout(**layout(70 + 30 * max(len(table), 2)))
    figure.update_xaxes(title=title)
    figure.update_yaxes(tickvals=places, ticktext=[short(name) for name in names], autorange="reversed")
    return figure


def share_chart(
    names: Sequence[str], shares: Sequence[tuple[float, float, float]], title: str, colours: Palette
) -> go.Figure:
    """Return a mark with its interval for each share (value, low, high), first share on top, in percent."""
    value, low, high = ([100 * one[place] for one in shares] for place in range(3))
    marks = go.Scatter(
        x=value,
        y=["<br>".join(wrap(name, _NAME_LINE)) for name in names],
        mode="markers",
        marker={"size": MARK + 1, "color": colours.more},
        error_x=reach(value, low, high, colours),
        customdata=list(names),
        hovertemplate="%{customdata}: %{x:.1f}%<extra></extra>",
    )
    figure = go.Figure(marks)
    figure.update_layout(**layout(80 + 46 * max(len(names), 2)))
    figure.update_xaxes(title=title, rangemode="tozero")
    figure.update_yaxes(autorange="reversed")
    return figure


def months_chart(starts: Sequence[Any], sales: Sequence[int], height: int, colours: Palette) -> go.Figure:
    """Return a bar with the number of sales for each month, by its first day; few months are all named below."""
    bars = go.Bar(
        x=list(starts),
        y=list(sales),
        marker={"color": colours.more},
        hovertemplate="%{x|%b %Y}: %{y:,} sales<extra></extra>",
    )
    figure = go.Figure(bars)
    # A bar is never wider than a share of the chart, and no mark of the axis is finer than a month.
    figure.update_layout(**layout(height), bargap=max(_BAR_GAP, 1 - len(starts) / _MONTHS_NAMED))
    figure.update_yaxes(title="Sales", rangemode="tozero")
    if len(starts) <= _MONTHS_NAMED:
        # One under the other where many stand beside each other on a phone.
        joint = " " if len(starts) <= _MONTHS_NAMED // 2 else "<br>"
        figure.update_xaxes(tickvals=list(starts), tickformat=f"%b{joint}%Y")
    return figure


def reach(value: Sequence[float], low: Sequence[float], high: Sequence[float], colours: Palette) -> dict[str, Any]:
    """Return the error bars from each value to the ends of its interval; none where an end is unknown."""
    return {
        "type": "data",
        "symmetric": False,
        "array": np.nan_to_num(np.subtract(high, value)).tolist(),
        "arrayminus": np.nan_to_num(np.subtract(value, low)).tolist(),
        "color": colours.whole,
        "thickness": 1.5,
        "width": 4,
    }


def round_marks(low: float, high: float) -> list[float]:
    """Return the round numbers between two ends of a logarithmic axis: 1, 2 and 5 of each power of ten."""
    tens = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    every = np.concatenate([tens, 2 * tens, 5 * tens])
    return sorted(float(one) for one in every if low <= one <= high)


def short(name: str) -> str:
    """Shorten a name that would leave no room for the chart on a phone."""
    return name if len(name) <= _LABEL_MAX else f"{name[: _LABEL_MAX - 1]}…"


def layout(height: int, *, legend: bool = False, right: int = 12) -> dict[str, Any]:
    """Return the layout of a chart ``height`` pixels high, with ``right`` pixels of room at its right."""
    margin = {"l": 0, "r": right, "t": 32 if legend else 10, "b": 0}
    return {"height": height, "margin": margin, "showlegend": legend}
