"""Large markets opened in a process of their own, while the desk of before goes on answering."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from core.store import ModelRecord, Store
from core.workflows.opening.evidence import is_kept

_CODE: Final = Path(__file__).resolve().parents[3]


def work_out_apart(store: Store, champion: ModelRecord) -> None:
    """Have a large market's evidence worked out by another process, unless it lies on disk, and wait for the end.

    In this one, the answers to agents would wait for it now and then. If the process fails, so will whoever opens the
    market next, with a message. Raises StoreUnavailable.
    """
    if is_kept(store, champion):
        return
    environment = dict(os.environ)
    if store.database_url:
        environment["DATABASE_URL"] = store.database_url
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_CODE), environment.get("PYTHONPATH"))))
    options = ["--home", str(store.home), "--parent", str(os.getpid()), champion.market_id]
    command = [sys.executable, "-m", "core.workflows.opening", *options]
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)  # noqa: S603 - our own program
