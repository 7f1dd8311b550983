"""Column presets: column mappings saved under a name, for reuse on later files."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from core.access import Actor
from core.errors import AlreadyExists, InvalidRecord, NotFound
from core.states import AuditAction
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.tables import PRESET, now
from core.store.base.values import plain_text

_NAME_LIMIT: Final = 80


class Presets:
    """Save, replace and load presets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, name: str, mapping_json: str, actor: Actor) -> None:
        """Save a mapping under a new name; saving the same mapping under its name again changes nothing.

        Raises AlreadyExists if the name holds another mapping, InvalidRecord for an empty or overlong name,
        StoreUnavailable.
        """
        name = _checked(name)
        try:
            with self._database.write() as connection:
                connection.execute(PRESET.insert().values(name=name, **_values(mapping_json, actor)))
                append_event(connection, actor, AuditAction.PRESET_SAVED, None, name, detail={})
        except IntegrityError as error:
            if self.load(name) != plain_text(mapping_json):
                raise AlreadyExists(
                    f"A preset named {name!r} already holds another mapping; choose another name, or replace it."
                ) from error

    def replace(self, name: str, mapping_json: str, actor: Actor) -> None:
        """Replace the mapping under an existing name; raises NotFound, StoreUnavailable."""
        with self._database.write() as connection:
            update = PRESET.update().where(PRESET.c.name == name).values(**_values(mapping_json, actor))
            if not connection.execute(update).rowcount:
                raise _not_found(name)
            append_event(connection, actor, AuditAction.PRESET_REPLACED, None, name, detail={})

    def load(self, name: str) -> str:
        """Return the saved JSON of a mapping; raises NotFound, StoreUnavailable."""
        with self._database.read() as connection:
            mapping_json: str | None = connection.scalar(sa.select(PRESET.c.mapping_json).where(PRESET.c.name == name))
        if mapping_json is None:
            raise _not_found(name)
        return mapping_json

    def list(self) -> list[str]:
        """Return all names, sorted; raises StoreUnavailable."""
        with self._database.read() as connection:
            return sorted(connection.scalars(sa.select(PRESET.c.name)))


def _values(mapping_json: str, actor: Actor) -> dict[str, object]:
    return {"mapping_json": plain_text(mapping_json), "updated_at": now(), "updated_by": plain_text(actor.name)}


def _checked(name: str) -> str:
    name = plain_text(name).strip()
    if not 1 <= len(name) <= _NAME_LIMIT:
        raise InvalidRecord(f"The preset name {name!r} has {len(name)} characters; use 1 to {_NAME_LIMIT}.")
    return name


def _not_found(name: str) -> NotFound:
    return NotFound(f"There is no preset {name!r}; list the presets to see their names.")
