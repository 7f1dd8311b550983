"""Corrections of single columns by name: what they change, what they leave as it was, and what they refuse."""

from __future__ import annotations

import pytest

from core.collect.columns.corrections import (
    Correction,
    corrected,
    correction_of,
    corrections_by_file,
    inferences_that_hold,
)
from core.collect.columns.guess import guess_file
from core.collect.mapping import ColumnMapping, apply_mapping
from core.collect.reading.reader import parse_table
from core.collect.reading.table import RawTable
from core.errors import MappingError

FILES = {"sales.csv": "sales.csv", "data/sales.csv": "sales.csv", "roll.csv": "roll.csv"}
HEADER = "Address,Sold on,Closed for,Ask,Beds,Baths full,Baths half,Home m²,Yr Sold,Mo Sold,Remarks,Rate %,a=b"


def table(name: str = "sales.csv", header: str = HEADER) -> RawTable:
    rows = "".join(
        f"{n} Oak Street,2024-{1 + n % 12:02}-{1 + n % 27:02},{300_000 + 1_377 * n},{310_000 + 1_377 * n},{2 + n % 3},"
        f"{1 + n % 2},{n % 2},{80 + n % 60},{2020 + n % 4},{1 + n % 12},word{n},{n % 7}.5,{n % 9}\n"
        for n in range(60)
    )
    return parse_table(f"{header}\n{rows}".encode(), name)


TABLE = table()
GUESS = guess_file(TABLE).mapping


def fields(mapping: ColumnMapping) -> dict[str, str]:
    return {rule.column: rule.field for rule in mapping.rules}


def after(*texts: str, mapping: ColumnMapping = GUESS) -> ColumnMapping:
    return corrected(TABLE, mapping, [correction_of(text, FILES) for text in texts])


def test_a_correction_is_read_as_column_and_field_with_the_file_where_it_is_named() -> None:
    assert correction_of("Sold on=sale_date", FILES) == Correction("Sold on", "sale_date")
    assert correction_of("a=b=x_foo", FILES) == Correction("a=b", "x_foo")
    assert correction_of("Remarks=", FILES) == Correction("Remarks", "")
    assert correction_of("data/sales.csv:Sold on=sale_date", FILES) == Correction("Sold on", "sale_date", "sales.csv")
    assert correction_of("HOA: dues=extra", FILES) == Correction("HOA: dues", "extra")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "Sold on=sale_dte",
            r"'sale_dte', which is not a field\. The nearest is 'sale_date'\. Fields: property_id.*x_",
        ),
        ("Sold on=SALE_DATE", "The nearest is 'sale_date'"),
        ("Sold on=x_", "'x_', which is not a field"),
        ("Sold on=x_Two Words", "which is not a field"),
        ("Sold on", "names no column and field"),
        ("=sale_date", "names no column and field"),
    ],
)
def test_a_correction_that_names_no_field_is_refused_with_the_nearest_and_all_of_them(text: str, words: str) -> None:
    with pytest.raises(MappingError, match=words):
        correction_of(text, FILES)


def test_one_column_changes_and_all_others_stay_as_guessed() -> None:
    changed = after("Rate %=crime_index")
    assert fields(changed)["Rate %"] == "crime_index"
    same = {rule for rule in map(str, GUESS.rules) if "Rate %" not in rule}
    assert same <= set(map(str, changed.rules))
    assert "Rate %" not in dict(changed.ignored)


def test_the_column_that_held_the_field_before_is_left_out_and_says_why() -> None:
    assert fields(GUESS)["Ask"] != "sale_price"
    first = after("Closed for=sale_price")
    changed = after("Ask=sale_price", mapping=first)
    assert fields(changed)["Ask"] == "sale_price"
    assert "Closed for" not in fields(changed)
    assert dict(changed.ignored)["Closed for"] == "Ask was picked by you instead"


def test_a_column_is_left_out_kept_under_its_name_or_as_a_fact_of_ones_own() -> None:
    assert dict(after("Beds=").ignored)["Beds"] == "picked by you"
    assert "Beds" not in fields(after("Beds="))
    assert fields(after("Remarks=extra"))["Remarks"] == "x_remarks"
    kept = after("Rate %=x_my_rate", "Remarks=x_words")
    assert (fields(kept)["Rate %"], fields(kept)["Remarks"]) == ("x_my_rate", "x_words")
    frame = apply_mapping(TABLE, after("Closed for=sale_price", "Sold on=sale_date", "Rate %=x_my_rate")).frame
    assert frame["x_my_rate"].tolist()[:3] == [0.5, 1.5, 2.5]


