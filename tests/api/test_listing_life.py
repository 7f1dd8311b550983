"""A listing's whole life through the API, as a listing system lives it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from io import BytesIO
from typing import Any

import pytest
from pydantic import TypeAdapter
from pypdf import PdfReader
from starlette.testclient import TestClient

from api.schemas.estimates import AnyAnswer, BatchAnswer
from core.access import Action
from core.errors import ArtifactStoreAway, StoreUnavailable
from core.store import Store
from core.store.base.database import Database
from core.workflows.operations.api_settings import ApiSettings
from core.workflows.pricing import open_desks
from tests.api.conftest import MANAGER, MakeClient, key_for

MESSAGE = "Price estimate unavailable. Use comparative market analysis instead."
ANSWER: TypeAdapter[Any] = TypeAdapter(AnyAnswer)


@pytest.fixture
def home(own_store: Store) -> dict[str, Any]:
    """A home of the market, with facts enough for a price."""
    version = own_store.versions.latest("larkhaven")
    assert version is not None
    sale = own_store.versions.load(version.version_id).iloc[-1]
    facts = {"zipcode": sale["zipcode"], "living_area_sqft": sale["living_area_sqft"], "bedrooms": sale["bedrooms"]}
    return {"market": "larkhaven", "facts": facts}


def test_a_listing_is_priced_adjusted_and_sold_and_the_sale_judges_its_estimate(
    client: TestClient, own_store: Store, home: dict[str, Any]
) -> None:
    made = client.post("/listings", json={**home, "reference": "MLS-1"})
    assert made.status_code == 201
    listing = made.json()
    suggested = listing["suggested"]
    assert suggested["low"] <= suggested["price"] <= suggested["high"]
    assert (listing["state"], listing["reference"], listing["estimate"]["status"]) == ("suggested", "MLS-1", "priced")
    assert client.get("/listings", params={"market": "larkhaven"}).json()["listings"][0]["reference"] == "MLS-1"

    where = f"/listings/{listing['listing_id']}"
    outside = client.post(f"{where}/adjust", json={"price": suggested["high"] + 10_000})
    assert outside.status_code == 422
    assert outside.json()["errors"][0]["field"] == "price"
    changed = client.post(f"{where}/adjust", json={"price": suggested["price"] + 1_000, "listing_price": 500_000})
    assert changed.json()["state"] == "adjusted"
    assert client.post(f"{where}/accept", json={}).json()["decision"]["price"] == suggested["price"]
    assert client.post(f"{where}/take-back", json={}).json()["decision"] == changed.json()["decision"]
    assert client.post(f"{where}/take-back", json={}).json()["state"] == "suggested"
    assert client.post(f"{where}/take-back", json={}).status_code == 422
    assert client.post(f"{where}/accept", json={}).json()["state"] == "accepted"

    as_of = listing["estimate"]["as_of"]
    early = client.post(f"{where}/sold", json={"sale_price": 400_000, "sale_date": "2001-01-01"})
    assert (early.status_code, early.json()["errors"][0]["field"]) == (422, "sale_date")
    sold = client.post(f"{where}/sold", json={"sale_price": 400_000, "sale_date": as_of})
    assert (sold.status_code, sold.json()["state"]) == (200, "sold")
    client.post(f"{where}/sold", json={"sale_price": 410_000, "sale_date": as_of})
    outcomes = own_store.outcomes.of_sale("larkhaven", f"listing:{listing['listing_id']}")
    assert [(one.sale_price, one.current) for one in outcomes] == [(400_000, False), (410_000, True)]
    assert outcomes[-1].estimate_id == listing["estimate_id"]
    assert own_store.listings.settle("larkhaven") == 0
    late = client.post(f"{where}/adjust", json={"price": 410_000})
    assert (late.status_code, late.json()["type"].rpartition(":")[2]) == (422, "invalid-decision")
    assert client.post(f"{where}/take-back", json={}).status_code == 422
    assert client.get(where).json()["decision"]["price"] == suggested["price"]


def test_a_stored_estimate_is_the_one_that_was_given_with_comparables_and_report(
    client: TestClient, home: dict[str, Any]
) -> None:
    given = client.post("/estimates", json={**home, "reference": "r-1"}, headers={"X-Request-Id": "req-1"})
    answer = given.json()
    assert (given.status_code, given.headers["x-request-id"], answer["request_id"]) == (200, "req-1", "req-1")
    ANSWER.validate_python(answer)
    where = f"/estimates/{answer['estimate_id']}"
    stored = client.get(where)
    assert stored.json() == answer
    again = client.get(where, headers={"If-None-Match": stored.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"{where}/comparables").json()["comparables"] == answer["comparables"]
    report = client.get(f"{where}/report.pdf", params={"prepared_for": "Ann"})
    assert report.headers["content-type"] == "application/pdf"
    assert report.content.startswith(b"%PDF")


def test_reso_names_price_the_same_home(client: TestClient, home: dict[str, Any]) -> None:
    facts = home["facts"]
    reso = {
        "PostalCode": facts["zipcode"],
        "LivingArea": facts["living_area_sqft"],
        "LivingAreaUnits": "Square Feet",
        "BedroomsTotal": facts["bedrooms"],
    }
    ours, theirs = (client.post("/estimates", json={**home, "facts": one}).json() for one in (facts, reso))
    assert ours["point"] == theirs["point"]
    assert all(one["kind"] for one in ours["flags"]), "codes for programs"
    assert not [one for one in ours["advice"] if "model retrained" in one or "imputed" in one], "words for people"


def test_no_price_is_an_answer_and_impossible_facts_are_one_error_a_field(client: TestClient) -> None:
    nowhere = client.post("/estimates", json={"market": "larkhaven", "facts": {"bedrooms": 3}})
    answer = nowhere.json()
    assert (nowhere.status_code, answer["status"], answer["message"]) == (200, "unavailable", MESSAGE)
    assert answer["code"] == "facts"
    assert answer["missing"] == ["living_area_sqft", "location"]
    assert answer["reason"].startswith("Living area and location are missing")
    assert answer["remedy"]
    ANSWER.validate_python(answer)
    report = client.get(f"/estimates/{answer['estimate_id']}/report.pdf")
    [page] = PdfReader(BytesIO(report.content)).pages
    assert MESSAGE in " ".join(page.extract_text().split())

    facts = {"bedroms": 3, "living_area_sqft": -5, "year_built": 900}
    refused = client.post("/estimates", json={"market": "larkhaven", "facts": facts})
    problem = refused.json()
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert [one["field"] for one in problem["errors"]] == ["bedroms", "living_area_sqft", "year_built"]
    assert "bedrooms" in problem["errors"][0]["reason"]
    assert problem["message"] == MESSAGE
    assert client.get(f"/estimates/{problem['estimate_id']}").json()["status"] == "refused"


def test_a_market_without_a_live_model_answers_unavailable_and_only_readiness_is_down(
    client_of: MakeClient, own_store: Store
) -> None:
    own_store.markets.create("Springfield", "USD", "sqft", False, MANAGER)
    client, home = client_of(), {"market": "springfield", "facts": {"living_area_sqft": 1_680}}
    priced = client.post("/estimates", json=home)
    batch = client.post("/estimates/batch", json={"market": "springfield", "items": [{"facts": home["facts"]}]})
    listed = client.post("/listings", json=home)
    assert [one.status_code for one in (priced, batch, listed)] == [200, 200, 201]
    for answer in (priced.json(), *batch.json()["items"], listed.json()["estimate"]):
        ANSWER.validate_python(answer)
        assert (answer["status"], answer["code"], answer["message"]) == ("unavailable", "no_model", MESSAGE)
        assert answer["reason"] == "No model is live for this market."
        assert answer["remedy"] == "Ask a manager to train or promote one."
        assert own_store.ledger.get(answer["estimate_id"]).status == "unavailable"
    looked_up = client.get("/markets/springfield/homes", params={"address": "1 Main St"})
    assert looked_up.status_code == 404
    assert "No model is live for this market. Ask a manager to train" in looked_up.json()["detail"]
    assert client.get("/ready").json()["live"] == ["larkhaven"]


def test_each_home_of_a_batch_has_its_own_answer_in_order(client_of: MakeClient, home: dict[str, Any]) -> None:
    items = [{"reference": "a", "facts": home["facts"]}, {"reference": "b", "facts": {"bedroms": 3}}]
    items.append({"reference": "c", "facts": {"LivingArea": 9, "living_area_sqft": 9}})
    client = client_of(ApiSettings(batch_max=3))
    batch = client.post("/estimates/batch", json={"market": "larkhaven", "items": items})
    answer = batch.json()
    assert [(one["reference"], one["status"]) for one in answer["items"]] == [
        ("a", "priced"),
        ("b", "refused"),
        ("c", "refused"),
    ]
    assert answer["counts"] == {"priced": 1, "unavailable": 0, "refused": 2}
    BatchAnswer.model_validate(answer)
    too_many = client.post("/estimates/batch", json={"market": "larkhaven", "items": items * 2})
    assert (too_many.status_code, too_many.json()["code"]) == (413, "too-large")


def test_an_office_sees_its_own_estimates_and_listings_only(
    client_of: MakeClient, own_store: Store, home: dict[str, Any]
) -> None:
    north = client_of(key=key_for(own_store, "North"), host="doorstep.example")
    south = client_of(key=key_for(own_store, "South"), host="doorstep.example")
    listing = north.post("/listings", json=home).json()
    for path in (f"/estimates/{listing['estimate_id']}", f"/listings/{listing['listing_id']}"):
        assert north.get(path).status_code == 200
        assert (south.get(path).status_code, south.get(path).json()["code"]) == (403, "not-allowed")
    assert south.post(f"/listings/{listing['listing_id']}/accept", json={}).status_code == 403
    assert south.get("/listings", params={"market": "larkhaven"}).json()["listings"] == []


def test_a_key_is_needed_from_elsewhere_and_does_what_its_scope_says_until_revoked(
    client_of: MakeClient, own_store: Store, home: dict[str, Any]
) -> None:
    assert client_of(host="doorstep.example").get("/markets").status_code == 401
    assert client_of(ApiSettings(local=False)).get("/markets").status_code == 401
    assert client_of().get("/markets", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 401
    assert client_of().get("/markets", headers={"Host": "evil.example"}).status_code == 401
    text = key_for(own_store, "", Action.PRICE)
    feed = client_of(key=text, host="doorstep.example")
    listing = feed.post("/listings", json=home).json()
    assert feed.post(f"/listings/{listing['listing_id']}/accept", json={}).status_code == 403
    assert feed.get("/models", params={"market": "larkhaven"}).status_code == 403
    [key] = own_store.api_keys.list()
    assert key.last_used_at is not None
    own_store.api_keys.revoke(key.key_id, MANAGER)
    assert feed.get("/markets").json()["code"] == "key-needed"


def test_while_the_database_is_away_a_known_key_goes_on_pricing_and_an_unknown_one_waits(
    client_of: MakeClient, own_store: Store, home: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("The database cannot be used.", "postgresql://db.internal/prices")

    client = client_of(key=key_for(own_store, "North"), host="lan.example")
    other = key_for(own_store, "North", name="other")
    assert client.post("/estimates", json=home).json()["status"] == "priced"
    with monkeypatch.context() as failing:
        failing.setattr(Database, "read", away)
        failing.setattr(Database, "write", away)
        given = client.post("/estimates", json=home)
        assert (given.status_code, given.json()["status"]) == (200, "priced")
        for text in (other, "dsk_00000000_wrong"):
            refused = client.post("/estimates", json=home, headers={"Authorization": f"Bearer {text}"})
            assert (refused.status_code, refused.json()["message"]) == (503, MESSAGE)
            assert "db.internal" not in refused.text
    assert own_store.spool.retry() == 1
    [key, *_] = [one for one in own_store.api_keys.list() if one.name == "feed"]
    own_store.api_keys.revoke(key.key_id, MANAGER)
    assert client.post("/estimates", json=home).status_code == 401


def test_while_another_program_holds_the_lock_a_request_with_a_key_is_priced_and_later_found(
    client: TestClient, own_store: Store, home: dict[str, Any]
) -> None:
    assert client.post("/estimates", json=home).status_code == 200
    with closing(sqlite3.connect(own_store.home / "doorstep.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answers = [client.post("/estimates", json=home, headers={"Idempotency-Key": f"k{n}"}) for n in range(3)]
        other.execute("ROLLBACK")
    assert [one.json()["status"] for one in answers] == ["priced"] * 3
    assert {(one.json()["estimate_id"], one.json()["ledger"]) for one in answers} == {(None, "waiting")}
    assert client.post("/estimates", json=home).json()["estimate_id"], "free again, the ledger takes this one and those"
    for one in answers:
        assert client.get(f"/estimates/{one.json()['pending_id']}").json()["point"] == one.json()["point"]


def test_a_repeated_request_gets_the_first_answer_and_another_one_is_refused(
    client: TestClient, own_store: Store, home: dict[str, Any]
) -> None:
    key = {"Idempotency-Key": "k-1"}
    first, second = (client.post("/listings", json=home, headers=key) for _ in range(2))
    assert second.json() == first.json()
    assert (second.status_code, second.headers["idempotency-replayed"]) == (201, "true")
    assert len(own_store.listings.list("larkhaven", 9)) == 1
    clash = client.post("/listings", json={**home, "reference": "other"}, headers=key)
    assert (clash.status_code, clash.json()["code"]) == (409, "idempotency-clash")


def test_what_no_program_sends_is_refused_unread(client_of: MakeClient, home: dict[str, Any]) -> None:
    client = client_of(ApiSettings(body_max=2_000))
    assert client.post("/estimates", json=home, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.post("/estimates", content="{}", headers={"Content-Type": "text/plain"}).status_code == 415
    large = client.post("/estimates", json={**home, "reference": "x" * 3_000})
    assert (large.status_code, large.json()["code"]) == (413, "too-large")
    chunked = client.post("/estimates", content=iter([b"[" * 3_000]), headers={"Content-Type": "application/json"})
    assert chunked.status_code == 413
    for body in (
        "{",
        '{"market": "\\ud800", "facts": {}}',
        "[" * 1_900,
        '{"market": "larkhaven", "facts": {"x": NaN}}',
    ):
        answer = client.post("/estimates", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422)


def test_too_many_requests_are_told_when_to_come_back(client_of: MakeClient) -> None:
    client = client_of(ApiSettings(rate=2))
    assert [client.get("/markets").status_code for _ in range(3)] == [200, 200, 429]
    refused = client.get("/markets")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert (refused.headers["ratelimit-limit"], refused.headers["ratelimit-remaining"]) == ("2", "0")
    assert client.get("/health").status_code == 200


def test_a_fault_is_named_by_its_place_in_the_request_and_a_reason_by_the_requests_name(
    client: TestClient, home: dict[str, Any]
) -> None:
    endless = '{"market": "larkhaven", "facts": {"LivingArea": NaN, "bedrooms": [3]}}'
    refused = client.post("/estimates", content=endless, headers={"Content-Type": "application/json"}).json()
    assert {one["field"] for one in refused["errors"]} == {"facts.LivingArea", "facts.bedrooms"}
    unknown = client.get("/listings", params={"market": "larkhaven", "state": "sold"})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "state")
    listing = client.post("/listings", json=home).json()
    decision = {"price": 9 * listing["suggested"]["price"], "reason": "because"}
    wrong = client.post(f"/listings/{listing['listing_id']}/override", json=decision).json()
    assert wrong["errors"][0]["field"] == "reason"


def test_the_examples_in_the_documents_are_accepted(client: TestClient, home: dict[str, Any]) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    [example] = schemas["DecideRequest"]["examples"]
    listing = client.post("/listings", json=home).json()
    done = client.post(f"/listings/{listing['listing_id']}/override", json=example)
    assert (done.status_code, done.json()["state"]) == (200, "overridden")


def test_markets_models_and_readiness(client: TestClient) -> None:
    [market] = client.get("/markets").json()["markets"]
    assert market["market"] == "larkhaven"
    described = client.get("/markets/larkhaven").json()
    assert "living_area_sqft" in [fact["name"] for fact in described["facts"]]
    [model] = client.get("/models", params={"market": "larkhaven"}).json()["models"]
    assert model["model"] == market["model_id"]
    assert client.get("/ready").json() == {"status": "ready", "live": ["larkhaven"]}
    assert client.get("/markets/nowhere").status_code == 404


def test_a_home_is_found_by_its_address_and_priced_by_the_facts_found(client: TestClient, own_store: Store) -> None:
    version = own_store.versions.latest("larkhaven")
    assert version is not None
    sales = own_store.versions.load(version.version_id)
    sale = sales.dropna(subset=["address", "living_area_sqft"]).iloc[-1]
    found = client.get("/markets/larkhaven/homes", params={"address": f"{sale['address']} {sale['zipcode']}"}).json()
    home = found["homes"][0]
    assert home["facts"]["living_area_sqft"] == sale["living_area_sqft"]
    assert home["sale_date"] == sale["sale_date"].date().isoformat()
    assert not {"sale_price", "list_price"} & set(home["facts"])
    answer = client.post("/estimates", json={"market": "larkhaven", "facts": home["facts"]}).json()
    assert answer["status"] == "priced"
    assert client.get("/markets/larkhaven/homes", params={"address": "zzzz"}).json() == {"homes": [], "more": 0}
    assert client.get("/markets/larkhaven/homes").status_code == 422
    assert client.get("/markets/nowhere/homes", params={"address": "1 Main St"}).status_code == 404


def test_a_server_that_cannot_load_its_model_is_not_ready(
    client_of: MakeClient, own_store: Store, home: dict[str, Any]
) -> None:
    altered = client_of()
    [model] = (own_store.home / "models").glob("*.joblib")
    model.write_bytes(model.read_bytes()[:-1])
    assert altered.get("/ready").status_code == 200, "nobody has looked yet"
    assert altered.post("/estimates", json=home).json()["code"] == "no_model"
    assert altered.get("/ready").json() == {"status": "no live model", "live": []}


def test_a_server_whose_artifacts_are_away_says_so_and_is_not_ready(
    client: TestClient, home: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise ArtifactStoreAway("the artifact store s3://office/doorstep cannot be reached (ClientError)")

    monkeypatch.setattr(open_desks, "open_desk", away)
    refused = client.post("/estimates", json=home)
    assert (refused.status_code, refused.json()["message"]) == (503, MESSAGE)
    assert refused.headers["retry-after"]
    assert "s3://" not in refused.text
    assert client.get("/ready").status_code == 503


def test_the_documents_need_no_script_and_describe_every_route(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    page = client.get("/docs")
    assert all(path in page.text for path in paths)
    assert "<script" not in page.text
    assert client.get("/docs.css").status_code == 200
