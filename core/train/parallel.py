"""How work uses the processors: fits side by side, or on a cluster of joblib's, and predictions of LightGBM trees."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import lightgbm
import numpy as np
from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky import reusable_executor

from core.arrays import Floats
from core.progress import Progress, end_with_starter

T = TypeVar("T")
# Below this, starting threads costs more than it saves; one thread also keeps one agent's answer from delaying others.
_MANY: Final = 500
# As many as the process may use: one inside a training run, where every processor already fits a model.
_ALL_ALLOWED: Final = 0


def in_parallel(
    function: Callable[..., T], calls: Iterable[tuple[Any, ...]], progress: Progress, doing: str
) -> list[T]:
    """Return ``function(*call)`` for every call, in order, reporting progress after each.

    Each fit uses one thread: parallel fits use the processors fully, while threads within a fit would wait for one
    another, especially on a machine that also serves agents. The processes end with this one, even if it is killed.
    """
    waiting = list(calls)
    results: list[T] = []
    progress(0.0, f"{doing}: 0 of {len(waiting)}")
    tied = {"initializer": end_with_starter, "initargs": (os.getpid(),)}
    with parallel_config(inner_max_num_threads=1, backend="loky", **tied):
        for result in Parallel(n_jobs=-1, return_as="generator")(delayed(function)(*call) for call in waiting):
            results.append(result)
            progress(len(results) / len(waiting), f"{doing}: {len(results)} of {len(waiting)}")
    return results


def end_processes() -> None:
    """End the processes that joblib keeps for the next fits of this one, and remove the files they share."""
    executor = getattr(reusable_executor, "_executor", None)
    if executor is not None:
        executor.terminate(kill_workers=True)


def predict(booster: lightgbm.Booster, features: Floats) -> Floats:
    """Return the prediction of each row of a feature matrix (n, p), shape (n,)."""
    threads = 1 if len(features) < _MANY else _ALL_ALLOWED
    return np.asarray(booster.predict(features, num_threads=threads), dtype=float)
