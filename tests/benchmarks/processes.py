"""What this process and its descendants use, sampled from /proc: peak memory, and processor time by kind of program."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
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
# Places among the fields of /proc/PID/stat behind the name of the program (proc(5)).
_PARENT, _USER_TIME, _SYSTEM_TIME, _STARTED, _RESIDENT = 1, 11, 12, 19, 21

Status = Mapping[int, list[str]]
"""The fields of each process's status behind the name of its program, by its number."""


class Peak:
    """The largest resident memory seen so far, in bytes."""

    def __init__(self) -> None:
        self.bytes = 0

    def look(self, status: Status) -> None:
        """Sample once; shared pages are counted once per process, so the figure errs on the high side."""
        family = _family(status, {os.getpid()})
        self.bytes = max(self.bytes, _PAGE * sum(int(status[pid][_RESIDENT]) for pid in family if pid in status))


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

    def look(self, status: Status) -> None:
        """Note what each descendant has spent; one whose parent ended stays a descendant."""
        own = os.getpid()
        for pid in _family(status, {own, *(pid for pid, _ in self.kinds)}) - {own}:
            if pid not in status:
                continue
            fields = status[pid]
            key = (pid, fields[_STARTED])
            if key not in self.kinds:
                self.kinds[key] = _kind(pid)
            self.seconds[key] = (int(fields[_USER_TIME]) + int(fields[_SYSTEM_TIME])) / _TICKS


@contextmanager
def peak_memory(every_seconds: float = 0.25) -> Iterator[Peak]:
    """Sample the memory while the block runs."""
    peak = Peak()
    with _sampled(peak.look, every_seconds):
        yield peak


@contextmanager
def processor_time(every_seconds: float = 0.5) -> Iterator[ProcessorTime]:
    """Sample the processor time while the block runs; what a process does after its last sample is not counted."""
    spent = ProcessorTime()
    with _sampled(spent.look, every_seconds):
        yield spent


@contextmanager
def _sampled(look: Callable[[Status], None], every_seconds: float) -> Iterator[None]:
    stop = threading.Event()

    def sample() -> None:
        while not stop.wait(every_seconds):
            look(dict(_all_processes()))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _all_processes() -> Iterator[tuple[int, list[str]]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield int(entry.name), (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue


def _family(status: Status, first: Iterable[int]) -> set[int]:
    """Return some processes with all their descendants."""
    family, grown = set(first), True
    while grown:
        children = {pid for pid, fields in status.items() if int(fields[_PARENT]) in family} - family
        family |= children
        grown = bool(children)
    return family


def _kind(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return _OTHER
    return next((kind for part, kind in _KINDS if part in command), _OTHER)
