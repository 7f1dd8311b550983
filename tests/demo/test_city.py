from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import cast

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from core.demo.city import END, NOISE, START, STRUCTURAL, MarketModel, decimal_years, simulate
from core.demo.files import demo_model
from core.demo.homes import CITY, city_homes, city_zipcodes
from core.demo.offices import OFFICES
from core.measures import mape
from core.problem import Problem
from core.schema import conform

SEED = 2019
NUMBERS = [
    "latitude",
    "longitude",
    "units",
    "living_area_sqft",
    "lot_area_sqft",
    "bedrooms",
    "bathrooms",
    "floors",
    "year_built",
    "year_renovated",
    "condition",
    "view",
    "waterfront",
    "garage_spaces",
    "assessed_value",
    "prior_assessed_value",
    "school_rating",
    "crime_index",
    "walk_score",
    "month",
]


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return simulate(MarketModel(), SEED)


@pytest.fixture(scope="module")
def market_sales() -> pd.DataFrame:
    sales = simulate(replace(MarketModel(), parcels=12_000), SEED, sales=12_000)
    sales = sales[sales["validity"] == "standard"].reset_index(drop=True)
    date_of = sales["sale_date"].dt
    return sales.assign(month=((date_of.year - 2019) * 12 + date_of.month).astype(float))


def test_the_truth_is_a_canonical_table_within_the_limits(truth: pd.DataFrame, problem: Problem) -> None:
    assert len(conform(truth)) == len(truth) == 50_000
    for name, limit in problem.limits.items():
        if name in truth.columns:
            assert truth[name].dropna().between(limit.low, limit.high).all(), name
    # The one field a real home may lack: a flat has no lot of its own, most homes were never renovated.
    complete = truth.drop(columns=["lot_area_sqft", "year_renovated", "assessed_value", "prior_assessed_value"])
    assert complete.notna().all().all()
    houses = truth[truth["property_type"].isin(["single_family", "townhouse", "manufactured"])]
    assert houses["lot_area_sqft"].notna().all()


def test_every_sale_has_an_office_and_a_first_price_and_nothing_else_follows_them(
    truth: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert truth["listing_office"].value_counts(normalize=True)[list(OFFICES)].between(0.22, 0.28).all()
    cut = truth["list_price"] < truth["first_list_price"]
    assert (truth["list_price"] <= truth["first_list_price"]).all()
    assert 0.1 < cut.mean() < 0.3
    waited = truth["sale_date"] - truth["list_date"]
    assert waited[cut].mean() > 1.2 * waited[~cut].mean()
    made = simulate(demo_model(1_000), SEED, sales=1_000)
    monkeypatch.setattr("core.demo.city.listed_by", lambda *_: (np.full(1_000, "One"), np.full(1_000, 0.5)))
    others = simulate(demo_model(1_000), SEED, sales=1_000)
    assert set(others["listing_office"]) == {"One"}
    drawn = ["listing_office", "first_list_price"]
    pd.testing.assert_frame_equal(others.drop(columns=drawn), made.drop(columns=drawn))


def test_prices_and_homes_look_like_the_market_of_the_problem_statement(truth: pd.DataFrame) -> None:
    price = truth["sale_price"]
    assert 365_000 <= price.median() <= 395_000
    assert 0.92 <= price.between(100_000, 800_000).mean() <= 0.97
    assert 150 <= (price > 2_000_000).sum() <= 260
    assert truth["property_id"].nunique() == pytest.approx(38_000, abs=500)
    shares = truth["property_type"].value_counts(normalize=True)
    assert set(shares.index) >= {"single_family", "townhouse", "condo", "apartment", "multi_family", "manufactured"}
    assert 0.5 < shares["single_family"] < 0.75
    assert 0.001 < shares["houseboat"] < 0.004
    assert 0.004 < shares["historic"] < 0.02
    assert 0.005 < truth["zoning"].isin(["Commercial", "Mixed Use"]).mean() < 0.02
    assert truth["zipcode"].value_counts().between(200, 1_200).all()


def test_dates_make_sense(truth: pd.DataFrame) -> None:
    sold = truth["sale_date"]
    assert sold.is_monotonic_increasing
    assert sold.min() >= pd.Timestamp(START)
    assert sold.max() <= pd.Timestamp(END)
    waited = (sold - truth["list_date"]).dt.days
    assert waited.between(20, 400).all()
    assert (truth["year_built"] <= sold.dt.year).all()
    assert (truth["year_renovated"].dropna() <= sold.dt.year[truth["year_renovated"].notna()]).all()
    by_month = sold.dt.month.value_counts()
    assert by_month[[5, 6, 7]].sum() > 1.1 * by_month[[11, 12, 1]].sum()
    assert sold.dt.to_period("M").value_counts().min() > 300


def test_resales_of_a_home_lie_months_apart_and_are_one_home(truth: pd.DataFrame) -> None:
    again = truth[truth["property_id"].duplicated(keep=False)].sort_values(["property_id", "sale_date"])
    gap = again.groupby("property_id")["sale_date"].diff().dropna().dt.days
    assert len(gap) > 10_000
    assert gap.min() > 25
    assert (gap > 150).mean() > 0.97
    assert (again.groupby("property_id")["address"].nunique() == 1).all()


def test_the_market_runs_up_dips_and_recovers(truth: pd.DataFrame) -> None:
    level = np.log(truth["sale_price"]).groupby(truth["sale_date"].dt.to_period("Q")).median()
    assert level["2022Q2"] - level["2020Q1"] > 0.25
    assert level["2022Q2"] - level["2023Q2"] > 0.06
    assert level["2024Q4"] > level["2023Q2"]


def test_addresses_are_one_per_home_and_nobodys() -> None:
    homes = city_homes(SEED, 50_000)
    key = ["house_number", "direction", "street", "suffix", "unit"]
    assert not homes.duplicated(key).any()
    # A street lies in one zipcode only, so an address without its zipcode is still one place.
    assert (homes.groupby(["street", "suffix"])["zipcode"].nunique() == 1).all()
    assert "simulated" in CITY
    assert homes["zipcode"].str.fullmatch("869[0-9]{2}").all()
    # Far out in the Pacific: no coordinate of the city can be a real home.
    assert homes["latitude"].between(41, 42).all()
    assert homes["longitude"].between(-138.5, -137.5).all()


def test_assessments_know_nothing_of_the_sale(truth: pd.DataFrame) -> None:
    sales = truth[truth["assessed_value"].notna()]
    noise = sales[NOISE].to_numpy()
    for roll in ("assessed_value", "prior_assessed_value"):
        held = sales[roll].notna().to_numpy()
        residual = np.log(sales[roll].to_numpy()[held]) - sales[STRUCTURAL].to_numpy()[held]
        assert abs(np.corrcoef(noise[held], residual)[0, 1]) < 0.02
    known = np.corrcoef(np.log(sales["assessed_value"]), sales[STRUCTURAL])[0, 1]
    assert 0.8 < known < 0.98


def test_noise_has_a_heavy_tail_and_is_worse_for_luxury_and_historic_homes(truth: pd.DataFrame) -> None:
    noise = truth[NOISE].abs()
    usual = noise[(truth[STRUCTURAL] < np.log(800_000)) & (truth["property_type"] == "single_family")]
    assert noise[truth[STRUCTURAL] > np.log(1_500_000)].mean() > 1.5 * usual.mean()
    assert noise[truth["property_type"] == "historic"].mean() > 1.5 * usual.mean()
    # The stubs call it any scalar; of a column of floats it is a float.
    assert cast(float, truth[NOISE].kurtosis()) > 3
    assert abs(truth[NOISE].mean()) < 0.003


def test_a_good_model_reaches_the_target_and_a_linear_one_does_not(market_sales: pd.DataFrame) -> None:
    rest, test = train_test_split(np.arange(len(market_sales)), test_size=0.2, random_state=42)
    train, _ = train_test_split(rest, test_size=0.25, random_state=42)
    log_price = np.log(market_sales["sale_price"].to_numpy())
    price = market_sales["sale_price"].to_numpy()[test]

    facts = market_sales[NUMBERS].copy()
    for name in ("zipcode", "property_type", "zoning"):
        facts[name] = market_sales[name].astype("category").cat.codes
    boosted = HistGradientBoostingRegressor(
        max_iter=300, learning_rate=0.07, min_samples_leaf=20, early_stopping=False, random_state=0
    ).fit(facts.iloc[train], log_price[train])
    assert 0.07 <= mape(np.exp(boosted.predict(facts.iloc[test])), price) <= 0.09

    linear = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["zipcode", "property_type"]),
            (make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
        ),
        Ridge(1.0),
    ).fit(market_sales.iloc[train], log_price[train])
    assert 0.11 <= mape(np.exp(linear.predict(market_sales.iloc[test])), price) <= 0.135


