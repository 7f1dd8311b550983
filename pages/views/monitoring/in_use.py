"""How the estimates do in use: the figures at a glance, the error and its target, and traffic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.installation import program
from core.monitor.expected import CameTrue, Expected, unsold_words
from core.monitor.rules import AlertKind
from core.store.ledger.figures import Slice
from core.wording import MISSING, bound, count, market_day, percent
from core.workflows.monitoring.figures import (
    Accuracy,
    Health,
    came_true_of,
    counted_words,
    expected_of,
    figure_of,
    health_of,
    hit_rate_on_test,
    of_models_before,
    sold_of,
)
from core.workflows.monitoring.ledger_export import AT_ONCE, export_ledger
from core.workflows.monitoring.limits import limits_of
from core.workflows.promises import error_promise
from pages.kit import navigation
from pages.kit.choice import one_of
from pages.kit.figures import Badge, boxes, card, missing, share
from pages.kit.palette import palette
from pages.kit.text import plain
from pages.views.monitoring import charts
from pages.views.monitoring.selection import (
    Selection,
    compute_once,
    compute_once_per_sale_data,
    errors_of,
    narrow,
)
from pages.views.monitoring.words import (
    KINDS,
    NO_ESTIMATES,
    NO_SALES_YET,
    PROMISE_LOOKS,
    chart,
    csv,
    fact,
)


def draw(selection: Selection) -> None:
    """Draw the errors and traffic of the selection."""
    selection = narrow(selection)
    health = compute_once(selection, "health", lambda c: health_of(c.workspace, c.market.market_id, c.where, c.period))
    expected = compute_once(selection, "expected", lambda c: expected_of(c.workspace, c.market.market_id, c.where))
    found = errors_of(selection, "blind")
    _boxes(selection, health, expected, found)
    _error(selection, found)
    _traffic(selection, health)


def _boxes(selection: Selection, health: Health, expected: Expected | None, found: Accuracy) -> None:
    total, where = health.traffic.total, selection.where
    asked, known = int(total["n"]), came_true_of(found.total, selection.problem)
    with st.container(border=True):
        st.header("At a glance", anchor=False)
        if asked:
            earlier = of_models_before(selection.workspace, selection.market.market_id, where, int(found.total["n"]))
            p50, p95 = (f"{total[name]:,.0f} ms" for name in ("latency_p50_ms", "latency_p95_ms"))
            usual = share(float(total["confidence"]) / 100) if total["priced"] else MISSING
            with boxes("monitoring"):
                if len(found.periods):
                    error = figure_of(found.total, "mape")
                    limit = selection.problem.success.target_mape
                    # The promise is the live model's: it does not judge what models before it did.
                    state = None if earlier else _state(selection)
                    card("Mean error, made blind", error, share, f"at most {bound(limit)}", state=state)
                fact(
                    "Estimates",
                    f"{asked:,}",
                    f"{int(total['unavailable']):,} unavailable, {int(total['refused'])} refused",
                )
                fact("Hit rate", share(float(total["hit_rate"])), f"priced, of {asked:,}")
                fact("Mean confidence", usual, _promised(int(total["priced"]), known))
                fact("Answer time", p50, f"95 in 100 within {p95}, of {asked:,}")
            sales = int(found.total["n"]) if len(found.periods) else 0
            st.caption(plain(counted_words(asked, expected.ppe10.n if expected else 0, sales)))
            tested = hit_rate_on_test(selection.workspace, selection.market.market_id)
            for words in filter(None, (tested, earlier)):
                st.caption(plain(words))
        else:
            missing(NO_ESTIMATES)
            navigation.link_to("pricing", "Price a home")
        if expected is not None:
            st.markdown(f"**Not sold yet:** {plain(unsold_words(expected, known))}")
        if health.after and where.until is not None:
            st.caption(_after(selection, health.after))


def _state(selection: Selection) -> Badge | None:
    """Return the promise's state as a badge; none for a choice of homes, of which nothing is promised."""
    if selection.narrowed:
        return None
    promise = compute_once(
        replace(selection, where=Slice()),
        "error promise",
        lambda c: error_promise(c.workspace, c.market.market_id),
    )
    tone, icon = PROMISE_LOOKS[promise.state]
    return promise.state.value, icon, tone


def _promised(n: int, known: CameTrue | None) -> str:
    """Say of how many estimates the confidence is the mean, and what came true of those sold."""
    if known is None:
        return f"promised within 10%, of {n:,}"
    came = f"{share(known.promised)} promised and {share(known.observed.value)} came true of {known.observed.n:,} sold"
    return f"promised within 10%, of {n:,}; {came}"


def _after(selection: Selection, n: int) -> str:
    assert selection.where.until is not None
    until = market_day(selection.where.until, selection.market.currency)
    why = (
        "asked for in the simulated market by today’s calendar"
        if selection.market.simulated
        else "by a clock that is ahead, or after the selected days"
    )
    return plain(f"{count(n, 'estimate')} dated after {until} ({why}); “Everything” includes them.")


