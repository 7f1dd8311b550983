"""How the model card writes figures with their intervals, and targets."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Final

from core.evaluate.accuracy import Figure
from core.evaluate.targets import Target
from core.wording import MISSING, percent, signed_percent

_SETTINGS: Final[Mapping[str, str]] = {
    "n_estimators": "trees",
    "max_iter": "trees",
    "learning_rate": "learning rate",
    "num_leaves": "leaves a tree",
    "max_leaf_nodes": "leaves a tree",
    "max_features": "share of facts a split",
    "min_samples_leaf": "least sales a leaf",
    "max_depth": "depth",
    "alpha": "penalty",
}


def settings_words(stored: str) -> str:
    """Write a candidate's settings as a model's card stores them in words: "trees 300, learning rate 0.12"."""
    return re.sub(r"[a-z_]+", lambda name: _SETTINGS.get(name[0], name[0]), stored)


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
