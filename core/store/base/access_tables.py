"""The tables of people: their sign-ins, their profiles and those of their offices, and the pictures in these."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from core.store.base.tables import METADATA, UtcDateTime

# When each sign-in began, when it was last in use, and when it ended.
SIGN_IN: Final = sa.Table(
    "sign_in",
    METADATA,
    # Derived from the identity provider's token, which is not stored.
    sa.Column("sign_in_id", sa.String(64), primary_key=True),
    sa.Column("actor_id", sa.String(200), nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False, index=True),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
)

# Each version of a profile; the latest of an owner counts, and one that brings an earlier version back names it.
PROFILE: Final = sa.Table(
    "profile",
    METADATA,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String(20), nullable=False),
    # A person's actor id, or the key of an office's name (core.access.office_key); "" for the company.
    sa.Column("owner", sa.String(200), nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("same_as", sa.Integer),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.CheckConstraint("kind in ('person', 'office', 'company')", name="kind"),
    sa.Index(None, "kind", "owner"),
)

# Photos and logos, small and written anew by Doorstep; here rather than in files, so that every server has them.
PICTURE: Final = sa.Table(
    "picture",
    METADATA,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
