"""Persons kept out: columns found by header and by content, facts left alone, and bytes that may reach disk."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.collect.privacy.findings import BLANKED, DROPPED, OWN, REMOVED, of_persons, reason
from core.collect.privacy.patterns import CODE_CELL, MEASURE, matches
from core.collect.privacy.read_file import ReadFile, scrubbed, without_persons
from core.collect.reading.reader import parse_table, read_table
from core.collect.reading.table import RawTable
from core.errors import FileTooLarge, FileUnreadable

NAMES = ("Ann Miller", "Bob O'Neill", "Chris de Wit", "Dana Smith-Jones", "LEE, KIM")


def _csv(columns: dict[str, list[str]], separator: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return out.getvalue().encode("utf-8")


def _homes(rows: int = 40) -> dict[str, list[str]]:
    return {
        "Sale Price": [str(300_000 + 1_000 * place) for place in range(rows)],
        "Sale Date": [f"2023-{1 + place % 12:02d}-{1 + place % 28:02d}" for place in range(rows)],
        "Zip": ["98001", "98002"] * (rows // 2),
    }


def _with(header: str, cells: list[str]) -> RawTable:
    homes = _homes()
    return parse_table(_csv(homes | {header: [cells[place % len(cells)] for place in range(40)]}), "sales.csv")


def _found(header: str, cells: list[str]) -> dict[str, str]:
    return {one.column: one.kind for one in without_persons(_with(header, cells)).personal}


def test_the_reasons_added_to_downloaded_rows_are_dropped_and_called_none_of_the_file_s_persons() -> None:
    reasons = [f"sale price {place} of Ann Miller is impossible (limits 1,000 to 100,000,000)" for place in range(40)]
    read = without_persons(_with("Doorstep reason", reasons))
    [column] = read.personal
    assert (column.column, column.kind, column.action) == ("Doorstep reason", OWN, DROPPED)
    assert reason(column) == "left out: added by Doorstep to rows downloaded from it"
    assert "Doorstep reason" not in read.table.frame
    assert of_persons(read.personal) == ()


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Owner", "name"),
        ("SELLER_NAME", "name"),
        ("BuyerName", "name"),
        ("listing agent", "name"),
        ("Grantor", "name"),
        ("grantee 2", "name"),
        ("Last Name", "name"),
        ("Verkäufer", "name"),
        ("Eigentuemer", "name"),
        ("propriétaire", "name"),
        ("Acquéreur", "name"),
        ("Dueño", "name"),
        ("Comprador", "name"),
        ("acquirente", "name"),
        ("Eigenaar", "name"),
        ("Säljare", "name"),
        ("Køber", "name"),
        ("Właściciel", "name"),
        ("买方姓名", "name"),
        ("Taxpayer Mailing Name", "contact"),
        ("Contact", "contact"),
    ],
)
def test_names_are_known_by_their_header_in_many_languages(header: str, kind: str) -> None:
    assert _found(header, list(NAMES)) == {header: kind}


@pytest.mark.parametrize("header", ["Phone", "Agent Phone", "Téléphone", "Telefonnummer Tel.", "owner fax", "電話"])
def test_phones_are_known_by_their_header_even_as_bare_digits(header: str) -> None:
    assert _found(header, ["2065550199", "4255550142"]) == {header: "phone"}


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["(206) 555-0199", "425-555-0142"], "phone"),
        (["+65 6123 4567", "+44 20 7946 0958"], "phone"),
        (["0412 345 678", "02 9876 5432"], "phone"),
        (["06 12 34 56 78", "01 98 76 54 32"], "phone"),
        (["ann@example.com", "bob.smith@mail.example.org"], "e-mail"),
        (["ann@example.com"] + [""] * 12, "e-mail"),
    ],
)
def test_contacts_are_known_by_their_cells_under_any_header(cells: list[str], kind: str) -> None:
    assert _found("field 7", cells) == {"field 7": kind}


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Owner Occupied", ["Y", "N"]),
        ("Owner Type", ["Bank", "Private"]),
        ("Seller Concessions", ["2500", "0"]),
        ("Number of Owners", ["1", "2"]),
        ("Agent Days On Market", ["12", "40"]),
        ("Owners Association Dues", ["$250.00", "$310.00"]),
        ("Previous Owner Since", ["2011-04-03", "1998-12-24"]),
        ("Street Name", ["John Adams", "Mary Smith"]),
        ("Neighbourhood Name", ["Ann Arbor", "Martin Luther"]),
        ("Building Name", ["William Court", "George House"]),
        ("Subdivision", ["Mary Manor", "St John Park"]),
        ("Name", ["Oak Ridge Estates", "Harbour View Park", "Linden Court"]),
        ("Mobile", ["Y", "N"]),
        ("Mobile Home", ["single wide", "double wide"]),
        ("Cell", ["A1", "B7"]),
        ("Parcel Number", ["206-555-0199", "425-555-0142"]),
        ("id", ["7129300520", "6414100192"]),
        ("Sold", ["2014-10-13", "2015-02-25"]),
        ("Sold again", ["10-13-2014", "02-25-2015"]),
        ("Price range", ["100000-200000", "200 000 - 300 000"]),
        ("Lot", ["55x130x45x126", "64x120"]),
        ("long", ["-122.257", "-122.319"]),
        ("Folio", ["01-4138-001-1234", "01-4138-001-1250"]),
        ("Address", ["1200 5th Ave #301", "406 Ang Mo Kio Ave 10"]),
    ],
)
def test_facts_of_homes_and_sales_are_no_persons(header: str, cells: list[str]) -> None:
    table = _with(header, cells)
    assert without_persons(table) == ReadFile(table, ())


def test_a_plain_name_column_counts_where_its_cells_are_persons() -> None:
    assert _found("Name", ["John Smith", "Maria Lopez", "Wei Chen", "Q. Zzyzx"]) == {"Name": "name"}
    assert _found("customer", ["Smith, John", "Lopez, Ana Maria"]) == {"customer": "name"}


def test_real_files_lose_nothing_but_the_agency_names_of_melbourne(sales_data: Path) -> None:
    files = sorted(path for folder in sales_data.iterdir() if folder.is_dir() for path in folder.iterdir())
    assert len(files) >= 8
    found = {path.name: without_persons(read_table(path)).personal for path in files}
    dropped = {(name, one.column, one.action) for name, all_of in found.items() for one in all_of}
    assert dropped == {("melbourne_housing_full.csv.gz", "SellerG", DROPPED)}


def test_a_file_without_persons_keeps_its_very_bytes(sales_data: Path) -> None:
    path = sales_data / "mls_sample/acadiana_sold_2023.csv"
    content = path.read_bytes()
    assert scrubbed(content, path.name).content is content
    packed = gzip.compress(_csv(_homes()))
    assert scrubbed(packed, "sales.csv.gz").content is packed


@pytest.mark.parametrize(
    ("encoding", "separator"),
    [
        ("utf-8", ","),
        ("utf-8", ";"),
        ("utf-8", "|"),
        ("utf-8-sig", ";"),
        ("utf-16", "\t"),
        ("cp1252", "\t"),
        ("cp1252", "|"),
    ],
)
def test_nothing_of_a_person_is_in_the_bytes_that_reach_disk(encoding: str, separator: str) -> None:
    homes = _homes() | {
        "Owner": [NAMES[place % 5] for place in range(40)],
        "Téléphone": ["206-555-0199"] * 40,
        "Suburb": ['São João; the "old", part', "West | End"] * 20,
    }
    content = _csv(homes, separator).decode("utf-8").encode(encoding)
    for given_bytes in (content, gzip.compress(content)):
        clean = scrubbed(given_bytes, "sales.csv")
        assert {one.column for one in clean.read.personal} == {"Owner", "Téléphone"}
        text = clean.content.decode("utf-8")
        assert not any(name in text for name in (*NAMES, "Miller", "0199", "Owner"))
        kept = parse_table(clean.content, "sales.csv").frame
        expected = parse_table(given_bytes, "sales.csv").frame.drop(columns=["Owner", "Téléphone"])
        assert kept.equals(expected)


def test_the_same_file_is_known_again_whichever_way_it_came() -> None:
    content = _csv(_homes() | {"Owner": [NAMES[place % 5] for place in range(40)]})
    clean = scrubbed(content, "sales.csv")
    assert scrubbed(content, "again.csv").content == clean.content
    assert scrubbed(clean.content, "sales.csv").content is clean.content
    on_the_way_in = without_persons(parse_table(content, "sales.csv")).table
    staged = parse_table(clean.content, "sales.csv")
    assert on_the_way_in.sha256 == staged.sha256
    assert on_the_way_in.frame.equals(staged.frame)


def test_phones_and_emails_are_cut_out_of_short_texts() -> None:
    cells = ["lovely garden", "call 206-555-0199 now", "ann@example.com", "new roof"]
    read = without_persons(_with("remarks", cells + ["quiet street"] * 36))
    [column] = read.personal
    assert (column.column, column.action, column.cells) == ("remarks", BLANKED, 2)
    values = read.table.frame["remarks"]
    assert values.iloc[1] == f"call {REMOVED} now"
    assert values.isna().iloc[2]
    assert values.iloc[0] == "lovely garden"


def test_prose_in_which_persons_leave_their_numbers_is_dropped_whole() -> None:
    prose = "Lovely home on a quiet street, ask for Bob Miller any time after five"
    [column] = without_persons(_with("remarks", [prose, f"{prose} 206-555-0199"])).personal
    assert (column.column, column.kind, column.action) == ("remarks", "contact", DROPPED)
    assert [one.action for one in without_persons(_with("remarks", [prose])).personal] == [DROPPED]


def test_bad_lines_keep_place_and_reason_but_not_their_text() -> None:
    lines = [
        "price,owner,zip",
        "1,Ann Miller,98001",
        "2,Ann Miller",
        "",
        "3,Bob,98002,Dana",
        '4,"Ann" x,98001',
        "5,Bob,98003",
    ]
    content = ("\n".join(lines) + "\n").encode()
    before = parse_table(content, "sales.csv")
    table = without_persons(before).table
    clean = scrubbed(content, "sales.csv")
    assert not any(name in clean.content for name in (b"Ann", b"Bob", b"Dana"))
    after = parse_table(clean.content, "sales.csv")
    assert [line.line for line in after.bad_lines] == [line.line for line in before.bad_lines] == [3, 5, 6]
    assert [line.text for line in table.bad_lines] == ["", "", ""]
    assert after.row_numbers.tolist() == before.row_numbers.tolist() == [1, 5]
    assert after.rows_in == before.rows_in
    assert "quotation mark" in after.bad_lines[2].reason


def test_a_contact_in_a_bad_line_alone_does_not_reach_disk() -> None:
    content = _csv(_homes()) + b"1,2023-01-01,98001,ann@example.com\n"
    clean = scrubbed(content, "sales.csv")
    assert b"ann@" not in clean.content
    assert parse_table(clean.content, "sales.csv").rows_in == 41


def test_a_file_of_persons_only_is_refused() -> None:
    content = _csv({"Owner": list(NAMES), "Phone": ["206-555-0199"] * 5, "Zip": ["98001"] * 5})
    with pytest.raises(FileUnreadable, match="personal data"):
        scrubbed(content, "persons.csv")


def test_the_size_limit_holds() -> None:
    with pytest.raises(FileTooLarge):
        scrubbed(_csv(_homes()), "sales.csv", 100)


_TEXTS_OF_ASCII = st.lists(st.text("aXkx019 .,/[]", max_size=8) | st.none())


@pytest.mark.parametrize("pattern", [MEASURE, CODE_CELL, r"\pL{3}", r"a\[\pL", r"[^\]\pL]x", r"(?i)k\pL"])
@given(cells=_TEXTS_OF_ASCII | st.lists(st.text("aXkx019 .,/[]é東K", max_size=8) | st.none()))
@settings(max_examples=30)
def test_letters_are_the_same_in_texts_of_ascii_and_of_any_script(pattern: str, cells: list[str | None]) -> None:
    array = pa.array(cells, pa.large_string())
    assert matches(array, pattern).tolist() == pc.match_substring_regex(array, pattern).fill_null(False).to_pylist()


_CELLS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)


@settings(max_examples=10)
@given(st.lists(st.tuples(_CELLS, _CELLS, st.sampled_from(NAMES)), min_size=2, max_size=12))
def test_what_is_kept_reads_as_it_did_for_any_cells(rows: list[tuple[str, str, str]]) -> None:
    columns = {
        "price": [str(place) for place in range(len(rows))],
        "area": [str(900 + place) for place in range(len(rows))],
        "one": [row[0] for row in rows],
        "two": [row[1].replace("\u2028", "\n") for row in rows],
        "Owner": [row[2] for row in rows],
    }
    content = _csv(columns)
    read = without_persons(parse_table(content, "sales.csv"))
    table, found = read.table, read.personal
    clean = scrubbed(content, "sales.csv")
    assert "Owner" in {one.column for one in found}
    again = parse_table(clean.content, "sales.csv")
    assert again.frame.equals(table.frame)
    assert again.sha256 == table.sha256
    assert scrubbed(clean.content, "sales.csv").content == clean.content
