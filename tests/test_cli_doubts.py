"""The command line where a file is in doubt: what it takes for granted, what it refuses, and how to undo the rest."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from core.cli.session import FAILED, OK
from core.installation import program
from core.store import open_store
from tests.test_cli import run, sales_file

ASSUMED = "areas taken as sq ft: give --area-unit if that is wrong"
USD = ("--currency", "USD")


@pytest.fixture(autouse=True)
def _sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)


def sales_held(folder: Path) -> int:
    with open_store(folder / "store") as store:
        version = store.versions.latest("testville")
        return version.rows if version else 0


def test_a_new_market_needs_its_currency_and_says_which_unit_it_takes_for_granted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, sales = ("--home", tmp_path / "store", "--quiet"), sales_file(tmp_path)
    code, out, err = run(capsys, "ingest", sales, "--market", "Testville", *home)
    assert (code, out) == (2, "")
    assert "the new market 'Testville' needs one: areas in square feet suggest US dollars" in err
    _, out, _ = run(capsys, "ingest", sales, "--market", "Testville", "--currency", "EUR", *home)
    assert "areas taken as" not in out, "the file's header names the unit"
    sales.write_text(sales.read_text(encoding="utf-8").replace("living area sqft", "living area"), encoding="utf-8")
    _, out, _ = run(capsys, "ingest", sales, "--market", "Otherville", *USD, *home, "--json")
    assert json.loads(out)["assumed"] == ASSUMED
    # A market that exists has its currency and its unit; prices that state theirs need no option.
    _, out, _ = run(capsys, "ingest", sales, "--market", "Otherville", *home, "--json")
    assert json.loads(out)["assumed"] == ""
    sales.write_text(sales.read_text(encoding="utf-8").replace("sale price", "sale price (AUD)"), encoding="utf-8")
    assert ASSUMED in run(capsys, "ingest", sales, "--market", "Thirdville", *home)[1].splitlines()
    with open_store(tmp_path / "store") as store:
        assert [(one.currency, one.area_unit) for one in store.markets.list()] == [
            ("USD", "sqft"),
            ("EUR", "sqft"),
            ("AUD", "sqft"),
        ]


def test_a_new_market_shows_its_areas_as_the_file_has_them_unless_told_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = sales_file(tmp_path)
    header, *lines = path.read_text().splitlines()
    homes = [line.split(",") for line in lines]
    in_m2 = [",".join([*home[:5], str(int(home[5]) // 10), *home[6:]]) for home in homes]
    path.write_text("\n".join([header.replace("living area sqft", "living area m2"), *in_m2]) + "\n")
    home = ("--home", tmp_path / "store", "--quiet")
    run(capsys, "ingest", path, "--market", "Testville", *USD, *home)
    run(capsys, "ingest", path, "--market", "Otherville", "--area-unit", "sqft", *USD, *home)
    with open_store(tmp_path / "store") as store:
        units = {one.market_id: one.area_unit for one in store.markets.list()}
    assert units == {"testville": "sqm", "otherville": "sqft"}


def test_a_file_rejected_whole_fails_and_one_that_corrects_says_how_many(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, sales = ("--home", tmp_path / "store", "--quiet"), sales_file(tmp_path)
    run(capsys, "ingest", sales, "--market", "Testville", *USD, *home)
    header, *lines = sales.read_text().splitlines()
    wrong = tmp_path / "wrong.csv"
    price = header.split(",").index("sale price")
    cells = [line.split(",") for line in lines[:10]]
    cheap = [[*one[:price], "7", *one[price + 1 :]] for one in cells]
    wrong.write_text("\n".join([header, *map(",".join, cheap)]) + "\n")
    code, out, _ = run(capsys, "ingest", wrong, "--market", "Testville", *USD, *home)
    assert code == FAILED
    assert "The check rejects 10 of 10 rows (price impossible in 10)" in out
    # Ten prices changed by one and the same factor would need a word.
    dearer = [
        [*one[:price], f"{float(one[price]) * (1.03 + n / 100):.0f}", *one[price + 1 :]] for n, one in enumerate(cells)
    ]
    other = tmp_path / "dearer.csv"
    other.write_text("\n".join([header, *map(",".join, dearer)]) + "\n")
    code, out, _ = run(capsys, "ingest", other, "--market", "Testville", *USD, *home)
    assert code == OK
    assert " sales, 0 new, 10 corrected" in out
    assert "dearer.csv (sales): 10 rows in" in out


def test_a_file_of_elsewhere_is_refused_unless_it_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home, sales = ("--home", tmp_path / "store", "--quiet"), sales_file(tmp_path)
    run(capsys, "ingest", sales, "--market", "Testville", *USD, *home)
    other = tmp_path / "other.csv"
    header, *lines = sales.read_text().splitlines()
    other.write_text("\n".join([header, *(f"9{line.replace(',0010', ',9910')}" for line in lines)]) + "\n")
    code, out, err = run(capsys, "ingest", other, "--market", "Testville", *USD, *home)
    assert (code, out) == (FAILED, "")
    assert "Nothing was imported. other.csv: None of 400 sales is in a zipcode where this market has sales" in err
    assert "give --elsewhere 'other.csv'" in err
    assert sales_held(tmp_path) == 400
    code, out, _ = run(capsys, "ingest", other, "--market", "Testville", *USD, "--elsewhere", "other.csv", *home)
    assert code == OK
    # What was doubtful ends with the command that undoes it, which works as it is written.
    last = out.splitlines()[-1]
    undo = last.removeprefix(f"if that is wrong, undo: {program()} ")
    assert undo != last
    assert run(capsys, *shlex.split(undo), "--quiet")[0] == OK
    assert sales_held(tmp_path) == 400


def test_a_commit_with_a_column_to_check_ends_with_its_undoing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, path = ("--home", tmp_path / "store", "--quiet"), sales_file(tmp_path)
    plain = run(capsys, "ingest", path, "--market", "Testville", *USD, *home)[1]
    assert "undo" not in plain
    # What a command says to do next is done in the store that it was given.
    assert shlex.split(plain.splitlines()[-1])[-2:] == ["--home", str(tmp_path / "store")]
    header, *lines = path.read_text().splitlines()
    swapped = [
        ",".join(
            [*line.split(",")[:3], f"{25}/{1 + n % 12}/2024" if n % 20 == 0 else f"{1 + n % 12}/{n % 27 + 1}/2024"]
        )
        + ","
        + ",".join(line.split(",")[4:])
        for n, line in enumerate(lines)
    ]
    mixed = tmp_path / "mixed.csv"
    mixed.write_text("\n".join([header, *swapped]) + "\n")
    code, out, err = run(capsys, "ingest", mixed, "--market", "Mixedville", *USD, *home)
    assert (code, out) == (FAILED, "")
    assert "day and month stand both ways round" in err
    assert "give --misread 'mixed.csv'" in err
    take = ("ingest", mixed, "--misread", "mixed.csv", *USD)
    _, out, _ = run(capsys, *take, "--market", "Mixedville", *home)
    assert out.splitlines()[-1].startswith(f"if that is wrong, undo: {program()} undo-version ")
    _, out, _ = run(capsys, *take, "--market", "Again", *home, "--json")
    assert json.loads(out)["undo"].startswith(f"{program()} undo-version ")
