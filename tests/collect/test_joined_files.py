"""Sales and parcels whose keys are written differently, and house numbers that stand beside their streets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.accounting import FileAccounting
from core.collect.columns.guess import guess_file
from core.collect.columns.shared_keys import guess_together
from core.collect.join_keys import bare_ids
from core.collect.mapping import MappedTable
from core.collect.merge import merge_sources
from core.collect.reading.reader import parse_table
from core.schema import Source
from core.workflows.source_files.refusals import apply_or_explain, nothing_usable_message
from tests.collect.test_merge import sales, tax

N = 60
Spelling = Callable[[int], str]


def parcel(place: int) -> str:
    return f"{place % 3:02}{700_000 + 37 * place}"


def dashed(place: int) -> str:
    return f"{parcel(place)[:2]}-{parcel(place)[2:5]}-{parcel(place)[5:]}"


def spaced(place: int) -> str:
    return f"{parcel(place)[:4]} {parcel(place)[4:]}"


def without_zeros(place: int) -> str:
    return parcel(place).lstrip("0")


def joined(key: str, ours: Spelling, theirs: Spelling) -> tuple[MappedTable, MappedTable]:
    sold = "\n".join(f"{ours(n)},{250_000 + 1_713 * n},2023-{1 + n % 12:02}-{1 + n % 27:02}" for n in range(N))
    rolls = "\n".join(f"{theirs(n)},{n + 1} Oak St,9810{n % 5},{900 + 7 * n}" for n in range(N))
    tables = [
        parse_table(f"Parcel ID,Sale Price,Sale Date\n{sold}\n".encode(), "sales.csv"),
        parse_table(f"{key},Address,Zip,SqFt\n{rolls}\n".encode(), "parcels.csv"),
    ]
    mappings = guess_together(tables, [None, None])
    mapped = [apply_or_explain(table, mapping, ()) for table, mapping in zip(tables, mappings, strict=True)]
    return mapped[0], mapped[1]


@pytest.mark.parametrize("key", ["Parcel ID", "PARCELNO"])
@pytest.mark.parametrize(("ours", "theirs"), [(dashed, parcel), (parcel, spaced), (parcel, without_zeros)])
def test_parcels_meet_however_their_numbers_are_written(key: str, ours: Spelling, theirs: Spelling) -> None:
    merged = merge_sources(*joined(key, ours, theirs), None)
    assert merged.frame["address"].tolist() == [f"{n + 1} Oak St" for n in range(N)]
    assert merged.frame["living_area_sqft"].tolist() == [900.0 + 7 * n for n in range(N)]


def test_numbers_that_only_signs_tell_apart_are_not_taken_for_one_another() -> None:
    sold = sales(
        {"property_id": "1-23", "sale_price": 300_000.0},
        {"property_id": "12-3", "sale_price": 400_000.0},
        {"property_id": "77-1", "sale_price": 500_000.0},
    )
    roll = tax({"property_id": "12-3", "address": "1 Oak St"}, {"property_id": "771", "address": "2 Oak St"})
    merged = merge_sources(sold, roll, None)
    assert merged.frame["address"].fillna("").tolist() == ["", "1 Oak St", "2 Oak St"]


def test_no_signs_no_zeros_and_one_case_are_left_of_an_id() -> None:
    ids = sales({"property_id": "06-12 a"}, {"property_id": "000"}, {"property_id": None}).frame["property_id"]
    assert bare_ids(ids).fillna("").tolist() == ["612A", "", ""]


def test_a_tax_file_that_was_brought_is_not_asked_for() -> None:
    sold, roll = joined("Parcel ID", parcel, lambda n: f"X{n}Y")
    merged = merge_sources(sold, roll, None)
    assert merged.frame.get("address") is None or merged.frame["address"].isna().all()
    account = FileAccounting("sales.csv", "sales", "", N, 0, 0, 0, N, reasons={"no_location": N})
    assert "parcels.csv has none of these numbers" in nothing_usable_message([sold], [account], "USD", roll)
    assert "bring the tax file of the same parcels" in nothing_usable_message([sold], [account], "USD")


@pytest.mark.parametrize(
    "parts",
    [("Number", "Street"), ("Num", "Street"), ("No.", "Road"), ("ST_NUM", "ST_NAME", "ST_SFX"), ("House No", "Street")],
)
def test_the_number_of_a_house_beside_its_street_is_part_of_the_address(parts: tuple[str, ...]) -> None:
    streets = ("Oak", "Elm", "Main", "Pine", "Lake", "Hill", "Park")
    cells = [(str(100 + 3 * n), streets[n % 7], "St") for n in range(N)]
    if len(parts) == 2:
        cells = [(number, f"{name} {suffix}", "") for number, name, suffix in cells]
    rows = [f"{','.join(one[: len(parts)])},9810{n % 5},{250_000 + 1_713 * n}" for n, one in enumerate(cells)]
    dated = "\n".join(f"{row},2023-{1 + n % 12:02}-{1 + n % 27:02},{900 + 7 * n}" for n, row in enumerate(rows))
    table = parse_table(f"{','.join(parts)},Zip,Sale Price,Sale Date,SqFt\n{dated}\n".encode(), "sales.csv")
    assert guess_file(table).mapping.address_columns == parts


def test_a_number_far_from_any_street_is_no_part_of_the_address() -> None:
    rows = "\n".join(
        f"{n % 9},{250_000 + 1_713 * n},2023-{1 + n % 12:02}-{1 + n % 27:02},{900 + 7 * n},9810{n % 5},{n} Oak St"
        for n in range(N)
    )
    table = parse_table(f"No,Sale Price,Sale Date,SqFt,Zip,Street\n{rows}\n".encode(), "sales.csv")
    mapping = guess_file(table).mapping
    assert mapping.source is Source.SALES
    assert "No" not in mapping.address_columns
