"""Revision 0007: a file of a data version records how it was read and mapped, and what was inferred."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give files the two columns; those of earlier releases leave them empty."""
    op.add_column("data_file", sa.Column("reading", sa.Text(), nullable=True))
    op.add_column("data_file", sa.Column("mapping", sa.JSON(none_as_null=True), nullable=True))
