"""Revision 0006: a promotion records the stage the model had, so that a rollback can restore it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give promotions the column; earlier ones leave it empty."""
    op.add_column("promotion", sa.Column("stage_before", sa.String(length=20), nullable=True))
