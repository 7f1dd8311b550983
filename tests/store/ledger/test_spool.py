"""Estimates the ledger cannot take are kept aside, and reach it once, as they were."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import InvalidRecord, NotFound, StoreUnavailable
from core.store import Market, Store, open_store
from core.store.ledger.estimates import Ledger
from tests.store.conftest import Address
from tests.store.samples import AGENT, ANALYST, estimate


def full(*_: object) -> None:
    raise StoreUnavailable("The disk is full.")


@pytest.fixture
def kept(store: Store, market: Market, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of two estimates kept aside, and of three kept aside together."""
    with monkeypatch.context() as failing:
        failing.setattr(Ledger, "append_signed", full)
        failing.setattr(Ledger, "append_signed_many", full)
        single = [store.spool.append(estimate(market.market_id), actor) for actor in (AGENT, ANALYST)]
        many = store.spool.append_many([estimate(market.market_id)] * 3, AGENT)
    assert [one.state for one in single] == ["aside", "aside"]
    assert (many.state, many.why) == ("aside", "The disk is full.")
    return [*(one.record.estimate_id for one in single), *many.estimate_ids]


def files(store: Store) -> list[Path]:
    return sorted((store.home / "unwritten").glob("*.json"))


def test_they_are_counted_and_kept_from_other_eyes(store: Store, market: Market, kept: list[str]) -> None:
    assert store.ledger.count(market.market_id) == 0
    state = store.spool.state()
    assert (state.waiting, state.spoilt, state.lost) == (5, 0, 0)
    assert state.oldest is not None
    assert state.oldest <= datetime.now(UTC)
    assert {path.stat().st_mode & 0o077 for path in [*files(store), store.home / "unwritten"]} == {0}


def test_retrying_writes_them_with_their_own_id_instant_and_actor(
    store: Store, market: Market, kept: list[str]
) -> None:
    oldest = store.spool.state().oldest
    assert store.spool.retry() == 5
    assert store.spool.state().waiting == 0
    listed = store.ledger.list(market.market_id, 9)
    assert sorted(one.estimate_id for one in listed) == sorted(kept)
    first = store.ledger.get(kept[0])
    assert (first.at, first.actor, first.office) == (oldest, AGENT.name, AGENT.office)
    assert store.ledger.get(kept[1]).actor == ANALYST.name
    assert store.events.of("ledger", "ledger.caught_up")[0].detail == {"estimates": 5}
    assert store.spool.retry() == 0


def test_the_next_estimate_that_can_be_written_takes_them_along(
    address: Address, store: Store, market: Market, kept: list[str]
) -> None:
    with open_store(address.home, address.url) as another:  # what one process kept aside, another finds
        assert another.spool.append(estimate(market.market_id), AGENT).written
    assert store.ledger.count(market.market_id) == 6
    assert files(store) == []


def test_a_second_copy_never_arises(store: Store, market: Market, kept: list[str]) -> None:
    copies = {path: path.read_bytes() for path in files(store)}
    store.spool.retry()
    for path, content in copies.items():  # as if the process had died between writing and tidying up
        path.write_bytes(content)
    assert store.spool.retry() == 0
    assert store.ledger.count(market.market_id) == 5
    assert files(store) == []


def test_two_who_retry_at_once_write_each_once(address: Address, store: Store, market: Market, kept: list[str]) -> None:
    written: list[int] = []

    def work() -> None:
        with open_store(address.home, address.url) as own:
            written.append(own.spool.retry())

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(written) == store.ledger.count(market.market_id) == 5


def test_what_cannot_be_written_yet_waits_on(
    store: Store, market: Market, kept: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as failing:
        failing.setattr(Ledger, "append_signed", full)
        with pytest.raises(StoreUnavailable):
            store.spool.retry()
    assert store.spool.state().waiting == 5
    assert store.spool.retry(1) == 1
    assert store.spool.state().waiting == 4


def test_a_spoilt_file_stops_no_other_and_is_counted(store: Store, market: Market, kept: list[str]) -> None:
    spoilt, *_ = files(store)
    waiting = len(json.loads(spoilt.read_bytes()))
    spoilt.write_bytes(b"{")
    assert store.spool.retry() == 5 - waiting
    state = store.spool.state()
    assert (state.waiting, state.spoilt) == (0, 1)


def test_what_would_fail_for_ever_is_refused_at_once(store: Store, market: Market) -> None:
    with pytest.raises(InvalidRecord):
        store.spool.append(estimate(market.market_id, point=-1.0), AGENT)
    with pytest.raises(NotFound, match="nowhere"):
        store.spool.append(estimate("nowhere"), AGENT)
    assert store.spool.state().waiting == 0


def test_a_disk_that_fails_too_is_counted(store: Store, market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(Ledger, "append_signed", full)
    monkeypatch.setattr("core.store.ledger.spool.write_atomically", no_space)
    assert store.spool.append(estimate(market.market_id), AGENT).state == "lost"
    assert store.spool.state().lost == 1


def test_lost_answers_are_counted_across_a_restart_on_a_full_disk_and_then_stand_in_the_audit_trail(
    address: Address, store: Store, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as failing:
        failing.setattr(Ledger, "append_signed", full)
        failing.setattr("core.store.ledger.spool.write_atomically", no_space)
        for _ in range(3):
            assert store.spool.append(estimate(market.market_id), AGENT).state == "lost"
    size = (address.home / "unwritten" / "lost").stat().st_size
    store.close()
    with open_store(address.home, address.url) as again:
        assert again.spool.state().lost == 3
        assert (address.home / "unwritten" / "lost").stat().st_size == size  # overwritten in place, it needs no space
        assert again.spool.append(estimate(market.market_id), AGENT).written
        assert again.spool.state().lost == 0
        [event] = again.events.of("ledger", "ledger.caught_up")
        assert event.detail == {"estimates": 0, "lost": 3}


def test_what_the_count_itself_cannot_take_stays_in_memory(
    store: Store, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> int:
        raise OSError("No space left on device")

    monkeypatch.setattr(Ledger, "append_signed", full)
    monkeypatch.setattr("core.store.ledger.spool.write_atomically", no_space)
    with monkeypatch.context() as failing:
        failing.setattr("os.pwrite", no_space)
        store.spool.append(estimate(market.market_id), AGENT)
        assert store.spool.state().lost == 1
    store.spool.append(estimate(market.market_id), AGENT)
    assert store.spool.state().lost == 2
