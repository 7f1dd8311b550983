"""Appends of many threads and processes: committed together, none lost, one failure not another's."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Sequence
from multiprocessing.context import ForkServerContext

import pytest

from core.errors import InvalidRecord, NotFound, StoreUnavailable
from core.store import Market, Store
from core.store.base.group_commit import GroupCommit
from tests.store.conftest import Address
from tests.store.samples import AGENT, append_some, estimate


def test_processes_append_at_once_and_none_is_lost(
    address: Address, store: Store, market: Market, processes: ForkServerContext
) -> None:
    work = [
        processes.Process(target=append_some, args=(address.home, address.url, market.market_id, 40)) for _ in range(4)
    ]
    for process in work:
        process.start()
    for process in work:
        process.join(120)
    assert [process.exitcode for process in work] == [0] * 4
    assert store.ledger.count(market.market_id) == 160


def test_one_that_cannot_be_written_takes_no_other_with_it(store: Store, market: Market) -> None:
    refused: list[Exception] = []

    def work(number: int) -> None:
        for _ in range(20):
            try:
                store.ledger.append(estimate(market.market_id if number % 2 else "nowhere"), AGENT)
            except NotFound as error:
                refused.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (store.ledger.count(market.market_id), len(refused)) == (60, 60)


def test_while_one_commits_the_others_gather() -> None:
    groups: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def commit(items: Sequence[int]) -> Sequence[Exception | None]:
        groups.append(len(items))
        begun.set()
        assert go_on.wait(60)
        return [InvalidRecord("odd") if item % 2 else None for item in items]

    together = GroupCommit(commit)
    failed: list[int] = []

    def submit(item: int) -> None:
        try:
            together.submit(item)
        except InvalidRecord:
            failed.append(item)

    threads = [threading.Thread(target=submit, args=(item,)) for item in range(8)]
    threads[0].start()
    assert begun.wait(60)
    for thread in threads[1:]:
        thread.start()
    while len(together._gathered) < 7:
        pass
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert groups == [1, 7]
    assert sorted(failed) == [1, 3, 5, 7]


def test_a_commit_that_breaks_down_leaves_nobody_waiting() -> None:
    turns = iter([ZeroDivisionError, None])

    def commit(items: Sequence[int]) -> Sequence[Exception | None]:
        broken = next(turns)
        if broken:
            raise broken
        return [None] * len(items)

    together = GroupCommit(commit)
    with pytest.raises((ZeroDivisionError, StoreUnavailable)):
        together.submit(1)
    together.submit(2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_does_not_wait_for_threads_left_behind() -> None:
    go_on, begun = threading.Event(), threading.Event()
    parent = os.getpid()

    def commit(items: Sequence[int]) -> Sequence[Exception | None]:
        if os.getpid() == parent:
            begun.set()
            go_on.wait(60)
        return [None] * len(items)

    together = GroupCommit(commit)
    thread = threading.Thread(target=together.submit, args=(1,))
    thread.start()
    assert begun.wait(60)
    child = multiprocessing.get_context("fork").Process(target=together.submit, args=(2,))
    child.start()
    child.join(60)
    code = child.exitcode
    child.kill()
    go_on.set()
    thread.join(60)
    assert code == 0


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
def test_the_log_is_moved_into_the_file_beside_the_appends(address: Address, store: Store, market: Market) -> None:
    file = address.home / "doorstep.sqlite"
    before = file.stat().st_size
    for _ in range(300):
        store.ledger.append(estimate(market.market_id), AGENT)
    store._ledger_database.close()
    assert file.stat().st_size > before + 100_000
    assert store.ledger.count(market.market_id) == 300
