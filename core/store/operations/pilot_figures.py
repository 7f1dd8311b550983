"""What a pilot is judged by: requests, decisions, feedback and sold homes, by office and day of the estimate."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa

from core.store.base.database import Database
from core.store.base.markets import market_row
from core.store.base.pilot_tables import FEEDBACK
from core.store.base.tables import DECISION, ESTIMATE, OUTCOME
from core.store.ledger.decisions import decision_counts
from core.store.ledger.feedback import that_counts
from core.store.ledger.figures import Slice, outcome_conditions


class PilotFigures:
    """Counts the ledger from a day on; all methods raise NotFound for an unknown market, StoreUnavailable.

    The day of an estimate is the day it was made, in a simulated market that for which it was made.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def requests(self, market_id: str, since: date) -> pd.DataFrame:
        """Return the requests for an estimate: columns office, actor, day, n, priced."""
        e = ESTIMATE.c
        counts = (sa.func.count().label("n"), sa.func.sum(sa.case((e.status == "priced", 1), else_=0)).label("priced"))
        return self._frame(market_id, since, (e.office, e.actor), counts, ESTIMATE)

    def decisions(self, market_id: str, since: date) -> pd.DataFrame:
        """Return the decisions that count: columns office, kind, day, n."""
        made = DECISION.c
        joined = ESTIMATE.join(DECISION, made.estimate_id == ESTIMATE.c.estimate_id)
        columns = (ESTIMATE.c.office, made.kind)
        return self._frame(market_id, since, columns, (sa.func.count().label("n"),), joined, decision_counts())

    def feedback(self, market_id: str, since: date) -> pd.DataFrame:
        """Return the feedback that counts: columns office, verdict, day, n."""
        joined = ESTIMATE.join(FEEDBACK, FEEDBACK.c.estimate_id == ESTIMATE.c.estimate_id)
        columns = (ESTIMATE.c.office, FEEDBACK.c.verdict)
        return self._frame(market_id, since, columns, (sa.func.count().label("n"),), joined, that_counts())

    def sold(self, market_id: str, since: date) -> pd.DataFrame:
        """Return sold homes with the blind estimate that counts: columns office, point, sale_price, day, n."""
        joined = ESTIMATE.join(OUTCOME, OUTCOME.c.estimate_id == ESTIMATE.c.estimate_id)
        columns = (ESTIMATE.c.office, OUTCOME.c.point, OUTCOME.c.sale_price, OUTCOME.c.sale_key)
        blind = outcome_conditions(market_id, Slice(), "blind")
        return self._frame(market_id, since, columns, (sa.func.count().label("n"),), joined, *blind)

    def _frame(
        self,
        market_id: str,
        since: date,
        columns: tuple[sa.ColumnElement[Any], ...],
        counts: tuple[sa.ColumnElement[Any], ...],
        source: sa.FromClause,
        *conditions: sa.ColumnElement[bool],
    ) -> pd.DataFrame:
        with self._database.read() as connection:
            simulated = market_row(connection, market_id)["simulated"]
            day = (ESTIMATE.c.as_of if simulated else ESTIMATE.c.day).label("on_day")
            query = (
                sa.select(*columns, day, *counts)
                .select_from(source)
                .where(ESTIMATE.c.market_id == market_id, day >= since, *conditions)
                .group_by(*columns, day)
                .order_by(*columns, day)
            )
            rows = [tuple(row) for row in connection.execute(query)]
        names = [one.name for one in (*columns, day, *counts)]
        return pd.DataFrame(rows, columns=["day" if name == "on_day" else name for name in names])
