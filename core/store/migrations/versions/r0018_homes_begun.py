"""Revision 0018: estimates of a home without an address tell which of them are about one home."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give estimates the column; of earlier ones nobody noted it."""
    op.add_column("estimate", sa.Column("home_id", sa.String(length=16), nullable=False, server_default=""))
