"""The API answers whatever fits its OpenAPI document, and what does not, without a fault of its own.

In CI 500 cases or more are tried, elsewhere a few for each operation; DOORSTEP_API_CASES sets another number of all.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from starlette.applications import Starlette

from api import PREFIX
from api.app import create_api, routes
from api.deps import Service
from core.access import Action, Actor, Role
from core.problem import Problem
from core.store import Store
from core.workflows.operations.api_settings import ApiSettings
from core.workflows.pricing.listings import create_listing
from core.workflows.pricing.open_desks import OpenDesks
from core.workflows.pricing.questions import Asked
from tests.acting import acting

# Dear to load, and every test process loads this module.
if TYPE_CHECKING:
    import schemathesis

SETTINGS = ApiSettings(rate=1_000_000)
MANAGER = Actor("Mia", Role.MANAGER)


def service(store: Store | None, problem: Problem | None) -> Service:
    assert store is not None or problem is None
    desks = cache(OpenDesks)
    return Service(lambda: store, lambda: problem, desks, MANAGER, SETTINGS)  # type: ignore[arg-type,return-value]


OPERATIONS = [
    (method, path) for path, methods in create_api(service(None, None)).openapi()["paths"].items() for method in methods
]

_IN_ALL = int(os.environ.get("DOORSTEP_API_CASES") or (500 if os.environ.get("CI") else 150))
CASES = math.ceil(_IN_ALL / len(OPERATIONS))


def ids_of(store: Store, problem: Problem) -> dict[str, str]:
    """The market, and an estimate and a listing in it, so that requests reach beyond an unknown id."""
    workspace = acting(store, MANAGER, problem)
    version = store.versions.latest("larkhaven")
    assert version is not None
    facts = {"zipcode": store.versions.load(version.version_id)["zipcode"].iloc[-1], "living_area_sqft": 1500}
    made = create_listing(workspace, OpenDesks().desk(workspace, "larkhaven"), Asked(facts))
    assert made.listing is not None
    return {
        "market": "larkhaven",
        "estimate_id": made.listing.estimate_id,
        "listing_id": made.listing.listing_id,
    }


def put_in(case: schemathesis.Case[Any], ids: dict[str, str]) -> None:
    """Put the ids wherever the case has such a parameter."""
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            part.update({name: value for name, value in ids.items() if name in part})


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=" ".join)
def test_no_request_meets_a_fault_of_the_server(own_store: Store, problem: Problem, method: str, path: str) -> None:
    import schemathesis
    from schemathesis.checks import not_a_server_error

    app = Starlette(routes=routes(service(own_store, problem)))
    schema = schemathesis.openapi.from_asgi(f"{PREFIX}/openapi.json", app)
    operation = schema[path][method.upper()]
    _, key = own_store.api_keys.create("anything", Role.MANAGER, "", list(Action), MANAGER)
    ids = ids_of(own_store, problem)
    statuses: Counter[int] = Counter()

    @hypothesis.settings(
        max_examples=CASES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        if sum(statuses.values()) % 4:
            put_in(case, ids)
        response = case.call(headers={"Authorization": f"Bearer {key}"})
        statuses[response.status_code] += 1
        if response.status_code != 503 or path not in ("/health", "/ready"):
            case.validate_response(response, checks=[not_a_server_error])

    ask()
    assert statuses[401] == 0, "refused unread"
    print(f"{method} {path}: {dict(statuses)}")


def test_every_operation_is_asked() -> None:
    assert len(OPERATIONS) >= 15
