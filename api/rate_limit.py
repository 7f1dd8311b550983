"""How many requests a caller may make a minute, counted in this process."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_WINDOW: Final = 60.0
_CALLERS_MAX: Final = 10_000


@dataclass(frozen=True)
class Allowance:
    """What is left to a caller in this window: requests, and seconds until the next window."""

    limit: int
    left: int
    reset: int

    @property
    def is_spent(self) -> bool:
        """Tell whether this request is one too many."""
        return self.left < 0

    @property
    def headers(self) -> dict[str, str]:
        """The allowance as response headers."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(self.left, 0)),
            "RateLimit-Reset": str(self.reset),
        }


class RateLimiter:
    """Counts each caller's requests in windows of a minute; of very many callers, the earliest are forgotten."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, caller: str, limit: int) -> Allowance:
        """Count a request and return what is left."""
        return self._count(caller, limit, 1)

    def look(self, caller: str, limit: int) -> Allowance:
        """Return what is left after one more request, without counting it."""
        allowance = self._count(caller, limit, 0)
        return Allowance(limit, allowance.left - 1, allowance.reset)

    def _count(self, caller: str, limit: int, requests: int) -> Allowance:
        now = self._clock()
        with self._guard:
            start, used = self._windows.get(caller, (now, 0))
            if now - start >= _WINDOW:
                start, used = now, 0
            self._windows[caller] = (start, used + requests)
            self._windows.move_to_end(caller)
            while len(self._windows) > _CALLERS_MAX:
                self._windows.popitem(last=False)
        return Allowance(limit, limit - used - requests, max(1, math.ceil(start + _WINDOW - now)))
