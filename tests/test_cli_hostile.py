"""Hostile input to the command line: whatever the values, one line says what is wrong, and nothing is half done."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from core.cli.main import main
from core.cli.session import FAILED, OK, UNPRICED, WRONG_USAGE
from core.store import open_store

VALUES = ("0", "-1", "nan", "1e99", "inf", "text", "", " ", "x" * 5_000, "１２", "a\nb", "\udcff", "%s", "2024-02-30")
FORMS = (
    ("scrutiny", "{}"),
    ("scrutiny", "{}", "--decide", "keep"),
    ("scrutiny", "{}", "--take-back"),
    ("scrutiny", "{}", "--decide", "correct", "--value", "{}"),
    ("scrutiny", "--kind", "{}"),
    ("train", "--market", "nowhere", "--seed", "{}"),
    ("train", "--market", "nowhere", "--forest-budget", "{}"),
    ("train", "--family", "{}"),
    ("train", "--split", "{}"),
    ("evaluate", "--model", "{}"),
    ("models", "--market", "{}"),
    ("retrain", "--market", "nowhere", "--window", "{}"),
    ("retrain", "--market", "nowhere", "--window", "months={}"),
    ("promote", "{}", "--reason", "{}"),
    ("rollback", "--market", "{}", "--reason", "{}"),
    ("reject", "{}", "--reason", "{}"),
    ("reject", "{}", "--undo"),
    ("backtest", "--start", "{}", "--version", "nothing"),
    ("backtest", "--start", "2020-01-01", "--version", "{}"),
    ("demo", "--sales", "{}"),
    ("price", "--set", "{}"),
    ("price", "--set", "{}=3"),
    ("price", "--set", "living_area_sqft={}"),
    ("price", "--set", "latitude={}", "longitude={}", "living_area_sqft=1500"),
    ("price", "--set", "list_price={}"),
    ("price", "--set", "living_area_sqft=1500", "--as-of", "{}"),
    ("price", "--csv", "{}"),
    ("price", "--level", "{}"),
    ("watch", "--market", "{}"),
    ("alerts", "--market", "{}"),
    ("ledger", "/dev/null/{}"),
    ("ledger", "out.csv", "--since", "{}"),
    ("worker", "--every", "{}", "--on-alert", "nothing"),
    ("ingest", "{}", "--market", "{}"),
    ("models", "--role", "{}"),
    ("models", "--home", "/dev/null/{}"),
)


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    try:
        code = main([str(argument) for argument in arguments])
    except SystemExit as ended:
        code = int(str(ended.code))
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture(scope="module")
def homes(small_home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A store with a small market, and an empty one."""
    folder = tmp_path_factory.mktemp("hostile")
    return Path(shutil.copytree(small_home, folder / "small")), folder / "empty"


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_no_value_of_an_option_ends_in_a_traceback(
    homes: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    form: tuple[str, ...],
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    small, empty = homes
    # Each look at a review queue takes a second; a store without a market refuses most before it reads them.
    tried = VALUES[4:7] if form[0] == "scrutiny" else VALUES
    for home, values in ((small, tried), (empty, VALUES[4:9])):
        for value in values:
            words = [part.replace("{}", value) for part in form]
            place = () if "--home" in form else ("--home", home)
            code, _, err = run(capsys, words[0], "--quiet", *place, *words[1:])
            assert code in (OK, FAILED, WRONG_USAGE, UNPRICED), words
            if code in (FAILED, WRONG_USAGE):
                # Wrong usage shows how the verb is called, too.
                assert err.count("error: ") == 1, words
            if code == FAILED:
                assert err.startswith("error: "), words
                assert len(err) < 5_000, words


@pytest.fixture
def home(small_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return Path(shutil.copytree(small_home, tmp_path / "home"))


def test_what_is_no_file_is_not_replaced_by_one(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    sales = tmp_path / "sales.csv"
    sales.write_text("sale date,sale price,zipcode\n2024-01-05,300000,98103\n")
    for words in (("ledger", pipe), ("ingest", sales, "--write-mapping", pipe)):
        code, _, err = run(capsys, *words, "--home", home, "--quiet")
        assert (code, "is not replaced" in err) == (FAILED, True)
    assert pipe.is_fifo()


@pytest.mark.parametrize("sales", [3, 0, -5, 200, 600, 1_000_001])
def test_a_demo_city_of_an_impossible_size_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sales: int
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    code, out, err = run(capsys, "demo", "--sales", sales, "--home", tmp_path / "store")
    assert (code, out) == (FAILED, "")
    assert err == f"error: The demo city cannot have {sales:,} sales; choose from 1,000 to 1,000,000.\n"
    with open_store(tmp_path / "store") as store:
        assert store.markets.list() == []


def test_an_unknown_fact_is_refused_with_the_nearest_and_the_refusal_is_recorded(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "price", "--home", home, "--set", "living_area_sqft=1500", "bedroms=3")
    assert (code, out) == (FAILED, "")
    assert err == (
        "error: 'bedroms' is not a fact of a home; the nearest is bedrooms. Correct the name, or leave it out.\n"
    )
    with open_store(home) as store:
        [entry] = store.ledger.list(store.markets.list()[0].market_id, 9)
    assert entry.status == "refused"
    code, _, err = run(capsys, "price", "--home", home, "--set", "sale_price=500000")
    assert code == FAILED
    assert "'sale_price' is not a fact of a home" in err


def test_a_misspelled_column_of_a_file_is_refused_and_others_left_out_are_named(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "listings.csv"
    path.write_text("zip code,living area sqft,gradn,flors\n98101,1500,7,2\n98101,1600,7,1\n", encoding="utf-8")
    code, _, err = run(capsys, "price", "--home", home, "--csv", path, "--quiet")
    assert code == FAILED
    assert "Column 'flors' is not a fact of a home; the nearest is 'floors'." in err
    path.write_text("zip code,living area sqft,roofing\n98101,1500,tile\n98101,1600,slate\n", encoding="utf-8")
    code, out, err = run(capsys, "price", "--home", home, "--csv", path, "--quiet", "--json")
    assert code == OK
    assert list(json.loads(out)["columns_not_used"]) == ["roofing"]
    assert err.startswith("note: 1 column not used: 'roofing' (")


def test_the_asking_price_is_recorded_and_unused_facts_are_named(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = ["living_area_sqft=1500", "list_price=450000", "grade=7"]
    code, _, err = run(capsys, "price", "--home", home, "--set", *facts)
    assert code == UNPRICED
    assert "note: this market's model does not use grade\n" in err
    with open_store(home) as store:
        [entry] = store.ledger.list(store.markets.list()[0].market_id, 9)
        assert store.ledger.get(entry.estimate_id).list_price == 450_000
    code, _, err = run(capsys, "price", "--home", home, "--set", "list_price=cheap")
    assert (code, "'cheap' is not an amount above 0" in err) == (FAILED, True)


@pytest.mark.parametrize("given", ["--set", "--csv"])
def test_before_the_first_sale_there_is_no_price_and_the_reason(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    with open_store(home) as store:
        latest = store.versions.latest(store.markets.list()[0].market_id)
        assert latest is not None
        zipcode = store.versions.load(latest.version_id)["zipcode"].iloc[0]
    path = tmp_path / "listings.csv"
    path.write_text(f"zip code,living area sqft\n{zipcode},1500\n", encoding="utf-8")
    what = [f"zipcode={zipcode}", "living_area_sqft=1500"] if given == "--set" else [path]
    code, out, _ = run(capsys, "price", "--home", home, "--as-of", "1999-01-01", given, *what)
    assert code == (UNPRICED if given == "--set" else OK)
    assert "Price estimate unavailable." in out
    assert (
        "The valuation date Jan 1, 1999 is more than a year before the first sale the model knows, Jan 6, 2019." in out
    )


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("price", "--set", "bedrooms=3", "--csv", "a.csv"), "not allowed with argument"),
        (("price", "--set", "bedrooms=3", "--set", "bedrooms=4"), "--set gives 'bedrooms' twice"),
        (("price", "--csv", "a.csv", "--level", "0.8"), "--level is for one home"),
        (("price", "--set", "bedrooms=3", "--sheet", "2"), "name the file with --csv"),
        (("price", "--as-of", "1 May"), "'1 May' is not a day; write it as YYYY-MM-DD"),
        (("ledger", "out.csv", "--since", "20250101"), "'20250101' is not a day"),
        (("ledger", "out.csv", "--since", "2025-02-01", "--until", "2025-01-01"), "swap the two days"),
        (("worker", "--every", "x"), "'x' is not a number"),
        (("train", "--forest-budget", "0", "--family", "random forest"), "give a budget of at least 1"),
        (("train", "--seed", "-1"), "give a number from 0 to 2,000,000,000"),
        (("scrutiny", "abc", "--decide", "keep", "--value", "3"), "add --decide correct"),
        (("scrutiny", "--note", "why"), "add --decide or --take-back"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_options_that_contradict_or_would_be_ignored_are_wrong_usage(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], remedy: str
) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (WRONG_USAGE, "")
    assert remedy in err


def test_an_impossible_currency_is_refused_before_the_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    path = tmp_path / "sales.csv"
    path.write_bytes(b"\0")  # reading it would be another refusal
    home = ("--home", tmp_path / "store")
    code, _, err = run(capsys, "ingest", path, "--market", "New", "--currency", "dollar", *home)
    assert code == FAILED
    assert "The currency 'dollar' is not three capital letters; give one such as USD." in err


def test_an_empty_review_queue_refuses_a_sale_that_is_not_in_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "scrutiny", "nope", "--decide", "keep", "--home", home)
    assert (code, err) == (FAILED, "error: 0 sales of the queue begin with 'nope'; name one as it is listed.\n")
