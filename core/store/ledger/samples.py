"""Evenly spread samples of the ledger's homes with their facts, for code that looks at single homes, not totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from core.store.base.database import Database
from core.store.base.markets import market_row
from core.store.base.tables import ESTIMATE, OUTCOME
from core.store.ledger.figures import Basis, Slice, estimate_conditions, outcome_conditions, spelled


@dataclass(frozen=True)
class HomeSample:
    """A row per home in the order written, spread over all ``n`` homes; ``facts`` as typed, a dict each."""

    homes: pd.DataFrame
    n: int


@dataclass(frozen=True)
class UnsoldSums:
    """Estimates without a known sale: their number, the sum of their confidences (0 to 100) and of the squares."""

    n: int
    confidence: float
    squares: float


_E: Final = ESTIMATE.c
_O: Final = OUTCOME.c
_ASKED: Final = (_E.day, _E.point, _E.model_id, _E.office, _E.area, _E.property_type, _E.facts)
_SOLD: Final = (
    *(_O.sale_date, _O.sale_price, _O.point, _O.confidence, _O.model_id, _O.office, _O.area, _O.property_type),
    _E.facts,
)


_STIR: Final = 7_919
_PRIME: Final = 10_007


class Samples:
    """Reads samples; all methods raise NotFound for an unknown market, StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def asked(self, market_id: str, where: Slice, limit: int) -> HomeSample:
        """Return about ``limit`` priced homes of a slice (days of the estimate).

        Columns: day, point, model_id, office, area, property_type, facts.
        """
        where = spelled(self._database, market_id, where)
        conditions = [*estimate_conditions(market_id, where), _E.status == "priced"]
        return self._sample(market_id, conditions, (_E.seq, sa.select(*_ASKED)), limit)

    def sold(self, market_id: str, where: Slice, limit: int, basis: Basis = "blind") -> HomeSample:
        """Return about ``limit`` estimates of a slice (days of sale) whose sale is known.

        Columns: sale_date, sale_price, point, confidence (0 to 100), model_id, office, area, property_type, facts.
        """
        where = spelled(self._database, market_id, where)
        joined = sa.select(*_SOLD).join_from(OUTCOME, ESTIMATE, _O.estimate_id == _E.estimate_id)
        return self._sample(market_id, outcome_conditions(market_id, where, basis), (_O.seq, joined), limit)

    def unsold(self, market_id: str, where: Slice) -> UnsoldSums:
        """Return the number of a slice's priced estimates without a known sale, and the sums of their confidences."""
        where = spelled(self._database, market_id, where)
        asked, sold = (
            sa.select(sa.func.count(), sa.func.sum(confidence), sa.func.sum(confidence * confidence)).where(*conditions)
            for confidence, conditions in _asked_and_sold(market_id, where)
        )
        with self._database.read() as connection:
            market_row(connection, market_id)
            all_of_them, gone = (connection.execute(query).one() for query in (asked, sold))
        n, confidence, squares = ((one or 0) - (other or 0) for one, other in zip(all_of_them, gone, strict=True))
        return UnsoldSums(int(n), float(confidence), float(squares))

    def unsold_confidences(self, market_id: str, where: Slice) -> pd.DataFrame:
        """Count a slice's priced estimates without a known sale by confidence (0 to 100). Columns: confidence, n."""
        counts: dict[float, int] = {}
        with self._database.read() as connection:
            market_row(connection, market_id)
            for sign, (confidence, conditions) in zip((1, -1), _asked_and_sold(market_id, where), strict=True):
                query = sa.select(confidence, sa.func.count()).where(*conditions).group_by(confidence)
                for value, n in connection.execute(query):
                    counts[value] = counts.get(value, 0) + sign * n
        left = sorted((confidence, n) for confidence, n in counts.items() if n > 0)
        return pd.DataFrame(left, columns=["confidence", "n"]).astype({"confidence": "float64", "n": "int64"})

    def _sample(
        self,
        market_id: str,
        conditions: Sequence[sa.ColumnElement[bool]],
        source: tuple[sa.Column[int], sa.Select[Any]],
        limit: int,
    ) -> HomeSample:
        seq, wanted = source
        with self._database.read() as connection:
            market_row(connection, market_id)
            n = connection.execute(sa.select(sa.func.count()).where(*conditions)).scalar_one()
            chosen = sa.select(seq).where(*conditions, *_about(seq, n, limit))
            rows = connection.execute(wanted.where(seq.in_(chosen)).order_by(seq)).all()
        return HomeSample(pd.DataFrame(rows, columns=[column.name for column in wanted.selected_columns]), n)


def _asked_and_sold(market_id: str, where: Slice) -> tuple[tuple[sa.Column[float], list[sa.ColumnElement[bool]]], ...]:
    """Return the confidence column and conditions of a slice's estimates, then of those that were sold.

    Outcomes hold the confidence of their estimate, so subtracting them needs no look at each estimate.
    """
    asked = [*estimate_conditions(market_id, where), _E.status == "priced", _E.confidence.is_not(None)]
    made = replace(where, since=None, until=None)
    sold = [*outcome_conditions(market_id, made, "every"), *_made_between(where)]
    return (_E.confidence, asked), (_O.confidence, sold)


def _about(seq: sa.Column[int], n: int, limit: int) -> list[sa.ColumnElement[bool]]:
    """Return the condition that selects about ``limit`` of n rows: those whose scrambled row number is small.

    Numbering the rows would first sort a million of them; every k-th row could come from a single office.
    """
    if n <= limit:
        return []
    stirred = (sa.cast(seq, sa.BigInteger) * _STIR) % _PRIME
    return [stirred < max(1, round(_PRIME * limit / n))]


def _made_between(where: Slice) -> list[sa.ColumnElement[bool]]:
    since = [] if where.since is None else [_O.estimated_at >= _midnight(where.since)]
    return since if where.until is None else [*since, _O.estimated_at < _midnight(where.until + timedelta(days=1))]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
