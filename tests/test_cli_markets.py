"""A market that does not exist: the message names those called alike and how to list all, however many there are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.cli.main import main
from core.cli.session import FAILED, OK
from core.store import open_store

MANAGER = Actor("Mia", Role.MANAGER)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of sixty markets, among them several that are called alike."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with open_store(tmp_path) as store:
        for name in (*(f"Springfield {n}" for n in range(20)), *(f"Town of {n}" for n in range(40))):
            store.markets.create(name, "USD", "sqft", False, MANAGER)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    "verb", [("train",), ("models",), ("versions",), ("alerts",), ("price", "--set", "bedrooms=3")], ids=" ".join
)
def test_of_many_markets_those_called_alike_are_named_and_ten_at_most(
    home: Path, capsys: pytest.CaptureFixture[str], verb: tuple[str, ...]
) -> None:
    code, _, err = run(capsys, *verb, "--market", "Sprngfield 7", "--home", home)
    assert code == FAILED
    assert "There is no market 'Sprngfield 7'; the nearest are springfield-7, " in err
    assert err.count("springfield-") == 10
    assert "town-of" not in err
    assert "to list all 60 markets: " in err
    assert f"markets --home {home}" in err


def test_where_none_is_called_alike_or_none_is_named_no_market_is_listed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("--market", "zzz"), ()):
        code, _, err = run(capsys, "models", *words, "--home", home)
        assert code == FAILED
        assert "springfield" not in err
        assert "to list all 60 markets: " in err


def test_the_verb_it_names_lists_all(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "markets", "--home", home)
    assert (code, len(out.splitlines())) == (OK, 60)
    assert "springfield-3  Springfield 3  USD  no live model" in out
    code, out, _ = run(capsys, "markets", "--home", home, "--json")
    assert (code, len(json.loads(out)["markets"])) == (OK, 60)
