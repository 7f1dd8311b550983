"""Large markets opened in a process of their own: behind the desk that answers, and before a new model goes live."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from core.parallel.calls import end_processes
from core.store import ModelRecord, Store
from core.store.patience import patiently
from core.workflows.opening.evidence import is_kept
from core.workflows.opening.kept import is_large

_CODE: Final = Path(__file__).resolve().parents[3]


def work_out_ahead(store: Store, record: ModelRecord) -> None:
    """Have the evidence of a large market's new model worked out before anyone asks for it; raises StoreUnavailable.

    Where a training ends with it, the processes of its fits end before: they hold the memory that this needs.
    """
    latest = patiently(lambda: store.versions.latest(record.market_id))
    if latest is not None and is_large(latest.rows):
        end_processes()
        patiently(lambda: work_out_apart(store, record))


def work_out_apart(store: Store, record: ModelRecord) -> None:
    """Have a model's evidence worked out by another process, unless it lies on disk, and wait for the end.

    In this one, the answers to agents would wait for it now and then. If the process fails, so will whoever opens the
    market next, with a message. Raises StoreUnavailable.
    """
    if is_kept(store, record):
        return
    environment = dict(os.environ)
    if store.database_url:
        environment["DATABASE_URL"] = store.database_url
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_CODE), environment.get("PYTHONPATH"))))
    options = ["--home", str(store.home), "--parent", str(os.getpid()), record.model_id]
    command = [sys.executable, "-m", "core.workflows.opening", *options]
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)  # noqa: S603 - our own program
