"""The routes of the REST API, without a server and without a page."""

from __future__ import annotations

import logging

import pytest
from starlette.applications import Starlette

from api.app import ROUTES, routes
from core.access import Actor, Role
from core.errors import StoreUnavailable
from core.store import Store
from tests.api.server import ask


def unavailable() -> Store:
    raise StoreUnavailable("The disk is full. Free some space.")


def test_health_counts_the_markets_of_the_store_it_was_given(store: Store) -> None:
    app = Starlette(routes=routes(lambda: store))
    assert ask(app, "/api/v1/health").json() == {"status": "ok", "markets": 0}
    store.markets.create("Harbour", "USD", "sqft", False, Actor("Ann", Role.ANALYST))
    answer = ask(app, "/api/v1/health")
    assert (answer.status, answer.json()) == (200, {"status": "ok", "markets": 1})


def test_health_says_that_the_store_cannot_be_read_and_only_the_log_why(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        answer = ask(Starlette(routes=routes(unavailable)), "/api/v1/health")
    assert (answer.status, answer.json()) == (503, {"status": "store unavailable"})
    assert "The disk is full" in caplog.text


def test_the_store_is_opened_by_a_request_and_not_by_the_mounting() -> None:
    """The launcher mounts the routes before the server listens; a store that is down must not keep it from starting."""
    assert [route.path for route in routes(unavailable)] == list(ROUTES)


@pytest.mark.parametrize("path", list(ROUTES))
def test_a_route_only_reads(store: Store, path: str) -> None:
    app = Starlette(routes=routes(lambda: store))
    assert ask(app, path, method="POST").status == 405
    assert path.startswith("/api/v1/")
