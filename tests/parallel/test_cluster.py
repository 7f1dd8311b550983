"""Long work on a real cluster: a scheduler and two worker processes over TCP, one of which is killed half-way."""

from __future__ import annotations

import operator
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed
from joblib.parallel import get_active_backend

from core.access import Actor, Role
from core.arrays import Floats
from core.errors import ClusterUnreachable, WorkersDiffer, WrongUsage
from core.parallel.calls import in_parallel
from core.parallel.cluster import SCHEDULER, cluster_of, on_cluster, scheduler_address, workers_of_cluster
from core.problem import Problem
from core.progress import Progress, silent
from core.store import Store, open_store
from core.train.trainer import Trained, TrainingPlan, default_plan, train
from core.workflows.operations.doctor import Health, examine
from core.workflows.pricing import many_homes
from core.workflows.pricing.desk import Desk
from tests.acting import acting
from tests.parallel.dask_cluster import Cluster, free_port, started, wait_for_workers
from tests.patience import PATIENCE_SECONDS


@pytest.fixture(scope="module")
def lasting() -> Iterator[Cluster]:
    """A cluster that several tests use, and leave as it was."""
    with started() as made:
        yield made


@pytest.fixture
def cluster(lasting: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The lasting cluster, named by the setting."""
    monkeypatch.setenv(SCHEDULER, lasting.address)
    return lasting


@pytest.fixture
def mortal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A cluster of the test's own, named by the setting, to kill parts of."""
    with started() as made:
        monkeypatch.setenv(SCHEDULER, made.address)
        yield made


@contextmanager
def stranger(cluster: Cluster, code: Path) -> Iterator[None]:
    """A third worker with other code, as long as the block runs."""
    worker = cluster.start_worker(code)
    wait_for_workers(cluster, 3)
    try:
        yield
    finally:
        worker.kill()
        worker.wait()


@pytest.fixture(scope="module")
def sales(small_desk: Desk, small_home: Path) -> tuple[pd.DataFrame, int]:
    """The small market's sales, with the rows seen at their intake."""
    with open_store(small_home) as store:
        version = store.versions.latest(small_desk.market.market_id)
        assert version is not None
        return store.versions.load(version.version_id), version.rows_seen


def plan(problem: Problem) -> TrainingPlan:
    """All families with a search of the forest's settings, on few folds."""
    return replace(default_plan(problem), forest_budget=2, boosting_budget=1, folds=2, curve_shares=(0.5,))


def estimates(trained: Trained, sales: pd.DataFrame) -> dict[str, Floats]:
    """Every number an agent could see of the model."""
    priced = trained.model.price(sales, 0.8, 0.1)
    return {name: getattr(priced, name) for name in ("exact", "low", "high", "confidence", "fsd")}


def test_training_on_a_cluster_that_loses_a_worker_gives_the_same_model_to_the_last_bit(
    mortal: Cluster, sales: tuple[pd.DataFrame, int], problem: Problem
) -> None:
    every, rows_seen = sales
    table = every.iloc[::3].reset_index(drop=True)
    seen: list[str] = []

    def kill_one_half_way(fraction: float, message: str) -> None:
        seen.append(message)
        if message == "Comparing models: 2 of 5":
            mortal.workers[0].send_signal(signal.SIGKILL)

    with on_cluster():
        far = train(table, rows_seen, plan(problem), problem, kill_one_half_way)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(SCHEDULER)
        with on_cluster():
            near = train(table, rows_seen, plan(problem), problem, silent)
    assert mortal.workers[0].wait(10) == -signal.SIGKILL
    assert any(one.startswith("Training the final model") for one in seen)
    assert [(one.family, one.settings, one.mape) for one in far.leaderboard] == [
        (one.family, one.settings, one.mape) for one in near.leaderboard
    ]
    assert [one.mape for one in far.forest_search] == [one.mape for one in near.forest_search]
    assert [one.mape for one in far.curve] == [one.mape for one in near.curve]
    assert far.importance == near.importance
    here, there = estimates(near, table), estimates(far, table)
    assert all(np.array_equal(here[name], there[name]) for name in here)


def test_a_file_priced_on_a_cluster_has_the_prices_of_this_machine(
    cluster: Cluster, small_desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sales: tuple[pd.DataFrame, int]
) -> None:
    monkeypatch.setattr(many_homes, "_CHUNK", 40)
    path = tmp_path / "homes.csv"
    sales[0].head(150)[["zipcode", "living_area_sqft", "bedrooms", "property_type"]].to_csv(path, index=False)
    day = sales[0]["sale_date"].max().date() + timedelta(days=1)
    actor = Actor("Ana", Role.AGENT)

    def priced() -> many_homes.PricedFile:
        return many_homes.price_file(small_desk, path, "homes.csv", day, silent, actor)

    far = priced()
    monkeypatch.delenv(SCHEDULER)
    near = priced()
    assert len(far.table) > 100
    pd.testing.assert_frame_equal(far.table, near.table, check_exact=True)
    pd.testing.assert_frame_equal(far.errors, near.errors, check_exact=True)


def test_a_worker_with_other_libraries_is_refused_by_name(cluster: Cluster, tmp_path: Path) -> None:
    package = tmp_path / "core"
    package.mkdir()
    (package / "__init__.py").write_text("")
    # Another release: the same function with another answer.
    (package / "installation.py").write_text("def code_fingerprint():\n    return 'another'\n")
    words = r"1 of 3 workers .*: tcp://127.0.0.1:\d+ \(has another, this process [0-9a-f]{12}\)"
    with stranger(cluster, tmp_path), pytest.raises(WorkersDiffer, match=words), on_cluster():
        pass


def test_a_worker_that_comes_later_is_looked_at_too(cluster: Cluster, tmp_path: Path) -> None:
    with on_cluster():
        assert in_parallel(abs, [(-1,), (-2,)], silent, "Counting") == [1, 2]
        with stranger(cluster, tmp_path), pytest.raises(WorkersDiffer, match="has no Doorstep"):
            in_parallel(abs, [(-1,), (-2,)], silent, "Counting")


def test_a_scheduler_without_this_code_is_refused_before_anything_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started(0, tmp_path) as bare:
        monkeypatch.setenv(SCHEDULER, bare.address)
        with (
            pytest.raises(WorkersDiffer, match=r"The scheduler at .* has no Doorstep it can run: .*core"),
            on_cluster(),
        ):
            pass


def test_a_scheduler_that_ends_ends_the_work_in_words(mortal: Cluster) -> None:
    with pytest.raises(ClusterUnreachable, match="went away"), on_cluster():
        in_parallel(time.sleep, [(0.2,)] * 200, _killing(mortal.scheduler), "Sleeping")


def test_a_library_that_calls_joblib_itself_meets_a_lost_scheduler_in_our_words(mortal: Cluster) -> None:
    def lose_it() -> None:
        mortal.scheduler.kill()
        mortal.scheduler.wait()
        wait_until(lambda client: client.status != "running")
        Parallel()(delayed(operator.neg)(number) for number in range(4))

    with pytest.raises(ClusterUnreachable, match="went away"), on_cluster():
        lose_it()


def test_a_worker_that_dies_is_not_taken_for_one_with_other_code_nor_the_last_one_for_the_scheduler(
    mortal: Cluster,
) -> None:
    with on_cluster():
        mortal.workers[0].kill()
        assert in_parallel(abs, [(-1,), (-2,)], silent, "Counting") == [1, 2]

    def lose_them() -> None:
        for worker in mortal.workers:
            worker.kill()
            worker.wait()
        wait_until(lambda client: not client.nthreads())
        raise ConnectionError("as a call meets it")

    with pytest.raises(ClusterUnreachable, match=r"All workers of the cluster at .* ended\. Start some"), on_cluster():
        lose_them()


def test_tls_without_certificates_is_refused_before_anything_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SCHEDULER, "tls://127.0.0.1:8786")
    with pytest.raises(WrongUsage, match="knows no certificates"), on_cluster():
        pass


