"""Of a type that few sell, sales of the same type lead; with one of another kind among them, the model counts too."""

from __future__ import annotations

from dataclasses import replace

from core.serve.agent.sale_weights import its_type_leads, offered
from core.serve.comparables import reconcile
from core.serve.review.flag import Flag, FlagKind, Severity
from core.train.ranges import round_for_display
from tests.serve.report.report_samples import estimate


def test_sales_of_its_type_lead_where_few_such_homes_sell() -> None:
    usual = estimate()
    unusual = Flag(FlagKind.UNUSUAL_TYPE, Severity.REVIEW, "property_type", "houseboat", "standard", "")
    boats = tuple(replace(one, facts={"property_type": "houseboat"}) for one in usual.comparables)
    subject = replace(usual.subject, facts={**usual.subject.facts, "property_type": "houseboat"})
    boat = replace(usual, flags=(unusual,), subject=subject, comparables=boats)
    value = reconcile(boats, {one.sale_id: 1.0 for one in boats}, 0.6 * usual.exact, 0.2, 0.4 * usual.exact, 2e6)
    assert value is not None
    assert value.offered == round_for_display(value.reconciled) < round_for_display(value.mean)
    assert its_type_leads(boat, value.weights)
    assert offered(boat, value) == round_for_display(value.mean)
    mixed = replace(boat, comparables=(replace(boats[0], facts={"property_type": "condo"}), *boats[1:]))
    for other in (mixed, replace(boat, flags=())):
        assert not its_type_leads(other, value.weights)
        assert offered(other, value) == value.offered
    assert offered(boat, replace(value, confirms=False)) is None
