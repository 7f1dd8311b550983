"""What the evaluation page is drawn from: a model's test sales, read once, and figures worked out once for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar, cast

import streamlit as st

from core.access import Actor
from core.evaluate.scored import Scored
from core.lifecycle.evaluation import scores_of
from core.problem import Problem
from core.store import Market, ModelRecord, Store
from core.wording import count, day
from pages.widgets import model_card
from pages.widgets.desks import problem
from pages.widgets.markdown import plain

ALL: Final = "All test sales"
LATEST_MONTHS: Final = 6
LATEST: Final = f"Latest {LATEST_MONTHS} months"
PERIODS: Final = (ALL, LATEST)

_SPLITS: Final = {
    "random": "sealed test sales drawn at random",
    "time": "sealed test of the latest sales, priced month-ahead",
    "later": "sales since training, priced month-ahead",
}
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Seen:
    """The model looked at and the test sales its figures are of; ``key`` tells them from all others."""

    market: Market
    record: ModelRecord
    scored: Scored
    period: str
    key: tuple[str, str, str]

    @property
    def problem(self) -> Problem:
        """The problem statement in force."""
        return problem()

    @property
    def file_stem(self) -> str:
        """The beginning of the names of files downloaded."""
        part = "" if self.period == ALL else f"-latest-{LATEST_MONTHS}-months"
        return f"{self.record.model_id}{part}"


def seen(store: Store, market: Market, record: ModelRecord, period: str, who: Actor) -> Seen:
    """Read a model's test sales of a period; raises what ``scores_of`` raises."""
    scored = _scored(str(store.home), record.model_id, store, who)
    chosen = scored if period == ALL else _latest(str(store.home), record.model_id, scored)
    return Seen(market, record, chosen, period, (str(store.home), record.model_id, period))


def worked(of: Seen, name: str, work: Callable[[Scored, Problem], _Result]) -> _Result:
    """Return what ``work`` makes of the sales, worked out once for all sessions under this name."""
    return cast("_Result", _worked(of.key, name, of, work))


def source(of: Seen) -> str:
    """Say which model, data version and split the figures come from, as text safe for Markdown."""
    dates, terms = of.scored.table["sale_date"], of.scored.terms
    words = (
        f"Model {of.record.model_id} ({model_card.STAGES[of.record.stage]}), data version {terms.data_version}, "
        f"{_SPLITS.get(terms.split, terms.split)}: {count(len(of.scored.table), 'sale')} of "
        f"{day(dates.min())} to {day(dates.max())}"
    )
    part = "" if of.period == ALL else f", the latest {LATEST_MONTHS} months only"
    return plain(f"{words}{part}.")


# Few are kept: the scores of 200,000 sales take some hundred megabytes.
@st.cache_resource(max_entries=4, show_spinner="Reading the test sales")
def _scored(home: str, model_id: str, _store: Store, _who: Actor) -> Scored:
    # The arguments are the key; who may look has been asked by the page.
    return scores_of(_store, model_id, _who)


@st.cache_resource(max_entries=4, show_spinner=False)
def _latest(home: str, model_id: str, _scored: Scored) -> Scored:
    return _scored.latest(LATEST_MONTHS)


@st.cache_resource(max_entries=128, show_spinner="Working out the figures")
def _worked(key: tuple[str, str, str], name: str, _of: Seen, _work: Callable[[Scored, Problem], object]) -> object:
    return _work(_of.scored, problem())
