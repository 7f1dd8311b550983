"""The market that files go to: one that there is, or a new one that their first commit makes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.access import Action
from core.collect.mapping import ColumnMapping, MappedTable
from core.errors import AlreadyExists, WrongUsage
from core.schema import Source
from core.store import DataVersion, Market, Store
from core.store.base.markets import USUAL_CURRENCY, AreaUnit, slug_of
from core.wording import area_label
from core.workflows.source_files.customs import Customs, taken_before
from core.workflows.source_files.mapped_files import stated_currency, stated_unit, usual_currency
from core.workspace import Workspace


@dataclass(frozen=True)
class NewMarket:
    """A market that does not exist yet: its first commit creates it."""

    name: str
    currency: str
    area_unit: AreaUnit
    simulated: bool = False


def market_id_of(market: str | NewMarket) -> str:
    """Return a market's id, or the id it will get."""
    return market if isinstance(market, str) else slug_of(market.name)


def market_in_terms(store: Store, market: Market, currency: str, area_unit: AreaUnit | None = None) -> str | NewMarket:
    """Return the market that sales in a currency go to; "" and None are the market's own terms.

    One without sales in use takes other terms with its next sales. Raises WrongUsage for another currency than that of
    the sales there are.
    """
    empty = store.versions.latest(market.market_id) is None
    wanted = NewMarket(market.name, currency or market.currency, area_unit or market.area_unit, market.simulated)
    if empty and (wanted.currency, wanted.area_unit) != (market.currency, market.area_unit):
        return wanted
    if wanted.currency != market.currency:
        raise WrongUsage(
            f"The prices of {market.name} are in {market.currency}, not {currency}. Leave the currency out, or name a "
            "new market; if the currency is wrong, undo the market’s data first, then import it in the right one."
        )
    return market.market_id


def show_areas_in(workspace: Workspace, market_id: str, area_unit: AreaUnit) -> str:
    """Let a market show areas in this unit from now on and say so, "" if it does already.

    Raises AccessDenied, NotFound, StoreUnavailable.
    """
    workspace.require(Action.INGEST)
    if not workspace.store.markets.show_areas_in(market_id, area_unit, workspace.actor):
        return ""
    other: AreaUnit = "sqm" if area_unit == "sqft" else "sqft"
    name = workspace.store.markets.get(market_id).name
    return (
        f"areas of {name} are shown in {area_label(area_unit)} from now on, and read so where a file states no unit: "
        f"--area-unit {other} changes that back"
    )


def market_of_files(
    name: str, currency: str, area_unit: AreaUnit | None, mappings: Collection[ColumnMapping | None]
) -> NewMarket:
    """Return a new market in the terms asked for; "" and None are those that its files state.

    Areas are in square feet where neither says otherwise. Raises WrongUsage where nothing says what the prices are in:
    a wrong guess would be in every price.
    """
    found = currency or stated_currency(mappings)
    if not found and any(one is not None and one.source is Source.SALES for one in mappings):
        hint = ": areas in square feet suggest US dollars, and do not prove them" if usual_currency(mappings) else ""
        raise WrongUsage(
            f"The files do not say which currency their prices are in, and the new market {name!r} needs one{hint}. "
            f"Name it, such as --currency {USUAL_CURRENCY}. Nothing was changed."
        )
    return NewMarket(name, found or USUAL_CURRENCY, area_unit or stated_unit(mappings) or "sqft")


def parent_of(store: Store, market: str | NewMarket) -> DataVersion | None:
    """Return the version that files build on, None for a market without any.

    A market of that very name without sales in use is opened again. Raises NotFound, AlreadyExists for a new market
    whose name is taken.
    """
    if isinstance(market, str):
        return store.versions.latest(market)
    held = next((one for one in store.markets.list() if one.market_id == slug_of(market.name)), None)
    if held is not None and (held.name != market.name or store.versions.latest(held.market_id) is not None):
        raise AlreadyExists(f"A market named {market.name!r} already exists; choose it, or give another name.")
    return None


def repeated_files(store: Store, market: str | NewMarket, tables: Sequence[MappedTable]) -> tuple[str, ...]:
    """Return the names of the files that the market has taken in before, byte for byte."""
    if isinstance(market, NewMarket):
        return ()
    return tuple(table.name for table in tables if store.versions.has_file(market, table.sha256))


def customs_of(store: Store, market: str | NewMarket | None, area_unit: str | None = None) -> Customs:
    """Return how a market's files are read where they leave it open; ``area_unit`` is the unit asked for, if any.

    Square feet are what a market has that nobody chose a unit for, so they are taken from a new market only, and the
    size of the homes tells elsewhere. Raises NotFound, StoreUnavailable.
    """
    if market is None:
        return Customs(area_unit or "")
    if isinstance(market, NewMarket):
        return Customs(area_unit or market.area_unit)
    usual = "sqm" if store.markets.get(market).area_unit == "sqm" else ""
    return Customs(area_unit or usual, taken_before(store, market))
