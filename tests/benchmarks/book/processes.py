"""Processor time of all descendants of this process by kind of program, sampled from /proc."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_OTHER: Final = "other programs"
# What a command line must contain, the first match counts; a page's server is Streamlit's, fits are joblib's.
_KINDS: Final = (
    ("chrom", "browser"),
    ("playwright", "browser's driver"),
    ("streamlit", "servers of the dashboard"),
    ("loky", "fits side by side"),
    ("postgres", "PostgreSQL"),
    ("distributed", "cluster"),
    ("multiprocessing", "processes that tests start"),
    ("execnet", "test processes"),
    ("import sys;exec", "test processes"),
    ("pytest", "test processes"),
)


@dataclass
class ProcessorTime:
    """Seconds of processor time by process, as last seen; a process counts under the kind it had when it was met."""

    kinds: dict[tuple[int, str], str] = field(default_factory=dict)
    seconds: dict[tuple[int, str], float] = field(default_factory=dict)

    @property
    def by_kind(self) -> dict[str, float]:
        """The seconds by kind of program, the most first."""
        found = defaultdict[str, float](float)
        for key, spent in self.seconds.items():
            found[self.kinds[key]] += spent
        return dict(sorted(found.items(), key=lambda one: -one[1]))


@contextmanager
def processor_time(every_seconds: float = 0.5) -> Iterator[ProcessorTime]:
    """Sample while the block runs; what a process does after its last sample is not counted."""
    spent, stop = ProcessorTime(), threading.Event()

    def sample() -> None:
        while not stop.wait(every_seconds):
            _look(spent, os.getpid())

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield spent
    finally:
        stop.set()
        thread.join()


def _look(spent: ProcessorTime, root: int) -> None:
    """Note what each descendant has spent; one whose parent ended stays a descendant."""
    status = dict(_all_processes())
    family = {root} | {pid for pid, _ in spent.kinds}
    grown = True
    while grown:
        children = {pid for pid, fields in status.items() if int(fields[1]) in family} - family
        family |= children
        grown = bool(children)
    for pid in family - {root}:
        if pid not in status:
            continue
        fields = status[pid]
        key = (pid, fields[19])
        if key not in spent.kinds:
            spent.kinds[key] = _kind(pid)
        spent.seconds[key] = (int(fields[11]) + int(fields[12])) / _TICKS


def _all_processes() -> Iterator[tuple[int, list[str]]]:
    """Yield each process's number and the fields of its status from the third on (proc(5))."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield int(entry.name), (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue


def _kind(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return _OTHER
    return next((kind for part, kind in _KINDS if part in command), _OTHER)
