"""The default training of today beside that of the commit before the search was made leaner, on the same sales."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.book.measurement import Measurement
from tests.benchmarks.book.place import Place, market_of, sales_of

BEFORE: Final = "19d4492"
_ROOT: Final = Path(__file__).resolve().parents[4]
_SCRIPT: Final = _ROOT / "tests" / "benchmarks" / "book" / "training_only.py"


def measure(place: Place) -> Iterator[Measurement]:
    """Yield seconds and validation error of both trainings."""
    with place.store() as store:
        version = store.versions.latest(market_of(store))
        assert version is not None
        sales = sales_of(store)
    with tempfile.TemporaryDirectory(prefix="doorstep-book-", dir=place.out) as folder:
        table, code = Path(folder) / "sales.parquet", Path(folder) / "before"
        sales.to_parquet(table)
        _unpack(code)
        now, before = (_train(root, table, version.rows_seen) for root in (_ROOT, code))
    name = f"commit {BEFORE}, before the leaner search"
    yield place.measured("default training with search", "s", now["seconds"], name, before["seconds"])
    yield place.measured("validation error (MAPE)", "%", 100 * now["error"], name, 100 * before["error"])


def _unpack(code: Path) -> None:
    code.mkdir()
    archive = code / "code.tar"
    command = ["git", "-C", str(_ROOT), "archive", "-o", str(archive), BEFORE, "core", "assets"]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        raise RuntimeError(f"git has no commit {BEFORE} here; run the book in a full clone")
    shutil.unpack_archive(archive, code)


def _train(root: Path, table: Path, rows_seen: int) -> dict[str, Any]:
    script = root / "training_only.py"
    if root != _ROOT:
        shutil.copy(_SCRIPT, script)
    else:
        script = _SCRIPT
    environment = os.environ | {"PYTHONPATH": str(root), "OMP_WAIT_POLICY": "PASSIVE"}
    run = subprocess.run(
        [sys.executable, str(script), str(table), str(rows_seen)],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise RuntimeError(f"the training in {root.name} failed: {run.stderr.strip()[-500:]}")
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found
