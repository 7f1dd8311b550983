"""A Dask scheduler and workers of this machine over TCP, for tests and benchmarks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.one_process import ONE_PROCESS
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parent.parent.parent
DASK = (sys.executable, "-m", "distributed.cli.dask_scheduler"), (sys.executable, "-m", "distributed.cli.dask_worker")


@dataclass
class Cluster:
    """A scheduler and its workers."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]

    def start_worker(self, code: Path = ROOT) -> subprocess.Popen[bytes]:
        """Start one more worker with the code of a folder; it has one thread and no nanny, so killing it kills it."""
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
        own = _environment(code)
        worker = subprocess.Popen([*DASK[1], self.address, *options], env=own, cwd=code, stderr=subprocess.DEVNULL)
        self.workers.append(worker)
        return worker


def free_port() -> int:
    """A port nobody listens on."""
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _environment(code: Path) -> dict[str, str]:
    # As on an office's computers, which let each fit have what processors it takes.
    return {name: value for name, value in os.environ.items() if name != ONE_PROCESS} | {"PYTHONPATH": str(code)}


@contextmanager
def started(workers: int = 2, code: Path = ROOT) -> Iterator[Cluster]:
    """A cluster of this machine with that many workers; ``code`` is the folder of the scheduler's code."""
    port = free_port()
    options = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    own = _environment(code)
    scheduler = subprocess.Popen([*DASK[0], *options], env=own, cwd=code, stderr=subprocess.DEVNULL)
    made = Cluster(f"tcp://127.0.0.1:{port}", scheduler, [])
    try:
        for _ in range(workers):
            made.start_worker()
        if workers:
            wait_for_workers(made, workers)
        yield made
    finally:
        for process in (*made.workers, scheduler):
            process.kill()
        for process in (*made.workers, scheduler):
            process.wait()


def wait_for_workers(cluster: Cluster, count: int) -> None:
    """Wait until that many workers have reported to the scheduler."""
    from distributed import Client

    with Client(cluster.address, timeout=PATIENCE_SECONDS, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        client.wait_for_workers(count, timeout=PATIENCE_SECONDS)
