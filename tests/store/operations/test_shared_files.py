"""Artifacts by URL: servers with separate homes serve each other's files, and one that cannot be reached is said so."""

from __future__ import annotations

import hashlib
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from core.errors import ArtifactCorrupt, ArtifactStoreAway, StoreUnavailable
from core.store import open_store
from core.store.base.artifacts import ArtifactFolder
from core.store.operations.shared_files import shared_files

PAYLOAD = b"a model's bytes"
SHA256 = hashlib.sha256(PAYLOAD).hexdigest()
NAME = f"{SHA256}.bin"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A real S3 server on loopback with one bucket, and its address in the variables that S3 clients read."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIA-NOT-TO-BE-SHOWN")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "not-to-be-shown")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        import s3fs

        s3fs.S3FileSystem(skip_instance_cache=True).mkdir("doorstep-artifacts")
        yield "s3://doorstep-artifacts/office"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "s3":
        return f"{request.getfixturevalue('s3')}/{tmp_path.name}"
    (tmp_path / "shared").mkdir()
    return (tmp_path / "shared").as_uri()


def server(home: Path, address: str) -> ArtifactFolder:
    (home / "models").mkdir(parents=True, exist_ok=True)
    return ArtifactFolder(home / "models", ".bin", "The model", "Roll back, or train again.", shared_files(address))


def test_a_server_reads_what_another_one_stored_and_keeps_it(tmp_path: Path, address: str) -> None:
    a, b = server(tmp_path / "a", address), server(tmp_path / "b", address)
    assert a.put(PAYLOAD) == SHA256
    assert not b.path(SHA256).exists()
    assert b.holds(SHA256)
    assert b.read(SHA256) == PAYLOAD
    assert b.path(SHA256).read_bytes() == PAYLOAD


def test_what_is_kept_here_and_shared_need_not_be_stored_again(tmp_path: Path, address: str) -> None:
    folder, alone = server(tmp_path / "a", address), server(tmp_path / "b", "")
    assert alone.put(PAYLOAD) == folder.put(PAYLOAD)
    assert alone.keeps(SHA256, len(PAYLOAD))
    assert folder.keeps(SHA256, len(PAYLOAD))
    assert not folder.keeps("0" * 64, len(PAYLOAD))
    shared = shared_files(address)
    assert shared is not None
    shared.put(f"models/{NAME}", b"swapped")
    assert not folder.keeps(SHA256, len(PAYLOAD))
    assert not server(tmp_path / "b", f"{address}-of-others").keeps(SHA256, len(PAYLOAD)), "it is here, but not there"
    folder.path(SHA256).write_bytes(b"altered")
    assert not folder.keeps(SHA256, len(PAYLOAD))


def test_an_altered_or_missing_copy_is_fetched_again(tmp_path: Path, address: str) -> None:
    folder = server(tmp_path / "a", address)
    folder.put(PAYLOAD)
    folder.path(SHA256).write_bytes(b"altered")
    assert folder.read(SHA256) == PAYLOAD
    assert folder.path(SHA256).read_bytes() == PAYLOAD
    folder.path(SHA256).unlink()
    assert folder.read(SHA256) == PAYLOAD


def test_an_altered_shared_copy_is_neither_loaded_nor_kept(tmp_path: Path, address: str) -> None:
    a, b = server(tmp_path / "a", address), server(tmp_path / "b", address)
    a.put(PAYLOAD)
    shared = shared_files(address)
    assert shared is not None
    shared.put(f"models/{NAME}", b"swapped")
    with pytest.raises(ArtifactCorrupt, match=r"its copy in the artifact store .* was altered too"):
        b.read(SHA256)
    assert not b.path(SHA256).exists()
    assert a.read(SHA256) == PAYLOAD
    a.put(PAYLOAD)
    assert b.read(SHA256) == PAYLOAD, "storing the content again repairs the shared copy"


