"""Seventy headers under which persons came through, each with values: no name of theirs reaches disk or a message."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

import pytest

from core.collect.privacy.cutting import without_persons_in
from core.collect.privacy.findings import BLANKED, DROPPED
from core.collect.privacy.read_file import read_file, scrubbed, without_persons
from core.collect.reading.reader import parse_table
from core.errors import CollectError

ROWS: Final = 120

FULL: Final = (
    "Ann Miller",
    "Bob O'Neill",
    "Chris de Wit",
    "Dana Smith-Jones",
    "Maria Lopez",
    "Wei Chen",
    "John Q. Doe",
)
REVERSED: Final = ("MILLER, ANN", "O'NEILL, BOB", "LOPEZ, MARIA", "DOE, JOHN Q", "SMITH, DANA")
UNKNOWN: Final = ("Zora Quill", "Bram Vexley", "Tindra Okonjo", "Ulric Haspel", "Yelva Prandt")
GIVEN: Final = ("Ann", "Bob", "Maria", "John", "Dana", "Chris")
FAMILY: Final = ("Miller", "Lopez", "Smith", "Jones", "O'Neill", "Nguyen")
INITIALS: Final = ("A. Miller", "J. Smith", "M. Lopez", "B. Nguyen")
RUSSIAN: Final = ("Иванов Иван Иванович", "Петрова Анна Сергеевна", "Смирнов Олег Петрович")
GREEK: Final = ("Γιώργος Παπαδόπουλος", "Μαρία Νικολαΐδου", "Ελένη Ανδρεάδη")
CHINESE: Final = ("王小明", "李美玲", "陳大文", "张伟")
KOREAN: Final = ("김철수", "이영희", "박민준", "최지우")
ARABIC: Final = ("محمد العلي", "فاطمة حسن", "أحمد خالد")
HEBREW: Final = ("דוד כהן", "שרה לוי", "משה פרץ")
HINDI: Final = ("राजेश कुमार", "सीता शर्मा", "अमित सिंह")
PLAIN_PHONES: Final = ("2065550199", "4255550142", "2065550123", "3605550177", "2535550161", "5095550148")
IBANS: Final = ("DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19", "FR1420041010050500013M02606")
BIRTHS: Final = ("1961-03-12", "1975-11-30", "1988-07-04", "1949-01-21", "1967-09-09", "1992-02-17", "1955-05-25")
CODES: Final = ("4711", "0815", "1234#", "9087")
SOCIAL: Final = ("219-09-9999", "078-05-1120", "457-55-5462")
NOTES: Final = (
    "Key with Bob Miller next door, alarm code 4711",
    "Ask for Zora Quill",
    "Owner born 12.03.1961, call 2065550199",
    "Rent to DE89 3704 0044 0532 0130 00 c/o Ann Miller",
)

PERSONS: Final[dict[str, tuple[str, ...]]] = {
    "LA1": FULL,
    "LA2": UNKNOWN,
    "BA1": REVERSED,
    "Agt": FULL,
    "Sold To": FULL,
    "c/o": FULL,
    "First": GIVEN,
    "Last": FAMILY,
    "Middle": GIVEN,
    "col17": FULL,
    "col18": UNKNOWN,
    "col19": REVERSED,
    "col20": INITIALS,
    "": FULL,
    "Владелец": RUSSIAN,
    "Продавец": RUSSIAN,
    "Поле 7": RUSSIAN,
    "Ιδιοκτήτης": GREEK,
    "Πεδίο": GREEK,
    "姓名": CHINESE,
    "欄位": CHINESE,
    "매도인": KOREAN,
    "열": KOREAN,
    "المالك": ARABIC,
    "عمود": ARABIC,
    "בעלים": HEBREW,
    "עמודה": HEBREW,
    "मालिक": HINDI,
    "स्तंभ": HINDI,
    "Owner": FULL,
    "Owner 2": UNKNOWN,
    "Seller": REVERSED,
    "Buyer 1": UNKNOWN,
    "Grantor": REVERSED,
    "GRANTEE_NM": REVERSED,
    "Listed by": UNKNOWN,
    "Attn": FULL,
    "Contact": FULL,
    "Vendor": FULL,
    "Eigentümer": FULL,
    "Verkäufer": UNKNOWN,
    "Propriétaire": FULL,
    "Dueño": FULL,
    "Właściciel": UNKNOWN,
    "Majitel": UNKNOWN,
    "Satıcı": UNKNOWN,
    "Omistaja": UNKNOWN,
    "Pemilik": UNKNOWN,
    "Party": FULL,
    "Client": FULL,
    "Name": FULL,
    "Who": UNKNOWN,
    "Signed": INITIALS,
    "Rep": FULL,
    "Assigned": UNKNOWN,
    "Entered by": FULL,
    "Field A": GIVEN,
    "Field B": FAMILY,
    "Ph": PLAIN_PHONES,
    "Phone": PLAIN_PHONES,
    "Nr": ("+49 170 1234567", "+49 151 7654321"),
    "Reach": ("ann@example.com", "bob@example.org"),
    "Account": IBANS,
    "Ref": IBANS,
    "DOB": BIRTHS,
    "Geburtsdatum": BIRTHS,
    "Alarm": CODES,
    "Lockbox": CODES,
    "SSN": SOCIAL,
    "Ident": SOCIAL,
    "Remarks": NOTES,
    "Comments": NOTES,
    "Note": NOTES,
}
"""Headers with what stands below them; many more rows than different values, so that no column is dropped for that."""

TOKENS: Final = (
    *(
        "Miller",
        "MILLER",
        "Neill",
        "NEILL",
        "Wit",
        "Lopez",
        "LOPEZ",
        "Wei Chen",
        "Doe",
        "DOE",
        "Zora",
        "Quill",
        "Vexley",
    ),
    *("Tindra", "Haspel", "Prandt", "Maria", "Dana", "Nguyen", "Иванов", "Петров", "Смирнов", "Παπαδόπουλος", "Ελένη"),
    *("王小明", "美玲", "김철수", "영희", "محمد", "فاطمة", "כהן", "שרה", "कुमार", "शर्मा", "2065550199", "4255550142"),
    *(
        "1234567",
        "example.com",
        "example.org",
        "DE89",
        "NWBK",
        "FR14",
        "1961",
        "1949",
        "4711",
        "1234#",
        "219-09",
        "078-05",
    ),
)


_ANY_ID: Final = re.compile("[0-9]{4}")
_ALONE: Final = "(?<![0-9A-Za-z]){}(?![0-9A-Za-z])"

FILES: Final = 9
SOME: Final = tuple(PERSONS)[1::4]
"""Every fourth of the headers, for tests of what stands above core: of each kind some, and the empty one."""


def homes(rows: int = ROWS) -> dict[str, list[str]]:
    """Facts of homes, numbers and words, none of which may be lost."""
    return {
        "Sale Price": [str(300_000 + 1_713 * place) for place in range(rows)],
        "Sale Date": [f"2023-{1 + place % 12:02d}-{1 + place % 28:02d}" for place in range(rows)],
        "Address": [f"{100 + 3 * place} John Adams Street" for place in range(rows)],
        "Zip": [("98002", "98003")[place % 2] for place in range(rows)],
        "Subdivision": [("Mary Manor", "St John Park", "Wedgwood")[place % 3] for place in range(rows)],
        "Living Area": [str(1_300 + 7 * place) for place in range(rows)],
        "Heating": [("Forced Air", "Heat Pump", "Radiant")[place % 3] for place in range(rows)],
        "Roof": [("Composition Shingle", "Metal", "Slate")[place % 3] for place in range(rows)],
        "Sale Terms": [("Cash", "Conventional", "VA")[place % 3] for place in range(rows)],
        "Owner Occupied": [("Y", "N")[place % 2] for place in range(rows)],
        "Exterior Color": [("Brown", "White", "Green", "Gray")[place % 4] for place in range(rows)],
    }


def as_csv(columns: dict[str, list[str]]) -> bytes:
    """The columns as a file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return out.getvalue().encode("utf-8")


