"""How many answers the ledger holds, by what operators tell apart: market, channel, status and latency."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from core.store.base.database import Database
from core.store.base.tables import ESTIMATE
from core.store.ledger.histograms import latency_of


@dataclass(frozen=True)
class AnswerCount:
    """``n`` answers of a market that came in by one channel, ended in one status, and took about as long.

    ``milliseconds`` is the middle of their latency bin, accurate to 2.5%.
    """

    market_id: str
    channel: str
    status: str
    milliseconds: float
    n: int


class AnswerCounts:
    """Counts the answers of all markets, all processes included."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> tuple[AnswerCount, ...]:
        """Return the counts in no order, without the groups that are empty; raises StoreUnavailable."""
        e = ESTIMATE.c
        groups = (e.market_id, e.channel, e.status, e.latency_bin)
        query = sa.select(*groups, sa.func.count().label("n")).group_by(*groups)
        with self._database.read() as connection:
            return tuple(
                AnswerCount(row.market_id, row.channel, row.status, latency_of(row.latency_bin + 0.5), row.n)
                for row in connection.execute(query)
            )
