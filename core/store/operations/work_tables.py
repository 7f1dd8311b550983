"""The tables of work that is done outside of pages: jobs, the workers that do them, and their markets."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from core.store.base.tables import METADATA, UtcDateTime, sequence

JOB: Final = sa.Table(
    "job",
    METADATA,
    sequence(),
    sa.Column("job_id", sa.String(16), nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("market_id", sa.String(80)),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("fraction", sa.Float, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("result", sa.JSON, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    sa.Column("owner_host", sa.Text, nullable=False),
    sa.Column("owner_pid", sa.BigInteger, nullable=False),
    sa.Column("owner_started", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    # What a worker reads to do the work, and for whom; empty for work that its maker does itself.
    sa.Column("task", sa.JSON(none_as_null=True)),
    sa.Column("actor", sa.JSON(none_as_null=True)),
    sa.Column("worker_id", sa.String(80)),
    # How often a worker has taken it. Reports of an earlier taking are refused: that worker was thought dead.
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
    # Kind and market while the job is open, else empty: the same work cannot be begun twice.
    sa.Column("open_work", sa.String(200)),
    sa.CheckConstraint("state in ('waiting', 'running', 'done', 'failed', 'cancelled')", name="state"),
    sa.Index("ix_job_open_work", "open_work", unique=True),
)

WORKER: Final = sa.Table(
    "worker",
    METADATA,
    sa.Column("worker_id", sa.String(80), primary_key=True),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("beat_at", UtcDateTime, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
)

# Which worker is doing a market's round; no row, or one of a dead worker, leaves the market free.
MARKET_TURN: Final = sa.Table(
    "market_turn",
    METADATA,
    sa.Column("market_id", sa.ForeignKey("market.market_id"), primary_key=True),
    sa.Column("worker_id", sa.String(80), nullable=False),
    sa.Column("taken_at", UtcDateTime, nullable=False),
)
