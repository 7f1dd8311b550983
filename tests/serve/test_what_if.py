"""What if: the effect of a change of facts, with the span it has on like homes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import ImpossibleProperty
from core.problem import Problem
from core.serve import what_if as what_if_module
from core.serve.estimate import Estimate, LiveMarket, estimate
from core.serve.review.unavailable import Unavailable
from core.serve.typical_home import typical_home
from core.serve.what_if import against_expectation, beyond_the_sales, usual_changes, what_if
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
    assert found.effect_low < found.effect_high
    assert found.homes > 5


def test_the_span_is_that_of_similar_homes_whatever_the_effect_on_this_one(
    evidence: LiveMarket, before: Estimate, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(what_if_module, "_effects", lambda *given: np.arange(101.0))
    more = {"living_area_sqft": 2_600.0}
    found = what_if(evidence, before, more, problem)
    assert (found.effect_low, found.effect_high) == (10.0, 90.0)
    assert found.is_unlike
    assert not replace(found, effect=90.0).is_unlike


def test_an_estimate_that_falls_for_more_of_what_buyers_pay_for_is_told(
    evidence: LiveMarket, before: Estimate, problem: Problem
) -> None:
    size = float(before.subject.facts["living_area_sqft"])
    found = what_if(evidence, before, {"living_area_sqft": 1.2 * size}, problem)
    for effect, changes, told in (
        (-1.0, {"living_area_sqft": 1.2 * size}, True),
        (1.0, {"living_area_sqft": 1.2 * size}, False),
        (1.0, {"living_area_sqft": 0.8 * size}, True),
        (-1.0, {"bedrooms": 9.0}, False),
        (-1.0, {"property_type": "condo"}, False),
    ):
        assert against_expectation(replace(found, effect=effect), changes) == told


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
    assert not found.is_unlike
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
