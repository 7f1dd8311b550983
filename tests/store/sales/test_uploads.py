from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import time
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import FileTooLarge, NotFound, StoreUnavailable
from core.store.sales.uploads import Uploads


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    (tmp_path / "uploads").mkdir()
    return Uploads(tmp_path / "uploads")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "uploads"


@pytest.mark.parametrize("as_stream", [True, False])
def test_an_upload_is_kept_until_discarded(uploads: Uploads, folder: Path, as_stream: bool) -> None:
    payload = os.urandom(3_000_000)
    content = io.BytesIO(payload) if as_stream else payload
    made = uploads.save("sales 2024.TSV.gz", content, 3_000_000)
    assert made.path.read_bytes() == payload
    assert made.path.name.endswith(".tsv.gz")
    assert (made.name, made.size_bytes) == ("sales 2024.TSV.gz", 3_000_000)
    assert made.sha256 == hashlib.sha256(payload).hexdigest()
    assert stat.S_IMODE(made.path.stat().st_mode) & 0o077 == 0
    assert Uploads(folder).get(made.upload_id) == made
    uploads.discard(made.upload_id)
    uploads.discard(made.upload_id)
    with pytest.raises(NotFound, match=made.upload_id):
        uploads.get(made.upload_id)
    assert os.listdir(folder) == []


def test_too_large_is_refused_after_the_limit_and_nothing_is_kept(uploads: Uploads, folder: Path) -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"x" * size

    endless = Endless()
    with pytest.raises(FileTooLarge, match=r"big\.csv is larger than the limit of 2 MB"):
        uploads.save("big.csv", endless, 2_000_000)  # type: ignore[arg-type]
    assert endless.given < 5_000_000
    assert os.listdir(folder) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    name=st.text(max_size=40)
    | st.sampled_from(
        ["../../etc/passwd", "..\\..\\boot.ini", "/etc/cron.d/x", "a/..", "..", "", "\x00.csv", "x" * 999]
    )
)
def test_no_name_leaves_the_folder(uploads: Uploads, folder: Path, name: str) -> None:
    made = uploads.save(name, b"1", 10)
    assert made.path.resolve().parent.parent == folder.resolve()
    assert made.path.name.startswith("content")
    assert made.name
    assert not set(made.name) & set("/\\\x00\n")
    assert uploads.get(made.upload_id) == made
    uploads.discard(made.upload_id)


@pytest.mark.parametrize("upload_id", ["", "..", "../versions", "A" * 32, "0" * 32 + "/..", "0" * 32])
def test_only_ids_of_staged_uploads_are_found(uploads: Uploads, upload_id: str) -> None:
    with pytest.raises(NotFound):
        uploads.get(upload_id)


def test_discard_never_touches_another_folder(uploads: Uploads, folder: Path) -> None:
    (folder.parent / "versions").mkdir()
    for upload_id in ("../versions", "", "."):
        with pytest.raises(NotFound):
            uploads.discard(upload_id)
    assert (folder.parent / "versions").is_dir()


def test_a_full_disk_keeps_nothing(uploads: Uploads, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnavailable, match="No space left"):
        uploads.save("a.csv", b"1", 10)
    monkeypatch.undo()
    assert os.listdir(folder) == []


def test_an_upload_cut_short_by_a_kill_is_not_found_and_swept(uploads: Uploads, folder: Path) -> None:
    kept, cut = uploads.save("a.csv", b"1", 10), uploads.save("b.csv", b"2", 10)
    (folder / cut.upload_id / "about.json").unlink()
    with pytest.raises(NotFound):
        uploads.get(cut.upload_id)
    yesterday = time.time() - 86_400
    os.utime(folder / cut.upload_id, (yesterday, yesterday))
    (folder / "a stranger's folder").mkdir()
    assert uploads.sweep(timedelta(hours=1)) == 1
    assert sorted(os.listdir(folder)) == sorted([kept.upload_id, "a stranger's folder"])
