"""The start of the program: the command line's help, and a server from nothing to its first paint."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from statistics import median
from typing import Final

from tests.benchmarks.book.browser import EMPTY, chromium, cold_start, empty_program
from tests.benchmarks.book.measurement import Measurement
from tests.benchmarks.book.place import Place

_REPEATS: Final = 3
_STEPS: Final = (
    ("the first answer", attrgetter("answer")),
    ("first paint", attrgetter("paint")),
    ("the first page", attrgetter("drawn")),
)


def measure(place: Place) -> Iterator[Measurement]:
    """Yield processor seconds of the help, and seconds to the first paint."""
    plain = "python -c 'import pandas'"
    beside = _processor_seconds("-c", "import pandas")
    yield place.measured("--help, processor time", "s", _processor_seconds("-m", "core", "--help"), plain, beside)
    with tempfile.TemporaryDirectory(prefix="doorstep-book-", dir=place.out) as folder, chromium() as browser:
        homes = [Path(folder) / str(number) for number in range(_REPEATS)]
        program = empty_program(Path(folder) / "empty")
        empty = [cold_start(browser, home, program) for home in homes]
        ours = [cold_start(browser, home.with_suffix(".ours")) for home in homes]
    for name, step in _STEPS:
        value, beside = median(map(step, ours)), median(map(step, empty))
        note = f"an empty store; the median of {_REPEATS}"
        yield place.measured(f"cold start to {name}", "s", value, EMPTY, beside, note)


def _processor_seconds(*words: str) -> float:
    """Return the median processor seconds of a Python process."""
    found = []
    for _ in range(_REPEATS):
        before = _children()
        subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True, env=dict(os.environ))
        found.append(_children() - before)
    return median(found)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
