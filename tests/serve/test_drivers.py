"""Drivers: amounts that add up to the estimate, and say what the facts of a home are worth."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.problem import Problem
from core.serve.estimate import Estimate, LiveMarket, estimate
from core.serve.fact_groups import FactGroup, grouped
from core.serve.review.whereabouts import NOWHERE
from core.serve.typical_home import typical_home
from core.workflows.pricing.desk import Desk


@pytest.fixture(scope="module")
def evidence(small_desk: Desk) -> LiveMarket:
    assert small_desk.live_market is not None
    return small_desk.live_market


@pytest.fixture(scope="module")
def home(evidence: LiveMarket) -> dict[str, object]:
    code = next(iter(evidence.bundle.model.profile.area_codes["zipcode"]))
    return dict(typical_home(evidence.bundle.model, {"zipcode": code}).facts)


def price(evidence: LiveMarket, facts: dict[str, object], problem: Problem) -> Estimate:
    answer = estimate(evidence, facts, evidence.live_model.level.as_of, problem, 0.8)
    assert isinstance(answer, Estimate), answer
    return answer


@settings(max_examples=20, deadline=None)
@given(
    area=st.floats(500, 5_000),
    bedrooms=st.integers(0, 6),
    built=st.integers(1900, 2020),
    condition=st.integers(1, 5),
    dropped=st.sets(st.sampled_from(["lot_area_sqft", "bathrooms", "property_type", "latitude"])),
)
def test_drivers_add_up_exactly(
    evidence: LiveMarket,
    home: dict[str, object],
    problem: Problem,
    area: float,
    bedrooms: int,
    built: int,
    condition: int,
    dropped: set[str],
) -> None:
    facts = home | {"living_area_sqft": area, "bedrooms": bedrooms, "year_built": built, "condition": condition}
    answer = price(evidence, {name: value for name, value in facts.items() if name not in dropped}, problem)
    told = answer.drivers
    assert told.typical + sum(one.amount for one in told.items) + told.rounding == answer.point == told.point
    assert abs(told.rounding) <= abs(answer.point - answer.exact) + len(told.items) + 1
    assert [abs(one.amount) for one in told.items] == sorted((abs(one.amount) for one in told.items), reverse=True)


def test_typical_home_itself_has_no_drivers(evidence: LiveMarket, home: dict[str, object], problem: Problem) -> None:
    told = price(evidence, home, problem).drivers
    assert told.items == ()
    assert told.area.startswith("zipcode ")
    assert told.sales > 0


def test_a_fact_nobody_gave_is_no_reason_for_a_price(
    evidence: LiveMarket, home: dict[str, object], problem: Problem
) -> None:
    known = {"zipcode": home["zipcode"], "living_area_sqft": 900.0, "year_built": 1931.0}
    answer = price(evidence, known, problem)
    assert answer.imputed
    assert {one.group for one in answer.drivers.items} <= {FactGroup.SIZE, FactGroup.AGE, FactGroup.OWN_SALE}


def test_larger_home_says_that_its_size_adds(evidence: LiveMarket, home: dict[str, object], problem: Problem) -> None:
    told = price(evidence, home | {"living_area_sqft": 3_600.0}, problem).drivers
    [size] = [one for one in told.items if one.group is FactGroup.SIZE]
    assert size.amount > 0
    [fact] = size.facts
    assert (fact.name, fact.subject, fact.typical) == ("living_area_sqft", 3_600.0, home["living_area_sqft"])
    assert told.items[0] is size


def test_home_without_a_known_area_is_held_against_the_one_it_lies_in_or_the_market(
    evidence: LiveMarket, home: dict[str, object], problem: Problem
) -> None:
    placed = {name: value for name, value in home.items() if name != "zipcode"}
    assert price(evidence, placed, problem).drivers.area == f"zipcode {home['zipcode']}"
    told = price(replace(evidence, known_where=NOWHERE), placed, problem).drivers
    assert told.area == "the market"
    assert FactGroup.PLACE not in {one.group for one in told.items}


def test_every_fact_of_a_market_is_in_one_group(evidence: LiveMarket) -> None:
    facts = evidence.bundle.model.facts
    members = [name for names in grouped(facts).values() for name in names]
    assert sorted(members) == sorted(facts.all)
