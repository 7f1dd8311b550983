"""The charts of the evaluation page, in the reader's theme; they need data to draw."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.evaluate.reliability import Calibration
from pages.kit.charts import layout, reach, short
from pages.kit.palette import Palette

_TEXT_COLUMNS: Final = 10


def heat_map(cells: pd.DataFrame, by: tuple[str, str], measure: str, title: str, colours: Palette) -> go.Figure:
    """Return two crossed segmentations; small samples have an asterisk, and cells without sales are empty.

    Clickable marks lie over the cells: a point's ``customdata`` names its cell.
    """
    rows, columns = ([str(name) for name in cells[one].cat.remove_unused_categories().cat.categories] for one in by)
    row_at, column_at = ({name: place for place, name in enumerate(names)} for names in (rows, columns))
    grid, text = np.full((len(rows), len(columns)), np.nan), np.full((len(rows), len(columns)), "", dtype=object)
    x = [column_at[str(name)] for name in cells[by[1]]]
    y = [row_at[str(name)] for name in cells[by[0]]]
    grid[y, x] = 100 * cells[measure].to_numpy(dtype=float)
    text[y, x] = [
        f"{100 * value:.0f}{'*' if thin else ''}" for value, thin in zip(cells[measure], cells["thin"], strict=True)
    ]
    # A few chance misses in a small sample must not make all the other cells look good.
    counted = cells if cells["thin"].all() else cells[~cells["thin"]]
    heat = go.Heatmap(
        z=grid,
        zmin=100 * float(counted[measure].min()),
        zmax=100 * float(counted[measure].max()),
        x=list(range(len(columns))),
        y=list(range(len(rows))),
        colorscale=list(colours.scale),
        xgap=2,
        ygap=2,
        text=text,
        texttemplate="%{text}" if len(columns) <= _TEXT_COLUMNS else "",
        colorbar={"title": {"text": title, "side": "top"}, "orientation": "h", "thickness": 10, "y": 1.02, "len": 0.9},
        textfont={"color": colours.text},
        hoverinfo="skip",
    )
    marks = go.Scatter(
        x=x,
        y=y,
        mode="markers",
        marker={"size": 24, "symbol": "square", "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        customdata=np.column_stack([cells[by[0]].astype(str), cells[by[1]].astype(str), cells["n"].astype(str)]),
        text=[f"{100 * value:.1f}%" for value in cells[measure]],
        hovertemplate="%{customdata[0]}, %{customdata[1]}: %{text}, n = %{customdata[2]}<extra></extra>",
        showlegend=False,
    )
    figure = go.Figure([heat, marks])
    figure.update_layout(**layout(170 + 32 * max(len(rows), 2)) | {"margin": {"l": 0, "r": 0, "t": 50, "b": 0}})
    # A click anywhere in a wide cell selects that cell.
    figure.update_layout(hovermode="closest", hoverdistance=80)
    figure.update_xaxes(tickvals=list(column_at.values()), ticktext=[short(name) for name in columns])
    figure.update_yaxes(tickvals=list(row_at.values()), ticktext=[short(name) for name in rows], autorange="reversed")
    figure.update_xaxes(showgrid=False, zeroline=False)
    figure.update_yaxes(showgrid=False, zeroline=False)
    return figure


def reliability(found: Calibration, colours: Palette) -> go.Figure:
    """Return promised confidence against what came true, with intervals and the line of perfect calibration."""
    x = [100 * one.promised for one in found.bins]
    y = [100 * one.observed.value for one in found.bins]
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line={"color": colours.whole, "dash": "dash"}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=x,
        y=y,
        mode="markers",
        # A mark at 0% or 100% is drawn whole.
        cliponaxis=False,
        marker={"size": 10, "color": colours.more},
        error_y=reach(
            y,
            [100 * one.observed.low for one in found.bins],
            [100 * one.observed.high for one in found.bins],
            colours,
        ),
        text=[f"{one.observed.n:,}" for one in found.bins],
        hovertemplate="promised %{x:.0f}%, came true %{y:.0f}%, n = %{text}<extra></extra>",
    )
    figure.update_layout(**layout(340))
    figure.update_xaxes(title="Confidence promised, %", range=[0, 102])
    figure.update_yaxes(title="Came true, %", range=[0, 102])
    return figure


def against_trend(areas: pd.DataFrame, colours: Palette) -> go.Figure:
    """Return each area's mean signed error against its yearly price trend; larger marks mean more sales."""
    n = areas["n"].to_numpy(dtype=float)
    marks = go.Scatter(
        x=100 * areas["trend"],
        y=100 * areas["mean_error"],
        mode="markers",
        marker={
            "size": 5 + 11 * np.sqrt(n / n.max()),
            "color": colours.more,
            "opacity": 0.6,
            "line": {"color": colours.page, "width": 1},
        },
        customdata=np.column_stack([areas["area"].astype(str), areas["n"].astype(str)]),
        hovertemplate="%{customdata[0]}: trend %{x:.1f}%/year, error %{y:.1f}%, n = %{customdata[1]}<extra></extra>",
    )
    figure = go.Figure(marks)
    figure.add_hline(0, line={"color": colours.whole, "dash": "dash", "width": 1})
    figure.update_layout(**layout(340))
    figure.update_xaxes(title="Price trend of the area, % per year")
    figure.update_yaxes(title="Mean signed error, %")
    return figure


def area_map(areas: pd.DataFrame, colours: Palette) -> go.Figure:
    """Return a map of the areas, blue if over-predicted and orange if under-predicted."""
    value, n = 100 * areas["mean_error"].to_numpy(dtype=float), areas["n"].to_numpy(dtype=float)
    most = max(float(np.abs(value).max()), 1.0)
    marks = go.Scatter(
        x=areas["longitude"],
        y=areas["latitude"],
        mode="markers",
        marker={
            "size": 6 + 12 * np.sqrt(n / n.max()),
            "color": value,
            # Most areas are near the middle, so the side of an error shows already a little off zero.
            "colorscale": [
                (0, colours.less),
                (0.42, colours.less),
                (0.5, colours.faint),
                (0.58, colours.more),
                (1, colours.more),
            ],
            "opacity": np.where(areas["thin"], 0.6, 0.95).tolist(),
            "cmin": -most,
            "cmax": most,
            "line": {"color": colours.whole, "width": 1},
            "colorbar": {"title": {"text": "Error, %"}},
        },
        customdata=np.column_stack([areas["area"].astype(str), areas["n"].astype(str)]),
        hovertemplate="%{customdata[0]}: error %{marker.color:.1f}%, n = %{customdata[1]}<extra></extra>",
    )
    figure = go.Figure(marks)
    figure.update_layout(**layout(340))
    # A degree of longitude is shorter than one of latitude, by the cosine of the latitude.
    ratio = 1 / float(np.cos(np.radians(areas["latitude"].mean())))
    figure.update_yaxes(scaleanchor="x", scaleratio=ratio, title="South to north", showticklabels=False)
    figure.update_xaxes(title="West to east", showticklabels=False)
    return figure
