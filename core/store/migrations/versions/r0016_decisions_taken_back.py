"""Revision 0016: a decision on an estimate can be taken back, and the one before it counts again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; every decision made so far stands."""
    op.create_table(
        "decision_taken_back",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("decision_id", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("office", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decision.decision_id"], name=op.f("fk_decision_taken_back_decision_id")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_decision_taken_back")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_decision_taken_back_decision_id")),
    )
