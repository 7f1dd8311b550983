"""A home that is refused for what nobody could read is told in plain words, and is in the ledger."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from core.serve.review.unavailable import UNAVAILABLE
from core.store import Store

HOME: dict[str, Any] = {"zipcode": "86934", "living_area_sqft": 1500}


@pytest.mark.parametrize(
    ("wrong", "field", "reason"),
    [
        ({"level": "high"}, "level", "It must be a number: 'high'."),
        ({"level": 0.7}, "level", "Level = 0.7 is not a range level."),
        ({"list_price": "300,000"}, "list_price", "It must be a number: '300,000'."),
        ({"list_price": -5}, "list_price", "List price '-5' is not an amount above 0."),
        ({"facts": {**HOME, "bedrooms": [3]}}, "facts.bedrooms", "It must be a number, a text, true, false or null."),
        ({"as_of": "soon"}, "as_of", "It must be a day such as 2026-01-31: 'soon'."),
        ({"colour": "red"}, "colour", "No such name is known here: 'red'."),
        ({"facts": {**HOME, "LivingArea": 1600}}, "LivingArea", None),
    ],
)
def test_a_refused_home_is_told_why_and_recorded(
    client: TestClient, own_store: Store, wrong: dict[str, Any], field: str, reason: str | None
) -> None:
    market = own_store.markets.list()[0].market_id
    answer = client.post("/estimates", json={"market": market, "facts": HOME, "reference": "MLS-1"} | wrong)
    assert answer.status_code == 422
    body = answer.json()
    [error] = body["errors"]
    assert error["field"] == field
    assert reason is None or error["reason"] == reason
    assert (body["message"], body["answer"], body["reference"]) == (UNAVAILABLE, "refused", "MLS-1")
    entry = own_store.ledger.get(body["estimate_id"])
    assert (entry.status, entry.channel, entry.facts["living_area_sqft"]) == ("refused", "api", 1500)
    assert error["reason"] in (entry.reason or "")


def test_what_no_ledger_can_hold_is_recorded_as_text(client: TestClient, own_store: Store) -> None:
    market = own_store.markets.list()[0].market_id
    facts = {"zipcode": "86934", "a": {"b": 1}, "c": 10**40, "d": "x" * 9_000, "e": float("nan"), "f": "\ud800"}
    body = json.dumps({"market": market, "facts": facts, "level": "high"})
    answer = client.post("/estimates", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    kept = own_store.ledger.get(answer.json()["estimate_id"]).facts
    assert (kept["zipcode"], kept["a"]) == ("86934", "{'b': 1}")
    assert all(isinstance(kept[name], str) and len(str(kept[name])) < 300 for name in "cdef")


def test_a_request_without_a_home_is_told_why_and_records_nothing(client: TestClient, own_store: Store) -> None:
    market = own_store.markets.list()[0].market_id
    before = len(own_store.ledger.list(market, 99))
    nowhere = ({"market": name, "facts": HOME, "level": "x"} for name in ("nowhere", "x" * 300))
    for wrong in ({"facts": HOME}, {"market": market}, *nowhere, [1]):
        answer = client.post("/estimates", json=wrong)
        assert answer.status_code == 422
        assert "estimate_id" not in answer.json()
        assert all(one["reason"].startswith("It ") for one in answer.json()["errors"] if one["field"] != "market")
    assert len(own_store.ledger.list(market, 99)) == before
