"""Revision 0005: doubtful sales are set aside beside a data version, counted by file, and decided on by persons."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_SUMS: Final = "accepted + repaired + duplicate + rejected + set_aside = rows_in"


def upgrade() -> None:
    """Let versions hold sales set aside, let files count them, and create the table of decisions."""
    op.add_column("data_version", sa.Column("set_aside_sha256", sa.String(length=64), nullable=True))
    op.add_column("data_version", sa.Column("set_aside", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("data_file", sa.Column("set_aside", sa.Integer(), nullable=False, server_default="0"))
    _count_them()
    op.create_table(
        "scrutiny_decision",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("market_id", sa.String(length=80), nullable=False),
        sa.Column("sale_key", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("doubt", sa.Text(), nullable=False),
        sa.Column("waited", sa.Boolean(), nullable=False),
        sa.Column("sale", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind in ('keep', 'set_aside', 'correct', 'taken_back')", name=op.f("ck_scrutiny_decision_kind")
        ),
        sa.CheckConstraint("(kind = 'correct') = (value is not null)", name=op.f("ck_scrutiny_decision_value")),
        sa.ForeignKeyConstraint(["market_id"], ["market.market_id"], name=op.f("fk_scrutiny_decision_market_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_scrutiny_decision")),
    )
    op.create_index(op.f("ix_scrutiny_decision_market_id"), "scrutiny_decision", ["market_id"])


def _count_them() -> None:
    name = op.f("ck_data_file_sums")
    # SQLite cannot alter a rule, so the table is copied; no other table refers to it.
    with op.batch_alter_table("data_file") as data_file:
        data_file.drop_constraint(name, type_="check")
        data_file.create_check_constraint(name, _SUMS)
