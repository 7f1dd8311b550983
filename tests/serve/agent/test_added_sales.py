"""Sales that an agent adds to the comparables: the model's own adjustments, and nothing that may not count."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.problem import Problem
from core.serve.agent.added_sales import ADDED_MAX, adjusted_sales, sales_of
from core.serve.agent.address_book import KnownHome
from core.serve.comparables import reconcile
from core.serve.estimate import Estimate, LiveMarket, estimate
from core.workflows.pricing.desk import Desk


@pytest.fixture(scope="module")
def evidence(small_desk: Desk) -> LiveMarket:
    assert small_desk.live_market is not None
    return small_desk.live_market


@pytest.fixture(scope="module")
def answer(evidence: LiveMarket, problem: Problem) -> Estimate:
    code = next(iter(evidence.bundle.model.profile.area_codes["zipcode"]))
    facts = {"zipcode": code, "living_area_sqft": 1_700.0, "bedrooms": 3.0}
    found = estimate(evidence, facts, evidence.live_model.level.as_of, problem, 0.8)
    assert isinstance(found, Estimate)
    return found


def test_an_added_sale_is_adjusted_as_the_model_adjusts_its_own(evidence: LiveMarket, answer: Estimate) -> None:
    alone = replace(answer, comparables=())
    again = adjusted_sales(evidence, alone, [one.sale_id for one in answer.comparables[:ADDED_MAX]])
    assert len(again) == ADDED_MAX
    for one, offered in zip(again, answer.comparables, strict=False):
        assert one.added
        assert (one.sale_id, one.sale_price, one.distance_km) == (
            offered.sale_id,
            offered.sale_price,
            offered.distance_km,
        )
        assert one.adjusted == pytest.approx(offered.adjusted, rel=1e-9)
        assert one.adjustments == pytest.approx(offered.adjustments)


def test_a_sale_is_found_by_its_home_and_counts_in_the_value(evidence: LiveMarket, answer: Estimate) -> None:
    sales = evidence.live_model.sales
    offered = {one.sale_id for one in answer.comparables} | {one.address for one in answer.comparables}
    row = next(
        row
        for row, address in enumerate(sales["address"].tolist())
        if isinstance(address, str) and address not in offered and str(sales["intake_row"][row]) not in offered
    )
    day = sales["sale_date"][row].astype("datetime64[D]").item()
    home = KnownHome(str(sales["address"][row]), {}, day)
    ids = sales_of(evidence, [home], answer.subject.as_of)
    assert str(sales["intake_row"][row]) in ids
    assert not sales_of(evidence, [home], day), "a sale of the valuation date itself is not known yet"
    [added] = adjusted_sales(evidence, answer, ids[:1])
    with_it = (*answer.comparables, added)
    used = {one.sale_id: 1.0 for one in with_it}
    value = reconcile(with_it, used, answer.exact, answer.fsd, answer.low, answer.high)
    assert value is not None
    assert value.weights[added.sale_id] > 0


def test_what_may_not_count_is_not_added(evidence: LiveMarket, answer: Estimate) -> None:
    offered = [one.sale_id for one in answer.comparables]
    assert adjusted_sales(evidence, answer, offered) == (), "they are compared already"
    assert adjusted_sales(evidence, answer, ["", "x", "-4", "999999999"]) == ()
    alone = replace(answer, comparables=())
    earlier = replace(answer.subject, as_of=answer.comparables[0].sale_date - timedelta(days=1))
    assert adjusted_sales(evidence, replace(alone, subject=earlier), offered[:1]) == (), "it is a later sale"
    assert adjusted_sales(evidence, replace(alone, exact=answer.exact * 1.01), offered) == (), "of another model"
