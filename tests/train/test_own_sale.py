"""What a home brought before its estimate then says something about today, and only what came before is heard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.demo.city import NOISE, STRUCTURAL, MarketModel, simulate
from core.measures import mape
from core.prepare.features.own_sales import OWN_SALE, SOON_YEARS
from core.problem import Problem
from core.progress import silent
from core.states import Family
from core.train.bundle import from_bytes, seal, to_bytes
from core.train.model import SOLD_SOON, for_production, refreshed
from core.train.trainer import Trained, TrainingPlan, train

QUICK = TrainingPlan("random", 42, (Family.BLEND,), 0, 1, 2)


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    """A city in which half of the homes sell twice, and each is worth more or less than its facts say, for good."""
    city = simulate(MarketModel(parcels=3_000), 5, sales=1_500).drop(columns=[STRUCTURAL, NOISE])
    first = city.drop_duplicates("property_id").reset_index(drop=True)
    rng = np.random.default_rng(1)
    hidden, years = rng.normal(0, 0.25, len(first)), rng.uniform(0.3, 4.0, len(first))
    again = first.assign(
        sale_date=first["sale_date"] + pd.to_timedelta((365 * years).round(), unit="D"),
        sale_price=first["sale_price"] * np.exp(hidden + rng.normal(0, 0.03, len(first))),
    )
    table = pd.concat([first.assign(sale_price=first["sale_price"] * np.exp(hidden)), again], ignore_index=True)
    return table.assign(intake_row=np.arange(len(table)))


@pytest.fixture(scope="module")
def trained(sales: pd.DataFrame, problem: Problem) -> Trained:
    return train(sales, len(sales), QUICK, problem, silent)


def test_homes_sold_before_are_priced_better_with_their_own_sale(sales: pd.DataFrame, trained: Trained) -> None:
    model, test = trained.model, sales[trained.split.test]
    assert model.own_effect is not None
    sold = np.isfinite(model.fill(test)["own_sale:years"])
    price = test["sale_price"].to_numpy()
    without = replace(model, own_effect=None).estimate(test)
    assert mape(model.estimate(test)[sold], price[sold]) < 0.7 * mape(without[sold], price[sold])
    np.testing.assert_array_equal(model.estimate(test)[~sold], without[~sold])


def test_ranges_of_homes_sold_before_hold_and_are_narrower(sales: pd.DataFrame, trained: Trained) -> None:
    model, test = trained.model, sales[trained.split.test]
    priced, plain = (one.price(test, 0.8, 0.1) for one in (model, replace(model, own_effect=None)))
    sold = np.isfinite(model.fill(test)["own_sale:years"])
    price = test["sale_price"].to_numpy()
    assert ((priced.low <= price) & (price <= priced.high))[sold].mean() > 0.7
    narrower = (priced.high - priced.low) / priced.exact < (plain.high - plain.low) / plain.exact
    assert narrower[sold].mean() > 0.9
    assert (priced.segments[sold] == SOLD_SOON).any()


def test_the_less_is_known_of_a_home_the_more_its_own_earlier_sale_says(sales: pd.DataFrame, trained: Trained) -> None:
    model, test = trained.model, sales[trained.split.test].dropna(subset=["zipcode", "living_area_sqft"])
    assert model.own_effect is not None
    assert model.unknown is not None
    known = model.unknown.known
    homes = known.hide(test, np.tile([name != "zipcode" for name in known.names], (len(test), 1)))
    sold, price = np.isfinite(model.fill(homes)["own_sale:years"]), test["sale_price"].to_numpy()
    without = replace(model, own_effect=None).estimate(homes)
    # What was learned from homes of which all is known hears too little of the earlier sale.
    own = np.column_stack([model.fill(homes)[name] for name in OWN_SALE[1:]])
    as_if_complete = without * np.exp(model.own_effect.shift(own, np.log(without)))
    errors = [mape(one[sold], price[sold]) for one in (model.estimate(homes), as_if_complete, without)]
    assert errors[0] < 0.97 * errors[1]
    assert errors[0] < 0.6 * errors[2]
    priced = model.price(homes, 0.8, 0.1)
    held = (priced.low <= price) & (price <= priced.high)
    width = (priced.high - priced.low) / priced.exact
    assert np.median(width[sold]) < 0.8 * np.median(width[~sold])
    for some in (sold, ~sold):
        # Two points, and three standard errors of a share of n sales.
        assert abs(held[some].mean() - 0.8) < 0.02 + 3 * np.sqrt(0.16 / some.sum())


@pytest.mark.parametrize("known_facts", ["all", "size and zipcode"])
@pytest.mark.parametrize("factor", [0.4, 0.9, 1.1, 2.5])
def test_no_estimate_passes_the_own_sale_brought_to_the_day(
    sales: pd.DataFrame, trained: Trained, known_facts: str, factor: float
) -> None:
    model, test = trained.model, sales[trained.split.test].dropna(subset=["zipcode", "living_area_sqft"])
    assert model.own_effect is not None
    assert model.own_effect.resold_above is not None
    assert model.unknown is not None
    known = model.unknown.known
    if known_facts != "all":
        test = known.hide(test, np.tile([name != "zipcode" for name in known.names], (len(test), 1)))
    filled = model.fill(test)
    # However dear the home: what was learned of dear homes in general is no reason to pass its own price.
    filled["own_sale:moved"] = np.log(replace(model, own_effect=None).estimate(test) * factor)
    sold, soon = np.isfinite(filled["own_sale:years"]), filled["own_sale:years"] < SOON_YEARS
    apart = model.log_estimate(model.matrix(filled)) - filled["own_sale:moved"]
    later = apart[sold & ~soon]
    assert (later * np.log(factor) < 1e-9).all()
    assert (np.abs(later) < abs(np.log(factor)) + 1e-9).all()
    assert (apart[sold & soon] < max(-np.log(factor), 0) + 0.3).all()


def test_the_own_price_and_later_sales_of_a_home_are_not_heard(sales: pd.DataFrame, trained: Trained) -> None:
    model = for_production(trained.model)
    home = sales.sort_values("sale_date").drop_duplicates("property_id", keep="first").iloc[[40]]
    mine = (sales["property_id"] == home["property_id"].iloc[0]).to_numpy()
    changed = sales.assign(sale_price=sales["sale_price"].where(~mine, sales["sale_price"] * 7))
    first, second = (refreshed(model, table).estimate(home) for table in (sales, changed))
    assert first.tobytes() == second.tobytes()


def test_an_earlier_sale_that_came_in_after_training_is_heard_too(sales: pd.DataFrame, trained: Trained) -> None:
    model = for_production(trained.model)
    home = sales.iloc[[3]].assign(property_id="new here", sale_date=sales["sale_date"].max() + pd.Timedelta(days=900))
    plain = float(refreshed(model, sales).estimate(home)[0])
    heard = []
    for factor in (0.7, 1.4):
        earlier = home.assign(sale_date=home["sale_date"] - pd.Timedelta(days=700), sale_price=plain * factor)
        heard.append(float(refreshed(model, pd.concat([sales, earlier], ignore_index=True)).estimate(home)[0]))
    assert heard[0] < heard[1]


def test_too_few_homes_sold_twice_teach_nothing(sales: pd.DataFrame, problem: Problem) -> None:
    once = (
        sales.drop_duplicates("property_id")
        .head(600)
        .reset_index(drop=True)
        .assign(intake_row=lambda one: np.arange(len(one)))
    )
    model = train(once, len(once), replace(QUICK, families=(Family.TREE,)), problem, silent).model
    assert model.own_effect is None
    assert model.own_sales is not None


def test_older_sales_outside_the_training_window_are_still_heard(sales: pd.DataFrame, problem: Problem) -> None:
    model = train(sales, len(sales), replace(QUICK, families=(Family.TREE,), window_months=70), problem, silent).model
    assert model.own_sales is not None
    assert len(model.own_sales.days) > model.profile.sales


def test_the_own_sale_survives_storage(sales: pd.DataFrame, trained: Trained) -> None:
    bundle = seal(trained, market_id="m", currency="USD", version_id="v", held={}, metrics={})
    again = from_bytes(to_bytes(bundle))
    assert again.model.estimate(sales).tobytes() == bundle.model.estimate(sales).tobytes()
