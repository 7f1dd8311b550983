"""The drivers of many homes, worked out in one batch, each as its own estimate has them."""

from __future__ import annotations

from collections.abc import Sequence

from core.problem import Problem
from core.serve.drivers import Drivers, compared, drivers
from core.serve.subject import Subject
from core.train.live_model import Valuer


def drivers_of(valuer: Valuer, subjects: Sequence[Subject], problem: Problem, level: float) -> list[Drivers]:
    """Return the drivers of homes that get a price, in order: those ``estimate`` gives each at ``level``."""
    if not subjects:
        return []
    these = compared(valuer.model, subjects)
    homes, count = these.priced, len(subjects)
    matrix = valuer.model.matrix(homes)
    log_price = valuer.log_estimate(homes, matrix)
    within = problem.success.within
    priced = valuer.priced(these.homes, matrix[:count], log_price[:count], (level,), within)[level]
    return drivers(these, log_price, priced.exact, priced.point)
