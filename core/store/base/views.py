"""Documented views of the ledger for BI tools, the same on SQLite and PostgreSQL; README describes each column.

Truth values are 1 and 0, instants UTC. Facts, addresses and answers are left out. Every migration drops the views first
and ends by creating them as they are here, so a table below them may change; a changed view needs a new revision.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from core.store.base.tables import METADATA

VIEWS: Final = {
    "v_estimates": """
        select e.estimate_id, e.market_id, case when m.simulated then 1 else 0 end as simulated,
            e.at as made_at, e.day as made_on, e.as_of as valued_on,
            e.channel, e.status, e.reason, e.office, e.actor, e.role, e.model_id, e.version_id as data_version_id,
            e.property_type, e.area, e.currency, e.point, e.low, e.high, e.level, e.confidence, e.fsd,
            case when e.flagged then 1 else 0 end as flagged, e.latency_ms, e.list_price,
            d.kind as decision, d.at as decided_at, d.price as decided_price, d.listing_price, d.reason_code
        from estimate e
        join market m on m.market_id = e.market_id
        left join decision d on d.seq = (
            select max(l.seq) from decision l where l.estimate_id = e.estimate_id and not exists (
                select 1 from decision_taken_back t where t.decision_id = l.decision_id
            )
        )""",
    "v_outcomes": """
        select o.estimate_id, o.market_id, case when m.simulated then 1 else 0 end as simulated,
            m.currency, o.office, o.channel, o.model_id, o.property_type,
            o.area, o.estimated_at, o.sale_date, o.sale_price, o.list_date, o.list_price, o.first_list_price, o.point,
            o.low, o.high, o.level, o.confidence, o.error, abs(o.error) as abs_error,
            case when o.inside then 1 else 0 end as inside, case when o.counted then 1 else 0 end as counted,
            case when o.blind then 1 else 0 end as blind, o.recorded_at
        from outcome o
        join market m on m.market_id = o.market_id
        where o.current""",
    "v_alerts": """
        select a.alert_id, a.market_id, case when m.simulated then 1 else 0 end as simulated,
            a.kind, a.segment, a.state, a.opened_at, a.changed_at,
            a.changed_by
        from alert a
        join market m on m.market_id = a.market_id""",
    "v_feedback": """
        select f.feedback_id, f.estimate_id, f.market_id, case when m.simulated then 1 else 0 end as simulated,
            f.at as given_at, f.office, f.actor, f.role,
            f.verdict, f.note
        from feedback f
        join market m on m.market_id = f.market_id
        where not exists (
            select 1 from feedback l
            where l.estimate_id = f.estimate_id and l.actor_id = f.actor_id and l.seq > f.seq
        )""",
}
"""The select of each view, by its name."""


def create_views(connection: sa.Connection) -> None:
    """Create the views in a database that has their tables, but not them."""
    for name, select in VIEWS.items():
        connection.exec_driver_sql(f"create view {name} as {select}")


def drop_views(connection: sa.Connection) -> None:
    """Drop the views that exist."""
    for name in VIEWS:
        connection.exec_driver_sql(f"drop view if exists {name}")


@sa.event.listens_for(METADATA, "before_drop")
def _drop(_: sa.MetaData, connection: sa.Connection, **__: Any) -> None:
    drop_views(connection)
