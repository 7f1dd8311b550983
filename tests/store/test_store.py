from __future__ import annotations

import ast
import multiprocessing
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from datetime import timedelta
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from core.errors import AlreadyExists, InvalidRecord, StoreUnavailable, in_full
from core.store import Market, Store, open_store
from core.store.base import database as database_module
from core.store.base.database import parse_url
from core.store.base.tables import METADATA, SCHEMA_REVISION
from core.store.base.views import drop_views
from tests.store.conftest import Address
from tests.store.samples import ANALYST, commit, open_and_create

ROOT = Path(__file__).resolve().parents[2]


def test_home_and_database_are_taken_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOORSTEP_HOME", str(tmp_path / "a home"))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'elsewhere.sqlite'}")
    with open_store() as store:
        assert store.home == tmp_path / "a home"
    assert (tmp_path / "elsewhere.sqlite").stat().st_size > 0
    assert not (tmp_path / "a home" / "doorstep.sqlite").exists()


def test_what_was_written_is_there_after_reopening(address: Address, store: Store, market: Market) -> None:
    store.close()
    with open_store(address.home, address.url) as again:
        assert again.markets.list() == [market]
        assert again.markets.get(market.market_id).created_at.utcoffset() == timedelta(0)


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_folders_and_files_are_private(tmp_path: Path) -> None:
    open_store(tmp_path / "home").close()
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "home", *(tmp_path / "home").iterdir()]}
    assert len(modes) >= 6
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}


def test_opening_does_not_import_alembic(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom core.store import open_store\n"
        "for _ in range(2):\n    open_store(Path(sys.argv[1])).close()\n"
        "print('alembic' in sys.modules)"
    )
    run = [sys.executable, "-c", code, str(tmp_path / "home")]
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    shown = subprocess.run(run, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "False"


def test_a_store_that_is_behind_is_migrated_to_the_tables_of_the_code(address: Address) -> None:
    engine = address.engine()
    address.home.mkdir()
    with engine.begin() as connection:  # alembic's form of a store to which no revision was applied yet
        connection.execute(sa.text("create table alembic_version (version_num varchar(32) not null)"))
    open_store(address.home, address.url).close()
    with engine.connect() as connection:
        assert connection.scalars(sa.text("select version_num from alembic_version")).all() == [SCHEMA_REVISION]
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        migrated = _checks(connection)
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
        assert _checks(connection) == migrated
        assert any(migrated.values())
    engine.dispose()


def _checks(connection: sa.Connection) -> dict[str, set[tuple[str | None, str]]]:
    inspector = sa.inspect(connection)
    return {
        table: {(check["name"], check["sqltext"]) for check in inspector.get_check_constraints(table)}
        for table in METADATA.tables
    }


def test_a_newer_store_is_refused_and_left_alone(address: Address, store: Store, market: Market) -> None:
    store.close()
    engine = address.engine()
    with engine.begin() as connection:
        connection.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(StoreUnavailable, match=r"newer Doorstep \(schema 9999"):
        open_store(address.home, address.url)
    with engine.begin() as connection:
        assert connection.scalar(sa.text("select version_num from alembic_version")) == "9999"
        assert connection.scalar(sa.text("select count(*) from market")) == 1
    engine.dispose()


def test_processes_that_open_a_new_store_together_both_succeed(address: Address, processes: ForkServerContext) -> None:
    workers = [
        processes.Process(target=open_and_create, args=(address.home, address.url, f"City {number}"))
        for number in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    with open_store(address.home, address.url) as store:
        assert len(store.markets.list()) == 4


def test_threads_share_a_store(store: Store) -> None:
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            for part in range(5):
                store.markets.create(f"City {number} {part}", "USD", "sqft", False, ANALYST)
                store.events.list(limit=3)
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert len(store.markets.list()) == 30


@pytest.mark.skipif(os.name != "posix", reason="fork is POSIX")
def test_a_forked_process_gets_connections_of_its_own(address: Address, store: Store) -> None:
    store.markets.list()

    def child() -> None:
        with store._database.read() as connection:
            assert connection.info["pid"] == os.getpid()
        store.markets.create("Made by the child", "USD", "sqft", False, ANALYST)

    worker = multiprocessing.get_context("fork").Process(target=child)
    worker.start()
    worker.join(60)
    assert worker.exitcode == 0
    assert [market.name for market in store.markets.list()] == ["Made by the child"]


def test_a_locked_database_is_reported_and_nothing_changes(tmp_path: Path) -> None:
    store = open_store(tmp_path, f"sqlite:///{tmp_path / 'doorstep.sqlite'}?timeout=0.1")
    blocker = sa.create_engine(f"sqlite:///{tmp_path / 'doorstep.sqlite'}")
    with blocker.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="another process has been writing"):
            store.markets.create("Blocked", "USD", "sqft", False, ANALYST)
        assert store.markets.list() == []
        connection.exec_driver_sql("ROLLBACK")
    store.markets.create("Free again", "USD", "sqft", False, ANALYST)
    store.close()
    blocker.dispose()


def test_a_home_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnavailable, match="cannot be read or written"):
        open_store(tmp_path / "file" / "home")


