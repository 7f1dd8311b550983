"""Metrics: what Prometheus reads agrees with the store, and only those who may see it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families as families
from starlette.applications import Starlette
from starlette.testclient import TestClient

from api.app import routes
from api.deps import Service
from core.access import Action
from core.errors import StoreUnavailable
from core.problem import Problem
from core.store import Store
from core.workflows.pricing.open_desks import OpenDesks
from tests.api.conftest import MANAGER, MakeClient, key_for


def values(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return each sample by its name and sorted labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families(text)
        for sample in family.samples
    }


def test_the_metrics_count_what_was_asked_and_answered(client: TestClient, own_store: Store) -> None:
    [market] = own_store.markets.list()
    before = own_store.ledger.count(market.market_id)
    for facts in ({"living_area_sqft": 1500}, {"living_area_sqft": -1}):
        client.post("/estimates", json={"market": market.market_id, "facts": facts})
    client.get("/estimates/nobody-knows-it")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    found = values(answer.text)
    answers = {labels: n for (name, labels), n in found.items() if name == "doorstep_answers_total"}
    assert sum(answers.values()) == own_store.ledger.count(market.market_id) == before + 2
    refused = (("channel", "api"), ("market", market.market_id), ("status", "refused"))
    assert answers[refused] == 1
    own = (("market", market.market_id),)
    assert found["doorstep_pricing_seconds_count", own] == before + 2
    assert found["doorstep_pricing_seconds_bucket", (("le", "+Inf"), *own)] == before + 2
    assert found["doorstep_model_live", own] == 1
    assert found["doorstep_up", ()] == 1
    lookups = (("method", "GET"), ("path", "/estimates/{estimate_id}"), ("status", "404"))
    assert found["doorstep_api_requests_total", lookups] == 1


def test_the_error_in_use_is_the_one_that_monitoring_shows(client: TestClient, own_store: Store) -> None:
    """The small market's homes have not sold yet, so no error is claimed for it."""
    found = values(client.get("/metrics").text)
    [market] = own_store.markets.list()
    own = (("market", market.market_id),)
    sold = found["doorstep_sold_estimates", own]
    assert (("doorstep_error_in_use_ratio", own) in found) == (sold > 0)


def test_a_key_needs_the_action_watch(client_of: MakeClient, own_store: Store) -> None:
    allowed = own_store.api_keys.create("prometheus", MANAGER.role, "", (Action.WATCH,), MANAGER)[1]
    agent = key_for(own_store, "North")
    assert client_of(key=allowed, host="desk.example").get("/metrics").status_code == 200
    assert client_of(key=agent, host="desk.example").get("/metrics").status_code == 403
    assert client_of(host="desk.example").get("/metrics").status_code == 401


def test_a_store_that_is_down_is_a_metric_and_no_error(own_store: Store, problem: Problem) -> None:
    class Down:
        def all(self) -> tuple[()]:
            raise StoreUnavailable("postgresql://db.internal is down")

    own_store.answer_counts = Down()  # type: ignore[assignment]
    service = Service(lambda: own_store, lambda: problem, OpenDesks, MANAGER)
    app = Starlette(routes=routes(service))
    client = TestClient(app, base_url="http://127.0.0.1:8501/api/v1", client=("127.0.0.1", 50_000))
    answer = client.get("/metrics")
    assert values(answer.text)["doorstep_up", ()] == 0
    assert "db.internal" not in answer.text
