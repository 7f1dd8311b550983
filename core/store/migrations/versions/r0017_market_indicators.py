"""Revision 0017: a data version keeps the market's dated indicators, such as the mortgage rate."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give versions the column; earlier ones have no indicators."""
    op.add_column("data_version", sa.Column("indicators_sha256", sa.String(length=64), nullable=True))
