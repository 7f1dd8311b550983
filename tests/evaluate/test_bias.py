"""Bias: a lag behind the market and a lean with a neighbourhood column are found where there is one, and only there."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from core.evaluate.area_trend import area_trends
from core.evaluate.bias import area_bias, fairness, trend_bias
from core.evaluate.scored_sales import ScoredSales
from core.problem import Problem
from tests.evaluate import recompute
from tests.evaluate.scored_sales import scored_sales


def lagging(scored: ScoredSales, share: float) -> ScoredSales:
    """The same sales priced by a model that missed a share of a year of each area's trend."""
    table = scored.table
    return ScoredSales(scored.terms, table.assign(estimate=table["estimate"] * (1 - share * table["trend"])))


def test_lag_behind_the_trend_is_found_with_its_size(problem: Problem) -> None:
    found = trend_bias(lagging(scored_sales(4_000), 1.0), problem)
    assert found is not None
    assert found.slope.low < -1.0 < found.slope.high < 0
    assert found.correlation.high < 0
    assert "rising areas are under-predicted" in found.finding


def test_no_lag_is_claimed_where_there_is_none(problem: Problem) -> None:
    found = trend_bias(scored_sales(4_000), problem)
    assert found is not None
    assert found.slope.low < 0 < found.slope.high
    assert found.finding.startswith("No lag")
    ahead = trend_bias(lagging(scored_sales(4_000), -1.0), problem)
    assert ahead is not None
    assert "overshoots" in ahead.finding


def test_slope_is_the_weighted_regression_of_areas(problem: Problem) -> None:
    scored = lagging(scored_sales(800), 0.5)
    areas, found = area_bias(scored, problem), trend_bias(scored, problem)
    assert found is not None
    slope = np.polyfit(areas["trend"], areas["mean_error"], 1, w=np.sqrt(areas["n"]))[0]
    assert found.slope.value == pytest.approx(slope, abs=1e-9)
    rank = areas["trend"].corr(areas["mean_error"], method="spearman")
    assert found.correlation.value == pytest.approx(rank, abs=1e-9)


def test_lean_with_a_neighbourhood_column_is_found(problem: Problem) -> None:
    scored = scored_sales(3_000)
    table = scored.table
    richer = table["x_median_income"] / table["x_median_income"].mean() - 1
    leaning = ScoredSales(scored.terms, table.assign(estimate=table["estimate"] * (1 - 0.2 * richer)))
    found = {one.column: one for one in fairness(leaning)}
    assert set(found) == {"school_rating", "x_median_income"}, "facts of homes are no neighbourhood columns"
    income = found["x_median_income"]
    assert income.found
    assert income.correlation.high < 0
    assert income.areas == 40
    signed = leaning.priced["estimate"] / leaning.priced["sale_price"] - 1
    rank = signed.corr(leaning.priced["x_median_income"], method="spearman")
    assert income.correlation.value == pytest.approx(rank, abs=1e-9)
    assert not any(one.found for one in fairness(scored))


def test_market_without_areas_has_no_area_figures(problem: Problem) -> None:
    scored = scored_sales(100)
    nowhere = ScoredSales(scored.terms, scored.table.assign(zipcode=pd.Series([np.nan] * 100, dtype="str")))
    assert nowhere.area is None
    assert area_bias(nowhere, problem).empty
    assert list(area_bias(nowhere, problem)) == list(area_bias(scored, problem))
    assert trend_bias(nowhere, problem) is None
    assert fairness(nowhere) == ()


def test_area_trends_are_lines_through_unit_prices() -> None:
    rng = np.random.default_rng(3)
    sales = pd.DataFrame(
        {
            "sale_date": pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 1_000, 900), unit="D"),
            "zipcode": pd.Series(rng.choice(["up", "down", "few"], 900, p=[0.5, 0.48, 0.02]), dtype="str"),
            "living_area_sqft": np.where(rng.random(900) < 0.05, np.nan, rng.uniform(800, 3_000, 900)),
        }
    )
    years = (sales["sale_date"] - pd.Timestamp("2022-01-01")).dt.days / 365.25
    growth = sales["zipcode"].map({"up": np.log(1.1), "down": np.log(0.95), "few": 0.0})
    sales["sale_price"] = (
        300 * sales["living_area_sqft"].fillna(1_500) * np.exp(growth * years + rng.normal(0, 0.1, 900))
    )
    found = area_trends(sales, "zipcode", date(2024, 7, 1), 30).set_index("area")
    assert set(found.index) == {"up", "down"}
    for area, truth in (("up", 0.10), ("down", -0.05)):
        expected = recompute.trend(sales[sales["zipcode"] == area], pd.Timestamp("2024-07-01"))
        assert found.loc[area, "trend"] == pytest.approx(expected, abs=1e-9)
        assert found["low"][area] < truth < found["high"][area]
