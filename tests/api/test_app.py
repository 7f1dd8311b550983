"""The health of the API, without a page, on a store that may be down."""

from __future__ import annotations

import logging

import pytest
from starlette.applications import Starlette

from api.app import routes
from api.deps import Service
from core.access import Actor, Role
from core.errors import StoreUnavailable
from core.problem import Problem
from core.store import Store
from core.workflows.pricing.open_desks import OpenDesks
from tests.api.server import ask

ANN = Actor("Ann", Role.ANALYST)


def unavailable() -> Store:
    raise StoreUnavailable("The disk is full. Free some space.")


def test_health_counts_the_markets_of_the_store_it_was_given(store: Store, problem: Problem) -> None:
    app = Starlette(routes=routes(Service(lambda: store, lambda: problem, OpenDesks, ANN)))
    assert ask(app, "/api/v1/health").json() == {"status": "ok", "markets": 0}
    store.markets.create("Harbour", "USD", "sqft", False, ANN)
    answer = ask(app, "/api/v1/health")
    assert (answer.status, answer.json()) == (200, {"status": "ok", "markets": 1})
    assert ask(app, "/api/v1/ready").status == 503
    assert ask(app, "/api/v1/health", method="POST").status == 415


def test_a_store_that_is_down_is_reported_and_only_the_log_says_why(
    problem: Problem, caplog: pytest.LogCaptureFixture
) -> None:
    """The launcher mounts the routes before the server listens; a store that is down must not keep it from starting."""
    app = Starlette(routes=routes(Service(unavailable, lambda: problem, OpenDesks, ANN)))
    with caplog.at_level(logging.WARNING):
        answer = ask(app, "/api/v1/health")
        markets = ask(app, "/api/v1/markets")
    assert (answer.status, answer.json()) == (503, {"status": "store unavailable"})
    assert (markets.status, markets.json()["code"]) == (503, "store-unavailable")
    assert "disk" not in markets.body.decode()
    assert "The disk is full" in caplog.text
