"""Garbage collection: what is alive is exempted from it, and what dies is freed all the same."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

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
