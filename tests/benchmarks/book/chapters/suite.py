"""The test suite: how long it takes, on what its processor time goes, and which folders take it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from tests.benchmarks.book.measurement import Measurement
from tests.benchmarks.book.place import Place
from tests.benchmarks.processes import processor_time

WHOLE: Final = "the whole suite"
FOLDERS: Final = ("browser", "workflows", "pages", "collect", "train", "store")
"""The folders with most of the work, each measured in seconds of a test process."""

_ROOT: Final = Path(__file__).resolve().parents[4]
_REST: Final = "the rest"


def measure(place: Place) -> Iterator[Measurement]:
    """Yield seconds of a run as CI does it, processor seconds by kind of program, and worker seconds by folder."""
    with tempfile.TemporaryDirectory(prefix="suite-", dir=place.out) as folder, processor_time() as spent:
        report = Path(folder) / "report.xml"
        words = [sys.executable, "-m", "pytest", f"--junitxml={report}"]
        environment = {**os.environ, "CI": "true"}
        started = time.perf_counter()
        done = subprocess.run(words, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        seconds = time.perf_counter() - started
        if done.returncode:
            raise RuntimeError(f"the suite failed: {done.stdout[-2_000:]}")
        tests, by_folder = _report(report)
    cores = os.cpu_count() or 1
    whole = sum(spent.by_kind.values())
    busy = f"{tests:,} tests; its programs kept {cores} cores busy {whole / (cores * seconds):.0%} of the time"
    yield place.measured(WHOLE, "s", seconds, note=busy)
    for name in (*FOLDERS, _REST):
        yield place.measured(name, "s", by_folder[name], note="seconds of all test processes together")
    for kind, processor_seconds in spent.by_kind.items():
        yield place.measured(f"processor time: {kind}", "CPU s", processor_seconds)


def _report(path: Path) -> tuple[int, dict[str, float]]:
    """Return the number of tests and the seconds by folder."""
    found = defaultdict[str, float](float)
    cases = list(ElementTree.parse(path).getroot().iter("testcase"))
    for case in cases:
        folder = case.get("classname", "").split(".")[1]
        found[folder if folder in FOLDERS else _REST] += float(case.get("time", 0))
    return len(cases), found
