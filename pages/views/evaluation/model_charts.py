"""The charts of a model's training: learning curve, forest sizes, the effect of a fact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from core.evaluate.behavior.partial_dependence import PartialEffect
from core.train.curve import CurvePoint
from pages.kit.charts import MARK, beside, faded, layout, reach, round_marks, rule, short
from pages.kit.palette import Palette

_LINE: Final = 2


def curve_chart(points: Sequence[CurvePoint], target: float, colours: Palette) -> go.Figure:
    """Return the error on training and validation sales against the number of training sales, on a log axis."""
    rows = [one.rows for one in points]
    lines = (
        ("Validation", [100 * one.mape for one in points], colours.more, "circle", "solid"),
        ("Training", [100 * one.train_mape for one in points], colours.whole, "square", "dot"),
    )
    figure = go.Figure()
    for name, errors, colour, symbol, dash in lines:
        figure.add_scatter(
            x=rows,
            y=errors,
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": _LINE, "dash": dash},
            marker={"size": MARK, "symbol": symbol},
            hovertemplate=f"{name}: %{{y:.2f}}% on %{{x:,}} sales<extra></extra>",
        )
    rule(figure, 100 * target, "target", colours)
    figure.update_layout(**layout(320, legend=True, right=beside(["target"])))
    marks = round_marks(min(rows), max(rows))
    figure.update_xaxes(
        title="Training sales",
        type="log",
        tickvals=marks,
        ticktext=[f"{n:,.0f}" for n in marks],
    )
    figure.update_yaxes(title="Mean error, %", rangemode="tozero")
    return figure


def size_chart(trees: Sequence[int], values: Sequence[float], title: str, unit: str, colours: Palette) -> go.Figure:
    """Return one measure of cost by a forest's number of trees."""
    line = go.Scatter(
        x=list(trees),
        y=list(values),
        mode="lines+markers",
        line={"color": colours.more, "width": _LINE},
        marker={"size": MARK},
        hovertemplate=f"%{{x}} trees: %{{y:.2f}} {unit}<extra></extra>",
    )
    figure = go.Figure(line)
    figure.update_layout(**layout(240))
    figure.update_xaxes(title="Trees", tickvals=list(trees))
    # The axis starts at zero, so that small differences look small.
    figure.update_yaxes(title=title, rangemode="tozero", nticks=6)
    return figure


def effect_chart(effect: PartialEffect, names: Sequence[str | float], title: str, colours: Palette) -> go.Figure:
    """Return how estimates move with one fact: a line with its band, or a mark for each category."""
    mean, low, high = (100 * one for one in (effect.mean, effect.low, effect.high))
    figure = go.Figure()
    if isinstance(effect.values[0], str):
        figure.add_scatter(
            x=mean.tolist(),
            y=[short(str(name)) for name in names],
            mode="markers",
            marker={"size": MARK + 1, "color": colours.more},
            error_x=reach(mean.tolist(), low.tolist(), high.tolist(), colours),
            hovertemplate="%{y}: %{x:+.1f}%<extra></extra>",
        )
        figure.add_vline(0, line={"color": colours.whole, "dash": "dash", "width": 1})
        figure.update_layout(**layout(80 + 30 * len(names)))
        figure.update_xaxes(title="Change of the estimate, %")
        figure.update_yaxes(autorange="reversed")
        return figure
    x = list(names)
    band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter(x=x, y=high.tolist(), **band)
    figure.add_scatter(x=x, y=low.tolist(), fill="tonexty", fillcolor=faded(colours.more), **band)
    figure.add_scatter(
        x=x,
        y=mean.tolist(),
        mode="lines+markers",
        line={"color": colours.more, "width": _LINE},
        marker={"size": MARK},
        hovertemplate="%{x:,}: %{y:+.1f}%<extra></extra>",
    )
    figure.add_hline(0, line={"color": colours.whole, "dash": "dash", "width": 1})
    figure.update_layout(**layout(320))
    # Years have no thousands separator.
    figure.update_xaxes(title=title, tickformat="d" if effect.fact.startswith("year_") else ",")
    figure.update_yaxes(title="Change of the estimate, %")
    return figure
