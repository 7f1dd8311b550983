from __future__ import annotations

import numpy as np
import pytest

from core.demo.city import MarketModel
from core.demo.files import demo_model, later_files
from core.demo.homes import city_homes
from core.demo.market_turn import END, LISTED_FROM, Listings, listings, sold, turned, value_on

SEED = 2019
MODEL = demo_model(4_000)


@pytest.fixture(scope="module")
def listed() -> Listings:
    return listings(MODEL, SEED, 400)


def test_before_the_turn_the_market_is_as_it_was() -> None:
    model = MarketModel()
    assert (turned(model, 2024.9).size, turned(model, 2024.9).prestige) == (model.size, model.prestige)
    assert turned(model, 2025.4).size < turned(model, 2025.15).size < model.size
    assert turned(model, 2025.4).prestige < turned(model, 2025.15).prestige < model.prestige


def test_the_turn_costs_large_homes_more_than_small_ones() -> None:
    homes = city_homes(SEED, 2_000)
    before, after = (value_on(MODEL, SEED, homes, np.full(len(homes), year)) for year in (2024.98, 2025.48))
    fall = before - after
    size = homes["living_area_sqft"].to_numpy()
    assert fall[size > np.quantile(size, 0.8)].mean() > fall[size < np.quantile(size, 0.2)].mean() + 0.05


def test_listings_are_the_same_for_a_seed_and_lie_in_the_story(listed: Listings) -> None:
    again = listings(MODEL, SEED, 400)
    assert again.facts.equals(listed.facts)
    dates = listed.facts["list_date"].dt.date
    assert LISTED_FROM <= dates.min() <= dates.max() <= END


def test_a_home_asked_over_its_value_waits_longer_and_is_cut(listed: Listings) -> None:
    value = np.exp(listed.value)
    fair, dear = (sold(listed, factor * value, MODEL, SEED) for factor in (1.0, 1.15))
    day = listed.facts["list_date"]
    waits = [(one["sale_date"] - day).dt.days.to_numpy() for one in (fair, dear)]
    assert (waits[1] >= waits[0]).all()
    assert waits[1].mean() > 1.2 * waits[0].mean()
    assert (dear["list_price"] < dear["first_list_price"]).mean() > 0.95
    assert dear["first_list_price"].to_numpy() == pytest.approx(1.15 * value, abs=500.0)


def test_what_buyers_pay_does_not_follow_the_asking_price(listed: Listings) -> None:
    value = np.exp(listed.value)
    day = listed.facts["list_date"]
    low, high = (sold(listed, factor * value, MODEL, SEED) for factor in (0.9990, 0.9999))
    same = ((low["sale_date"] - day).dt.days == (high["sale_date"] - day).dt.days).to_numpy()
    assert same.any()
    assert (low["sale_price"][same] == high["sale_price"][same]).all()


def test_later_files_have_one_line_a_sale_and_the_parcels_sold(listed: Listings) -> None:
    closed = sold(listed, np.exp(listed.value), MODEL, SEED)
    truth = listed.facts.join(closed).iloc[:50].reset_index(drop=True)
    truth["sale_id"] = [f"T{number}" for number in range(50)]
    truth["listing_office"] = "Harbour"
    files = later_files(SEED, truth, listed.homes.iloc[:50].reset_index(drop=True), "2025-02")
    assert "simulated" in files.names[0]
    assert files.sales.count(b"\n") == 51
    assert files.tax.count(b"\n") == 1 + truth["property_id"].nunique()
