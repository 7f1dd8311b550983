"""How a server shares its interpreter: few threads take turns, and collections stay short however much it holds."""

from __future__ import annotations

import asyncio
import gc
from itertools import count
from typing import Final

from anyio.to_thread import current_default_thread_limiter

AT_ONCE: Final = 8
"""Requests beyond these wait their turn; more threads than that spend their time on handing the interpreter over."""

FREEZE_SECONDS: Final = 3.0
"""How often what is in memory is exempted from collection."""

THOROUGH_EVERY: Final = 20
"""Before every 20th freeze all of it is looked through."""


async def keep_collections_short(freeze_seconds: float = FREEZE_SECONDS, thorough_every: int = THOROUGH_EVERY) -> None:
    """Freeze what is in memory again and again, until cancelled.

    Streamlit ends every rerun with a full collection. Unfrozen, models and sessions of all visitors would be looked
    through each time: with 50 of them that took a fifth of the processor. What was frozen as garbage stays until the
    next thorough collection.
    """
    for turn in count(1):
        await asyncio.sleep(freeze_seconds)
        if turn % thorough_every == 0:
            collect_thoroughly()
        gc.freeze()


def collect_thoroughly() -> None:
    """Free all garbage, what was frozen included."""
    gc.unfreeze()
    gc.collect()


def limit_threads() -> None:
    """Let no more requests at once share this process's interpreter; call it in the event loop."""
    current_default_thread_limiter().total_tokens = AT_ONCE
