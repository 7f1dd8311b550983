"""Patience with a store that is locked or away for a while: the last step of long work is worth waiting for."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

from core.errors import StoreUnavailable, in_full

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)

PATIENCE_SECONDS: Final = 180.0
"""How long the end of long work waits for the store: a backup may hold SQLite's write lock for a minute."""

_NAP_SECONDS: Final = 1.0


def patiently(write: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """Return what ``write`` returns, trying again while the store is unavailable.

    Raises StoreUnavailable once ``seconds`` are over. ``write`` must be safe to repeat.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            return write()
        except StoreUnavailable as error:
            if time.monotonic() > end:
                raise
            _LOG.warning("the store is unavailable, trying again: %s", in_full(error))
        time.sleep(_NAP_SECONDS)
