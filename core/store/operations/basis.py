"""What a market's answers depend on, read at once: its champion, latest data version, signed scope and open alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from core.states import SIGNING
from core.store.base.database import Database
from core.store.base.markets import no_market
from core.store.base.tables import ALERT, ESTIMATE, EVENT, MARKET
from core.store.base.values import plain_text
from core.store.operations.alerts import UNRESOLVED

_MARKET: Final = sa.bindparam("market_id", type_=sa.String)
_KINDS: Final = sa.bindparam("kinds", expanding=True, type_=sa.String)


@dataclass(frozen=True)
class Basis:
    """Ids of what answers depend on: "" or 0 where there is none; ``alert_ids`` are the alerts not resolved.

    ``area_unit`` is the unit in which the market shows areas.
    """

    champion_id: str
    version_id: str
    signature: int
    area_unit: str
    alert_ids: tuple[str, ...]


def _question() -> sa.Select[str | None, str | None, int | None, str, str | None]:
    signature = (
        sa.select(sa.func.max(EVENT.c.event_id))
        .where(EVENT.c.subject == MARKET.c.champion_model_id, EVENT.c.action.in_([one.value for one in SIGNING]))
        .correlate(MARKET)
        .scalar_subquery()
    )
    unresolved = sa.and_(
        ALERT.c.market_id == MARKET.c.market_id,
        ALERT.c.state.in_([one.value for one in UNRESOLVED]),
        ALERT.c.kind.in_(_KINDS),
    )
    return (
        sa.select(
            MARKET.c.champion_model_id, MARKET.c.latest_version_id, signature, MARKET.c.area_unit, ALERT.c.alert_id
        )
        .select_from(MARKET.outerjoin(ALERT, unresolved))
        .where(MARKET.c.market_id == _MARKET)
        .order_by(ALERT.c.seq)
    )


_QUESTION: Final = _question()


class Bases:
    """Reads what a market's answers depend on in one question, since each answer asks first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ready(self, actor_id: str) -> dict[str, datetime | None]:
        """Return by id the markets that can price, having a champion and sales in use, and when this actor last did.

        Raises StoreUnavailable.
        """
        able = MARKET.c.champion_model_id.is_not(None) & MARKET.c.latest_version_id.is_not(None)
        mine = sa.and_(ESTIMATE.c.market_id == _MARKET, ESTIMATE.c.actor_id == plain_text(actor_id))
        last = sa.select(ESTIMATE.c.at).where(mine).order_by(ESTIMATE.c.at.desc()).limit(1)
        with self._database.read() as connection:
            ids = connection.scalars(sa.select(MARKET.c.market_id).where(able)).all()
            return {one: connection.scalar(last, {"market_id": one}) for one in ids}

    def of(self, market_id: str, kinds: Sequence[str]) -> Basis:
        """Return what the market's answers depend on now, alerts of these kinds; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            rows = connection.execute(_QUESTION, {"market_id": market_id, "kinds": list(kinds)}).all()
        if not rows:
            raise no_market(market_id)
        champion, version, signature, unit, _ = rows[0]
        alerts = tuple(alert for *_, alert in rows if alert is not None)
        return Basis(champion or "", version or "", signature or 0, unit, alerts)
