"""The charts of the monitoring page, in the reader's theme; they need data to draw."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.monitor.cause import RootCause
from core.monitor.windows import window_of
from core.states import Period
from core.wording import day, market_day
from pages.kit.charts import beside, faded, layout, round_marks, rule
from pages.kit.palette import Palette

_SMALL: Final = 220
_LARGE: Final = 320
_WATERFALL: Final = 60
_ROW: Final = 36
_MARKS_MAX: Final = 40
_DAY_MS: Final = 86_400_000
_BAR_DAYS: Final[dict[Period, float]] = {Period.MONTH: 24, Period.WEEK: 5.5, Period.DAY: 0.8}


@dataclass(frozen=True)
class Rule:
    """A horizontal line for a target or limit; ``dash`` is "dash" for targets, "dot" for limits."""

    name: str
    value: float
    dash: str = "dash"


def over_time(
    table: pd.DataFrame, name: str, title: str, rules: Sequence[Rule], period: Period, colours: Palette
) -> go.Figure:
    """Return a share by period, in percent, with the band of its interval if <name>_low and _high are known."""
    figure = go.Figure()
    x, value = table["start"], 100 * table[name]
    if f"{name}_low" in table:
        known = table[table[f"{name}_low"].notna()]
        band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        figure.add_scatter(x=known["start"], y=100 * known[f"{name}_high"], **band)
        figure.add_scatter(
            x=known["start"], y=100 * known[f"{name}_low"], fill="tonexty", fillcolor=faded(colours.more), **band
        )
    figure.add_scatter(
        x=x,
        y=value,
        mode="lines+markers" if len(table) <= _MARKS_MAX else "lines",
        line={"color": colours.more, "width": 2},
        marker={"size": 8},
        customdata=np.column_stack([period_labels(table, period), table["n"].map("{:,.0f}".format)]),
        hovertemplate="%{customdata[0]}: %{y:.1f}%, n = %{customdata[1]}<extra></extra>",
    )
    for place, one in enumerate(sorted(rules, key=lambda rule: -rule.value)):
        # The names of two close lines would overprint, so the upper one stands above its line.
        anchor = "middle" if len(rules) < 2 else "bottom" if place == 0 else "top"
        rule(figure, 100 * one.value, one.name, colours, one.dash, anchor)
    figure.update_layout(**layout(_LARGE if rules else _SMALL, right=beside([one.name for one in rules])))
    figure.update_xaxes(**_ticks(table, period))
    figure.update_yaxes(title=title, ticksuffix="%", rangemode="normal")
    return figure


def volume(table: pd.DataFrame, period: Period, colours: Palette) -> go.Figure:
    """Return the estimates of each period as stacked bars: priced, unavailable and refused."""
    figure = go.Figure()
    parts = (("priced", colours.more), ("unavailable", colours.less), ("refused", colours.whole))
    # A name in the legend without a bar would be looked for in vain.
    for name, colour in [one for one in parts if table[one[0]].any()]:
        figure.add_bar(
            x=table["start"],
            y=table[name],
            name=name,
            marker={"color": colour},
            width=_BAR_DAYS[period] * _DAY_MS,
            customdata=np.column_stack([period_labels(table, period)]),
            hovertemplate=f"%{{customdata[0]}}: %{{y:,}} {name}<extra></extra>",
        )
    figure.update_layout(**layout(_SMALL, legend=True), barmode="stack")
    figure.update_xaxes(**_ticks(table, period))
    figure.update_yaxes(title="Estimates", rangemode="tozero")
    return figure


def latency(table: pd.DataFrame, limit: float, period: Period, colours: Palette) -> go.Figure:
    """Return the answer times in milliseconds: the median and the 95th percentile."""
    figure = go.Figure()
    for name, label, colour, dash in (
        ("latency_p50_ms", "median", colours.more, "solid"),
        ("latency_p95_ms", "95 in 100", colours.less, "dot"),
    ):
        figure.add_scatter(
            x=table["start"],
            y=table[name],
            name=label,
            mode="lines+markers" if len(table) <= _MARKS_MAX else "lines",
            line={"color": colour, "width": 2, "dash": dash},
            marker={"size": 7},
            customdata=np.column_stack([period_labels(table, period), table["n"].map("{:,.0f}".format)]),
            hovertemplate=f"%{{customdata[0]}}: {label} %{{y:,.1f}} ms, n = %{{customdata[1]}}<extra></extra>",
        )
    # A limit far above everything would flatten all figures.
    near = float(table["latency_p95_ms"].max()) > limit / 10
    if near:
        rule(figure, limit, "limit", colours)
    figure.update_layout(**layout(_SMALL, legend=True, right=beside(["limit"] if near else [])))
    figure.update_xaxes(**_ticks(table, period))
    figure.update_yaxes(title="Milliseconds", rangemode="tozero")
    return figure


def level(table: pd.DataFrame, name: str, title: str, period: Period, colours: Palette, scale: float) -> go.Figure:
    """Return a plain figure by period, without an interval."""
    line = go.Scatter(
        x=table["start"],
        y=scale * table[name],
        mode="lines+markers" if len(table) <= _MARKS_MAX else "lines",
        line={"color": colours.more, "width": 2},
        marker={"size": 8},
        customdata=np.column_stack([period_labels(table, period), table["n"].map("{:,.0f}".format)]),
        hovertemplate="%{customdata[0]}: %{y:.1f}, n = %{customdata[1]}<extra></extra>",
    )
    figure = go.Figure(line)
    figure.update_layout(**layout(_SMALL))
    figure.update_xaxes(**_ticks(table, period))
    figure.update_yaxes(title=title, range=[0, 103])
    return figure


def scatter(points: pd.DataFrame, tolerance: float, currency: str, colours: Palette) -> go.Figure:
    """Return estimate against sale price on log axes, with the line of equality and a band of 10% on each side."""
    ends = np.array([points[["point", "sale_price"]].min().min() * 0.95, points[["point", "sale_price"]].max().max()])
    ends = ends * np.array([1.0, 1.05])
    figure = go.Figure()
    edge = {"mode": "lines", "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter(x=ends, y=ends * (1 + tolerance), line={"width": 0}, **edge)
    figure.add_scatter(
        x=ends, y=ends * (1 - tolerance), fill="tonexty", fillcolor=faded(colours.whole), line={"width": 0}, **edge
    )
    figure.add_scatter(x=ends, y=ends, line={"color": colours.whole, "dash": "dash", "width": 1.5}, **edge)
    near = (points["point"] / points["sale_price"] - 1).abs() <= tolerance
    for inside, colour, symbol in ((True, colours.more, "circle"), (False, colours.less, "diamond")):
        rows = points[near == inside]
        figure.add_scatter(
            x=rows["sale_price"],
            y=rows["point"],
            mode="markers",
            name=f"within {tolerance:.0%}" if inside else f"more than {tolerance:.0%} off",
            marker={"size": 6, "color": colour, "symbol": symbol, "opacity": 0.55},
            text=[market_day(value, currency) for value in rows["sale_date"]],
            hovertemplate=f"sold %{{x:,.0f}} {currency}, estimated %{{y:,.0f}} {currency}, %{{text}}<extra></extra>",
        )
    figure.update_layout(**layout(380, legend=True))
    span = [float(np.log10(end)) for end in ends]
    ticks = round_marks(*ends)
    axis = {"type": "log", "range": span, "tickvals": ticks, "ticktext": _price_labels(ticks)}
    figure.update_xaxes(title=f"Sold for, {currency}", **axis)
    figure.update_yaxes(title=f"Estimated, {currency}", **axis)
    return figure


def waterfall(cause: RootCause, colours: Palette) -> go.Figure:
    """Return how the parts of a rise add up from the previous to the current error, in points, from top to bottom."""
    parts = [cause.level, *cause.by_feature, cause.rest]
    names = ["Before", *(part.label for part in parts), "Now"]
    points = [100 * part.points for part in parts]
    reached = 100 * np.cumsum([cause.before, *(part.points for part in parts)])
    low, high = min(0.0, float(reached.min())), max(100 * cause.now, float(reached.max()))
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            y=names,
            x=[100 * cause.before, *points, 100 * cause.now],
            measure=["absolute", *["relative"] * len(parts), "total"],
            text=[f"{100 * cause.before:.1f}%", *map(_signed, points), f"{100 * cause.now:.1f}%"],
            textposition="outside",
            cliponaxis=False,
            increasing={"marker": {"color": colours.less}},
            decreasing={"marker": {"color": colours.more}},
            totals={"marker": {"color": colours.whole}},
            connector={"line": {"color": colours.faint, "width": 1}},
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
    )
    figure.update_layout(**layout(_WATERFALL + _ROW * len(names)), bargap=0.3)
    figure.update_xaxes(title="Mean error, %", range=[low * 1.1, high * 1.12])
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def period_labels(table: pd.DataFrame, period: Period) -> list[str]:
    """Return the labels of a table's periods."""
    return [window_of(value.date(), period).label for value in table["start"]]


def _signed(points: float) -> str:
    return f"{points:+z.1f}".replace("-", "−")


def _ticks(table: pd.DataFrame, period: Period) -> dict[str, Any]:
    starts = table["start"].drop_duplicates().sort_values()
    if len(starts) > 8:
        return {"nticks": 8}
    words = [day(value).split(" ") for value in starts]
    names = [one[1] if period == Period.MONTH else f"{one[0]} {one[1]}" for one in words]
    # Side by side on a phone, a year under every name would run into the next.
    years = itertools.pairwise(["", *(one[2] for one in words)])
    text = [f"{name}<br>{now}" if now != before else name for name, (before, now) in zip(names, years, strict=True)]
    return {"tickvals": starts.tolist(), "ticktext": text}


def _price_labels(ticks: Sequence[float]) -> list[str]:
    return [f"{one / 1e6:g}M" if one >= 1e6 else f"{one / 1e3:g}K" if one >= 1e3 else f"{one:g}" for one in ticks]
