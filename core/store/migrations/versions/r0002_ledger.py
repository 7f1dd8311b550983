"""Revision 0002: the prediction ledger, decisions and market levels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of the ledger; those of 0001 stay as they are."""
    _create_estimate()
    _create_decision()
    _create_market_level()


def _create_estimate() -> None:
    op.create_table(
        "estimate",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("estimate_id", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("model_id", sa.String(length=12), nullable=True),
        sa.Column("version_id", sa.String(length=12), nullable=True),
        sa.Column("level_id", sa.String(length=12), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("property_key", sa.Text(), nullable=False),
        sa.Column("property_type", sa.Text(), nullable=True),
        sa.Column("area", sa.Text(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("point", sa.Float(), nullable=True),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("level", sa.Float(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("fsd", sa.Float(), nullable=True),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("latency_ms", sa.Float(), nullable=False),
        sa.Column("list_price", sa.Float(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.CheckConstraint("channel in ('page', 'file', 'command line', 'api')", name=op.f("ck_estimate_channel")),
        sa.CheckConstraint("status in ('priced', 'unavailable', 'refused')", name=op.f("ck_estimate_status")),
        sa.ForeignKeyConstraint(["market_id"], ["market.market_id"], name=op.f("fk_estimate_market_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_estimate")),
        sa.UniqueConstraint("estimate_id", name=op.f("uq_estimate_estimate_id")),
    )
    op.create_index(op.f("ix_estimate_market_id_at"), "estimate", ["market_id", "at"])
    op.create_index(op.f("ix_estimate_market_id_property_key"), "estimate", ["market_id", "property_key"])
    op.create_index(op.f("ix_estimate_model_id"), "estimate", ["model_id"])


def _create_decision() -> None:
    op.create_table(
        "decision",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("decision_id", sa.String(length=16), nullable=False),
        sa.Column("estimate_id", sa.String(length=16), nullable=False),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("price", sa.Float(), nullable=False),
        sa.Column("listing_price", sa.Float(), nullable=True),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint("kind in ('accept', 'adjust', 'override')", name=op.f("ck_decision_kind")),
        sa.CheckConstraint("price > 0", name=op.f("ck_decision_price")),
        sa.ForeignKeyConstraint(["estimate_id"], ["estimate.estimate_id"], name=op.f("fk_decision_estimate_id")),
        sa.ForeignKeyConstraint(["market_id"], ["market.market_id"], name=op.f("fk_decision_market_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_decision")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_decision_decision_id")),
    )
    op.create_index(op.f("ix_decision_estimate_id"), "decision", ["estimate_id"])
    op.create_index(op.f("ix_decision_market_id"), "decision", ["market_id"])


def _create_market_level() -> None:
    op.create_table(
        "market_level",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("level_id", sa.String(length=12), nullable=False),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("model_id", sa.String(length=12), nullable=False),
        sa.Column("version_id", sa.String(length=12), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["market_id"], ["market.market_id"], name=op.f("fk_market_level_market_id")),
        sa.ForeignKeyConstraint(["model_id"], ["model.model_id"], name=op.f("fk_market_level_model_id")),
        sa.ForeignKeyConstraint(["version_id"], ["data_version.version_id"], name=op.f("fk_market_level_version_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_market_level")),
        sa.UniqueConstraint("level_id", name=op.f("uq_market_level_level_id")),
    )
    op.create_index(op.f("ix_market_level_model_id"), "market_level", ["model_id"])
