"""Stores for the tests of use cases, on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.store import Store, open_store
from tests.postgresql import BOTH, empty_database, own_copy, server_url, template_of


@pytest.fixture(params=BOTH)
def store(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Store]:
    """A fresh store, empty."""
    with fresh_store(request.param, tmp_path, tmp_path_factory, monkeypatch) as opened:
        yield opened


@contextmanager
def fresh_store(
    kind: str, folder: Path, factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    """Open an empty store in ``folder`` on a database of one of BOTH kinds, which is that of the environment."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with empty_database(kind, factory) as url:
        if url is not None:
            monkeypatch.setenv("DATABASE_URL", url)
        with open_store(folder / "home") as opened:
            yield opened


@pytest.fixture(params=BOTH)
def small_home_on_both(
    request: pytest.FixtureRequest,
    small_home: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """The folder of a store of the test's own with the small market; its database is the one of the environment."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    if request.param == "sqlite":
        yield Path(shutil.copytree(small_home, tmp_path / "home"))
        return
    server = server_url(tmp_path_factory)
    with own_copy(server, template_of(server, "small-market", small_home, tmp_path_factory)) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        yield Path(shutil.copytree(small_home, tmp_path / "home", ignore=shutil.ignore_patterns("doorstep.sqlite*")))
