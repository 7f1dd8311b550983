"""The known limits of a market's data: what is missing, sparse, old or never captured, and what it means."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import streamlit as st

from core.accounting import FileAccounting, reason_words
from core.arrays import evenly
from core.prepare.quality.known_limits import KnownLimits, known_limits, limits_markdown
from core.prepare.signals.dated import AREAS
from core.store import Market
from core.wording import count, market_day, percent, significant
from core.workflows.data.area_figures import dated_figures
from pages.kit import session
from pages.kit.charts import months_chart, plot
from pages.kit.palette import palette
from pages.kit.text import plain

_WHOLE_ROWS: Final = 12
_POINTS: Final = 100
_HEIGHT: Final = 240


def draw(market: Market) -> None:
    """Draw the limits of the version in use, and offer the report as a file."""
    version = session.store().versions.latest(market.market_id)
    st.header(f"Known limits of {plain(session.title_of(market))}", anchor=False)
    if version is None:
        st.caption("No sales yet.")
        return
    found = _found(str(session.store().home), version.version_id, market)
    span = " to ".join(market_day(one, market.currency) for one in (found.time.first, found.time.last))
    st.caption(f"Data version {version.version_id}: {count(found.sales, 'sale')}, {span}.")
    for words in found.consequences:
        st.markdown(f"- {plain(words)}")
    st.download_button(
        "Download the report",
        limits_markdown(found, session.title_of(market)),
        f"{market.market_id}-known-limits.md",
        "text/markdown",
        key="download_limits",
        icon=":material/download:",
        on_click="ignore",
    )
    _missing(found)
    _thin(found)
    _time(found)
    _dated(found)
    _rows(found)


@st.cache_resource(max_entries=4, show_spinner="Checking the limits of the data…")
def _found(home: str, version_id: str, _market: Market) -> KnownLimits:
    store = session.store()
    files: list[FileAccounting] = [file for one in store.versions.chain(_market.market_id) for file in one.files]
    sales = store.versions.load(version_id)
    dated = dated_figures(store, store.versions.get(version_id), sales)
    return known_limits(sales, _market.currency, _market.area_unit, session.problem(), files, dated)


def _missing(found: KnownLimits) -> None:
    with st.container(border=True):
        st.markdown("**Missing facts**")
        table = pd.DataFrame(
            [{"Fact": one.label, "Missing": one.missing, "Share": 100 * one.share} for one in found.missing],
            columns=["Fact", "Missing", "Share"],
        )
        if table.empty:
            st.caption("No sale lacks a fact that other sales have.")
        else:
            # Wide enough for the bar and its figure: a phone shows all three columns.
            share = st.column_config.ProgressColumn(format="%.1f%%", min_value=0, max_value=100, width=118)
            number = st.column_config.NumberColumn(format="localized", width=70)
            _frame(
                table, "missing", {"Fact": st.column_config.TextColumn(width=130), "Share": share, "Missing": number}
            )
        if found.not_captured:
            st.caption(plain(f"Not captured at all: {', '.join(found.not_captured)}."))


def _thin(found: KnownLimits) -> None:
    with st.container(border=True):
        st.markdown(f"**Small segments ({len(found.thin):,})**")
        if not found.thin:
            st.caption("Every group of homes has enough sales for its own ranges.")
            return
        st.caption("They have too few sales for their own ranges and use those of a wider group.")
        rows = [
            {
                "Divided by": one.kind.capitalize(),
                "Segment": one.name,
                "Sales": one.n,
                "Share": percent(one.share, 2),
                "Note": "very few" if one.thin else "",
            }
            for one in found.thin
        ]
        _frame(pd.DataFrame(rows), "thin", {"Sales": st.column_config.NumberColumn(format="localized")})


def _time(found: KnownLimits) -> None:
    months = found.time.months
    if not months:
        return
    with st.container(border=True):
        st.markdown("**Sales by month**")
        starts, sales = zip(*months, strict=True)
        plot(months_chart(starts, sales, _HEIGHT, palette()), key="months", alt="Bar chart: sales in each month")
        if found.time.empty:
            st.caption(plain(f"{count(len(found.time.empty), 'month')} without any sale."))


def _dated(found: KnownLimits) -> None:
    with st.container(border=True):
        st.markdown(f"**Dated figures that the market holds ({len(found.dated):,})**")
        if not found.dated:
            st.caption("None: a file of market indicators, or of neighborhood figures by date, brings them.")
            return
        table = pd.DataFrame(
            {
                "Figure": [one.name for one in found.dated],
                "Over time": [_thinned(one.values) for one in found.dated],
                "Last value": [significant(one.value, 4) for one in found.dated],
                "Days": [one.days for one in found.dated],
                "First": [market_day(one.first, found.currency) for one in found.dated],
                "Last": [market_day(one.last, found.currency) for one in found.dated],
                "Of": [one.of for one in found.dated],
            }
        )
        line = st.column_config.LineChartColumn(width=140, color=palette().more)
        _frame(table, "dated", {"Over time": line, "Days": st.column_config.NumberColumn(format="localized")})
        if any(one.of == AREAS for one in found.dated):
            st.caption("Figures of areas are those that sales have: their days are days of sales, the values medians.")


def _thinned(values: tuple[float, ...]) -> list[float]:
    """Return as many values, evenly spaced, as a small line can show."""
    return [values[at] for at in evenly(len(values), _POINTS)]


def _rows(found: KnownLimits) -> None:
    shares = found.intake
    if shares is None:
        return
    with st.container(border=True):
        st.markdown("**Rows in the files**")
        sentence = (
            f"Of {count(shares.rows_in, 'row')}: {percent(shares.accepted, 1)} accepted, {percent(shares.repaired, 1)} "
            f"repaired, {percent(shares.duplicate, 1)} duplicate, {percent(shares.rejected, 1)} rejected, "
            f"{percent(shares.set_aside, 1)} set aside."
        )
        st.markdown(plain(sentence))
        if shares.reasons:
            rows = [{"Reason": reason_words(reason).capitalize(), "Rows": number} for reason, number in shares.reasons]
            _frame(pd.DataFrame(rows), "reasons", {"Rows": st.column_config.NumberColumn(format="localized")})


def _frame(table: pd.DataFrame, key: str, config: dict[str, Any]) -> None:
    st.dataframe(
        table,
        hide_index=True,
        height="content" if len(table) <= _WHOLE_ROWS else 360,
        column_config=config,
        key=f"limits_{key}",
    )
