"""A workspace for tests: somebody acting on a store, with the shipped problem statement unless another is given."""

from __future__ import annotations

from datetime import date
from functools import cache

from core.access import Actor, Role
from core.problem import Problem, load_problem
from core.store import Store
from core.workspace import Workspace

_shipped = cache(load_problem)
_ANYBODY = Actor("Mia", Role.MANAGER)


def acting(
    store: Store, actor: Actor = _ANYBODY, problem: Problem | None = None, today: date | None = None
) -> Workspace:
    """Return what ``actor`` works with, on a fixed day where ``today`` is given."""
    workspace = Workspace(store, problem or _shipped(), actor)
    return workspace if today is None else workspace.at(today)
