"""Near matches of addresses are answered by a person, once."""

from __future__ import annotations

from core.access import Action
from core.collect.near_matches import NearMatch
from core.workflows.data.intake import NewMarket, market_id_of
from core.workspace import Workspace


def answer_match(workspace: Workspace, market: str | NewMarket, near: NearMatch, same: bool) -> None:
    """Remember whether a sale's and a tax record's address are one home; the next check of the files knows it.

    ``market`` is the market's id, or the one its first commit will make. The latest answer to a pair counts. Raises
    AccessDenied, StoreUnavailable.
    """
    workspace.require(Action.INGEST)
    workspace.store.matches.answer(market_id_of(market), near.sales_key, near.tax_key, same, workspace.actor)
