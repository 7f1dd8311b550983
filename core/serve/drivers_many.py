"""The drivers of many homes, computed in one batch; each home gets the same drivers as from its own estimate."""

from __future__ import annotations

from collections.abc import Sequence

from core.problem import Problem
from core.serve.drivers import Drivers, compared, drivers
from core.serve.subject import Subject
from core.train.live_model import LiveModel


def drivers_of(live_model: LiveModel, subjects: Sequence[Subject], problem: Problem, level: float) -> list[Drivers]:
    """Return the drivers of priced homes, in order: the same as ``estimate`` gives each at ``level``."""
    if not subjects:
        return []
    these = compared(live_model.model, subjects)
    homes, count = these.priced, len(subjects)
    matrix = live_model.model.matrix(homes)
    log_price = live_model.log_estimate(homes, matrix)
    tolerance = problem.success.tolerance
    priced = live_model.priced(these.homes, matrix[:count], log_price[:count], (level,), tolerance)[level]
    return drivers(these, log_price, priced.exact, priced.point)
