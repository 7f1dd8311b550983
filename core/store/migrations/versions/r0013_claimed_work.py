"""Revision 0013: jobs are claimed by workers, the same work is open once only, and a market's round has one worker."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ENDED = "Doorstep was updated while this work was open. Start it again."


def upgrade() -> None:
    """Add what a worker needs to claim a job; jobs still open cannot be claimed and end."""
    op.add_column("job", sa.Column("task", sa.JSON(), nullable=True))
    op.add_column("job", sa.Column("actor", sa.JSON(), nullable=True))
    op.add_column("job", sa.Column("worker_id", sa.String(length=80), nullable=True))
    op.add_column("job", sa.Column("attempt", sa.Integer(), server_default="0", nullable=False))
    op.add_column("job", sa.Column("open_work", sa.String(length=200), nullable=True))
    op.create_index("ix_job_open_work", "job", ["open_work"], unique=True)
    ended = sa.text("update job set state = 'failed', error = :why where state in ('waiting', 'running')")
    op.execute(ended.bindparams(why=_ENDED))
    op.create_table(
        "market_turn",
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("worker_id", sa.String(length=80), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["market_id"], ["market.market_id"], name=op.f("fk_market_turn_market_id")),
        sa.PrimaryKeyConstraint("market_id", name=op.f("pk_market_turn")),
    )
