"""Outcomes of listings reported as sold: they stand until a data version brings the sale itself."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from core.store.base.api_tables import LISTING, LISTING_SALE
from core.store.base.tables import DECISION, ESTIMATE, OUTCOME
from core.store.ledger.decisions import decision_stands
from core.store.ledger.outcomes import NewOutcome, outcome_row

NO_VERSION: Final = ""
"""The data version of an outcome that no data version brought."""

_COMPARED: Final = ("sale_price", "sale_date", "list_date", "first_list_price")
_COPIED: Final = (
    *("model_id", "office", "channel", "property_type", "area"),
    *("point", "low", "high", "level", "confidence"),
)


def settle(connection: sa.Connection, market_id: str) -> int:
    """Bring the outcomes of a market's sold listings up to date in the caller's transaction; return how many changed.

    An estimate that a data version's sale was matched with needs none from its listing: the sale is the same one.
    """
    wanted, standing = _wanted(connection, market_id), _standing(connection, market_id)
    gone = [row["seq"] for key, row in standing.items() if not _same(row, wanted.get(key))]
    fresh = [new for key, new in wanted.items() if not _same(standing.get(key), new)]
    if gone:
        connection.execute(OUTCOME.update().where(OUTCOME.c.seq.in_(gone)).values(current=False))
    if fresh:
        connection.execute(OUTCOME.insert(), [outcome_row(market_id, NO_VERSION, new) for new in fresh])
    return len(gone) + len(fresh)


def _wanted(connection: sa.Connection, market_id: str) -> dict[str, NewOutcome]:
    """Return the outcome of each sold and priced listing whose estimate no data version's sale was matched with."""
    e, s, o = ESTIMATE.c, LISTING_SALE.c, OUTCOME.c
    later = LISTING_SALE.alias("later")
    replaced = sa.exists().where(later.c.listing_id == s.listing_id, later.c.seq > s.seq)
    matched = sa.exists().where(o.estimate_id == e.estimate_id, o.current.is_(True), o.version_id != NO_VERSION)
    listed = (
        sa.select(DECISION.c.listing_price)
        .where(DECISION.c.estimate_id == e.estimate_id, DECISION.c.listing_price.is_not(None), decision_stands())
        .order_by(DECISION.c.seq.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        sa.select(s.listing_id, s.sale_price, s.sale_date, s.list_date, listed.label("listed"))
        .add_columns(e.estimate_id, e.at, e.list_price, *(e[name] for name in _COPIED))
        .join_from(LISTING_SALE, LISTING, LISTING.c.listing_id == s.listing_id)
        .join(ESTIMATE, e.estimate_id == LISTING.c.estimate_id)
        .where(LISTING.c.market_id == market_id, e.status == "priced", ~replaced, ~matched)
    )
    return {row["listing_id"]: _outcome(row) for row in connection.execute(query).mappings()}


def _outcome(row: sa.RowMapping) -> NewOutcome:
    copied: dict[str, Any] = {name: row[name] for name in _COPIED}
    return NewOutcome(
        estimate_id=row["estimate_id"],
        sale_key=_key(row["listing_id"]),
        sale_date=row["sale_date"],
        sale_price=row["sale_price"],
        list_date=row["list_date"],
        list_price=None,
        first_list_price=row["listed"] if row["listed"] is not None else row["list_price"],
        counted=True,
        blind=row["list_price"] is None,
        estimated_at=row["at"],
        **copied,
    )


def _standing(connection: sa.Connection, market_id: str) -> dict[str, sa.RowMapping]:
    o = OUTCOME.c
    query = sa.select(OUTCOME).where(o.market_id == market_id, o.version_id == NO_VERSION, o.current.is_(True))
    return {row["sale_key"].removeprefix(_key("")): row for row in connection.execute(query).mappings()}


def _same(row: sa.RowMapping | None, new: NewOutcome | None) -> bool:
    return row is not None and new is not None and all(row[name] == getattr(new, name) for name in _COMPARED)


def _key(listing_id: str) -> str:
    return f"listing:{listing_id}"
