"""A market is made with its first data version, not before: a refused first upload leaves none behind."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.cli.main import main
from core.cli.session import FAILED, OK
from core.errors import (
    AlreadyExists,
    CollectError,
    InvalidRecord,
    NoUsableRows,
    StaleVersion,
    StoreUnavailable,
    WrongUsage,
)
from core.problem import Problem
from core.progress import silent
from core.store import NewModel, Store, open_store
from core.store.sales import versions
from core.workflows.data.intake import commit_intake, ingest, prepare_intake
from core.workflows.data.market_of_files import NewMarket, market_in_terms
from core.workflows.data.versions import history, redo_version, undo_version
from core.workflows.promotion import promote
from core.workflows.source_files.reading import SourceFile
from tests.acting import acting

ANALYST = Actor("Ann", Role.ANALYST)
MANAGER = Actor("Max", Role.MANAGER)
TODAY = date(2025, 1, 1)
HARBOUR = NewMarket("Harbour", "AUD", "sqm")
HEADER = "sale price,sale date,zipcode,living area sqft\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "home", "")


def write(folder: Path, rows: str) -> Path:
    path = folder / "sales.csv"
    path.write_text(HEADER + rows, encoding="utf-8")
    return path


def good(number: int) -> str:
    return "".join(
        f"{300_000 + row * 1_000},2024-03-{1 + row % 28:02},98101,{1_200 + row * 7 % 31}\n" for row in range(number)
    )


def test_the_check_makes_no_market_and_the_commit_does(store: Store, problem: Problem, tmp_path: Path) -> None:
    file = SourceFile(write(tmp_path, good(30)), "sales.csv")
    preview = prepare_intake(acting(store, problem=problem, today=TODAY), HARBOUR, [file], silent)
    assert store.markets.list() == []
    report = commit_intake(acting(store, ANALYST), preview, "first")
    [market] = store.markets.list()
    assert (market.name, market.currency, market.area_unit, market.simulated) == ("Harbour", "AUD", "sqm", False)
    assert report.version.market_id == market.market_id
    assert report.version.rows == 30


def test_a_refused_first_upload_leaves_no_market(store: Store, problem: Problem, tmp_path: Path) -> None:
    path = write(tmp_path, "1,2024-03-01,98101,1200\n1,2024-03-02,98101,1300\n")
    with pytest.raises(NoUsableRows):
        ingest(acting(store, ANALYST, problem, today=TODAY), HARBOUR, [SourceFile(path, "sales.csv")], silent)
    path.write_text("sale price,sale date\n", encoding="utf-8")
    with pytest.raises(CollectError):
        ingest(acting(store, ANALYST, problem, today=TODAY), HARBOUR, [SourceFile(path, "sales.csv")], silent)
    assert store.markets.list() == []


def test_a_first_commit_that_fails_half_way_leaves_no_market_and_can_be_done_again(
    store: Store, problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = SourceFile(write(tmp_path, good(30)), "sales.csv")
    preview = prepare_intake(acting(store, problem=problem, today=TODAY), HARBOUR, [file], silent)

    def cut_short(*_: object) -> None:
        raise StoreUnavailable("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(versions, "_point", cut_short)
        with pytest.raises(StoreUnavailable):
            commit_intake(acting(store, ANALYST), preview, "first")
    assert store.markets.list() == []
    assert commit_intake(acting(store, ANALYST), preview, "first").version.rows == 30
    with pytest.raises(AlreadyExists, match="already exists"):
        commit_intake(acting(store, ANALYST), preview, "first")


def test_a_name_that_reads_like_a_market_there_is_refused_at_the_check(
    store: Store, problem: Problem, tmp_path: Path
) -> None:
    store.markets.create("Harbour", "AUD", "sqm", False, ANALYST)
    file = SourceFile(write(tmp_path, good(30)), "sales.csv")
    with pytest.raises(AlreadyExists, match="already exists"):
        prepare_intake(acting(store, problem=problem, today=TODAY), NewMarket("harbour!", "AUD", "sqm"), [file], silent)


def test_a_wrong_currency_is_put_right_once_no_sales_are_in_use(store: Store, problem: Problem, tmp_path: Path) -> None:
    work, file = acting(store, MANAGER, problem, today=TODAY), SourceFile(write(tmp_path, good(30)), "sales.csv")
    version = ingest(work, NewMarket("Harbour", "USD", "sqft"), [file], silent).version
    harbour = store.markets.get("harbour")
    model = store.models.add(NewModel("harbour", version.version_id, b"model", {"currency": "USD"}), MANAGER)
    store.models.promote(model.model_id, MANAGER, "first")
    with pytest.raises(WrongUsage, match="undo the market’s data first"):
        market_in_terms(store, harbour, "AUD")
    undo_version(work, version.version_id, "the wrong currency")

    again = market_in_terms(store, harbour, "AUD", "sqm")
    assert again == HARBOUR
    report = ingest(work, again, [file], silent)
    now = store.markets.get("harbour")
    assert (now.currency, now.area_unit, report.version.rows) == ("AUD", "sqm", 30)
    assert store.models.champion("harbour") is None
    with pytest.raises(InvalidRecord, match="learned prices in USD"):
        promote(work, model.model_id, "as before")
    assert [one.currency for one in store.markets.list()] == ["AUD"]


def test_sales_of_the_currency_before_cannot_be_used_again(store: Store, problem: Problem, tmp_path: Path) -> None:
    work = acting(store, MANAGER, problem, today=TODAY)
    dollars = ingest(work, NewMarket("Harbour", "USD", "sqft"), [SourceFile(write(tmp_path, good(30)), "a")], silent)
    undo_version(work, dollars.version.version_id, "the wrong currency")
    euros = ingest(work, NewMarket("Harbour", "EUR", "sqft"), [SourceFile(write(tmp_path, good(31)), "b")], silent)
    undo_version(work, euros.version.version_id, "to look again")
    assert [one.returnable for one in history(work, "harbour")] == [True, False]
    with pytest.raises(StaleVersion, match="currency was changed"):
        redo_version(work, dollars.version.version_id)
    redo_version(work, euros.version.version_id)
    assert store.versions.latest("harbour") == euros.version


def test_the_command_line_makes_the_market_only_with_its_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    path, home = write(tmp_path, "1,2024-03-01,98101,1200\n"), tmp_path / "home"
    command = ["ingest", str(path), "--market", "Harbour", "--currency", "AUD", "--home", str(home), "--quiet"]
    assert main(command) == FAILED
    assert "No row of sales.csv can be used" in capsys.readouterr().err
    with open_store(home) as store:
        assert store.markets.list() == []
    write(tmp_path, good(30))
    assert main([*command, "--json"]) == OK
    with open_store(home) as store:
        assert [market.market_id for market in store.markets.list()] == ["harbour"]
