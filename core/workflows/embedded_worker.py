"""The worker that an app starts on its own, so that one command is enough where nobody runs a worker."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from core.errors import WrongUsage
from core.store import Store
from core.store.operations.workers import ALIVE_WITHIN

VARIABLE: Final = "DOORSTEP_WORKER"
"""Environment variable; "external" leaves all jobs to workers that somebody else starts."""

_EXTERNAL: Final = "external"
_IDLE_SECONDS: Final = 60
_CODE: Final = Path(__file__).resolve().parents[2]


class EmbeddedWorker:
    """Starts a worker for waiting jobs if none is alive; it ends when there is nothing to do, or with this process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ensure(self, store: Store) -> None:
        """See that somebody does the store's waiting jobs; raises StoreUnavailable, WrongUsage."""
        if starts_none(os.environ):
            return
        with self._guard:
            starting = self._process is not None and self._process.poll() is None
            if starting or store.workers.alive(ALIVE_WITHIN):
                return
            self._process = _start(store)


def starts_none(environment: Mapping[str, str]) -> bool:
    """Tell whether jobs are left to workers that somebody else starts; raises WrongUsage for an unknown word."""
    value = environment.get(VARIABLE, "")
    if value not in ("", _EXTERNAL):
        raise WrongUsage(f"{VARIABLE} = {value!r} is not {_EXTERNAL}; correct it, or unset it.")
    return value == _EXTERNAL


def _start(store: Store) -> subprocess.Popen[bytes]:
    environment = dict(os.environ)
    if store.database_url:
        environment["DATABASE_URL"] = store.database_url
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_CODE), environment.get("PYTHONPATH"))))
    options = ["--home", str(store.home), "--quiet", "--until-idle", str(_IDLE_SECONDS), "--parent", str(os.getpid())]
    command = [sys.executable, "-m", "core", "worker", *options]
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)  # noqa: S603 - our own program
