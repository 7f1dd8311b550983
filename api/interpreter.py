"""How a server shares its interpreter: few threads take turns, collections stay short, heavy parts load later."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from itertools import count
from typing import Final

from anyio.to_thread import current_default_thread_limiter
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

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


class LoadedLater:
    """A part of the server that loads behind the first answer; a request for it waits until it is there."""

    def __init__(self, load: Callable[[], ASGIApp]) -> None:
        self._load = load
        self._loading: asyncio.Future[ASGIApp] | None = None

    def begin(self) -> asyncio.Future[ASGIApp]:
        """Begin to load, once; call it in the event loop."""
        if self._loading is None:
            self._loading = asyncio.ensure_future(run_in_threadpool(self._load))
        return self._loading

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        # A visitor who leaves ends one wait, not the loading.
        part = await asyncio.shield(self.begin())
        await part(scope, receive, send)
