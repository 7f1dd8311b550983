"""From files to a data version: every row accounted for, nothing committed by halves, the same file changes nothing."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.access import Actor, Role
from core.collect.mapping_file import mapping_from_json, mapping_to_json
from core.collect.reading.reader import read_table
from core.errors import (
    AccessDenied,
    DuplicateHeaders,
    FileEmpty,
    FileTooLarge,
    FileUnreadable,
    MappingError,
    NoUsableRows,
    StaleVersion,
)
from core.problem import Problem
from core.progress import silent
from core.schema import Source
from core.spreadsheet import to_csv_text
from core.store import Market, Store
from core.workflows.data.intake import IntakeReport, commit_intake, ingest, prepare_intake
from core.workflows.data.row_ledger import rows_as_in_file, with_cells
from core.workflows.data.source_preview import preview_source
from core.workflows.source_files import reading
from core.workflows.source_files.reading import SourceFile
from tests.acting import acting
from tests.postgresql import ON_BOTH

ANALYST = Actor("ana", Role.ANALYST)
TODAY = date(2026, 1, 1)
HEADER = "parcel number,address,zip code,sale date,sale price,living area sqft,bedrooms,year built\n"


def rows(count: int, start: int = 0) -> str:
    return "".join(
        f"{100 + n},{n} Oak Street,0010{n % 5},2024-{1 + n % 12:02}-{1 + n % 27:02},{200_000 + 137 * (n * 61 % 97)},"
        f"{1_000 + n * 37 % 500},{2 + n % 3},{1950 + n % 60}\n"
        for n in range(start, start + count)
    )


def write(folder: Path, text: str, name: str = "sales.csv") -> SourceFile:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return SourceFile(path, name)


def take_in(store: Store, market: Market, problem: Problem, *files: SourceFile) -> object:
    return ingest(acting(store, ANALYST, problem, today=TODAY), market.market_id, files, silent)


@ON_BOTH
def test_every_row_is_accounted_for(store: Store, market: Market, problem: Problem, tmp_path: Path) -> None:
    faulty = (
        rows(20)
        + rows(2)  # the first two again
        + "900,9 Elm St,00101,2024-05-05,1,1200,3,1990\n"  # price of $1
        + "901,10 Elm St,00101,2024-05-05,250000,1200,45,1990\n"  # 45 bedrooms
        + "902,11 Elm St,00101,,250000,1200,3,1990\n"  # no date
        + "903,12 Elm St,00101,2024-05-05,250000\n"  # ragged
        + "904,13 Elm St,00101,2024-02-31,250000,1200,3,1990\n"
        + "905,14 Elm St,00101,2024-05-05,POA,1200,3,1990\n"
        + "906,15 Elm St,00101,2024-05-05,250000,1200,three,1990\n"
    )
    report = ingest(
        acting(store, ANALYST, problem, today=TODAY), market.market_id, [write(tmp_path, HEADER + faulty)], silent
    )
    (account,) = report.preview.files
    assert (account.rows_in, account.accepted, account.repaired) == (29, 20, 2)
    assert (account.duplicate, account.rejected) == (2, 5)
    assert report.version.rows == 22
    assert report.version.rows_seen == 29
    ledger = store.versions.ledger(report.version.version_id)
    assert len(ledger) == 29
    # A fact that could not be read is lost as one that is not plausible.
    repaired = ledger[ledger["outcome"] == "repaired"].set_index("reasons")
    assert set(repaired.index) == {"bedrooms_implausible", "unread_bedrooms"}
    assert repaired.loc["unread_bedrooms", "detail"] == "bedrooms 'three' left empty (not a number)"
    assert repaired["raw"].str.contains("Elm St").all()
    told = ledger[ledger["outcome"] == "rejected"]
    # What was written and could not be read is not missing.
    assert sorted(told["reasons"]) == [
        "bad_line",
        "date_missing",
        "no_such_day",
        "price_impossible",
        "price_unreadable",
    ]
    assert "sale date '2024-02-31' is no day of the calendar" in set(told["detail"])
    assert told["raw"].str.contains("Elm St").all()


def test_rejected_rows_come_with_their_own_columns_to_be_corrected_and_brought_again(
    store: Store, market: Market, problem: Problem, tmp_path: Path
) -> None:
    lines = rows(20) + (
        '900,"=HYPERLINK(""http://a.example"")",00101,2024-05-05,1,1200,3,1990\n'  # price of $1
        "901,9 Elm St | rear,00101,,250000,1200,3,1990\n"  # no date
        "902,12 Elm St,00101,2024-05-05,250000\n"  # ragged
    )
    preview = prepare_intake(
        acting(store, ANALYST, problem, today=TODAY), market.market_id, [write(tmp_path, HEADER + lines)], silent
    )
    accepted = preview.ledgers[preview.ledgers["outcome"] == "accepted"]
    whole = rows_as_in_file(with_cells(accepted, read_table(tmp_path / "sales.csv")), HEADER.strip().split(","))
    # Accepted rows are kept nowhere but in the file.
    assert whole["address"].tolist() == [f"{n} Oak Street" for n in range(20)]
    assert whole["Doorstep row"].tolist() == [str(n + 1) for n in range(20)]
    headers = HEADER.strip().split(",")
    assert preview.headers == {"sales.csv": tuple(headers)}
    rejected = preview.ledgers[preview.ledgers["outcome"] == "rejected"]
    text = to_csv_text(rows_as_in_file(rejected, headers))
    table = pd.read_csv(io.StringIO(text), dtype="str")
    assert list(table) == [*headers, "Doorstep row", "Doorstep reason", "Doorstep unreadable line"]
    assert table["Doorstep row"].fillna("").tolist() == ["21", "22", ""]
    assert table["Doorstep reason"].str.contains("price|date|line 24").all()
    assert table["address"].tolist()[:2] == ['\'=HYPERLINK("http://a.example")', "9 Elm St | rear"]
    assert table["Doorstep unreadable line"].tolist()[2] == "902,12 Elm St,00101,2024-05-05,250000"
    corrected = text.replace(",1,1200", ",410000,1200").replace("rear,00101,,", "rear,00101,2024-06-06,")
    again = prepare_intake(
        acting(store, ANALYST, problem, today=TODAY),
        market.market_id,
        [write(tmp_path, HEADER + rows(20)), write(tmp_path, corrected, "rejected.csv")],
        silent,
    )
    account = again.files[1]
    assert (account.accepted + account.repaired, account.rejected) == (2, 1)
    assert {410_000.0, 250_000.0} <= set(again.sales["sale_price"])
    read = read_table(tmp_path / "rejected.csv").frame
    assert read["address"].tolist()[:2] == ['=HYPERLINK("http://a.example")', "9 Elm St | rear"]
    assert not [name for name in again.sales if "doorstep" in str(name)]


def test_same_file_again_changes_nothing_and_says_so(
    store: Store, market: Market, problem: Problem, tmp_path: Path
) -> None:
    file = write(tmp_path, HEADER + rows(30))
    first = ingest(acting(store, ANALYST, problem, today=TODAY), market.market_id, [file], silent)
    again = ingest(acting(store, ANALYST, problem, today=TODAY), market.market_id, [file], silent)
    assert first.changed
    assert not again.changed
    assert again.version == first.version
    assert again.preview.repeated == ("sales.csv",)
    assert again.preview.files[0].duplicate == 30


def test_overlapping_file_adds_only_its_new_rows(
    store: Store, market: Market, problem: Problem, tmp_path: Path
) -> None:
    ingest(acting(store, ANALYST, problem, today=TODAY), market.market_id, [write(tmp_path, HEADER + rows(30))], silent)
    later = write(tmp_path, HEADER + rows(30, start=20), "later.csv")
    report = ingest(acting(store, ANALYST, problem, today=TODAY), market.market_id, [later], silent)
    assert report.preview.new_sales == 20
    assert report.version.rows == 50
    sales = store.versions.load(report.version.version_id)
    assert sales["intake_row"].is_unique
    assert sales["intake_row"].max() == 59
    assert sales["intake_row"].max() < report.version.rows_seen == 60


def test_preview_changes_nothing_until_committed(
    store: Store, market: Market, problem: Problem, tmp_path: Path
) -> None:
    file = write(tmp_path, HEADER + rows(30))
    preview = prepare_intake(acting(store, problem=problem, today=TODAY), market.market_id, [file], silent)
    assert store.versions.latest(market.market_id) is None
    assert commit_intake(acting(store, ANALYST), preview, "note").version.rows == 30


@ON_BOTH
def test_preview_made_before_another_commit_is_refused(
    store: Store, market: Market, problem: Problem, tmp_path: Path
) -> None:
    old = prepare_intake(
        acting(store, problem=problem, today=TODAY), market.market_id, [write(tmp_path, HEADER + rows(30))], silent
    )
    ingest(
        acting(store, ANALYST, problem, today=TODAY),
        market.market_id,
        [write(tmp_path, HEADER + rows(9, 50), "b.csv")],
        silent,
    )
    with pytest.raises(StaleVersion):
        commit_intake(acting(store, ANALYST), old, "note")


def test_three_sources_meet_by_parcel_address_and_zipcode(
    store: Store, market: Market, problem: Problem, tmp_path: Path
) -> None:
    sales = write(
        tmp_path,
        "parcel number,address,zip code,sale date,sale price,living area sqft\n"
        "1,12 N. Main St.,00101,2024-03-01,300000,\n"
        ",14 North Main Street,00101,2024-03-02,310000,1500\n"
        "3,9 Oak Ave,00102,2024-03-03,320000,1600\n",
    )
    tax = write(
        tmp_path,
        "parcel id,situs address,zip,year built,assessed value,living area\n"
        "1,12 NORTH MAIN STREET,00101,1950,250000,1400\n"
        "2,14 N MAIN ST,00101,1960,260000,1501\n"
        "77,1 Nowhere Rd,00102,1970,270000,1000\n",
        "tax.csv",
    )
    area = write(tmp_path, "zip,school rating,walk score\n00101,A,80\n00102,C,40\n", "areas.csv")
    report = ingest(acting(store, ANALYST, problem, today=TODAY), market.market_id, [sales, tax, area], silent)
    held = store.versions.load(report.version.version_id)
    assert list(held["year_built"].iloc[:2]) == [1950, 1960]
    assert np.isnan(held["year_built"].iloc[2])
    assert held["living_area_sqft"].iloc[0] == 1400
    assert list(held["school_rating"]) == [5, 5, 3]
    assert report.preview.matched == {
        "tax_by_id": 1,
        "tax_by_address": 1,
        "tax_by_answer": 0,
        "neighbourhood": 3,
    }
    assert {account.file for account in report.preview.files} == {"sales.csv", "tax.csv", "areas.csv"}
    # The tax roll stays with the version, with the home that was never sold.
    roll = store.versions.load_roll(report.version.version_id)
    assert roll is not None
    assert list(roll["property_id"]) == ["1", "2", "77"]
    assert {one.year for one in roll["roll_day"]} == {TODAY.year}


@pytest.mark.parametrize(
    ("content", "error", "told"),
    [
        (b"", FileEmpty, "empty"),
        (HEADER.encode(), FileEmpty, "no rows|no data|header"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x01" * 50, FileUnreadable, "CSV"),
        (b"PK\x03\x04" + b"\x00" * 400, FileUnreadable, "Excel|CSV"),
        (b"price,price\n1,2\n3,4\n", DuplicateHeaders, "price"),
        (b"just one column\nfoo\nbar\n", FileUnreadable, "column"),
        (b"address,beds\n1 Elm St,3\n2 Elm St,4\n", MappingError, "sales|price"),
        ((HEADER + re.sub(r",2\d{5},", ",1,", rows(5))).encode(), NoUsableRows, "No row of .*price impossible"),
    ],
)
def test_bad_files_are_refused_clearly_and_change_nothing(
    store: Store,
    market: Market,
    problem: Problem,
    tmp_path: Path,
    content: bytes,
    error: type[Exception],
    told: str,
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(error, match=f"(?i){told}") as refusal:
        ingest(acting(store, ANALYST, problem, today=TODAY), market.market_id, [SourceFile(path, "bad.csv")], silent)
    assert "\n" not in str(refusal.value)
    assert store.versions.latest(market.market_id) is None
    assert not list((store.home / "versions").iterdir())


def test_a_file_larger_than_memory_can_hold_is_refused(
    store: Store, market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, HEADER + rows(20_000))
    monkeypatch.setattr(reading, "memory_limit", lambda: 1_000_000)
    with pytest.raises(FileTooLarge, match=r"limit is .* cut sales\.csv --by month --into months, then ingest-pieces"):
        ingest(acting(store, ANALYST, today=TODAY), market.market_id, [file], silent)


def test_the_limit_of_an_upload_is_the_page_s_own(
    store: Store, market: Market, problem: Problem, tmp_path: Path
) -> None:
    strict = replace(problem, intake=replace(problem.intake, upload_mb=1))
    file = write(tmp_path, HEADER + rows(20_000))
    assert ingest(acting(store, ANALYST, strict, today=TODAY), market.market_id, [file], silent).preview.new_sales


def test_semicolons_and_decimal_commas_are_understood(
    store: Store, market: Market, problem: Problem, tmp_path: Path
) -> None:
    lines = [
        f"{n};{n} Oak Street;0010{n % 5};{1 + n % 27:02}.{1 + n % 12:02}.2024;{200 + n}.500,75;{1_000 + n},5"
        for n in range(20)
    ]
    text = "parcel number;address;zip code;sale date;sale price;living area sqft\n" + "\n".join(lines) + "\n"
    report = ingest(acting(store, ANALYST, problem, today=TODAY), market.market_id, [write(tmp_path, text)], silent)
    held = store.versions.load(report.version.version_id)
    assert held["sale_price"].iloc[0] == 200_500.75
    assert held["living_area_sqft"].iloc[0] == 1_000.5
    assert held["sale_date"].iloc[1] == pd.Timestamp("2024-02-02")


def test_corrected_mapping_is_used_instead_of_the_guess(
    store: Store, market: Market, problem: Problem, tmp_path: Path
) -> None:
    text = (HEADER + rows(20)).replace("living area sqft", "mystery")
    file = write(tmp_path, text)
    guess = preview_source(file.path, file.name, problem)
    assert guess.source is Source.SALES
    document = mapping_to_json(guess.guess.mapping).replace("x_mystery", "living_area_sqft")
    corrected = replace(file, mapping=mapping_from_json(document))
    report = ingest(acting(store, ANALYST, problem, today=TODAY), market.market_id, [corrected], silent)
    assert store.versions.load(report.version.version_id)["living_area_sqft"].iloc[0] == 1_000


def test_agents_may_not_commit(store: Store, market: Market, problem: Problem, tmp_path: Path) -> None:
    agent = Actor("al", Role.AGENT)
    with pytest.raises(AccessDenied, match="may not commit sales data"):
        ingest(
            acting(store, agent, problem, today=TODAY), market.market_id, [write(tmp_path, HEADER + rows(5))], silent
        )


def test_formula_cells_are_kept_as_text_not_run(store: Store, market: Market, problem: Problem, tmp_path: Path) -> None:
    text = HEADER + rows(5) + '800,"=cmd|calc",00101,2024-05-05,250000,1200,3,1990\n'
    with (tmp_path / "f.csv").open("w", newline="") as out:
        csv.writer(out).writerows(csv.reader(text.splitlines()))
    report = ingest(
        acting(store, ANALYST, problem, today=TODAY),
        market.market_id,
        [SourceFile(tmp_path / "f.csv", "f.csv")],
        silent,
    )
    assert report.version.rows == 6


def test_two_files_whose_mappings_are_as_guessed_are_joined_by_their_values(
    store: Store, market: Market, problem: Problem, tmp_path: Path
) -> None:
    """The page gives each file the mapping it was guessed, before it knows the other."""
    keys = [f"{n % 13}-{n}" for n in range(120)]
    sales = "ref,Sale Price,Sale Date,zip code\n" + "".join(
        f"{key},{200_000 + 137 * (n * 61 % 97)},2024-{1 + n % 12:02}-{1 + n % 27:02},0010{n % 5}\n"
        for n, key in enumerate(keys)
    )
    parcels = "lookup,bldg_area_sqft,latitude,longitude\n" + "".join(
        f"{key},{900 + n * 37 % 1_500},47.{n:03},-122.{n:03}\n" for n, key in enumerate(reversed(keys))
    )
    files = [write(tmp_path, sales), write(tmp_path, parcels, "parcels.csv")]
    files = [replace(one, mapping=preview_source(one.path, one.name, problem).guess.mapping) for one in files]
    report = ingest(acting(store, ANALYST, problem, today=TODAY), market.market_id, files, silent)
    assert report.preview.matched["tax_by_id"] == len(keys)
    assert report.preview.sales["living_area_sqft"].notna().all()


def test_how_a_file_was_read_is_recorded_with_the_file_and_not_in_the_note(
    store: Store, market: Market, problem: Problem, tmp_path: Path
) -> None:
    report = take_in(store, market, problem, write(tmp_path, (HEADER + rows(20)).replace(",", ";")))
    assert isinstance(report, IntakeReport)
    assert report.version.note == "sales.csv"
    assert "separated by semicolon" in report.preview.intake[0].reading
