"""Areas without a unit are taken in the market's own, where the size of the homes does not speak against it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.collect.columns.area_units import in_market_unit
from core.collect.columns.guess import guess_file
from core.collect.mapping import ColumnMapping
from core.collect.reading.reader import parse_table
from core.collect.reading.table import RawTable

ROWS = 100


def _table(median: float, living: str = "Living Area", lot: str = "Lot") -> RawTable:
    rng = np.random.default_rng(5)
    areas = (median * rng.uniform(0.7, 1.3, ROWS)).round(1)
    columns = {
        "Sale Price": (areas * rng.uniform(900, 1_500, ROWS)).round(-2),
        "Sale Date": pd.date_range("2023-01-01", periods=ROWS).strftime("%Y-%m-%d"),
        "Zip": rng.choice(["98001", "98002", "98003"], ROWS),
        living: areas,
        lot: (areas * 3).round(),
    }
    return parse_table(pd.DataFrame(columns).to_csv(index=False).encode(), "sales.csv")


def _in_unit(table: RawTable, area_unit: str) -> tuple[dict[str, str], ColumnMapping]:
    mapping = in_market_unit(table, guess_file(table).mapping, area_unit)
    return {rule.field: rule.unit for rule in mapping.rules if rule.field.endswith("_sqft")}, mapping


@pytest.mark.parametrize(("median", "area_unit"), [(380.0, "sqm"), (620.0, "sqm"), (240.0, "sqft"), (420.0, "sqft")])
def test_areas_that_may_be_in_either_unit_are_in_the_markets(median: float, area_unit: str) -> None:
    units, mapping = _in_unit(_table(median), area_unit)
    assert units == {"living_area_sqft": area_unit, "lot_area_sqft": area_unit}
    changed = guess_file(_table(median)).mapping.rules != mapping.rules
    assert [one.sure for one in mapping.inferences if one.field == "living_area_sqft"] == [True] * changed


@pytest.mark.parametrize(("median", "area_unit", "unit"), [(1_900.0, "sqm", "sqft"), (95.0, "sqft", "sqm")])
def test_homes_of_an_impossible_size_are_in_the_other_unit_and_that_is_asked(
    median: float, area_unit: str, unit: str
) -> None:
    units, mapping = _in_unit(_table(median), area_unit)
    assert units == {"living_area_sqft": unit, "lot_area_sqft": unit}
    assert [one.sure for one in mapping.inferences if one.field == "living_area_sqft"] == [False]


@pytest.mark.parametrize("area_unit", ["", "sqft", "sqm"])
def test_a_stated_unit_stands_whatever_the_market_measures_in(area_unit: str) -> None:
    units, mapping = _in_unit(_table(400.0, "Living Area m2", "Lot sqft"), area_unit)
    assert units == {"living_area_sqft": "sqm", "lot_area_sqft": "sqft"}
    assert mapping.inferences == guess_file(_table(400.0, "Living Area m2", "Lot sqft")).mapping.inferences
