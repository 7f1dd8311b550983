"""The pilot through the API: an office that is not yet in it is refused with when it starts; what has come of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from api.schemas.feedback import FeedbackList
from api.schemas.markets import Pilot
from core.access import Action
from core.states import Group
from core.store import Store
from core.store.operations.rollouts import OfficePlan
from core.wording import market_day
from core.workflows.pilot.rollout import add_offices
from tests.acting import acting
from tests.api.conftest import MANAGER, MakeClient, key_for


@pytest.fixture
def home(own_store: Store) -> dict[str, Any]:
    """A home of the market, with facts enough for a price."""
    version = own_store.versions.latest("larkhaven")
    assert version is not None
    sale = own_store.versions.load(version.version_id).iloc[-1]
    facts = {"zipcode": sale["zipcode"], "living_area_sqft": sale["living_area_sqft"], "bedrooms": sale["bedrooms"]}
    return {"market": "larkhaven", "facts": facts}


def today(store: Store) -> date:
    workspace = acting(store, MANAGER)
    return workspace.today(store.markets.get("larkhaven"))


def test_an_office_that_is_not_yet_in_is_refused_and_the_pilots_office_is_answered(
    own_store: Store, client_of: MakeClient, home: dict[str, Any]
) -> None:
    clock = today(own_store)
    later = clock + timedelta(days=14)
    plans = [OfficePlan("North", Group.PILOT, clock), OfficePlan("South", Group.PILOT, later)]
    add_offices(acting(own_store, MANAGER), "larkhaven", plans, "first offices")
    north, south = (client_of(key=key_for(own_store, office), host="lan.example") for office in ("NORTH", "South"))
    assert north.post("/estimates", json=home).json()["status"] == "priced"
    count = own_store.ledger.count("larkhaven")
    batch = {"market": "larkhaven", "items": [{"facts": home["facts"]}]}
    unread = {**home, "level": 0.123}
    for path, body in (("/estimates", home), ("/estimates", unread), ("/estimates/batch", batch), ("/listings", home)):
        refused = south.post(path, json=body)
        assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json"), path
        assert refused.json()["code"] == "not-in-pilot"
        assert refused.json()["detail"] == (
            f"Your office, South, is not yet in the pilot of estimates; it starts on {market_day(later, 'USD')}. "
            f"In this simulated market it is {market_day(clock, 'USD')}, the day after its latest sale, and that day "
            "counts."
        )
    assert own_store.ledger.count("larkhaven") == count
    found = south.get("/markets/larkhaven/pilot")
    assert found.status_code == 200
    described = Pilot.model_validate(found.json())
    assert described.whose_day.startswith(f"In this simulated market it is {market_day(described.as_of, 'USD')}")
    assert [(one.office, one.is_in) for one in described.offices] == [("North", True), ("South", False)]
    assert client_of().get("/markets/nowhere/pilot").status_code == 404


def test_feedback_is_given_changed_and_listed_for_ones_own_office(
    own_store: Store, client_of: MakeClient, home: dict[str, Any]
) -> None:
    allowed = (Action.PRICE, Action.FEEDBACK)
    north, south = (
        client_of(key=key_for(own_store, office, *allowed, name=office), host="lan.example")
        for office in ("North", "South")
    )
    where = f"/estimates/{north.post('/estimates', json=home).json()['estimate_id']}/feedback"
    made = north.post(where, json={"verdict": "too_high", "note": "ask Ann Miller, 206-555-1003"})
    assert made.status_code == 201
    assert (made.json()["verdict"], made.json()["counts"]) == ("too_high", True)
    assert "Miller" not in made.text
    north.post(where, json={"verdict": "useful"})
    listed = FeedbackList.model_validate(north.get(where).json()).feedback
    assert [(one.verdict, one.counts) for one in listed] == [("useful", True), ("too_high", False)]
    assert [south.post(where, json={"verdict": "useful"}).status_code, south.get(where).status_code] == [403, 403]
    for body in ({"verdict": "fine"}, {"verdict": "useful", "note": "x" * 1_001}):
        refused = north.post(where, json=body)
        assert (refused.status_code, len(refused.json()["errors"])) == (422, 1)
