"""A person answers each near match of addresses once."""

from __future__ import annotations

from core.access import Action
from core.collect.near_matches import NearMatch
from core.workflows.data.intake import NewMarket, market_id_of
from core.workspace import Workspace


def answer_match(workspace: Workspace, market: str | NewMarket, near: NearMatch, same: bool) -> None:
    """Record whether a sale's and a tax record's address are the same home, for the next check of the files.

    ``market`` is the market's id, or the new market that the first commit creates. The latest answer on a pair counts.
    Raises AccessDenied, StoreUnavailable.
    """
    workspace.require(Action.INGEST)
    workspace.store.matches.answer(market_id_of(market), near.sales_key, near.tax_key, same, workspace.actor)
