"""Headers as publishers, listing services and portals spell them: key fields are known, all others are not taken."""

from __future__ import annotations

import csv
from pathlib import Path

from core.collect.columns.candidates import field_of_header
from core.collect.vocabulary import load_vocabulary
from core.schema import Source

SPELLINGS = Path(__file__).with_name("header_spellings.csv")

KEY_FIELDS = {
    "sale_price",
    "sale_date",
    "living_area_sqft",
    "lot_area_sqft",
    "bedrooms",
    "bathrooms",
    "year_built",
    "property_type",
    "address",
    "zipcode",
}


def _spellings() -> list[tuple[str, str]]:
    with SPELLINGS.open(encoding="utf-8", newline="") as file:
        return sorted({(row["header"], row["field"]) for row in csv.DictReader(file)})


def _field_of(header: str) -> str:
    return field_of_header(header, Source.SALES, load_vocabulary())


def test_the_list_is_long_enough_and_names_its_sources() -> None:
    with SPELLINGS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["field"] for row in rows} == KEY_FIELDS | {""}
    assert all(row["header"] and row["source"] for row in rows)
    assert len({row["header"] for row in rows if row["field"]}) >= 300
    assert len({row["header"] for row in rows if not row["field"]}) >= 300
    assert len({row["source"] for row in rows}) >= 30


def test_nearly_all_spellings_of_key_fields_are_recognized() -> None:
    wanted = [(header, field) for header, field in _spellings() if field]
    missed = [(header, field, _field_of(header)) for header, field in wanted if _field_of(header) != field]
    assert len(missed) <= 0.03 * len(wanted), missed


def test_no_other_header_of_the_same_files_is_taken_for_a_key_field() -> None:
    taken = {header: _field_of(header) for header, field in _spellings() if not field}
    assert {header: field for header, field in taken.items() if field in KEY_FIELDS} == {}
