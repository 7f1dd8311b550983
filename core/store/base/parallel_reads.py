"""Database reads in parallel: while the database works for one thread, the interpreter is free for the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

_AT_ONCE: Final = 3
_Result = TypeVar("_Result")


def run_in_parallel(reads: Sequence[Callable[[], _Result]]) -> list[_Result]:
    """Run the reads a few at a time and return their results in order; raises the first error."""
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="read") as pool:
        return [done.result() for done in [pool.submit(read) for read in reads]]
