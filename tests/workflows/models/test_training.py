"""A model's life in the registry: first champion, challengers, promotion, rollback, and damage found before loading."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.errors import AccessDenied, ArtifactCorrupt, JobCancelled, NotFound
from core.evaluate.card.headline import headline_of
from core.problem import Problem
from core.progress import silent
from core.serve.estimate import Estimate
from core.serve.review.unavailable import Unavailable
from core.states import Family
from core.store import Store, open_store
from core.train.trainer import TrainingPlan
from core.workflows.data.versions import redo_version, undo_version
from core.workflows.models.training import load_model
from core.workflows.overview import attention as attention_of
from core.workflows.overview import overview
from core.workflows.pricing.desk import Desk, open_desk
from core.workflows.pricing.open_desks import OpenDesks
from core.workflows.promotion import promote, rollback
from core.workflows.training import train_model
from tests.acting import acting

MANAGER = Actor("mia", Role.MANAGER)
QUICK = TrainingPlan("random", 1, (Family.LINEAR,), 0, 1, 2, window_months=24)


@pytest.fixture
def opened(small_home: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copytree(small_home, tmp_path / "copy")
    with open_store(tmp_path / "copy") as store:
        yield store


def market_of(store: Store) -> str:
    return store.markets.list()[0].market_id


def test_first_model_is_promoted_at_once_and_the_test_set_was_opened_once(opened: Store) -> None:
    market = market_of(opened)
    champion = opened.models.champion(market)
    assert champion is not None
    assert champion.stage == "champion"
    opened_tests = [event for event in opened.events.list(market) if event.action == "test.opened"]
    assert [event.subject for event in opened_tests] == [champion.model_id]
    assert (
        champion.card["metrics"]["mape"]["n"] == champion.card["metrics"]["n"] >= headline_of(champion.card)["mape"].n
    )


def test_second_model_waits_as_candidate_until_promoted_and_rollback_brings_the_first_back(
    opened: Store, problem: Problem
) -> None:
    market = market_of(opened)
    first = opened.models.champion(market)
    assert first is not None
    second = train_model(acting(opened, MANAGER, problem), market, QUICK, silent)
    assert second.stage == "candidate"
    assert opened.models.champion(market) == first
    promote(acting(opened, MANAGER), second.model_id, "a test")
    desk = open_desk(opened, market, problem)
    assert desk.record is not None
    assert desk.record.model_id == second.model_id
    assert rollback(acting(opened, MANAGER), market, "worse after all").model_id == first.model_id
    assert opened.models.get(second.model_id).stage == "candidate"
    actions = [event.action for event in opened.events.list(market)]
    assert {"model.promoted", "model.rolled_back"} <= set(actions)


@pytest.mark.parametrize("role", [Role.AGENT, Role.ANALYST])
def test_only_managers_promote_and_roll_back(opened: Store, role: Role) -> None:
    someone = Actor("sam", role)
    champion = opened.models.champion(market_of(opened))
    assert champion is not None
    with pytest.raises(AccessDenied):
        promote(acting(opened, someone), champion.model_id, "why not")
    with pytest.raises(AccessDenied):
        rollback(acting(opened, someone), market_of(opened), "why not")


def test_agents_may_not_train(opened: Store, problem: Problem) -> None:
    with pytest.raises(AccessDenied, match="may not train"):
        train_model(acting(opened, Actor("al", Role.AGENT), problem), market_of(opened), QUICK, silent)


def test_model_altered_by_one_byte_is_never_loaded(opened: Store, problem: Problem) -> None:
    market = market_of(opened)
    champion = opened.models.champion(market)
    assert champion is not None
    (path,) = (opened.home / "models").iterdir()
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ArtifactCorrupt, match="Restore it from a backup, or train a new model"):
        load_model(opened, champion.model_id)
    desk = open_desk(opened, market, problem)
    assert desk.bundle is None
    assert isinstance(desk.price({"living_area_sqft": 1500.0}, date(2025, 1, 1), 0.8, MANAGER), Unavailable)
    assert opened.models.champion(market) == champion


def test_cancelled_training_leaves_no_model(opened: Store, problem: Problem) -> None:
    def cancel(fraction: float, message: str) -> None:
        if fraction > 0.5:
            raise JobCancelled("cancelled")

    before = opened.models.list(market_of(opened))
    with pytest.raises(JobCancelled):
        train_model(acting(opened, MANAGER, problem), market_of(opened), QUICK, cancel)
    assert opened.models.list(market_of(opened)) == before
    assert len(list((opened.home / "models").iterdir())) == 1


def test_a_model_whose_sales_were_undone_meanwhile_does_not_go_live_and_nothing_is_priced(
    opened: Store, problem: Problem
) -> None:
    [market] = opened.markets.list()
    work = acting(opened, MANAGER, problem)
    versions = opened.versions.chain(market.market_id)

    def undo(fraction: float, message: str) -> None:
        if fraction > 0.5 and opened.versions.latest(market.market_id) is not None:
            for version in versions:
                undo_version(work, version.version_id, "the wrong currency")

    champion = opened.models.champion(market.market_id)
    assert champion is not None
    desks = OpenDesks()
    assert desks.desk(work, market.market_id).live_market is not None
    with closing(sqlite3.connect(opened.home / "doorstep.sqlite", isolation_level=None)) as database:
        database.execute("UPDATE market SET champion_model_id = NULL")
    trained = train_model(work, market.market_id, replace(QUICK, seed=5), undo)
    assert trained.stage == "candidate"
    assert opened.models.champion(market.market_id) is None

    promote(work, champion.model_id, "as before")
    desk = desks.desk(work, market.market_id)
    answer = desk.price({}, date(2025, 1, 1), 0.8, MANAGER)
    assert isinstance(answer, Unavailable)
    assert "undone" in answer.reason
    assert not desks.can_price(opened, market.market_id)
    [attention, *_] = attention_of(overview(work, market), problem)
    assert "undone, so nothing is priced" in attention
    for version in reversed(versions):
        redo_version(work, version.version_id)
    assert desks.desk(work, market.market_id).live_market is not None


def test_market_without_sales_says_what_to_do(store: Store, problem: Problem) -> None:
    market = store.markets.create("Nowhere", "USD", "sqft", False, MANAGER)
    with pytest.raises(NotFound, match="Import a sales file"):
        train_model(acting(store, MANAGER, problem), market.market_id, QUICK, silent)
    answer = open_desk(store, market.market_id, problem).price({}, date(2025, 1, 1), 0.8, MANAGER)
    assert isinstance(answer, Unavailable)
    assert answer.message == "Price estimate unavailable. Use comparative market analysis instead."


def test_simulated_market_is_priced_on_the_day_after_its_last_sale(small_desk: Desk, problem: Problem) -> None:
    desk = small_desk
    assert desk.bundle is not None
    expected = desk.bundle.model.profile.last_sale + timedelta(days=1)
    assert desk.valuation_date(date(2030, 1, 1)) == expected


def test_desk_prices_for_agents(small_desk: Desk) -> None:
    assert small_desk.bundle is not None
    facts = {"zipcode": next(iter(small_desk.bundle.model.profile.area_codes["zipcode"])), "living_area_sqft": 1_500}
    answer = small_desk.price(facts, date(2025, 1, 1), 0.8, Actor("al", Role.AGENT))
    assert isinstance(answer, Estimate)
