"""API keys: shown once when created, stored as a hash, narrowed to some actions, and revocable."""

from __future__ import annotations

import builtins
import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from core.access import Action, Actor, Role
from core.errors import InvalidRecord, NotFound
from core.states import AuditAction
from core.store.base.api_tables import API_KEY
from core.store.base.audit import append_event
from core.store.base.database import Database
from core.store.base.tables import now
from core.store.base.values import plain_text

_PREFIX: Final = "dsk"
_ID_BYTES: Final = 4
_SECRET_BYTES: Final = 32
_NAME_LIMIT: Final = 80
# A key in steady use is noted once a minute: noting every request would make each of them write.
_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class ApiKey:
    """A key without its secret: instants in UTC, ``revoked_at`` None while it is valid.

    Whoever holds it acts as ``actor``: under the key's name, with its role, for its office, within ``actions``.
    """

    key_id: str
    name: str
    role: str
    office: str
    actions: tuple[str, ...]
    created_at: datetime
    created_by: str
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str

    @property
    def actor(self) -> Actor:
        """The actor that the key stands for; a role or action of another release counts for nothing."""
        known = frozenset(action for action in Action if action.value in self.actions)
        role = next((role for role in Role if role.value == self.role), Role.AGENT)
        return Actor(self.name, role, self.office, known, f"key:{self.key_id}")


_COLUMNS: Final = tuple(API_KEY.c[field.name] for field in fields(ApiKey))


class ApiKeys:
    """Create, find and revoke keys; a revoked one stays listed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, name: str, role: Role, office: str, actions: Collection[Action], actor: Actor
    ) -> tuple[ApiKey, str]:
        """Create a key with an audit entry; return it and the text its holder sends, which nothing can show again.

        Raises InvalidRecord for an empty or overlong name or office, or no action; StoreUnavailable.
        """
        name, office = plain_text(name).strip(), plain_text(office).strip()
        if not 1 <= len(name) <= _NAME_LIMIT:
            raise InvalidRecord(f"The key's name has {len(name)} characters; use 1 to {_NAME_LIMIT}.")
        if len(office) > _NAME_LIMIT:
            raise InvalidRecord(f"The key's office has {len(office)} characters; use at most {_NAME_LIMIT}.")
        if not actions:
            raise InvalidRecord(f"The key {name!r} would allow nothing; give it at least one action.")
        allowed = tuple(sorted(action.value for action in actions))
        key_id, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
        key = ApiKey(key_id, name, role.value, office, allowed, now(), plain_text(actor.name), None, None, "")
        row = {**vars(key), "actions": list(allowed), "secret_sha256": _digest(secret)}
        detail = {"name": name, "role": role.value, "office": office, "actions": list(allowed)}
        with self._database.write() as connection:
            connection.execute(API_KEY.insert().values(**row))
            append_event(connection, actor, AuditAction.KEY_CREATED, None, key_id, detail=detail)
        return key, f"{_PREFIX}_{key_id}_{secret}"

    def list(self) -> builtins.list[ApiKey]:
        """Return all keys, newest first; raises StoreUnavailable."""
        query = sa.select(*_COLUMNS).order_by(API_KEY.c.created_at.desc(), API_KEY.c.key_id)
        with self._database.read() as connection:
            return [_key(row) for row in connection.execute(query).mappings()]

    def find(self, text: str) -> ApiKey | None:
        """Return the valid key that a caller sent, None if there is none; raises StoreUnavailable."""
        parts = text.split("_", 2)
        if len(parts) != 3 or parts[0] != _PREFIX or not text.isascii():
            return None
        query = sa.select(*_COLUMNS, API_KEY.c.secret_sha256).where(
            API_KEY.c.key_id == parts[1], API_KEY.c.revoked_at.is_(None)
        )
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None or not hmac.compare_digest(row["secret_sha256"], _digest(parts[2])):
            return None
        return _key(row)

    def note_use(self, key: ApiKey) -> None:
        """Note that a key is in use, at most once a minute; raises StoreUnavailable."""
        at = now()
        if key.last_used_at is not None and at - key.last_used_at < _NOTED_EVERY:
            return
        with self._database.write() as connection:
            connection.execute(API_KEY.update().where(API_KEY.c.key_id == key.key_id).values(last_used_at=at))

    def revoke(self, key_id: str, actor: Actor) -> ApiKey:
        """Make a key invalid at once, with an audit entry; revoking it again changes nothing.

        Raises NotFound, StoreUnavailable.
        """
        this = API_KEY.c.key_id == key_id
        with self._database.write() as connection:
            valid = API_KEY.update().where(this, API_KEY.c.revoked_at.is_(None))
            changed = connection.execute(valid.values(revoked_at=now(), revoked_by=plain_text(actor.name))).rowcount
            row = connection.execute(sa.select(*_COLUMNS).where(this)).mappings().first()
            if row is None:
                raise NotFound(f"There is no API key {key_id!r}; list the keys to see their ids.")
            if changed:
                append_event(connection, actor, AuditAction.KEY_REVOKED, None, key_id, detail={"name": row["name"]})
            return _key(row)


def _key(row: sa.RowMapping) -> ApiKey:
    values = {field.name: row[field.name] for field in fields(ApiKey)}
    return ApiKey(**{**values, "actions": tuple(values["actions"])})


def _digest(secret: str) -> str:
    # The secret is 256 random bits, so a plain hash is as safe as a slow one.
    return hashlib.sha256(secret.encode()).hexdigest()
