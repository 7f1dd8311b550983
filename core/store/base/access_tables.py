"""The table of sign-ins: when each began, when it was last in use, and when it ended."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from core.store.base.tables import METADATA, UtcDateTime

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
