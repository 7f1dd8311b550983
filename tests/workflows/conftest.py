"""Stores for the tests of use cases: on SQLite, and on PostgreSQL too where a test asks for both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.store import Store, open_store
from tests.postgresql import empty_database, own_copy, server_url, template_of


@pytest.fixture(params=["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """SQLite, and PostgreSQL too for the tests ON_BOTH: use cases hold no SQL; tests/store runs all on both."""
    return str(request.param)


@pytest.fixture
def store(
    database_kind: str,
    empty_home: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Store]:
    """A fresh store, empty, on a database which is that of the environment."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with empty_database(database_kind, tmp_path_factory) as url:
        if url is None:
            shutil.copytree(empty_home, tmp_path / "home")
        else:
            monkeypatch.setenv("DATABASE_URL", url)
        with open_store(tmp_path / "home") as opened:
            yield opened


@pytest.fixture
def small_home_of_kind(
    database_kind: str,
    small_home: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """The folder of a store of the test's own with the small market; its database is the one of the environment."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    if database_kind == "sqlite":
        yield Path(shutil.copytree(small_home, tmp_path / "home"))
        return
    server = server_url(tmp_path_factory)
    with own_copy(server, template_of(server, "small-market", small_home, tmp_path_factory)) as url:
        monkeypatch.setenv("DATABASE_URL", url)
        yield Path(shutil.copytree(small_home, tmp_path / "home", ignore=shutil.ignore_patterns("doorstep.sqlite*")))
