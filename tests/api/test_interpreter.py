"""The interpreter: what is alive is exempt from collections, what dies is freed, what is heavy loads later."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import interpreter


class Node:
    """An object that only a collection can free: it refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.unfreeze()


def tend_for(seconds: float, freeze_seconds: float, thorough_every: int) -> None:
    async def run() -> None:
        keeper = asyncio.create_task(interpreter.keep_collections_short(freeze_seconds, thorough_every))
        await asyncio.sleep(seconds)
        keeper.cancel()

    # In a thread of its own: a browser test of the same process may have left an event loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, run()).result()


def test_what_is_in_memory_is_frozen_so_that_a_collection_looks_through_new_objects_only() -> None:
    kept = [Node() for _ in range(10_000)]
    tend_for(0.1, freeze_seconds=0.01, thorough_every=1_000)
    assert gc.get_freeze_count() > len(kept)
    assert len(gc.get_objects()) < len(kept)


def test_what_was_frozen_as_garbage_is_freed_by_the_next_thorough_collection() -> None:
    node = Node()
    gone = weakref.ref(node)
    gc.freeze()
    del node
    gc.collect()
    assert gone() is not None
    tend_for(0.1, freeze_seconds=0.01, thorough_every=2)
    assert gone() is None


def test_a_heavy_part_loads_once_behind_the_first_answer_and_its_requests_wait_for_it() -> None:
    begun, go_on = Event(), Event()
    served: list[str] = []

    async def part(scope: Scope, receive: Receive, send: Send) -> None:
        served.append(scope["path"])

    def load() -> ASGIApp:
        assert not begun.is_set(), "it loads twice"
        begun.set()
        assert go_on.wait(10)
        return part

    async def run() -> None:
        later = interpreter.LoadedLater(load)
        later.begin()
        asked = [asyncio.create_task(later({"path": path}, nothing, nowhere)) for path in ("/leaves", "/one", "/two")]
        await asyncio.sleep(0.05)
        assert begun.is_set()
        assert served == []
        asked[0].cancel()
        go_on.set()
        await asyncio.gather(*asked[1:])
        await later({"path": "/three"}, nothing, nowhere)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, run()).result()
    assert served == ["/one", "/two", "/three"]


def test_a_part_that_cannot_load_fails_every_request_for_it() -> None:
    def load() -> ASGIApp:
        raise ImportError("no such library")

    async def run() -> None:
        later = interpreter.LoadedLater(load)
        for _ in range(2):
            with pytest.raises(ImportError, match="no such library"):
                await later({"path": "/"}, nothing, nowhere)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, run()).result()


async def nothing() -> Message:
    """A request without a body."""
    return {"type": "http.disconnect"}


async def nowhere(message: Message) -> None:
    """Send an answer to nobody."""
