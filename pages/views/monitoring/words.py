"""How the monitoring page writes figures and states, and offers its tables as files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

import pandas as pd
import streamlit as st

from core import spreadsheet
from core.errors import DoorstepError
from core.evaluate.accuracy import Figure
from core.monitor.rules import RULES
from core.schema import keeping_names
from core.states import AlertState
from core.store.operations.alerts import AlertRecord
from core.wording import MISSING, market_instant, percent
from core.workflows.promises import PromiseState
from core.workflows.standing import Standing, standing_now
from pages.kit import errors, navigation
from pages.kit.charts import plot
from pages.kit.figures import box
from pages.kit.palette import BAD, GOOD, NEUTRAL, WATCH, Tone
from pages.kit.text import plain
from pages.views.monitoring.selection import Selection, compute_once

KINDS: Final[dict[str, str]] = {rule.kind.value: rule.title for rule in RULES}
"""The title of each kind of alert."""

CAUSED: Final = frozenset(rule.kind.value for rule in RULES if rule.calls_for_training)
"""Kinds of alerts that the drift view explains."""

NO_SALES_YET: Final = (
    "No home estimated blind has a sale on these days. Sales brought in on the page Sales data are matched to earlier "
    "estimates automatically; the first sales of homes that a new live model priced take some weeks."
)
NO_ESTIMATES: Final = (
    "No estimate was requested on these days. Price a home, or choose more days: new estimates count at once."
)


PROMISE_LOOKS: Final[dict[PromiseState, tuple[Tone, str]]] = {
    PromiseState.MET: (GOOD, ":material/check_circle:"),
    PromiseState.WATCH: (WATCH, ":material/visibility:"),
    PromiseState.MISSED: (BAD, ":material/warning:"),
    PromiseState.ON_TEST: (BAD, ":material/warning:"),
    PromiseState.UNKNOWN: (NEUTRAL, ":material/help:"),
}
"""The color and icon of a promise's state, on every view that names one."""

_MESSAGE: Final = "_monitoring_said"


def csv(table: pd.DataFrame | Callable[[], pd.DataFrame], name: str, selection: Selection) -> None:
    """Offer a table, or a function that makes it on request, as CSV."""
    st.download_button(
        "Download as CSV",
        keeping_names(lambda: spreadsheet.to_csv(table() if callable(table) else table)),
        f"{selection.file_stem}-{name}.csv",
        "text/csv",
        key=f"csv_{name}",
        icon=":material/download:",
        on_click="ignore",
    )


def chart(figure: object, key: str, alt: str) -> None:
    """Draw a chart without zoom or drag; ``alt`` describes it to those who cannot see it."""
    plot(figure, key=f"chart_{key}", alt=alt)


def fact(label: str, value: str, note: str) -> None:
    """Draw one plain figure in a box, with a note on what it covers."""
    with box():
        st.metric(label, value)
        st.caption(plain(note))


def span(figure: Figure) -> str:
    """Write a share with its interval: "10.1% (9.7% to 10.5%)", or a note if there are too few."""
    if figure.low != figure.low or figure.high != figure.high:
        return f"{percent(figure.value, 1)} (too few for an interval)"
    return f"{percent(figure.value, 1)} ({percent(figure.low, 1)} to {percent(figure.high, 1)})"


def when(selection: Selection, at: datetime | None) -> str:
    """Write a point in time in UTC, its day as people of the market do."""
    return MISSING if at is None else market_instant(at, selection.market.currency)


def kind_of(alert: AlertRecord) -> str:
    """Return the title of an alert's kind."""
    return KINDS.get(alert.kind, alert.kind.replace("_", " ").capitalize())


def name_of(alert: AlertRecord) -> str:
    """Return an alert's title with its segment."""
    kind = kind_of(alert)
    return f"{kind}: {alert.segment}" if alert.segment else kind


def in_order(alerts: Iterable[AlertRecord]) -> list[AlertRecord]:
    """Return alerts in the order to handle them: open ones first, errors before their possible causes."""
    kinds = list(KINDS)
    last = len(kinds)
    place = {kind: number for number, kind in enumerate(kinds)}
    return sorted(
        alerts, key=lambda one: (one.state is not AlertState.OPEN, bool(one.segment), place.get(one.kind, last))
    )


def first_sentence(words: str) -> str:
    """Return the first sentence of a text."""
    return f"{words.split('. ', 1)[0].rstrip('.')}."


def go_to_view(view: str) -> None:
    """Switch to another view of the page on the next run; for a button's callback."""
    st.session_state["view"] = view


def act(deed: Callable[[], str]) -> None:
    """Do something and rerun the page, which then confirms it; an error is drawn in place."""
    try:
        message = deed()
    except DoorstepError as error:
        errors.show(error)
        return
    st.session_state[_MESSAGE] = message
    st.rerun()


def say_what_was_done() -> None:
    """Draw what ``act`` did in the previous run, if anything, in a place of its own: what follows keeps its place."""
    place, message = st.container(), st.session_state.pop(_MESSAGE, "")
    if message:
        place.success(plain(message), icon=":material/check_circle:")


def standing(selection: Selection) -> Standing:
    """Return where the market stands, computed once until something is written or a training begins or ends.

    How far a training is goes unsaid: the page does not follow it.
    """
    role = selection.workspace.actor.role
    return compute_once(selection, "standing", lambda one: standing_now(one.workspace, one.market).still, role)


def to_next(selection: Selection) -> None:
    """Draw the link to where the live model's one next step is done."""
    navigation.link_next(standing(selection))
