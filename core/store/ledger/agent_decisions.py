"""Agents' decisions on estimates: the ones that count, each with its estimate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd
import sqlalchemy as sa

from core.store.base.database import Database
from core.store.base.markets import market_row
from core.store.base.tables import DECISION, ESTIMATE, OUTCOME
from core.store.ledger.decisions import decision_counts
from core.store.ledger.figures import Slice, outcome_conditions, spelled


@dataclass(frozen=True)
class DecidedEstimate:
    """The decision that counts on an estimate: its ``price`` next to the estimate's ``point``; ``at`` is UTC."""

    estimate_id: str
    kind: str
    reason_code: str | None
    price: float
    point: float
    at: datetime


@dataclass(frozen=True)
class Met:
    """The office that made each sale's estimate, by sale key, and the day of the market's first estimate."""

    offices: dict[str, str]
    since: date | None


class AgentDecisions:
    """Read decisions joined to their estimates; a model's decisions are those on its estimates."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, market_id: str, model_id: str | None = None) -> list[DecidedEstimate]:
        """Return the decisions that count, oldest first, for one model or all; raises NotFound, StoreUnavailable."""
        made = DECISION.c
        query = (
            sa.select(made.estimate_id, made.kind, made.reason_code, made.price, ESTIMATE.c.point, made.at)
            .join(ESTIMATE, ESTIMATE.c.estimate_id == made.estimate_id)
            .where(made.market_id == market_id, decision_counts(), *_by(model_id))
            .order_by(made.seq)
        )
        with self._database.read() as connection:
            market_row(connection, market_id)
            rows = connection.execute(query).mappings()
            return [DecidedEstimate(**row) for row in rows]

    def sold(self, market_id: str, where: Slice) -> pd.DataFrame:
        """Return homes sold in a slice (days of sale) on which an agent had decided, one row per sale.

        Columns: sale_key, sale_date, sale_price, list_date, list_price, first_list_price, point, office, model_id,
        decision, agent_price, reason_code. If a sale has several estimates, the decision is the one on the estimate
        that counts, else the latest. Raises NotFound, StoreUnavailable.
        """
        where = spelled(self._database, market_id, where)
        made, o = DECISION.c, OUTCOME.c
        sale = (o.sale_key, o.sale_date, o.sale_price, o.list_date, o.list_price, o.first_list_price)
        priced = (o.point, o.office, o.model_id)
        decision = (made.kind.label("decision"), made.price.label("agent_price"), made.reason_code)
        query = (
            sa.select(*sale, *priced, *decision)
            .join_from(OUTCOME, DECISION, made.estimate_id == o.estimate_id)
            .where(*outcome_conditions(market_id, where, "every"), decision_counts())
            .order_by(o.sale_date, o.sale_key, o.counted, made.seq)
        )
        names = [column.name for column in query.selected_columns]
        with self._database.read() as connection:
            market_row(connection, market_id)
            rows = [tuple(row) for row in connection.execute(query)]
        table = pd.DataFrame(rows, columns=names).drop_duplicates("sale_key", keep="last", ignore_index=True)
        for name in ("sale_date", "list_date"):
            table[name] = pd.to_datetime(table[name]).astype("datetime64[us]")
        numbers = ("sale_price", "list_price", "first_list_price", "point", "agent_price")
        return table.astype(dict.fromkeys(numbers, "float64"))

    def met(self, market_id: str) -> Met:
        """Return the sales that have an estimate, with its office, and the day of the first estimate."""
        o = OUTCOME.c
        query = sa.select(o.sale_key, o.office).where(*outcome_conditions(market_id, Slice(), "counted"))
        first = sa.select(sa.func.min(ESTIMATE.c.day)).where(ESTIMATE.c.market_id == market_id)
        with self._database.read() as connection:
            market_row(connection, market_id)
            offices = {row[0]: row[1] for row in connection.execute(query)}
            return Met(offices, connection.execute(first).scalar_one())

    def kinds(self, market_id: str, model_id: str | None = None) -> dict[str, int]:
        """Count the decisions that count by kind, for one model or all; raises NotFound, StoreUnavailable."""
        made = DECISION.c
        query = (
            sa.select(made.kind, sa.func.count())
            .join(ESTIMATE, ESTIMATE.c.estimate_id == made.estimate_id)
            .where(made.market_id == market_id, decision_counts(), *_by(model_id))
            .group_by(made.kind)
        )
        with self._database.read() as connection:
            market_row(connection, market_id)
            return {row[0]: row[1] for row in connection.execute(query)}

    def priced(self, market_id: str, model_id: str | None = None) -> int:
        """Count the priced estimates, with or without a decision; raises NotFound, StoreUnavailable."""
        priced = (ESTIMATE.c.market_id == market_id, ESTIMATE.c.status == "priced")
        query = sa.select(sa.func.count()).where(*priced, *_by(model_id))
        with self._database.read() as connection:
            market_row(connection, market_id)
            return connection.execute(query).scalar_one()


def _by(model_id: str | None) -> list[sa.ColumnElement[bool]]:
    return [] if model_id is None else [ESTIMATE.c.model_id == model_id]
