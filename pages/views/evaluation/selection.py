"""The evaluation page's data: a model's test sales, read once, and figures computed once for all sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar, cast

import streamlit as st

from core.evaluate.scored_sales import ScoredSales
from core.problem import Problem
from core.store import Market, ModelRecord
from core.wording import count, market_day
from core.workflows.models.explanations import Explainer, open_explainer
from core.workflows.models.test_scores import later_scores, scores_of
from core.workspace import Workspace
from pages.kit.figures import STAGES
from pages.kit.text import plain

ALL: Final = "All test sales"
LATEST_MONTHS: Final = 6
LATEST: Final = f"Latest {LATEST_MONTHS} months"
SINCE: Final = "Since training"

SALES_OF: Final = {
    ALL: "its test sales",
    LATEST: f"the latest {LATEST_MONTHS} months of its test sales",
    SINCE: "the sales since its training",
}
"""The sales of each period, in words."""

_FILE_PARTS: Final = {ALL: "", LATEST: f"-latest-{LATEST_MONTHS}-months", SINCE: "-since-training"}
_SPLITS: Final = {
    "random": "sealed test sales drawn at random",
    "time": "sealed test of the latest sales, priced month-ahead",
    "later": "sales since training, priced month-ahead",
}
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Selection:
    """The selected model and the sales of its figures, a period of the ``whole``; ``key`` identifies both.

    The key is the home folder, the model, the data version of the sales, and the period.
    """

    workspace: Workspace
    market: Market
    record: ModelRecord
    scored: ScoredSales
    whole: ScoredSales
    period: str
    key: tuple[str, str, str, str]

    @property
    def problem(self) -> Problem:
        """The problem statement in use."""
        return self.workspace.problem

    @property
    def file_stem(self) -> str:
        """The beginning of downloaded files' names."""
        return f"{self.record.model_id}{_FILE_PARTS[self.period]}"


def periods(workspace: Workspace, market: Market, record: ModelRecord) -> tuple[str, ...]:
    """Return the periods available for a model: "since training" only if later sales were imported."""
    latest = workspace.store.versions.latest(market.market_id)
    if latest is None or latest.version_id == record.version_id:
        return ALL, LATEST
    known = workspace.store.versions.get(record.version_id).last_sale
    later = latest.last_sale is not None and known is not None and latest.last_sale > known
    return (ALL, LATEST, SINCE) if later else (ALL, LATEST)


def seen(workspace: Workspace, market: Market, record: ModelRecord, period: str) -> Selection:
    """Read a model's sales of a period; raises what ``scores_of`` and ``later_scores`` raise."""
    home, model_id = str(workspace.store.home), record.model_id
    if period == SINCE:
        latest = workspace.store.versions.latest(market.market_id)
        version_id = latest.version_id if latest is not None else record.version_id
        later = _later(home, model_id, version_id, workspace)
        return Selection(workspace, market, record, later, later, period, (home, model_id, version_id, period))
    whole = _scored(home, model_id, workspace)
    chosen = whole if period == ALL else _latest(home, model_id, whole)
    return Selection(workspace, market, record, chosen, whole, period, (home, model_id, record.version_id, period))


def explainer(selection: Selection) -> Explainer:
    """Return the explainer of the model's estimates, opened once for all sessions; raises as ``open_explainer``."""
    terms = selection.whole.terms
    return _explainer(*selection.key[:2], terms.split, terms.data_version, selection)


def compute_once(selection: Selection, name: str, work: Callable[[ScoredSales, Problem], _Result]) -> _Result:
    """Return the result of ``work`` on the sales, computed once for all sessions under this name."""
    return cast("_Result", _cached(selection.key, name, selection, work))


def source(selection: Selection) -> str:
    """State which model, data version and split the figures come from, as Markdown-safe text."""
    dates, terms = selection.scored.table["sale_date"], selection.scored.terms
    words = (
        f"Model {selection.record.model_id} ({STAGES[selection.record.stage]}), "
        f"data version {terms.data_version}, "
        f"{_SPLITS.get(terms.split, terms.split)}: {count(len(selection.scored.table), 'sale')} from "
        f"{market_day(dates.min(), terms.currency)} to {market_day(dates.max(), terms.currency)}"
    )
    part = f", only the latest {LATEST_MONTHS} months" if selection.period == LATEST else ""
    return plain(f"{words}{part}.")


# Few are kept: the scores of 200,000 sales take a few hundred megabytes.
@st.cache_resource(max_entries=4, show_spinner="Reading the test sales")
def _scored(home: str, model_id: str, _workspace: Workspace) -> ScoredSales:
    # The arguments are the cache key; the page has already checked access.
    return scores_of(_workspace, model_id)


@st.cache_resource(max_entries=4, show_spinner=False)
def _latest(home: str, model_id: str, _scored: ScoredSales) -> ScoredSales:
    return _scored.latest(LATEST_MONTHS)


# Newer sales give another data version, and so another entry.
@st.cache_resource(max_entries=2, show_spinner="Pricing the sales since training, month by month")
def _later(home: str, model_id: str, version_id: str, _workspace: Workspace) -> ScoredSales:
    return later_scores(_workspace, model_id, version_id)


@st.cache_resource(max_entries=2, show_spinner="Opening the model to explain its estimates")
def _explainer(home: str, model_id: str, split: str, version_id: str, _selection: Selection) -> Explainer:
    return open_explainer(_selection.workspace, model_id, _selection.whole)


@st.cache_resource(max_entries=128, show_spinner="Computing the figures")
def _cached(
    key: tuple[str, str, str, str], name: str, _selection: Selection, _work: Callable[[ScoredSales, Problem], object]
) -> object:
    return _work(_selection.scored, _selection.problem)


def origin(selection: Selection) -> None:
    """Draw which model, data version and split the view's figures come from."""
    st.caption(source(selection))
