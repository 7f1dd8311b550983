"""The tables behind the API: its keys, the answers it repeats, and the listings of other systems."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from core.store.base.tables import METADATA, UtcDateTime

API_KEY: Final = sa.Table(
    "api_key",
    METADATA,
    sa.Column("key_id", sa.String(16), primary_key=True),
    # The key itself is shown once and never stored.
    sa.Column("secret_sha256", sa.String(64), nullable=False),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("office", sa.String(80), nullable=False),
    sa.Column("actions", sa.JSON, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("last_used_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("revoked_by", sa.Text, nullable=False),
)

# An answer is empty while its request is being worked on.
REPEATABLE: Final = sa.Table(
    "repeatable_answer",
    METADATA,
    sa.Column("caller", sa.String(120), primary_key=True),
    sa.Column("idempotency_key", sa.String(200), primary_key=True),
    sa.Column("request_sha256", sa.String(64), nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("body", sa.LargeBinary),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
)

LISTING: Final = sa.Table(
    "listing",
    METADATA,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("listing_id", sa.String(16), nullable=False, unique=True),
    sa.Column("market_id", sa.ForeignKey("market.market_id"), nullable=False),
    sa.Column("estimate_id", sa.ForeignKey("estimate.estimate_id"), nullable=False, index=True),
    sa.Column("reference", sa.String(200), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("office", sa.Text, nullable=False),
    sa.Index(None, "market_id", "office"),
    sa.Index(None, "market_id", "reference"),
)

# Prices that listings sold for, as reported; the latest of a listing counts.
LISTING_SALE: Final = sa.Table(
    "listing_sale",
    METADATA,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("listing_id", sa.ForeignKey("listing.listing_id"), nullable=False, index=True),
    sa.Column("sale_price", sa.Float, nullable=False),
    sa.Column("sale_date", sa.Date, nullable=False),
    sa.Column("list_date", sa.Date),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.CheckConstraint("sale_price > 0", name="sale_price"),
)
