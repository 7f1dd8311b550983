"""Intake drafts: what a person has staged but not committed, kept beyond the browser session."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.access import Actor
from core.store.base.database import Database
from core.store.base.tables import DRAFT, now
from core.store.base.values import plain_document, plain_text

UPLOADS: Final = "uploads"
"""A draft's key for the ids of the uploads it needs; these are not swept while the draft exists."""


class Drafts:
    """Save, load and discard each actor's one draft, keyed by the actor's id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, actor: Actor, document: Mapping[str, Any]) -> None:
        """Replace the actor's draft with the document; raises InvalidRecord, StoreUnavailable."""
        key = plain_text(actor.actor_id)
        values = {"document": plain_document(document, "draft"), "updated_at": now()}
        replace = DRAFT.update().where(DRAFT.c.actor_id == key).values(**values)
        try:
            with self._database.write() as connection:
                if not connection.execute(replace).rowcount:
                    connection.execute(DRAFT.insert().values(actor_id=key, **values))
        except IntegrityError:
            # The same person began a draft in another tab meanwhile: the later write wins.
            with self._database.write() as connection:
                connection.execute(replace)

    def load(self, actor: Actor) -> dict[str, Any] | None:
        """Return the actor's draft, or None; raises StoreUnavailable."""
        query = sa.select(DRAFT.c.document).where(DRAFT.c.actor_id == plain_text(actor.actor_id))
        with self._database.read() as connection:
            document: dict[str, Any] | None = connection.scalar(query)
        return document

    def discard(self, actor: Actor) -> None:
        """Remove the actor's draft if there is one; raises StoreUnavailable."""
        with self._database.write() as connection:
            connection.execute(DRAFT.delete().where(DRAFT.c.actor_id == plain_text(actor.actor_id)))

    def forget(self, older_than: timedelta) -> int:
        """Remove drafts unchanged for ``older_than`` and return their number; raises StoreUnavailable."""
        with self._database.write() as connection:
            removed = connection.execute(DRAFT.delete().where(DRAFT.c.updated_at < now() - older_than))
            return int(removed.rowcount)

    def uploads(self) -> frozenset[str]:
        """Return the ids of all uploads that drafts need; raises StoreUnavailable."""
        with self._database.read() as connection:
            documents = connection.scalars(sa.select(DRAFT.c.document)).all()
        return frozenset(str(one) for document in documents for one in document.get(UPLOADS, ()))
