"""Jobs on the command line: long work is listed, and what waits or runs can be cancelled."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.access import Actor, Role
from core.cli.main import main
from core.store import Store
from core.workflows.jobs import RetrainTask, start
from core.workflows.models.retraining import RetrainPlan
from tests.acting import acting

ANALYST = Actor("Ann", Role.ANALYST)


def listed(store: Store, capsys: pytest.CaptureFixture[str], *more: str) -> list[dict[str, Any]]:
    assert main(["jobs", "--json", "--home", str(store.home), *more]) == 0
    jobs: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["jobs"]
    return jobs


def test_a_waiting_job_is_listed_and_cancelled_at_once(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs", "--home", str(store.home)]) == 0
    assert capsys.readouterr().out == "no jobs yet\n"
    market = store.markets.create("Springfield", "USD", "sqft", False, Actor("Mia", Role.MANAGER))
    job = start(acting(store, ANALYST), RetrainTask(market.market_id, RetrainPlan()))
    [found] = listed(store, capsys, "--open", "--market", "Springfield")
    assert (found["job"], found["kind"], found["state"]) == (job.job_id, "retrain", "waiting")
    assert main(["cancel", job.job_id, "--home", str(store.home)]) == 0
    assert capsys.readouterr().out == f"job {job.job_id} (retrain) was cancelled\n"
    assert listed(store, capsys, "--open") == []
    assert [one["state"] for one in listed(store, capsys)] == ["cancelled"]
    assert main(["cancel", job.job_id, "--home", str(store.home)]) == 1
    assert "is already cancelled, so there is nothing to cancel" in capsys.readouterr().err
    assert main(["jobs", "--home", str(store.home)]) == 0
    assert f"{job.job_id}  cancelled" in capsys.readouterr().out


def test_a_running_job_is_asked_to_stop(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    job = start(acting(store, ANALYST), RetrainTask("springfield", RetrainPlan()))
    assert store.jobs.claim("worker-1") is not None
    assert main(["cancel", job.job_id, "--home", str(store.home)]) == 0
    assert "is asked to stop; it ends within seconds" in capsys.readouterr().out
    [found] = listed(store, capsys)
    assert (found["state"], found["cancel_requested"]) == ("running", True)
    assert main(["jobs", "--home", str(store.home)]) == 0
    assert "stopping" in capsys.readouterr().out


def test_an_agent_cancels_nothing_and_an_unknown_job_is_named(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cancel", "no-such-job", "--home", str(store.home)]) == 1
    assert "There is no job 'no-such-job'" in capsys.readouterr().err
    for verb in (["cancel", "no-such-job"], ["jobs"]):
        assert main([*verb, "--role", "agent", "--home", str(store.home)]) == 1
        assert "(agent) may not" in capsys.readouterr().err
