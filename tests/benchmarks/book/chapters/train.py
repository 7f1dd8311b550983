"""Training with the default plan: every step, every candidate, and the textbook models on the same sales."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from cProfile import Profile

import numpy as np
import pandas as pd

from core.problem import load_problem
from core.progress import silent
from core.store import ModelRecord, Store, open_store
from core.train.trainer import default_plan, split_sales
from core.workflows.models.training import known_sales, load_model
from core.workflows.training import train_model
from tests.acting import acting
from tests.benchmarks.book import baselines
from tests.benchmarks.book.measurement import Measurement
from tests.benchmarks.book.place import MANAGER, Place, market_of
from tests.benchmarks.processes import peak_memory


class Steps:
    """A progress that notes when each step began."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._started = time.perf_counter()

    def __call__(self, fraction: float, message: str) -> None:
        """Note the step of a message."""
        self._began.setdefault(message.partition(":")[0].partition(",")[0], time.perf_counter() - self._started)

    def seconds(self) -> dict[str, float]:
        """Return the seconds of each step, to the beginning of the next."""
        ends = [*list(self._began.values())[1:], time.perf_counter() - self._started]
        return {name: end - at for (name, at), end in zip(self._began.items(), ends, strict=True)}


def measure(place: Place) -> Iterator[Measurement]:
    """Yield the time, memory and error of a default training, then those of the baselines."""
    with place.store() as store:
        market = market_of(store)
        with peak_memory() as peak:
            steps = Steps()
            record = train_model(acting(store, MANAGER), market, default_plan(load_problem()), steps)
            took = steps.seconds()
        if store.models.champion(market) is None:
            raise RuntimeError("the model trained did not go live; its card names the floor it misses")
        known, test = _before_and_after(store, market)
        fits = _baselines(known, test)
        forest = fits[baselines.FOREST]
        _, note = baselines.part_of(known)
        total = sum(took.values())
        yield place.measured("training, evaluation and registration", "s", total, baselines.FOREST, forest[0], note)
        yield place.measured("peak memory", "MB", peak.bytes / 1e6)
        yield from (place.measured(f"step: {name}", "s", seconds) for name, seconds in took.items())
        error = float(record.card["metrics"]["mape"]["value"])
        yield place.measured("test error (MAPE)", "%", 100 * error, baselines.FOREST, 100 * forest[1], note)
        yield from _candidates(place, store, record, fits[baselines.BOOSTING][0])
        for name, (seconds, wrong, size) in fits.items():
            yield place.measured(f"{name}: fit", "s", seconds, note=note)
            yield place.measured(f"{name}: test error (MAPE)", "%", 100 * wrong, note=note)
            if size:
                yield place.measured(f"{name}: size", "MB", size / 1e6, note=note)


def profiled(place: Place, profile: Profile) -> None:
    """Train once more in a copy of the store."""
    with place.copied_home() as home, open_store(home) as store:
        workspace, plan = acting(store, MANAGER), default_plan(load_problem())
        profile.runcall(train_model, workspace, market_of(store), plan, silent)


def _candidates(place: Place, store: Store, record: ModelRecord, boosting: float) -> Iterator[Measurement]:
    """Yield each candidate's seconds, validation error and latency, and those of the search together."""
    bundle = load_model(store, record.model_id)
    for score in bundle.leaderboard:
        name = f"candidate: {score.family}, {score.settings}"
        note = f"fitted on {score.trained_rows:,} sales"
        yield place.measured(f"{name}: fit", "s", score.fit_seconds, baselines.BOOSTING, boosting, note)
        yield place.measured(f"{name}: validation error (MAPE)", "%", 100 * score.mape)
    tuned = sum(one.fit_seconds for one in bundle.forest_search)
    note = f"{len(bundle.forest_search)} fits, two at a time"
    yield place.measured("tuning: fits of the forest search together", "s", tuned, note=note)


def _before_and_after(store: Store, market: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the sales a model may learn from, and those of the sealed test."""
    problem, known = load_problem(), known_sales(store, market)
    split = split_sales(known.table, known.version.rows_seen, default_plan(problem), problem)
    return known.table[split.train | split.validation], known.table[split.test]


def _baselines(known: pd.DataFrame, test: pd.DataFrame) -> dict[str, tuple[float, float, int]]:
    """Return seconds, test error and bytes (0 if not asked) of each baseline."""
    part, _ = baselines.part_of(known)
    found = {}
    found[baselines.FOREST] = _forest(part, test)
    for name, fit in ((baselines.BOOSTING, baselines.plain_boosting), (baselines.CATBOOST, baselines.catboost)):
        started = time.perf_counter()
        predict = fit(part)
        if predict is not None:
            seconds = time.perf_counter() - started
            found[name] = (seconds, _error(test, predict), 0)
    return found


def _forest(part: pd.DataFrame, test: pd.DataFrame) -> tuple[float, float, int]:
    started = time.perf_counter()
    forest = baselines.tutorial_forest(part)
    seconds = time.perf_counter() - started
    wrong = _error(test, lambda homes: forest.predict(baselines.inputs_of(homes)))
    return seconds, wrong, baselines.pickled_bytes(forest)


def _error(test: pd.DataFrame, predict: Callable[[pd.DataFrame], np.ndarray]) -> float:
    homes = test if len(test) <= baselines.PART else test.sample(baselines.PART, random_state=0)
    return baselines.mape(homes["sale_price"].to_numpy(dtype=float), predict(homes))