def test_a_call_keeps_its_own_parallel_work_to_itself(cluster: Cluster) -> None:
    with on_cluster():
        found = in_parallel(processes_of_inner_calls, [(8,), (9,)], silent, "Looking")
    assert all(inner == {outer} for outer, inner in found)
    assert os.getpid() not in {outer for outer, _ in found}


def test_calls_keep_their_order_and_what_they_share_goes_once(cluster: Cluster) -> None:
    shared = np.arange(500_000.0)
    with on_cluster():
        found = in_parallel(operator.getitem, [(shared, number) for number in range(20)], silent, "Looking up")
    assert list(map(float, map(str, found))) == [float(number) for number in range(20)]


@pytest.mark.parametrize("address", ["10.0.0.5:8786", "http://host:1", "tcp://host", "tcp://host:0", "tcp://h:70000"])
def test_an_address_that_makes_no_sense_is_refused_before_anything_starts(address: str) -> None:
    with pytest.raises(WrongUsage, match=SCHEDULER):
        scheduler_address({SCHEDULER: address})


def test_a_scheduler_that_is_not_there_is_named_with_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.parallel.cluster._SECONDS", 1)
    monkeypatch.setenv(SCHEDULER, f"tcp://127.0.0.1:{free_port()}")
    with pytest.raises(ClusterUnreachable, match="did not answer within 1 seconds"), on_cluster():
        pass


def test_the_doctor_counts_the_workers_of_the_cluster_and_misses_one_that_is_not_there(
    cluster: Cluster, own_store: Store, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert workers_of_cluster({}) is None
    workspace = acting(own_store, Actor("Mia", Role.MANAGER), problem)
    [found] = [one for one in examine(workspace) if one.name == "cluster"]
    assert (found.health, found.found[:9]) == (Health.OK, "2 workers")
    monkeypatch.setattr("core.parallel.cluster._SECONDS", 1)
    monkeypatch.setenv(SCHEDULER, f"tcp://127.0.0.1:{free_port()}")
    [found] = [one for one in examine(workspace) if one.name == "cluster"]
    assert (found.health, "Start it" in found.found) == (Health.FAILED, True)


def wait_until(seen: Callable[[Any], bool]) -> None:
    """Wait until the client of the block has seen something of its cluster."""
    client, end = cluster_of(get_active_backend()[0]), time.monotonic() + PATIENCE_SECONDS
    while not seen(client) and time.monotonic() < end:
        time.sleep(0.05)


def processes_of_inner_calls(count: int) -> tuple[int, set[int]]:
    """This process, and those that calls begun by it run in; as a forest begins some for its trees."""
    inner = Parallel()(delayed(os.getpid)() for _ in range(count))
    return os.getpid(), set(inner)


def _killing(process: subprocess.Popen[bytes]) -> Progress:
    def report(fraction: float, _: str) -> None:
        if fraction > 0:
            process.kill()

    return report
