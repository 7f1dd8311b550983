"""A circuit breaker: once a database took long to fail, later calls fail at once, and one in a while looks again.

Without it, each read of a page would wait for a database that hangs, one after the other.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from core.errors import StoreUnavailable

REST_SECONDS: Final = 5.0
"""How long calls fail at once before one of them looks whether the database is back."""

SLOW_SECONDS: Final = 1.0
"""A failure that took no longer costs little, so that nothing is held back after it."""


class Breaker:
    """Fails fast after a slow failure; safe to share between threads and after a fork."""

    def __init__(self, rest_seconds: float = REST_SECONDS, slow_seconds: float = SLOW_SECONDS) -> None:
        self._rest, self._slow = rest_seconds, slow_seconds
        self._error: StoreUnavailable | None = None
        self._forget()

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Make a call that raises StoreUnavailable where the database cannot be reached.

        While the breaker is open, raises what the last slow failure raised, without making the call; after a rest, one
        call at a time is made.
        """
        if self._pid != os.getpid():
            self._forget()  # whoever looked when this process was forked is not in it
        looks = self._may_look()
        start = time.monotonic()
        try:
            yield
        except StoreUnavailable as error:
            now = time.monotonic()
            hangs = _is_unreachable(error) and now - start >= self._slow
            self._error, self._until = (error, now + self._rest) if hangs else (None, 0.0)
            raise
        else:
            self._error = None
        finally:
            if looks:
                self._looking.release()

    def _may_look(self) -> bool:
        """Tell whether this is the one call that looks again; False where all is well. Raises StoreUnavailable."""
        error = self._error
        if error is None:
            return False
        if time.monotonic() < self._until or not self._looking.acquire(blocking=False):
            raise StoreUnavailable(str(error), error.detail)
        return True

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._error = None
        self._until = 0.0
        self._looking = threading.Lock()


def _is_unreachable(error: StoreUnavailable) -> bool:
    """Tell whether a connection could not be made or was lost; a lock or a missing file does not count."""
    cause = error.__cause__
    if isinstance(cause, DBAPIError):
        return cause.connection_invalidated or cause.statement is None
    return isinstance(cause, PoolTimeoutError)
