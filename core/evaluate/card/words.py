"""How the model card writes figures with their intervals, and targets."""

from __future__ import annotations

import math
from collections.abc import Callable

from core.evaluate.accuracy import Figure
from core.evaluate.targets import Target
from core.wording import MISSING, percent, signed_percent


def share(figure: Figure) -> str:
    """Write a share with its interval: "8.3% (8.0% to 8.6%)"."""
    return _with_interval(figure, lambda value: percent(value, 1))


def signed(figure: Figure) -> str:
    """Write a share with its sign: "+1.2% (+0.4% to +2.0%)"."""
    return _with_interval(figure, lambda value: signed_percent(value, 1))


def plain(figure: Figure, digits: int) -> str:
    """Write a number with its interval: "0.98 (0.97 to 1.00)"."""
    return _with_interval(figure, lambda value: _number(value, digits))


def limit(value: float) -> str:
    """Write a limit without trailing digits."""
    return f"{value:g}".replace("-", "−")


def target(bounds: Target | None, write: Callable[[float], str]) -> str:
    """Write a figure's target: "at most 10%", "0.9 to 1.1"."""
    if bounds is None:
        return MISSING
    if math.isinf(bounds.low):
        return f"at most {write(bounds.high)}"
    return f"{write(bounds.low)} to {write(bounds.high)}"


def _with_interval(figure: Figure, write: Callable[[float], str]) -> str:
    if math.isnan(figure.value):
        return MISSING
    known = math.isfinite(figure.low) and math.isfinite(figure.high)
    return write(figure.value) + (f" ({write(figure.low)} to {write(figure.high)})" if known else "")


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")
