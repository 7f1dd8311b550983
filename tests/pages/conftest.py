"""A store with a small market and its live model, built once for all page tests and copied for those that change it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.problem import Problem
from tests.small_market import build_small_market


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory, problem: Problem) -> Path:
    """The home folder of the store; only to be read."""
    home = tmp_path_factory.mktemp("small-store") / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        build_small_market(home, tmp_path_factory.mktemp("small-files"), problem)
    return home


@pytest.fixture
def own_small_store(small_store: Path, tmp_path: Path) -> Path:
    """A copy of the small store that a test may change."""
    return Path(shutil.copytree(small_store, tmp_path / "own-store"))
