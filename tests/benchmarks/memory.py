"""Peak memory of this process and all its descendants, sampled from /proc."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Peak:
    """The largest resident memory seen so far, in bytes."""

    def __init__(self) -> None:
        self.bytes = 0


@contextmanager
def peak_memory(every_seconds: float = 0.25) -> Iterator[Peak]:
    """Sample while the block runs; shared pages are counted once per process, so the figure errs on the high side."""
    peak, stop = Peak(), threading.Event()

    def sample() -> None:
        while not stop.wait(every_seconds):
            peak.bytes = max(peak.bytes, _tree_bytes(os.getpid()))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def _tree_bytes(root: int) -> int:
    parents, resident = {}, {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            status = (entry / "stat").read_text()
            pages = (entry / "statm").read_text().split()[1]
        except OSError:
            continue
        pid = int(entry.name)
        parents[pid] = int(status.rpartition(")")[2].split()[1])
        resident[pid] = int(pages) * _PAGE
    family, grown = {root}, True
    while grown:
        children = {pid for pid, parent in parents.items() if parent in family} - family
        family |= children
        grown = bool(children)
    return sum(resident.get(pid, 0) for pid in family)
