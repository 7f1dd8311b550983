"""Work for workers under test, and a look at the processes that it leaves."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from core.parallel.calls import in_parallel
from core.progress import Progress, part
from core.store import ModelRecord, open_store
from core.workflows.jobs import TRAININGS, Kinds
from core.workflows.worker import WorkerSettings, run_worker
from core.workspace import Workspace
from tests.acting import acting
from tests.one_process import ONE_PROCESS
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
MARK = "DOORSTEP_TEST_MARK"
T = TypeVar("T")


@dataclass(frozen=True)
class SleepTask:
    """Sleep in two of joblib's processes; like a fit, they neither report nor look up."""

    market_id: str
    seconds: float
    kind: str = "sleep"

    def run(self, workspace: Workspace, progress: Progress) -> ModelRecord:
        """Sleep, and return the market's live model."""
        in_parallel(time.sleep, [(self.seconds,)] * 2, part(progress, 0.1, 0.9), "Sleeping")
        champion = workspace.store.models.champion(self.market_id)
        assert champion is not None
        return champion


KINDS: Kinds = {**TRAININGS, SleepTask.kind: SleepTask}


def work(home: str) -> None:
    """Be a worker that takes over at once what a dead one left."""
    with open_store(Path(home)) as store:
        run_worker(acting(store), WorkerSettings(beat_seconds=1, silence=timedelta(0)), KINDS)


def wait_for(found: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """Return what ``found`` finds, as soon as it does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        one = found()
        if one:
            return one
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


class Started:
    """A program and everything it starts, however indirectly: all inherit its mark."""

    def __init__(self, code: str, *arguments: str) -> None:
        self._mark = secrets.token_hex(8)
        environment = os.environ | {MARK: self._mark, "PYTHONPATH": str(ROOT)}
        # Its fits run in processes of joblib's, as on an office's server.
        environment.pop(ONE_PROCESS, None)
        command = [sys.executable, "-c", code, *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)

    def alive(self) -> list[int]:
        """The processes that run, the program's own among them."""
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={self._mark}".encode() in (path / "environ").read_bytes().split(b"\0"):
                    found.append(int(path.name))
            except OSError:
                continue
        return found

    def named(self, word: str) -> list[int]:
        """Those of them whose command line holds a word."""
        return [pid for pid in self.alive() if word in _command_of(pid)]

    def joblib(self) -> list[int]:
        """Joblib's processes among them, which hold most of the memory."""
        return self.named("popen_loky_posix")

    def is_gone(self) -> bool:
        """Tell whether nothing is left."""
        self.process.poll()
        return not self.alive()


@contextmanager
def started(code: str, *arguments: str) -> Iterator[Started]:
    """Run a program; end everything that is left of it."""
    one = Started(code, *arguments)
    try:
        yield one
    finally:
        for pid in one.alive():
            os.kill(pid, signal.SIGKILL)
        one.process.wait()


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
