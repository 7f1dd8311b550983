"""Identifies this process, and finds out whether the process that owned a piece of work is gone."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProcessMark:
    """A process's host and pid; ``started`` tells it from a later process with the same pid (empty if unknown)."""

    host: str
    pid: int
    started: str


def this_process() -> ProcessMark:
    """Return the mark of the running process."""
    return mark_of(os.getpid())


def mark_of(pid: int) -> ProcessMark:
    """Return the mark of a process on this host."""
    return ProcessMark(socket.gethostname(), pid, _started(pid))


def may_be_alive(mark: ProcessMark) -> bool:
    """Return True if the process is known to run on this host; False if it runs elsewhere or cannot be checked."""
    if mark.host != socket.gethostname() or not _exists(mark.pid):
        return False
    return _started(mark.pid) == mark.started


def is_gone(mark: ProcessMark) -> bool:
    """Return True if the process ran on this host and is known to have ended."""
    return mark.host == socket.gethostname() and os.name == "posix" and not may_be_alive(mark)


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
    """Return the process's start time from /proc, or "" if there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    # Count after the parenthesized name, which may contain spaces: field 3 is the state, field 22 the start time.
    return "" if fields[0] == "Z" else fields[19]
