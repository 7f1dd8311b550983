"""Files in any usual form: workbooks, Parquet, RESO JSON, archives, encodings, title lines, and spoiled files."""

from __future__ import annotations

import gzip
import io
import json
import random
import time
import zipfile
from collections.abc import Mapping
from xml.sax.saxutils import escape

import pandas as pd
import pytest

from core.collect.columns.guess import guess_file
from core.collect.mapping import apply_mapping
from core.collect.parsers import Marks, as_identifier, as_number
from core.collect.privacy.read_file import scrubbed, without_persons
from core.collect.reading.reader import parse_table
from core.collect.reading.table import FileFormat, RawTable, ReadingChoice
from core.errors import DoorstepError, FileEmpty, FileTooLarge, FileUnreadable

_ROWS = [
    ["sale_date", "sale_price", "living_area_sqft", "address", "neighborhood"],
    *(
        [f"2023-0{n % 9 + 1}-1{n % 9}", str(300_000 + 1_000 * n), str(900 + n), f"{n + 1} Oak St", "Sjö"]
        for n in range(40)
    ),
]


def _text(rows: list[list[str]] = _ROWS, separator: str = ",") -> str:
    return "\n".join(separator.join(row) for row in rows) + "\n"


def xlsx(rows: list[list[str]] = _ROWS, names: tuple[str, ...] = ("Sales",)) -> bytes:
    def cell(value: str) -> str:
        if value.isdigit():
            return f"<c><v>{value}</v></c>"
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'

    lines = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    sheets = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(names, 1))
    links = "".join(
        f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/s{n}.xml"/>'
        for n in range(1, len(names) + 1)
    )
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="b" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">{links}</Relationships>',
    }
    for n in range(1, len(names) + 1):
        body = lines if n == len(names) else "<row><c><v>1</v></c></row>"
        parts[f"xl/worksheets/s{n}.xml"] = f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>'
    return _zip(parts)


def _zip(parts: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _parquet() -> bytes:
    buffer = io.BytesIO()
    frame = pd.DataFrame(_ROWS[1:], columns=_ROWS[0])
    frame.assign(sale_price=frame["sale_price"].astype("float64")).to_parquet(buffer)
    return buffer.getvalue()


def _odata() -> bytes:
    records = [dict(zip(_ROWS[0], row, strict=True)) for row in _ROWS[1:]]
    return json.dumps({"@odata.context": "x", "value": records}).encode()


def _read(content: bytes | str, choice: ReadingChoice | None = None) -> RawTable:
    return parse_table(content.encode() if isinstance(content, str) else content, "sales", choice=choice)


def _cells(table: RawTable) -> list[list[str]]:
    return [list(table.frame), *table.frame.fillna("").to_numpy().tolist()]


_FORMS = {
    "utf-8": _text().encode(),
    "utf-8-sig": _text().encode("utf-8-sig"),
    "utf-16": _text().encode("utf-16"),
    "utf-32": _text().encode("utf-32"),
    "cp1252": _text().encode("cp1252"),
    "xlsx": xlsx(),
    "parquet": _parquet(),
    "odata": _odata(),
    "zip": _zip({"__MACOSX/._sales.csv": "x", "sales.csv": _text()}),
    "gzip": gzip.compress(_text().encode()),
    **{f"separated by {mark}": _text(separator=mark).encode() for mark in ";|\t^"},
}


@pytest.mark.parametrize("form", _FORMS)
def test_the_same_table_reads_the_same_in_every_form(form: str) -> None:
    table = _read(_FORMS[form])
    assert _cells(table) == _ROWS
    mapped = apply_mapping(table, guess_file(table).mapping)
    plain = _read(_FORMS["utf-8"])
    pd.testing.assert_frame_equal(mapped.frame, apply_mapping(plain, guess_file(plain).mapping).frame)


def test_the_sheet_with_the_most_rows_is_read_unless_another_is_chosen() -> None:
    content = xlsx(names=("Notes", "Sold"))
    reading = _read(content).reading
    assert (reading.format, reading.sheet, reading.sheets) == (FileFormat.WORKBOOK, "Sold", ("Notes", "Sold"))
    with pytest.raises(FileUnreadable, match=r"no sheet 'Sould'\. Choose one of 'Notes', 'Sold'"):
        _read(content, ReadingChoice(sheet="Sould"))


def test_titles_comments_and_blank_lines_above_the_header_are_left_out_and_listed() -> None:
    table = _read("# made by the county\n\nSales of 2023\n" + _text())
    assert _cells(table) == _ROWS
    assert [one.line for one in table.reading.skipped] == [1, 2, 3]
    assert table.reading.header_line == 4
    padded = _read("Sales of 2023,,,,\n" + _text())
    assert _cells(padded) == _ROWS


def test_a_file_without_a_header_keeps_its_first_sale() -> None:
    table = _read(_text(_ROWS[1:]))
    assert table.reading.header_line == 0
    assert list(table.frame) == [f"column_{n}" for n in range(1, 6)]
    assert table.frame.to_numpy().tolist() == _ROWS[1:]
    assert "no header line" in table.reading.describe()


def test_a_second_header_line_is_no_sale() -> None:
    table = _read(_text([["日付", "価格", "面積", "住所", "地区"], *_ROWS]))
    assert table.rows_in == 40
    assert [(one.line, one.reason) for one in table.reading.skipped] == [(2, "a second line of headers")]


def test_a_header_glued_to_the_first_row_is_named() -> None:
    with pytest.raises(FileUnreadable, match=r"line 1 holds the header and the first row in one.*neighborhood2023"):
        _read(_text().replace("neighborhood\n", "neighborhood"))


def test_an_unquoted_comma_in_every_row_shifts_nothing_in_silence() -> None:
    rows = "".join(f"{n},{n} Elm St, Apt 3,{500_000 + n}\n" for n in range(1, 30))
    with pytest.raises(FileUnreadable, match="not quoted"):
        _read("id,address,sale_price\n" + rows)


def test_backslash_escaped_quotes_are_read() -> None:
    table = _read('a,b\n"the \\"old\\" mill, east",1\n"x",2\n')
    assert table.frame["a"].tolist() == ['the "old" mill, east', "x"]
    assert table.bad_lines == ()


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp932", "東京都新宿区西新宿の中古マンション"),
        ("cp949", "서울특별시 강남구 아파트 매매 거래"),
        ("gb18030", "上海市浦东新区住宅成交价格"),
        ("cp1250", "powierzchnia użytkowa łódzkie północ wąska"),
        ("cp1250", "1 319 280 zł"),
        ("cp1251", "Москва Тверская улица квартира продажа"),
        ("cp1253", "Αθήνα Κολωνάκι διαμέρισμα πώληση"),
    ],
)
def test_scripts_beyond_western_are_decoded_exactly(encoding: str, words: str) -> None:
    text = "date,price,place\n" + "".join(f"2023-01-{n:02d},{n}00000,{words} {n}\n" for n in range(1, 29))
    table = _read(text.encode(encoding))
    assert table.frame["place"][0] == f"{words} 1"
    assert _read(text.encode(encoding), ReadingChoice(encoding)).reading.encoding == encoding


