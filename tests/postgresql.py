"""A PostgreSQL server of the tests' own: one for all test processes, in a temporary folder, gone when they are.

TEST_DATABASE_URL names another server to use instead.
"""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.store.base.database import Database, parse_url
from core.store.base.migrate import ensure_schema
from core.store.base.processes import is_gone, mark_of
from core.store.base.tables import METADATA
from tests.made_once import alone, of_all_processes
from tests.patience import PATIENCE_SECONDS

GIVEN = os.environ.get("TEST_DATABASE_URL", "")
BOTH = ("sqlite", "postgresql")
ON_BOTH = pytest.mark.parametrize("database_kind", BOTH, indirect=True)
"""Marks a test whose store is on SQLite alone otherwise."""
ROOT = Path(__file__).resolve().parent.parent
# Nothing of this server has to outlive the tests, not even a power cut.
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "shared_buffers": "32MB",
    "max_connections": "300",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "jit": "off",
    "timezone": "America/Los_Angeles",  # the store keeps UTC, whatever the server's zone is
}


def server_url(factory: pytest.TempPathFactory) -> str:
    """Return the address of the server's first database, starting the server if this process is the first to ask.

    Where PostgreSQL is not installed, the test that asks is skipped, and fails in CI.
    """
    if GIVEN:
        return GIVEN
    programs = _programs()
    if programs is None:
        message = "PostgreSQL is not installed (Debian: apt-get install postgresql), so nothing is tested on it"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    address = of_all_processes(factory) / "postgresql.url"
    with alone(address.with_suffix(".lock")):
        if not address.exists():
            address.write_text(_start(programs, _run()))
    return address.read_text()


@contextmanager
def own_schema(server: str) -> Iterator[str]:
    """Make an empty schema, give the address of a database that consists of it, and remove it."""
    schema = f"t_{secrets.token_hex(6)}"
    engine = sa.create_engine(parse_url(server))
    with engine.begin() as connection:
        connection.execute(sa.text(f"create schema {schema}"))
    url = parse_url(server).update_query_dict({"options": f"-csearch_path={schema}"})
    yield url.render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(sa.text(f"drop schema {schema} cascade"))
    engine.dispose()


@contextmanager
def empty_database(kind: str, factory: pytest.TempPathFactory) -> Iterator[str | None]:
    """Give the address of an empty database of one of BOTH kinds; None is the SQLite file of the store's own folder."""
    if kind == "sqlite":
        yield None
        return
    with own_schema(server_url(factory)) as url:
        yield url


@contextmanager
def own_copy(server: str, template: str) -> Iterator[str]:
    """Copy the database ``template``, give the address of the copy, and remove it."""
    name = f"c_{secrets.token_hex(6)}"
    _run_alone(server, f"create database {name} template {template}")
    yield parse_url(server).set(database=name).render_as_string(hide_password=False)
    _run_alone(server, f"drop database {name} with (force)")


def template_of(server: str, name: str, home: Path, factory: pytest.TempPathFactory) -> str:
    """Return the name of a database with the rows of a SQLite store, copied once for all test processes."""
    made = of_all_processes(factory) / f"{name}.template"
    template = f"{name.replace('-', '_')}_{os.getpid()}"
    with alone(made.with_suffix(".lock")):
        if not made.exists():
            _run_alone(server, f"create database {template}")
            _copy_rows(home / "doorstep.sqlite", parse_url(server).set(database=template))
            made.write_text(template)
    return made.read_text()


def _copy_rows(source: Path, target: sa.URL) -> None:
    database = Database(target)
    ensure_schema(database)
    database.close()
    ours, theirs = sa.create_engine(f"sqlite:///{source}"), sa.create_engine(target)
    with ours.connect() as reading, theirs.begin() as writing:
        for table in METADATA.sorted_tables:
            rows = [dict(row) for row in reading.execute(sa.select(table)).mappings()]
            if rows:
                writing.execute(table.insert(), rows)
            key = table.autoincrement_column
            if rows and key is not None:
                highest = sa.select(sa.func.max(key)).scalar_subquery()
                sequence = sa.func.pg_get_serial_sequence(table.name, key.name)
                writing.execute(sa.select(sa.func.setval(sequence, highest)))
    ours.dispose()
    theirs.dispose()


def _run_alone(server: str, statement: str) -> None:
    engine = sa.create_engine(parse_url(server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


def _programs() -> Path | None:
    """The folder of PostgreSQL's programs, the newest of several; Debian keeps them out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    usual = shutil.which("initdb")
    return found[-1].parent if found else Path(usual).resolve().parent if usual else None


def _run() -> int:
    """The process of this test run, which all test processes belong to."""
    return os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()


def _account() -> str | None:
    """The account the server runs under: it refuses to run as root."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _start(programs: Path, run: int) -> str:
    # Not below the folder of this test run, which only its owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="doorstep-postgresql-"))
    try:
        return _start_in(folder, programs, run)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _start_in(folder: Path, programs: Path, run: int) -> str:
    account = _account()
    if account is not None:
        shutil.chown(folder, account, pwd.getpwnam(account).pw_gid)
    data = folder / "data"
    initdb = [
        str(programs / "initdb"),
        "-D",
        str(data),
        "-U",
        "doorstep",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]
    subprocess.run(initdb, check=True, user=account, cwd=folder, stdout=subprocess.DEVNULL)
    settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    server = [programs / "postgres", "-D", data, "-k", folder, *settings]
    order = {"command": [str(part) for part in server], "account": account, "folder": str(folder), "run": run}
    code = "import sys; from tests.postgresql import keep; keep(sys.argv[1])"
    # It outlives this process, and even a kill of the whole test run, by a moment only.
    subprocess.Popen([sys.executable, "-c", code, json.dumps(order)], cwd=ROOT, start_new_session=True)
    url = f"postgresql://doorstep@/postgres?host={folder}"
    _wait_for(url)
    return url


def _wait_for(url: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    engine = sa.create_engine(parse_url(url))
    while True:
        try:
            with engine.connect():
                break
        except sa.exc.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
    engine.dispose()


def keep(order: str) -> None:
    """Run the server until the test run is gone, then remove it: the main function of a process of its own."""
    asked = json.loads(order)
    mark = mark_of(asked["run"])
    log = (Path(asked["folder"]) / "log").open("wb")
    server = subprocess.Popen(asked["command"], user=asked["account"], cwd=asked["folder"], stdout=log, stderr=log)
    while server.poll() is None and not is_gone(mark):
        time.sleep(0.25)
    with suppress(ProcessLookupError):
        server.send_signal(signal.SIGQUIT)  # at once: nobody needs its data
    server.wait()
    shutil.rmtree(asked["folder"], ignore_errors=True)
