"""A person's corrections of a mapping: what the picks change, what they keep, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.collect.columns.guess import guess_file
from core.collect.columns.picks import (
    ADDRESS_PART,
    EXTRA,
    IGNORE,
    PICKED,
    Pick,
    correct,
    fit_preset,
    in_scale,
    keep_as_extra,
    leaking_columns,
    scale_of_prices,
    taken_for,
)
from core.collect.inference import Inference
from core.collect.mapping import ColumnMapping, ColumnRule, apply_mapping
from core.collect.reading.reader import parse_table
from core.errors import MappingError
from core.schema import FIELD_BY_NAME, FieldKind, Source

LEAK = "Adjusted sale price"
COLUMNS = (
    "Price",
    "Sold on",
    "No.",
    "Street",
    "Full baths",
    "Half baths",
    "Area",
    "Stories",
    LEAK,
    "Id",
)
MAPPING = ColumnMapping(
    Source.SALES,
    (
        ColumnRule("Price", "sale_price", "number"),
        ColumnRule("Sold on", "sale_date", "date", date_format="%d.%m.%Y"),
        ColumnRule("Full baths", "bathrooms", "number"),
        ColumnRule("Area", "living_area_sqft", "number", "sqm"),
        ColumnRule("Stories", "x_levels", "number"),
        ColumnRule("Half baths", "bathrooms", "number", weight=0.5),
    ),
    address_columns=("No.", "Street"),
    ignored=((LEAK, "computed from the price"), ("Id", "a row number")),
)


def picks_of(mapping: ColumnMapping, **changed: Pick) -> list[Pick]:
    """The picks that a mapping shows, those of some columns changed."""
    rules = {rule.column: rule for rule in mapping.rules}
    shown = {
        column: Pick(column, taken_for(mapping, column), rules[column].parse, rules[column].unit)
        if column in rules
        else Pick(column, taken_for(mapping, column))
        for column in COLUMNS
    }
    return list({**shown, **changed}.values())


def by_column(rule: ColumnRule) -> str:
    return rule.column


def rule_of(mapping: ColumnMapping, column: str) -> ColumnRule:
    return next(rule for rule in mapping.rules if rule.column == column)


@given(st.permutations(COLUMNS))
def test_picks_that_change_nothing_keep_rules_order_of_the_address_and_reasons(order: list[str]) -> None:
    kept = correct(MAPPING, sorted(picks_of(MAPPING), key=lambda pick: order.index(pick.column)))
    assert sorted(kept.rules, key=by_column) == sorted(MAPPING.rules, key=by_column)
    assert kept.rules[-1].weight == 0.5, "the first of two rules for a field gives the value"
    assert kept.address_columns == MAPPING.address_columns
    assert set(kept.ignored) == set(MAPPING.ignored)


def test_a_column_is_taken_for_a_field_an_extra_a_part_of_the_address_or_nothing() -> None:
    taken = [taken_for(MAPPING, column) for column in ("Price", "Stories", "Street", "Id")]
    assert taken == ["sale_price", EXTRA, ADDRESS_PART, IGNORE]


def test_a_column_left_out_by_a_person_says_so_and_the_others_keep_their_reason() -> None:
    changed = correct(MAPPING, picks_of(MAPPING, Area=Pick("Area", IGNORE)))
    assert dict(changed.ignored) == {
        "Area": PICKED,
        LEAK: "computed from the price",
        "Id": "a row number",
    }
    assert "Area" not in {rule.column for rule in changed.rules}


@given(
    field=st.sampled_from(sorted(set(FIELD_BY_NAME) - {rule.field for rule in MAPPING.rules})),
    parse=st.sampled_from(["", "text", "number", "date", "flag"]),
)
def test_whatever_field_is_picked_its_column_is_read_in_a_way_that_fits(field: str, parse: str) -> None:
    rule = rule_of(correct(MAPPING, picks_of(MAPPING, Stories=Pick("Stories", field, parse))), "Stories")
    assert rule.field == field
    assert (rule.unit == "sqft") == (FIELD_BY_NAME[field].unit == "sqft")
    if FIELD_BY_NAME[field].kind is FieldKind.NUMBER and parse == "number":
        assert rule.parse == parse


def test_a_column_picked_as_an_extra_is_named_after_itself_and_one_that_is_an_extra_keeps_its_name() -> None:
    changed = correct(MAPPING, picks_of(MAPPING, Area=Pick("Area", EXTRA, "number")))
    assert (rule_of(changed, "Area").field, rule_of(changed, "Stories").field) == ("x_area", "x_levels")


def test_one_field_for_two_columns_is_refused_by_the_names_of_both() -> None:
    with pytest.raises(MappingError, match="'Full baths' and 'Stories' and 'Half baths' are both taken for Bathrooms"):
        correct(MAPPING, picks_of(MAPPING, Stories=Pick("Stories", "bathrooms", "number")))


def test_a_preset_is_fitted_only_to_a_file_with_its_columns() -> None:
    assert fit_preset(MAPPING, COLUMNS, "x.csv") is MAPPING
    with pytest.raises(MappingError, match=r"x\.csv lacks 'Price', 'Street', which this preset names"):
        fit_preset(MAPPING, tuple(one for one in COLUMNS if one not in {"Price", "Street"}), "x.csv")


def test_columns_that_would_give_the_price_are_found_by_their_name_or_their_measured_reason() -> None:
    measured = replace(MAPPING, ignored=(("Grade", "bands of the sale price"), ("Id", "a row number")))
    assert leaking_columns(MAPPING) == (LEAK,)
    assert leaking_columns(replace(MAPPING, ignored=((LEAK, PICKED),))) == (LEAK,)
    assert leaking_columns(measured) == ("Grade",)


@pytest.mark.parametrize("cells", [("", ""), ("425000", "425000")])
def test_a_column_without_values_of_its_own_is_not_said_to_tell_the_price(cells: tuple[str, str]) -> None:
    rows = [f"{n} Oak St,98101,2023-01-{n % 28 + 1:02},{300_000 + 1_000 * n},{cells[n % 2]}" for n in range(60)]
    table = parse_table("\n".join(["Address,Zip,Sale Date,Sale Price,List price", *rows]).encode(), "sales.csv")
    mapping = guess_file(table).mapping
    if "List price" in dict(mapping.ignored):
        assert leaking_columns(mapping) == ()
    assert cells[0] or "List price" in dict(mapping.ignored)


@pytest.mark.parametrize(
    ("words", "parse"),
    [({}, "number"), ({"Id": {"$1,200": 3, "-4": 1}}, "number"), ({"Id": {"north": 3, "4": 1}}, "text")],
)
def test_a_column_taken_in_after_all_is_read_as_words_where_its_few_values_are_words(
    words: dict[str, dict[str, int]], parse: str
) -> None:
    changed = keep_as_extra(MAPPING, "Id", words)
    assert rule_of(changed, "Id") == ColumnRule("Id", "x_id", parse)
    assert dict(changed.ignored) == {LEAK: "computed from the price"}


def test_a_person_says_what_the_prices_are_written_in() -> None:
    text = "Price,Listed,Tax value,Sold on,Zip\n" + "".join(
        f"{400 + n},{410 + n},{n},2024-01-0{n},98103\n" for n in range(1, 9)
    )
    table = parse_table(text.encode(), "sales.csv")
    rules = (
        ColumnRule("Price", "sale_price", "number"),
        ColumnRule("Listed", "list_price", "number"),
        ColumnRule("Tax value", "assessed_value", "number"),
        ColumnRule("Sold on", "sale_date", "date"),
        ColumnRule("Zip", "zipcode", "postcode"),
    )
    doubt = Inference("Price", "sale_price", "in units of 1,000", "no home costs so little", 8, sure=False)
    mapping = in_scale(ColumnMapping(Source.SALES, rules, inferences=(doubt,)), 1_000.0)
    assert (scale_of_prices(mapping), mapping.inferences) == (1_000.0, ())
    sales = apply_mapping(table, mapping).frame
    assert sales[["sale_price", "list_price", "assessed_value"]].iloc[0].tolist() == [401_000.0, 411_000.0, 1.0]
    # A list price that is written otherwise stays as it is.
    other = replace(
        mapping, rules=tuple(replace(one, scale=1.0) if one.column == "Listed" else one for one in mapping.rules)
    )
    assert [rule.scale for rule in in_scale(other, 1.0).rules[:2]] == [1.0, 1.0]
    assert [rule.scale for rule in in_scale(other, 1e6).rules[:2]] == [1e6, 1.0]
    assert scale_of_prices(ColumnMapping(Source.TAX, rules[2:])) is None
