"""A fresh store for each test, on SQLite and on PostgreSQL."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.store import Market, Store, open_store
from core.store.base.database import parse_url
from tests.postgresql import BOTH, empty_database
from tests.store.samples import ANALYST


@dataclass(frozen=True)
class Address:
    """Where a test's store is; url is None for SQLite."""

    home: Path
    url: str | None

    def engine(self) -> sa.Engine:
        """A way into the database past the store, to damage or inspect it."""
        return sa.create_engine(parse_url(self.url) if self.url else f"sqlite:///{self.home / 'doorstep.sqlite'}")


@pytest.fixture(params=BOTH)
def address(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Address]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with empty_database(request.param, tmp_path_factory) as url:
        yield Address(tmp_path / "home", url)


@pytest.fixture
def store(address: Address, empty_home: Path) -> Iterator[Store]:
    if address.url is None:
        shutil.copytree(empty_home, address.home)
    with open_store(address.home, address.url) as opened:
        yield opened


@pytest.fixture
def market(store: Store) -> Market:
    return store.markets.create("King's Landing", "USD", "sqft", True, ANALYST)


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Starts processes that have the store imported already, so that a kill meets it at work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.store.samples"])
    return context
