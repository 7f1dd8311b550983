"""A large market opened: once worked out, its evidence is shared, gives the same answers, and is swapped in behind."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.access import Actor, Role
from core.problem import Problem
from core.progress import silent
from core.serve.estimate import Estimate
from core.serve.estimate_many import estimate_many
from core.states import Family
from core.store import NewModel, NewVersion, Store
from core.train.bundle import from_bytes, to_bytes
from core.train.trainer import default_plan
from core.workflows.opening import addresses, background, evidence, kept
from core.workflows.opening.evidence import load_champion
from core.workflows.pricing import open_desks
from core.workflows.pricing.desk import Desk, open_desk
from core.workflows.pricing.known_homes import AddressBooks
from core.workflows.pricing.open_desks import OpenDesks
from core.workflows.promotion import promote
from core.workflows.training import train_model
from tests.acting import acting
from tests.patience import PATIENCE_SECONDS

ANALYST = Actor("Ada", Role.ANALYST)
AGENT = Actor("Kim", Role.AGENT)
MANAGER = Actor("Mia", Role.MANAGER)
NUMBERS = ("exact", "low", "high", "confidence", "fsd")


@pytest.fixture
def large(own_store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store whose market counts as large."""
    monkeypatch.setattr(kept, "KEPT_FROM", 1_000)
    return own_store


def market_id(store: Store) -> str:
    return store.markets.list()[0].market_id


def files(store: Store) -> list[Path]:
    return sorted((store.home / "opened").rglob("*.opened"))


