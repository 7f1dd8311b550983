"""Revision 0008: API keys, the answers the API repeats, and listings with the prices they sold for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the four tables."""
    _create_keys()
    _create_listings()


def _create_keys() -> None:
    op.create_table(
        "api_key",
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("office", sa.String(length=80), nullable=False),
        sa.Column("actions", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_key")),
    )
    op.create_table(
        "repeatable_answer",
        sa.Column("caller", sa.String(length=120), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("caller", "idempotency_key", name=op.f("pk_repeatable_answer")),
    )
    op.create_index(op.f("ix_repeatable_answer_at"), "repeatable_answer", ["at"])


def _create_listings() -> None:
    op.create_table(
        "listing",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("listing_id", sa.String(length=16), nullable=False),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("estimate_id", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["market_id"], ["market.market_id"], name=op.f("fk_listing_market_id")),
        sa.ForeignKeyConstraint(["estimate_id"], ["estimate.estimate_id"], name=op.f("fk_listing_estimate_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_listing")),
        sa.UniqueConstraint("listing_id", name=op.f("uq_listing_listing_id")),
    )
    op.create_index(op.f("ix_listing_estimate_id"), "listing", ["estimate_id"])
    op.create_index(op.f("ix_listing_market_id_office"), "listing", ["market_id", "office"])
    op.create_index(op.f("ix_listing_market_id_reference"), "listing", ["market_id", "reference"])
    op.create_table(
        "listing_sale",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("listing_id", sa.String(length=16), nullable=False),
        sa.Column("sale_price", sa.Float(), nullable=False),
        sa.Column("sale_date", sa.Date(), nullable=False),
        sa.Column("list_date", sa.Date(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint("sale_price > 0", name=op.f("ck_listing_sale_sale_price")),
        sa.ForeignKeyConstraint(["listing_id"], ["listing.listing_id"], name=op.f("fk_listing_sale_listing_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_listing_sale")),
    )
    op.create_index(op.f("ix_listing_sale_listing_id"), "listing_sale", ["listing_id"])
