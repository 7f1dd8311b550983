"""Long work: progress reports to a waiting person, and processes that end with the one that started them."""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

Progress = Callable[[float, str], None]
"""Called with the fraction done (0 to 1) and the current step; may raise JobCancelled to stop the work."""

NICENESS: Final = 5
"""How far long work stands back on the processor: agents' pages take priority."""

_LEAST_DONE: Final = 0.05
_LEAST_SECONDS: Final = 5.0
# How far the expected fraction may run ahead of the reported one, and how slowly work goes that has not reported yet.
AHEAD: Final = 0.05
_SLOWEST: Final = 0.002
# How slowly a bar that ran ahead goes on, a second: about one pixel.
_CREEP: Final = 0.001
_SPREAD: Final = (0.7, 1.5)
_EVERY_SECONDS: Final = 0.5
_GROUP_SECONDS: Final = 2.0
_PR_SET_PDEATHSIG: Final = 1


def silent(fraction: float, message: str) -> None:
    """Report nothing."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """Return a progress whose range 0 to 1 maps to ``start`` to ``end`` of another."""

    def report(fraction: float, message: str) -> None:
        progress(start + (end - start) * min(max(fraction, 0.0), 1.0), message)

    return report


def under(progress: Progress, message: str) -> Progress:
    """Return a progress that reports every step under one message, without the names that a visitor has not seen."""
    return lambda fraction, _: progress(fraction, message)


def time_left(fraction: float, seconds: float) -> str:
    """Say in words how much longer work may take of which a fraction took these seconds; empty while that says little.

    The steps of a work differ in length, so that the words are a range; it follows what is measured.
    """
    if not _LEAST_DONE <= fraction < 1.0 or seconds < _LEAST_SECONDS:
        return ""
    left = seconds * (1.0 - fraction) / fraction
    if left * _SPREAD[1] < 60.0:
        return "less than a minute left"
    low, high = (round(left * factor / 60.0) for factor in _SPREAD)
    if high <= 1:
        return "about a minute left"
    return f"about {max(1, low)} to {max(2, high)} min left"


def expected_fraction(fraction: float, seconds: float, quiet: float) -> float:
    """Return how far work is by now that ran for ``seconds`` and last reported its fraction ``quiet`` seconds ago.

    Work reports when a step ends. Until the next one ends it is taken to go on at its pace so far, ever more slowly, by
    at most ``AHEAD``.
    """
    if not 0.0 <= fraction < 1.0 or quiet <= 0.0:
        return fraction
    pace = max(fraction / max(seconds - quiet, 1.0), _SLOWEST)
    return min(fraction + AHEAD * (1.0 - math.exp(-pace * quiet / AHEAD)), (1.0 + fraction) / 2.0)


def shown_fraction(reported: float, expected: float, before: float, seconds: float) -> float:
    """Return what a bar shows that showed ``before`` some ``seconds`` ago; it never falls while the work goes on.

    Where it ran ahead of the work it goes on slowly, by at most ``AHEAD`` of the fraction ``reported``.
    """
    if expected >= before:
        return expected
    return max(before, min(before + _CREEP * seconds, reported + AHEAD, 1.0))


def when_parent_ends(parent: int, ending: Callable[[], object]) -> None:
    """Call ``ending`` in a thread of its own once the process ``parent``, which started this one, is gone.

    Asking for the parent works from any thread. The kernel's signal (``die_with_parent``) does not: it comes when the
    thread that started this process ends, and the threads of a web server end all the time.
    """
    if os.name != "posix":  # elsewhere a process keeps the id of a parent that is gone
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_EVERY_SECONDS)
        ending()

    threading.Thread(target=watch, name="parent watch", daemon=True).start()


def die_with_parent(parent: int) -> None:
    """End this process with the process ``parent``, whose starting thread must live as long as it does.

    On Linux the kernel does it, however busy this process is. What this one started in turn watches it the same way.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    end_with_starter(parent)


def end_with_starter(parent: int) -> None:
    """End this process once ``parent`` is gone; joblib's processes begin with it (core/parallel/calls.py)."""
    when_parent_ends(parent, lambda: os.kill(os.getpid(), signal.SIGKILL))


def end_group(leader: int, join: Callable[[], object]) -> None:
    """End a process and the group it leads; ``join`` waits for the process itself.

    It is killed. The others are first asked: joblib's tracker of shared memory must outlive them to remove what they
    shared, and then ends, too.
    """
    _signal_group(leader, signal.SIGTERM)
    with contextlib.suppress(ProcessLookupError):
        os.kill(leader, signal.SIGKILL)
    join()
    end = time.monotonic() + _GROUP_SECONDS
    while _signal_group(leader, 0):
        if time.monotonic() > end:
            _signal_group(leader, signal.SIGKILL)
            return
        time.sleep(_GROUP_SECONDS / 40)


def _signal_group(leader: int, number: int) -> bool:
    """Send a signal to the group; False if it has nobody left."""
    try:
        os.killpg(leader, number)
    except ProcessLookupError:
        return False
    return True
