"""Backup and restore: a restored store answers the same to the last bit, and nothing is restored by half."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import signal
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.cli.main import main
from core.errors import AccessDenied, ArtifactCorrupt, FileNotWritten, FileUnreadable, InvalidRecord
from core.problem import Problem, load_problem
from core.serve.document import to_document
from core.serve.estimate import Estimate
from core.serve.typical_home import typical_home
from core.states import AuditAction
from core.store import EstimateRecord, Store, open_store
from core.store.sales.snapshots import Snapshots
from core.workflows.operations import restore as restore_module
from core.workflows.operations.backup import back_up
from core.workflows.operations.restore import restore
from core.workflows.pricing.answers import Question, price_and_record
from core.workflows.pricing.desk import open_desk
from tests.acting import acting
from tests.postgresql import BOTH, empty_database
from tests.store.samples import ANALYST, upload

MANAGER = Actor("Mia", Role.MANAGER)
AGENT = Actor("Kim", Role.AGENT)


@pytest.fixture
def used(own_store: Store, problem: Problem) -> Store:
    """A store in use: with an estimate in the ledger, an upload, and an estimate that waits on disk."""
    [market] = own_store.markets.list()
    desk = open_desk(own_store, market.market_id, problem)
    question = Question(home(own_store, problem), desk.valuation_date(date(2025, 1, 1)), 0.8)
    price_and_record(acting(own_store, AGENT, problem), desk, question, "page")
    own_store.uploads.save("sales.csv", b"a,b\n1,2\n", 1_000)
    (own_store.home / "unwritten" / "0123456789abcdef.unreadable").write_text("{", encoding="utf-8")
    return own_store


def home(store: Store, problem: Problem) -> dict[str, object]:
    desk = open_desk(store, store.markets.list()[0].market_id, problem)
    assert desk.live_model is not None
    zipcode = next(iter(desk.live_model.model.profile.typical["zipcode"]))
    return {**typical_home(desk.live_model.model, {"zipcode": zipcode}).facts, "zipcode": zipcode}


def answer(store: Store, problem: Problem) -> object:
    desk = open_desk(store, store.markets.list()[0].market_id, problem)
    found = desk.price(home(store, problem), desk.valuation_date(date(2025, 1, 1)), 0.8, AGENT)
    assert isinstance(found, Estimate)
    return to_document(found)


def given(store: Store) -> list[EstimateRecord]:
    """The estimates in a store's ledger, with every digit."""
    [market] = store.markets.list()
    return [store.ledger.get(one.estimate_id) for one in store.ledger.list(market.market_id, 9)]


def rows(store: Store, folder: Path) -> dict[str, list[str]]:
    folder.mkdir()
    store.dump.write(folder)
    return {path.name: gzip.open(path, "rt").readlines() for path in sorted(folder.iterdir())}


@pytest.fixture
def backup(used: Store, problem: Problem, tmp_path: Path) -> Path:
    done = back_up(acting(used, MANAGER, problem), tmp_path / "backup.tar")
    assert not done.left_out
    return done.path


