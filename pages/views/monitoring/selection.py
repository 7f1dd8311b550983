"""The monitoring page's data: the selected days and homes, and figures computed once for all sessions."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, TypeVar, cast

import streamlit as st

from core.problem import Problem
from core.states import Period
from core.store import Market, Store
from core.store.ledger.figures import Basis, Dimension, Slice
from core.wording import day_form, market_day
from core.workflows import jobs
from core.workflows.monitoring.figures import Accuracy, accuracy_of
from core.workflows.monitoring.readings import latest_days
from core.workspace import Workspace
from pages.kit.choice import FIRST_DAY, LAST_DAY
from pages.kit.figures import fields
from pages.kit.text import plain

EVERYTHING: Final = "Everything"
DATES: Final = "Dates"
SPANS: Final = {"3 months": 3, "6 months": 6, "12 months": 12}
ALL: Final = "All"
UNKNOWN: Final = "not known"

PERIODS: Final[dict[str, Period]] = {"Month": Period.MONTH, "Week": Period.WEEK, "Day": Period.DAY}
BASES: Final[dict[str, Basis]] = {"Made blind": "blind", "All that count": "counted", "Every estimate": "every"}
PARTS: Final[dict[Dimension, str]] = {
    "property_type": "Property type",
    "area": "Area",
    "office": "Office",
    "model_id": "Model",
    "channel": "Channel",
}

_USUAL: Final = "12 months"
# Two fields stand side by side on a phone.
_FIELD: Final = 160
_OFFERED_FOR: Final = timedelta(minutes=5)
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Selection:
    """The selection: a market on its day ``clock``, the slice and its period; ``pulse`` changes with the data."""

    workspace: Workspace
    market: Market
    clock: date
    where: Slice
    period: Period
    pulse: tuple[int, ...]

    @property
    def problem(self) -> Problem:
        """The problem statement in use."""
        return self.workspace.problem

    @property
    def file_stem(self) -> str:
        """The beginning of downloaded files' names: the market, the days and the filters."""
        days = [f"{one:%Y-%m-%d}" for one in (self.where.since, self.where.until) if one is not None]
        parts = [str(getattr(self.where, name)) for name in PARTS if getattr(self.where, name) is not None]
        return "-".join([self.market.market_id, *days, *parts]).replace(" ", "_").lower()

    @property
    def words(self) -> str:
        """What the figures cover, as plain text."""
        since, until = self.where.since, self.where.until
        first, last = (market_day(one, self.market.currency) for one in (since, until))
        days = f"{first if since else 'the first'} to {last if until else 'the latest'}"
        return ", ".join([days, *self.narrowed])

    @property
    def narrowed(self) -> list[str]:
        """The filters of the figures, as plain text, one item each."""
        chosen = {label: getattr(self.where, name) for name, label in PARTS.items()}
        return [f"{label.lower()} {_value_words(str(value))}" for label, value in chosen.items() if value is not None]


def choose_days(workspace: Workspace, market: Market, pulse: tuple[int, ...]) -> Selection:
    """Draw the selector of days; return the selection without filters."""
    with fields("span"):
        return _of_days(workspace, market, pulse)


def choose_span(workspace: Workspace, market: Market, pulse: tuple[int, ...]) -> Selection:
    """Draw the selectors of days and of the figures' period; return the selection without filters."""
    with fields("span"):
        chosen = _of_days(workspace, market, pulse)
        period = st.selectbox("Period", list(PERIODS), 0, key="period", bind="query-params", width=_FIELD)
    return replace(chosen, period=PERIODS.get(period, Period.MONTH))


def without_span(workspace: Workspace, market: Market, pulse: tuple[int, ...]) -> Selection:
    """Return the selection for views where days do not matter."""
    clock = workspace.today(market)
    return Selection(workspace, market, clock, Slice(), Period.MONTH, pulse)


def narrow(selection: Selection) -> Selection:
    """Draw the filters in an expander and below it what the figures cover; return the selection."""
    fold = st.expander("Narrow down", key="narrow", icon=":material/filter_alt:", on_change="rerun")
    # A closed expander is drawn only to keep its filters: drawing it takes as long as a chart.
    if fold.open or any(_is_chosen(key) or key in st.query_params for _, key in _keys()):
        with fold:
            _choices(selection)
    chosen: dict[str, Any] = {name: st.session_state[key] for name, key in _keys() if _is_chosen(key)}
    narrowed = replace(selection, where=replace(selection.where, **chosen))
    source(narrowed)
    return narrowed


