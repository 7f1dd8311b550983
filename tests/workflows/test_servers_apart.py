"""Two servers and a worker with separate homes, one PostgreSQL and one S3: what one makes, the others use."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from core.problem import Problem
from core.states import Family, JobState
from core.store import open_store
from core.store.operations.shared_files import shared_files
from core.train.trainer import default_plan
from core.workflows.jobs import TrainTask, start
from tests.acting import acting
from tests.patience import PATIENCE_SECONDS
from tests.postgresql import own_copy, server_url, template_of
from tests.small_market import MANAGER
from tests.workflows.long_tasks import ROOT, started, wait_for

MARKET = "larkhaven"
WORKER = "import sys; from tests.workflows.long_tasks import work; work(sys.argv[1])"
KINDS = ("versions", "ledgers", "models", "signatures", "scores")


@dataclass(frozen=True)
class Office:
    """The servers of an office by name: their homes are empty, and all else is shared by database and address."""

    folder: Path

    def home(self, name: str) -> Path:
        """The folder of one server, its own alone."""
        return self.folder / name

    def run(self, name: str, *arguments: str) -> str:
        """Run a command on a server's computer and return what it printed."""
        command = [sys.executable, "-m", "core", *arguments, "--home", str(self.home(name))]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    @contextmanager
    def api(self, name: str) -> Iterator[str]:
        """Serve the API from a server's home and yield its address."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "core",
            "serve",
            "--port",
            str(port),
            "--home",
            str(self.home(name)),
            "--quiet",
        ]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}/api/v1"
            wait_for(lambda: is_ready(url))
            yield url
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/ready", timeout=PATIENCE_SECONDS) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def price(url: str, facts: dict[str, Any]) -> dict[str, Any]:
    body = json.dumps({"market": MARKET, "facts": facts}).encode()
    request = urllib.request.Request(f"{url}/estimates", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    assert found["status"] == "priced", found
    return found


@pytest.fixture
def office(
    small_home: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    """An office whose database and artifacts are those of the small market."""
    server = server_url(tmp_path_factory)
    s3 = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    s3.start()
    host, port = s3.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "office",
        "AWS_SECRET_ACCESS_KEY": "office",
        "AWS_DEFAULT_REGION": "us-east-1",
        "DOORSTEP_ARTIFACTS": "s3://office/doorstep",
        "DOORSTEP_WORKER": "external",
        "PYTHONPATH": str(ROOT),
    }.items():
        monkeypatch.setenv(name, value)
    import s3fs

    s3fs.S3FileSystem(skip_instance_cache=True).mkdir("office")
    shared = shared_files(os.environ["DOORSTEP_ARTIFACTS"])
    assert shared is not None
    for path in (path for kind in KINDS for path in (small_home / kind).glob("*.*")):
        shared.put(f"{path.parent.name}/{path.name}", path.read_bytes())
    with own_copy(server, template_of(server, "small-market", small_home, tmp_path_factory)) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        yield Office(tmp_path)
    s3.stop()


def test_a_model_trained_by_a_killed_and_replaced_worker_is_promoted_on_b_and_prices_on_a(
    office: Office, problem: Problem
) -> None:
    # The quickest model that uses other sales: what counts is where it was trained and where it prices.
    plan = replace(default_plan(problem), families=(Family.TREE,), forest_budget=0, folds=2, curve_shares=())
    with ExitStack() as stack, open_store(office.home("test")) as store:
        a, b = (stack.enter_context(office.api(name)) for name in ("a", "b"))
        version = store.versions.latest(MARKET)
        assert version is not None
        facts = {"zipcode": store.versions.load(version.version_id)["zipcode"].iloc[0], "living_area_sqft": 1_500}
        before = price(a, facts)
        assert price(b, facts)["point"] == before["point"]

        job = start(acting(store, MANAGER, problem), TrainTask(MARKET, plan))
        with started(WORKER, str(office.home("worker"))) as worker:
            wait_for(worker.joblib)
            assert store.jobs.get(job.job_id).state is JobState.RUNNING
            worker.process.send_signal(signal.SIGKILL)
            wait_for(worker.is_gone)
        with started(WORKER, str(office.home("second worker"))) as worker:
            wait_for(lambda: store.jobs.get(job.job_id).state is JobState.DONE)
            worker.process.send_signal(signal.SIGTERM)
            wait_for(worker.is_gone)
        made = store.jobs.get(job.job_id).result["model_id"]

        office.run("b", "promote", made, "--reason", "a trial of two servers")
        assert price(a, facts)["model_id"] == made != before["model_id"]