def test_another_market_continues_the_same_city() -> None:
    small = replace(MarketModel(), parcels=6_000)
    falling = replace(small, trend=(*small.trend, (2026.0, 0.12)), size=0.7)
    before = simulate(small, SEED, sales=4_000).drop_duplicates("property_id").set_index("property_id")
    flat = simulate(small, SEED, date(2025, 1, 1), date(2025, 12, 31), 1_500)
    after = simulate(falling, SEED, date(2025, 1, 1), date(2025, 12, 31), 1_500)
    assert after["sale_date"].dt.year.eq(2025).all()
    assert set(after["sale_id"]).isdisjoint(before["sale_id"])
    both = after[after["property_id"].isin(before.index)]
    facts = ["address", "living_area_sqft", "year_built", "latitude", "assessed_value"]
    same = before.loc[both["property_id"], facts].reset_index(drop=True)
    pd.testing.assert_frame_equal(same.drop(columns="assessed_value"), both[facts[:-1]].reset_index(drop=True))
    pd.testing.assert_frame_equal(after[["property_id", "sale_date"]], flat[["property_id", "sale_date"]])
    late = after["sale_date"].dt.month >= 10
    fall = (after[STRUCTURAL] - flat[STRUCTURAL])[late].median()
    assert -0.25 < fall < -0.10


def test_the_same_seed_gives_the_same_market_and_another_a_different_one() -> None:
    small = replace(MarketModel(), parcels=2_000)
    first, again, other = (simulate(small, seed, sales=1_500) for seed in (5, 5, 6))
    pd.testing.assert_frame_equal(first, again)
    assert not first["sale_price"].equals(other["sale_price"])
    pd.testing.assert_frame_equal(city_zipcodes(5), city_zipcodes(5))


def test_impossible_periods_and_counts_are_refused() -> None:
    small = replace(MarketModel(), parcels=100)
    with pytest.raises(ValueError, match="swap the dates"):
        simulate(small, SEED, date(2024, 1, 2), date(2024, 1, 1), 10)
    with pytest.raises(ValueError, match="parcels = 100"):
        simulate(small, SEED, sales=101)
    with pytest.raises(ValueError, match="ask for fewer"):
        simulate(small, SEED, date(1900, 1, 1), date(1900, 12, 31), 90)


def test_decimal_years_count_from_new_year() -> None:
    days = np.array(["2020-01-01", "2021-07-02"], dtype="datetime64[D]")
    assert decimal_years(days) == pytest.approx([2020.0, 2021.5], abs=0.003)
