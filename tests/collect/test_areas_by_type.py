"""Japan's transaction prices: one column of areas is the land of houses and the floor of flats."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.collect.columns.guess import guess_file
from core.collect.mapping import apply_mapping
from core.collect.mapping_file import mapping_from_json, mapping_to_json
from core.collect.reading.reader import parse_table
from core.schema import SQFT_PER_SQM

ROWS = 120
HOUSE = np.arange(ROWS) % 3 == 0
FIGURES = np.where(HOUSE, 150 + np.arange(ROWS), 40 + np.arange(ROWS) % 50)
FLOORS = np.where(HOUSE, 90 + np.arange(ROWS) % 40, 0)

JAPANESE = (
    "種類",
    "取引価格（総額）",
    "取引時期",
    "市区町村名",
    "面積（㎡）",
    "延床面積（㎡）",
    "宅地(土地と建物)",
    "中古マンション等",
)
ENGLISH = (
    "Type", "Transaction-price(total)", "Transaction date", "City,Town,Ward,Village", "Area(m^2)",
    "Total floor area(m^2)", "Residential Land(Land and Building)", "Pre-owned Condominiums, etc.",
)  # fmt: skip


def _columns(names: tuple[str, ...]) -> dict[str, object]:
    kind, price, day, place, area, _, house, flat = names
    rng = np.random.default_rng(5)
    return {
        kind: np.where(HOUSE, house, flat),
        price: rng.integers(10, 90, ROWS) * 1_000_000,
        day: pd.date_range("2023-01-01", periods=ROWS).strftime("%Y-%m-%d"),
        place: rng.choice(["北区", "南区", "東区"], ROWS),
        "Area": rng.choice(["Honcho", "Nakamachi"], ROWS),
        area: FIGURES,
    }


def _areas(columns: dict[str, object]) -> pd.DataFrame:
    table = parse_table(pd.DataFrame(columns).to_csv(index=False).encode(), "sales.csv")
    mapping = guess_file(table).mapping
    assert any("the lot area of houses" in one.claim for one in mapping.inferences)
    frame = apply_mapping(table, mapping_from_json(mapping_to_json(mapping))).frame
    return frame[["living_area_sqft", "lot_area_sqft"]] / SQFT_PER_SQM


@pytest.mark.parametrize("names", [JAPANESE, ENGLISH])
def test_the_area_of_a_house_is_its_lot_and_that_of_a_flat_its_floor(names: tuple[str, ...]) -> None:
    areas = _areas(_columns(names))
    assert areas["lot_area_sqft"][HOUSE].to_numpy() == pytest.approx(FIGURES[HOUSE])
    assert areas["living_area_sqft"][~HOUSE].to_numpy() == pytest.approx(FIGURES[~HOUSE])
    assert areas["living_area_sqft"][HOUSE].isna().all()
    assert areas["lot_area_sqft"][~HOUSE].isna().all()


@pytest.mark.parametrize("names", [JAPANESE, ENGLISH])
def test_the_floors_of_a_house_are_read_from_the_column_beside(names: tuple[str, ...]) -> None:
    areas = _areas(_columns(names) | {names[5]: [str(floor) if floor else "" for floor in FLOORS]})
    assert areas["living_area_sqft"].to_numpy() == pytest.approx(np.where(HOUSE, FLOORS, FIGURES))
    assert areas["lot_area_sqft"][HOUSE].to_numpy() == pytest.approx(FIGURES[HOUSE])