def persons(header: str, rows: int = ROWS) -> list[str]:
    """The cells below a header of PERSONS."""
    cells = PERSONS[header]
    return [cells[place % len(cells)] for place in range(rows)]


def test_there_are_more_headers_than_came_through_before() -> None:
    assert len(PERSONS) >= 63


def leaked(text: str) -> list[str]:
    """Which of the persons are in a text; four digits count where they stand alone, as an id may hold any."""
    return [
        token
        for token in TOKENS
        if re.search(_ALONE.format(token) if _ANY_ID.fullmatch(token) else re.escape(token), text)
    ]


def shown(headers: Collection[str]) -> list[str]:
    """What the columns of these headers are called when they stand behind the facts of homes."""
    return [header or f"column_{place}" for place, header in enumerate(headers, start=len(homes()) + 1)]


@pytest.mark.parametrize("first", range(FILES))
def test_nothing_of_a_person_is_kept_below_any_header_and_each_column_says_so(first: int) -> None:
    """Each file has the headers of many languages and kinds; what is found below one is said of that one."""
    facts, headers = homes(), list(PERSONS)[first::FILES]
    clean = scrubbed(as_csv(facts | {header: persons(header) for header in headers}), "sales.csv")
    text = clean.content.decode("utf-8")
    assert leaked(text) == []
    assert [one.column for one in clean.read.personal] == shown(headers)
    for found in clean.read.personal:
        assert found.action == DROPPED or (found.action == BLANKED and found.cells == ROWS), found.column
        assert leaked(found.why) == []
    assert set(facts) <= set(clean.read.table.frame)
    assert clean.read.table.frame["Subdivision"].tolist() == facts["Subdivision"]


