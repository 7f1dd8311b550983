"""A live model of another release is refused in one sentence where an agent meets it, and a rollback helps."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.cli.main import main
from core.cli.session import FAILED
from core.errors import ArtifactCorrupt, ModelOutdated
from core.problem import Problem
from core.store import NewModel, open_store
from core.train.bundle import FORMAT, Bundle
from core.workflows.models.gate import rival_of
from core.workflows.monitoring.alerts import watch_market
from core.workflows.pricing.desk import open_desk
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


@pytest.mark.parametrize("write", OUTDATED)
def test_the_desk_of_an_outdated_model_says_train_a_new_one_until_it_is_rolled_back(
    home: Path, problem: Problem, write: Callable[[Bundle], bytes]
) -> None:
    with open_store(home) as store:
        before = make_live(store, MARKET, write)
        with pytest.raises(ModelOutdated) as refused:
            open_desk(store, MARKET, problem)
        message = str(refused.value)
        assert message.startswith(SENTENCE)
        assert message.endswith(REMEDY)
        assert "\n" not in message
        rollback(acting(store, MANAGER), MARKET, "the update")
        desk = open_desk(store, MARKET, problem)
        assert desk.record is not None
        assert desk.record.model_id == before


def test_the_refusal_says_which_format_or_which_module_it_met(home: Path, problem: Problem) -> None:
    for write, found in (
        (lower_format, f"format {FORMAT - 1}; this release reads {FORMAT}"),
        (module_gone, "core.prepare.facts"),
        (other_library, "node array"),
    ):
        with open_store(home) as store:
            make_live(store, MARKET, write)
            with pytest.raises(ModelOutdated, match=found):
                open_desk(store, MARKET, problem)
            rollback(acting(store, MANAGER), MARKET, "the update")


def test_a_file_that_is_no_model_at_all_is_refused_too(home: Path, problem: Problem) -> None:
    with open_store(home) as store:
        version = store.versions.latest(MARKET)
        assert version is not None
        for payload in (b"", b"not a model", b"\x80\x05K\x01."):
            record = store.models.add(NewModel(MARKET, version.version_id, payload, {}), MANAGER)
            store.models.promote(record.model_id, MANAGER, "by mistake")
            with pytest.raises(ArtifactCorrupt, match=REMEDY):
                open_desk(store, MARKET, problem)


@pytest.mark.parametrize("write", OUTDATED)
def test_the_command_line_prices_nothing_and_says_so_in_one_line(
    home: Path, capsys: pytest.CaptureFixture[str], write: Callable[[Bundle], bytes]
) -> None:
    with open_store(home) as store:
        make_live(store, MARKET, write)
    code = main(["price", "--set", "living_area_sqft=1500", "--role", "agent", "--home", str(home)])
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (FAILED, "", 1)
    assert err.startswith(f"error: {SENTENCE}")
    assert err.endswith(f"{REMEDY}\n")


def test_an_outdated_live_model_stops_neither_the_watch_nor_a_challenger(home: Path) -> None:
    with open_store(home) as store:
        make_live(store, MARKET, lower_format)
        watch_market(acting(store, MANAGER, today=date(2026, 1, 15)), MARKET)
        rival = rival_of(store, MARKET)
        assert rival.bundle is None
        assert rival.why.endswith(REMEDY)
