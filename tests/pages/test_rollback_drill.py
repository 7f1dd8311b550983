"""The rollback drill: two processes hold the desk of one market, one rolls back, the other's next estimate follows."""

from __future__ import annotations

import multiprocessing
import shutil
import time
from collections.abc import Iterator
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.store import open_store
from core.workflows.pricing.answers import Question, price_and_record
from core.workflows.promotion import rollback
from tests.acting import acting
from tests.pages.made_stores import MANAGER

AGENT = Actor("Ann", Role.AGENT, "Harbour")
PATIENCE_S = 120


def work_at_the_desk(home: str, asked: Connection) -> None:
    """Answer each question with the model that priced it, as a server process does: through its cached desk."""
    from pages.kit import cached_desk

    with open_store(Path(home)) as store:
        market_id = store.markets.list()[0].market_id
        while asked.recv():
            desk = cached_desk.desk(acting(store, AGENT), market_id)
            done = price_and_record(
                acting(store, AGENT), desk, Question({"zipcode": "98101"}, date(2025, 1, 1), 0.8), "page"
            )
            asked.send((done.model_id, time.perf_counter()))


@pytest.fixture
def other_process(tmp_path: Path, trained_home: Path) -> Iterator[Connection]:
    shutil.copytree(trained_home, tmp_path / "home")
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=work_at_the_desk, args=(str(tmp_path / "home"), theirs))
    process.start()
    yield ours
    ours.send(False)
    process.join(PATIENCE_S)


def model_that_answers(process: Connection) -> str:
    process.send(True)
    assert process.poll(PATIENCE_S), "the other process gave no estimate"
    return str(process.recv()[0])


def test_the_next_estimate_of_every_process_names_the_champion_brought_back(
    tmp_path: Path, other_process: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with open_store(tmp_path / "home") as store:
        market_id = store.markets.list()[0].market_id
        first = store.models.champion(market_id)
        assert first is not None
        [second] = [one.model_id for one in store.models.list(market_id) if one.model_id != first.model_id]
        assert model_that_answers(other_process) == first.model_id
        store.models.promote(second, MANAGER, "try it")
        assert model_that_answers(other_process) == second
        started = time.perf_counter()
        rollback(acting(store, MANAGER), market_id, "a drill of the team")
        moved = time.perf_counter()
        assert model_that_answers(other_process) == first.model_id
        answered = time.perf_counter()
        print(
            f"rollback drill: pointer moved in {1000 * (moved - started):.0f} ms; the other process gave its next "
            f"estimate, by the old champion, {answered - moved:.2f} s later"
        )
        assert store.ledger.list(market_id, 1)[0].model_id == first.model_id
        [entry] = store.events.of(first.model_id, "model.rolled_back")
        detail = {"replaced": second, "reason": "a drill of the team", "trained_by": first.created_by}
        assert (entry.actor, entry.detail) == (MANAGER.name, detail)
