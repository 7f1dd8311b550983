"""Listings: homes that another system lists, each with its estimate, the decision on it, and what it sold for."""

from __future__ import annotations

import builtins
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from core.access import Actor
from core.errors import NotFound
from core.states import AuditAction, ListingState
from core.store.base.api_tables import LISTING, LISTING_SALE
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.markets import lock_market, market_row
from core.store.base.office_names import spellings
from core.store.base.tables import DECISION, ESTIMATE, now
from core.store.base.values import plain_text
from core.store.ledger.checks import ID_BYTES, signature
from core.store.ledger.decisions import decision_stands
from core.store.ledger.listing_outcomes import settle

_DECIDED: Final = {
    "accept": ListingState.ACCEPTED,
    "adjust": ListingState.ADJUSTED,
    "override": ListingState.OVERRIDDEN,
}


@dataclass(frozen=True)
class ListingSale:
    """What a listing sold for, as reported; money in the market's currency, ``at`` in UTC."""

    sale_price: float
    sale_date: date
    list_date: date | None
    at: datetime
    actor: str


@dataclass(frozen=True)
class ListingRecord:
    """A listing: ``reference`` is the other system's own name for it; its figures are its estimate's.

    ``price`` and ``listing_price`` are those of the latest decision; both are None before one.
    """

    seq: int
    listing_id: str
    market_id: str
    estimate_id: str
    reference: str
    at: datetime
    actor: str
    office: str
    currency: str
    point: float | None
    low: float | None
    high: float | None
    decision: str | None
    price: float | None
    listing_price: float | None
    sale: ListingSale | None

    @property
    def state(self) -> ListingState:
        """Where the listing stands."""
        if self.sale is not None:
            return ListingState.SOLD
        if self.decision is not None:
            return _DECIDED[self.decision]
        return ListingState.UNPRICED if self.point is None else ListingState.SUGGESTED


class Listings:
    """Create listings, read them and record what they sold for; none is ever removed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, estimate_id: str, reference: str, actor: Actor) -> ListingRecord:
        """Create a listing on an estimate of the ledger, with an audit entry.

        Raises NotFound for an unknown estimate, StoreUnavailable.
        """
        listing_id = secrets.token_hex(ID_BYTES)
        query = sa.select(ESTIMATE.c.market_id).where(ESTIMATE.c.estimate_id == estimate_id)
        with self._database.write() as connection:
            market_id = connection.scalar(query)
            if market_id is None:
                raise NotFound(f"There is no estimate {estimate_id!r}; price the home first.")
            connection.execute(
                LISTING.insert().values(
                    listing_id=listing_id,
                    market_id=market_id,
                    estimate_id=estimate_id,
                    reference=plain_text(reference),
                    **signature(actor, now()),
                )
            )
            detail = {"estimate_id": estimate_id, "reference": reference}
            append_event(connection, actor, AuditAction.LISTING_CREATED, market_id, listing_id, detail=detail)
            return _get(connection, listing_id)

    def get(self, listing_id: str) -> ListingRecord:
        """Return a listing; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            return _get(connection, listing_id)

    def list(
        self, market_id: str, limit: int, office: str = "", before: int | None = None, reference: str = ""
    ) -> builtins.list[ListingRecord]:
        """Return a market's listings, newest first, of all offices or one; ``before`` is the seq to go on from.

        Raises NotFound for an unknown market, StoreUnavailable.
        """
        conditions = [LISTING.c.market_id == market_id]
        conditions += [LISTING.c.reference == plain_text(reference)] if reference else []
        conditions += [LISTING.c.seq < before] if before is not None else []
        with self._database.read() as connection:
            market_row(connection, market_id)
            if office:
                named = spellings(connection, LISTING.c.office, market_id, plain_text(office))
                conditions.append(LISTING.c.office.in_(named))
            return _records(connection, conditions, limit)

    def sell(self, listing_id: str, price: float, day: date, list_date: date | None, actor: Actor) -> ListingRecord:
        """Record what a listing sold for, with an audit entry, and make it an outcome of its estimate.

        A later record replaces it, and the earlier one is kept; the same once more changes nothing. Raises NotFound,
        StoreUnavailable.
        """
        with self._database.write() as connection:
            listing = _get(connection, listing_id)
            lock_market(connection, listing.market_id)
            before = listing.sale
            if before is None or (before.sale_price, before.sale_date, before.list_date) != (price, day, list_date):
                sale = ListingSale(price, day, list_date, now(), plain_text(actor.name))
                connection.execute(LISTING_SALE.insert().values(listing_id=listing_id, **vars(sale)))
                detail = {"price": price, "date": day, "before": before.sale_price if before else None}
                append_event(connection, actor, AuditAction.LISTING_SOLD, listing.market_id, listing_id, detail=detail)
                settle(connection, listing.market_id)
            return _get(connection, listing_id)

    def settle(self, market_id: str) -> int:
        """Bring the outcomes of sold listings up to date with the data versions; return how many changed.

        Raises NotFound, StoreUnavailable.
        """
        with self._database.write() as connection:
            lock_market(connection, market_id)
            return settle(connection, market_id)


def _get(connection: sa.Connection, listing_id: str) -> ListingRecord:
    found = _records(connection, [LISTING.c.listing_id == listing_id], 1)
    if not found:
        raise NotFound(f"There is no listing {listing_id!r}; list the market's listings to see their ids.")
    return found[0]


def _records(
    connection: sa.Connection, conditions: Sequence[sa.ColumnElement[bool]], limit: int
) -> list[ListingRecord]:
    e, d = ESTIMATE.c, DECISION.c
    any_decision = DECISION.alias("any_decision")
    of_listing = sa.and_(any_decision.c.estimate_id == LISTING.c.estimate_id, decision_stands(any_decision))
    latest = sa.select(sa.func.max(any_decision.c.seq)).where(of_listing).correlate(LISTING).scalar_subquery()
    columns = [LISTING.c[name] for name in ("seq", "listing_id", "market_id", "estimate_id", "reference")]
    columns += [LISTING.c.at, LISTING.c.actor, LISTING.c.office, e.currency, e.point, e.low, e.high]
    query = (
        sa.select(*columns, d.kind.label("decision"), d.price, d.listing_price)
        .join_from(LISTING, ESTIMATE, LISTING.c.estimate_id == e.estimate_id)
        .outerjoin(DECISION, d.seq == latest)
        .where(*conditions)
        .order_by(LISTING.c.seq.desc())
        .limit(int(limit))
    )
    rows = [dict(row) for row in connection.execute(query).mappings()]
    sold = _sales(connection, [row["listing_id"] for row in rows])
    return [ListingRecord(**row, sale=sold.get(row["listing_id"])) for row in rows]


def _sales(connection: sa.Connection, listing_ids: Sequence[str]) -> dict[str, ListingSale]:
    query = sa.select(LISTING_SALE).where(LISTING_SALE.c.listing_id.in_(listing_ids)).order_by(LISTING_SALE.c.seq)
    rows: list[dict[str, Any]] = [dict(row) for row in connection.execute(query).mappings()]
    return {
        row["listing_id"]: ListingSale(**{name: row[name] for name in ListingSale.__dataclass_fields__}) for row in rows
    }
