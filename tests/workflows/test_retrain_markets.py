"""Every market retrained at once: a job for each, a report of how each ended, and nothing promoted."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.access import Actor, Role
from core.cli.main import main
from core.errors import AccessDenied, NotFound
from core.problem import Problem
from core.progress import silent
from core.states import Family, JobState, Stage
from core.store import Store
from core.train.trainer import default_plan
from core.workflows.models.retraining import RetrainPlan
from core.workflows.promotion import promote
from core.workflows.retrain_markets import retrain_markets
from core.workflows.training import train_model
from tests.acting import acting

MANAGER = Actor("Mia", Role.MANAGER)


def test_the_command_retrains_each_market_reports_and_promotes_nothing(
    own_store: Store, problem: Problem, capsys: pytest.CaptureFixture[str]
) -> None:
    # Its retraining has the plan of the live model, so a quick one.
    plan = replace(default_plan(problem), families=(Family.LINEAR,), folds=2, curve_shares=())
    quick = train_model(acting(own_store, MANAGER), "larkhaven", plan, silent)
    promote(acting(own_store, MANAGER), quick.model_id, "to be challenged")
    own_store.markets.create("Empty", "USD", "sqft", False, MANAGER)
    live = own_store.models.champion("larkhaven")
    assert live is not None
    assert main(["retrain", "--all-markets", "--home", str(own_store.home), "--json", "--quiet"]) == 0
    report = json.loads(capsys.readouterr().out)
    empty, larkhaven = report["markets"]
    assert (report["retrained"], report["failed"]) == (1, 0)
    assert (empty["market_id"], empty["job_id"], empty["model_id"]) == ("empty", None, None)
    assert "No model is live" in empty["words"]
    challenger = own_store.models.get(larkhaven["model_id"])
    assert challenger.stage is Stage.CHALLENGER
    assert larkhaven["verdict"] in ("pass", "fail", "inconclusive")
    champion = own_store.models.champion("larkhaven")
    assert champion is not None
    assert champion.model_id == live.model_id
    assert own_store.jobs.get(larkhaven["job_id"]).state is JobState.DONE


def test_whoever_interrupts_it_leaves_no_job_behind(own_store: Store) -> None:
    def interrupt(_: float, __: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retrain_markets(acting(own_store), RetrainPlan(), interrupt)
    (job,) = own_store.jobs.list()
    assert job.state is JobState.CANCELLED or job.cancel_requested
    assert len(own_store.models.list("larkhaven")) == 1


def test_no_market_and_no_right_are_refused(store: Store) -> None:
    with pytest.raises(NotFound, match="no market to retrain"):
        retrain_markets(acting(store), RetrainPlan(), silent)
    with pytest.raises(AccessDenied):
        retrain_markets(acting(store, Actor("Ana", Role.AGENT)), RetrainPlan(), silent)
