"""A client generated from the OpenAPI document drives a listing's whole life over HTTP, as a listing system would."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

from api import PREFIX
from api.app import create_api, routes
from api.deps import Service
from core.access import Action, Role
from core.problem import Problem
from core.store import Store
from core.workflows.pricing.open_desks import OpenDesks
from tests.api.conftest import MANAGER
from tests.patience import PATIENCE_SECONDS

PACKAGE = "doorstep_api_client"


@contextmanager
def served(service: Service) -> Iterator[str]:
    """Serve the API on a free port and yield its address."""
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes(service)), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        [socket] = server.servers[0].sockets
        yield f"http://127.0.0.1:{socket.getsockname()[1]}{PREFIX}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def client(own_store: Store, problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The generated package: its operations by name, its models, and a client with an agent's key."""
    service = Service(lambda: own_store, lambda: problem, cache(OpenDesks), MANAGER)
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(create_api(service).openapi()), encoding="utf-8")
    generator = str(Path(sys.executable).with_name("openapi-python-client"))
    command = [
        generator,
        "generate",
        "--meta",
        "none",
        "--path",
        str(document),
        "--output-path",
        str(tmp_path / PACKAGE),
    ]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    key = own_store.api_keys.create("MLS", Role.AGENT, "North", (Action.PRICE, Action.DECIDE), MANAGER)[1]
    with served(service) as url:
        caller = import_module(f"{PACKAGE}.client").AuthenticatedClient(base_url=url, token=key)
        listings, estimates = (import_module(f"{PACKAGE}.api.{name}") for name in ("listings", "estimates"))
        models = import_module(f"{PACKAGE}.models")

        def call(group: Any, name: str, *path: str, **arguments: Any) -> Any:
            operation = import_module(f"{group.__name__}.{name}")
            return operation.sync(*path, client=caller, **arguments)

        yield SimpleNamespace(call=call, listings=listings, estimates=estimates, models=models)


def test_a_generated_client_lives_a_listings_whole_life(client: Any, own_store: Store) -> None:
    models, call = client.models, client.call
    version = own_store.versions.latest("larkhaven")
    assert version is not None
    sale = own_store.versions.load(version.version_id).iloc[-1]
    facts = models.ListingRequestFacts.from_dict({"PostalCode": sale["zipcode"], "LivingArea": 1500})
    request = models.ListingRequest(market="larkhaven", facts=facts, reference="MLS-7")
    made = call(client.listings, "post_listing", body=request)
    assert (made.state, made.reference, made.estimate.status) == ("suggested", "MLS-7", "priced")

    estimate = call(client.estimates, "get_estimate", made.estimate_id)
    assert estimate.point == made.suggested["price"]
    found = call(client.estimates, "get_comparables", made.estimate_id)
    assert len(found.comparables) == len(estimate.comparables) > 0

    outside = call(client.listings, "adjust", made.listing_id, body=models.DecideRequest(price=estimate.high + 10_000))
    assert isinstance(outside, models.Problem)
    assert (outside.status, outside.errors[0].field) == (422, "price")
    adjusted = call(client.listings, "adjust", made.listing_id, body=models.DecideRequest(price=estimate.point + 1_000))
    assert adjusted.state == "adjusted"

    day = estimate.as_of
    sold = call(client.listings, "sold", made.listing_id, body=models.SoldRequest(sale_price=400_000, sale_date=day))
    assert sold.state == "sold"
    [listed] = call(client.listings, "get_listings", market="larkhaven").listings
    assert (listed.reference, listed.state) == ("MLS-7", "sold")
    [outcome] = own_store.outcomes.of_sale("larkhaven", f"listing:{made.listing_id}")
    assert (outcome.sale_price, outcome.estimate_id) == (400_000, made.estimate_id)
