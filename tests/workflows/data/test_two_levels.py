"""Prices at two levels are asked about, and those of true markets are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.collect.columns.guess import guess_file
from core.collect.mapping import MappedTable, apply_mapping
from core.collect.reading.reader import read_table
from core.demo.city import NOISE, STRUCTURAL, MarketModel, simulate
from core.schema import Source
from core.workflows.doubts.two_levels import two_levels


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    table = simulate(MarketModel(parcels=2_000), 11, sales=2_000).drop(columns=[STRUCTURAL, NOISE])
    return table.reset_index(drop=True)


def mapped(sales: pd.DataFrame) -> MappedTable:
    columns = {str(name): str(name) for name in sales}
    return MappedTable("sales.csv", Source.SALES, "0", sales, pd.DataFrame(), (), len(sales), columns=columns)


def higher(sales: pd.DataFrame, share: float, times: float) -> pd.DataFrame:
    some = np.random.default_rng(1).random(len(sales)) < share
    return sales.assign(sale_price=sales["sale_price"].where(~some, sales["sale_price"] * times))


@pytest.mark.parametrize(("share", "times"), [(0.3, 1.9), (0.1, 1.9), (0.5, 1.9), (0.3, 0.53), (0.3, 1.5), (0.2, 4.0)])
def test_a_part_of_the_prices_at_another_level_is_asked_about(sales: pd.DataFrame, share: float, times: float) -> None:
    [doubt] = two_levels(mapped(higher(sales, share, times)))
    assert (doubt.field, doubt.sure, doubt.grave) == ("sale_price", False, True)
    factor = float(doubt.claim.split("roughly ")[1].split(" times")[0])
    assert factor == pytest.approx(max(times, 1 / times), rel=0.15)
    said = float(doubt.claim.split("about ")[1].split("%")[0]) / 100
    assert said == pytest.approx(share if times > 1 else 1 - share, abs=0.06)


def test_true_prices_and_few_are_not(sales: pd.DataFrame) -> None:
    assert not [*two_levels(mapped(sales))]
    assert not [*two_levels(mapped(sales.head(600)))]
    assert not [*two_levels(mapped(higher(sales, 0.3, 1.9).head(300)))]
    assert not [*two_levels(mapped(sales.drop(columns="living_area_sqft")))]


@pytest.mark.parametrize(
    "file",
    [
        "king_county/kc_house_data_2014_2015.csv",
        "king_county/kc_house_data_dirty.csv",
        "king_county/house_sales_2006_2015.tsv.gz",
        "melbourne/melbourne_housing_full.csv.gz",
        "singapore/hdb_resale_2017_2023.csv.gz",
    ],
)
def test_the_prices_of_a_real_market_are_not(sales_data: Path, file: str) -> None:
    table = read_table(sales_data / file)
    assert not [*two_levels(apply_mapping(table, guess_file(table).mapping))]
