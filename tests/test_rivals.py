"""The learners Doorstep is held beside get its level each month, and never a price before its day."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.arrays import Floats
from core.prepare.features.facts import FactColumns, find_facts
from tests.benchmarks.rivals.learners import Predict, learners
from tests.benchmarks.rivals.markets import leveled_estimates

SALES = 400


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    """Two years of sales whose prices rise by a tenth in the last two months."""
    rng = np.random.default_rng(5)
    area, code = rng.uniform(800, 3_000, SALES), rng.choice(["98103", "98115"], SALES)
    day = pd.Timestamp("2023-01-01") + pd.to_timedelta(np.arange(SALES) * 730 / SALES, unit="D")
    risen = np.where(day >= pd.Timestamp("2024-11-01"), 0.1, 0.0)
    log_price = np.log(300 * area) + np.where(code == "98103", 0.2, 0.0) + risen + rng.normal(0, 0.03, SALES)
    return pd.DataFrame(
        {"sale_date": day, "sale_price": np.exp(log_price), "living_area_sqft": area, "zipcode": code}
    ).astype({"zipcode": "str"})


def size_alone(sales: pd.DataFrame, facts: FactColumns) -> Predict:
    """Learn the price of a square foot."""
    level = float((np.log(sales["sale_price"]) - np.log(sales["living_area_sqft"])).median())
    return lambda homes: np.asarray(np.log(homes["living_area_sqft"]) + level, dtype=float)


def split(sales: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    later = sales["sale_date"] >= "2024-10-01"
    return sales[~later], sales[later]


def errors(log_points: Floats, test: pd.DataFrame) -> pd.Series:
    return pd.Series(np.log(test["sale_price"]) - log_points).groupby(test["sale_date"].dt.month).median()


def test_the_level_of_a_month_comes_from_the_sales_before_it(sales: pd.DataFrame) -> None:
    known, test = split(sales)
    log_points = leveled_estimates(size_alone, known, test)
    plain = size_alone(known, find_facts(known))(test)
    assert abs(errors(log_points, test)[12]) < abs(errors(plain, test)[12])
    dearer = test.assign(sale_price=test["sale_price"].where(test["sale_date"] < "2024-12-01", 3 * test["sale_price"]))
    np.testing.assert_array_equal(log_points, leveled_estimates(size_alone, known, dearer))


@pytest.mark.parametrize("name", [name for name in learners() if name != "CatBoost"])
def test_each_learner_finds_size_and_place_and_meets_an_area_it_does_not_know(sales: pd.DataFrame, name: str) -> None:
    known, test = split(sales)
    test = test.assign(zipcode=["99999", *test["zipcode"].iloc[1:]])
    log_points = learners()[name](known, find_facts(known))(test)
    assert np.isfinite(log_points).all()
    assert float(np.median(np.abs(np.log(test["sale_price"]) - log_points)[1:])) < 0.2
