"""A live model of another release: the model before it answers, flagged; without one, there is no price and why."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.cli.main import main
from core.cli.session import OK, UNPRICED
from core.errors import ArtifactCorrupt
from core.problem import Problem
from core.serve.estimate import Estimate
from core.serve.review.flag import FlagKind
from core.serve.review.unavailable import UNAVAILABLE, Unavailable
from core.store import NewModel, Store, open_store
from core.train.bundle import FORMAT, Bundle
from core.workflows.models.gate import rival_of
from core.workflows.models.training import load_model
from core.workflows.monitoring.alerts import watch_market
from core.workflows.pricing.desk import Desk, open_desk
from core.workflows.promotion import rollback
from tests.acting import acting
from tests.workflows.outdated_models import OUTDATED, lower_format, make_live, module_gone, other_library

MARKET = "larkhaven"
MANAGER = Actor("Mia", Role.MANAGER)
SENTENCE = "The model was trained by another release of Doorstep"
REMEDY = "Train a new model."


@pytest.fixture
def home(small_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return Path(shutil.copytree(small_home, tmp_path / "home"))


def lose(store: Store, model_id: str) -> None:
    (store.home / "models" / f"{store.models.get(model_id).sha256}.joblib").unlink()


def priced(desk: Desk) -> Estimate | Unavailable:
    facts: dict[str, object] = {"living_area_sqft": 1_680.0}
    if desk.live_model is not None:
        facts["zipcode"] = next(iter(desk.live_model.model.profile.typical["zipcode"]))
    return desk.price(facts, desk.valuation_date(date(2025, 1, 1)), 0.8, Actor("Kim", Role.AGENT))


@pytest.mark.parametrize("write", OUTDATED)
def test_the_model_before_an_outdated_one_answers_flagged_until_a_manager_acts(
    home: Path, problem: Problem, write: Callable[[Bundle], bytes]
) -> None:
    with open_store(home) as store:
        before = make_live(store, MARKET, write)
        desk = open_desk(store, MARKET, problem)
        assert desk.record is not None
        assert desk.record.model_id == before
        assert desk.fault.startswith(SENTENCE)
        assert desk.fault.endswith(REMEDY)
        assert "\n" not in desk.fault
        answer = priced(desk)
        assert isinstance(answer, Estimate)
        [flag] = [one for one in answer.flags if one.kind is FlagKind.MODEL_OUTDATED]
        assert flag.value == f"{SENTENCE.replace('model', 'live model', 1)}; the model before it answers"
        assert not store.alerts.list(MARKET), "nobody altered anything"
        rollback(acting(store, MANAGER), MARKET, "the update")
        again = priced(open_desk(store, MARKET, problem))
        assert isinstance(again, Estimate)
        assert not [one for one in again.flags if one.kind is FlagKind.MODEL_OUTDATED]
        assert again.point == answer.point


def test_without_a_readable_model_before_there_is_no_price_and_the_reason_is_given(
    home: Path, problem: Problem
) -> None:
    with open_store(home) as store:
        lose(store, make_live(store, MARKET, lower_format))
        desk = open_desk(store, MARKET, problem)
        answer = priced(desk)
        assert isinstance(answer, Unavailable)
        assert answer.message == UNAVAILABLE
        assert answer.reason.startswith("The live model was trained by another release of Doorstep, and no model")
        assert answer.remedy == "Ask a manager to train a new model."


def test_the_fault_says_which_format_or_which_module_it_met(home: Path, problem: Problem) -> None:
    for write, found in (
        (lower_format, f"format {FORMAT - 1}; this release reads {FORMAT}"),
        (module_gone, "core.prepare.facts"),
        (other_library, "node array"),
    ):
        with open_store(home) as store:
            make_live(store, MARKET, write)
            assert found in open_desk(store, MARKET, problem).fault
            rollback(acting(store, MANAGER), MARKET, "the update")


def test_a_file_that_is_no_model_at_all_is_passed_over_too(home: Path, problem: Problem) -> None:
    with open_store(home) as store:
        version, first = store.versions.latest(MARKET), store.models.champion(MARKET)
        assert version is not None
        assert first is not None
        for payload in (b"", b"not a model", b"\x80\x05K\x01."):
            record = store.models.add(NewModel(MARKET, version.version_id, payload, {}), MANAGER)
            store.models.promote(record.model_id, MANAGER, "by mistake")
            with pytest.raises(ArtifactCorrupt, match=REMEDY):
                load_model(store, record.model_id)
            desk = open_desk(store, MARKET, problem)
            assert desk.fault.endswith(REMEDY)
            assert desk.record is not None
            assert desk.record.model_id == first.model_id


def test_the_command_line_prices_with_the_model_before_or_says_why_there_is_no_price(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store(home) as store:
        before = make_live(store, MARKET, lower_format)
    command = ["price", "--set", "living_area_sqft=1500", "zipcode=86934", "--json", "--role", "agent"]
    assert main([*command, "--home", str(home)]) == OK
    assert json.loads(capsys.readouterr().out)["model_id"] == before
    with open_store(home) as store:
        lose(store, before)
    assert main([*command, "--home", str(home)]) == UNPRICED
    shown = json.loads(capsys.readouterr().out)
    assert (shown["message"], shown["code"]) == (UNAVAILABLE, "no_model")


def test_an_outdated_live_model_stops_neither_the_watch_nor_a_challenger(home: Path) -> None:
    with open_store(home) as store:
        make_live(store, MARKET, lower_format)
        watch_market(acting(store, MANAGER, today=date(2026, 1, 15)), MARKET)
        rival = rival_of(store, MARKET)
        assert rival.bundle is None
        assert rival.why.endswith(REMEDY)