@pytest.fixture(params=BOTH)
def empty(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Store]:
    """An empty store, on either kind of database."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with empty_database(request.param, tmp_path_factory) as url, open_store(tmp_path / "restored", url) as store:
        yield store


def test_a_restored_store_has_every_row_and_answers_the_same_to_the_last_bit(
    used: Store, backup: Path, empty: Store, problem: Problem, tmp_path: Path
) -> None:
    held = rows(used, tmp_path / "before")
    done = restore(acting(empty, MANAGER, problem), backup)
    assert done.rows == sum(map(len, held.values()))
    assert rows(empty, tmp_path / "after") == held
    assert answer(empty, problem) == answer(used, problem)
    # Read as they are, not as a backup writes them, which may lose the same digits of both.
    assert given(empty) == given(used) != []
    upload = [path for path in (empty.home / "uploads").rglob("*") if path.suffix == ".csv"]
    assert [path.read_bytes() for path in upload] == [b"a,b\n1,2\n"]
    assert (empty.home / "unwritten" / "0123456789abcdef.unreadable").is_file()
    assert not [path for path in empty.home.iterdir() if path.name.startswith(".")]
    # New rows are numbered after the old ones, which PostgreSQL does not do by itself.
    empty.events.record(MANAGER, AuditAction.LEDGER_EXPORTED, None, "after", {})
    back_up(acting(empty, MANAGER, problem), tmp_path / "again.tar")
    with open_store(tmp_path / "back", f"sqlite:///{tmp_path / 'back.sqlite'}") as back:
        restore(acting(back, MANAGER, problem), tmp_path / "again.tar")
        assert rows(back, tmp_path / "back-again") == rows(empty, tmp_path / "moved")


def test_a_restored_store_has_all_parts_of_its_sales(
    tmp_path: Path, empty: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Snapshots.plan
    monkeypatch.setattr(Snapshots, "plan", lambda self, *given: plan(replace(self, window=8), *given))
    with open_store(tmp_path / "home", f"sqlite:///{tmp_path / 'parts.sqlite'}") as store:
        market = store.markets.create("Parts", "USD", "sqft", True, ANALYST).market_id
        version = store.versions.commit(upload(market, None, rows=40), ANALYST).version_id
        store.versions.commit(upload(market, version, seed=1, rows=50), ANALYST)
        sales = store.versions.load(version)
        done = back_up(acting(store, MANAGER), tmp_path / "parts.tar")
        lost = next((store.home / "versions").glob("*.parquet"))
        held = {path.name: path.read_bytes() for path in (store.home / "versions").iterdir()}
        lost.unlink()
        incomplete = back_up(acting(store, MANAGER), tmp_path / "incomplete.tar")
    assert [one.partition(":")[0] for one in incomplete.left_out] == [f"versions/{lost.name}"]
    assert len(held) == (5 + 1) + (7 + 1)
    restore(acting(empty, MANAGER), done.path)
    assert {path.name: path.read_bytes() for path in (empty.home / "versions").iterdir()} == held
    assert empty.versions.load(version).equals(sales)
    assert not {one.name for one in empty.artifacts if one.name.startswith("versions/")} ^ {
        f"versions/{one}" for one in held
    }


def test_the_signing_key_is_not_in_a_backup(backup: Path) -> None:
    assert os.environ["DOORSTEP_SIGNING_KEY"].encode() not in backup.read_bytes()
    assert backup.stat().st_mode & 0o777 == 0o600


def test_a_backup_while_others_write_is_the_store_at_one_instant(
    used: Store, empty: Store, problem: Problem, tmp_path: Path
) -> None:
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            used.events.record(MANAGER, AuditAction.LEDGER_EXPORTED, None, "busy", {})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        back_up(acting(used, MANAGER, problem), tmp_path / "live.tar")
    finally:
        stop.set()
        writer.join()
    restore(acting(empty, MANAGER, problem), tmp_path / "live.tar")
    live, copied = rows(used, tmp_path / "live"), rows(empty, tmp_path / "copied")
    events = copied.pop("event.jsonl.gz")
    assert events == live.pop("event.jsonl.gz")[: len(events)]
    assert copied == live


def test_any_altered_file_is_refused_by_name_and_nothing_is_restored(
    backup: Path, tmp_path: Path, problem: Problem
) -> None:
    with tarfile.open(backup) as tar:
        members = {member.name: (member.offset_data, member.size) for member in tar if member.size}
    payload = backup.read_bytes()
    chosen = {name.partition("/")[0]: name for name in members}
    assert {"manifest.json", "database", "models", "versions", "signatures", "uploads"} <= set(chosen)
    with open_store(tmp_path / "other") as store:
        for name in chosen.values():
            start, size = members[name]
            altered = bytearray(payload)
            altered[start + size // 2] ^= 1
            backup.write_bytes(bytes(altered))
            with pytest.raises(ArtifactCorrupt, match=name if name != "manifest.sha256" else "manifest.json"):
                restore(acting(store, MANAGER, problem), backup)
            assert store.dump.is_empty()
            assert not list(store.home.rglob("*.joblib"))


@pytest.mark.parametrize("content", [b"", b"no backup", None])
def test_what_is_no_backup_is_refused(content: bytes | None, backup: Path, empty: Store, problem: Problem) -> None:
    backup.write_bytes(backup.read_bytes()[:5_000] if content is None else content)
    with pytest.raises(ArtifactCorrupt, match=r"Nothing\s+was restored"):
        restore(acting(empty, MANAGER, problem), backup)
    with pytest.raises(FileUnreadable, match="no file"):
        restore(acting(empty, MANAGER, problem), backup.with_name("gone.tar"))


def test_a_store_that_is_not_empty_is_left_alone(used: Store, backup: Path, problem: Problem, tmp_path: Path) -> None:
    before = rows(used, tmp_path / "before")
    with pytest.raises(InvalidRecord, match="is not empty"):
        restore(acting(used, MANAGER, problem), backup)
    assert rows(used, tmp_path / "after") == before
    with pytest.raises(FileNotWritten, match="exists already"):
        back_up(acting(used, MANAGER, problem), backup)
    for refused in (back_up, restore):
        with pytest.raises(AccessDenied):
            refused(acting(used, AGENT, problem), tmp_path / "x.tar")


def killed_restore(folder: Path, backup: Path, moves: int) -> None:
    """Restore, and be killed after so many files are in place."""
    left, move = iter(range(moves)), os.replace

    def fail(source: Path, target: Path) -> None:
        if ".tmp-restore-" in str(source) and next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        move(source, target)

    restore_module.os.replace = fail  # type: ignore[attr-defined]
    with open_store(folder) as store:
        restore(acting(store, MANAGER, load_problem()), backup)


@pytest.mark.parametrize("moves", [0, 3])
def test_a_restore_killed_half_way_leaves_an_empty_database_and_can_be_repeated(
    moves: int, backup: Path, tmp_path: Path, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    process = multiprocessing.get_context("fork").Process(
        target=killed_restore, args=(tmp_path / "killed", backup, moves)
    )
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    with open_store(tmp_path / "killed") as store:
        assert store.dump.is_empty()
        restore(acting(store, MANAGER, problem), backup)
        assert isinstance(answer(store, problem), dict)
        assert not [path for path in store.home.iterdir() if path.name.startswith(".")]


def test_a_backup_is_whole_or_absent_and_names_what_it_leaves_out(
    used: Store, problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FileNotWritten, match="No space left"):
        back_up(acting(used, MANAGER, problem), tmp_path / "b.tar")
    monkeypatch.undo()
    assert not [path for path in tmp_path.iterdir() if "backup" in path.name or path.suffix == ".tar"]
    [champion] = (used.home / "models").glob("*.joblib")
    champion.write_bytes(b"altered")
    done = back_up(acting(used, MANAGER, problem), tmp_path / "b.tar")
    assert [one.partition(":")[0] for one in done.left_out] == [f"models/{champion.name}"]


@pytest.mark.parametrize("how", [[], ["--json"]], ids=["text", "json"])
def test_a_backup_that_is_not_complete_is_written_and_ends_with_an_error(
    how: list[str], own_store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [champion] = (own_store.home / "models").glob("*.joblib")
    champion.unlink()
    path = tmp_path / "part.tar"
    assert main(["backup", str(path), "--home", str(own_store.home), *how]) == 1
    shown = capsys.readouterr()
    assert path.is_file()
    assert f"not complete: 1 file lost or altered, models/{champion.name} first" in shown.err
    if how:
        assert json.loads(shown.out)["complete"] is False


def test_a_refused_restore_leaves_the_folder_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cut.tar").write_bytes(b"no backup")
    (tmp_path / "empty").mkdir()
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "notes.txt").write_text("mine", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    for file in ("cut.tar", "gone.tar"):
        for home in ("empty", "new/inner", "foreign"):
            assert main(["restore", str(tmp_path / file), "--home", str(tmp_path / home)]) == 1
            assert ("'notes.txt' is in it" in capsys.readouterr().err) == (home == "foreign")
            assert sorted(tmp_path.rglob("*")) == before


def test_the_command_line_backs_up_and_restores(
    used: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "cli.tar")
    assert main(["backup", path, "--home", str(used.home)]) == 0
    assert "The signing key is not in it." in capsys.readouterr().out
    assert main(["restore", path, "--home", str(tmp_path / "new")]) == 0
    assert capsys.readouterr().out.startswith("restored ")
    assert main(["restore", path, "--home", str(tmp_path / "new")]) == 1
