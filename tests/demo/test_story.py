"""Half a year in the demo city, told on the small market: the same code, fewer homes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.demo.market_turn import END, START
from core.demo.offices import OFFICES, PILOT
from core.demo.story import tell_story
from core.prepare.features.facts import find_facts
from core.problem import Problem
from core.progress import silent
from core.states import Group, Period
from core.store import Store, open_store
from core.store.ledger.figures import Slice
from core.store.operations.rollouts import OfficePlan
from core.workflows.models.training import known_sales
from core.workflows.pilot.report import pilot_report
from core.workflows.pilot.rollout import add_offices, take_back_change
from core.workflows.pricing.decisions import DecisionInput, check_decision
from tests.acting import acting
from tests.small_market import SALES

SEED = 2019


@pytest.fixture(scope="module")
def told(small_home: Path, tmp_path_factory: pytest.TempPathFactory, problem: Problem) -> Iterator[Store]:
    home = tmp_path_factory.mktemp("story") / "home"
    shutil.copytree(small_home, home)
    with open_store(home) as store:
        tell_story(acting(store, problem=problem), store.markets.list()[0], SEED, SALES, silent)
        yield store


def test_every_month_has_estimates_decisions_and_a_data_version(told: Store) -> None:
    [market] = told.markets.list()
    estimates = told.ledger.list(market.market_id, 10_000)
    assert {one.as_of.month for one in estimates} == {1, 2, 3, 4, 5, 6}
    assert {one.office for one in estimates} == set(PILOT)
    assert all("simulated" in one.actor for one in estimates)
    assert all(one.at.date() == one.as_of for one in estimates)
    latest = told.versions.latest(market.market_id)
    assert latest is not None
    assert len(told.versions.chain(market.market_id)) == 7
    assert latest.last_sale is not None
    assert START < latest.last_sale <= END


def test_decisions_keep_to_the_rules_of_the_problem_statement(told: Store, problem: Problem) -> None:
    [market] = told.markets.list()
    decisions = told.ledger.decisions(market.market_id, 10_000)
    assert {one.kind for one in decisions} == {"accept", "adjust", "override"}
    for one in decisions:
        entered = DecisionInput(one.kind, one.price, one.listing_price, one.reason_code, one.note)
        check_decision(entered, told.ledger.get(one.estimate_id), problem)


def test_homes_sold_are_held_against_estimates_made_blind_before_they_were_listed(told: Store) -> None:
    [market] = told.markets.list()
    outcomes = told.outcomes.frame(market.market_id, Slice())
    assert len(outcomes) > 30
    accuracy = told.figures.accuracy(market.market_id, Slice(), Period.MONTH).total
    assert accuracy["n"] == len(outcomes)
    assert 0.02 < accuracy["mape"] < 0.40


def test_the_pilots_report_compares_days_on_market_and_price_cuts_which_no_model_learns(
    told: Store, problem: Problem
) -> None:
    [market] = told.markets.list()
    sales = known_sales(told, market.market_id).table
    assert set(sales["listing_office"].dropna()) == set(OFFICES)
    assert not {"listing_office", "first_list_price"} & set(find_facts(sales).of_sales)
    workspace = acting(told, problem=problem)
    plans = [OfficePlan(office, Group.PILOT, START) for office in PILOT]
    add_offices(workspace, market.market_id, plans, "To see the report")
    report = pilot_report(workspace, market.market_id)
    take_back_change(workspace, market.market_id, "The others look at the city without a pilot")
    assert report is not None
    assert report.others == ("Northgate",)
    for compared in (report.compared.others, report.compared.changes):
        assert [one.name for one in compared] == ["days_on_market", "price_cut", "was_cut"]
    assert 0 < report.compared.others[2].first_value.value < 1


def test_a_story_told_twice_changes_nothing(told: Store, problem: Problem) -> None:
    [market] = told.markets.list()
    before = told.ledger.count(market.market_id), told.versions.latest(market.market_id)
    tell_story(acting(told, problem=problem), market, SEED, SALES, silent)
    assert (told.ledger.count(market.market_id), told.versions.latest(market.market_id)) == before
