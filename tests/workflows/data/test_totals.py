"""Workbooks as people keep them: cells merged over a group of sales, and rows of totals below each group."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
import xlsxwriter

from core.collect.privacy.read_file import scrubbed
from core.collect.reading.reader import parse_table
from core.collect.reading.totals import TOTAL
from core.store import Market
from core.workflows.source_files.reading import SourceFile
from core.workspace import Workspace
from tests.workflows.data.test_late_facts import sales_of, take_in

HEADERS = ("Zip", "Sale date", "Sale price", "Beds", "Living area (sq ft)")
ZIPCODES = ("98001", "98002", "98003")


def grouped_workbook(say: str) -> bytes:
    """Four sales in each of three zip codes, the code in one merged cell, a total below each group and one of all."""
    content = BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet, day = book.add_worksheet("Sales"), book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(0, 0, HEADERS)
        row = 1
        for code in ZIPCODES:
            sheet.merge_range(row, 0, row + 3, 0, code)
            for number in range(4):
                sheet.write_datetime(row, 1, date(2024, 3, 1 + row), day)
                sheet.write_row(row, 2, (400_000 + 1_000 * row, 3, 1_500 + 10 * number))
                row += 1
            sheet.write_row(row, 0, (say.format(code), None, 1_600_000))
            row += 1
        sheet.write_row(row, 0, ("Total", None, 4_800_000))
    return content.getvalue()


@pytest.mark.parametrize("say", ["Subtotal {}", "{} Total", "Zwischensumme", "小計", "Итого"])
def test_merged_cells_hold_for_each_row_and_totals_are_left_out(say: str) -> None:
    table = parse_table(grouped_workbook(say), "book.xlsx")
    assert table.frame["Zip"].value_counts().to_dict() == dict.fromkeys(ZIPCODES, 4)
    assert [line.reason for line in table.bad_lines] == [TOTAL] * 4
    assert table.rows_in == 16


def test_a_workbook_with_totals_is_read_alike_after_it_was_rewritten_without_persons() -> None:
    first = scrubbed(grouped_workbook("Subtotal {}"), "book.xlsx")
    again = scrubbed(first.content, "book.xlsx")
    assert again.content == first.content
    assert again.read.table.frame.equals(first.read.table.frame)
    assert [one.line for one in again.read.table.bad_lines] == [one.line for one in first.read.table.bad_lines]


def test_totals_are_counted_as_such_and_no_sale_is_lost(workspace: Workspace, market: Market, tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    path.write_bytes(grouped_workbook("Subtotal {}"))
    report = take_in(workspace, market, SourceFile(path, path.name))
    assert report.preview.files[0].reasons == {"total_row": 4}
    assert sales_of(workspace, report)["zipcode"].value_counts().to_dict() == dict.fromkeys(ZIPCODES, 4)


def test_a_home_whose_remarks_or_street_speak_of_a_total_is_a_sale() -> None:
    text = "Address,Sale date,Sale price,Beds,Remarks\n1 Elm St,2024-03-01,400000,3,total renovation\n"
    table = parse_table((text + "2 Total St,2024-03-02,410000,,\n3 Elm St,2024-03-05,420000,2,\n").encode(), "a.csv")
    assert (len(table.frame), table.bad_lines) == (3, ())


@pytest.mark.parametrize("header", ["Zip", "ZIP code", "Neighborhood"])
def test_a_column_that_names_a_place_is_not_dropped_for_a_few_strange_cells(header: str) -> None:
    rows = [f"2024-03-{1 + n % 28:02d},{400_000 + n},{'Block ' if n % 2 else ''}98{n:03d}" for n in range(200)]
    read = scrubbed(("\n".join([f"Sale date,Sale price,{header}", *rows]) + "\n").encode(), "a.csv").read
    assert header in read.table.frame
