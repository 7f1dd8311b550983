"""Pricing while the database is locked or away: the desk answers, the answer waits, and nobody reads an address."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
import sqlalchemy as sa

from core.access import Actor, Role
from core.errors import StoreUnavailable
from core.problem import Problem
from core.serve.estimate import Estimate
from core.store import Store, open_store
from core.store.base.database import Database
from core.workflows.pricing.answers import Question, RecordedAnswer, load_answer, price_and_record
from core.workflows.pricing.desk import Desk
from core.workflows.pricing.open_desks import OpenDesks
from core.workspace import Workspace
from tests.acting import acting

AGENT = Actor("Ana", Role.AGENT, "North")
MARKET = "larkhaven"


@pytest.fixture
def workspace(own_store: Store, problem: Problem) -> Iterator[Workspace]:
    """A workspace whose store waits a moment only for others who write."""
    url = f"sqlite:///{own_store.home / 'doorstep.sqlite'}?timeout=0.1"
    with open_store(own_store.home, url) as impatient:
        yield acting(impatient, AGENT, problem)


@contextmanager
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise StoreUnavailable("The database cannot be used.", "postgresql://dora@db.internal:5432/prices: refused")

    with monkeypatch.context() as failing:
        failing.setattr(Database, "read", refuse)
        failing.setattr(Database, "write", refuse)
        yield


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Hold SQLite's write lock, as a backup does."""
    engine = sa.create_engine(f"sqlite:///{store.home / 'doorstep.sqlite'}")
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        connection.exec_driver_sql("ROLLBACK")
    engine.dispose()


def price(workspace: Workspace, desk: Desk) -> RecordedAnswer:
    assert desk.bundle is not None
    zipcode = next(iter(desk.bundle.model.profile.area_codes["zipcode"]))
    question = Question({"zipcode": zipcode, "living_area_sqft": 1_500.0}, desk.valuation_date(date(2026, 1, 1)), 0.8)
    return price_and_record(workspace, desk, question, "page")


def level_of(desk: Desk) -> str | None:
    assert desk.live_market is not None
    return desk.live_market.level_id


def test_under_a_write_lock_a_desk_opens_prices_and_gets_its_level_later(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = sa.create_engine(f"sqlite:///{workspace.store.home / 'doorstep.sqlite'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("delete from market_level")
    engine.dispose()
    desks = OpenDesks()
    with locked(workspace.store):
        desk = desks.desk(workspace, MARKET)
        given = price(workspace, desk)
        assert isinstance(given.result, Estimate)
        assert level_of(desk) is None
        assert (given.estimate_id, given.pending_id != "") == (None, True)
        assert desks.desk(workspace, MARKET) is not None
    monkeypatch.setattr("core.workflows.pricing.open_desks.time.monotonic", lambda: 1e9)
    later = desks.desk(workspace, MARKET)
    assert level_of(later) is not None
    again = price(workspace, later)
    assert isinstance(again.result, Estimate)
    assert again.result.point == given.result.point
    assert load_answer(workspace, given.pending_id).result == given.result


def test_with_the_database_away_the_desk_in_memory_answers_and_the_answer_waits(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desks = OpenDesks()
    with away(monkeypatch), pytest.raises(StoreUnavailable):
        desks.markets(workspace.store)
    desk = desks.desk(workspace, MARKET)
    with away(monkeypatch):
        assert [market.market_id for market in desks.markets(workspace.store)] == [MARKET]
        assert desks.desk(workspace, MARKET) is desk
        given = price(workspace, desk)
        with pytest.raises(StoreUnavailable):
            desks.desk(workspace, "another")
        with pytest.raises(StoreUnavailable):
            OpenDesks().desk(workspace, MARKET)
    assert isinstance(given.result, Estimate)
    assert given.pending_id != ""
    assert "db.internal:5432" in caplog.text
    price(workspace, desk)
    assert load_answer(workspace, given.pending_id).result == given.result
