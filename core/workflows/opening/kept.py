"""What is worked out for a large market, kept on the server's disk; where that fails, it is worked out each time."""

from __future__ import annotations

import logging
from typing import Any, Final, TypeVar

from core.errors import ArtifactCorrupt, StoreUnavailable, in_full
from core.store import Store

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)

KEPT_FROM: Final = 25_000
"""What is worked out from this number of sales is kept; that of fewer takes half a second."""


def is_large(sales: int) -> bool:
    """Tell whether working out what a desk needs of these sales takes so long that it is kept."""
    return sales >= KEPT_FROM


def read_kept(store: Store, folder: str, key: str) -> Any:
    """Return what is kept under a key, its arrays mapped; None if nothing is that can be used."""
    if not store.opened.holds(folder, key):
        return None
    try:
        return store.opened.read(folder, key)
    except ArtifactCorrupt as error:
        _LOG.warning("%s", error)
        return None


def keep(store: Store, folder: str, key: str, value: T) -> T:
    """Keep a value and return it as it is read back, mapped; the value itself if it cannot be kept."""
    try:
        store.opened.keep(folder, key, value)
    except StoreUnavailable as error:
        _LOG.warning("what was opened is not kept: %s", in_full(error))
        return value
    mapped: T | None = read_kept(store, folder, key)
    return value if mapped is None else mapped
