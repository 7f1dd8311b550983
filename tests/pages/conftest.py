"""A small market and its live model for page tests, to be read or, as a copy, to be changed."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner

from tests.made_once import copy_of
from tests.pages.made_stores import make_trained


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no page start a worker: jobs wait until a test moves them on."""
    monkeypatch.setenv("DOORSTEP_WORKER", "external")


@pytest.fixture(scope="session", autouse=True)
def _components_looked_for_once() -> Iterator[None]:
    """Keep what Streamlit finds in the installed packages, which each AppTest would read anew for a quarter second."""
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", once)
        yield


@pytest.fixture
def small_store(small_home: Path) -> Path:
    """The home folder of the store; only to be read."""
    return small_home


@pytest.fixture
def own_small_store(small_home: Path, tmp_path: Path) -> Path:
    """A copy of the small store that a test may change."""
    return Path(shutil.copytree(small_home, tmp_path / "own-store"))


@pytest.fixture(scope="session")
def trained_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder of a store with a market and two small models; copy it before changing it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        return copy_of("two-models", tmp_path_factory, make_trained)
