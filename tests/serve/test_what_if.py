"""What if: the effect of a change of facts, with the span it has on like homes."""

from __future__ import annotations

import pytest

from core.errors import ImpossibleProperty
from core.problem import Problem
from core.serve.estimate import Estimate, LiveMarket, Unavailable, estimate
from core.serve.typical_home import typical_home
from core.serve.what_if import beyond_the_sales, usual_changes, what_if
from core.workflows.pricing.desk import Desk


@pytest.fixture(scope="module")
def evidence(small_desk: Desk) -> LiveMarket:
    assert small_desk.live_market is not None
    return small_desk.live_market


@pytest.fixture(scope="module")
def before(evidence: LiveMarket, problem: Problem) -> Estimate:
    code = next(iter(evidence.bundle.model.profile.area_codes["zipcode"]))
    facts = typical_home(evidence.bundle.model, {"zipcode": code}).facts
    answer = estimate(evidence, facts, evidence.live_model.level.as_of, problem, 0.8)
    assert isinstance(answer, Estimate)
    return answer


def test_effect_is_the_difference_of_two_estimates(evidence: LiveMarket, before: Estimate, problem: Problem) -> None:
    found = what_if(evidence, before, {"living_area_sqft": 2_600.0}, problem)
    assert isinstance(found.after, Estimate)
    assert found.before == before
    assert found.effect == found.after.exact - before.exact > 0
    assert found.effect_low <= found.effect <= found.effect_high
    assert found.homes > 5


def test_no_change_has_no_effect(evidence: LiveMarket, before: Estimate, problem: Problem) -> None:
    same = {"living_area_sqft": before.subject.facts["living_area_sqft"]}
    found = what_if(evidence, before, same, problem)
    assert found.effect == 0
    assert (found.effect_low, found.effect_high) == pytest.approx((0.0, 0.0), abs=1e-6)


def test_change_of_category_has_an_effect_without_a_span(
    evidence: LiveMarket, before: Estimate, problem: Problem
) -> None:
    kinds = evidence.bundle.model.profile.category("property_type")
    assert kinds is not None
    other = next(kind for kind in kinds.levels if kind != before.subject.facts["property_type"])
    found = what_if(evidence, before, {"property_type": other}, problem)
    assert found.effect == found.effect_low == found.effect_high != 0
    assert found.homes == 0


def test_impossible_change_is_refused_and_an_unpriceable_one_says_so(
    evidence: LiveMarket, before: Estimate, problem: Problem
) -> None:
    with pytest.raises(ImpossibleProperty, match="Bedrooms"):
        what_if(evidence, before, {"bedrooms": 1_000.0}, problem)
    lost = what_if(evidence, before, {"latitude": 0.0, "longitude": 0.0}, problem)
    assert isinstance(lost.after, Unavailable)


def test_usual_changes_fit_the_home_and_the_market(evidence: LiveMarket, before: Estimate, problem: Problem) -> None:
    offered = usual_changes(evidence, before.subject, problem)
    assert {"One more bathroom", "Living area 10% larger"} <= {one.words for one in offered}
    known = {*evidence.bundle.model.facts.all}
    for one in offered:
        assert set(one.changes) <= known
        assert isinstance(what_if(evidence, before, one.changes, problem).after, Estimate)


def test_a_change_beyond_what_was_sold_is_told(evidence: LiveMarket, before: Estimate, problem: Problem) -> None:
    usual, far = {"living_area_sqft": 1_900.0}, {"living_area_sqft": 9_500.0}
    assert beyond_the_sales(what_if(evidence, before, usual, problem), usual) == ()
    assert beyond_the_sales(what_if(evidence, before, far, problem), far) == ("living_area_sqft",)
