"""Doctor: each fault is found and has a remedy, and the rest is checked all the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.cli.main import main
from core.errors import AccessDenied
from core.problem import Problem
from core.store import NewModel, Store, open_store
from core.workflows.operations.doctor import Health, examine
from core.workspace import utc_now
from tests.acting import acting

MANAGER = Actor("Mia", Role.MANAGER)


def health(store: Store, problem: Problem) -> dict[str, Health]:
    return {one.name: one.health for one in examine(acting(store, MANAGER, problem))}


def test_a_sound_store_has_no_failure_and_its_live_model_prices(
    own_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--json", "--home", str(own_store.home)]) == 0
    checks = {one["name"]: one for one in json.loads(capsys.readouterr().out)["checks"]}
    assert "A typical home is priced at" in checks["live model of Larkhaven"]["found"]
    assert checks["workers"]["health"] == "warning"
    # The app's own worker ends with the jobs of its pages, so starting the app would not help.
    assert checks["workers"]["remedy"].startswith("Run: ")
    assert " worker. The app starts a worker only for the jobs of its pages." in checks["workers"]["remedy"]
    assert {one["health"] for name, one in checks.items() if name not in ("workers", "folder")} == {"ok"}


def alter_model(home: Path) -> None:
    next((home / "models").glob("*.joblib")).write_bytes(b"altered")


def lose_signature(home: Path) -> None:
    next((home / "signatures").glob("*")).unlink()


def lose_snapshot(home: Path) -> None:
    # The sales are the largest table of a version, the tax roll and the indicators lie beside them.
    max((home / "versions").glob("*"), key=lambda file: file.stat().st_size).unlink()


def spoil_waiting(home: Path) -> None:
    (home / "unwritten" / "0123456789abcdef.unreadable").write_text("{", encoding="utf-8")


@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        (alter_model, {"live model of Larkhaven"}),
        (lose_signature, {"live model of Larkhaven"}),
        (lose_snapshot, {"live model of Larkhaven"}),
        (spoil_waiting, {"ledger"}),
    ],
)
def test_each_fault_is_found_and_the_exit_code_says_so(
    fault: Callable[[Path], None],
    failed: set[str],
    own_store: Store,
    problem: Problem,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fault(own_store.home)
    found = examine(acting(own_store, MANAGER, problem))
    lines = [one for one in found if one.health is Health.FAILED]
    assert ({one.name for one in lines}, len(lines)) == (failed, 1), "one cause is one line"
    assert "oll back" not in str(found), "there is no model before this one"
    assert main(["doctor", "--home", str(own_store.home)]) == 1
    assert "failed" in capsys.readouterr().out


def test_a_rollback_is_advised_only_to_a_model_that_can_be_loaded(own_store: Store, problem: Problem) -> None:
    [market] = own_store.markets.list()
    first = own_store.models.champion(market.market_id)
    assert first is not None
    payload = own_store.models.load_bytes(first.model_id) + b"\0"
    second = own_store.models.add(NewModel(first.market_id, first.version_id, payload, first.card), MANAGER)
    own_store.models.promote(second.model_id, MANAGER, "newer")
    path = own_store.home / "models" / f"{second.sha256}.joblib"
    path.write_bytes(b"altered")
    workspace = acting(own_store, MANAGER, problem)
    [line] = [one for one in examine(workspace) if one.health is Health.FAILED]
    assert f"Model {first.model_id} before it answers." in line.found
    ways = "train a new model or promote another one."
    assert line.remedy == f"A manager can roll back to model {first.model_id}, {ways}"
    (own_store.home / "models" / f"{first.sha256}.joblib").write_bytes(b"altered too")
    lines = [one for one in examine(workspace) if one.health is Health.FAILED]
    assert [one.name for one in lines] == ["live model of Larkhaven", f"model {first.model_id}"], "two causes"
    assert lines[0].remedy == f"A manager can {ways}"


def test_a_clock_set_back_is_found(own_store: Store, problem: Problem) -> None:
    workspace = acting(own_store, MANAGER, problem)
    [found] = [one for one in examine(workspace.at((utc_now() - timedelta(days=30)).date())) if one.name == "clock"]
    assert found.health is Health.FAILED
    assert "Set the computer's clock right." in found.remedy


def test_an_artifact_store_that_is_away_has_failed_and_what_is_here_is_checked(
    own_store: Store, problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORSTEP_ARTIFACTS", (tmp_path / "unmounted").as_uri())
    with open_store(own_store.home) as store:
        found = health(store, problem)
    assert found["artifact store"] is Health.FAILED
    assert found["artifacts"] is Health.OK
    assert found["live model of Larkhaven"] is Health.OK


def test_only_who_operates_the_service_may_ask(own_store: Store, problem: Problem) -> None:
    with pytest.raises(AccessDenied):
        examine(acting(own_store, Actor("Kim", Role.AGENT), problem))
