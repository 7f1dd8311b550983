"""Revision 0007: a file of a data version records how it was read and mapped, a promotion the stage before it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give files two columns, and promotions the stage that a rollback restores; earlier rows leave them empty."""
    op.add_column("promotion", sa.Column("stage_before", sa.String(length=20), nullable=True))
    op.add_column("data_file", sa.Column("reading", sa.Text(), nullable=True))
    op.add_column("data_file", sa.Column("mapping", sa.JSON(none_as_null=True), nullable=True))
