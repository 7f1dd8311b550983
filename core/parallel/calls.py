"""Runs calls side by side: on this machine's processors, or on the cluster that joblib's backend is set to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky import reusable_executor
from joblib.parallel import get_active_backend
from threadpoolctl import threadpool_limits

from core.parallel.cluster import cluster_of, on_the_cluster_of
from core.progress import Progress, end_with_starter

T = TypeVar("T")

_USUAL: Final = "LokyBackend"
_SMALL: Final = (str, bytes, int, float, complex, bool, type(None))


def in_parallel(
    function: Callable[..., T], calls: Iterable[tuple[Any, ...]], progress: Progress, doing: str
) -> list[T]:
    """Return ``function(*call)`` for every call, in order, reporting progress after each.

    Each call uses one thread: parallel fits use the processors fully, while threads within a fit would wait for one
    another, especially on a machine that also serves agents. Without a backend of joblib's set around this, the calls
    run on this machine, in processes that end with this one, even if it is killed. With Dask's backend they run on its
    cluster: what calls have in common goes to every worker once, so that a lost worker takes no data with it.
    Raises ClusterUnreachable, and WorkersDiffer for workers with another version of Doorstep.
    """
    waiting = list(calls)
    results: list[T] = []
    progress(0.0, f"{doing}: 0 of {len(waiting)}")
    for result in _results(function, waiting):
        results.append(result)
        progress(len(results) / len(waiting), f"{doing}: {len(results)} of {len(waiting)}")
    return results


def batch_by_batch(
    function: Callable[..., T], calls: Sequence[tuple[Any, ...]], progress: Progress, doing: str
) -> Iterator[T]:
    """Yield ``function(*call)`` for every call, in order: on a cluster side by side, here one after the other.

    For short calls on large data, which other processes of this machine would first have to copy.
    """
    results = _results(function, calls) if cluster_of(get_active_backend()[0]) else (function(*one) for one in calls)
    for done, result in enumerate(results, 1):
        yield result
        progress(done / len(calls), f"{doing}: {done} of {len(calls)}")


def end_processes() -> None:
    """End the processes that joblib keeps for the next fits of this one, and remove the files they share."""
    executor = getattr(reusable_executor, "_executor", None)
    if executor is not None:
        executor.terminate(kill_workers=True)


def _results(function: Callable[..., T], calls: Sequence[tuple[Any, ...]]) -> Iterator[T]:
    backend, _ = get_active_backend()
    client = cluster_of(backend)
    if client is None:
        with _here(backend):
            yield from Parallel(n_jobs=-1, return_as="generator")(
                delayed(_single_threaded)(function, call) for call in calls
            )
        return
    packed = _Shared.of(calls)
    with on_the_cluster_of(client, packed.objects):
        yield from Parallel(n_jobs=-1, return_as="generator")(
            delayed(_unpacked)((function, *packed.pack(call)), *packed.objects) for call in calls
        )


def _here(backend: Any) -> AbstractContextManager[Any]:
    """Return the context of this machine's processes; another backend set outside, such as threads, stays."""
    if type(backend).__name__ != _USUAL:
        return nullcontext()
    tied = {"initializer": end_with_starter, "initargs": (os.getpid(),)}
    return parallel_config(backend="loky", inner_max_num_threads=1, **tied)


def _single_threaded(function: Callable[..., T], call: tuple[Any, ...]) -> T:
    # A worker of the cluster would hand the trees of a forest to other workers, and lose them with one of those.
    with threadpool_limits(1), parallel_config(backend="threading", n_jobs=1):
        return function(*call)


@dataclass(frozen=True)
class _Shared:
    """What several calls have in common, to be sent to a cluster once: ``objects``, and their numbers by identity."""

    objects: tuple[Any, ...]
    number: dict[int, int]

    @classmethod
    def of(cls, calls: Sequence[tuple[Any, ...]]) -> _Shared:
        seen, found = set[int](), dict[int, Any]()
        for call in calls:
            for one in {id(argument): argument for argument in call}.values():
                if id(one) in seen and not isinstance(one, _SMALL) and not callable(one):
                    found[id(one)] = one
                seen.add(id(one))
        return cls(tuple(found.values()), {key: number for number, key in enumerate(found)})

    def pack(self, call: tuple[Any, ...]) -> tuple[tuple[int, ...], tuple[Any, ...]]:
        """Return the number of each argument among the shared objects, -1 for its own, and its own arguments."""
        numbers = tuple(self.number.get(id(one), -1) for one in call)
        return numbers, tuple(one for one, number in zip(call, numbers, strict=True) if number < 0)


def _unpacked(packed: tuple[Callable[..., T], tuple[int, ...], tuple[Any, ...]], *shared: Any) -> T:
    function, numbers, rest = packed
    own = iter(rest)
    return _single_threaded(function, tuple(shared[number] if number >= 0 else next(own) for number in numbers))
