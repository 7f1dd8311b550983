"""Shadow estimates: a challenger's answers, stored alongside the champion's estimates and shown to nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.errors import NotFound
from core.store.base.database import Database
from core.store.base.tables import ESTIMATE, OUTCOME, SHADOW


@dataclass(frozen=True)
class Shadow:
    """A challenger's estimate for the home of a ledger estimate; ``at`` is when it was made."""

    estimate_id: str
    model_id: str
    at: datetime
    point: float
    low: float
    high: float
    confidence: float


@dataclass(frozen=True)
class Unshadowed:
    """A ledger estimate that a challenger has not priced yet; ``seq`` is its place there, ``facts`` as typed."""

    seq: int
    estimate_id: str
    as_of: date
    version_id: str | None
    level: float
    facts: dict[str, Any]


_COLUMNS: Final = tuple(SHADOW.c[field.name] for field in fields(Shadow))


class Shadows:
    """Append and read shadow estimates."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append_many(self, shadows: Sequence[Shadow]) -> int:
        """Write shadows, all or none; if a model already has a shadow of an estimate, the first one stays.

        Returns the number written. Raises NotFound if an estimate is not in the ledger, StoreUnavailable.
        """
        if not shadows:
            return 0
        try:
            with self._database.write() as connection:
                fresh = [one for one in _first(shadows) if not _held(connection, one)]
                if fresh:
                    connection.execute(SHADOW.insert(), [vars(one) for one in fresh])
        except IntegrityError as error:
            raise NotFound("A shadow belongs to an estimate that is not in the ledger; write it first.") from error
        return len(fresh)

    def frame(
        self, market_id: str, model_id: str, since: date | None = None, until: date | None = None
    ) -> pd.DataFrame:
        """Return a challenger's shadows with their estimates, in the order made (days inclusive, UTC).

        Columns: estimate_id, at, property_type, area, office, model_id (the champion's); point, low, high, confidence
        of both (the challenger's as shadow_point and so on); sale_date and sale_price of the current outcome that
        counts (None if not sold). Raises StoreUnavailable.
        """
        e, s, o = ESTIMATE.c, SHADOW.c, OUTCOME.c
        shadow = [s[name].label(f"shadow_{name}") for name in ("point", "low", "high", "confidence")]
        sold = sa.and_(o.estimate_id == e.estimate_id, o.current.is_(True), o.counted.is_(True))
        query = (
            sa.select(
                *(e.estimate_id, e.at, e.property_type, e.area, e.office, e.model_id),
                *(e.point, e.low, e.high, e.confidence, *shadow, o.sale_date, o.sale_price),
            )
            .select_from(SHADOW.join(ESTIMATE, s.estimate_id == e.estimate_id).outerjoin(OUTCOME, sold))
            .where(s.model_id == model_id, e.market_id == market_id)
            .order_by(s.seq)
        )
        if since is not None:
            query = query.where(e.day >= since)
        if until is not None:
            query = query.where(e.day <= until)
        names = [column.name for column in query.selected_columns]
        with self._database.read() as connection:
            return pd.DataFrame([tuple(row) for row in connection.execute(query)], columns=names)

    def pending(self, market_id: str, model_id: str, since: datetime, after: int, limit: int) -> list[Unshadowed]:
        """Return the market's priced estimates since an instant that a model has not shadowed, oldest first.

        Only estimates after the place ``after`` in the ledger are returned, so that the caller can skip those it
        cannot price. Raises StoreUnavailable.
        """
        e, s = ESTIMATE.c, SHADOW.c
        held = sa.exists().where(s.estimate_id == e.estimate_id, s.model_id == model_id)
        query = (
            sa.select(e.seq, e.estimate_id, e.as_of, e.version_id, e.level, e.facts)
            .where(e.market_id == market_id, e.at >= since, e.seq > after, e.status == "priced", ~held)
            .order_by(e.seq)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [Unshadowed(**row) for row in connection.execute(query).mappings()]

    def count(self, model_id: str) -> int:
        """Count a model's shadows; raises StoreUnavailable."""
        with self._database.read() as connection:
            return connection.execute(sa.select(sa.func.count()).where(SHADOW.c.model_id == model_id)).scalar_one()


def _first(shadows: Sequence[Shadow]) -> list[Shadow]:
    return list({(one.estimate_id, one.model_id): one for one in reversed(shadows)}.values())[::-1]


def _held(connection: sa.Connection, shadow: Shadow) -> bool:
    condition = sa.and_(SHADOW.c.estimate_id == shadow.estimate_id, SHADOW.c.model_id == shadow.model_id)
    return connection.execute(sa.select(SHADOW.c.seq).where(condition).limit(1)).first() is not None
