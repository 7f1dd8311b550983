"""Desks shared by the threads of a process: opened once each, and none waits for another market's model."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from core.workflows.pricing import open_desks
from core.workflows.pricing.open_desks import KEPT, OpenDesks

WAIT_S = 30.0


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The markets whose desks were opened, in order; the slow one opens only once another desk was given."""
    markets: list[str] = []
    given = threading.Event()

    def open_desk(store: object, market_id: str, problem: object) -> Any:
        markets.append(market_id)
        if market_id == "slow":
            assert given.wait(WAIT_S), "another market's desk had to wait"
        else:
            given.set()
        return SimpleNamespace(market=market_id, live_market=None, fault="")

    monkeypatch.setattr(open_desks, "open_desk", open_desk)
    monkeypatch.setattr(open_desks, "desk_state", lambda store, market_id: (market_id,))
    return markets


WORKSPACE: Any = SimpleNamespace(store=None, problem=None)


def test_while_a_desk_opens_others_are_given_and_each_is_opened_once(opened: list[str]) -> None:
    desks = OpenDesks()
    with ThreadPoolExecutor(4) as threads:
        slow = [threads.submit(desks.desk, WORKSPACE, "slow") for _ in range(3)]
        quick = threads.submit(desks.desk, WORKSPACE, "quick").result(WAIT_S)
        first, *others = [one.result(WAIT_S) for one in slow]
    assert quick is desks.desk(WORKSPACE, "quick")
    assert all(one is first for one in others)
    assert sorted(opened) == ["quick", "slow"]


def test_the_desk_used_longest_ago_makes_way(opened: list[str]) -> None:
    desks = OpenDesks()
    for number in (*range(KEPT), 0, KEPT, 0, 1):
        desks.desk(WORKSPACE, str(number))
    assert opened == [*map(str, range(KEPT + 1)), "1"]
