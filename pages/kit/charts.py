"""Charts that several pages draw: dots with intervals, shares, and their common layout."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pages.kit.palette import Palette

MARK: Final = 9
# A wider label would leave no room for the marks on a phone.
_NAME_LINE: Final = 24
_LABEL_MAX: Final = 24


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
            "size": 10,
            "color": colours.more,
            "symbol": np.where(thin, "circle-open", "circle").tolist(),
        },
        error_x={
            "type": "data",
            "symmetric": False,
            "array": np.nan_to_num(high - value),
            "arrayminus": np.nan_to_num(value - low),
            "color": colours.whole,
            "thickness": 1.5,
            "width": 4,
        },
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
    figure.update_xaxes(title=title, fixedrange=True)
    figure.update_yaxes(
        tickvals=places, ticktext=[short(name) for name in names], autorange="reversed", fixedrange=True
    )
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
    figure.update_xaxes(title=title, rangemode="tozero", fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, ticklabelstandoff=6)
    return figure


def reach(value: Sequence[float], low: Sequence[float], high: Sequence[float], colours: Palette) -> dict[str, Any]:
    """Return the error bars from each value to the ends of its interval."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [top - middle for top, middle in zip(high, value, strict=True)],
        "arrayminus": [middle - bottom for middle, bottom in zip(value, low, strict=True)],
        "color": colours.whole,
        "thickness": 1.5,
        "width": 4,
    }


def short(name: str) -> str:
    """Shorten a name that would leave no room for the chart on a phone."""
    return name if len(name) <= _LABEL_MAX else f"{name[: _LABEL_MAX - 1]}…"


def layout(height: int) -> dict[str, Any]:
    """Return the layout of a chart without a legend, zoom or drag, ``height`` pixels high."""
    return {"height": height, "margin": {"l": 0, "r": 12, "t": 8, "b": 0}, "dragmode": False, "showlegend": False}
