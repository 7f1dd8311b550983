"""What every test may ask for: the problem statement, a fresh store and the real sales files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.problem import Problem, load_problem

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def problem() -> Problem:
    """The shipped problem statement."""
    return load_problem()


@pytest.fixture(scope="session")
def sales_data() -> Path:
    """The folder of real sales files; its tests are skipped, and say so, where it does not exist."""
    folder = Path(os.environ.get("SALES_DATA_DIR", ROOT / ".." / "shared" / "data")).resolve()
    if not folder.is_dir():
        message = f"real sales data not found at {folder}; set SALES_DATA_DIR to run these tests"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
