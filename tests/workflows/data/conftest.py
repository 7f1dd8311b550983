"""A market without sales, and an analyst who works in it, for the tests of intake."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.problem import Problem
from core.store import Market, Store
from core.workspace import Workspace
from tests.acting import acting
from tests.workflows.conftest import fresh_store

ANALYST = Actor("ana", Role.ANALYST)
TODAY = date(2026, 1, 1)


@pytest.fixture(params=["sqlite"])
def store(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Store]:
    """A fresh store, empty: on SQLite, and on PostgreSQL for the tests ON_BOTH, as most of an intake is done before."""
    with fresh_store(request.param, tmp_path, tmp_path_factory, monkeypatch) as opened:
        yield opened


@pytest.fixture
def market(store: Store) -> Market:
    return store.markets.create("Testville", "USD", "sqft", False, ANALYST)


@pytest.fixture
def workspace(store: Store, problem: Problem) -> Workspace:
    return acting(store, ANALYST, problem, today=TODAY)
