"""How long a sign-in lasts: until somebody signs out, is idle too long, or the sign-in is too old."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from core.access import Actor
from core.errors import AccessDenied, SignInEnded, StoreError, StoreUnavailable
from core.store import Store
from core.store.operations.sign_ins import SignIn
from core.workflows.login.settings import LoginSettings

_LOG: Final = logging.getLogger(__name__)
# Noting every click would make each of them write.
_NOTED_EVERY: Final = timedelta(minutes=1)
_REMEMBERED: Final = 10_000

TRUSTED_FOR: Final = timedelta(hours=2)
"""How long the last reading of a sign-in or an API key counts while the database is away."""

_T = TypeVar("_T")


class Sessions:
    """Judges sign-ins; one object serves all sessions of a process.

    While the database is away, what was last read from it of a sign-in stands, for ``TRUSTED_FOR`` at most.
    """

    def __init__(self, settings: LoginSettings) -> None:
        self._settings = settings
        self._known: dict[str, tuple[SignIn, datetime]] = {}
        self._unnoted: dict[str, datetime] = {}

    def enter(self, store: Store, claims: Mapping[str, Any], actor: Actor, at: datetime) -> None:
        """Note that somebody uses a sign-in; the first use begins it.

        Raises SignInEnded, AccessDenied if the claims do not say when somebody signed in, StoreUnavailable.
        """
        sign_in = self._judge(store, claims, actor, at)
        if at - sign_in.seen_at < min(_NOTED_EVERY, self._settings.idle / 10):
            return
        try:
            store.sign_ins.note_use(sign_in.sign_in_id, at)
            self._unnoted.pop(sign_in.sign_in_id, None)
        except StoreError as error:
            _LOG.warning("the use of a sign-in is not noted: %s", error)
            _put(self._unnoted, sign_in.sign_in_id, at)

    def lasts(self, store: Store, claims: Mapping[str, Any], actor: Actor, at: datetime) -> bool:
        """Tell whether a sign-in still lasts, without using it; raises AccessDenied, StoreUnavailable."""
        try:
            self._judge(store, claims, actor, at)
        except SignInEnded:
            return False
        return True

    def end(self, store: Store, claims: Mapping[str, Any], actor: Actor, at: datetime) -> None:
        """Sign out of every tab on every server; raises AccessDenied, StoreUnavailable."""
        sign_in_id = sign_in_id_of(claims)
        store.sign_ins.end(sign_in_id, actor, at)
        self._known.pop(sign_in_id, None)

    def _judge(self, store: Store, claims: Mapping[str, Any], actor: Actor, at: datetime) -> SignIn:
        sign_in_id, signed_in = sign_in_id_of(claims), _signed_in_at(claims)
        if at - signed_in >= self._settings.absolute:
            raise SignInEnded(f"You signed in more than {_words(self._settings.absolute)} ago. Sign in again to go on.")
        sign_in = self._find(store, sign_in_id, at)
        unused_since = sign_in.seen_at if sign_in else signed_in
        if at - unused_since >= self._settings.idle:
            raise SignInEnded(f"You were away for {_words(self._settings.idle)} or more. Sign in again to go on.")
        if sign_in is None:
            sign_in = store.sign_ins.begin(sign_in_id, min(signed_in, at), actor, at)
            _put(self._known, sign_in_id, (sign_in, at))
        if sign_in.ended_at is not None:
            raise SignInEnded("You signed out. Sign in again to go on.")
        return sign_in

    def _find(self, store: Store, sign_in_id: str, at: datetime) -> SignIn | None:
        try:
            found = store.sign_ins.find(sign_in_id)
        except StoreUnavailable:
            known, read_at = self._known.get(sign_in_id, (None, at))
            used = None if known is None else self._with_last_use(known)
            # One that was idle too long has ended, whatever the database would say.
            if used is None or (at - read_at > TRUSTED_FOR and at - used.seen_at < self._settings.idle):
                raise
            return used
        if found is None:
            return None
        _put(self._known, sign_in_id, (found, at))
        return self._with_last_use(found)

    def _with_last_use(self, found: SignIn) -> SignIn:
        """Return a sign-in with its last use, also one that the database could not take."""
        return replace(found, seen_at=max(found.seen_at, self._unnoted.get(found.sign_in_id, found.seen_at)))


def sign_in_id_of(claims: Mapping[str, Any]) -> str:
    """Return the id of a sign-in, made of what the identity provider's token says of it alone."""
    parts = [str(claims.get(key, "")) for key in ("iss", "sub", "iat", "nonce", "jti")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _put(kept: dict[str, _T], key: str, value: _T) -> None:
    """Keep a value, and forget the oldest of too many."""
    kept[key] = value
    if len(kept) > _REMEMBERED:
        kept.pop(next(iter(kept)), None)


def _signed_in_at(claims: Mapping[str, Any]) -> datetime:
    issued = claims.get("iat")
    if isinstance(issued, bool) or not isinstance(issued, (int, float)):
        raise AccessDenied("The identity provider does not say when you signed in (claim iat); ask who runs it.")
    return datetime.fromtimestamp(issued, UTC)


def _words(time: timedelta) -> str:
    minutes = round(time.total_seconds() / 60)
    if minutes >= 120 and minutes % 60 == 0:
        return f"{minutes // 60} hours"
    return "a minute" if minutes <= 1 else f"{minutes} minutes"