@pytest.mark.parametrize("header", ["col17", "Remarks", "Поле 7", "Field A"])
def test_names_of_many_values_are_dropped_too(header: str) -> None:
    cells = [f"{PERSONS[header][place % len(PERSONS[header])]} {chr(65 + place % 26)}{place}" for place in range(ROWS)]
    [found] = without_persons(parse_table(as_csv(homes() | {header: cells}), "sales.csv")).personal
    assert (found.column, found.action) == (header, DROPPED)


def test_a_file_of_homes_alone_loses_nothing() -> None:
    content = as_csv(homes())
    clean = scrubbed(content, "sales.csv")
    assert clean.content is content
    assert clean.read.personal == ()


def test_text_of_no_field_is_kept_where_it_is_named_and_persons_are_cut_out_of_it() -> None:
    cells = [f"Quiet lot {place}, ask for Bob Miller, gate code 4711" for place in range(ROWS)]
    table = parse_table(as_csv(homes() | {"Remarks": cells}), "sales.csv")
    [dropped] = without_persons(table).personal
    assert (dropped.action, dropped.keepable) == (DROPPED, True)
    read = without_persons(table, {"Remarks"})
    [cut] = read.personal
    assert (cut.column, cut.action, cut.cells) == ("Remarks", BLANKED, ROWS)
    assert read.table.frame["Remarks"].iloc[3] == "Quiet lot 3, ask for [removed], [removed]"


def test_what_surely_names_persons_is_dropped_though_it_is_asked_for() -> None:
    table = parse_table(as_csv(homes() | {"col17": persons("col17")}), "sales.csv")
    [found] = without_persons(table, {"col17"}).personal
    assert (found.action, found.keepable) == (DROPPED, False)


def test_a_header_that_is_a_person_is_not_repeated() -> None:
    clean = scrubbed(as_csv(homes() | {"Ann Miller": persons("col17"), "bob@example.com": ["7"] * ROWS}), "sales.csv")
    assert [one.column for one in clean.read.personal] == ["column_12"]
    assert "column_13" in clean.read.table.frame
    assert b"Miller" not in clean.content
    assert b"bob@" not in clean.content


def test_a_person_in_a_line_that_cannot_be_read_does_not_reach_disk() -> None:
    content = as_csv(homes()) + b"1,2023-01-01,Ann Miller\n"
    clean = scrubbed(content, "sales.csv")
    assert b"Miller" not in clean.content
    assert [line.text for line in clean.read.table.bad_lines] == [""]


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Ann Miller", "[removed]"),
        ("ask for Bob Miller today", "ask for [removed] today"),
        ("ann@example.com", "[removed]"),
        ("call 206-555-0199 now", "call [removed] now"),
        ("DE89 3704 0044 0532 0130 00", "[removed]"),
        ("3 bedrooms", "3 bedrooms"),
        ("Forced Air", "Forced Air"),
    ],
)
def test_a_message_quotes_a_cell_without_its_persons(text: str, without: str) -> None:
    assert without_persons_in(text) == without


@pytest.mark.parametrize("content", [b"Ann Miller\nBob Smith\n", b"Ann Miller,Ann Miller,1\nBob Smith,Bob Smith,2\n"])
def test_a_file_that_cannot_be_read_is_refused_without_quoting_a_person(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    for read in (lambda: read_file(path, "people.csv"), lambda: scrubbed(content, "people.csv")):
        with pytest.raises(CollectError, match=r"people\.csv") as refused:
            read()
        assert "Miller" not in str(refused.value)
