"""A live model whose file was altered or lost: the model before it answers, flagged, and an alert stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.errors import ArtifactStoreAway
from core.monitor.rules import AlertKind
from core.problem import Problem
from core.serve.estimate import Estimate
from core.serve.review.flag import FlagKind, Severity
from core.serve.review.unavailable import UNAVAILABLE, Unavailable
from core.serve.subject import Value
from core.serve.typical_home import typical_home
from core.states import AlertState
from core.store import NewModel, Store
from core.store.operations.alerts import AlertRecord
from core.train.bundle import from_bytes, to_bytes
from core.workflows.monitoring.alerts import watch_market
from core.workflows.pricing import open_desks as open_desks_module
from core.workflows.pricing.desk import Desk, open_desk
from core.workflows.pricing.ledger_entry import priced_by
from core.workflows.pricing.open_desks import OpenDesks
from tests.acting import acting

MANAGER = Actor("Mia", Role.MANAGER)
AGENT = Actor("Kim", Role.AGENT)


def market_id(store: Store) -> str:
    return store.markets.list()[0].market_id


def file_of(store: Store, model_id: str) -> Path:
    return store.home / "models" / f"{store.models.get(model_id).sha256}.joblib"


@pytest.fixture
def before(own_store: Store) -> str:
    """The id of the model that was live before another one, an equal one with other bytes, was promoted."""
    first = own_store.models.champion(market_id(own_store))
    assert first is not None
    payload = to_bytes(replace(from_bytes(own_store.models.load_bytes(first.model_id)), code_version="another"))
    second = own_store.models.add(NewModel(first.market_id, first.version_id, payload, first.card), MANAGER)
    own_store.models.promote(second.model_id, MANAGER, "newer")
    return first.model_id


def alerts(store: Store) -> list[AlertRecord]:
    return [one for one in store.alerts.list(market_id(store)) if one.kind == AlertKind.MODEL_UNVERIFIED]


def price(desk: Desk) -> Estimate | Unavailable:
    facts: dict[str, Value] = {"living_area_sqft": 1_680.0}
    if desk.live_model is not None:
        zipcode = next(iter(desk.live_model.model.profile.typical["zipcode"]))
        facts = {**typical_home(desk.live_model.model, {"zipcode": zipcode}).facts, "zipcode": zipcode}
    return desk.price(facts, desk.valuation_date(date(2025, 1, 1)), 0.8, AGENT)


@pytest.mark.parametrize("how", ["altered", "missing", "not signed"])
def test_the_model_before_answers_flagged_until_the_live_one_opens_again(
    how: str, own_store: Store, before: str, problem: Problem
) -> None:
    champion = own_store.models.champion(market_id(own_store))
    assert champion is not None
    path = file_of(own_store, champion.model_id)
    if how == "not signed":
        path = own_store.home / "signatures" / f"{champion.sha256}.hmac"
    good = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(b"altered")
    for _ in range(2):
        desk = open_desk(own_store, market_id(own_store), problem)
        assert priced_by(desk).model_id == before, "the ledger records the model that answered"
        assert desk.live_market is not None
        [notice] = desk.live_market.notices
        assert (notice.kind, notice.severity) == (FlagKind.MODEL_UNVERIFIED, Severity.REVIEW)
        answer = price(desk)
        assert isinstance(answer, Estimate)
        [flag] = [one for one in answer.flags if one.kind is FlagKind.MODEL_UNVERIFIED]
        assert flag.value == "The live model's file cannot be verified; the model before it answers"
        [alert] = alerts(own_store)
        assert alert.state is AlertState.OPEN
        assert "cannot be verified" in alert.why
    watch_market(acting(own_store, MANAGER, problem), market_id(own_store))
    assert len(alerts(own_store)) == 1
    path.write_bytes(good)
    desk = open_desk(own_store, market_id(own_store), problem)
    assert priced_by(desk).model_id == champion.model_id
    assert desk.live_market is not None
    assert not desk.live_market.notices
    assert [one.state for one in alerts(own_store)] == [AlertState.RESOLVED]


def test_without_a_model_before_there_is_no_price_and_the_alert_stands(own_store: Store, problem: Problem) -> None:
    champion = own_store.models.champion(market_id(own_store))
    assert champion is not None
    file_of(own_store, champion.model_id).write_bytes(b"altered")
    desk = open_desk(own_store, market_id(own_store), problem)
    answer = price(desk)
    assert isinstance(answer, Unavailable)
    assert answer.message == UNAVAILABLE
    assert answer.reason == "The live model's file cannot be verified, and no model before it can."
    assert priced_by(desk).model_id is None
    assert [one.state for one in alerts(own_store)] == [AlertState.OPEN]


def test_monitoring_opens_the_alert_before_anybody_asks_for_a_price(own_store: Store, problem: Problem) -> None:
    champion = own_store.models.champion(market_id(own_store))
    assert champion is not None
    path = file_of(own_store, champion.model_id)
    good = path.read_bytes()
    path.write_bytes(b"altered")
    workspace = acting(own_store, MANAGER, problem)
    seen = watch_market(workspace, market_id(own_store))
    assert AlertKind.MODEL_UNVERIFIED in [one.kind for one in seen.opened]
    path.write_bytes(good)
    seen = watch_market(workspace, market_id(own_store))
    assert AlertKind.MODEL_UNVERIFIED in [one.kind for one in seen.resolved]


def test_a_desk_kept_open_looks_again_after_a_while(
    own_store: Store, before: str, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    champion = own_store.models.champion(market_id(own_store))
    assert champion is not None
    path = file_of(own_store, champion.model_id)
    good = path.read_bytes()
    path.unlink()
    desks, workspace = OpenDesks(), acting(own_store, AGENT, problem)
    first = desks.desk(workspace, market_id(own_store))
    assert priced_by(first).model_id == before
    path.write_bytes(good)
    assert desks.desk(workspace, market_id(own_store)) is first
    monkeypatch.setattr(open_desks_module, "RETRY_SECONDS", 0.0)
    assert priced_by(desks.desk(workspace, market_id(own_store))).model_id == champion.model_id


def test_a_store_that_is_away_is_no_altered_model(
    own_store: Store, before: str, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: str) -> bytes:
        raise ArtifactStoreAway("The model is not on this server yet, and the artifact store cannot be reached.")

    monkeypatch.setattr(own_store.models, "load_bytes", away)
    with pytest.raises(ArtifactStoreAway):
        open_desk(own_store, market_id(own_store), problem)
    assert not alerts(own_store)
