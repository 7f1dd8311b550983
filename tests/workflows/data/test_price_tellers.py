"""A column that gives the price away: refused on every way in, kept only by its name, and never learned from."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from core.access import Actor, Role
from core.cli.main import main
from core.collect.mapping import ColumnRule
from core.collect.mapping_file import mapping_to_json
from core.errors import PriceGivenAway
from core.problem import Problem
from core.progress import silent
from core.schema import EXTRA_PREFIX
from core.store import Store, open_store
from core.train.trainer import default_plan
from core.workflows.data.intake import ingest
from core.workflows.data.market_of_files import NewMarket
from core.workflows.data.source_preview import preview_source
from core.workflows.data.versions import Brought, brought_by
from core.workflows.source_files.reading import SourceFile
from core.workflows.training import train_model
from tests.acting import acting
from tests.postgresql import ON_BOTH

ANALYST = Actor("Ann", Role.ANALYST)
HEADER = "sale price,sale date,zipcode,living area sqft,bedrooms,valor\n"
SPRINGFIELD = NewMarket("Springfield", "USD", "sqft")


def sales(rows: int) -> str:
    """Sales whose column ``valor`` is the price per square foot, under a name that says nothing."""
    rng = np.random.default_rng(7)
    area = rng.integers(800, 3_000, rows)
    price = (area * rng.uniform(150, 250, rows)).round(-2)
    day = rng.integers(1, 28, rows)
    return HEADER + "".join(
        f"{p:.0f},2024-{1 + n % 12:02}-{d:02},9810{n % 4},{a},{2 + n % 4},{p / a:.3f}\n"
        for n, (p, a, d) in enumerate(zip(price, area, day, strict=True))
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(sales(400), encoding="utf-8")
    return path


@pytest.fixture
def mapped(path: Path, problem: Problem) -> SourceFile:
    """The file with the column mapped as a fact of its own, as an analyst may insist."""
    guess = preview_source(path, path.name, problem).guess
    rule = ColumnRule("valor", f"{EXTRA_PREFIX}valor", "number")
    rules = tuple(one for one in guess.mapping.rules if one.column != "valor")
    kept = tuple(one for one in guess.mapping.ignored if one[0] != "valor")
    return SourceFile(path, path.name, replace(guess.mapping, rules=(*rules, rule), ignored=kept))


@ON_BOTH
def test_it_is_refused_by_name_and_nothing_is_left_behind(store: Store, mapped: SourceFile) -> None:
    with pytest.raises(PriceGivenAway, match=r"column 'valor' of sales.csv is computed from the price per area"):
        ingest(acting(store, ANALYST, today=date(2025, 1, 1)), SPRINGFIELD, [mapped], silent)
    assert store.markets.list() == []


def test_kept_by_its_name_the_record_says_so_and_training_still_refuses_it(store: Store, mapped: SourceFile) -> None:
    at_work = acting(store, ANALYST, today=date(2025, 1, 1))
    report = ingest(at_work, SPRINGFIELD, [mapped], silent, ["valor"])
    assert "kept although they reveal the price: valor" in report.version.note
    with pytest.raises(PriceGivenAway, match=r"The fact 'valor' is computed from .* No model was trained"):
        train_model(at_work, report.version.market_id, default_plan(at_work.problem), silent)
    assert store.models.list(report.version.market_id) == []


def test_the_command_line_asks_as_the_page_does(
    tmp_path: Path, mapped: SourceFile, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert mapped.mapping is not None
    mapping = tmp_path / "mapping.json"
    mapping.write_text(mapping_to_json(mapped.mapping), encoding="utf-8")
    home = tmp_path / "home"
    terms = ["--mapping", str(mapping), "--currency", "USD", "--home", str(home)]
    command = ["ingest", str(mapped.path), "--market", "Springfield", *terms]
    assert main([*command, "--quiet"]) == 1
    told = capsys.readouterr().err
    assert "column 'valor' of sales.csv" in told
    assert "Repeat the command with --map valor= to leave it out, or with --keep valor to store it all the same" in told
    assert main([*command, "--quiet", "--keep", "valor"]) == 0
    with open_store(home) as store:
        [market] = store.markets.list()
        version = store.versions.latest(market.market_id)
        assert version is not None
        assert version.rows == 400
    # Training names the commands that set the column aside, and they do.
    capsys.readouterr()
    at = ["--home", str(home), "--quiet"]
    assert main(["train", "--market", "springfield", *at]) == 1
    told = capsys.readouterr().err
    undo, again = re.findall(r": \S+(?: -m core)? ((?:undo-version|ingest) .*?)(?=\. Then|$)", told.strip())
    assert undo == f"undo-version {version.version_id} --reason 'valor tells the price' --home {home}"
    assert again == f"ingest sales.csv --market springfield --map valor= --home {home}"
    assert "Sales data page" not in told, "which is for the pages"
    monkeypatch.chdir(tmp_path)
    assert main([*shlex.split(undo), "--quiet"]) == 0
    assert main([*shlex.split(again), "--quiet"]) == 0
    with open_store(home) as store:
        latest = store.versions.latest("springfield")
        assert latest is not None
        assert "x_valor" not in store.versions.load(latest.version_id)


def test_the_pages_are_told_where_to_undo_and_leave_out(store: Store, mapped: SourceFile) -> None:
    at_work = acting(store, ANALYST, today=date(2025, 1, 1))
    report = ingest(at_work, SPRINGFIELD, [mapped], silent, ["valor"])
    with pytest.raises(PriceGivenAway, match=r"“Undo a version” and press “Undo it” .* leave the column out in"):
        train_model(at_work, report.version.market_id, default_plan(at_work.problem), silent)
    found = brought_by(at_work, report.version.market_id, "x_valor")
    assert found == Brought(report.version.version_id, "sales.csv", "valor")
    assert brought_by(at_work, report.version.market_id, "x_other") is None


def test_a_tax_file_is_measured_on_the_sales_that_it_completes(store: Store, tmp_path: Path) -> None:
    lines = sales(400).replace(",valor", "").splitlines()
    rows = [line.rsplit(",", 1)[0] for line in lines[1:]]
    path, tax = tmp_path / "sold.csv", tmp_path / "tax.csv"
    path.write_text("\n".join([f"{lines[0]},parcel number", *(f"{row},{n}" for n, row in enumerate(rows))]), "utf-8")
    bills = [f"{n},{0.009 * int(row.split(',')[0]):.0f},{1950 + n % 60}\n" for n, row in enumerate(rows)]
    tax.write_text("parcel number,annual tax,year built\n" + "".join(bills), "utf-8")
    at_work = acting(store, ANALYST, today=date(2025, 1, 1))
    both = [SourceFile(path, path.name), SourceFile(tax, tax.name)]
    with pytest.raises(PriceGivenAway, match=r"column 'annual tax' of tax.csv is computed from the sale price"):
        ingest(at_work, SPRINGFIELD, both, silent)
    assert store.markets.list() == []
    market = ingest(at_work, SPRINGFIELD, both[:1], silent).version.market_id
    with pytest.raises(PriceGivenAway, match=r"column 'annual tax' of tax.csv .* name it as a column to keep"):
        ingest(at_work, market, both[1:], silent)
    report = ingest(at_work, market, both[1:], silent, ["annual tax"])
    assert "kept although they reveal the price: annual tax" in report.version.note
    assert report.preview.gained["year_built"] == 400


@pytest.mark.parametrize(("currency", "level"), [("AED", 14_000.0), ("USD", 290_000.0)])
def test_prices_per_area_are_refused_and_where_kept_training_refuses_them(
    store: Store, tmp_path: Path, currency: str, level: float
) -> None:
    rng = np.random.default_rng(7)
    area, day = rng.integers(45, 260, 400), rng.integers(1, 28, 400)
    price = (level * (area / 100) ** -0.3 * rng.uniform(0.85, 1.15, 400)).round()
    path = tmp_path / "rates.csv"
    path.write_text(
        "Price,Sale Date,Zip,Area m2\n"
        + "".join(
            f"{p:.0f},2024-{1 + n % 12:02}-{d:02},5031{n % 4},{a}\n"
            for n, (p, a, d) in enumerate(zip(price, area, day, strict=True))
        ),
        encoding="utf-8",
    )
    at_work, market = acting(store, ANALYST, today=date(2025, 1, 1)), NewMarket("Springfield", currency, "sqm")
    with pytest.raises(PriceGivenAway, match=r"column 'Price' of rates.csv is a price per area"):
        ingest(at_work, market, [SourceFile(path, path.name)], silent)
    assert store.markets.list() == []
    report = ingest(at_work, market, [SourceFile(path, path.name)], silent, ["Price"])
    with pytest.raises(PriceGivenAway, match=r"The sale price is a price per area.* No model was trained"):
        train_model(at_work, report.version.market_id, default_plan(at_work.problem), silent)
    assert store.models.list(report.version.market_id) == []
