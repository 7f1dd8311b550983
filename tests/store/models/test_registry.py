from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from core.errors import ArtifactCorrupt, InvalidRecord, NotFound, StoreUnavailable
from core.store import Market, ModelRecord, NewModel, Store, open_store
from core.store.models import registry as models_module
from tests.store.conftest import Address
from tests.store.samples import ANALYST, MANAGER, commit


@pytest.fixture
def add(store: Store, market: Market) -> Callable[[str], ModelRecord]:
    version = commit(store, market.market_id)

    def register(name: str) -> ModelRecord:
        new = NewModel(market.market_id, version.version_id, f"bundle {name}".encode(), {"name": name})
        return store.models.add(new, ANALYST)

    return register


Add = Callable[[str], ModelRecord]


def test_a_model_is_registered_as_candidate_with_its_card(store: Store, market: Market) -> None:
    version = commit(store, market.market_id)
    card = {"mape": np.float64(0.08), "rows": np.int64(7), "r2": math.nan, "by_type": {"condo": [np.float32(0.5)]}}
    made = store.models.add(NewModel(market.market_id, version.version_id, b"bundle", card), ANALYST)
    assert made.card == {"mape": 0.08, "rows": 7, "r2": None, "by_type": {"condo": [0.5]}}
    assert (made.stage, made.size_bytes, made.version_id, made.created_by) == (
        "candidate",
        6,
        version.version_id,
        "Ana Lyst",
    )
    assert made.created_at.utcoffset() is not None
    assert store.models.get(made.model_id) == made
    assert store.models.list(market.market_id) == [made]
    assert store.models.load_bytes(made.model_id) == b"bundle"
    assert store.models.champion(market.market_id) is None


def test_the_same_bundle_again_is_the_same_model(store: Store, add: Add, market: Market) -> None:
    first = add("a")
    store.models.promote(first.model_id, MANAGER, "")
    assert add("a") == store.models.get(first.model_id)
    assert len(store.models.list(market.market_id)) == 1


def test_what_cannot_be_a_model_is_refused(store: Store, market: Market) -> None:
    version = commit(store, market.market_id)
    other = store.markets.create("Other", "USD", "sqft", False, ANALYST)
    with pytest.raises(InvalidRecord, match=r"model card\.mape"):
        store.models.add(NewModel(market.market_id, version.version_id, b"x", {"mape": math.inf}), ANALYST)
    with pytest.raises(InvalidRecord, match="belongs to market"):
        store.models.add(NewModel(other.market_id, version.version_id, b"x", {}), ANALYST)
    with pytest.raises(NotFound, match="never"):
        store.models.add(NewModel(market.market_id, "never", b"x", {}), ANALYST)
    with pytest.raises(NotFound, match="nowhere"):
        store.models.add(NewModel("nowhere", version.version_id, b"x", {}), ANALYST)
    assert store.models.list(market.market_id) == []
    assert list((store.home / "models").iterdir()) == []


def test_promotion_moves_the_pointer_the_stages_and_leaves_events(store: Store, add: Add, market: Market) -> None:
    first, second = add("a"), add("b")
    assert store.models.promote(first.model_id, MANAGER, "the first").stage == "champion"
    assert store.models.promote(second.model_id, MANAGER, "better") == store.models.champion(market.market_id)
    assert store.models.get(first.model_id).stage == "retired"
    newest, before = store.events.list(market.market_id)[:2]
    assert (newest.action, newest.actor, newest.role, newest.subject, newest.detail) == (
        "model.promoted",
        "Max Manager",
        "manager",
        second.model_id,
        {"replaced": first.model_id, "reason": "better", "trained_by": ANALYST.name},
    )
    assert before.detail == {"replaced": None, "reason": "the first", "trained_by": ANALYST.name}


def test_promoting_the_champion_changes_nothing(store: Store, add: Add, market: Market) -> None:
    first, second = add("a"), add("b")
    store.models.promote(first.model_id, MANAGER, "")
    store.models.promote(second.model_id, MANAGER, "")
    events = store.events.list()
    assert store.models.promote(second.model_id, MANAGER, "again").stage == "champion"
    assert store.events.list() == events
    assert store.models.rollback(market.market_id, MANAGER, "").model_id == first.model_id


def test_rollback_follows_the_promotion_history(store: Store, add: Add, market: Market) -> None:
    a, b, c = add("a"), add("b"), add("c")
    for model in (c, a, b):  # not the order they were trained in, so a guess by age would be wrong
        store.models.promote(model.model_id, MANAGER, "")
    assert store.models.rollback(market.market_id, MANAGER, "bias in condos").model_id == a.model_id
    assert store.models.get(b.model_id).stage == "candidate"
    [event] = store.events.list(market.market_id, limit=1)
    assert (event.action, event.subject) == ("model.rolled_back", a.model_id)
    assert event.detail == {"replaced": b.model_id, "reason": "bias in condos", "trained_by": ANALYST.name}
    assert store.models.rollback(market.market_id, MANAGER, "").model_id == c.model_id
    with pytest.raises(NotFound, match=r"had no live model before .* promote another model"):
        store.models.rollback(market.market_id, MANAGER, "")
    champion = store.models.champion(market.market_id)
    assert champion is not None
    assert champion.model_id == c.model_id


