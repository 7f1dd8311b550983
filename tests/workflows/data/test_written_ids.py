"""Ids are stored without leading zeros, so that they match, and shown with the zeros that the county writes."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.collect.mapping_file import document_to_json, mapping_document, mapping_from_json
from core.progress import silent
from core.serve.agent.address_book import AddressBook
from core.states import EstimateState
from core.store import NewEstimate
from core.store.ledger.figures import Slice
from core.workflows.data.intake import IntakeReport, ingest
from core.workflows.data.scrutiny import review_queue
from core.workflows.data.versions import compare_versions, intake_of, redo_version, undo_version
from core.workflows.monitoring.ledger_export import export_ledger
from core.workflows.opening.addresses import address_book
from core.workflows.pricing.answers import AnswerFilter, recent
from core.workflows.pricing.ledger_entry import property_key
from core.workflows.source_files.reading import SourceFile
from core.workspace import Workspace
from tests.acting import acting
from tests.doubtful_market import doubtful_sales

MARKET = "testville"
TODAY = date(2026, 1, 1)
HEADER = "parcel number,zip code,sale date,sale price,living area sqft,bedrooms\n"


pytestmark = pytest.mark.usefixtures("market")


def line(number: int, price: int = 0, digits: int = 10, day: int = 0) -> str:
    """Return a sale of the home with this number, every fourth of which begins with a zero where it has 10 digits."""
    own = f"{518_500_480 + 1_000_000_000 * (number % 4) + number}".zfill(digits)
    return (
        f"{own},98103,2024-{1 + number % 12:02}-{1 + (number + day) % 27:02},{price or 200_000 + 137 * number},1500,3\n"
    )


def bring(workspace: Workspace, folder: Path, name: str, *lines: str) -> IntakeReport:
    path = folder / name
    path.write_text(HEADER + "".join(lines), encoding="utf-8")
    return ingest(workspace, MARKET, [SourceFile(path, name)], silent)


def stored(report: IntakeReport, workspace: Workspace) -> list[str]:
    ids: list[str] = workspace.store.versions.load(report.version.version_id)["property_id"].tolist()
    return ids


def book(workspace: Workspace, report: IntakeReport) -> AddressBook:
    return address_book(workspace.store, MARKET, report.version.version_id, ("bedrooms",))


def test_an_id_is_shown_as_the_county_writes_it_and_matches_without_its_zeros(
    workspace: Workspace, tmp_path: Path
) -> None:
    first = bring(workspace, tmp_path, "county.csv", *map(line, range(40)))
    assert stored(first, workspace)[:2] == ["518500480", "1518500481"], "the identity has no zeros"
    # What a spreadsheet made of a download: no zeros.
    lines = (line(0, 260_000, digits=1), line(4, 250_000, digits=1), line(41, digits=1))
    second = bring(workspace, tmp_path, "saved.csv", *lines)
    assert (second.preview.corrected_sales, second.preview.new_sales) == (2, 1)
    assert second.preview.corrections["home"].tolist() == ["0518500480", "0518500484"]
    assert workspace.store.versions.id_digits(second.version.version_id) == {"property_id": 10}
    # The corrections, uploaded with the zeros that people saw, are of the same homes.
    third = bring(workspace, tmp_path, "again.csv", line(0, 255_000), line(4, 240_000), line(44, day=1))
    assert (third.preview.corrected_sales, third.preview.new_sales, third.version.rows) == (2, 1, 42)
    diff = compare_versions(workspace, second.version.version_id, third.version.version_id)
    assert diff.added_rows["property_id"].tolist() == ["0518500524"]
    for typed in ("0518500480", "518500480", "parcel 0518500480"):
        [home] = book(workspace, third).find(typed).homes
        assert (home.address, home.facts["property_id"]) == ("0518500480", "0518500480")


def test_files_that_lost_their_zeros_teach_nothing_and_an_undo_takes_along_what_a_file_taught(
    workspace: Workspace, tmp_path: Path
) -> None:
    first = bring(workspace, tmp_path, "saved.csv", *(line(number, digits=1) for number in range(40)))
    [home] = book(workspace, first).find("0518500480").homes
    assert home.address == "518500480", "how many digits an id lost nobody knows"
    second = bring(workspace, tmp_path, "county.csv", *map(line, range(40, 60)))
    [home] = book(workspace, second).find("518500480").homes
    assert home.address == "0518500480", "the market has learned it, for what it held before, too"
    [taken] = intake_of(workspace, second.version.version_id)
    assert taken.mapping["id_digits"] == {"property_id": 10}
    again = mapping_from_json(document_to_json(taken.mapping))
    assert "id_digits" not in mapping_document(again), "of another file, that file must tell it"
    undo_version(workspace, second.version.version_id, "wrong file")
    assert book(workspace, first).find("0518500480").homes[0].address == "518500480"
    redo_version(workspace, second.version.version_id)
    assert book(workspace, second).find("518500480").homes[0].address == "0518500480"
    # Another numbering in the same market: whose zeros an id lost nobody can tell.
    third = bring(workspace, tmp_path, "other.csv", *(line(number, digits=12) for number in range(60, 80)))
    assert book(workspace, third).find("0518500480").homes[0].address == "518500480"


def test_the_queue_of_doubtful_sales_shows_ids_with_their_zeros(workspace: Workspace, tmp_path: Path) -> None:
    made = doubtful_sales()
    numbers = [f"{number:05}" for number in range(len(made.table))]
    path = tmp_path / "doubtful.csv"
    made.table.drop(columns="Street address").assign(**{"Parcel number": numbers}).to_csv(path, index=False)
    report = ingest(workspace, MARKET, [SourceFile(path, path.name)], silent)
    assert "17" in stored(report, workspace)
    planted = {number for number, kind in zip(numbers, made.planted, strict=True) if kind == "price"}
    assert planted <= set(review_queue(workspace, MARKET).rows["property_id"])


def test_the_estimates_of_a_home_known_by_its_id_alone_name_it_as_the_county_does(
    workspace: Workspace, tmp_path: Path
) -> None:
    bring(workspace, tmp_path, "county.csv", *map(line, range(40)))
    manager = acting(workspace.store, Actor("Mia", Role.MANAGER), workspace.problem, today=TODAY)
    facts = {"property_id": "518500480", "zipcode": "98103"}
    new = NewEstimate(
        market_id=MARKET,
        as_of=TODAY,
        channel="api",
        status="refused",
        currency="USD",
        latency_ms=1.0,
        reason="The living area is not known.",
        property_key=property_key(facts),
        area="98103",
        facts=facts,
        answer={},
    )
    workspace.store.ledger.append(new, manager.actor)
    [answer] = recent(manager, MARKET, 5, AnswerFilter("0518500480", state=EstimateState.NO_PRICE))
    assert answer.home == "0518500480, 98103"
    [row] = csv.DictReader(b"".join(export_ledger(manager, MARKET, Slice())).decode("utf-8-sig").splitlines())
    assert row["property_key"] == "0518500480"