def test_a_file_that_nobody_has_is_missing_and_the_remedy_is_named(tmp_path: Path, address: str) -> None:
    folder = server(tmp_path / "a", address)
    folder.put(PAYLOAD)
    with pytest.raises(ArtifactCorrupt, match=r"is missing, and the artifact store .* does not have it\. Roll back"):
        folder.read("0" * 64)
    assert not folder.holds("0" * 64)


@pytest.fixture(params=["folder", "s3", "no bucket", "another folder"])
def away(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a place that cannot be reached, or that is not the one it was."""
    if request.param == "folder":
        return (tmp_path / "unmounted").as_uri()
    if request.param == "another folder":
        (tmp_path / "empty").mkdir()
        return (tmp_path / "empty").as_uri()
    bucket = request.getfixturevalue("s3")
    if request.param == "no bucket":
        return "s3://no-such-bucket/office"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{probe.getsockname()[1]}")
    return str(bucket)


def test_while_the_store_is_away_what_is_here_is_served_and_the_rest_says_so(tmp_path: Path, away: str) -> None:
    folder = server(tmp_path / "a", "")
    folder.put(PAYLOAD)
    folder = server(tmp_path / "a", away)
    assert folder.read(SHA256) == PAYLOAD
    with pytest.raises(ArtifactStoreAway) as raised:
        folder.read("0" * 64)
    words = str(raised.value)
    assert words.startswith("The model is not on this server yet, and the artifact store ")
    assert words.endswith(": try again when it is back.")
    assert not any(bad in words for bad in ("shown", "SHOWN", "train again", "Roll back", "127.0.0.1"))
    assert folder.holds("0" * 64), "nobody knows, so nobody reads that it is lost"
    folder.path(SHA256).write_bytes(b"altered")
    with pytest.raises(ArtifactCorrupt, match=r"altered after it was stored and was not loaded, and .* try again when"):
        folder.read(SHA256)


def test_nothing_is_stored_while_the_store_is_away(tmp_path: Path) -> None:
    folder = server(tmp_path / "a", (tmp_path / "unmounted").as_uri())
    with pytest.raises(ArtifactStoreAway, match=r"was not stored, since .* Nothing was changed\."):
        folder.put(PAYLOAD)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("s3://AKIA:secret@bucket/x", "has credentials in it"),
        ("/var/share", "is not an address of artifacts"),
        ("file://host/share", "is not an address of artifacts"),
        ("s3:///x", "is not an address of artifacts"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused_without_its_secrets(
    address: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORSTEP_ARTIFACTS", address)
    with pytest.raises(StoreUnavailable, match=expected) as raised:
        open_store(tmp_path)
    assert "secret" not in str(raised.value)


def test_a_service_without_its_package_names_what_to_install() -> None:
    with pytest.raises(StoreUnavailable, match=r"pip install 'doorstep\[s3\]'"):
        shared_files("nosuchservice://bucket/x")


def test_two_servers_with_one_database_serve_each_others_models(
    small_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole path: sales and model of one server's home price on another that has an empty home."""
    from core.problem import load_problem
    from core.workflows.pricing.desk import open_desk

    monkeypatch.delenv("DATABASE_URL", raising=False)
    home = Path(shutil.copytree(small_home, tmp_path / "a"))
    shared = tmp_path / "shared"
    for kind in ("versions", "ledgers", "models", "signatures", "scores"):
        shutil.copytree(home / kind, shared / kind)
    monkeypatch.setenv("DOORSTEP_ARTIFACTS", shared.as_uri())
    url = f"sqlite:///{home / 'doorstep.sqlite'}"
    with open_store(home) as a, open_store(tmp_path / "b", url) as b:
        [market] = a.markets.list()
        assert not list((b.home / "models").iterdir())
        desk = open_desk(b, market.market_id, load_problem())
        assert desk.record == a.models.champion(market.market_id)
        assert len(list((b.home / "models").iterdir())) == 1
