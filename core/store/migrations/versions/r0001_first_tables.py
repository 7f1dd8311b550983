"""Revision 0001: the first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create all tables of the first release."""
    _create_event()
    _create_job()
    _create_market()
    _create_preset()
    _create_data_version()
    _create_promotion()
    _create_data_file()
    _create_model()


def _create_event() -> None:
    op.create_table(
        "event",
        sa.Column("event_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("market_id", sa.String(length=80), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event")),
    )
    op.create_index(op.f("ix_event_market_id"), "event", ["market_id"])


def _create_job() -> None:
    op.create_table(
        "job",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("job_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("market_id", sa.String(length=80), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("fraction", sa.Float(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("owner_host", sa.Text(), nullable=False),
        sa.Column("owner_pid", sa.BigInteger(), nullable=False),
        sa.Column("owner_started", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('waiting', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_job_state")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_job")),
        sa.UniqueConstraint("job_id", name=op.f("uq_job_job_id")),
    )
    op.create_index(op.f("ix_job_state"), "job", ["state"])


def _create_market() -> None:
    op.create_table(
        "market",
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("area_unit", sa.String(length=4), nullable=False),
        sa.Column("simulated", sa.Boolean(), nullable=False),
        sa.Column("latest_version_id", sa.String(length=12), nullable=True),
        sa.Column("champion_model_id", sa.String(length=12), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.CheckConstraint("area_unit in ('sqft', 'sqm')", name=op.f("ck_market_area_unit")),
        sa.PrimaryKeyConstraint("market_id", name=op.f("pk_market")),
        sa.UniqueConstraint("name", name=op.f("uq_market_name")),
    )


def _create_preset() -> None:
    op.create_table(
        "preset",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("mapping_json", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_preset")),
    )


def _create_data_version() -> None:
    op.create_table(
        "data_version",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("version_id", sa.String(length=12), nullable=False),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("parent_id", sa.String(length=12), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("ledger_sha256", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("rows_seen", sa.Integer(), nullable=False),
        sa.Column("first_sale", sa.Date(), nullable=True),
        sa.Column("last_sale", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["market_id"], ["market.market_id"], name=op.f("fk_data_version_market_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["data_version.version_id"], name=op.f("fk_data_version_parent_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_data_version")),
        sa.UniqueConstraint("version_id", name=op.f("uq_data_version_version_id")),
    )
    op.create_index(op.f("ix_data_version_market_id"), "data_version", ["market_id"])


def _create_promotion() -> None:
    op.create_table(
        "promotion",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("model_id", sa.String(length=12), nullable=False),
        sa.Column("replaced_model_id", sa.String(length=12), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint("kind in ('promote', 'rollback')", name=op.f("ck_promotion_kind")),
        sa.ForeignKeyConstraint(["market_id"], ["market.market_id"], name=op.f("fk_promotion_market_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_promotion")),
    )
    op.create_index(op.f("ix_promotion_market_id"), "promotion", ["market_id"])


def _create_data_file() -> None:
    op.create_table(
        "data_file",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("version_id", sa.String(length=12), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("rows_in", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("repaired", sa.Integer(), nullable=False),
        sa.Column("duplicate", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.CheckConstraint("accepted + repaired + duplicate + rejected = rows_in", name=op.f("ck_data_file_sums")),
        sa.ForeignKeyConstraint(["version_id"], ["data_version.version_id"], name=op.f("fk_data_file_version_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_data_file")),
    )
    op.create_index(op.f("ix_data_file_sha256"), "data_file", ["sha256"])
    op.create_index(op.f("ix_data_file_version_id"), "data_file", ["version_id"])


def _create_model() -> None:
    op.create_table(
        "model",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("model_id", sa.String(length=12), nullable=False),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("version_id", sa.String(length=12), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.CheckConstraint("stage in ('candidate', 'challenger', 'champion', 'retired')", name=op.f("ck_model_stage")),
        sa.ForeignKeyConstraint(["market_id"], ["market.market_id"], name=op.f("fk_model_market_id")),
        sa.ForeignKeyConstraint(["version_id"], ["data_version.version_id"], name=op.f("fk_model_version_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_model")),
        sa.UniqueConstraint("model_id", name=op.f("uq_model_model_id")),
    )
    op.create_index(op.f("ix_model_market_id"), "model", ["market_id"])