def compute_once(selection: Selection, name: str, work: Callable[[Selection], _Result], *more: Hashable) -> _Result:
    """Return the result of ``work`` on the selection, computed once for all sessions until something is written."""
    champion = selection.workspace.store.models.champion(selection.market.market_id)
    return _kept(selection, name, work, selection.pulse, champion and champion.model_id, *more)


def compute_once_per_sale_data(
    selection: Selection, name: str, work: Callable[[Selection], _Result], *more: Hashable
) -> _Result:
    """Return the result of ``work`` on the outcomes alone, computed once until one of them changes.

    Estimates are written all day, sales only now and then: figures that depend only on sales stay cached longer.
    """
    return _kept(selection, name, work, selection.workspace.store.figures.sold_pulse(selection.market.market_id), *more)


def errors_of(selection: Selection, basis: Basis) -> Accuracy:
    """Return the selection's errors against sale prices, computed once for all views that show them."""
    return compute_once_per_sale_data(
        selection,
        "accuracy",
        lambda c: accuracy_of(c.workspace, c.market.market_id, c.where, c.period, basis),
        basis,
    )


def pulse_of(workspace: Workspace) -> tuple[int, ...]:
    """Return numbers that change whenever anything is written or work begins or ends; raises StoreUnavailable."""
    return (*workspace.store.figures.pulse(), *jobs.pulse(workspace.store))


def _kept(selection: Selection, name: str, work: Callable[[Selection], _Result], *more: Hashable) -> _Result:
    key = (
        str(selection.workspace.store.home),
        selection.market.market_id,
        selection.clock,
        selection.period,
        *vars(selection.where).values(),
        *more,
    )
    return cast("_Result", _cached(key, name, selection, work))


def _of_days(workspace: Workspace, market: Market, pulse: tuple[int, ...]) -> Selection:
    """Draw the fields of the days; to be called inside a line of fields."""
    clock, spans = workspace.today(market), [*SPANS, EVERYTHING, DATES]
    span = st.selectbox("Days", spans, spans.index(_USUAL), key="span", bind="query-params", width=_FIELD)
    since, until = _days(span if span in spans else _USUAL, clock, day_form(market.currency))
    return Selection(workspace, market, clock, Slice(since, until), Period.MONTH, pulse)


def _days(span: str, clock: date, form: str) -> tuple[date | None, date | None]:
    if span == EVERYTHING:
        return None, None
    if span == DATES:
        first = latest_days(clock, SPANS[_USUAL])
        since = st.date_input(
            "From", first, FIRST_DAY, LAST_DAY, key="since", bind="query-params", width=_FIELD, format=form
        )
        until = st.date_input(
            "To", clock, FIRST_DAY, LAST_DAY, key="until", bind="query-params", width=_FIELD, format=form
        )
        if since and until and since > until:
            st.warning("The first day is after the last, so there are no days between them.", icon=":material/error:")
        return since, until
    return latest_days(clock, SPANS[span]), clock


def _choices(selection: Selection) -> None:
    offered = _offered(str(selection.workspace.store.home), selection.market.market_id, selection.workspace.store)
    with st.container(horizontal=True, gap="small"):
        for name, key in _keys():
            st.selectbox(
                PARTS[name], [ALL, *offered[name]], format_func=_value_words, key=key, bind="query-params", width=230
            )
    st.caption("The page’s address includes these choices, so a link shows the same.")


def _keys() -> list[tuple[Dimension, str]]:
    return [(name, {"property_type": "type", "model_id": "model"}.get(name, name)) for name in PARTS]


def _is_chosen(key: str) -> bool:
    return st.session_state.get(key, ALL) not in (ALL, None)


def _value_words(value: str) -> str:
    return value.replace("_", " ") or UNKNOWN


# New offices and areas are rare; looking for them takes as long as all the page's figures.
@st.cache_data(ttl=_OFFERED_FOR, max_entries=8, show_spinner=False)
def _offered(home: str, market_id: str, _store: Store) -> dict[Dimension, list[str]]:
    tables = _store.figures.traffic_by(market_id, Slice())
    return {name: sorted(str(one) for one in table[name]) for name, table in tables.items()}


@st.cache_resource(max_entries=128, show_spinner="Computing the figures")
def _cached(
    key: tuple[Hashable, ...], name: str, _selection: Selection, _work: Callable[[Selection], object]
) -> object:
    return _work(_selection)


def source(selection: Selection) -> None:
    """Draw what the view's figures cover."""
    st.caption(plain(f"{selection.words}."))
