"""Figures of the homes around a home are found by how nearly its place tells them; facts of the home itself are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.prepare.features.columns import Columns
from core.prepare.features.facts import FactColumns
from core.serve.review.surroundings import figures_around
from tests.king_county import FILE

_AROUND = {"x_sqft_living15", "x_sqft_lot15"}
_OF_THE_HOME = (
    "grade",
    "condition",
    "view",
    "waterfront",
    "sqft_basement",
    "sqft_above",
    "sqft_living",
    "sqft_lot",
    "yr_built",
    "floors",
    "bedrooms",
    "bathrooms",
)


def found(sales: Columns, located: bool = True) -> frozenset[str]:
    names = tuple(name for name in sales if name.startswith("x_"))
    return figures_around(FactColumns(names, (), (), located=located, renovation=False), sales)


def test_of_king_countys_columns_only_the_means_of_the_nearest_homes_are_figures_of_the_homes_around(
    sales_data: Path,
) -> None:
    sales = pd.read_csv(sales_data / FILE)
    facts = ("sqft_living15", "sqft_lot15", *_OF_THE_HOME)
    columns: Columns = {f"x_{name}": sales[name].to_numpy(dtype=float) for name in facts}
    columns |= {"latitude": sales["lat"].to_numpy(), "longitude": sales["long"].to_numpy()}
    assert found(columns) == _AROUND
    assert found(columns, located=False) == frozenset()
    assert found({name: values for name, values in columns.items() if name != "latitude"}) == frozenset()
    # Blanks say nothing either way; of few sales nothing is said.
    columns["x_sqft_living15"] = np.where(np.arange(len(sales)) % 10 == 0, np.nan, columns["x_sqft_living15"])
    columns["latitude"] = np.where(np.arange(len(sales)) % 50 == 5, np.nan, columns["latitude"])
    assert "x_sqft_living15" in found(columns)
    assert found({name: values[:150] for name, values in columns.items()}) == frozenset()


def test_what_a_building_or_an_estate_shares_is_a_fact_of_its_homes() -> None:
    rng = np.random.default_rng(3)
    estate = rng.integers(0, 60, 4_000)
    middle = rng.uniform(0.0, 0.3, (60, 2))
    place = middle[estate] + rng.normal(0.0, 0.002, (4_000, 2))
    year = rng.integers(1900, 2020, 60).astype(float)[estate]
    around = year + rng.normal(0.0, 1.0, 4_000)
    columns: Columns = {"latitude": place[:, 0], "longitude": place[:, 1], "x_year": year, "x_around": around}
    assert found(columns) == {"x_around"}
    # A building of ten homes is one place, whose neighbors have facts of their own.
    building = np.repeat(np.arange(400), 10)
    corner = rng.uniform(0.0, 0.3, (400, 2))
    columns = {"latitude": corner[building, 0], "longitude": corner[building, 1]}
    columns["x_lease"] = rng.integers(1900, 2020, 400).astype(float)[building]
    assert found(columns) == frozenset()
