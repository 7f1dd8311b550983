"""A commit killed at any moment: the market is at the old version or at the new one, whole, and the next one works."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import BuiltinFunctionType, FrameType

import pytest

from core.access import Actor, Role
from core.problem import Problem
from core.progress import silent
from core.store import DataVersion, Store, open_store
from core.workflows.data.intake import IntakePreview, commit_intake, prepare_intake
from core.workflows.data.market_of_files import NewMarket
from core.workflows.source_files.reading import SourceFile
from tests.acting import acting
from tests.patience import PATIENCE_SECONDS

ANALYST = Actor("ana", Role.ANALYST)
TODAY = date(2026, 1, 1)
ROWS = 40
# What a commit leaves on disk changes with each file put in its place and with each transaction: the moments are before
# and after each. A market's first commit makes two files and a transaction; a later one looks first. More follows both.
FIRST_COMMIT = range(1, 9)
LATER_COMMIT = range(2, 13)


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


def check_whole(store: Store, version: DataVersion) -> None:
    """The version can be loaded, is what its record says, and its accounting sums to its files."""
    sales, ledger = store.versions.load(version.version_id), store.versions.ledger(version.version_id)
    assert len(sales) == version.rows
    assert sales["intake_row"].is_unique
    assert sales["intake_row"].max() < version.rows_seen
    for file in version.files:
        assert file.accepted + file.repaired + file.duplicate + file.rejected == file.rows_in
    assert len(ledger) == sum(file.rows_in for file in version.files)


def die_at(moment: int) -> None:
    """Have this process killed when it begins or ends a lasting step: the ``moment``th time it does either."""
    moments = itertools.count(1)

    def watch(frame: FrameType, event: str, step: object) -> None:
        lasting = isinstance(step, BuiltinFunctionType) and (step is os.replace or step.__name__ == "commit")
        if event.startswith("c_") and lasting and next(moments) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)


def commit_and_die(home: Path, preview: IntakePreview, moment: int) -> None:
    with open_store(home) as store:
        workspace = acting(store, ANALYST)
        die_at(moment)
        commit_intake(workspace, preview, "cut short")


@pytest.fixture(scope="module")
def killed() -> Callable[[Path, IntakePreview, int], None]:
    """Commits in a process of its own that is killed at a moment of it."""
    # A forked server of processes has everything imported, so that each child starts at once.
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.workflows.data.test_killed_commit"])

    def commit(home: Path, preview: IntakePreview, moment: int) -> None:
        child = processes.Process(target=commit_and_die, args=(home, preview, moment))
        child.start()
        child.join(timeout=PATIENCE_SECONDS)
        assert child.exitcode == -signal.SIGKILL, "the commit has fewer moments"

    return commit


def test_a_commit_killed_at_any_moment_leaves_the_old_version_or_the_new(
    tmp_path: Path, problem: Problem, killed: Callable[[Path, IntakePreview, int], None]
) -> None:
    home = tmp_path / "home"
    with open_store(home) as store:
        market_id = store.markets.create("Testville", "USD", "sqft", False, ANALYST).market_id
        workspace, file = acting(store, ANALYST, problem, today=TODAY), write_file(tmp_path, 0)
        commit_intake(workspace, prepare_intake(workspace, market_id, [file], silent), file.name)
        outcomes = []
        for number, moment in enumerate(LATER_COMMIT, start=1):
            old, file = store.versions.latest(market_id), write_file(tmp_path, number)
            assert old is not None
            killed(home, prepare_intake(workspace, market_id, [file], silent), moment)
            new = store.versions.latest(market_id)
            assert new is not None
            if new != old:
                assert new.parent_id == old.version_id
                assert new.rows == old.rows + ROWS
            check_whole(store, new)
            outcomes.append(new != old)
            # What was cut short can be done again at once.
            again = prepare_intake(workspace, market_id, [file], silent)
            report = commit_intake(workspace, again, file.name)
            assert report.changed == (new == old)
            assert report.version.rows == (number + 1) * ROWS
            check_whole(store, report.version)
        assert outcomes == sorted(outcomes), "once made, a version is there at every later moment"
        assert set(outcomes) == {False, True}


def test_a_first_commit_killed_at_any_moment_leaves_no_market_or_one_with_its_data(
    tmp_path: Path, problem: Problem, killed: Callable[[Path, IntakePreview, int], None]
) -> None:
    home = tmp_path / "home"
    with open_store(home) as store:
        workspace, outcomes = acting(store, ANALYST, problem, today=TODAY), []
        for number, moment in enumerate(FIRST_COMMIT):
            file = write_file(tmp_path, number)
            preview = prepare_intake(workspace, NewMarket(f"Town {number}", "USD", "sqft"), [file], silent)
            killed(home, preview, moment)
            made = f"town-{number}" in {one.market_id for one in store.markets.list()}
            if not made:
                # What was cut short can be done again at once, as it was.
                commit_intake(workspace, preview, file.name)
            version = store.versions.latest(f"town-{number}")
            assert version is not None
            assert version.rows == ROWS
            check_whole(store, version)
            outcomes.append(made)
        assert outcomes == sorted(outcomes)
        assert set(outcomes) == {False, True}
