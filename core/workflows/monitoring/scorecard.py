"""A market's scorecard: model and agents compared with its sales, and listings with estimates compared with others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import pandas as pd

from core.access import Action, shown_spellings
from core.errors import StoreError
from core.monitor.scorecard import (
    KINDS,
    OFFICES_WARNING,
    Effect,
    Line,
    Scorecard,
    office_effects,
    overall_line,
    scorecard,
)
from core.problem import Problem
from core.store.ledger.figures import Slice
from core.wording import count, market_day
from core.workspace import Workspace

OTHERS: Final = "all other offices"

_ROW: Final = "intake_row"
_SALE: Final = [_ROW, "sale_date", "list_date", "list_price"]


@dataclass(frozen=True)
class OfficesCompared:
    """Sold listings, listed since the first estimate, of the offices that request estimates and of all others.

    ``inside`` and ``outside`` are their numbers, ``offices`` those with estimates. Without effects, ``words`` says why;
    show ``warning`` with them.
    """

    offices: tuple[str, ...]
    inside: int
    outside: int
    effects: tuple[Effect, ...]
    words: str
    warning: str


@dataclass(frozen=True)
class MarketScorecard:
    """The scorecard of the homes sold in a span of days, and a comparison with offices without estimates.

    ``of_models_before`` says how many of its sales the live model did not price, "" if it priced them all.
    """

    card: Scorecard
    offices: OfficesCompared
    of_models_before: str = ""


def scorecard_of(workspace: Workspace, market_id: str, since: date | None, until: date | None) -> MarketScorecard:
    """Compare model and agents with the homes sold from ``since`` to ``until``, None for an open end.

    Raises AccessDenied, NotFound, StoreUnavailable; an unreadable data version leaves out only the offices.
    """
    workspace.require(Action.WATCH)
    sold = workspace.store.agent_decisions.sold(market_id, Slice(since, until))
    card = scorecard(sold.assign(office=_one_spelling(sold["office"])), workspace.problem)
    before = _of_models_before(workspace, market_id, sold[sold["decision"].isin(KINDS)])
    return MarketScorecard(card, _offices(workspace, market_id, since, until), before)


def decisions_beside(workspace: Workspace, market_id: str, model_id: str) -> Line | None:
    """Compare one model with its agents on the homes sold with a decision; None without any.

    Raises AccessDenied, NotFound, StoreUnavailable.
    """
    workspace.require(Action.WATCH)
    sold = workspace.store.agent_decisions.sold(market_id, Slice(model_id=model_id))
    return overall_line(sold, workspace.problem)


def _of_models_before(workspace: Workspace, market_id: str, decided: pd.DataFrame) -> str:
    live = workspace.store.models.champion(market_id)
    others = 0 if live is None else int((decided["model_id"] != live.model_id).sum())
    if not others:
        return ""
    return (
        f"Of the {count(len(decided), 'sale')} with a decision, {others:,} are of homes that models before the live "
        "one priced: here, the model is the one whose estimate the agent saw."
    )


def _offices(workspace: Workspace, market_id: str, since: date | None, until: date | None) -> OfficesCompared:
    store = workspace.store
    met, version = store.agent_decisions.met(market_id), store.versions.latest(market_id)
    offices = {str(sale): str(office) for sale, office in _one_spelling(pd.Series(met.offices, dtype="str")).items()}
    none = OfficesCompared(tuple(sorted({one for one in offices.values() if one})), 0, 0, (), "", OFFICES_WARNING)
    if met.since is None or version is None:
        return replace(none, words="No estimate has been requested yet, so there are no offices to compare.")
    try:
        sales = store.versions.load(version.version_id)
    except StoreError as error:
        return replace(none, words=f"The market's sales cannot be read, so offices are not compared. {error}")
    if "list_date" not in sales or sales["list_date"].isna().all():
        return replace(none, words="The sales have no list dates, so offices are not compared. Map one at upload.")
    first = market_day(met.since, store.markets.get(market_id).currency)
    return _compared(_listings(sales, offices, (met.since, since, until)), none, first, workspace.problem)


def _one_spelling(offices: pd.Series) -> pd.Series:
    """Return names of offices, each under its most frequent spelling."""
    return offices.map(shown_spellings({str(one): int(n) for one, n in offices.dropna().value_counts().items()}))


def _listings(
    sales: pd.DataFrame, offices: dict[str, str], days: tuple[date, date | None, date | None]
) -> pd.DataFrame:
    """Return the sold listings that could have been priced, each with its office, or as one of the others.

    ``days`` are the day of the first estimate and the first and last day of sale. A listing from before the first
    estimate could not have one, and would make the others look slow.
    """
    first, since, until = days
    listed = sales.reindex(columns=_SALE)
    wanted = listed["list_date"] >= pd.Timestamp(first)
    if since is not None:
        wanted &= listed["sale_date"] >= pd.Timestamp(since)
    if until is not None:
        wanted &= listed["sale_date"] <= pd.Timestamp(until)
    chosen = listed[wanted]
    office = chosen[_ROW].astype("str").map(offices).fillna(OTHERS)
    # An estimate without an office comes from somebody exploring, or from the market's own staff.
    return chosen.assign(office=office.where(office != ""), first_list_price=float("nan"))


def _compared(listings: pd.DataFrame, none: OfficesCompared, first: str, problem: Problem) -> OfficesCompared:
    inside = int(listings["office"].isin(none.offices).sum())
    outside = int((listings["office"] == OTHERS).sum())
    known = replace(none, inside=inside, outside=outside)
    if not inside or not outside:
        lacking = "with an estimate" if not inside else "without one"
        words = f"Of the listings listed since {first} and sold on these days, none is {lacking}."
        return replace(known, words=words)
    effects = office_effects(listings, none.offices, problem)
    words = (
        f"{count(inside, 'listing')} priced by {', '.join(none.offices)} and {count(outside, 'listing')} of "
        f"{OTHERS}, all listed since the first estimate ({first}). An office is known here from its agents’ estimates, "
        "not from the sales: the listings of the others are those that no office has priced."
    )
    return replace(known, effects=effects, words=words)
