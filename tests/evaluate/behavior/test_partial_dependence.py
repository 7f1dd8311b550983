"""The partial effect is what the model itself says of the same homes with one fact changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.evaluate.behavior.partial_dependence import changeable, partial_effect, usual_values
from core.store import open_store
from core.train.model import Model
from core.workflows.pricing.desk import Desk


@pytest.fixture(scope="module")
def case(small_desk: Desk, small_home: object) -> tuple[Model, pd.DataFrame]:
    assert small_desk.bundle is not None
    with open_store(small_home) as store:  # type: ignore[arg-type]
        version = store.versions.latest(small_desk.market.market_id)
        assert version is not None
        return small_desk.bundle.model, store.versions.load(version.version_id).tail(40)


def test_effect_equals_pricing_each_home_at_each_value(case: tuple[Model, pd.DataFrame]) -> None:
    model, homes = case
    values = (1_000.0, 1_500.0, 2_500.0)
    found = partial_effect(model, homes, "living_area_sqft", values, seed=1)
    prices = np.array([model.estimate(homes.assign(living_area_sqft=value)) for value in values])
    effect = prices / prices[1] - 1
    assert found.reference == 1_500.0
    assert found.homes == 40
    assert found.mean == pytest.approx(effect.mean(axis=1), abs=1e-9)
    assert found.low == pytest.approx(np.percentile(effect, 10, axis=1), abs=1e-9)
    assert found.mean[0] < 0 == found.mean[1] < found.mean[2]


def test_effect_of_a_category_is_against_the_most_frequent(case: tuple[Model, pd.DataFrame]) -> None:
    model, homes = case
    name = model.facts.categorical[0]
    values = usual_values(model, name, 3)
    found = partial_effect(model, homes, name, values, seed=1)
    assert found.reference == values[0]
    assert (found.mean[0], found.low[0], found.high[0]) == (0, 0, 0)
    assert len(found.mean) == len(values)


def test_usual_values_are_those_of_the_market(case: tuple[Model, pd.DataFrame]) -> None:
    model, _ = case
    for fact in changeable(model.facts):
        values = usual_values(model, fact, 5)
        assert 1 <= len(values) <= 5, fact
        assert len(set(values)) == len(values), fact
    assert usual_values(model, "no such fact", 5) == ()


def test_place_and_unknown_facts_are_refused(case: tuple[Model, pd.DataFrame]) -> None:
    model, homes = case
    with pytest.raises(ValueError, match="zipcode"):
        partial_effect(model, homes, "zipcode", ["98001"], seed=1)
    with pytest.raises(ValueError, match="needs values and homes"):
        partial_effect(model, homes.head(0), "living_area_sqft", [1.0], seed=1)
