"""Revision 0012: which offices have estimates, and what agents say about the estimates they got."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the two tables."""
    _create_rollout()
    _create_feedback()


def _create_rollout() -> None:
    op.create_table(
        "rollout",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("change", sa.String(length=20), nullable=False),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("same_as", sa.Integer(), nullable=True),
        sa.Column("before", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint("change in ('started', 'widened', 'stopped', 'taken_back')", name=op.f("ck_rollout_change")),
        sa.ForeignKeyConstraint(["market_id"], ["market.market_id"], name=op.f("fk_rollout_market_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_rollout")),
    )
    op.create_index(op.f("ix_rollout_market_id"), "rollout", ["market_id"])


def _create_feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("feedback_id", sa.String(length=16), nullable=False),
        sa.Column("estimate_id", sa.String(length=16), nullable=False),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.String(length=200), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "verdict in ('useful', 'too_high', 'too_low', 'wrong_facts')", name=op.f("ck_feedback_verdict")
        ),
        sa.ForeignKeyConstraint(["estimate_id"], ["estimate.estimate_id"], name=op.f("fk_feedback_estimate_id")),
        sa.ForeignKeyConstraint(["market_id"], ["market.market_id"], name=op.f("fk_feedback_market_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_feedback")),
        sa.UniqueConstraint("feedback_id", name=op.f("uq_feedback_feedback_id")),
    )
    op.create_index(op.f("ix_feedback_estimate_id"), "feedback", ["estimate_id"])
    op.create_index(op.f("ix_feedback_market_id"), "feedback", ["market_id"])
