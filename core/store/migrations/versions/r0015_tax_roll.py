"""Revision 0015: a data version keeps the homes of its tax roll, also those that were never sold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give versions the column; earlier ones have no roll."""
    op.add_column("data_version", sa.Column("roll_sha256", sa.String(length=64), nullable=True))
