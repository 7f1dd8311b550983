"""The template of each source: empty it holds no sale, and filled in it is read without a doubtful column."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from xlsxwriter import Workbook

from core.collect.mapping import check_required
from core.collect.reading.formats import GUIDE_SHEET
from core.errors import CollectError
from core.problem import load_problem
from core.schema import FIELD_BY_NAME, Source
from core.workflows.columns.templates import FORMATS, template
from core.workflows.data.source_preview import preview_source

_SURE = 0.9
HOMES = 12
# What a person writes below each heading, by the heading's first words.
CELLS: dict[str, Callable[[int], object]] = {
    "Sale id": lambda n: f"D-{n:05d}",
    "Sale date": lambda n: f"2025-0{1 + n % 9}-1{n % 9}",
    "Sale price": lambda n: 412_000 + 17_300 * n,
    "List date": lambda n: f"2024-12-0{1 + n % 9}",
    "List price": lambda n: 419_000 + 17_100 * n,
    "First list price": lambda n: 424_000 + 17_300 * n,
    "Sale validity": lambda n: "foreclosure" if n % 5 == 0 else "standard",
    "Listing office": lambda n: ("North Realty", "Lake Homes")[n % 2],
    "Property id": lambda n: f"7129-{n:04d}",
    "Address": lambda n: f"{100 + n} Oak St",
    "Unit": lambda n: f"{n}B" if n % 3 == 0 else "",
    "Zipcode": lambda n: f"98{100 + n}",
    "Neighborhood": lambda n: f"{n + 1} Ballard",
    "Latitude": lambda n: 47.6 + n / 1000,
    "Longitude": lambda n: -122.3 - n / 1000,
    "Property type": lambda n: ("single family", "condo")[n % 2],
    "Zoning": lambda n: ("R-5", "NR3")[n % 2],
    "Dwelling units": lambda n: 1 + n % 2,
    "Living area": lambda n: 1_400 + 73 * n,
    "Lot area": lambda n: 4_000 + 210 * n,
    "Bedrooms": lambda n: 2 + n % 3,
    "Bathrooms": lambda n: 1 + n % 4 / 2,
    "Floors": lambda n: 1 + n % 3,
    "Year built": lambda n: 1950 + 5 * n,
    "Year renovated": lambda n: 2010 if n % 4 == 0 else "",
    "Condition": lambda n: 1 + n % 5,
    "Construction grade": lambda n: 6 + n % 5,
    "View": lambda n: n % 5,
    "Waterfront": lambda n: ("no", "yes")[n % 2],
    "Garage spaces": lambda n: n % 3,
    "Assessed value": lambda n: 390_000 + 15_100 * n,
    "Prior assessed value": lambda n: 370_000 + 14_700 * n,
    "Assessment date": lambda n: f"2025-01-{1 + n:02d}",
    "Day of the figures": lambda n: f"2025-{1 + n % 12:02d}-01",
    "Indicator": lambda n: "Mortgage rate",
    "Value of the indicator": lambda n: 6.5 + n / 10,
    "School rating": lambda n: 1 + n % 5,
    "Crime index": lambda n: 40 + 3 * n,
    "Walk score": lambda n: 55 + 3 * n,
}


def filled(content: bytes, file_format: str, folder: Path) -> Path:
    """Fill the template in as a person does, leaving its second sheet in the workbook."""
    path = folder / f"template.{file_format}"
    if file_format == "csv":
        headings = list(pd.read_csv(io.BytesIO(content), encoding="utf-8-sig").columns)
    else:
        headings = list(pd.read_excel(io.BytesIO(content), engine="calamine").columns)
    rows = [[CELLS[heading.partition(" (")[0]](n) for heading in headings] for n in range(HOMES)]
    if file_format == "csv":
        pd.DataFrame(rows, columns=headings).to_csv(path, index=False, encoding="utf-8-sig")
        return path
    guide = pd.read_excel(io.BytesIO(content), sheet_name=GUIDE_SHEET, engine="calamine")
    with Workbook(path) as book:
        for name, lines in (("Sales", [headings, *rows]), (GUIDE_SHEET, [list(guide), *guide.to_numpy().tolist()])):
            sheet = book.add_worksheet(name)
            for at, line in enumerate(lines):
                sheet.write_row(at, 0, line)
    return path


@pytest.mark.parametrize("unit", ["sqft", "sqm"])
@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("source", list(Source))
def test_a_template_that_is_filled_in_is_read_without_a_doubtful_column(
    tmp_path: Path, source: Source, file_format: str, unit: str
) -> None:
    currency = "USD" if unit == "sqft" else "EUR"
    seen = preview_source(
        filled(template(source, file_format, unit, currency), file_format, tmp_path), "t." + file_format, load_problem()
    )
    assert seen.source is source
    assert seen.rows_in == HOMES
    check_required(seen.guess.mapping)
    doubtful = {one.column: (one.confidence, one.why) for one in seen.guess.columns if one.confidence < _SURE}
    assert doubtful == {}
    assert not seen.guess.mapping.ignored
    assert all(rule.field in FIELD_BY_NAME for rule in seen.guess.mapping.rules)
    areas = {rule.unit for rule in seen.guess.mapping.rules if FIELD_BY_NAME[rule.field].unit == "sqft"}
    assert areas <= {unit}
    assert all(one.sure for one in seen.guess.mapping.inferences)


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("source", list(Source))
def test_an_empty_template_brings_nothing_in(tmp_path: Path, source: Source, file_format: str) -> None:
    path = tmp_path / f"template.{file_format}"
    path.write_bytes(template(source, file_format, "sqft", "USD"))
    with pytest.raises(CollectError):
        preview_source(path, path.name, load_problem())
