"""Revision 0004: a model can be rejected, and a threshold set back to the problem statement's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give models the columns of their rejection, and let a threshold have no value."""
    op.add_column("model", sa.Column("rejected_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("model", sa.Column("rejected_by", sa.Text(), nullable=True))
    op.add_column("model", sa.Column("rejected_why", sa.Text(), nullable=True))
    # SQLite cannot alter a column, so the table is copied; no other table refers to it.
    with op.batch_alter_table("threshold") as threshold:
        threshold.alter_column("value", existing_type=sa.Float(), nullable=True)
