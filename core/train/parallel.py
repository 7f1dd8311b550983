"""Independent fits in parallel on all processors, or on a cluster if joblib's backend is configured for one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from joblib import Parallel, delayed, parallel_config

from core.progress import Progress

T = TypeVar("T")


def in_parallel(
    function: Callable[..., T], calls: Iterable[tuple[Any, ...]], progress: Progress, doing: str
) -> list[T]:
    """Return ``function(*call)`` for every call, in order, reporting progress after each.

    Each fit uses one thread: parallel fits use the processors fully, while threads within a fit would wait for one
    another, especially on a machine that also serves agents.
    """
    waiting = list(calls)
    results: list[T] = []
    progress(0.0, f"{doing}: 0 of {len(waiting)}")
    with parallel_config(inner_max_num_threads=1, backend="loky"):
        for result in Parallel(n_jobs=-1, return_as="generator")(delayed(function)(*call) for call in waiting):
            results.append(result)
            progress(len(results) / len(waiting), f"{doing}: {len(results)} of {len(waiting)}")
    return results
