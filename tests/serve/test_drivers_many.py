"""The drivers of many homes at once are those each has alone, whatever is known of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from core.problem import Problem
from core.serve.drivers import drivers_of
from core.serve.estimate import Estimate, estimate
from core.serve.typical_home import typical_home
from core.workflows.pricing.desk import Desk


def test_each_home_has_the_drivers_of_its_own_estimate(small_desk: Desk, problem: Problem) -> None:
    evidence = small_desk.live_market
    assert evidence is not None
    model, today = evidence.live_model.model, evidence.live_model.level.as_of
    one, other = list(model.profile.area_codes["zipcode"])[:2]
    home: dict[str, object] = dict(typical_home(model, {"zipcode": one}).facts)
    elsewhere: dict[str, object] = dict(typical_home(model, {"zipcode": other}).facts)
    homes: list[dict[str, object]] = [
        home,
        home | {"living_area_sqft": 3_600.0, "year_built": 1931.0, "year_renovated": 2015.0},
        {name: value for name, value in home.items() if name not in {"lot_area_sqft", "property_type"}},
        {name: value for name, value in home.items() if name not in {"zipcode", "bathrooms"}},
        elsewhere | {"condition": 1.0, "property_type": "houseboat"},
        {"zipcode": other, "living_area_sqft": 1_200.0},
    ]
    days = [today - timedelta(days=30 * number) for number in range(len(homes))]
    answers = [estimate(evidence, facts, day, problem, 0.5) for facts, day in zip(homes, days, strict=True)]
    priced = [answer for answer in answers if isinstance(answer, Estimate)]
    assert len(priced) > 3
    assert len({len(answer.drivers.items) for answer in priced}) > 2
    told = drivers_of(evidence.live_model, [answer.placed for answer in priced], problem, 0.5)
    assert told == [answer.drivers for answer in priced]
    assert drivers_of(evidence.live_model, [], problem, 0.5) == []


def test_a_typical_home_has_no_half_of_what_is_counted(small_desk: Desk) -> None:
    assert small_desk.bundle is not None
    model = small_desk.bundle.model
    numeric = tuple(replace(one, median=2.5) if one.name == "bedrooms" else one for one in model.profile.numeric)
    counted = replace(model, profile=replace(model.profile, numeric=numeric))
    assert typical_home(counted, {}).facts["bedrooms"] == 2.0