def test_spoiled_letters_and_unknown_encodings_are_refused() -> None:
    spoiled = _text().encode().decode("cp1252").encode()
    with pytest.raises(FileUnreadable, match="spoiled letters"):
        _read(spoiled)
    with pytest.raises(FileUnreadable, match="no encoding Doorstep knows"):
        _read(_text(), ReadingChoice("klingon"))


def test_limits_are_named() -> None:
    with pytest.raises(FileTooLarge, match="5,000 columns; the limit is 1,000"):
        _read("\n".join(",".join(f"{row}{n}" for n in range(5_000)) for row in "abc"))
    bomb = _zip({"sales.csv": b"a,b\n" + b"1,2\n" * 500_000})
    with pytest.raises(FileTooLarge, match="unpacks to more than"):
        parse_table(bomb, "bomb.zip", 100_000)


def test_empty_quotes_and_nameless_columns_lose_no_row() -> None:
    with pytest.raises(FileEmpty, match="no rows"):
        _read('a,b,c\n""')
    with pytest.raises(FileUnreadable, match="no column with a name"):
        _read(",\n1,\n2,\n")
    assert list(_read("column_2,,c\n1,7,2\n3,7,4\n").frame) == ["column_2", "column_2_unnamed", "c"]


def test_digits_of_other_scripts_are_read_as_numbers_and_kept_in_identifiers() -> None:
    values = pd.Series(["３０００００", "300000", "٣٠٠"], dtype="str")
    assert as_number(values, Marks()).tolist() == [300_000, 300_000, 300]
    assert as_identifier(values, Marks()).tolist() == ["３０００００", "300000", "٣٠٠"]


@pytest.mark.parametrize("form", ["xlsx", "parquet", "odata", "zip"])
def test_by_page_and_by_command_line_a_file_has_one_hash_and_no_hidden_names(form: str) -> None:
    clean = scrubbed(_FORMS[form], "sales")
    assert clean.content.startswith(b"sale_date,")
    kept = without_persons(parse_table(clean.content, "sales"))
    assert kept.table.sha256 == without_persons(parse_table(_FORMS[form], "sales")).table.sha256
    assert scrubbed(clean.content, "sales").content == clean.content


_SPOILS = [
    b"\x00",
    b'"',
    b"\\",
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r",
    b"\xff",
    b"\xc3",
    b"PK\x03\x04",
    b"{",
    "３".encode(),
    b"#",
]


def _spoiled(source: random.Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(source.randint(1, 6)):
        at = source.randrange(len(data) + 1)
        kind = source.randrange(4)
        if kind == 0:
            data[at:at] = source.choice(_SPOILS)
        elif kind == 1:
            del data[at : at + source.randint(1, 40)]
        elif kind == 2:
            data[at : at + 1] = bytes([source.randrange(256)])
        else:
            data[at:at] = data[at : at + source.randint(1, 60)]
    return bytes(data)


def test_no_spoiled_file_ends_in_a_fault_or_loses_a_row() -> None:
    source, forms = random.Random(17), list(_FORMS.values())
    until, tried, refused = time.monotonic() + 25, 0, 0
    while tried < 2_000 and time.monotonic() < until:
        tried += 1
        content = _spoiled(source, forms[tried % len(forms)])
        try:
            table = parse_table(content, "sales", 1_000_000)
            guess = guess_file(table)
            mapped = apply_mapping(table, guess.mapping)
        except DoorstepError:
            refused += 1
            continue
        places = sorted(table.row_numbers.tolist())
        assert table.rows_in == len(table.frame) + len(table.bad_lines), content
        assert len(mapped.frame) == len(table.frame)
        assert len(set(places)) == len(places), content
        assert places[-1] <= table.rows_in, content
    assert tried >= 200
    assert 0 < refused < tried
