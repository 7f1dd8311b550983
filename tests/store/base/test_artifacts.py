from __future__ import annotations

import errno
import hashlib
import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ArtifactCorrupt, StoreUnavailable
from core.store.base.artifacts import ArtifactFolder


@pytest.fixture
def folder(tmp_path: Path) -> ArtifactFolder:
    return ArtifactFolder(tmp_path, ".bin", "The thing", "Make it again.")


@settings(deadline=None)
@given(payload=st.binary(max_size=300))
def test_what_is_put_is_read_back_under_its_hash(payload: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = ArtifactFolder(Path(name), ".bin", "The thing", "Make it again.")
        sha256 = folder.put(payload)
        assert sha256 == hashlib.sha256(payload).hexdigest()
        assert folder.put(payload) == sha256
        assert folder.read(sha256) == payload
        assert os.listdir(name) == [f"{sha256}.bin"]


@settings(deadline=None)
@given(payload=st.binary(min_size=1, max_size=60), data=st.data())
def test_any_altered_bit_is_noticed(payload: bytes, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(payload) - 1))
    bit = data.draw(st.integers(0, 7))
    with tempfile.TemporaryDirectory() as name:
        folder = ArtifactFolder(Path(name), ".bin", "The thing", "Make it again.")
        sha256 = folder.put(payload)
        altered = bytearray(payload)
        altered[position] ^= 1 << bit
        folder.path(sha256).write_bytes(bytes(altered))
        with pytest.raises(ArtifactCorrupt, match="Make it again"):
            folder.read(sha256)
        assert folder.put(payload) == sha256, "storing the content again repairs the file"
        assert folder.read(sha256) == payload


def test_a_missing_file_is_corrupt_and_named(folder: ArtifactFolder) -> None:
    sha256 = folder.put(b"here")
    folder.path(sha256).unlink()
    with pytest.raises(ArtifactCorrupt, match=rf"{sha256}\.bin is missing\. Make it again"):
        folder.read(sha256)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "a" * 63, "A" * 64])
def test_only_hashes_are_read(folder: ArtifactFolder, name: str) -> None:
    with pytest.raises(ArtifactCorrupt, match="not a SHA-256"):
        folder.read(name)


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_a_failing_disk_leaves_the_folder_as_it_was(
    folder: ArtifactFolder, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    folder.put(b"old")
    before = sorted(os.listdir(folder.folder))

    def fail(*_arguments: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(StoreUnavailable, match=os.strerror(code)):
        folder.put(b"new")
    monkeypatch.undo()
    assert sorted(os.listdir(folder.folder)) == before


def test_leftovers_of_killed_processes_are_removed_once_a_day_old(folder: ArtifactFolder) -> None:
    old, young = folder.folder / ".tmp-old", folder.folder / ".tmp-young"
    for path in (old, young):
        path.write_bytes(b"part")
    os.utime(old, (time.time() - 90_000, time.time() - 90_000))
    folder.put(b"x")
    assert not old.exists()
    assert young.exists()
