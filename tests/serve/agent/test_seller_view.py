"""What a seller sees of an estimate: no figure of the neighborhood, in no part of it, but all of the price."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.serve.agent.seller_view import neighborhood_facts, without_figures
from core.serve.drivers import Difference, Driver
from core.serve.fact_groups import FactGroup
from core.serve.review.flag import Flag, FlagKind, Severity
from core.workflows.pricing.desk import Desk
from tests.serve.report.report_samples import estimate

OWN = ("x_median_income", "x_fireplaces")


def test_the_canonical_figures_and_own_columns_with_one_value_an_area_are_figures(small_desk: Desk) -> None:
    figures = small_desk.neighborhood_facts
    assert figures >= {"school_rating", "crime_index", "walk_score", "x_median_income"}
    assert figures.isdisjoint({"living_area_sqft", "bedrooms", "zipcode", "condition", "view"})


@pytest.mark.parametrize(
    "name",
    [
        *("x_school_district", "x_crimerate", "x_pct_white", "x_ppltn_qty", "x_medn_hshld_incm_amt", "x_per_bchlr"),
        *("x_walkability", "x_race", "x_poverty_share", "x_religion", "x_median_age", "x_transit_score"),
    ],
)
def test_own_columns_named_like_a_figure_are_figures(name: str) -> None:
    assert name in neighborhood_facts([name], frozenset(), {})


@pytest.mark.parametrize("name", ["x_fireplaces", "x_terrace", "x_walk_in_closet", "x_family_room", "x_garage_type"])
def test_own_columns_of_the_home_are_none_unless_no_model_can_say(name: str) -> None:
    assert name not in neighborhood_facts([name], frozenset(), {})
    assert name in neighborhood_facts([name], None, None)


def test_without_figures_none_is_given_assumed_flagged_or_named_as_a_reason_and_the_amounts_stay() -> None:
    answer = estimate()
    income = Driver(FactGroup.OTHER, -4_000, (Difference("x_median_income", 90_000.0, 70_000.0),))
    answer = replace(
        answer,
        imputed={**answer.imputed, "crime_index": 59.0},
        flags=(Flag(FlagKind.OUT_OF_DISTRIBUTION, Severity.REVIEW, "crime_index", "98", "2 to 90", "Check it."),),
        drivers=replace(answer.drivers, items=(*answer.drivers.items, income)),
    )
    figures = neighborhood_facts(OWN, frozenset(), {})
    shown = without_figures(answer, figures)
    assert not figures & (shown.subject.facts.keys() | shown.imputed.keys())
    assert shown.flags == ()
    assert not [fact for one in shown.drivers.items for fact in one.facts if fact.name in figures]
    amounts = {one.group: one.amount for one in shown.drivers.items}
    assert FactGroup.OTHER not in amounts
    assert amounts[FactGroup.PLACE] == 31_250 - 4_000
    assert sum(amounts.values()) == sum(one.amount for one in answer.drivers.items)
    assert (shown.low, shown.point, shown.high) == (answer.low, answer.point, answer.high)


def test_other_facts_become_location_where_the_assumed_ones_among_them_are_figures() -> None:
    answer = estimate()
    other = Driver(FactGroup.OTHER, 2_000, ())
    answer = replace(answer, drivers=replace(answer.drivers, items=(other,)), imputed={"x_median_income": 70_000.0})
    [only] = without_figures(answer, frozenset({"x_median_income"})).drivers.items
    assert (only.group, only.amount) == (FactGroup.PLACE, 2_000)
