"""Reading delimited files: encodings, separators, packing, bad lines, and refusals that say what to do."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.collect.reading.reader import read_table
from core.collect.reading.table import RawTable
from core.errors import DuplicateHeaders, FileEmpty, FileTooLarge, FileUnreadable


def _read(folder: Path, content: bytes | str, name: str = "sales.csv") -> RawTable:
    path = folder / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return read_table(path)


def _cells(table: RawTable) -> list[list[str]]:
    return table.frame.fillna("").to_numpy().tolist()


@pytest.mark.parametrize(("separator", "name"), [(",", "a.csv"), ("\t", "b.csv"), (";", "c.txt"), ("|", "d.csv")])
def test_the_separator_is_told_from_the_content(tmp_path: Path, separator: str, name: str) -> None:
    text = "\n".join(separator.join(row) for row in [["id", "name", "price"], ["1", "a b", "2"], ["2", "c", "3"]])
    table = _read(tmp_path, text, name)
    assert table.reading.separator == separator
    assert list(table.frame) == ["id", "name", "price"]
    assert _cells(table) == [["1", "a b", "2"], ["2", "c", "3"]]


def test_decimal_commas_do_not_win_over_semicolons(tmp_path: Path) -> None:
    table = _read(tmp_path, "Preis, EUR;Flaeche, qm\n100,5;20,5\n200,5;30,5\n")
    assert table.reading.separator == ";"
    assert list(table.frame) == ["Preis, EUR", "Flaeche, qm"]


def test_a_separator_declared_by_a_spreadsheet_is_obeyed(tmp_path: Path) -> None:
    table = _read(tmp_path, "sep=;\na;b\n1,0;2\nbroken\n")
    assert _cells(table) == [["1,0", "2"]]
    assert table.bad_lines[0].line == 4


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "cp1252"),
    ],
)
def test_the_encoding_is_told_from_the_bytes(tmp_path: Path, encoding: str, told: str) -> None:
    text = "straße,price €\n" + "Café Müller,12\nwest end road,13\n" * 30
    table = _read(tmp_path, text.encode(encoding))
    assert table.reading.encoding == told
    assert list(table.frame) == ["straße", "price €"]
    assert _cells(table)[0] == ["Café Müller", "12"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_read(tmp_path: Path, newline: str) -> None:
    table = _read(tmp_path, newline.join(["a,b", "1,2", "", "3,4", ""]))
    assert _cells(table) == [["1", "2"], ["3", "4"]]
    assert table.bad_lines == ()


def test_gzip_is_told_from_the_content_whatever_the_name(tmp_path: Path) -> None:
    packed = gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n")
    assert _cells(_read(tmp_path, packed, "plain.csv")) == [["1", "2"], ["3", "4"]]


def test_quoted_separators_quotes_and_line_breaks_are_kept(tmp_path: Path) -> None:
    table = _read(tmp_path, 'a,b\n"1,5","say ""hi""\nthere"\n2,x\n')
    assert _cells(table) == [["1,5", 'say "hi"\nthere'], ["2", "x"]]


def test_values_are_stripped_text_and_null_words_survive(tmp_path: Path) -> None:
    table = _read(tmp_path, 'zip,view,note\n 01234 ,NONE,""\n00501,N/A,?\n')
    assert all(str(dtype) == "str" for dtype in table.frame.dtypes)
    assert table.frame["zip"].tolist() == ["01234", "00501"]
    assert table.frame["view"].tolist() == ["NONE", "N/A"]
    assert table.frame["note"].isna().tolist() == [True, False]


def test_ragged_rows_are_counted_with_line_and_reason_and_shift_nothing(tmp_path: Path) -> None:
    table = _read(tmp_path, "a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12\n")
    assert _cells(table) == [["1", "2", "3"], ["10", "11", "12"]]
    assert [(bad.line, bad.text) for bad in table.bad_lines] == [(3, "4,5"), (4, "6,7,8,9")]
    assert "2 fields" in table.bad_lines[0].reason
    assert "3" in table.bad_lines[0].reason
    assert table.rows_in == 4
    assert table.row_numbers.tolist() == [1, 4]


def test_a_stray_quote_costs_its_own_line_only(tmp_path: Path) -> None:
    rows = [f"{place},x{place},z" for place in range(1, 50)]
    rows[9] = '10,"never closed,z'
    table = _read(tmp_path, "a,b,c\n" + "\n".join(rows) + "\n")
    assert len(table.frame) == 48
    assert [bad.line for bad in table.bad_lines] == [11]
    assert "quotation mark" in table.bad_lines[0].reason
    assert table.row_numbers.tolist() == [place for place in range(1, 50) if place != 10]


@pytest.mark.parametrize(
    ("body", "good", "bad_lines"),
    [
        ('1,"x\n2,y\n', [["2", "y"]], [2]),
        ('1,"x\n2,y\n3,"z\n4,w\n', [["2", "y"], ["4", "w"]], [2, 4]),
        ('1,x"y\n2,z\n', [["1", 'x"y'], ["2", "z"]], []),
    ],
)
def test_a_stray_quote_never_swallows_rows_in_silence(
    tmp_path: Path, body: str, good: list[list[str]], bad_lines: list[int]
) -> None:
    table = _read(tmp_path, "a,b\n" + body)
    assert _cells(table) == good
    assert [bad.line for bad in table.bad_lines] == bad_lines


def test_a_row_name_column_without_a_header_is_dropped(tmp_path: Path) -> None:
    r_export = _read(tmp_path, '"date"\t"price"\n"1"\t"2014-09-16"\t280000\n"2"\t"2006-06-16"\t1000000\n')
    assert _cells(r_export) == [["2014-09-16", "280000"], ["2006-06-16", "1000000"]]
    pandas_export = _read(tmp_path, ",date,price\n0,2014-09-16,280000\n1,2006-06-16,1000000\n")
    assert list(pandas_export.frame) == ["date", "price"]


def test_separators_at_the_ends_of_lines_make_no_column(tmp_path: Path) -> None:
    assert _cells(_read(tmp_path, "a,b\n1,2,\n3,4,\n")) == [["1", "2"], ["3", "4"]]
    assert list(_read(tmp_path, "a,b,\n1,2,\n3,4,\n").frame) == ["a", "b"]


def test_a_nameless_column_with_values_gets_a_name(tmp_path: Path) -> None:
    assert list(_read(tmp_path, "a,,c\n1,7,2\n3,7,4\n").frame) == ["a", "column_2", "c"]


def _zip(member: str, content: str = "x") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(member, content)
    return buffer.getvalue()


def _two() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
        archive.writestr("b.csv", "a,b\n1,2\n")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_zip("xl/workbook.xml"), ("workbook that cannot be read", "save the sheet as CSV")),
        (_zip("content.xml", "<office/>"), ("workbook that cannot be read", "save the sheet as CSV")),
        (_two(), ("ZIP archive of 2 tables", "'b.csv'", "Unpack")),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 100,
            ("workbook that cannot be read", "save the sheet as CSV"),
        ),
        (b"%PDF-1.7 ...", ("PDF", "CSV and TSV", "as CSV")),
        (b"a,b\n1,\x00\x01\x02\n", ("NUL byte at position 6", "save it as CSV")),
        (b"\x01\x02\x03\x04\x05\x06\x07,\x10\x11", ("control codes", "save it as CSV")),
        (b"<!DOCTYPE html><html>", ("web page", "CSV")),
        (b'{"a": 1}', ("JSON", "'value'", "CSV")),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-4], ("ends too early", "again")),
        (b"\xff\xfea\x00,\x00b", ("utf-16", "byte")),
        (b"price\n1\n2\n", ("single column", "'price'", "semicolon")),
        (b"a,b,c\n1,2\n3,4\n5,6\n", ("none of its 3 rows", "line 2")),
    ],
)
def test_what_is_no_table_is_refused_with_the_remedy(tmp_path: Path, content: bytes, words: tuple[str, ...]) -> None:
    with pytest.raises(FileUnreadable) as refusal:
        _read(tmp_path, content)
    for word in ("sales.csv", *words):
        assert word in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "words"), [("", "is empty"), (" \n\n", "is empty"), ("a,b\n", "header and no rows")]
)
def test_a_file_without_rows_is_refused(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(FileEmpty, match=words):
        _read(tmp_path, content)


@pytest.mark.parametrize("name", ["junk.xlsx", "JUNK.XLS", "junk.ods"])
@pytest.mark.parametrize("content", ["this is no workbook", "this is, no workbook\n"])
def test_text_that_is_named_a_workbook_is_said_to_be_none(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FileUnreadable, match=f"{name} is no workbook.* plain text"):
        read_table(path)
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    assert len(read_table(path).frame) == 1, "a table under a wrong name is read all the same"


def test_headers_given_twice_are_named(tmp_path: Path) -> None:
    with pytest.raises(DuplicateHeaders, match="'price'") as refusal:
        _read(tmp_path, "price,area,price\n1,2,3\n")
    assert "'area'" not in str(refusal.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match=r"nowhere\.csv cannot be opened"):
        read_table(tmp_path / "nowhere.csv")


def test_large_files_are_refused_packed_or_not(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    path.write_text("a,b\n" + "1,2\n" * 1000)
    with pytest.raises(FileTooLarge, match="the limit is 1000 bytes"):
        read_table(path, max_bytes=1000)
    bomb = tmp_path / "bomb.csv"
    bomb.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000))
    with pytest.raises(FileTooLarge, match="unpacks to more than"):
        read_table(bomb, max_bytes=100_000)


def test_the_hash_is_of_the_file_as_given(tmp_path: Path) -> None:
    one, same, other = (_read(tmp_path, text) for text in ("a,b\n1,2\n", "a,b\n1,2\n", "a,b\n1,3\n"))
    assert one.sha256 == same.sha256 != other.sha256


def test_fifty_thousand_rows_are_read_exactly(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 10**6, (50_000, 20))
    path = tmp_path / "sales.csv"
    pd.DataFrame(values, columns=[f"c{place}" for place in range(20)]).to_csv(path, index=False)
    table = read_table(path)
    assert (table.frame.astype("int64").to_numpy() == values).all()


_CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=8).map(str.strip)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(rows=[("0", "", ";0"), ("0", "", ";")], separator=",")
@given(
    rows=st.lists(st.tuples(st.integers(0, 10**6).map(str), _CELL, _CELL), min_size=1, max_size=12),
    separator=st.sampled_from([",", "\t", ";", "|"]),
)
def test_what_csv_writes_is_read_back(tmp_path: Path, rows: list[tuple[str, ...]], separator: str) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerow(["number", "first text", "second text"])
    writer.writerows(rows)
    table = _read(tmp_path, buffer.getvalue())
    assert table.bad_lines == ()
    assert _cells(table) == [list(row) for row in rows]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reader(tmp_path: Path, content: bytes) -> None:
    message = _refusal(tmp_path, content)
    assert "sales.csv" in message or message == ""


def _refusal(folder: Path, content: bytes) -> str:
    try:
        table = _read(folder, content)
    except (FileUnreadable, FileEmpty, DuplicateHeaders) as refusal:
        return str(refusal)
    return "" if len(table.row_numbers) == len(table.frame) > 0 else "rows without numbers"


@pytest.mark.parametrize(
    ("file", "rows", "columns"),
    [
        ("king_county/kc_house_data_2014_2015.csv", 21_613, 21),
        ("king_county/kc_house_data_dirty.csv", 21_597, 21),
        ("king_county/zipcode_demographics.csv", 70, 27),
        ("king_county/subject_properties.csv", 100, 18),
        ("king_county/house_sales_2006_2015.tsv.gz", 22_687, 22),
        ("melbourne/melbourne_housing_full.csv.gz", 34_857, 21),
        ("singapore/hdb_resale_2017_2023.csv.gz", 169_151, 16),
        ("mls_sample/acadiana_sold_2023.csv", 186, 35),
    ],
)
def test_real_files_are_read_whole(sales_data: Path, file: str, rows: int, columns: int) -> None:
    table = read_table(sales_data / file)
    assert table.frame.shape == (rows, columns)
    assert table.bad_lines == ()
    assert table.rows_in == rows
