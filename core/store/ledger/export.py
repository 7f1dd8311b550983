"""The ledger as streamed CSV: each estimate with the decision that counts and its sale."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from core.spreadsheet import harmless
from core.store.base.database import Database
from core.store.base.markets import market_row
from core.store.base.tables import DECISION, ESTIMATE, OUTCOME
from core.store.ledger.decisions import decision_counts
from core.store.ledger.feedback import FeedbackRecord, of_estimates
from core.store.ledger.figures import Slice, estimate_conditions, spelled
from core.wording import NO_DIGITS, IdDigits, id_words

_ESTIMATE: Final = (
    *("estimate_id", "at", "actor", "role", "office", "market_id", "model_id", "version_id", "level_id", "as_of"),
    *("channel", "status", "reason", "property_key", "property_type", "area", "point", "low", "high", "level"),
    *("confidence", "fsd", "flags", "latency_ms", "list_price", "currency", "facts"),
)
_KEY: Final = _ESTIMATE.index("property_key")
COLUMNS: Final = (
    *_ESTIMATE,
    *("decision", "decided_at", "decided_by", "decided_price", "listing_price", "reason_code", "note"),
    *("sale_date", "sale_price", "sale_list_date", "sale_list_price", "counted", "blind", "error"),
    *("feedback", "feedback_note"),
)

_ROWS_AT_ONCE: Final = 2_000


class Export:
    """Exports the ledger in parts, so that memory use does not grow with its length."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ledger(self, market_id: str, where: Slice, digits: IdDigits = NO_DIGITS) -> Iterator[bytes]:
        """Yield the slice of the ledger (days of estimate) as parts of a UTF-8 CSV, the header first.

        Rows come in the order written; estimates made meanwhile may be missing. The columns are COLUMNS: flags, and
        what each person says of the estimate, are joined by "; ", facts are JSON, instants are in UTC, and a sale's
        columns are empty until it is known. A property id that names a home has the ``digits`` of the market's. Text
        that a spreadsheet would run is prefixed with an apostrophe. Raises NotFound, StoreUnavailable when read.
        """
        # The byte order mark by which spreadsheets recognize the encoding.
        yield codecs.BOM_UTF8 + _lines([COLUMNS])
        where = spelled(self._database, market_id, where)
        last = 0
        while True:
            with self._database.read() as connection:
                market_row(connection, market_id)
                rows = connection.execute(_query(market_id, where, last)).all()
                feedback = of_estimates(connection, market_id, last, rows[-1].seq if rows else last)
            if not rows:
                return
            cells = [
                [_cell(value) for value in (*row[1:], *_feedback(feedback.get(row.estimate_id, ())))] for row in rows
            ]
            for line in cells:
                line[_KEY] = id_words("property_id", line[_KEY], digits)
            yield _lines(cells)
            last = rows[-1][0]


def _query(market_id: str, where: Slice, after: int) -> sa.Select[Any]:
    e, d, o = ESTIMATE.c, DECISION.c, OUTCOME.c
    joined = ESTIMATE.outerjoin(DECISION, sa.and_(d.estimate_id == e.estimate_id, decision_counts())).outerjoin(
        OUTCOME, sa.and_(o.estimate_id == e.estimate_id, o.current.is_(True))
    )
    decision = (d.kind, d.at, d.actor, d.price, d.listing_price, d.reason_code, d.note)
    sale = (o.sale_date, o.sale_price, o.list_date, o.list_price, o.counted, o.blind, o.error)
    return (
        sa.select(e.seq, *(e[name] for name in _ESTIMATE), *decision, *sale)
        .select_from(joined)
        .where(*estimate_conditions(market_id, where), e.seq > after)
        .order_by(e.seq)
        .limit(_ROWS_AT_ONCE)
    )


def _feedback(records: Sequence[FeedbackRecord]) -> tuple[list[str], list[str]]:
    return [one.verdict.value for one in records], [one.note for one in records if one.note]


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        value = "; ".join(str(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return harmless(value) if isinstance(value, str) else value


def _lines(rows: list[Any]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode("utf-8")
