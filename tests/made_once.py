"""Folders that are dear to make: the first test process to ask makes one, and each process gets a copy of its own."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def copy_of(name: str, factory: pytest.TempPathFactory, make: Callable[[Path], object]) -> Path:
    """Return this process's copy of the folder ``name``, which ``make`` creates at the path it is given."""
    original = of_all_processes(factory) / name
    with alone(original.with_suffix(".lock")):
        if not original.exists():
            made = factory.mktemp(name) / "made"
            make(made)
            made.rename(original)
    return Path(shutil.copytree(original, factory.mktemp(name) / "home"))


def of_all_processes(factory: pytest.TempPathFactory) -> Path:
    """The folder of this test run; within it pytest-xdist gives each of its processes one."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock file; others wait, and get it too if this process dies."""
    with path.open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
