"""API keys: what a program may do in a person's stead, for one office or for all."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from core.access import ALLOWED, Action, Actor, Role
from core.errors import AccessDenied, StoreError, StoreUnavailable
from core.store import Store
from core.store.operations.api_keys import ApiKey
from core.workflows.login.sessions import TRUSTED_FOR
from core.workspace import Workspace

_LOG: Final = logging.getLogger(__name__)


def create_key(
    workspace: Workspace, name: str, role: Role, office: str, actions: Collection[Action] = ()
) -> tuple[ApiKey, str]:
    """Create a key for some actions of a role, all of them if none is named; return it and the text to send.

    Whoever manages keys answers for what they allow; no key manages keys. Raises AccessDenied, InvalidRecord,
    StoreUnavailable.
    """
    workspace.require(Action.MANAGE_KEYS)
    # Nobody at a keyboard sees what a key that manages keys does.
    allowed = ALLOWED[role] - {Action.MANAGE_KEYS}
    wanted = frozenset(actions) or allowed
    beyond = sorted(action for action in wanted if action not in allowed)
    if beyond:
        raise AccessDenied(
            f"The key {name!r} ({role}) cannot be allowed to {'; '.join(beyond)}: the role {role} does not allow it. "
            "Leave that out, or choose another role."
        )
    return workspace.store.api_keys.create(name, role, office, wanted, workspace.actor)


def list_keys(workspace: Workspace) -> list[ApiKey]:
    """Return all keys, newest first; raises AccessDenied, StoreUnavailable."""
    workspace.require(Action.MANAGE_KEYS)
    return workspace.store.api_keys.list()


def revoke_key(workspace: Workspace, key_id: str) -> ApiKey:
    """Make a key invalid at once; raises AccessDenied, NotFound, StoreUnavailable."""
    workspace.require(Action.MANAGE_KEYS)
    return workspace.store.api_keys.revoke(key_id, workspace.actor)


class KnownKeys:
    """Tells who sends a key; one object serves all requests of a process.

    While the database is away, a key that it found valid within ``TRUSTED_FOR`` still counts.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[ApiKey, datetime]] = {}

    def actor_of(self, store: Store, text: str, at: datetime) -> tuple[ApiKey, Actor] | None:
        """Return the valid key that a caller sent and its actor, None if there is none; raises StoreUnavailable."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        try:
            key = store.api_keys.find(text)
        except StoreUnavailable:
            known, found_at = self._known.get(digest, (None, at))
            if known is None or at - found_at > TRUSTED_FOR:
                raise
            return known, known.actor
        if key is None:
            self._known.pop(digest, None)
            return None
        self._known[digest] = (key, at)
        try:
            store.api_keys.note_use(key)
        except StoreError as error:
            # A database that cannot be written to must not keep anybody from a price.
            _LOG.warning("the use of API key %s is not noted: %s", key.key_id, error)
        return key, key.actor


def key_form(key: ApiKey) -> dict[str, Any]:
    """Return a key as JSON values, without its secret."""
    return {
        "key": key.key_id,
        "name": key.name,
        "role": key.role,
        "office": key.office or None,
        "actions": list(key.actions),
        "created_at": key.created_at.isoformat(),
        "created_by": key.created_by,
        "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
        "revoked_by": key.revoked_by or None,
    }
