"""Progress reports from long work to a waiting person."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with the fraction done (0 to 1) and the current step; may raise JobCancelled to stop the work."""


def silent(fraction: float, message: str) -> None:
    """Report nothing."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """Return a progress whose range 0 to 1 maps to ``start`` to ``end`` of another."""

    def report(fraction: float, message: str) -> None:
        progress(start + (end - start) * min(max(fraction, 0.0), 1.0), message)

    return report
