"""People's answers on near-match addresses: asked once, remembered for every later file."""

from __future__ import annotations

import sqlalchemy as sa

from core.access import Actor
from core.states import AuditAction
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.tables import ADDRESS_MATCH, now
from core.store.base.values import plain_text


class Matches:
    """Record and list answers; earlier answers stay on record, and the latest on a pair counts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def answer(self, market_id: str, sales_key: str, tax_key: str, same: bool, actor: Actor) -> None:
        """Record whether two addresses are the same home, with an audit event ``match.answered``.

        The market need not exist yet: the questions come before the first commit creates it. Raises
        StoreUnavailable.
        """
        market_id, sales_key = plain_text(market_id), plain_text(sales_key)
        detail = {"sales_key": sales_key, "tax_key": plain_text(tax_key), "same": bool(same)}
        row = {"market_id": market_id, **detail, "at": now(), "actor": plain_text(actor.name)}
        with self._database.write() as connection:
            connection.execute(ADDRESS_MATCH.insert().values(**row))
            append_event(connection, actor, AuditAction.MATCH_ANSWERED, market_id, sales_key, detail=detail)

    def of(self, market_id: str) -> dict[tuple[str, str], bool]:
        """Return the market's latest answers by pair of keys (sales, tax); raises StoreUnavailable."""
        columns = (ADDRESS_MATCH.c.sales_key, ADDRESS_MATCH.c.tax_key, ADDRESS_MATCH.c.same)
        query = sa.select(*columns).where(ADDRESS_MATCH.c.market_id == market_id).order_by(ADDRESS_MATCH.c.seq)
        with self._database.read() as connection:
            return {(sales_key, tax_key): same for sales_key, tax_key, same in connection.execute(query)}