def test_rollback_without_any_champion_is_not_found(store: Store, add: Add, market: Market) -> None:
    add("a")
    with pytest.raises(NotFound, match="no live model, so none before it"):
        store.models.rollback(market.market_id, MANAGER, "")


def test_any_history_of_promotions_and_rollbacks_is_a_stack(address: Address, store: Store, market: Market) -> None:
    class History(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            number = len(store.markets.list())
            self.market_id = store.markets.create(f"History {number}", "USD", "sqft", True, ANALYST).market_id
            version = commit(store, self.market_id)
            self.ids = [
                store.models.add(NewModel(self.market_id, version.version_id, bytes([n]), {}), ANALYST).model_id
                for n in range(3)
            ]
            self.stack: list[str] = []

        @rule(number=st.integers(0, 2))
        def promote(self, number: int) -> None:
            store.models.promote(self.ids[number], MANAGER, "")
            if self.stack[-1:] != [self.ids[number]]:
                self.stack.append(self.ids[number])

        @rule()
        def rollback(self) -> None:
            if len(self.stack) < 2:
                with pytest.raises(NotFound):
                    store.models.rollback(self.market_id, MANAGER, "")
                return
            self.stack.pop()
            assert store.models.rollback(self.market_id, MANAGER, "").model_id == self.stack[-1]

        @invariant()
        def one_champion_as_expected(self) -> None:
            champion = store.models.champion(self.market_id)
            assert (champion.model_id if champion else None) == (self.stack[-1] if self.stack else None)
            stages = {model.model_id: model.stage for model in store.models.list(self.market_id)}
            expected = {
                model_id: "champion"
                if self.stack[-1:] == [model_id]
                else ("retired" if model_id in self.stack else "candidate")
                for model_id in self.ids
            }
            assert stages == expected

    run_state_machine_as_test(History, settings=settings(max_examples=8, stateful_step_count=12, deadline=None))


@pytest.mark.parametrize("position", [0, 4, -1])
def test_a_bundle_altered_by_one_byte_is_not_handed_out(
    address: Address, store: Store, add: Add, market: Market, position: int
) -> None:
    model = add("a")
    path = address.home / "models" / f"{model.sha256}.joblib"
    payload = bytearray(path.read_bytes())
    payload[position] ^= 1
    path.write_bytes(payload)
    with pytest.raises(ArtifactCorrupt, match=rf"{path.name} was altered.*Restore it .*or train a new model"):
        store.models.load_bytes(model.model_id)
    with pytest.raises(ArtifactCorrupt):
        store.models.promote(model.model_id, MANAGER, "")
    assert store.models.champion(market.market_id) is None


def test_a_missing_bundle_is_corrupt(address: Address, store: Store, add: Add) -> None:
    model = add("a")
    (address.home / "models" / f"{model.sha256}.joblib").unlink()
    with pytest.raises(ArtifactCorrupt, match="missing"):
        store.models.load_bytes(model.model_id)


def test_rollback_leaves_a_corrupt_champion_but_never_goes_to_a_corrupt_one(
    address: Address, store: Store, add: Add, market: Market
) -> None:
    a, b = add("a"), add("b")
    store.models.promote(a.model_id, MANAGER, "")
    store.models.promote(b.model_id, MANAGER, "")
    folder = address.home / "models"
    good = (folder / f"{a.sha256}.joblib").read_bytes()
    for model in (a, b):
        (folder / f"{model.sha256}.joblib").write_bytes(b"spoiled")
    with pytest.raises(ArtifactCorrupt):
        store.models.rollback(market.market_id, MANAGER, "")
    assert store.models.champion(market.market_id) == store.models.get(b.model_id)
    assert store.models.get(a.model_id).stage == "retired"
    (folder / f"{a.sha256}.joblib").write_bytes(good)
    assert store.models.rollback(market.market_id, MANAGER, "").model_id == a.model_id


def test_a_corrupt_pointer_raises_and_is_never_reset(address: Address, store: Store, add: Add, market: Market) -> None:
    model = add("a")
    store.models.promote(model.model_id, MANAGER, "")
    engine = address.engine()
    with engine.begin() as connection:
        connection.execute(sa.text("update market set champion_model_id = 'gone'"))
    for _ in range(2):
        with pytest.raises(ArtifactCorrupt, match="gone"):
            store.models.champion(market.market_id)
    with pytest.raises(ArtifactCorrupt, match="history"):
        store.models.rollback(market.market_id, MANAGER, "")
    with engine.connect() as connection:
        assert connection.scalar(sa.text("select champion_model_id from market")) == "gone"
    engine.dispose()
    assert store.models.promote(model.model_id, MANAGER, "repair").stage == "champion"
    assert store.models.champion(market.market_id) == store.models.get(model.model_id)


def test_a_pointer_to_another_markets_model_is_corrupt(
    address: Address, store: Store, add: Add, market: Market
) -> None:
    other = store.markets.create("Other", "USD", "sqft", False, ANALYST)
    model = add("a")
    engine = address.engine()
    with engine.begin() as connection:
        connection.execute(sa.text("update market set champion_model_id = :id"), {"id": model.model_id})
    engine.dispose()
    assert store.models.champion(market.market_id) == model
    with pytest.raises(ArtifactCorrupt, match="not one of its models"):
        store.models.champion(other.market_id)


def test_a_promotion_that_fails_half_way_moves_nothing(
    store: Store, add: Add, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = add("a"), add("b")
    store.models.promote(first.model_id, MANAGER, "")

    def fail(*_arguments: object, **_more: object) -> None:
        raise sa.exc.OperationalError("insert into event", {}, sqlite3.OperationalError("database or disk is full"))

    monkeypatch.setattr(models_module, "append_event", fail)
    with pytest.raises(StoreUnavailable, match="free some disk space"):
        store.models.promote(second.model_id, MANAGER, "")
    monkeypatch.undo()
    champion = store.models.champion(market.market_id)
    assert champion is not None
    assert (champion.model_id, champion.stage) == (first.model_id, "champion")
    assert store.models.get(second.model_id).stage == "candidate"
    with pytest.raises(NotFound):
        store.models.rollback(market.market_id, MANAGER, "")


def test_unknown_models_and_markets_are_not_found(store: Store) -> None:
    for call in (store.models.get, store.models.load_bytes):
        with pytest.raises(NotFound, match="never"):
            call("never")
    with pytest.raises(NotFound, match="never"):
        store.models.promote("never", MANAGER, "")
    for ask in (store.models.list, store.models.champion):
        with pytest.raises(NotFound, match="nowhere"):
            ask("nowhere")


def test_another_store_on_the_same_folder_sees_the_promotion(address: Address, store: Store, add: Add) -> None:
    model = add("a")
    with open_store(address.home, address.url) as other:
        assert other.models.champion(model.market_id) is None
        store.models.promote(model.model_id, MANAGER, "")
        assert other.models.champion(model.market_id) == store.models.get(model.model_id)


def test_a_market_has_one_challenger_and_the_one_before_is_a_candidate_again(
    store: Store, add: Add, market: Market
) -> None:
    champion, first, second = add("a"), add("b"), add("c")
    store.models.promote(champion.model_id, MANAGER, "")
    assert store.models.challenger(market.market_id) is None
    assert store.models.challenge(first.model_id, ANALYST).stage == "challenger"
    assert store.models.challenge(first.model_id, ANALYST).stage == "challenger"
    assert store.models.challenge(second.model_id, ANALYST) == store.models.challenger(market.market_id)
    assert store.models.get(first.model_id).stage == "candidate"
    assert [one.detail["replaced"] for one in store.events.of(second.model_id, "model.challenged")] == [first.model_id]
    assert len(store.events.of(first.model_id, "model.challenged")) == 1
    with pytest.raises(InvalidRecord, match="cannot challenge itself"):
        store.models.challenge(champion.model_id, ANALYST)
    store.models.promote(second.model_id, MANAGER, "better")
    assert store.models.challenger(market.market_id) is None
    assert store.models.rollback(market.market_id, MANAGER, "worse").model_id == champion.model_id
    assert store.models.challenger(market.market_id) == store.models.get(second.model_id)


def test_a_challenger_rolled_back_leaves_its_place_to_the_one_that_took_it(
    store: Store, add: Add, market: Market
) -> None:
    champion, second, third = add("a"), add("b"), add("c")
    store.models.promote(champion.model_id, MANAGER, "")
    store.models.challenge(second.model_id, ANALYST)
    store.models.promote(second.model_id, MANAGER, "better")
    store.models.challenge(third.model_id, ANALYST)
    store.models.rollback(market.market_id, MANAGER, "worse")
    assert store.models.challenger(market.market_id) == store.models.get(third.model_id)
    assert store.models.get(second.model_id).stage == "candidate"


def test_whether_a_bundle_is_there_is_told_without_reading_it(store: Store, add: Add) -> None:
    record = add("a")
    assert store.models.holds(record)
    (store.home / "models" / f"{record.sha256}.joblib").unlink()
    assert not store.models.holds(record)


def test_promotions_at_once_leave_one_champion_and_a_history_that_leads_back(
    store: Store, add: Add, market: Market
) -> None:
    first, *others = [add(name) for name in ("a", "b", "c", "d", "e")]
    store.models.promote(first.model_id, MANAGER, "the first")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: store.models.promote(one.model_id, MANAGER, "at once"), others))
    assert sum(one.is_live for one in store.models.list(market.market_id)) == 1
    gone: list[str] = []
    for _ in others:
        live = store.models.champion(market.market_id)
        assert live is not None
        gone.append(live.model_id)
        store.models.rollback(market.market_id, MANAGER, "back")
    assert store.models.champion(market.market_id) == store.models.get(first.model_id)
    assert sorted(gone) == sorted(one.model_id for one in others)