def homes(store: Store, count: int = 12) -> list[dict[str, Any]]:
    """Homes of the market's sales, each with some facts, its address and property id."""
    version = store.versions.latest(market_id(store))
    assert version is not None
    sales = store.versions.load(version.version_id)
    rows = sales.iloc[:: len(sales) // count].drop(columns=["sale_price", "sale_date", "intake_row"])
    return [{str(name): value for name, value in row.dropna().items()} for _, row in rows.iterrows()]


def answers(desk: Desk, asked: list[dict[str, Any]]) -> list[object]:
    day = desk.live_model.level.as_of  # type: ignore[union-attr]
    return [desk.price(facts, day, 0.8, AGENT) for facts in asked]


def commit_newer(store: Store) -> str:
    """Commit a version with one more sale, a day later than all others."""
    before = store.versions.latest(market_id(store))
    assert before is not None
    sales = store.versions.load(before.version_id)
    newer = sales.tail(1).assign(
        sale_date=sales["sale_date"].max() + timedelta(days=1),
        intake_row=sales["intake_row"].max() + 1,
        property_id="NEW1",
        address="1 New St",
    )
    table = pd.concat([sales, newer], ignore_index=True)
    made = NewVersion(
        market_id(store), table, before.version_id, (), pd.DataFrame({"file": ["x"]}), len(table), "one more"
    )
    return store.versions.commit(made, ANALYST).version_id


def wait_for(desks: OpenDesks, workspace: Any, version_id: str) -> Desk:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        desk = desks.desk(workspace, market_id(workspace.store))
        assert desk.live_market is not None
        if desk.live_market.version_id == version_id:
            return desk
        time.sleep(0.05)
    raise AssertionError(f"the desk of version {version_id} did not open")


def test_evidence_read_from_disk_gives_every_answer_to_the_last_bit(
    own_store: Store, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = homes(own_store)
    table = pd.DataFrame(asked)
    plain = open_desk(own_store, market_id(own_store), problem)
    assert files(own_store) == []
    monkeypatch.setattr(kept, "KEPT_FROM", 1_000)
    first = open_desk(own_store, market_id(own_store), problem)
    assert len(files(own_store)) == 1
    monkeypatch.setattr(evidence, "from_bytes", lambda payload: pytest.fail("the model was read again"))
    second = open_desk(own_store, market_id(own_store), problem)
    expected = answers(plain, asked)
    assert sum(isinstance(one, Estimate) for one in expected) > 8
    assert any(isinstance(one, Estimate) and one.comparables[0].own for one in expected)
    assert answers(first, asked) == expected
    assert answers(second, asked) == expected
    assert second.area_figures == plain.area_figures
    assert second.neighborhood_facts == plain.neighborhood_facts
    day = plain.live_model.level.as_of  # type: ignore[union-attr]
    many = [estimate_many(desk.live_market, table, day, problem, 0.8) for desk in (plain, second)]  # type: ignore[arg-type]
    assert many[0].subjects == many[1].subjects
    assert all(np.array_equal(getattr(many[0].priced, name), getattr(many[1].priced, name)) for name in NUMBERS)
    one = next(one for one in expected if isinstance(one, Estimate))
    change = {"living_area_sqft": float(one.subject.facts["living_area_sqft"]) * 1.1}
    assert plain.what_if(one, change, AGENT) == second.what_if(one, change, AGENT)
    assert not second.live_model.sales["sale_price"].flags.writeable  # type: ignore[union-attr]


def test_evidence_that_somebody_changed_is_worked_out_again(large: Store, problem: Problem) -> None:
    asked = homes(large, 3)
    before = answers(open_desk(large, market_id(large), problem), asked)
    [path] = files(large)
    content = bytearray(path.read_bytes())
    content[-5_000] ^= 1
    path.write_bytes(bytes(content))
    assert answers(open_desk(large, market_id(large), problem), asked) == before
    assert path.read_bytes() != bytes(content)


def test_an_address_book_read_from_disk_finds_the_same_homes(
    own_store: Store, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, workspace = open_desk(own_store, market_id(own_store), problem), acting(own_store, AGENT, problem)
    plain = AddressBooks().book(workspace, desk)
    monkeypatch.setattr(kept, "KEPT_FROM", 1_000)
    AddressBooks().book(workspace, desk)
    monkeypatch.setattr(addresses, "AddressBook", lambda *_: pytest.fail("the book was made again"))
    again = AddressBooks().book(workspace, desk)
    assert plain is not None
    assert again is not None
    assert len(again) == len(plain) > 1_000
    for facts in homes(own_store):
        typed = [str(facts["address"]), str(facts["address"])[:7].lower(), str(facts["property_id"]), "no such street"]
        for text in typed:
            assert again.find(text) == plain.find(text), text
    assert plain.find(str(homes(own_store)[0]["address"]))


def test_a_model_whose_file_was_altered_does_not_answer_from_its_kept_evidence(large: Store, problem: Problem) -> None:
    desk = open_desk(large, market_id(large), problem)
    assert desk.record is not None
    (large.home / "models" / f"{desk.record.sha256}.joblib").write_bytes(b"swapped")
    again = open_desk(large, market_id(large), problem)
    assert again.fault
    assert again.live_market is None


def test_while_new_sales_are_worked_in_the_desk_of_before_answers(
    large: Store, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    desks, workspace = OpenDesks(), acting(large, AGENT, problem)
    first = desks.desk(workspace, market_id(large))
    assert first.live_market is not None
    apart: list[str] = []
    wait: list[bool] = [True]

    def work_out_apart(store: Store, champion: Any) -> None:
        apart.append(champion.model_id)
        end = time.monotonic() + PATIENCE_SECONDS
        while wait and time.monotonic() < end:
            time.sleep(0.01)

    monkeypatch.setattr(open_desks, "work_out_apart", work_out_apart)
    version_id = commit_newer(large)
    asked = homes(large, 3)
    for _ in range(3):
        desk = desks.desk(workspace, market_id(large))
        assert desk.live_market is not None
        assert desk.live_market.version_id == first.live_market.version_id
        assert answers(desk, asked) == answers(first, asked)
    wait.clear()
    second = wait_for(desks, workspace, version_id)
    assert len(apart) == 1
    assert np.asarray(second.live_model.sales["address"])[-1] == "1 New St"  # type: ignore[union-attr]
    assert desks.desk(workspace, market_id(large)) is second


def test_another_process_works_the_evidence_out(
    large: Store, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The process of its own reads the shipped limit; the real way there, with this market below it, ends in this one.
    desks, workspace = OpenDesks(), acting(large, AGENT, problem)
    desks.desk(workspace, market_id(large))
    version_id = commit_newer(large)
    desk = wait_for(desks, workspace, version_id)
    assert desk.live_market is not None
    assert len(files(large)) == 2


def test_a_new_models_evidence_lies_on_disk_before_it_goes_live(
    large: Store, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The process of its own reads the shipped limit, above this market's sales; the same work is done in this one.
    monkeypatch.setattr(background, "work_out_apart", load_champion)
    plan = replace(default_plan(problem), families=(Family.LINEAR,), folds=2, curve_shares=(), window_months=24)
    live = large.models.champion(market_id(large))
    workspace = acting(large, MANAGER, problem)
    record = train_model(workspace, market_id(large), plan, silent)
    assert large.models.champion(market_id(large)) == live
    assert [path.name.startswith(record.model_id) for path in files(large)] == [True]
    promote(workspace, record.model_id, "to see it open")
    monkeypatch.setattr(evidence, "from_bytes", lambda payload: pytest.fail("the evidence was worked out again"))
    desk = OpenDesks().desk(workspace, market_id(large))
    assert desk.record is not None
    assert desk.record.model_id == record.model_id


def test_if_it_cannot_be_opened_behind_the_scenes_it_is_opened_in_front(
    large: Store, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    desks, workspace = OpenDesks(), acting(large, AGENT, problem)
    desks.desk(workspace, market_id(large))
    monkeypatch.setattr(OpenDesks, "_open_behind", lambda *_: None)
    version_id = commit_newer(large)
    assert wait_for(desks, workspace, version_id).live_market is not None


def test_another_models_desk_is_never_a_stand_in(large: Store, problem: Problem) -> None:
    desks, workspace = OpenDesks(), acting(large, AGENT, problem)
    first = desks.desk(workspace, market_id(large))
    assert first.record is not None

    payload = to_bytes(replace(from_bytes(large.models.load_bytes(first.record.model_id)), code_version="another"))
    second = large.models.add(
        NewModel(first.record.market_id, first.record.version_id, payload, first.record.card),
        Actor("Mia", Role.MANAGER),
    )
    large.models.promote(second.model_id, Actor("Mia", Role.MANAGER), "newer")
    now = desks.desk(workspace, market_id(large))
    assert now.record is not None
    assert now.record.model_id == second.model_id
