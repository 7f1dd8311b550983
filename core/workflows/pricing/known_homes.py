"""The homes of a market's sales and tax roll, to be found by address and priced without typing their facts."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from core.access import Action
from core.errors import NotFound
from core.serve.agent.added_sales import sales_of
from core.serve.agent.address_book import AddressBook, KnownHome, Matches
from core.serve.comparables import Comparable
from core.serve.estimate import Estimate
from core.workflows.opening.addresses import address_book, names_kept
from core.workflows.pricing.desk import Desk
from core.workspace import Workspace

KEPT: Final = 4
"""Few address books are kept: one of 50,000 sales takes about 40 MB."""


class AddressBooks:
    """The address books of a process, one for each data version; safe to share between threads."""

    def __init__(self) -> None:
        self._books: OrderedDict[tuple[str, str, tuple[str, ...]], AddressBook] = OrderedDict()
        self._building = threading.Lock()

    def book(self, workspace: Workspace, desk: Desk) -> AddressBook | None:
        """Return the address book of a desk's sales, None without a live model; raises AccessDenied, StoreUnavailable.

        The first call for a data version reads its sales and takes a second or two, later ones nothing; in a large
        market only the first one on a server takes long.
        """
        workspace.require(Action.PRICE)
        live = desk.live_market
        if live is None:
            return None
        names = names_kept(live.live_model.model, desk.area_figures)
        key = (str(workspace.store.home), live.version_id, names)
        with self._building:
            if key not in self._books:
                market_id = desk.market.market_id
                self._books[key] = address_book(workspace.store, market_id, live.version_id, names)
                while len(self._books) > KEPT:
                    self._books.popitem(last=False)
            self._books.move_to_end(key)
            return self._books[key]


def homes_like(workspace: Workspace, desk: Desk, books: AddressBooks, typed: str) -> Matches:
    """Return the homes whose address or property id fits best what was typed.

    Raises AccessDenied, StoreUnavailable, and NotFound without a live model: its facts are those looked up.
    """
    book = books.book(workspace, desk)
    if book is None:
        why = desk.no_model()
        raise NotFound(f"Homes cannot be looked up yet. {why.reason} {why.remedy}")
    return book.find(typed)


def sales_like(
    workspace: Workspace, desk: Desk, books: AddressBooks, typed: str, estimate: Estimate
) -> tuple[Comparable, ...]:
    """Return the sales whose address fits best what was typed, adjusted to an estimate's home, to be added to it.

    None where no sale fits that could be added (see ``adjusted_sales``). Raises what ``homes_like`` does.
    """
    homes = homes_like(workspace, desk, books, typed).homes
    if desk.live_market is None:
        return ()
    return desk.further_sales(estimate, sales_of(desk.live_market, homes, estimate.subject.as_of))


def home_at(
    workspace: Workspace, desk: Desk, books: AddressBooks, address: str, codes: Mapping[str, str]
) -> KnownHome | None:
    """Return the home of a whole address, in the areas given by their codes, or of a whole property id.

    None where it is not known, or not alone. Raises AccessDenied, StoreError.
    """
    book = books.book(workspace, desk)
    if book is None:
        return None
    [found] = book.known(pd.DataFrame([{**codes, "address": address}], dtype="str"))
    return found or book.numbered(address)


def matches_form(matches: Matches) -> dict[str, Any]:
    """Return the homes found as JSON values, and how many more fit as well as the first."""
    return {"homes": [_home_form(home) for home in matches.homes], "more": matches.more}


def _home_form(home: KnownHome) -> dict[str, Any]:
    return {
        "address": home.address,
        "facts": {**home.facts, "address": home.address},
        "sale_date": home.recorded.isoformat() if home.recorded else None,
        "tax_record_date": home.on_roll.isoformat() if home.on_roll else None,
        "facts_of_tax_record": sorted(home.from_roll),
    }
