"""The tables of the pilot: which offices have estimates, and what agents say about the estimates they got."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from core.store.base.tables import METADATA, UtcDateTime

# A market's rollout after each change; the latest counts. No document means that every office is in.
ROLLOUT: Final = sa.Table(
    "rollout",
    METADATA,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("market_id", sa.ForeignKey("market.market_id"), nullable=False, index=True),
    sa.Column("change", sa.String(20), nullable=False),
    sa.Column("document", sa.JSON(none_as_null=True)),
    # The row whose rollout this one has: itself, or the one brought back; and the row that one had changed.
    sa.Column("same_as", sa.Integer),
    sa.Column("before", sa.Integer),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.CheckConstraint("change in ('started', 'widened', 'stopped', 'taken_back')", name="change"),
)

# What people say about an estimate; the latest of each person counts.
FEEDBACK: Final = sa.Table(
    "feedback",
    METADATA,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("feedback_id", sa.String(16), nullable=False, unique=True),
    sa.Column("estimate_id", sa.ForeignKey("estimate.estimate_id"), nullable=False, index=True),
    sa.Column("market_id", sa.ForeignKey("market.market_id"), nullable=False, index=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("actor_id", sa.String(200), nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("office", sa.Text, nullable=False),
    sa.Column("verdict", sa.String(20), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.CheckConstraint("verdict in ('useful', 'too_high', 'too_low', 'wrong_facts')", name="verdict"),
)
