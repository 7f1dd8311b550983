"""Revision 0003: drafts and address matches of the intake; outcomes, shadow estimates, alerts and what watches them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from core.store.ledger.histograms import latency_bin

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ROWS_AT_ONCE: Final = 5_000


def upgrade() -> None:
    """Create the tables of the intake's memory and of monitoring; the ledger gains what monitoring counts by."""
    _intake()
    _outcomes()
    _watch()
    _ledger()
    op.create_index(op.f("ix_event_subject"), "event", ["subject"])
    op.create_index(op.f("ix_event_market_id_action"), "event", ["market_id", "action"])


def _sequence() -> sa.Column[int]:
    return sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False)


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _intake() -> None:
    op.create_table(
        "draft",
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        _instant("updated_at"),
        sa.PrimaryKeyConstraint("actor", name=op.f("pk_draft")),
    )
    op.create_table(
        "address_match",
        _sequence(),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("sales_key", sa.Text(), nullable=False),
        sa.Column("tax_key", sa.Text(), nullable=False),
        sa.Column("same", sa.Boolean(), nullable=False),
        _instant("at"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_address_match")),
    )
    op.create_index(op.f("ix_address_match_market_id"), "address_match", ["market_id"])


def _outcomes() -> None:
    _create_outcome()
    _create_matching()
    _create_shadow()


def _create_outcome() -> None:
    op.create_table(
        "outcome",
        _sequence(),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("estimate_id", sa.String(length=16), nullable=False),
        sa.Column("version_id", sa.String(length=12), nullable=False),
        sa.Column("sale_key", sa.Text(), nullable=False),
        sa.Column("sale_date", sa.Date(), nullable=False),
        sa.Column("sale_price", sa.Float(), nullable=False),
        sa.Column("list_date", sa.Date(), nullable=True),
        sa.Column("list_price", sa.Float(), nullable=True),
        sa.Column("first_list_price", sa.Float(), nullable=True),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        _instant("recorded_at"),
        _instant("estimated_at"),
        sa.Column("model_id", sa.String(length=12), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("property_type", sa.Text(), nullable=True),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("point", sa.Float(), nullable=False),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        sa.Column("level", sa.Float(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("error", sa.Float(), nullable=False),
        sa.Column("error_bin", sa.Integer(), nullable=False),
        sa.Column("inside", sa.Boolean(), nullable=False),
        sa.CheckConstraint("sale_price > 0", name=op.f("ck_outcome_sale_price")),
        sa.ForeignKeyConstraint(["market_id"], ["market.market_id"], name=op.f("fk_outcome_market_id")),
        sa.ForeignKeyConstraint(["estimate_id"], ["estimate.estimate_id"], name=op.f("fk_outcome_estimate_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_outcome")),
    )
    op.create_index(op.f("ix_outcome_estimate_id"), "outcome", ["estimate_id"])
    op.create_index(
        "ix_outcome_figures",
        "outcome",
        [
            *("market_id", "current", "counted", "blind", "sale_date", "error_bin", "error", "inside", "level"),
            *("confidence", "model_id", "office", "channel", "property_type", "area"),
        ],
    )
    op.create_index(op.f("ix_outcome_market_id_sale_key"), "outcome", ["market_id", "sale_key"])


def _create_matching() -> None:
    op.create_table(
        "matching",
        sa.Column("version_id", sa.String(length=12), nullable=False),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        _instant("at"),
        sa.ForeignKeyConstraint(["market_id"], ["market.market_id"], name=op.f("fk_matching_market_id")),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_matching")),
    )
    op.create_index(op.f("ix_matching_market_id"), "matching", ["market_id"])


def _create_shadow() -> None:
    op.create_table(
        "shadow",
        _sequence(),
        sa.Column("estimate_id", sa.String(length=16), nullable=False),
        sa.Column("model_id", sa.String(length=12), nullable=False),
        _instant("at"),
        sa.Column("point", sa.Float(), nullable=False),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["estimate_id"], ["estimate.estimate_id"], name=op.f("fk_shadow_estimate_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_shadow")),
    )
    op.create_index(op.f("ix_shadow_estimate_id"), "shadow", ["estimate_id"])
    op.create_index(op.f("ix_shadow_model_id"), "shadow", ["model_id"])


def _watch() -> None:
    op.create_table(
        "alert",
        _sequence(),
        sa.Column("alert_id", sa.String(length=16), nullable=False),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        _instant("opened_at"),
        _instant("changed_at"),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.CheckConstraint("state in ('open', 'acknowledged', 'resolved')", name=op.f("ck_alert_state")),
        sa.ForeignKeyConstraint(["market_id"], ["market.market_id"], name=op.f("fk_alert_market_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_alert")),
        sa.UniqueConstraint("alert_id", name=op.f("uq_alert_alert_id")),
    )
    op.create_index(op.f("ix_alert_market_id_state"), "alert", ["market_id", "state"])
    op.create_table(
        "threshold",
        _sequence(),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _instant("at"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["market_id"], ["market.market_id"], name=op.f("fk_threshold_market_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_threshold")),
    )
    op.create_index(op.f("ix_threshold_market_id"), "threshold", ["market_id"])
    op.create_table(
        "worker",
        sa.Column("worker_id", sa.String(length=80), nullable=False),
        _instant("started_at"),
        _instant("beat_at"),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("worker_id", name=op.f("pk_worker")),
    )


def _ledger() -> None:
    op.add_column("estimate", sa.Column("day", sa.Date(), nullable=False, server_default="1970-01-01"))
    op.add_column("estimate", sa.Column("latency_bin", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("estimate", sa.Column("flagged", sa.Boolean(), nullable=False, server_default=sa.false()))
    _fill_ledger(op.get_bind())
    op.drop_index(op.f("ix_estimate_model_id"), table_name="estimate")
    op.create_index(
        "ix_estimate_figures_day",
        "estimate",
        [
            *("market_id", "day", "status", "latency_bin"),
            *("model_id", "office", "channel", "property_type", "area", "confidence", "flagged"),
        ],
    )
    op.create_index(
        "ix_estimate_figures_office",
        "estimate",
        [
            *("market_id", "office", "model_id", "channel", "status"),
            *("day", "property_type", "area", "confidence", "flagged"),
        ],
    )
    op.create_index(
        "ix_estimate_figures_area",
        "estimate",
        [
            *("market_id", "area", "property_type", "status"),
            *("day", "model_id", "office", "channel", "confidence", "flagged"),
        ],
    )


def _fill_ledger(connection: sa.Connection) -> None:
    estimate = sa.table(
        "estimate",
        sa.column("seq", sa.Integer()),
        sa.column("at", sa.DateTime(timezone=True)),
        sa.column("latency_ms", sa.Float()),
        sa.column("flags", sa.JSON()),
        sa.column("day", sa.Date()),
        sa.column("latency_bin", sa.Integer()),
        sa.column("flagged", sa.Boolean()),
    )
    fill = (
        estimate.update()
        .where(estimate.c.seq == sa.bindparam("row"))
        .values(day=sa.bindparam("on"), latency_bin=sa.bindparam("bin"), flagged=sa.bindparam("has_flags"))
    )
    columns = (estimate.c.seq, estimate.c.at, estimate.c.latency_ms, estimate.c.flags)
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("set local time zone 'UTC'"))
    last = 0
    while rows := connection.execute(
        sa.select(*columns).where(estimate.c.seq > last).order_by(estimate.c.seq).limit(_ROWS_AT_ONCE)
    ).all():
        values = [
            {"row": seq, "on": at.date(), "bin": latency_bin(latency), "has_flags": bool(flags)}
            for seq, at, latency, flags in rows
        ]
        connection.execute(fill, values)
        last = rows[-1].seq
