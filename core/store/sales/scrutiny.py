"""Decisions of persons on doubtful sales: never altered, the latest on a sale counts, and each can be taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from core.access import Actor
from core.states import AuditAction, SaleDecision
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.tables import SCRUTINY_DECISION, now
from core.store.base.values import plain_document, plain_text


@dataclass(frozen=True)
class NewSaleDecision:
    """What a person decides on one sale.

    ``sale_key`` names the sale as it was brought, whatever version holds it. ``field`` and ``value`` are what is put
    right by a correction, else empty and None. ``doubt`` is why the sale was asked about, ``waited`` whether it waited
    outside the sales in use; ``sale`` has the facts it came with that a correction changes. ``note`` is for readers.
    """

    sale_key: str
    kind: SaleDecision
    field: str
    value: float | None
    doubt: str
    waited: bool
    sale: Mapping[str, Any]
    note: str = ""


@dataclass(frozen=True)
class StoredSaleDecision(NewSaleDecision):
    """A decision on record; ``at`` is UTC, ``actor`` a name, and a higher ``seq`` is later."""

    seq: int = 0
    at: datetime = datetime.min
    actor: str = ""


class SaleDecisions:
    """Record and list decisions on the doubtful sales of markets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, market_id: str, decisions: Sequence[NewSaleDecision], actor: Actor) -> None:
        """Write decisions, all or none, with one audit event for all; raises InvalidRecord, StoreUnavailable."""
        if not decisions:
            return
        at, name = now(), plain_text(actor.name)
        rows = [
            {
                "market_id": market_id,
                "sale_key": one.sale_key,
                "kind": one.kind.value,
                "field": one.field,
                "value": one.value,
                "doubt": plain_text(one.doubt),
                "waited": one.waited,
                "sale": plain_document(one.sale, "sale"),
                "note": plain_text(one.note),
                "at": at,
                "actor": name,
            }
            for one in decisions
        ]
        taken_back = all(one.kind is SaleDecision.TAKEN_BACK for one in decisions)
        action = AuditAction.SALE_DECISION_TAKEN_BACK if taken_back else AuditAction.SALE_DECIDED
        detail = {
            "sales": len(decisions),
            "kinds": sorted({one.kind.value for one in decisions}),
            "keys": [one.sale_key for one in decisions],
            "note": decisions[0].note,
        }
        with self._database.write() as connection:
            connection.execute(SCRUTINY_DECISION.insert(), rows)
            append_event(connection, actor, action, market_id, decisions[0].sale_key, detail=detail)

    def history(self, market_id: str) -> list[StoredSaleDecision]:
        """Return all decisions of a market, oldest first; raises StoreUnavailable."""
        table = SCRUTINY_DECISION
        query = sa.select(table).where(table.c.market_id == market_id).order_by(table.c.seq)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [_decision(row) for row in rows]


def _decision(row: sa.RowMapping) -> StoredSaleDecision:
    values = {key: row[key] for key in row if key not in ("market_id", "kind")}
    return StoredSaleDecision(kind=SaleDecision(row["kind"]), **values)