def test_the_unit_and_the_date_order_of_a_corrected_column_are_found_as_in_a_guess() -> None:
    changed = after("Home m²=lot_area_sqft", "Sold on=sale_date", "Closed for=sale_price")
    rule = next(rule for rule in changed.rules if rule.column == "Home m²")
    assert (rule.field, rule.unit) == ("lot_area_sqft", "sqm")
    assert apply_mapping(TABLE, changed).frame["sale_date"].notna().all()


def test_taking_a_part_away_from_a_joined_date_leaves_a_date_of_the_rest() -> None:
    header = HEADER.replace("Sold on", "Note")
    parts = table(header=header)
    mapping = corrected(parts, guess_file(parts).mapping, [Correction("Closed for", "sale_price")])
    assert any(rule.with_columns for rule in mapping.rules), fields(mapping)
    changed = corrected(parts, mapping, [Correction("Mo Sold", "")])
    assert not any(rule.with_columns for rule in changed.rules)
    assert apply_mapping(parts, changed).frame["sale_date"].dt.year.between(2020, 2023).all()


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (("Remarks=sale_price",), "column 'Remarks' cannot be 'sale_price': none of its values can be read as number"),
        (("Beds=bathrooms", "Beds=bedrooms"), "'Beds' is corrected twice"),
        (("Ask=sale_price", "Closed for=sale_price"), "'Ask' and 'Closed for' are both taken for 'sale_price'"),
    ],
)
def test_a_correction_that_cannot_be_is_refused(texts: tuple[str, ...], words: str) -> None:
    with pytest.raises(MappingError, match=words):
        after(*texts)


def test_a_column_no_file_has_is_refused_with_the_nearest_and_the_columns_there_are() -> None:
    with pytest.raises(MappingError, match=r"no column 'Sold om'\. The nearest is 'Sold on'\. Columns: Address, Sold"):
        corrections_by_file([Correction("Sold om", "sale_date")], {"sales.csv": TABLE})
    with pytest.raises(MappingError, match=r"None of sales\.csv, roll\.csv has a column 'Key'"):
        corrections_by_file([Correction("Key", "property_id")], {"sales.csv": TABLE, "roll.csv": TABLE})


def test_among_several_files_a_correction_goes_where_its_column_is_and_asks_where_that_is_unclear() -> None:
    roll = parse_table(b"key,Beds,walls\n1,2,brick\n2,3,wood\n", "roll.csv")
    tables = {"sales.csv": TABLE, "roll.csv": roll}
    found = corrections_by_file([Correction("walls", "extra"), Correction("Ask", "sale_price")], tables)
    assert [one.column for one in found["roll.csv"]] == ["walls"]
    assert [one.column for one in found["sales.csv"]] == ["Ask"]
    with pytest.raises(MappingError, match=r'Column \'Beds\' is in sales.csv and roll.csv.*"sales.csv:Beds=bedrooms"'):
        corrections_by_file([Correction("Beds", "bedrooms")], tables)
    found = corrections_by_file([Correction("Beds", "bedrooms", "roll.csv")], tables)
    assert (found["sales.csv"], len(found["roll.csv"])) == ((), 1)
    months = {"may.csv": table("may.csv"), "june.csv": table("june.csv")}
    found = corrections_by_file([Correction("Beds", "bedrooms")], months)
    assert [len(some) for some in found.values()] == [1, 1]


def test_of_what_was_inferred_only_what_the_mapping_still_says_is_kept() -> None:
    priced = table(header=HEADER.replace("Closed for", "Sale price in thousands"))
    guess = guess_file(priced).mapping
    assert any("in units of 1,000" in one.claim for one in guess.inferences)
    assert inferences_that_hold(guess, guess) == guess.inferences
    changed = corrected(priced, guess, [Correction("Sale price in thousands", "list_price")])
    kept = inferences_that_hold(changed, guess)
    assert not any(one.column == "Sale price in thousands" for one in kept)
