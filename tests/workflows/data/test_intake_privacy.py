"""Persons in an uploaded file: whichever way it comes in, they are reported and nothing of them is kept."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.collect.mapping import ColumnMapping, ColumnRule
from core.collect.privacy.read_file import scrubbed
from core.errors import MappingError
from core.problem import Problem
from core.progress import silent
from core.schema import Source
from core.store import Store
from core.workflows.data.intake import commit_intake, prepare_intake
from core.workflows.data.market_of_files import NewMarket
from core.workflows.data.source_preview import preview_source
from core.workflows.source_files.reading import SourceFile
from tests.acting import acting
from tests.postgresql import ON_BOTH

TODAY = date(2024, 6, 1)
ANALYST = Actor("Ada", Role.ANALYST)
MARKET = NewMarket("Testville", "USD", "sqft")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    lines = ["Sale Price,Sale Date,Zip,Living Area,Buyer,Remarks"]
    for place in range(60):
        price = 1 if place % 10 == 0 else 300_000 + 1_000 * place
        remark = "call 206-555-0199" if place == 10 else f"home {place % 7}"
        lines.append(f"{price},2023-{1 + place % 12:02d}-15,98001,{1500 + place},Zora Quill,{remark}")
    lines.append("310000,2023-05-05,98001,1800,Zora Quill")
    path = tmp_path / "sales.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_preview_reports_persons_and_shows_none(file: Path, problem: Problem) -> None:
    seen = preview_source(file, file.name, problem)
    assert [(one.column, one.kind, one.action) for one in seen.personal] == [
        ("Buyer", "name", "dropped"),
        ("Remarks", "contact", "blanked"),
    ]
    assert "Buyer" not in seen.columns
    shown = seen.sample.to_csv() + repr(seen.guess) + repr(seen.words)
    assert "Zora" not in shown
    assert "0199" not in shown


def test_a_cell_that_cannot_be_read_is_quoted_without_its_person(
    tmp_path: Path, store: Store, problem: Problem
) -> None:
    lines = ["Sale Price,Sale Date,Zip,Living Area"]
    lines += [f"{300_000 + place},2023-05-15,98001,{1_500 + place}" for place in range(60)]
    lines += ["ask Ann Miller today,2023-05-15,98001,1500", "see alarm code 4711,2023-05-15,98001,1500"]
    path = tmp_path / "sales.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    preview = prepare_intake(acting(store, problem=problem, today=TODAY), MARKET, [SourceFile(path, path.name)], silent)
    assert preview.problems["value"].tolist() == ["ask [removed] today", "see [removed]"]
    assert not any(word in preview.ledgers.to_csv() for word in ("Miller", "4711"))


def test_text_that_a_mapping_names_is_kept_and_all_other_text_of_no_field_is_not(
    tmp_path: Path, store: Store, problem: Problem
) -> None:
    lines = ["Sale Price,Sale Date,Zip,Plan,Story"]
    lines += [f"{300_000 + place},2023-05-15,98001,plan no{place} a,tale {place} b" for place in range(80)]
    path = tmp_path / "sales.csv"
    path.write_text("\n".join([*lines, lines[1].replace("300000", "1")]) + "\n", encoding="utf-8")
    rules = (
        ColumnRule("Sale Price", "sale_price", "number"),
        ColumnRule("Sale Date", "sale_date", "date"),
        ColumnRule("Zip", "zipcode", "postcode"),
        ColumnRule("Plan", "x_plan"),
    )
    source = SourceFile(path, path.name, ColumnMapping(Source.SALES, rules))
    preview = prepare_intake(acting(store, problem=problem, today=TODAY), MARKET, [source], silent)
    assert preview.sales["x_plan"].nunique() == 80
    assert [one.column for one in preview.personal[path.name]] == ["Story"]
    assert "plan no0" in preview.ledgers["raw"].str.cat()
    assert "tale" not in preview.ledgers["raw"].str.cat()


@ON_BOTH
def test_nothing_of_a_person_is_kept_by_an_intake(file: Path, store: Store, problem: Problem) -> None:
    preview = prepare_intake(acting(store, problem=problem, today=TODAY), MARKET, [SourceFile(file, file.name)], silent)
    rejected = preview.ledgers[preview.ledgers["outcome"] == "rejected"]
    assert len(rejected) == 7
    kept = preview.ledgers.to_csv() + preview.sales.to_csv() + preview.problems.to_csv()
    assert "Zora" not in kept
    assert "0199" not in kept


def test_a_file_brought_by_the_page_and_by_command_line_is_the_same_file(
    file: Path, store: Store, problem: Problem
) -> None:
    preview = prepare_intake(acting(store, problem=problem, today=TODAY), MARKET, [SourceFile(file, file.name)], silent)
    market = commit_intake(acting(store, ANALYST), preview, "by command line").version.market_id
    staged = store.uploads.save(file.name, scrubbed(file.read_bytes(), file.name).content, 1_000_000)
    again = prepare_intake(
        acting(store, problem=problem, today=TODAY), market, [SourceFile(staged.path, file.name)], silent
    )
    assert again.repeated == (file.name,)
    assert again.new_sales == 0


def test_a_mapping_that_wants_persons_is_refused(file: Path, store: Store, problem: Problem) -> None:
    rules = (
        ColumnRule("Sale Price", "sale_price", "number"),
        ColumnRule("Sale Date", "sale_date", "date"),
        ColumnRule("Zip", "zipcode", "postcode"),
        ColumnRule("Buyer", "x_buyer"),
    )
    source = SourceFile(file, file.name, ColumnMapping(Source.SALES, rules))
    with pytest.raises(MappingError, match=r"'Buyer' was left out \(personal data"):
        prepare_intake(acting(store, problem=problem, today=TODAY), MARKET, [source], silent)
