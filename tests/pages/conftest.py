"""A small market and its live model for page tests, to be read or, as a copy, to be changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def small_store(small_home: Path) -> Path:
    """The home folder of the store; only to be read."""
    return small_home


@pytest.fixture
def own_small_store(small_home: Path, tmp_path: Path) -> Path:
    """A copy of the small store that a test may change."""
    return Path(shutil.copytree(small_home, tmp_path / "own-store"))
