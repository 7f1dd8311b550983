"""Of several sheets of a workbook, or tables of an archive, the one of sales is read, and what was left is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.collect.columns.guess import guess_file
from core.collect.inference import Inference
from core.collect.privacy.read_file import ReadFile, read_file
from core.collect.reading.table import ReadingChoice
from core.errors import FileEmpty, FileUnreadable
from tests.collect.table_files import Rows, as_parquet, as_text, as_workbook, as_zip

SALES: Rows = [
    ["Address", "ZIP", "Sale Date", "Sale Price", "Living Area (sqft)"],
    *([f"{n} Elm St", "50309", f"2023-0{1 + n % 9}-11", str(301_000 + 700 * n), str(900 + 13 * n)] for n in range(40)),
]
VERKAEUFE: Rows = [
    ["PLZ", "Straße", "Kaufdatum", "Kaufpreis", "Wohnfläche"],
    *(["10115", f"Weg {n}", f"{1 + n % 28}.03.2023", f"{310_000 + 900 * n}", str(60 + n)] for n in range(30)),
]
PARCELS: Rows = [
    ["Parcel", "Address", "Living Area (sqft)", "Year Built", "Land Value"],
    *([f"77-{n:04}", f"{n} Oak Ave", str(800 + n), str(1950 + n % 60), str(50_000 + n)] for n in range(300)),
]
INDEX: Rows = [
    ["Month", "Median Price", "Homes Sold"],
    *([f"{1990 + n // 12}-{1 + n % 12:02}", str(200_000 + n), "31"] for n in range(200)),
]


def _read(tmp_path: Path, content: bytes, choice: ReadingChoice | None = None) -> tuple[ReadFile, list[Inference]]:
    path = tmp_path / "file"
    path.write_bytes(content)
    read = read_file(path, "file", choice=choice)
    mapping = guess_file(read.table).mapping
    return read, [one for one in mapping.inferences if one.column in ("(sheet)", "(table)")]


@pytest.mark.parametrize("sales", [SALES, VERKAEUFE])
@pytest.mark.parametrize("first", [True, False])
def test_a_small_sheet_of_sales_goes_before_larger_ones(tmp_path: Path, sales: Rows, first: bool) -> None:
    others = {"Parcels": PARCELS, "Index": INDEX}
    sheets = {"Sold": sales, **others} if first else {**others, "Sold": sales}
    read, [note] = _read(tmp_path, as_workbook(sheets))
    assert read.table.reading.sheet == "Sold"
    assert read.table.rows_in == len(sales) - 1
    assert note.sure
    assert "sheet 'Sold'" in note.claim
    assert "'Parcels' with 300 rows" in note.evidence
    assert "'Index' with 200 rows" in note.evidence


def test_a_second_sheet_of_sales_is_asked_about_and_a_chosen_one_is_not(tmp_path: Path) -> None:
    content = as_workbook({"2022": SALES[:20], "2023": SALES, "Parcels": PARCELS})
    read, [note] = _read(tmp_path, content)
    assert read.table.reading.sheet == "2023"
    assert not note.sure
    assert "'2022' may hold sales too" in note.claim
    read, notes = _read(tmp_path, content, ReadingChoice(sheet="2022"))
    assert (read.table.rows_in, notes) == (19, [])


def test_a_workbook_of_one_table_and_notes_says_nothing(tmp_path: Path) -> None:
    read, notes = _read(tmp_path, as_workbook({"About": [["Sales of the county"]], "Sold": SALES}))
    assert (read.table.reading.sheet, notes) == ("Sold", [])


@pytest.mark.parametrize(
    "others",
    [
        {"parcels.csv": as_text(PARCELS)},
        {"parcels.parquet": as_parquet(PARCELS), "index.csv": as_text(INDEX, ";")},
        {"broken.xlsx": b"no workbook", "parcels.txt": as_text(PARCELS, "\t")},
    ],
)
@pytest.mark.parametrize("sales", [SALES, VERKAEUFE])
def test_the_one_table_of_sales_in_an_archive_is_read(
    tmp_path: Path, others: dict[str, str | bytes], sales: Rows
) -> None:
    read, [note] = _read(tmp_path, as_zip({**others, "sold.csv": as_text(sales)}))
    assert read.table.reading.member == "sold.csv"
    assert read.table.rows_in == len(sales) - 1
    assert note.sure
    assert "with 300 rows" in note.evidence


def test_an_archive_of_two_tables_of_sales_or_of_none_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match=r"2 tables of sales \('a.csv', 'b.csv'\)"):
        _read(tmp_path, as_zip({"a.csv": as_text(SALES), "b.csv": as_text(SALES[:9]), "c.csv": as_text(PARCELS)}))
    with pytest.raises(FileUnreadable, match=r"2 tables \('a.csv', 'b.csv'\)"):
        _read(tmp_path, as_zip({"a.csv": as_text(INDEX), "b.csv": as_text(PARCELS)}))


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_an_empty_file_is_called_empty_whatever_separator_is_chosen(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FileEmpty, match="is empty"):
        _read(tmp_path, content, ReadingChoice(separator=","))
