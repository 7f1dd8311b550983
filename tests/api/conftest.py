"""The API on a store of the test's own with the small simulated market, and clients that call it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from api.app import routes
from api.deps import Service
from core.access import Action, Actor, Role
from core.problem import Problem
from core.store import Store
from core.workflows.operations.api_settings import ApiSettings
from core.workflows.pricing.open_desks import OpenDesks

MANAGER = Actor("Mia", Role.MANAGER)
DEFAULTS = ApiSettings()
MakeClient = Callable[..., TestClient]


@pytest.fixture
def client_of(own_store: Store, problem: Problem) -> MakeClient:
    """Make a client: from this computer, or with an API key from elsewhere."""
    desks = cache(OpenDesks)

    def make(settings: ApiSettings = DEFAULTS, key: str = "", host: str = "127.0.0.1") -> TestClient:
        service = Service(lambda: own_store, lambda: problem, desks, MANAGER, settings)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        app = Starlette(routes=routes(service))
        return TestClient(
            app,
            base_url=f"http://{host}:8501/api/v1",
            headers=headers,
            client=("127.0.0.1", 50_000) if host == "127.0.0.1" else ("203.0.113.9", 50_000),
            raise_server_exceptions=False,
        )

    return make


@pytest.fixture
def client(client_of: MakeClient) -> TestClient:
    return client_of()


def key_for(store: Store, office: str, *actions: Action, name: str = "feed") -> str:
    """Create a key of an agent and return the text to send."""
    allowed = actions or (Action.PRICE, Action.DECIDE)
    return store.api_keys.create(name, Role.AGENT, office, allowed, MANAGER)[1]
