"""Why this price: the steps from a typical home nearby to the estimate, as a chart, sentences and a table."""

from __future__ import annotations

from typing import Final

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.serve.driver_words import sentences
from core.serve.drivers import Drivers
from core.serve.words import Conventions
from core.wording import count, money, money_short
from pages.kit.palette import Palette, palette
from pages.kit.text import plain

_CONFIG: Final = {"displayModeBar": False, "responsive": True}
_ROW_PX: Final = 38
# Shares of the span left free at the two ends of the axis: bars need a base, labels need room.
_FOOT: Final = 0.22
_ROOM: Final = 0.30


def draw(drivers: Drivers, market: Conventions) -> None:
    """Draw chart, sentences and table; the amounts shown add up exactly to the estimate."""
    chart, words = st.columns([6, 5], gap="medium")
    with chart:
        st.plotly_chart(
            waterfall(drivers, market, palette()),
            config=_CONFIG,
            key="drivers_chart",
            alt=f"Waterfall chart from a typical home in {drivers.area} to the estimate; figures in the table below",
        )
    with words:
        st.markdown("**In words, for the seller**")
        st.markdown("\n".join(f"- {plain(line)}" for line in sentences(drivers, market)))
        st.caption(
            f"Typical home in {plain(drivers.area)}: the usual facts of {count(drivers.sales, 'sale')} there, priced "
            "by the same model. Each amount is what a difference is worth to the model, not what a change would cost."
        )
    with st.expander("Show as a table", icon=":material/table_rows:"):
        st.table(table(drivers, market), border="horizontal", hide_index=True)


def steps(drivers: Drivers) -> list[tuple[str, float]]:
    """Return the named steps between the typical home and the estimate; with both ends they add up exactly."""
    named = [(_capital(driver.group.value), driver.amount) for driver in drivers.items]
    return [*named, ("Rounding", drivers.rounding)] if drivers.rounding else named


def table(drivers: Drivers, market: Conventions) -> pd.DataFrame:
    """Return the steps to the estimate as rows of text."""
    currency = market.currency
    lines = [
        (f"Typical home in {drivers.area}", money(drivers.typical, currency)),
        *((name, signed(money(amount, currency), amount)) for name, amount in steps(drivers)),
        ("Estimate", money(drivers.point, currency)),
    ]
    return pd.DataFrame(
        {"Part": [plain(name) for name, _ in lines], "Amount": [plain(amount) for _, amount in lines]}, dtype="str"
    )


def waterfall(drivers: Drivers, market: Conventions, colours: Palette) -> go.Figure:
    """Return the chart, from top to bottom; the axis starts near the lowest figure, since the bars show steps."""
    parts, currency = steps(drivers), market.currency
    ends = ("Typical home here", "Estimate")
    amounts = [drivers.typical, *(amount for _, amount in parts), drivers.point]
    texts = [
        money_short(drivers.typical, currency),
        *(signed(money_short(amount, currency), amount) for _, amount in parts),
        money_short(drivers.point, currency),
    ]
    bars = {
        "type": "waterfall",
        "orientation": "h",
        "measure": ["absolute", *(["relative"] * len(parts)), "total"],
        "x": amounts,
        "y": [ends[0], *(name for name, _ in parts), ends[1]],
        "text": texts,
        "textposition": "outside",
        "textfont": {"color": colours.text, "size": 13},
        "cliponaxis": False,
        "connector": {"line": {"color": colours.faint, "width": 1}},
        "increasing": {"marker": {"color": colours.more}},
        "decreasing": {"marker": {"color": colours.less}},
        "totals": {"marker": {"color": colours.whole}},
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }
    layout = {
        "height": 40 + _ROW_PX * len(amounts),
        "margin": {"l": 0, "r": 8, "t": 4, "b": 4},
        "dragmode": False,
        "bargap": 0.32,
        "xaxis": {"range": _span(amounts), "visible": False, "fixedrange": True},
        "yaxis": {
            "autorange": "reversed",
            "fixedrange": True,
            "automargin": True,
            "ticklabelstandoff": 6,
            "tickfont": {"color": colours.text, "size": 13},
        },
    }
    return go.Figure({"data": [bars], "layout": layout})


def signed(text: str, amount: float) -> str:
    """Put a plus before a positive amount; a negative one already has its minus."""
    return f"+{text}" if amount > 0 else text


def _span(amounts: list[float]) -> list[float]:
    reached, at = [amounts[0]], amounts[0]
    for amount in amounts[1:-1]:
        at += amount
        reached.append(at)
    low, high = min(*reached, amounts[-1]), max(*reached, amounts[-1])
    width = max(high - low, 0.02 * high)
    return [max(low - _FOOT * width, 0.0), high + _ROOM * width]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
