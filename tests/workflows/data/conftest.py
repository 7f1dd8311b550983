"""A market without sales, and an analyst who works in it, for the tests of intake."""

from __future__ import annotations

from datetime import date

import pytest

from core.access import Actor, Role
from core.problem import Problem
from core.store import Market, Store
from core.workspace import Workspace
from tests.acting import acting

ANALYST = Actor("ana", Role.ANALYST)
TODAY = date(2026, 1, 1)


@pytest.fixture
def market(store: Store) -> Market:
    return store.markets.create("Testville", "USD", "sqft", False, ANALYST)


@pytest.fixture
def workspace(store: Store, problem: Problem) -> Workspace:
    return acting(store, ANALYST, problem, today=TODAY)
