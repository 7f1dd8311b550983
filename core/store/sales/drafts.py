"""Drafts of an intake: what a person has staged and not yet committed, so that it outlives the visit."""

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
"""The key of a draft that lists the ids of the uploads it needs: none of them is swept while the draft is there."""


class Drafts:
    """Keep, load and discard the one draft of each actor; the actor's name is the key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, actor: Actor, document: Mapping[str, Any]) -> None:
        """Put the document in the place of the actor's draft; raises InvalidRecord, StoreUnavailable."""
        key = plain_text(actor.name)
        values = {"document": plain_document(document, "draft"), "updated_at": now()}
        replace = DRAFT.update().where(DRAFT.c.actor == key).values(**values)
        try:
            with self._database.write() as connection:
                if not connection.execute(replace).rowcount:
                    connection.execute(DRAFT.insert().values(actor=key, **values))
        except IntegrityError:
            # Another tab of the same person began the draft in between: the later word counts.
            with self._database.write() as connection:
                connection.execute(replace)

    def load(self, actor: Actor) -> dict[str, Any] | None:
        """Return the actor's draft, None if there is none; raises StoreUnavailable."""
        query = sa.select(DRAFT.c.document).where(DRAFT.c.actor == plain_text(actor.name))
        with self._database.read() as connection:
            document: dict[str, Any] | None = connection.scalar(query)
        return document

    def discard(self, actor: Actor) -> None:
        """Remove the actor's draft; one that is gone already is fine. Raises StoreUnavailable."""
        with self._database.write() as connection:
            connection.execute(DRAFT.delete().where(DRAFT.c.actor == plain_text(actor.name)))

    def forget(self, older_than: timedelta) -> int:
        """Remove the drafts nobody changed for so long and return how many there were; raises StoreUnavailable."""
        with self._database.write() as connection:
            removed = connection.execute(DRAFT.delete().where(DRAFT.c.updated_at < now() - older_than))
            return int(removed.rowcount)

    def uploads(self) -> frozenset[str]:
        """Return the ids of the uploads that any draft needs; raises StoreUnavailable."""
        with self._database.read() as connection:
            documents = connection.scalars(sa.select(DRAFT.c.document)).all()
        return frozenset(str(one) for document in documents for one in document.get(UPLOADS, ()))
