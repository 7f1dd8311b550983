"""Signed models: nothing is loaded without a valid signature, whoever can write to folder and database."""

from __future__ import annotations

import hashlib
import os
import pickle
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.access import Actor, Role
from core.cli.main import main
from core.errors import AccessDenied, ModelNotSigned, NotFound, StoreUnavailable
from core.problem import Problem
from core.store import Store, open_store
from core.workflows.models.training import load_model
from core.workflows.operations.signing import sign_models
from tests.acting import acting

MANAGER = Actor("Mia", Role.MANAGER)
OTHER_KEY = "another-key-of-more-than-thirty-two-characters"


class Code:
    """Runs code when it is loaded: it makes a folder."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.proof),)


def champion_of(store: Store) -> tuple[str, Path]:
    [market] = store.markets.list()
    champion = store.models.champion(market.market_id)
    assert champion is not None
    return champion.model_id, store.home / "models" / f"{champion.sha256}.joblib"


def swap(store: Store, proof: Path) -> str:
    """Swap the champion's file and its row for code, as somebody who can write to both can; return its id."""
    model_id, path = champion_of(store)
    payload = pickle.dumps(Code(proof))
    sha256 = hashlib.sha256(payload).hexdigest()
    (path.parent / f"{sha256}.joblib").write_bytes(payload)
    old = (store.home / "signatures" / f"{path.stem}.hmac").read_bytes()
    (store.home / "signatures" / f"{sha256}.hmac").write_bytes(old)
    engine = sa.create_engine(f"sqlite:///{store.home / 'doorstep.sqlite'}")
    with engine.begin() as connection:
        connection.execute(sa.text("update model set sha256 = :new"), {"new": sha256})
    engine.dispose()
    return model_id


def test_a_model_swapped_in_folder_and_database_runs_no_code(own_store: Store, tmp_path: Path) -> None:
    proof = tmp_path / "code ran"
    model_id = swap(own_store, proof)
    with pytest.raises(ModelNotSigned, match=r"not signed with a key of this server .* doorstep sign --vouch"):
        load_model(own_store, model_id)
    assert not proof.exists()


def test_a_model_as_trained_is_signed_and_loads(own_store: Store, tmp_path: Path) -> None:
    model_id, _ = champion_of(own_store)
    assert load_model(own_store, model_id).market_id


@pytest.mark.parametrize("what", ["gone", "another key"])
def test_without_a_valid_signature_a_model_is_neither_loaded_nor_promoted(
    what: str, own_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id, path = champion_of(own_store)
    if what == "gone":
        (own_store.home / "signatures" / f"{path.stem}.hmac").unlink()
    else:
        monkeypatch.setenv("DOORSTEP_SIGNING_KEY", OTHER_KEY)
    for call in (own_store.models.load_bytes, lambda one: own_store.models.promote(one, MANAGER, "")):
        with pytest.raises(ModelNotSigned):
            call(model_id)


def test_keys_rotate_without_a_model_that_cannot_be_loaded(
    own_store: Store, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id, _ = champion_of(own_store)
    before = os.environ["DOORSTEP_SIGNING_KEY"]
    monkeypatch.setenv("DOORSTEP_SIGNING_KEY", f"{OTHER_KEY}, {before}")
    assert own_store.models.load_bytes(model_id)
    workspace = acting(own_store, MANAGER, problem)
    assert [one.changed for one in sign_models(workspace)] == [True]
    assert [one.changed for one in sign_models(workspace)] == [False]
    monkeypatch.setenv("DOORSTEP_SIGNING_KEY", OTHER_KEY)
    assert own_store.models.load_bytes(model_id)
    assert [one.detail["vouched"] for one in own_store.events.of(model_id, "model.signed")] == [False]


def test_models_of_an_earlier_release_are_signed_once_somebody_vouches_for_them(
    own_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    model_id, path = champion_of(own_store)
    (own_store.home / "signatures" / f"{path.stem}.hmac").unlink()
    home = ("--home", str(own_store.home))
    assert main(["sign", *home]) == 1
    assert "not signed: The model file" in capsys.readouterr().out
    assert main(["sign", model_id, "--vouch", *home]) == 0
    assert f"{model_id}  signed, trained" in capsys.readouterr().out
    assert own_store.models.load_bytes(model_id)
    [event] = own_store.events.of(model_id, "model.signed")
    assert event.detail["vouched"] is True


def test_nobody_vouches_for_an_altered_file_an_unknown_model_or_without_the_right(
    own_store: Store, problem: Problem
) -> None:
    _, path = champion_of(own_store)
    path.write_bytes(b"altered")
    [refused] = sign_models(acting(own_store, MANAGER, problem), vouch=True)
    assert "altered" in refused.refused
    with pytest.raises(NotFound, match="never"):
        sign_models(acting(own_store, MANAGER, problem), ["never"])
    with pytest.raises(AccessDenied):
        sign_models(acting(own_store, Actor("Al", Role.AGENT), problem))


@pytest.fixture
def no_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A desk without any setting; returns the account's folder of settings."""
    monkeypatch.delenv("DOORSTEP_SIGNING_KEY")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


def test_a_desk_without_settings_makes_a_private_key_outside_its_store(no_key: Path, own_store: Store) -> None:
    model_id, _ = champion_of(own_store)
    with pytest.raises(ModelNotSigned):
        own_store.models.load_bytes(model_id)
    assert not no_key.exists(), "reading makes no key"
    assert own_store.models.sign(model_id, vouch=True)
    path = no_key / "doorstep" / "signing.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text().strip()) == 64
    assert own_store.models.load_bytes(model_id)
    with open_store(own_store.home) as again:
        assert not again.models.sign(model_id, vouch=False), "the same key signs"


@pytest.mark.parametrize("setting", ["own", "named"])
def test_a_key_in_the_store_is_refused(
    setting: str, no_key: Path, own_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id, _ = champion_of(own_store)
    if setting == "own":
        monkeypatch.setenv("XDG_CONFIG_HOME", str(own_store.home / "config"))
    else:
        monkeypatch.setenv("DOORSTEP_SIGNING_KEY_FILE", str(own_store.home / "key"))
    with pytest.raises(StoreUnavailable, match="in the store's folder"):
        own_store.models.sign(model_id, vouch=True)


@pytest.mark.parametrize(
    ("content", "expected"), [("short", "has 5 characters"), ("", "has no key in it"), (None, "cannot be read")]
)
def test_a_key_file_that_cannot_be_used_is_named(
    content: str | None, expected: str, no_key: Path, tmp_path: Path, own_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id, _ = champion_of(own_store)
    path = tmp_path / "key"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("DOORSTEP_SIGNING_KEY_FILE", str(path))
    with pytest.raises(StoreUnavailable, match=expected) as raised:
        own_store.models.sign(model_id, vouch=True)
    assert "short" not in str(raised.value)


def test_servers_that_share_artifacts_share_signatures(
    own_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_id, _ = champion_of(own_store)
    (tmp_path / "shared").mkdir()
    monkeypatch.setenv("DOORSTEP_ARTIFACTS", (tmp_path / "shared").as_uri())
    url = f"sqlite:///{own_store.home / 'doorstep.sqlite'}"
    with open_store(own_store.home) as a, open_store(tmp_path / "b", url) as b:
        payload = a.models.load_bytes(model_id)
        for market in a.markets.list():
            record = a.models.get(model_id)
            from core.store import NewModel

            more = NewModel(market.market_id, record.version_id, payload + b"\0", record.card)
            new = a.models.add(more, MANAGER)
            assert b.models.load_bytes(new.model_id) == payload + b"\0"
