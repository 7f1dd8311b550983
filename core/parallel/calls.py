"""Runs calls side by side: on this machine's processors, or on the cluster that joblib's backend is set to."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
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
    results: dict[int, T] = {}
    progress(0.0, f"{doing}: 0 of {len(waiting)}")
    with _ended(_results(function, waiting)) as numbered:
        for number, result in numbered:
            results[number] = result
            progress(len(results) / len(waiting), f"{doing}: {len(results)} of {len(waiting)}")
    return [results[number] for number in range(len(waiting))]


def batch_by_batch(
    function: Callable[..., T], calls: Sequence[tuple[Any, ...]], progress: Progress, doing: str
) -> Iterator[T]:
    """Yield ``function(*call)`` for every call, in order: on a cluster side by side, here one after the other.

    For short calls on large data, which other processes of this machine would first have to copy.
    """
    on_cluster = cluster_of(get_active_backend()[0]) is not None
    with _ended(_in_order(_results(function, calls)) if on_cluster else (function(*one) for one in calls)) as results:
        for done, result in enumerate(results, 1):
            yield result
            progress(done / len(calls), f"{doing}: {done} of {len(calls)}")


def end_processes() -> None:
    """End the processes that joblib keeps for the next fits of this one, and remove the files they share."""
    executor = getattr(reusable_executor, "_executor", None)
    if executor is not None:
        executor.terminate(kill_workers=True)


@contextmanager
def _ended(results: Generator[T, None, None]) -> Iterator[Iterator[T]]:
    """End the calls that run when their results are no longer waited for, as after a cancellation.

    Joblib advises on that by a warning, which means nothing to whoever cancelled.
    """
    try:
        yield results
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r".*You could benefit from adjusting the input task", UserWarning)
            results.close()


def _in_order(numbered: Iterable[tuple[int, T]]) -> Generator[T, None, None]:
    """Yield results in the order of their calls, each as soon as those before it are there."""
    early: dict[int, T] = {}
    following = 0
    for number, result in numbered:
        early[number] = result
        while following in early:
            yield early.pop(following)
            following += 1


def _results(function: Callable[..., T], calls: Sequence[tuple[Any, ...]]) -> Generator[tuple[int, T], None, None]:
    """Yield the number of each call and its result, as soon as it is there."""
    backend, _ = get_active_backend()
    client = cluster_of(backend)
    if client is None:
        with _here(backend):
            yield from Parallel(n_jobs=-1, return_as="generator_unordered")(
                delayed(_numbered)(number, function, call) for number, call in enumerate(calls)
            )
        return
    packed = _Shared.of(calls)
    with on_the_cluster_of(client, packed.objects):
        yield from Parallel(n_jobs=-1, return_as="generator_unordered")(
            delayed(_unpacked)(number, (function, *packed.pack(call)), *packed.objects)
            for number, call in enumerate(calls)
        )


def _here(backend: Any) -> AbstractContextManager[Any]:
    """Return the context of this machine's processes; another backend set outside, such as threads, stays."""
    if type(backend).__name__ != _USUAL:
        return nullcontext()
    tied = {"initializer": end_with_starter, "initargs": (os.getpid(),)}
    return parallel_config(backend="loky", inner_max_num_threads=1, **tied)


def _numbered(number: int, function: Callable[..., T], call: tuple[Any, ...]) -> tuple[int, T]:
    """Return the number of a call and its result, fitted with one thread."""
    # A worker of the cluster would hand the trees of a forest to other workers, and lose them with one of those.
    with threadpool_limits(1), parallel_config(backend="threading", n_jobs=1):
        return number, function(*call)


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


def _unpacked(
    number: int, packed: tuple[Callable[..., T], tuple[int, ...], tuple[Any, ...]], *shared: Any
) -> tuple[int, T]:
    function, places, rest = packed
    own = iter(rest)
    return _numbered(number, function, tuple(shared[place] if place >= 0 else next(own) for place in places))
