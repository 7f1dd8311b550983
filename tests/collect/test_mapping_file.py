"""The mapping as a file: what it holds, that it comes back as it was, and what is refused in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.collect.columns.guess import guess_file
from core.collect.inference import Inference
from core.collect.mapping import ColumnMapping, ColumnRule
from core.collect.mapping_file import (
    document_to_json,
    mapping_document,
    mapping_for,
    mapping_from_json,
    mapping_to_json,
    mappings_document,
    mappings_for,
    reading_choice,
)
from core.collect.reading.reader import parse_table
from core.collect.reading.table import RawTable, ReadingChoice
from core.errors import FileUnreadable, MappingError
from core.schema import Source

BASE = ColumnMapping(
    Source.SALES,
    (
        ColumnRule("Prix", "sale_price", "number", scale=1_000.0),
        ColumnRule("Vendu", "sale_date", "date", date_format="%d~%m~%Y"),
        ColumnRule("Surface", "living_area_sqft", "number", unit="sqm", unit_column="Mesure"),
        ColumnRule("État", "condition", "number", recode={"bon": "4"}),
        ColumnRule("Année", "x_annee", "number"),
    ),
    ("No", "Rue"),
    decimal=",",
    thousands=".",
    ignored=(("Taxe", "computed from the price"),),
    inferences=(Inference("Prix", "sale_price", "in units of 1,000", "its header says so", 900, False),),
    encoding="cp1252",
    sheet="Ventes",
    separator=";",
)


def document(**changed: Any) -> str:
    return json.dumps({**mapping_document(BASE), **changed})


def text_of(count: int, name: str, letters: str = "") -> RawTable:
    rows = "".join(f"{n} Chemin {letters},{300_000 + 137 * n},2024-01-{1 + n % 28:02}\n" for n in range(count))
    return parse_table(f"address,sale price,sale date\n{rows}".encode("cp1252"), name)


def test_a_mapping_file_holds_columns_units_scale_dates_marks_reading_recodings_and_what_was_inferred() -> None:
    held = json.loads(mapping_to_json(BASE))
    assert (held["encoding"], held["sheet"]) == ("cp1252", "Ventes")
    assert (held["separator"], held["decimal"], held["thousands"]) == (";", ",", ".")
    price, sold, area, condition, _ = held["rules"]
    assert (price["column"], price["field"], price["scale"]) == ("Prix", "sale_price", 1000.0)
    assert sold["date_format"] == "%d~%m~%Y"
    assert (area["unit"], area["unit_column"]) == ("sqm", "Mesure")
    assert condition["recode"] == {"bon": "4"}
    assert held["ignored"] == [["Taxe", "computed from the price"]]
    assert held["inferences"][0]["evidence"] == "its header says so"
    assert mapping_from_json(json.dumps(held)) == BASE


def test_a_date_format_in_the_friendly_form_is_read_as_it_is_meant() -> None:
    assert mapping_from_json(document(date_format="DD~MM~YYYY")).date_format == "%d~%m~%Y"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"encoding": "klingon"}, "encoding = 'klingon'"),
        ({"encoding": "base64"}, "encoding = 'base64'"),
        ({"encoding": 5}, "encoding = 5"),
        ({"separator": "||"}, "separator = '||'"),
        ({"date_format": "DD.MM"}, "'DD.MM'"),
        ({"date_format": 7}, "date format 7"),
        ({"colour": "red"}, "unknown settings: colour"),
        ({"inferences": [{"claim": "x"}]}, "wrong kind"),
        ({"rules": [{"column": "Prix", "field": "sale_prize"}]}, "Did you mean 'sale_price'"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_its_name_and_value(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(MappingError, match=words):
        mapping_from_json(document(**changed))


def test_mappings_of_several_files_stand_in_one_document_by_name() -> None:
    other = ColumnMapping(Source.TAX, (ColumnRule("key", "property_id", "identifier"),))
    both = {"sales.csv": BASE, "roll.csv": other}
    text = document_to_json(mappings_document(both))
    assert mappings_for(text, ["roll.csv", "sales.csv"]) == both
    assert mapping_for(text, "roll.csv") == other
    with pytest.raises(MappingError, match=r"no file 'next.csv'; it has 'sales.csv', 'roll.csv'"):
        mapping_for(text, "next.csv")
    alone = document_to_json(mappings_document({"sales.csv": BASE}))
    assert mapping_from_json(alone) == mapping_for(alone, "next.csv") == BASE
    with pytest.raises(MappingError, match="that of one file, but there are 2"):
        mappings_for(alone, ["a.csv", "b.csv"])


def test_a_guess_says_how_its_file_was_read() -> None:
    mapping = guess_file(text_of(40, "sales.csv", "Bézout")).mapping
    assert (mapping.encoding, mapping.separator, mapping.sheet) == ("cp1252", ",", "")


@pytest.mark.parametrize(
    ("written_in", "usual", "read_in"),
    [
        ("cp1250", "cp1250", "cp1250"),
        ("utf-8", "cp1250", "utf-8"),
        ("utf-8-sig", "cp1250", "utf-8-sig"),
        ("utf-16", "cp1250", "utf-16"),
        ("cp1252", "utf-8", "cp1252"),
        ("cp1252", "utf-16-le", "cp1252"),
    ],
)
def test_the_encoding_of_a_mapping_is_used_where_the_bytes_prove_no_other(
    written_in: str, usual: str, read_in: str
) -> None:
    letters = "Łódź" if written_in != "cp1252" else "Café"
    rows = "".join(f"{n} {letters},{300_000 + n}\n" for n in range(30))
    content = f"address,sale price\n{rows}".encode(written_in)
    choice = reading_choice(ColumnMapping(Source.SALES, (), encoding=usual), None)
    table = parse_table(content, "sales.csv", choice=choice)
    assert (table.reading.encoding, table.frame["address"][0]) == (read_in, f"0 {letters}")


def test_what_a_person_chooses_goes_before_what_a_mapping_says() -> None:
    choice = reading_choice(BASE, ReadingChoice("cp932"))
    assert choice == ReadingChoice("cp932", "Ventes", ";", "cp1252")
    assert reading_choice(None, None) is None


def test_a_file_with_another_separator_than_its_mapping_says_is_refused_not_misread() -> None:
    choice = reading_choice(ColumnMapping(Source.SALES, (), separator=";"), None)
    with pytest.raises(FileUnreadable, match="no semicolon, which its mapping names"):
        parse_table(b"address,sale price\n1 Oak Street,300000\n2 Oak Street,310000\n", "sales.csv", choice=choice)
