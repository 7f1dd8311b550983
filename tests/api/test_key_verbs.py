"""API keys by the command line: shown once, of use at once, narrowed as asked, and refused once revoked."""

from __future__ import annotations

import json

import pytest

from core.cli.main import main
from core.cli.session import OK
from core.store import Store
from tests.api.conftest import MakeClient


def run(capsys: pytest.CaptureFixture[str], store: Store, *arguments: str) -> str:
    assert main([*arguments, "--home", str(store.home)]) == OK
    return capsys.readouterr().out


def test_a_key_made_by_the_command_line_works_until_it_is_revoked(
    own_store: Store, client_of: MakeClient, capsys: pytest.CaptureFixture[str]
) -> None:
    made = json.loads(run(capsys, own_store, "create-key", "MLS feed", "--office", "North", "--json"))
    elsewhere = client_of(key=made["text"], host="prices.example")
    assert elsewhere.get("/markets").status_code == 200
    listed = run(capsys, own_store, "keys")
    assert "MLS feed, agent, North" in listed
    assert "last used" in listed
    assert made["text"] not in listed

    assert run(capsys, own_store, "revoke-key", made["key"]) == f"key {made['key']} (MLS feed) is revoked\n"
    refused = elsewhere.get("/markets")
    assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
    assert "revoked" in run(capsys, own_store, "keys")


def test_a_key_narrowed_to_an_action_may_do_no_other(
    own_store: Store, client_of: MakeClient, capsys: pytest.CaptureFixture[str]
) -> None:
    made = json.loads(
        run(capsys, own_store, "create-key", "board", "--as-role", "manager", "--allow", "view-models", "--json")
    )
    elsewhere = client_of(key=made["text"], host="prices.example")
    assert elsewhere.get("/models", params={"market": "larkhaven"}).status_code == 200
    priced = elsewhere.post("/estimates", json={"market": "larkhaven", "facts": {"living_area_sqft": 1_500}})
    assert priced.status_code == 403


def test_revoking_a_key_that_is_none_says_so(own_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["revoke-key", "nothing", "--home", str(own_store.home)]) != OK
    assert "nothing" in capsys.readouterr().err
