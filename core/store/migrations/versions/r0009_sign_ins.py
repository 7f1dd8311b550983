"""Revision 0009: sign-ins, and ids of actors: drafts are kept by them, estimates and audit entries signed with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_OF_THIS_COMPUTER = "local:"
_ID_MAX = 200


def upgrade() -> None:
    """Create the table of sign-ins and add the ids; drafts so far are those of this computer's users."""
    op.create_table(
        "sign_in",
        sa.Column("sign_in_id", sa.String(length=64), nullable=False),
        sa.Column("actor_id", sa.String(length=_ID_MAX), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("sign_in_id", name=op.f("pk_sign_in")),
    )
    op.create_index(op.f("ix_sign_in_started_at"), "sign_in", ["started_at"])
    for table in ("estimate", "event"):
        op.add_column(table, sa.Column("actor_id", sa.Text(), nullable=False, server_default=""))
    op.execute(sa.text("alter table draft rename column actor to actor_id"))
    draft = sa.table("draft", sa.column("actor_id", sa.String))
    of_users = sa.literal(_OF_THIS_COMPUTER) + draft.c.actor_id
    op.execute(
        draft.update()
        .where(sa.func.length(draft.c.actor_id) <= _ID_MAX - len(_OF_THIS_COMPUTER))
        .values(actor_id=of_users)
    )
