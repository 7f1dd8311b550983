"""Why this price: the steps from a typical home nearby to the estimate, as a chart, sentences and a table."""

from __future__ import annotations

from itertools import accumulate
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.serve.driver_words import sentences
from core.serve.drivers import Drivers, MainSteps
from core.wording import Amounts, Conventions, amounts_of, count, money_short, round_amounts
from pages.kit.charts import plot
from pages.kit.palette import Palette, palette
from pages.kit.text import plain

_ROW_PX: Final = 38
_TICKS: Final = 4
# Between a bar and its label.
_OFF_PX: Final = 3
# The share of the span left free at the two ends of the axis for labels.
_ROOM: Final = 0.35
# Half the height of the estimate's mark, as a share of a row.
_MARK_HALF: Final = 0.34
_REST: Final = "All the rest"
_ROUNDING: Final = "Rounding"


def draw(drivers: Drivers, market: Conventions) -> None:
    """Draw chart, sentences and table; the amounts shown add up exactly to the estimate."""
    # Of a typical home, the chart would show nothing but how its price was rounded.
    if drivers.items:
        plot(
            waterfall(drivers, market, palette()),
            key="drivers_chart",
            alt=f"Waterfall chart from a typical home in {drivers.area} to the estimate; figures in the table below",
        )
    st.markdown("**In words, for the seller**")
    st.markdown("\n".join(f"- {plain(line)}" for line in sentences(drivers, _shown(drivers, market), market)))
    st.caption(
        f"Typical home in {plain(drivers.area)}: the usual facts of "
        f"{count(drivers.sales, 'sale', currency=market.currency)} there, priced "
        "by the same model; what nobody knows of this home is assumed of both, so the figure varies by home. "
        "Each amount is what a difference is worth to the model, not what a change would cost."
    )
    with st.expander("Show as a table", icon=":material/table_rows:"):
        st.table(table(drivers, market), border="horizontal", hide_index=True)


def steps(drivers: Drivers, market: Conventions) -> list[tuple[str, float]]:
    """Return all steps from the typical home to the estimate, rounded as in the chart; with both ends they add up."""
    shown, rounded = _shown(drivers, market), _amounts(drivers, market).rounded
    named = {driver.group: amount for driver, amount in shown.named}
    named |= {one.group: amount for one in drivers.items if one.group not in named and (amount := rounded(one.amount))}
    left = drivers.point - shown.start - sum(named.values())
    found = [(one.group.label, named[one.group]) for one in drivers.items if one.group in named]
    return [*found, (_ROUNDING, left)] if left else found


def main_steps(drivers: Drivers, market: Conventions) -> list[tuple[str, float]]:
    """Return the five largest reasons, and all the rest as one, rounded as in the seller's report; they add up."""
    shown = _shown(drivers, market)
    top = [(driver.group.label, amount) for driver, amount in shown.named]
    return [*top, (_REST, shown.rest)] if shown.rest else top


def _shown(drivers: Drivers, market: Conventions) -> MainSteps:
    return drivers.main_steps(_amounts(drivers, market).rounded)


def _amounts(drivers: Drivers, market: Conventions) -> Amounts:
    return amounts_of(market.currency, drivers.point)


def table(drivers: Drivers, market: Conventions) -> pd.DataFrame:
    """Return the steps to the estimate as rows of text."""
    amounts = _amounts(drivers, market)
    lines = [
        (f"Typical home in {drivers.area}", amounts.about(drivers.typical)),
        *((name, signed(amounts.write(amount), amount)) for name, amount in steps(drivers, market)),
        ("Estimate", amounts.write(drivers.point)),
    ]
    return pd.DataFrame(
        {"Part": [plain(name) for name, _ in lines], "Amount": [plain(amount) for _, amount in lines]}, dtype="str"
    )


def waterfall(drivers: Drivers, market: Conventions, colours: Palette) -> go.Figure:
    """Return the chart, from top to bottom: steps that start at the typical home, whose price is a line."""
    parts, currency, start = main_steps(drivers, market), market.currency, _shown(drivers, market).start
    # Rounded as they are: the last of them is what rounding leaves.
    texts = [signed(money_short(amount, currency), amount) for _, amount in parts]
    # The estimate is a mark, as the typical home is a line: the length of a bar would be read as an amount.
    bars_x = [*(amount for _, amount in parts), 0.0]
    names, texts = [*(name for name, _ in parts), "Estimate"], [*texts, money_short(drivers.point, currency)]
    bars = {
        "type": "waterfall",
        "orientation": "h",
        "base": start,
        "measure": ["relative"] * len(bars_x),
        "x": bars_x,
        "y": names,
        "text": texts,
        "textposition": "none",
        "cliponaxis": False,
        "connector": {"line": {"color": colours.faint, "width": 1}},
        "increasing": {"marker": {"color": colours.more}},
        "decreasing": {"marker": {"color": colours.less}},
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }
    low, high = _span(drivers, [amount for _, amount in parts])
    figure = go.Figure({"data": [bars], "layout": _layout(drivers, market, colours, len(parts) + 1, (low, high))})
    ends = [*accumulate((amount for _, amount in parts), initial=start), drivers.point][1:]
    mark = {"type": "line", "x0": drivers.point, "x1": drivers.point, "line": {"color": colours.whole, "width": 4}}
    figure.add_shape(**mark, y0=len(parts) - _MARK_HALF, y1=len(parts) + _MARK_HALF)
    for name, text, end, amount in zip(names, texts, ends, bars_x, strict=True):
        # Unlike a bar's own label, an annotation has a ground, which the line of the typical home does not cross.
        side, away = ("left", _OFF_PX) if amount >= 0 else ("right", -_OFF_PX)
        label = {"text": text, "font": {"color": colours.text}, "bgcolor": colours.page, "borderpad": 1}
        figure.add_annotation({**label, "x": end, "y": name, "xanchor": side, "xshift": away, "showarrow": False})
    return figure


def _layout(
    drivers: Drivers, market: Conventions, colours: Palette, rows: int, span: tuple[float, float]
) -> dict[str, Any]:
    marks = list(round_amounts(*span, _TICKS))
    line = {"type": "line", "x0": drivers.typical, "x1": drivers.typical, "yref": "paper", "y0": 0, "y1": 1}
    typical = f"Typical home {_amounts(drivers, market).short(drivers.typical)}"
    return {
        "height": 70 + _ROW_PX * rows,
        "margin": {"l": 0, "r": 8, "t": 24, "b": 24},
        "bargap": 0.32,
        "shapes": [{**line, "line": {"color": colours.whole, "width": 1.5}}],
        "annotations": [
            {
                "x": drivers.typical,
                "y": 1,
                "yref": "paper",
                "yanchor": "bottom",
                "text": typical,
            }
        ],
        "xaxis": {
            "range": [*span],
            "showline": True,
            "linecolor": colours.whole,
            "ticks": "outside",
            "tickvals": marks,
            "ticktext": [money_short(mark, market.currency) for mark in marks],
        },
        "yaxis": {
            "autorange": "reversed",
            "showgrid": False,
        },
    }


def signed(text: str, amount: float) -> str:
    """Put a plus before a positive amount; a negative one already has its minus."""
    return f"+{text}" if amount > 0 else text


def _span(drivers: Drivers, amounts: list[float]) -> tuple[float, float]:
    reached = [drivers.typical, *(drivers.typical + total for total in accumulate(amounts)), drivers.point]
    low, high = min(reached), max(reached)
    width = max(high - low, 0.02 * abs(high), 1.0)
    return low - _ROOM * width, high + _ROOM * width
