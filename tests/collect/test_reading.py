"""Files in any usual form: workbooks, Parquet, RESO JSON, archives, encodings, title lines, and spoiled files."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.collect.columns.guess import guess_file
from core.collect.mapping import apply_mapping
from core.collect.parsers import Marks, as_identifier, as_number, digits_written
from core.collect.privacy.read_file import scrubbed, without_persons
from core.collect.reading import packing
from core.collect.reading.reader import parse_table
from core.collect.reading.table import FileFormat, RawTable, ReadingChoice
from core.errors import FileEmpty, FileTooLarge, FileUnreadable
from tests.collect.table_files import FORMS, as_parquet, as_text, as_xlsx, as_zip

_ROWS = [
    ["sale_date", "sale_price", "living_area_sqft", "address", "neighborhood"],
    *(
        [f"2023-0{n % 9 + 1}-1{n % 9}", str(300_000 + 1_000 * n), str(900 + n), f"{n + 1} Oak St", "Sjö"]
        for n in range(40)
    ),
]


def _read(content: bytes | str, choice: ReadingChoice | None = None) -> RawTable:
    return parse_table(content.encode() if isinstance(content, str) else content, "sales", choice=choice)


def _cells(table: RawTable) -> list[list[str]]:
    return [list(table.frame), *table.frame.fillna("").to_numpy().tolist()]


_FORMS = {form: write(_ROWS) for form, write in FORMS.items()} | {
    "cp1252": as_text(_ROWS).encode("cp1252"),
    "parquet with numbers": as_parquet(_ROWS, ["sale_price"]),
}


@pytest.mark.parametrize("form", _FORMS)
def test_the_same_table_reads_the_same_in_every_form(form: str) -> None:
    table = _read(_FORMS[form])
    assert _cells(table) == _ROWS
    mapped = apply_mapping(table, guess_file(table).mapping)
    plain = _read(_FORMS["utf-8"])
    pd.testing.assert_frame_equal(mapped.frame, apply_mapping(plain, guess_file(plain).mapping).frame)


def test_the_sheet_with_the_most_rows_is_read_unless_another_is_chosen() -> None:
    content = as_xlsx(_ROWS, ("Notes", "Sold"))
    reading = _read(content).reading
    assert (reading.format, reading.sheet, reading.sheets) == (FileFormat.WORKBOOK, "Sold", ("Notes", "Sold"))
    with pytest.raises(FileUnreadable, match=r"no sheet 'Sould'\. Choose one of 'Notes', 'Sold'"):
        _read(content, ReadingChoice(sheet="Sould"))


def test_titles_comments_and_blank_lines_above_the_header_are_left_out_and_listed() -> None:
    table = _read("# made by the county\n\nSales of 2023\n" + as_text(_ROWS))
    assert _cells(table) == _ROWS
    assert [one.line for one in table.reading.skipped] == [1, 2, 3]
    assert table.reading.header_line == 4
    padded = _read("Sales of 2023,,,,\n" + as_text(_ROWS))
    assert _cells(padded) == _ROWS


def test_a_file_without_a_header_keeps_its_first_sale() -> None:
    table = _read(as_text(_ROWS[1:]))
    assert table.reading.header_line == 0
    assert list(table.frame) == [f"column_{n}" for n in range(1, 6)]
    assert table.frame.to_numpy().tolist() == _ROWS[1:]
    assert "no header line" in table.reading.describe()


def test_only_what_has_lines_is_said_to_have_a_header_in_one() -> None:
    assert _read(as_parquet(_ROWS, [])).reading.describe() == "Parquet"
    assert "header in line 1" in _read(as_xlsx(_ROWS, ("Sold",))).reading.describe()


def test_a_second_header_line_is_no_sale() -> None:
    table = _read(as_text([["日付", "価格", "面積", "住所", "地区"], *_ROWS]))
    assert table.rows_in == 40
    assert [(one.line, one.reason) for one in table.reading.skipped] == [(2, "a second line of headers")]


def test_a_header_glued_to_the_first_row_is_named() -> None:
    with pytest.raises(FileUnreadable, match=r"line 1 holds the header and the first row in one.*neighborhood2023"):
        _read(as_text(_ROWS).replace("neighborhood\n", "neighborhood"))


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


@pytest.mark.parametrize(
    ("encoding", "places"),
    [
        ("cp1250", "Łódź Śródmieście|Kraków Władysława Łokietka|Gdańsk Świętojańska"),
        ("cp1250", "Plzeň Náměstí Míru|Praha Žižkov|Břeclav U Tržiště"),
        ("cp1250", "Győr Bőrgyár utca|Budapest Üllői út|Debrecen Fűvészkert"),
        ("cp1250", "Budapest Mező utca|Budapest Kossuth utca|Szeged"),
        ("cp1250", "Győr|Szent Istvan krt|Nyiregyhaza Nagy utca"),
        ("cp1252", "Lisboa Rua Camões|Porto Rua do Ouro|Braga"),
        ("cp1252", "Võru tn|Tallinn Narva mnt|Keila linn"),
        ("cp1252", "Strasbourg rue Brûlée|Paris avenue de Nyons|Gex"),
        ("cp1254", "İstanbul Beşiktaş|Kadıköy Söğütlüçeşme|Eskişehir"),
        ("cp1252", "Orléans Rue de la Forêt|Nîmes Allée des Chênes|Mâcon"),
        ("cp1252", "São João Avenida da Conceição|Setúbal Praça"),
        ("cp1252", "København Sønder Allé|Århus Færgevej"),
        ("cp1252", "Málaga Señorío|Köln Größe|München|Logroño Jardín"),
        ("cp1252", "Zürich Königstraße|Genève près du lac|Neuchâtel Forêt"),
    ],
)
def test_latin_encodings_are_told_apart_by_the_letters_of_one_language(encoding: str, places: str) -> None:
    words = places.split("|")
    rows = [
        ["date", "price", "place"],
        *([f"2023-01-{n:02d}", f"{n}00000", words[n % len(words)]] for n in range(1, 29)),
    ]
    table = _read(as_text(rows).encode(encoding))
    assert table.reading.encoding == encoding
    assert _cells(table) == rows


def test_parquet_text_stored_as_bytes_is_text_and_broken_text_is_refused() -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"place": ["Sjö".encode(), b"\xff\x01"], "price": [1, 2]}), out)
    assert _cells(_read(out.getvalue())) == [["place", "price"], ["Sjö", "1"], ["ff01", "2"]]
    spoiled = as_parquet([["place", "price"], *[["Harbour"]] * 3]).replace(b"Harbour", b"H\xffrbour")
    with pytest.raises(FileUnreadable, match="damaged Parquet table"):
        _read(spoiled)


def test_a_short_float_of_parquet_is_the_number_that_was_written() -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"lat": pa.array([47.1, None], pa.float32()), "price": [1, 2]}), out)
    assert _cells(_read(out.getvalue())) == [["lat", "price"], ["47.1", "1"], ["", "2"]]


@pytest.mark.parametrize("wrong", ["cp1252", "latin-1"])
def test_utf8_read_in_a_wrong_encoding_chosen_by_hand_is_refused(wrong: str) -> None:
    with pytest.raises(FileUnreadable, match=f"read as {wrong}, has [0-9]+ spoiled letters"):
        _read(as_text(_ROWS), ReadingChoice(wrong))


def test_a_separator_named_by_the_first_line_yields_where_the_file_has_another() -> None:
    table = _read("sep=;\n" + as_text(_ROWS))
    assert _cells(table) == _ROWS
    assert table.reading.separator == ","


def test_spoiled_letters_and_unknown_encodings_are_refused() -> None:
    spoiled = as_text(_ROWS).encode().decode("cp1252").encode()
    with pytest.raises(FileUnreadable, match="spoiled letters"):
        _read(spoiled)
    with pytest.raises(FileUnreadable, match="no encoding Doorstep knows"):
        _read(as_text(_ROWS), ReadingChoice("klingon"))


def test_a_file_may_take_an_eighth_of_the_memory_of_the_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = packing.memory_limit()
    monkeypatch.setattr(packing, "_CONTAINER_LIMIT", tmp_path / "memory.max")
    assert packing.memory_limit() >= alone
    for written, limit in (("max\n", packing.memory_limit()), (f"{2 << 30}\n", 256 << 20), ("99\n", 200 << 20)):
        (tmp_path / "memory.max").write_text(written)
        assert packing.memory_limit() == limit


def test_limits_are_named() -> None:
    with pytest.raises(FileTooLarge, match="5,000 columns; the limit is 1,000"):
        _read("\n".join(",".join(f"{row}{n}" for n in range(5_000)) for row in "abc"))
    bomb = as_zip({"sales.csv": b"a,b\n" + b"1,2\n" * 500_000})
    with pytest.raises(FileTooLarge, match="unpacks to more than"):
        parse_table(bomb, "bomb.zip", 100_000)


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: as_zip({"sales.csv": content})])
@pytest.mark.parametrize("line", [b"1,2\n", b"1" * 4_096])
def test_a_file_that_unpacks_to_far_more_than_its_size_is_refused_with_the_ratio(
    pack: Callable[[bytes], bytes], line: bytes
) -> None:
    content = as_text(_ROWS).encode() + line * (40 * 1024 * 1024 // len(line))
    with pytest.raises(FileTooLarge, match=r"sales\.gz unpacks from .* to more than 32 MB; the limit is 100 times"):
        parse_table(pack(content), "sales.gz")


@pytest.mark.parametrize("at", [1, 41])
def test_a_line_of_megabytes_is_refused_with_its_number_and_the_limit(at: int) -> None:
    lines = as_text(_ROWS).splitlines()
    lines.insert(at, "1," * 2_200_000)
    with pytest.raises(FileTooLarge, match=rf"line {at + 1} is longer than 4 MB, the limit for one line"):
        _read("\n".join(lines))


def test_json_in_one_long_line_is_read() -> None:
    records = [{"price": 300_000 + n, "date": "2023-01-02", "notes": "a" * 5_000} for n in range(1_000)]
    assert len(_read(json.dumps(records)).frame) == 1_000


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_json_lines_are_read_record_by_record(end: str) -> None:
    records = [{"price": 300_000 + n, "sold": f"2023-01-{n + 10}", "beds": n % 4} for n in range(9)]
    table = _read(end.join(map(json.dumps, records)) + end)
    assert table.reading.format is FileFormat.JSON
    assert table.frame["price"].tolist() == [str(one["price"]) for one in records]
    with pytest.raises(FileUnreadable, match="cannot be read"):
        _read(end.join([*map(json.dumps, records), "no record"]))


@pytest.mark.parametrize(
    ("place", "names"), [([-93.6, 41.6], ["longitude", "latitude"]), ([2_683_111, 1_247_945], ["x", "y"])]
)
def test_points_of_geojson_are_places_in_degrees_or_of_a_grid(place: list[float], names: Sequence[str]) -> None:
    geometry = {"type": "Point", "coordinates": place}
    features = [{"type": "Feature", "geometry": geometry, "properties": {"price": 9, "id": 1}}] * 2
    table = _read(json.dumps({"type": "FeatureCollection", "features": features}))
    assert _cells(table) == [[*names, "price", "id"], *[[*map(str, place), "9", "1"]] * 2]


@pytest.mark.parametrize(("separator", "share"), [(",", 1), (";", 1), (",", 3)])
def test_quotes_escaped_by_a_backslash_hide_no_separator(separator: str, share: int) -> None:
    text = '"price"{0}"sold"{0}"notes"\n' + "".join(
        f'"{300_000 + n}"{{0}}"2023-01-{n + 10}"{{0}}"{chr(65 + n)} 24\\" oak{"{0}" if n % share == 0 else ""} nice"\n'
        for n in range(9)
    )
    table = _read(text.format(separator))
    assert table.bad_lines == ()
    assert table.frame["notes"].iloc[0] == f'A 24" oak{separator} nice'


@pytest.mark.parametrize("band", [",Sale,,Home,", "Deed,,,House,"])
def test_a_band_of_groups_above_the_header_is_no_header(band: str) -> None:
    table = _read(band + "\n" + as_text(_ROWS))
    assert _cells(table) == _ROWS
    assert (table.reading.header_line, table.reading.skipped[0].reason) == (2, "a title above the header")


_TURKISH = ["Satış Tarihi;Satış Fiyatı;Adres", "04.05.2023;1850000;İnönü Çığır Sokağı 12", "05.05.2023;95;Ağrı Yolu 3"]
_HEBREW = ["תאריך מכירה,מחיר,כתובת", "2023-01-02,1850000,רחוב הרצל שלוש", "2023-01-05,1650000,שדרות ירושלים חמש"]


@pytest.mark.parametrize(("lines", "encoding"), [(_TURKISH, "cp1254"), (_HEBREW, "cp1255")])
def test_turkish_and_hebrew_are_not_taken_for_icelandic_and_greek(lines: list[str], encoding: str) -> None:
    text = "\n".join([lines[0], *lines[1:] * 4])
    table = _read(text.encode(encoding))
    assert table.reading.encoding == encoding
    assert list(table.frame) == re.split("[,;]", lines[0])


@pytest.mark.parametrize("note", ["readme.txt", "data/LICENSE.csv", "About these sales.txt"])
def test_a_note_beside_the_table_of_an_archive_is_no_table(note: str) -> None:
    table = _read(as_zip({note: "Sales of 2023.\nFrom the county.", "sales.csv": as_text(_ROWS)}))
    assert (_cells(table), table.reading.member) == (_ROWS, "sales.csv")
    with pytest.raises(FileUnreadable, match="archive of 2 tables"):
        _read(as_zip({"north.csv": as_text(_ROWS), "sales.csv": as_text(_ROWS)}))


@pytest.mark.parametrize("form", ["xlsx", "ods", "parquet", "gzip", "utf-8"])
def test_a_file_beyond_the_limit_is_refused_with_the_limit_and_what_helps(form: str) -> None:
    content = FORMS[form]([_ROWS[0], *[["2023-01-01", "300000", "900", "1 Oak St", "Hill" * 400]] * 4_000])
    with pytest.raises(FileTooLarge, match=r"^sales .*; the limit is [0-9.]+ (?:MB|bytes)\. Split it"):
        parse_table(content, "sales", 2_000)
    if form != "utf-8":
        with pytest.raises(FileTooLarge, match="unpacks to"):
            parse_table(content, "sales", len(content))


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


@pytest.mark.parametrize(
    ("cells", "digits"),
    [
        (["0518500480", "7129300520", None], 10),
        (["0518500480 ", "7129300520", "0", "05-A"], 10),
        (["7129300520", "6414100192"], 0),
        (["518500480", "7129300520", "0"], 0),
        (["0518500480", "129300520"], 0),
        (["0518500480.0", "7129300520"], 0),
        (["05-18", "06-22", "A0519"], 0),
        ([None, None], 0),
    ],
)
def test_a_column_tells_how_many_digits_its_ids_have_only_where_it_writes_their_zeros(
    cells: list[str | None], digits: int
) -> None:
    assert digits_written(pd.Series(cells, dtype="str")) == digits


@pytest.mark.parametrize("form", ["xlsx", "parquet", "odata", "zip"])
def test_by_page_and_by_command_line_a_file_has_one_hash_and_no_hidden_names(form: str) -> None:
    clean = scrubbed(_FORMS[form], "sales")
    assert clean.content.startswith(b"sale_date,")
    kept = without_persons(parse_table(clean.content, "sales"))
    assert kept.table.sha256 == without_persons(parse_table(_FORMS[form], "sales")).table.sha256
    assert scrubbed(clean.content, "sales").content == clean.content