def test_a_damaged_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / "doorstep.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreUnavailable, match="restore it from a backup"):
        open_store(tmp_path)


@pytest.mark.parametrize("url", ["nonsense", "postgresql://user:secret@127.0.0.1:1/none", "oracle+none://secret@x/y"])
def test_a_database_that_is_not_there_is_reported_without_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        open_store(tmp_path, url)
    assert "secret" not in str(caught.value).replace("oracle+none://secret", "")


def test_a_message_names_no_user_host_or_driver_and_its_detail_does(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        open_store(tmp_path, "postgresql://dora:secret@127.0.0.1:1/prices")
    assert str(caught.value) == (
        "The database cannot be used: check that it is running and reachable, then try again. Nothing was changed."
    )
    assert "dora:***@127.0.0.1:1/prices" in in_full(caught.value)
    assert "secret" not in in_full(caught.value)


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("disk I/O error", "the disk is full or failing; free some disk space"),
        ("database or disk is full", "free some disk space"),
        ("database is locked", "another process has been writing"),
        ("database disk image is malformed", "restore it from a backup"),
        ("attempt to write a readonly database", "the right to write there"),
    ],
)
def test_each_failure_names_its_remedy(tmp_path: Path, reason: str, remedy: str) -> None:
    with open_store(tmp_path) as store:
        database = store.markets._database
        with pytest.raises(StoreUnavailable, match=remedy), database.write():
            raise sa.exc.OperationalError("", None, sqlite3.OperationalError(reason))


@pytest.mark.parametrize("left", ["nothing", "an empty file"])
def test_sales_and_models_without_their_database_are_refused(
    address: Address, store: Store, market: Market, left: str
) -> None:
    commit(store, market.market_id)
    store.close()
    if address.url is None:
        for path in address.home.glob("doorstep.sqlite*"):
            path.unlink()
        if left == "an empty file":
            (address.home / "doorstep.sqlite").touch()
    else:
        engine = address.engine()
        with engine.begin() as connection:
            drop_views(connection)
            METADATA.drop_all(connection)
            connection.execute(sa.text("drop table alembic_version"))
        engine.dispose()
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="artifacts without database"):
            open_store(address.home, address.url)


def test_every_spelling_of_postgresql_uses_psycopg() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        assert parse_url(f"{scheme}://u:p@h/d").drivername == "postgresql+psycopg"


def test_markets_are_found_by_slug(store: Store) -> None:
    made = store.markets.create("  São   Paulo / Centro ", "BRL", "sqm", False, ANALYST)
    assert (made.market_id, made.name) == ("sao-paulo-centro", "São Paulo / Centro")
    assert store.markets.get("sao-paulo-centro") == made
    assert store.markets.create("東京", "JPY", "sqm", True, ANALYST).market_id.startswith("market-")
    with pytest.raises(AlreadyExists, match="sao-paulo-centro"):
        store.markets.create("Sao Paulo Centro", "BRL", "sqm", False, ANALYST)
    assert [event.action for event in store.events.list()] == ["market.created"] * 2


@pytest.mark.parametrize(
    ("name", "currency", "unit", "named"),
    [
        ("", "USD", "sqft", "name"),
        ("x" * 81, "USD", "sqft", "81"),
        ("A", "usd", "sqft", "usd"),
        ("A", "USD", "m", "'m'"),
    ],
)
def test_impossible_markets_are_refused(store: Store, name: str, currency: str, unit: str, named: str) -> None:
    with pytest.raises(InvalidRecord, match=named):
        store.markets.create(name, currency, unit, False, ANALYST)  # type: ignore[arg-type]
    assert store.markets.list() == []


def test_core_store_imports_nothing_of_the_phases() -> None:
    allowed = {
        "access",
        "accounting",
        "arrays",
        "errors",
        "progress",
        "schema",
        "problem",
        "measures",
        "states",
        "store",
    } | {
        "spreadsheet",
        "wording",
    }
    for path in (ROOT / "core" / "store").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            module = node.module if isinstance(node, ast.ImportFrom) else None
            if module and module.startswith("core."):
                assert module.split(".")[1] in allowed, path


def test_busy_seconds_are_what_sqlite_waits(tmp_path: Path) -> None:
    made = database_module.Database(database_module.sqlite_url(tmp_path / "x.sqlite"))
    with made.read() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("busy_timeout", "journal_mode", "foreign_keys")
        ]
    made.close()
    assert pragmas == [database_module.BUSY_SECONDS * 1000, "wal", 1]