def _error(selection: Selection, found: Accuracy) -> None:
    with st.container(border=True):
        st.header("Error against the target", anchor=False)
        if found.periods.empty:
            missing(NO_SALES_YET)
            navigation.link_to("sales_data", "Bring in sales")
            return
        if len(found.periods) == 1 and found.total["n"] < 2:
            missing(
                "There is only one sale, which says little about the next. An interval needs five, a verdict thirty."
            )
        ways: dict[str, Callable[[], None]] = {
            "Over time": lambda: _over_time(selection, found),
            "Estimated against sold": lambda: _sold(selection),
        }
        ways[one_of("Error", list(ways), "error", "Over time")]()


def _over_time(selection: Selection, found: Accuracy) -> None:
    limits = limits_of(selection.workspace, selection.market.market_id)
    st.caption(
        f"Mean error of estimates made before the list price was known, by date of sale; the band is the 95% "
        f"interval; {count(int(found.total['n']), 'sale')}. Dashed and dotted: two months in a row above the line open "
        "the alert of that name."
    )
    rules = [
        charts.Rule(f"“{KINDS[AlertKind.TARGET_MISSED]}”", limits[AlertKind.TARGET_MISSED].value),
        charts.Rule(f"“{KINDS[AlertKind.ERROR_HIGH]}”", limits[AlertKind.ERROR_HIGH].value, "dot"),
    ]
    chart(
        charts.over_time(found.periods, "mape", "Mean error", rules, selection.period, palette()),
        "error",
        "Line chart: mean error by date of sale with its interval and the target; figures in the file below",
    )
    csv(found.periods, "error", selection)


def _sold(selection: Selection) -> None:
    sample = compute_once_per_sale_data(
        selection, "sold", lambda c: sold_of(c.workspace, c.market.market_id, c.where, "blind")
    )
    if not sample.n:
        # The last of them was undone after the errors were computed.
        missing(NO_SALES_YET)
        return
    tolerance, shown = selection.problem.success.tolerance, len(sample.points)
    inside = float(((sample.points["point"] / sample.points["sale_price"] - 1).abs() <= tolerance).mean())
    thinned = f" ({shown:,} of them shown, evenly sampled)" if shown < sample.n else ""
    st.caption(
        plain(
            f"{count(sample.n, 'sale')}{thinned}; {percent(inside)} of the marks are in the band, within "
            f"{percent(tolerance)} of the sale price. Above the line: estimated too high."
        )
    )
    chart(
        charts.scatter(sample.points, tolerance, selection.market.currency, palette()),
        "scatter",
        "Scatter chart: estimate against sale price; figures in the file below",
    )
    csv(sample.points, "sold", selection)


def _traffic(selection: Selection, health: Health) -> None:
    table = health.traffic.periods
    if table.empty:
        return
    with st.container(border=True):
        st.header("Traffic", anchor=False)
        name = one_of("Traffic", list(_TRAFFIC), "traffic", "Estimates")
        chart(_TRAFFIC[name](selection, table), "traffic", f"{name} by period; figures in the file below")
        csv(table, "traffic", selection)
        _ledger(selection, int(health.traffic.total["n"]))


def _ledger(selection: Selection, n: int) -> None:
    """Offer the estimates, with decisions and sales, if they fit in one download."""
    if n > AT_ONCE:
        st.caption(
            plain(
                f"There are {n:,} estimates, more than the {AT_ONCE:,} of one download: choose fewer days, or run: "
                f"{program()} ledger FILE --market {selection.market.market_id}"
            )
        )
        return
    st.download_button(
        f"Download {count(n, 'estimate')} with decisions and sales",
        lambda: b"".join(export_ledger(selection.workspace, selection.market.market_id, selection.where)),
        f"{selection.file_stem}-ledger.csv",
        "text/csv",
        key="csv_ledger",
        icon=":material/receipt_long:",
        on_click="ignore",
    )


def _volume(selection: Selection, table: pd.DataFrame) -> go.Figure:
    return charts.volume(table, selection.period, palette())


def _confidence(selection: Selection, table: pd.DataFrame) -> go.Figure:
    return charts.level(table, "confidence", "Mean confidence, 0 to 100", selection.period, palette(), 1.0)


def _latency(selection: Selection, table: pd.DataFrame) -> go.Figure:
    slow = limits_of(selection.workspace, selection.market.market_id)[AlertKind.SLOW].value
    return charts.latency(table, slow, selection.period, palette())


def _hit_rate(selection: Selection, table: pd.DataFrame) -> go.Figure:
    return charts.level(table, "hit_rate", "Estimates that got a price, %", selection.period, palette(), 100.0)


# One at a time: each extra chart takes a browser as long as all the page's figures.
_TRAFFIC: Final[dict[str, Callable[[Selection, pd.DataFrame], go.Figure]]] = {
    "Estimates": _volume,
    "Confidence": _confidence,
    "Answer time": _latency,
    "Hit rate": _hit_rate,
}
