"""A parcel number that the flats of a building share names none of them."""

from __future__ import annotations

import pandas as pd
import pytest

from core.collect.shared_parcels import without_shared_parcels

Units = list[str | None] | None


def _columns(ids: list[str], addresses: list[str], units: Units = None) -> dict[str, pd.Series]:
    texts: dict[str, list[str | None]] = {"property_id": [*ids], "address": [*addresses]}
    if units is not None:
        texts["unit"] = units
    return {name: pd.Series(values, dtype="str") for name, values in texts.items()}


@pytest.mark.parametrize(
    ("addresses", "units"),
    [
        (["243 West End Avenue, 1011", "243 West End Avenue, 210", "243 West End Ave, 7B"], None),
        (["12 Mill Lane"] * 3, ["1", "2", "3"]),
        (["12 Mill Lane #1", "12 Mill Ln #2", "12 Mill Lane Apt 3"], None),
    ],
)
def test_flats_of_one_building_are_not_named_by_its_number(
    addresses: list[str], units: list[str | None] | None
) -> None:
    columns = _columns(["P1"] * 3 + ["P2"], [*addresses, "9 Oak St"], None if units is None else [*units, None])
    found = without_shared_parcels(columns)
    assert found["property_id"].isna().tolist() == [True, True, True, False]
    assert found["address"] is columns["address"]


@pytest.mark.parametrize(
    "addresses",
    [
        ["12 Mill Lane", "12 MILL LN", "12 Mill Ln."],
        ["12 Mill Lane", "14 Mill Lane", "16 Mill Lane"],
        ["12 Mill Lane #1", "12 Mill Lane #2", "12 Mill Lane #1"],
    ],
)
def test_spellings_of_one_home_corner_lots_and_two_flats_keep_their_number(addresses: list[str]) -> None:
    columns = _columns(["P1"] * 3, addresses)
    assert without_shared_parcels(columns)["property_id"].tolist() == ["P1"] * 3
