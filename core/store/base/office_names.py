"""Which spellings of an office's name the rows of a market hold, so that filters by office follow core.access."""

from __future__ import annotations

import sqlalchemy as sa

from core.access import same_office


def spellings(connection: sa.Connection, office: sa.Column[str], market_id: str, wanted: str) -> list[str]:
    """Return the names in a column that are the wanted office's; raises StoreUnavailable."""
    return [name for name in names_held(connection, office, market_id) if same_office(name, wanted)]


def names_held(connection: sa.Connection, office: sa.Column[str], market_id: str) -> list[str]:
    """Return the different names in a column, sorted; raises StoreUnavailable.

    The table needs an index that begins with market and office: each name is looked up after the one before it, which
    takes as long as there are offices, not rows.
    """
    of_market = office.table.c.market_id == market_id
    held = sa.select(sa.func.min(office).label("name")).where(of_market).cte("held", recursive=True)
    following = sa.select(sa.func.min(office)).where(of_market, office > held.c.name).scalar_subquery()
    held = held.union_all(sa.select(following).where(held.c.name.is_not(None)))
    return list(connection.execute(sa.select(held.c.name).where(held.c.name.is_not(None))).scalars())
