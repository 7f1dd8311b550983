"""Tells this process from others, and whether the process that owned a piece of work is gone."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProcessMark:
    """Where and who a process is; ``started`` tells it from a later one of the same pid (empty where unknown)."""

    host: str
    pid: int
    started: str


def this_process() -> ProcessMark:
    """Return the mark of the running process."""
    return ProcessMark(socket.gethostname(), os.getpid(), _started(os.getpid()))


def may_be_alive(mark: ProcessMark) -> bool:
    """Tell whether the process is known to run on this host; one of another host, or unknowable, is not known to."""
    if mark.host != socket.gethostname() or not _exists(mark.pid):
        return False
    return _started(mark.pid) == mark.started


def _exists(pid: int) -> bool:
    if os.name != "posix":  # os.kill(pid, 0) would end the process on Windows
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _started(pid: int) -> str:
    """Return the kernel's start time of the process where /proc has it, else nothing."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    # Counted after the name in brackets, which may hold spaces: field 3 is the state, field 22 the start time.
    return "" if fields[0] == "Z" else fields[19]
