"""The merge: exact keys only, every conflict shown, every reference row accounted for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.collect.join_keys import area_codes
from core.collect.mapping import MappedTable
from core.collect.merge import Merged, merge_sources
from core.collect.reading.table import BadLine
from core.errors import MappingError
from core.schema import Source, conform

COLUMNS = {
    Source.SALES: [
        "property_id",
        "address",
        "unit",
        "zipcode",
        "neighbourhood",
        "living_area_sqft",
        "year_built",
        "sale_price",
    ],
    Source.TAX: [
        "property_id",
        "address",
        "unit",
        "zipcode",
        "living_area_sqft",
        "year_built",
        "assessed_value",
        "sale_price",
    ],
    Source.NEIGHBOURHOOD: ["zipcode", "neighbourhood", "school_rating", "living_area_sqft", "x_income"],
}


def mapped(source: Source, *rows: dict[str, Any], bad: int = 0, columns: list[str] | None = None) -> MappedTable:
    frame = conform(pd.DataFrame(rows, columns=columns or COLUMNS[source]))
    frame = frame.assign(source_row=np.arange(len(frame)) + 1)
    return MappedTable(
        name=f"{source.value}.csv",
        source=source,
        sha256=source.value,
        frame=frame,
        problems=pd.DataFrame(columns=["source_row", "column", "field", "value", "problem", "remedy"]),
        bad_lines=tuple(BadLine(line, "too many cells", "a,b") for line in range(bad)),
        rows_in=len(frame) + bad,
    )


def sales(*rows: dict[str, Any]) -> MappedTable:
    return mapped(Source.SALES, *rows)


def tax(*rows: dict[str, Any], bad: int = 0) -> MappedTable:
    return mapped(Source.TAX, *rows, bad=bad)


def areas(*rows: dict[str, Any], bad: int = 0) -> MappedTable:
    return mapped(Source.NEIGHBOURHOOD, *rows, bad=bad)


def test_without_other_sources_the_sales_pass_through() -> None:
    only = sales({"property_id": "1", "sale_price": 5.0})
    merged = merge_sources(only, None, None)
    pd.testing.assert_frame_equal(merged.frame, only.frame)
    assert merged.conflicts.empty
    assert merged.reference == ()


def test_tax_facts_fill_what_the_sale_lacks_by_property_id() -> None:
    merged = merge_sources(
        sales({"property_id": "1"}, {"property_id": "2", "year_built": 1990.0}, {"property_id": "3"}),
        tax(
            {"property_id": "2", "year_built": 1990.0, "assessed_value": 7.0}, {"property_id": "1", "year_built": 1950}
        ),
        None,
    )
    assert merged.frame["year_built"].tolist()[:2] == [1950.0, 1990.0]
    assert merged.frame["year_built"].isna().tolist() == [False, False, True]
    assert merged.frame["assessed_value"].isna().tolist() == [True, False, True]
    assert (merged.tax_matched_by_id, merged.tax_matched_by_address) == (2, 0)
    assert merged.frame["source_row"].tolist() == [1, 2, 3]


def test_without_an_id_the_address_joins_however_spelt_and_brings_the_id() -> None:
    merged = merge_sources(
        sales(
            {"address": "12 N. Main St., Apt 4", "zipcode": "98103-1234"},
            {"address": "12 N Main St", "unit": "5", "zipcode": "98103"},
        ),
        tax({"property_id": "P4", "address": "12 North Main Street #4", "zipcode": "98103", "year_built": 1950.0}),
        None,
    )
    assert merged.frame["property_id"].tolist()[0] == "P4"
    assert merged.frame["year_built"].notna().tolist() == [True, False]
    assert (merged.tax_matched_by_id, merged.tax_matched_by_address) == (0, 1)


def test_one_street_number_away_is_another_home() -> None:
    merged = merge_sources(
        sales({"address": "123 N Main St", "zipcode": "98103"}),
        tax({"property_id": "1", "address": "125 N Main St", "zipcode": "98103", "year_built": 1950.0}),
        None,
    )
    assert merged.frame["year_built"].isna().all()


@pytest.mark.parametrize(
    ("sale_zip", "tax_zip", "joined"),
    [("98103", "98103", True), ("98103", "98104", False), (None, "98103", True), ("98103", None, True)],
)
def test_zip_codes_must_agree_where_both_have_one(sale_zip: str | None, tax_zip: str | None, joined: bool) -> None:
    merged = merge_sources(
        sales({"address": "1 Elm St", "zipcode": sale_zip}),
        tax({"property_id": "1", "address": "1 Elm Street", "zipcode": tax_zip, "year_built": 1950.0}),
        None,
    )
    assert merged.frame["year_built"].notna().tolist() == [joined]


def test_an_address_without_zip_that_two_zips_share_joins_nothing() -> None:
    merged = merge_sources(
        sales({"address": "1 Elm St"}),
        tax(
            {"property_id": "1", "address": "1 Elm St", "zipcode": "98103", "year_built": 1950.0},
            {"property_id": "2", "address": "1 Elm St", "zipcode": "98104", "year_built": 1960.0},
        ),
        None,
    )
    assert merged.frame["year_built"].isna().all()


def test_two_different_ids_are_two_properties_whatever_the_address() -> None:
    merged = merge_sources(
        sales({"property_id": "A", "address": "1 Elm St", "zipcode": "98103"}),
        tax(
            {"property_id": "B", "address": "1 Elm St", "zipcode": "98103", "year_built": 1950.0},
            {"address": "2 Elm St", "zipcode": "98103", "year_built": 1960.0},
        ),
        None,
    )
    assert merged.frame["year_built"].isna().all()
    assert merged.frame["property_id"].tolist() == ["A"]


def test_a_sale_with_an_id_meets_a_tax_row_without_one_by_address() -> None:
    merged = merge_sources(
        sales({"property_id": "A", "address": "1 Elm St", "zipcode": "98103"}),
        tax({"address": "1 Elm Street", "zipcode": "98103", "year_built": 1950.0}),
        None,
    )
    assert merged.frame["year_built"].tolist() == [1950.0]
    assert merged.tax_matched_by_address == 1


def test_differing_tax_rows_of_one_key_are_ambiguous_and_join_nothing() -> None:
    merged = merge_sources(
        sales({"property_id": "1"}, {"address": "2 Elm St", "zipcode": "1"}, {"property_id": "3"}),
        tax(
            {"property_id": "1", "year_built": 1950.0},
            {"property_id": "1", "year_built": 1960.0},
            {"address": "2 Elm St", "zipcode": "1", "year_built": 1950.0},
            {"address": "2 Elm Street", "zipcode": "1", "year_built": 1960.0},
            {"property_id": "3", "year_built": 1970.0},
            {"property_id": "3", "year_built": 1970.0},
            {"property_id": "9", "year_built": 1980.0},
            {"year_built": 1980.0},
            bad=2,
        ),
        None,
    )
    assert merged.frame["year_built"].fillna(0).tolist() == [0.0, 0.0, 1970.0]
    (account,) = merged.reference
    assert (account.file, account.source, account.sha256) == ("tax.csv", "tax", "tax")
    assert (account.rows_in, account.accepted, account.duplicate, account.rejected) == (10, 2, 1, 7)
    assert dict(account.reasons) == {
        "bad_line": 2,
        "no_key": 1,
        "ambiguous_key": 4,
        "repeated_row": 1,
        "matched": 1,
        "unmatched": 1,
    }


def test_flats_of_one_address_are_found_by_id_only_and_counted() -> None:
    merged = merge_sources(
        sales({"property_id": "1"}, {"address": "1 Elm St", "zipcode": "7"}),
        tax(
            {"property_id": "1", "address": "1 Elm St", "zipcode": "7", "year_built": 1950.0},
            {"property_id": "2", "address": "1 Elm St", "zipcode": "7", "year_built": 1950.0},
        ),
        None,
    )
    assert merged.frame["year_built"].notna().tolist() == [True, False]
    assert merged.reference[0].accepted == 2
    assert merged.reference[0].reasons["shared_address"] == 2


def test_conflicts_are_listed_with_both_values_and_decided_by_precedence() -> None:
    merged = merge_sources(
        sales(
            {
                "property_id": "1",
                "address": "1 Elm",
                "living_area_sqft": 2000.0,
                "year_built": 1990.0,
                "zipcode": "98103",
            },
            {"property_id": "2", "living_area_sqft": 2000.0, "year_built": 1990.0, "zipcode": "98103-0001"},
        ),
        tax(
            {"property_id": "1", "living_area_sqft": 1500.0, "year_built": 1960.0, "zipcode": "98104"},
            {"property_id": "2", "living_area_sqft": 2019.0, "year_built": 1991.0, "zipcode": "98103"},
        ),
        None,
    )
    assert merged.frame["living_area_sqft"].tolist() == [2000.0, 2000.0]
    assert merged.frame["year_built"].tolist() == [1960.0, 1990.0]
    assert merged.frame["zipcode"].tolist() == ["98103", "98103-0001"]
    listed = merged.conflicts.sort_values("field").to_numpy().tolist()
    assert listed == [
        [1, "1", "1 Elm", "living_area_sqft", "2000", "1500", "sales"],
        [1, "1", "1 Elm", "year_built", "1990", "1960", "tax"],
        [1, "1", "1 Elm", "zipcode", "98103", "98104", "sales"],
    ]


@pytest.mark.parametrize(("theirs", "count"), [("1 ELM STREET", 0), ("3 Elm St", 1)])
def test_addresses_conflict_only_where_their_keys_do(theirs: str, count: int) -> None:
    merged = merge_sources(
        sales({"property_id": "1", "address": "1 Elm St"}), tax({"property_id": "1", "address": theirs}), None
    )
    assert len(merged.conflicts) == count
    assert merged.frame["address"].tolist() == ["1 Elm St"]


def test_an_earlier_price_in_the_tax_file_never_becomes_the_sale_price() -> None:
    merged = merge_sources(sales({"property_id": "1"}), tax({"property_id": "1", "sale_price": 90_000.0}), None)
    assert merged.frame["sale_price"].isna().all()
    assert merged.conflicts.empty


def test_an_extra_that_is_numbers_here_and_words_there_is_refused() -> None:
    ours = mapped(Source.SALES, {"property_id": "1", "x_roof": 3.0}, columns=["property_id", "x_roof"])
    theirs = mapped(Source.TAX, {"property_id": "1", "x_roof": "tile"}, columns=["property_id", "x_roof"])
    with pytest.raises(MappingError, match=r"'x_roof' of tax.csv holds words.*numbers"):
        merge_sources(ours, theirs, None)


def test_an_empty_tax_file_joins_nothing() -> None:
    merged = merge_sources(sales({"address": "1 Elm St", "zipcode": "1"}), tax(), areas())
    assert merged.frame["address"].tolist() == ["1 Elm St"]
    assert [account.rows_in for account in merged.reference] == [0, 0]


# Neighbourhoods


def test_neighbourhood_figures_join_by_zip_code_as_a_code() -> None:
    merged = merge_sources(
        sales({"zipcode": "01234-5678"}, {"zipcode": "98103"}, {"zipcode": None}, {"zipcode": "55555"}),
        None,
        areas(
            {"zipcode": "1234", "school_rating": 4.0, "x_income": 50.0, "living_area_sqft": 999.0},
            {"zipcode": "98103.0", "school_rating": 5.0},
            {"zipcode": "777", "school_rating": 1.0},
        ),
    )
    assert merged.frame["school_rating"].fillna(0).tolist() == [4.0, 5.0, 0.0, 0.0]
    assert merged.frame["x_income"].fillna(0).tolist() == [50.0, 0.0, 0.0, 0.0]
    assert merged.frame["living_area_sqft"].isna().all(), "a neighbourhood's typical home is not this home"
    assert merged.neighbourhood_matched == 2
    assert dict(merged.reference[0].reasons) == {"matched": 2, "unmatched": 1}


def test_neighbourhood_names_serve_where_zip_codes_do_not() -> None:
    merged = merge_sources(
        sales({"neighbourhood": "old  town"}, {"neighbourhood": "Harbour"}),
        None,
        areas({"neighbourhood": "Old Town", "school_rating": 3.0}, {"neighbourhood": "Hill", "school_rating": 1.0}),
    )
    assert merged.frame["school_rating"].fillna(0).tolist() == [3.0, 0.0]
    assert merged.neighbourhood_matched == 1


def test_neighbourhood_rows_are_accounted_for() -> None:
    merged = merge_sources(
        sales({"zipcode": "1"}, {"zipcode": "2"}),
        None,
        areas(
            {"zipcode": "1", "school_rating": 3.0},
            {"zipcode": "01", "school_rating": 3.0},
            {"zipcode": "2", "school_rating": 3.0},
            {"zipcode": "2", "school_rating": 4.0},
            {"school_rating": 4.0},
            bad=1,
        ),
    )
    (account,) = merged.reference
    assert (account.rows_in, account.accepted, account.duplicate, account.rejected) == (6, 1, 1, 4)
    assert merged.frame["school_rating"].fillna(0).tolist() == [3.0, 0.0]


def test_area_codes_fold_to_one_spelling() -> None:
    codes = pd.Series(["98103-1234", "981031234", " 98103", "98103.0", "01234", "sw1a 1aa", "000", None], dtype="str")
    assert area_codes(codes).fillna("?").tolist() == ["98103"] * 4 + ["1234", "SW1A1AA", "?", "?"]


# Properties and scale

IDS = st.sampled_from([None, "1", "2", "3"])
PLACES = st.sampled_from([None, "1 Elm St", "1 Elm Street", "2 Elm St #3"])
ZIPS = st.sampled_from([None, "98103", "98104"])
YEARS = st.sampled_from([None, 1950.0, 1960.0])
HOMES = st.fixed_dictionaries({"property_id": IDS, "address": PLACES, "zipcode": ZIPS, "year_built": YEARS})
AREAS = st.fixed_dictionaries({"zipcode": ZIPS, "school_rating": st.sampled_from([None, 1.0, 5.0])})


def facts(merged: Merged) -> dict[int, tuple[float, float]]:
    frame = merged.frame.set_index("source_row")[["year_built", "school_rating"]].fillna(-1.0)
    return {int(row): (year, rating) for row, year, rating in frame.itertuples()}


@given(st.lists(HOMES, max_size=8), st.lists(HOMES, max_size=8), st.lists(AREAS, max_size=4), st.integers(0, 3))
@settings(max_examples=20)
def test_no_sale_is_lost_and_no_reference_row_unaccounted(
    homes: list[dict[str, Any]], records: list[dict[str, Any]], places: list[dict[str, Any]], bad: int
) -> None:
    ours, theirs, around = sales(*homes), tax(*records, bad=bad), areas(*places, bad=bad)
    merged = merge_sources(ours, theirs, around)
    assert merged.frame["source_row"].tolist() == ours.frame["source_row"].tolist()
    assert [account.rows_in for account in merged.reference] == [len(records) + bad, len(places) + bad]
    known = ours.frame["year_built"].notna()
    assert merged.frame.loc[known, "year_built"].notna().all()
    changed = known & (merged.frame["year_built"] != ours.frame["year_built"])
    assert set(ours.frame.loc[changed, "source_row"]) <= set(merged.conflicts["source_row"])
    assert (merged.frame["property_id"].notna() | ours.frame["property_id"].isna()).all()


RECORDS = (
    {"property_id": "1", "address": "1 Elm St", "zipcode": "98103"},
    {"address": "1 Elm St"},
    {"address": "2 Elm St #3"},
    {"property_id": "2", "address": "4 Elm St", "zipcode": "98103"},
    {"address": "1 Elm St", "zipcode": "98104", "year_built": 1960.0},
    {"address": "2 Elm St #3", "zipcode": "98103", "year_built": 1970.0},
)


@given(st.lists(HOMES, max_size=6), st.permutations(list(range(6))), st.lists(AREAS, max_size=4))
@settings(max_examples=20)
def test_the_order_of_reference_rows_does_not_matter(
    homes: list[dict[str, Any]], order: list[int], places: list[dict[str, Any]]
) -> None:
    records = [{"year_built": 1950.0, **record} for record in RECORDS]
    straight = merge_sources(sales(*homes), tax(*records), areas(*places))
    shuffled = merge_sources(sales(*homes), tax(*(records[place] for place in order)), areas(*reversed(places)))
    assert facts(straight) == facts(shuffled)
    assert straight.reference == shuffled.reference


def test_fifty_thousand_sales_meet_as_many_tax_rows_within_seconds() -> None:
    size = 50_000
    rng = np.random.default_rng(5)
    ids = pd.Series(np.arange(size)).astype("str")
    zips = pd.Series(rng.integers(98_000, 98_100, size)).astype("str")
    left = conform(pd.DataFrame({"property_id": ids, "zipcode": zips, "year_built": 1950.0}))
    right = conform(pd.DataFrame({"property_id": ids.iloc[::-1], "zipcode": zips.iloc[::-1], "year_built": 1960.0}))
    ours = MappedTable("s", Source.SALES, "s", left.assign(source_row=np.arange(size)), pd.DataFrame(), (), size)
    theirs = MappedTable("t", Source.TAX, "t", right.assign(source_row=np.arange(size)), pd.DataFrame(), (), size)
    around = areas(*({"zipcode": str(code), "school_rating": 3.0} for code in range(98_000, 98_100)))
    merged = merge_sources(ours, theirs, around)
    assert merged.tax_matched_by_id == merged.neighbourhood_matched == len(merged.conflicts) == size


def test_a_unit_beside_the_address_is_no_conflict_with_one_inside_it() -> None:
    ours = sales(
        {"property_id": "1", "address": "212 Mirage Marten Ln.", "unit": "Apt 302"},
        {"property_id": "2", "address": "209 Oak St", "unit": "Apt 4"},
    )
    theirs = tax(
        {"property_id": "1", "address": "212 MIRAGE MARTEN LANE, APT 302"},
        {"property_id": "2", "address": "209 OAK ST APT 5"},
    )
    conflicts = merge_sources(ours, theirs, None).conflicts
    assert conflicts[["source_row", "field"]].to_numpy().tolist() == [[2, "address"]]
