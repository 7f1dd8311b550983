"""Two app servers with folders of their own on one database: what one promotes, the other prices with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.problem import Problem
from core.serve.estimate import Estimate
from core.store import NewModel, Store, open_store
from core.train.bundle import to_bytes
from core.workflows.models.training import load_model
from core.workflows.pricing.open_desks import OpenDesks
from tests.acting import acting
from tests.postgresql import own_copy, server_url, template_of
from tests.small_market import MANAGER
from tests.workflows.long_tasks import ROOT

MARKET = "larkhaven"


@pytest.fixture
def servers(
    small_home: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Store, Store]]:
    """Two stores with folders of their own and the same files, on one PostgreSQL database."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    server = server_url(tmp_path_factory)
    with own_copy(server, template_of(server, "small-market", small_home, tmp_path_factory)) as url:
        ignored = shutil.ignore_patterns("doorstep.sqlite*")
        homes = [Path(shutil.copytree(small_home, tmp_path / name, ignore=ignored)) for name in ("a", "b")]
        with open_store(homes[0], url) as first, open_store(homes[1], url) as second:
            yield first, second


def test_what_one_server_promotes_the_other_prices_the_next_home_with(
    servers: tuple[Store, Store], problem: Problem
) -> None:
    here, there = servers
    before = here.models.champion(MARKET)
    assert before is not None
    bundle = load_model(here, before.model_id)
    again = to_bytes(replace(bundle, metrics={**bundle.metrics, "again": 1.0}))
    [made, _] = [
        store.models.add(NewModel(MARKET, before.version_id, again, before.card), MANAGER) for store in servers
    ]
    workspace, desks = acting(here, MANAGER, problem), OpenDesks()
    assert desks.desk(workspace, MARKET).record == before
    environment = os.environ | {"DATABASE_URL": there.database_url or "", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "core", "promote", made.model_id, "--reason", "a trial of two servers"]
    subprocess.run([*command, "--home", str(there.home)], env=environment, check=True, stdout=subprocess.DEVNULL)

    desk = desks.desk(workspace, MARKET)
    assert desk.record is not None
    assert desk.record.model_id == made.model_id
    assert desk.bundle is not None
    facts = {"zipcode": next(iter(desk.bundle.model.profile.area_codes["zipcode"])), "living_area_sqft": 1_500.0}
    answer = desk.price(facts, desk.valuation_date(workspace.utc_today()), 0.8, MANAGER)
    assert isinstance(answer, Estimate)
