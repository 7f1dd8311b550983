"""An estimate names what the home's own earlier sale adds, and homes are priced wherever a wider area is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from core.demo.city import NOISE, STRUCTURAL, MarketModel, simulate
from core.evaluate.accuracy import held_by_group, measure
from core.prepare.features.own_sales import IDENTITY
from core.problem import Problem
from core.progress import silent
from core.serve.agent.sale_sum import AROUND, market_since, parts_of
from core.serve.driver_words import sentences
from core.serve.drivers import OWN_SALE_DAY, OWN_SALE_PRICE
from core.serve.estimate import Estimate, LiveMarket, estimate
from core.serve.estimate_many import estimate_many
from core.serve.fact_groups import FactGroup
from core.serve.report.waterfall import difference
from core.serve.review.flag import FlagKind
from core.serve.review.unavailable import Unavailable
from core.states import Family
from core.train.bundle import Bundle, seal
from core.train.live_model import bring_up_to_date
from core.train.trainer import Trained, TrainingPlan, train
from core.wording import market_day, money


@dataclass(frozen=True)
class Dollars:
    currency: str = "USD"
    area_unit: str = "sqft"


UNSOLD = "07"  # in zip codes ending in these digits nothing was sold
QUICK = TrainingPlan("random", 42, (Family.BLEND,), 0, 1, 2)


def sold_twice() -> pd.DataFrame:
    """A city without coordinates in which each home sells twice and keeps what its facts do not say."""
    city = simulate(MarketModel(parcels=2_500), 5, sales=1_200).drop(columns=[STRUCTURAL, NOISE])
    first = city.drop_duplicates("property_id").reset_index(drop=True).drop(columns=["latitude", "longitude"])
    rng = np.random.default_rng(1)
    hidden, years = rng.normal(0, 0.25, len(first)), rng.uniform(0.3, 4.0, len(first))
    again = first.assign(
        sale_date=first["sale_date"] + pd.to_timedelta((365 * years).round(), unit="D"),
        sale_price=first["sale_price"] * np.exp(hidden + rng.normal(0, 0.03, len(first))),
    )
    table = pd.concat([first.assign(sale_price=first["sale_price"] * np.exp(hidden)), again], ignore_index=True)
    table = table[~table["zipcode"].str.endswith(UNSOLD)].reset_index(drop=True)
    return table.assign(intake_row=np.arange(len(table)))


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    return sold_twice()


def sealed(trained: Trained, sales: pd.DataFrame, problem: Problem) -> Bundle:
    """Measure a trained model on its sealed test sales and return its bundle."""
    test = sales[trained.split.test]
    filled = trained.model.fill(test)
    priced = trained.model.price_filled(filled, problem.estimate.levels, problem.success.tolerance)
    price = test["sale_price"].to_numpy(dtype=float)
    measured, held = (
        measure(priced, price, problem.estimate.level, 1),
        held_by_group(trained.model, filled, priced, price),
    )
    return seal(trained, market_id="m", currency="USD", version_id="v", held=held, metrics=measured.metrics())


@pytest.fixture(scope="module")
def market(sales: pd.DataFrame, problem: Problem) -> LiveMarket:
    bundle = sealed(train(sales, len(sales), QUICK, problem, silent), sales, problem)
    return LiveMarket(bundle, bring_up_to_date(bundle.model, sales), "v", None)


def facts_of(market: LiveMarket, home: pd.Series) -> dict[str, object]:
    names = [name for name in dict.fromkeys((*market.live_model.model.facts.all, *IDENTITY)) if name in home]
    return {str(name): value for name, value in home[names].dropna().items()}


def price(market: LiveMarket, facts: dict[str, object], problem: Problem) -> Estimate:
    found = estimate(market, facts, market.live_model.level.as_of + timedelta(days=40), problem, 0.8)
    assert isinstance(found, Estimate)
    return found


def test_the_drivers_name_the_own_sale_and_still_add_up(
    market: LiveMarket, sales: pd.DataFrame, problem: Problem
) -> None:
    facts = facts_of(market, sales.iloc[-1])
    found = price(market, facts, problem)
    drivers = found.drivers
    [own] = [one for one in drivers.items if one.group is FactGroup.OWN_SALE]
    assert drivers.typical + sum(one.amount for one in drivers.items) + drivers.rounding == found.point
    stranger = price(market, {**facts, "property_id": "another", "address": "1 Nowhere St"}, problem)
    assert not any(one.group is FactGroup.OWN_SALE for one in stranger.drivers.items)
    text = " ".join(sentences(drivers, drivers.main_steps(round), Dollars()))
    if abs(own.amount) >= 0.005 * drivers.point:
        assert "Its own earlier sale on" in text
        assert f"for {money(float(sales['sale_price'].iloc[-1]), 'USD')}" in text


def test_the_own_sale_stands_in_its_own_group_with_its_day_and_price(
    market: LiveMarket, sales: pd.DataFrame, problem: Problem
) -> None:
    sold = sales.iloc[-1]
    found = price(market, facts_of(market, sold), problem)
    [own] = [one for one in found.drivers.items if one.group is FactGroup.OWN_SALE]
    assert own.group.label == "This home’s own sale"
    day, brought = own.facts
    assert (day.name, day.subject) == (OWN_SALE_DAY, sold["sale_date"].date().isoformat())
    assert brought.name == OWN_SALE_PRICE
    assert brought.subject == pytest.approx(float(sold["sale_price"]), abs=1)
    assert difference(brought, Dollars()) == f"for {money(float(sold['sale_price']), 'USD')}"


def test_what_sold_around_a_sale_since_is_neither_a_fact_nor_a_place(
    market: LiveMarket, sales: pd.DataFrame, problem: Problem
) -> None:
    own, *others = price(market, facts_of(market, sales.iloc[-1]), problem).comparables
    assert parts_of(own) == {AROUND: own.around}, "it has the same facts, at the same place"
    for one in (own, *others):
        assert sum(parts_of(one).values()) == pytest.approx(sum(one.adjustments.values()))
        assert parts_of(one)[AROUND] == one.around


def test_net_and_gross_count_the_market_alike_for_the_own_sale_and_any_other(
    market: LiveMarket, sales: pd.DataFrame, problem: Problem
) -> None:
    for one in price(market, facts_of(market, sales.iloc[-1]), problem).comparables:
        parts = parts_of(one)
        since = one.time_adjusted - one.sale_price + parts.pop(AROUND)
        assert one.gross == pytest.approx((abs(since) + sum(map(abs, parts.values()))) / one.sale_price)
        assert one.net == pytest.approx((since + sum(parts.values())) / one.sale_price)
    made = replace(one, sale_price=100_000.0, time_adjusted=178_000.0)
    assert market_since(made) == "market +78%"


def test_the_own_sale_is_a_comparable_not_adjusted_for_itself(
    market: LiveMarket, sales: pd.DataFrame, problem: Problem
) -> None:
    found = price(market, facts_of(market, sales.iloc[-1]), problem)
    own, *others = found.comparables
    assert own.own
    assert own.sale_price == pytest.approx(float(sales["sale_price"].iloc[-1]))
    assert FactGroup.OWN_SALE not in own.adjustments
    assert own.distance_km is None
    assert all(FactGroup.OWN_SALE in one.adjustments for one in others)


def test_the_own_sale_is_adjusted_only_for_the_market_and_for_facts_changed_since(
    market: LiveMarket, sales: pd.DataFrame, problem: Problem
) -> None:
    facts = facts_of(market, sales.iloc[-1])
    assert price(market, facts, problem).comparables[0].adjustments.keys() == {FactGroup.PLACE}
    # What is left blank now is assumed; that is no change of the home. Nor has it moved.
    blank = {name: value for name, value in facts.items() if name not in ("lot_area_sqft", "condition")}
    assert price(market, blank, problem).comparables[0].adjustments.keys() == {FactGroup.PLACE}
    size = float(str(facts["living_area_sqft"]))
    rounded = price(market, {**facts, "living_area_sqft": 1.004 * size}, problem)
    assert rounded.comparables[0].adjustments.keys() == {FactGroup.PLACE}, (
        "an area in whole square meters is the same area"
    )
    larger = price(market, {**facts, "living_area_sqft": 1.5 * size}, problem).comparables[0]
    assert larger.own
    assert set(larger.adjustments) == {FactGroup.SIZE, FactGroup.PLACE}
    assert larger.adjustments[FactGroup.PLACE] == larger.around, "it did not move"
    assert larger.adjusted == pytest.approx(larger.time_adjusted + sum(larger.adjustments.values()))
    assert larger.adjustments[FactGroup.SIZE] > 0


def test_many_homes_get_the_answer_of_one(market: LiveMarket, sales: pd.DataFrame, problem: Problem) -> None:
    used = {*market.live_model.model.facts.all, *IDENTITY}
    homes = sales.iloc[[5, 700, -1]][[name for name in sales if name in used]]
    as_of = market.live_model.level.as_of
    answers = estimate_many(market, homes, as_of, problem, 0.8)
    assert len(answers.rows) == len(homes)
    for number, (_, home) in enumerate(homes.iterrows()):
        alone = estimate(market, facts_of(market, home), as_of, problem, 0.8)
        assert isinstance(alone, Estimate)
        assert answers.priced.exact[number] == pytest.approx(alone.exact, rel=1e-9)
        flagged = {flag.kind for flag in alone.flags if flag.field != "comparables"}
        assert {flag.kind for flag in answers.flags[number]} == flagged


def test_a_home_is_refused_only_where_no_wider_area_is_known(
    market: LiveMarket, sales: pd.DataFrame, problem: Problem
) -> None:
    facts = facts_of(market, sales.iloc[3])
    facts = {name: value for name, value in facts.items() if name not in ("neighbourhood", *IDENTITY)}
    known = str(sales["zipcode"].iloc[3])
    as_of = market.live_model.level.as_of
    near = f"{known[:3]}{UNSOLD}"
    assert near not in set(sales["zipcode"])
    assert isinstance(estimate(market, {**facts, "zipcode": near}, as_of, problem, 0.8), Estimate)
    far = estimate(market, {**facts, "zipcode": "00000"}, as_of, problem, 0.8)
    assert isinstance(far, Unavailable)
    assert "00000" in far.reason


def test_a_market_can_do_without_the_effect(market: LiveMarket, sales: pd.DataFrame, problem: Problem) -> None:
    model = replace(market.live_model.model, own_effect=None)
    plain = replace(market, live_model=replace(market.live_model, model=model))
    found = price(plain, facts_of(market, sales.iloc[-1]), problem)
    assert found.comparables[0].own
    assert not any(one.group is FactGroup.OWN_SALE for one in found.drivers.items)


def test_a_home_sold_yesterday_has_that_sale_as_its_own(
    market: LiveMarket, sales: pd.DataFrame, problem: Problem
) -> None:
    last = sales.iloc[int(sales["sale_date"].to_numpy().argmax())]
    found = estimate(market, facts_of(market, last), last["sale_date"].date() + timedelta(days=1), problem, 0.8)
    assert isinstance(found, Estimate)
    assert found.comparables[0].own
    assert found.comparables[0].sale_price == last["sale_price"]
    [flag] = [flag for flag in found.flags if flag.kind is FlagKind.SOLD_SOON]
    assert flag.value == f"{money(float(last['sale_price']), 'USD')} on {market_day(last['sale_date'].date(), 'USD')}"
