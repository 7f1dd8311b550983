"""A fact of a market's own with the price in it, hidden behind other facts, is found and stops the training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from core.demo.city import NOISE, STRUCTURAL, MarketModel, simulate
from core.errors import PriceGivenAway
from core.prepare.features.facts import find_facts
from core.workflows.doubts.price_explained import explained_by
from core.workflows.doubts.price_tellers import refuse_price_tellers


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    table = simulate(MarketModel(parcels=2_200), 11, sales=2_200).drop(columns=[STRUCTURAL, NOISE])
    return table.reset_index(drop=True)


def noisy_bands(sales: pd.DataFrame) -> pd.Series:
    rng = np.random.default_rng(0)
    bands = pd.qcut(sales["sale_price"], 20, labels=[*"ABCDEFGHIJKLMNOPQRST"]).astype(str).to_numpy(dtype=object)
    wrong = rng.uniform(size=len(sales)) < 0.03
    bands[wrong] = rng.choice([*"ABCDEFGHIJKLMNOPQRST"], size=int(wrong.sum()))
    return pd.Series(bands, index=sales.index)


HIDDEN: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "less what the lot costs": lambda all_: all_["sale_price"] - 12 * all_["lot_area_sqft"].fillna(0),
    "of the area's median": lambda all_: all_["sale_price"] / all_.groupby("zipcode")["sale_price"].transform("median"),
    "less the area's mean": lambda all_: all_["sale_price"] - all_.groupby("zipcode")["sale_price"].transform("mean"),
    "bands with slips": noisy_bands,
}


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_a_price_behind_other_facts_is_found(sales: pd.DataFrame, hidden: Callable[[pd.DataFrame], pd.Series]) -> None:
    leaking = sales.assign(x_figure=hidden(sales))
    facts = find_facts(leaking)
    assert [one.name for one in explained_by(leaking, facts.all)] == ["x_figure"]
    with pytest.raises(PriceGivenAway, match=r"The fact 'figure' tells the price.* No model was trained"):
        refuse_price_tellers(leaking, (*facts.numeric, *facts.categorical), "USD")


def test_two_that_say_the_same_do_not_hide_one_another(sales: pd.DataFrame) -> None:
    figure = HIDDEN["less what the lot costs"](sales)
    leaking = sales.assign(x_one=figure, x_other=(figure / 1_000).round())
    assert {one.name for one in explained_by(leaking, find_facts(leaking).all)} == {"x_one", "x_other"}


def test_true_facts_however_telling_stay(sales: pd.DataFrame) -> None:
    rng = np.random.default_rng(1)
    n = len(sales)
    true = sales.assign(
        x_earlier_price=(sales["sale_price"] * rng.uniform(0.5, 0.95, n)).round(-3),
        x_rooms=np.round(sales["living_area_sqft"] / 300 + rng.normal(0, 0.5, n)),
        x_agent=rng.choice([*"abc"], n),
    )
    assert explained_by(true, find_facts(true).all) == ()
    refuse_price_tellers(true, find_facts(true).numeric, "USD")


def test_few_sales_prove_nothing(sales: pd.DataFrame) -> None:
    few = sales.head(150).assign(x_figure=HIDDEN["less what the lot costs"](sales.head(150)))
    assert explained_by(few, find_facts(few).all) == ()


def told(sales: pd.DataFrame, noise: float) -> pd.Series:
    """The rank of each price, 0 to 1, with noise."""
    rng = np.random.default_rng(4)
    return (sales["sale_price"].rank(pct=True) + rng.normal(0, noise, len(sales))).clip(0, 1)


def noisy(sales: pd.DataFrame, rate: float, noise: float) -> pd.Series:
    return (sales["sale_price"] / rate * np.random.default_rng(5).lognormal(0, noise, len(sales))).round()


IN_USUAL_FACTS: dict[str, tuple[str, Callable[[pd.DataFrame], pd.Series]]] = {
    "a lot of its size": ("lot_area_sqft", lambda all_: noisy(all_, 50, 0)),
    "a lot, smaller": ("lot_area_sqft", lambda all_: noisy(all_, 100, 0.03)),
    "a lot, larger, with noise": ("lot_area_sqft", lambda all_: noisy(all_, 12, 0.1)),
    "a living area": ("living_area_sqft", lambda all_: noisy(all_, 300, 0)),
    "a living area with noise": ("living_area_sqft", lambda all_: noisy(all_, 300, 0.04)),
    "a year": ("year_built", lambda all_: (1900 + 110 * told(all_, 0.12)).round()),
    "a count": ("bathrooms", lambda all_: (1 + 8 * told(all_, 0.02)).round()),
    "a latitude": ("latitude", lambda all_: 47 + 0.4 * told(all_, 0.02)),
    "a zip code": ("zipcode", lambda all_: (98_000 + (40 * told(all_, 0.01)).round()).astype(int).astype(str)),
}


@pytest.mark.parametrize(("field", "made"), IN_USUAL_FACTS.values(), ids=IN_USUAL_FACTS)
def test_a_price_in_a_fact_that_every_market_has_stops_the_training(
    sales: pd.DataFrame, field: str, made: Callable[[pd.DataFrame], pd.Series]
) -> None:
    leaking = sales.assign(**{field: made(sales)})
    facts = find_facts(leaking)
    with pytest.raises(PriceGivenAway, match=f"The fact '{field}' .* No model was trained") as stopped:
        refuse_price_tellers(leaking, (*facts.numeric, *facts.categorical), "USD")
    assert stopped.value.fact == field


@pytest.mark.parametrize("known", [["zipcode"], ["bedrooms", "zipcode"], ["latitude", "longitude"]])
def test_where_little_is_known_the_size_and_the_place_may_tell_much(sales: pd.DataFrame, known: list[str]) -> None:
    few = sales[["sale_price", "sale_date", "living_area_sqft", *known]]
    facts = find_facts(few)
    assert explained_by(few, facts.all) == ()
    refuse_price_tellers(few, (*facts.numeric, *facts.categorical), "USD")
