"""Which facts an agent is asked for: by what they matter to the model, and never figures of an area."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.problem import Problem
from core.serve.agent.form_facts import (
    ASKED_FIRST,
    area_named,
    asked_first,
    facts_asked,
    facts_from_roll,
    unknown_area_words,
)
from core.serve.estimate import Estimate
from core.serve.estimate import estimate as price
from core.serve.fact_groups import area_figures
from core.train.importance import Importance
from core.workflows.opening.addresses import names_kept
from core.workflows.pricing.desk import Desk


def test_the_models_own_ranking_decides_what_is_asked_first(small_desk: Desk, problem: Problem) -> None:
    assert small_desk.bundle is not None
    model, figures = small_desk.bundle.model, small_desk.area_figures
    ranking = tuple(Importance(name, name, 1.0) for name in ("crime_index", "view", "floors"))
    first = asked_first(model, ranking, figures, problem)
    assert first[:3] == ("living_area_sqft", "view", "floors")
    assert len(first) == ASKED_FIRST
    assert not figures & {*first}


def test_a_column_with_one_value_in_each_area_is_no_fact_of_a_home(small_desk: Desk) -> None:
    assert small_desk.live_model is not None
    model, sales = small_desk.live_model.model, small_desk.live_model.sales
    figures = area_figures(model, sales)
    assert {"crime_index", "school_rating", "walk_score"} & {*model.facts.all} <= figures
    assert not {"living_area_sqft", "condition", "year_built"} & figures
    assert not figures & {*facts_asked(model, figures)}


def test_what_only_a_tax_roll_has_is_kept_of_a_home_and_asked_of_nobody(small_desk: Desk) -> None:
    assert small_desk.live_model is not None
    model = small_desk.live_model.model
    facts = replace(model.facts, numeric=(*{*model.facts.numeric, "assessed_rise"},))
    model = replace(model, facts=facts)
    assert "assessed_rise" not in facts_asked(model, frozenset())
    ranking = (Importance("assessed_rise", "assessed_rise", 9.0),)
    assert "assessed_rise" not in asked_first(model, ranking, frozenset(), small_desk.problem)
    assert facts_from_roll(model) == ("assessed_rise",)
    assert "assessed_rise" in names_kept(model, frozenset())


def test_nobody_is_asked_for_a_figure_of_the_area(small_desk: Desk) -> None:
    assert small_desk.live_market is not None
    model = small_desk.live_market.live_model.model
    day, level = small_desk.live_market.live_model.level.as_of, small_desk.problem.estimate.level
    facts = {"living_area_sqft": 1_500.0, "zipcode": next(iter(model.profile.area_codes["zipcode"]))}
    asked = price(small_desk.live_market, facts, day, small_desk.problem, level)
    assert isinstance(asked, Estimate)
    first = asked.ask_next[0].name
    as_figure = replace(small_desk.live_market, known_figures=frozenset({first}))
    again = price(as_figure, facts, day, small_desk.problem, level)
    assert isinstance(again, Estimate)
    assert first not in {one.name for one in again.ask_next}
    assert again.point == asked.point


def test_nobody_is_asked_for_a_figure_of_the_homes_around_whose_record_is_still_taken(small_desk: Desk) -> None:
    assert small_desk.live_market is not None
    market = small_desk.live_market
    day, level = market.live_model.level.as_of, small_desk.problem.estimate.level
    code = next(iter(market.live_model.model.profile.area_codes["zipcode"]))
    facts = {"living_area_sqft": 1_500.0, "zipcode": code}
    asked = price(market, facts, day, small_desk.problem, level)
    assert isinstance(asked, Estimate)
    around = asked.ask_next[0].name
    desk = replace(small_desk, live_market=replace(market, known_around=frozenset({around})))
    again = price(desk.live_market or market, facts, day, small_desk.problem, level)
    assert isinstance(again, Estimate)
    assert around not in {one.name for one in again.ask_next}
    assert again.point == asked.point
    assert (around in small_desk.asked_first, around in desk.asked_first) == (True, False)
    assert around in desk.asked_further
    assert around in names_kept(market.live_model.model, desk.area_figures)


@pytest.mark.parametrize(
    ("typed", "area"),
    [
        ("98103", "98103"),
        (" 98103 ", "98103"),
        ("9810", "9810"),
        ("ballard", "Ballard"),
        ("ball", "Ballard"),
        ("Queen", "Queen"),
        ("v6b 1a1", "V6B 1A1"),
        ("V6B", "V6B"),
        ("99999", "99999"),
    ],
)
def test_what_is_typed_is_the_area_it_can_only_mean_else_it_stays_as_typed(typed: str, area: str) -> None:
    assert area_named(typed, ["98103", "Ballard", "Queen Anne", "Queens Park", "V6B 1A1"]) == area


def test_an_area_without_sales_is_answered_with_what_helps(small_desk: Desk) -> None:
    assert small_desk.bundle is not None
    model = small_desk.bundle.model
    known = next(iter(model.profile.area_codes["zipcode"]))
    assert unknown_area_words(model, "zipcode", {"zipcode": known}) == ""
    assert unknown_area_words(model, "zipcode", {}) == ""
    assert "latitude and longitude" in unknown_area_words(model, "zipcode", {"zipcode": "99999"})
    place = {"zipcode": "99999", "latitude": 47.0, "longitude": -122.0}
    assert "exact location counts" in unknown_area_words(model, "zipcode", place)
