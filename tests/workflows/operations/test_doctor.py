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
from core.store import Store, open_store
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
    assert {one["health"] for name, one in checks.items() if name not in ("workers", "folder")} == {"ok"}


def alter_model(home: Path) -> None:
    next((home / "models").glob("*.joblib")).write_bytes(b"altered")


def lose_signature(home: Path) -> None:
    next((home / "signatures").glob("*")).unlink()


def lose_snapshot(home: Path) -> None:
    next((home / "versions").glob("*")).unlink()


def spoil_waiting(home: Path) -> None:
    (home / "unwritten" / "0123456789abcdef.unreadable").write_text("{", encoding="utf-8")


@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        (alter_model, {"artifact", "signature", "live model of Larkhaven"}),
        (lose_signature, {"signature", "live model of Larkhaven"}),
        (lose_snapshot, {"artifact", "live model of Larkhaven"}),
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
    assert {one.name for one in found if one.health is Health.FAILED} == failed
    assert main(["doctor", "--home", str(own_store.home)]) == 1
    assert "failed" in capsys.readouterr().out


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
