"""A commit killed at any moment: the market is at the old version or at the new one, whole, and the next one works."""

from __future__ import annotations

import multiprocessing
import random
import time
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path

from core.access import Actor, Role
from core.problem import Problem, load_problem
from core.progress import silent
from core.store import DataVersion, Store, open_store
from core.workflows.data.intake import NewMarket, SourceFile, commit_intake, prepare_intake
from tests.acting import acting

ANALYST = Actor("ana", Role.ANALYST)
TODAY = date(2026, 1, 1)
KILLS = 6
ROWS = 40


def write_file(folder: Path, number: int) -> SourceFile:
    """A file of sales like no other, one row of which is refused."""
    first = number * ROWS
    lines = ["parcel number,address,zip code,sale date,sale price,living area sqft"]
    lines += [
        f"{100 + n},{n} Oak Street,0010{n % 5},2024-{1 + n % 12:02}-{1 + n % 27:02},"
        f"{200_000 + 137 * (n * 61 % 97)},{900 + n % 700}"
        for n in range(first, first + ROWS)
    ]
    lines.append(f"{99_000 + number},1 Gift Lane,00101,2024-05-05,1,1200")
    path = folder / f"part{number}.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return SourceFile(path, path.name)


def commit_file(home: Path, market: str | NewMarket, file: SourceFile, said: Connection) -> None:
    """Prepare, say so, and commit; then say how long that took, if still alive."""
    with open_store(home) as store:
        preview = prepare_intake(acting(store, problem=load_problem(), today=TODAY), market, [file], silent)
        said.send(None)
        started = time.perf_counter()
        commit_intake(acting(store, ANALYST), preview, file.name)
        said.send(time.perf_counter() - started)


def check_whole(store: Store, version: DataVersion) -> None:
    """The version can be loaded, is what its record says, and its accounting sums to its files."""
    sales, ledger = store.versions.load(version.version_id), store.versions.ledger(version.version_id)
    assert len(sales) == version.rows
    assert sales["intake_row"].is_unique
    assert sales["intake_row"].max() < version.rows_seen
    for file in version.files:
        assert file.accepted + file.repaired + file.duplicate + file.rejected == file.rows_in
    assert len(ledger) == sum(file.rows_in for file in version.files)


class Killer:
    """Commits files in processes of their own: the first lives, the others are killed within the time it took."""

    def __init__(self, home: Path, seed: int) -> None:
        self._home, self._chance = home, random.Random(seed)
        self._took: float | None = None
        # A forked server of processes has everything imported, so that each child starts at once.
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(["tests.workflows.data.test_killed_commit"])

    def commit(self, market: str | NewMarket, file: SourceFile) -> None:
        """Commit a file, and kill the process at any moment unless it is the first."""
        ours, theirs = self._processes.Pipe(duplex=False)
        child = self._processes.Process(target=commit_file, args=(self._home, market, file, theirs))
        child.start()
        theirs.close()
        ours.recv()
        if self._took is None:
            self._took = float(ours.recv())
        else:
            time.sleep(self._chance.uniform(0.0, 1.1 * self._took))
            child.kill()
        child.join(timeout=30)


def test_a_commit_killed_at_any_moment_leaves_the_old_version_or_the_new(tmp_path: Path, problem: Problem) -> None:
    home = tmp_path / "home"
    killer = Killer(home, seed=7)
    with open_store(home) as store:
        market_id = store.markets.create("Testville", "USD", "sqft", False, ANALYST).market_id
        outcomes = []
        for number in range(KILLS + 1):
            old = store.versions.latest(market_id)
            file = write_file(tmp_path, number)
            killer.commit(market_id, file)
            new = store.versions.latest(market_id)
            assert new is not None
            if new != old:
                assert new.parent_id == (old.version_id if old else None)
                assert new.rows == (old.rows if old else 0) + ROWS
            check_whole(store, new)
            outcomes.append(new != old)
            # What was cut short can be done again at once.
            again = prepare_intake(acting(store, problem=problem, today=TODAY), market_id, [file], silent)
            report = commit_intake(acting(store, ANALYST), again, file.name)
            assert report.changed == (new == old)
            assert report.version.rows == (number + 1) * ROWS
            check_whole(store, report.version)
        assert outcomes[0]


def test_a_first_commit_killed_at_any_moment_leaves_no_market_or_one_with_its_data(
    tmp_path: Path, problem: Problem
) -> None:
    home = tmp_path / "home"
    killer = Killer(home, seed=11)
    with open_store(home) as store:
        for number in range(KILLS + 1):
            market, file = NewMarket(f"Town {number}", "USD", "sqft"), write_file(tmp_path, number)
            killer.commit(market, file)
            made = f"town-{number}" in {one.market_id for one in store.markets.list()}
            if not made:
                # What was cut short can be done again at once, as it was.
                preview = prepare_intake(acting(store, problem=problem, today=TODAY), market, [file], silent)
                commit_intake(acting(store, ANALYST), preview, file.name)
            version = store.versions.latest(f"town-{number}")
            assert version is not None
            assert version.rows == ROWS
            check_whole(store, version)
