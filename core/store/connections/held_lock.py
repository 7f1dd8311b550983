"""Memory of a write lock that another program holds: after one writer waited in vain, the next ones try briefly."""

from __future__ import annotations

import time
from typing import Final

REMEMBERED_SECONDS: Final = 5.0
"""How long writers try only briefly after one of them found the lock held."""

BRIEF_SECONDS: Final = 0.1
"""How long a brief try lasts: longer than the server's own writers keep one another waiting."""


class HeldLock:
    """What the writers of one SQLite file know of its lock; safe to share between threads."""

    def __init__(self) -> None:
        self._until = 0.0

    def patience(self, usual: float) -> float:
        """Return how many seconds to wait for the lock: as usual, or briefly if it was held a moment ago."""
        return min(usual, BRIEF_SECONDS) if time.monotonic() < self._until else usual

    def was_held(self) -> None:
        """Note that a writer waited in vain."""
        self._until = time.monotonic() + REMEMBERED_SECONDS

    def was_free(self) -> None:
        """Note that a writer got the lock."""
        self._until = 0.0
