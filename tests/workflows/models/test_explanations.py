"""A miss is explained by the very estimate that was scored, from evidence that never holds the sale itself."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.access import Actor, Role
from core.errors import AccessDenied, NotFound
from core.evaluate.scored_sales import ScoredSales, error
from core.problem import Problem
from core.progress import silent
from core.serve.estimate import Estimate
from core.serve.review.flag import FlagKind
from core.states import Family
from core.store import ModelRecord, Store, open_store
from core.train.trainer import TrainingPlan
from core.workflows.models.driver_summary import driver_summary
from core.workflows.models.explanations import Explainer, agent_decisions_of, open_explainer
from core.workflows.models.test_scores import later_scores, scores_of
from core.workflows.models.training import load_model
from core.workflows.pricing.answers import Question, price_and_record
from core.workflows.pricing.decisions import DecisionInput, decide
from core.workflows.pricing.desk import open_desk
from core.workflows.training import train_model
from tests.acting import acting

MANAGER = Actor("mia", Role.MANAGER)
AGENT = Actor("al", Role.AGENT)
BY_TIME = TrainingPlan("time", 1, (Family.TREE,), 0, 1, 2)


@dataclass(frozen=True)
class Case:
    store: Store
    record: ModelRecord
    scored: ScoredSales
    explainer: Explainer


@pytest.fixture(scope="module")
def store(small_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    home = tmp_path_factory.mktemp("explained") / "home"
    shutil.copytree(small_home, home)
    return open_store(home)


@pytest.fixture(scope="module")
def case(store: Store, problem: Problem) -> Case:
    record = store.models.champion(store.markets.list()[0].market_id)
    assert record is not None
    scored = scores_of(acting(store, MANAGER), record.model_id)
    return Case(store, record, scored, open_explainer(acting(store, MANAGER, problem), record.model_id, scored))


@pytest.fixture(scope="module")
def by_time(store: Store, problem: Problem) -> Case:
    record = train_model(acting(store, MANAGER, problem), store.markets.list()[0].market_id, BY_TIME, silent)
    scored = scores_of(acting(store, MANAGER), record.model_id)
    return Case(store, record, scored, open_explainer(acting(store, MANAGER, problem), record.model_id, scored))


@pytest.fixture(params=["case", "by_time"])
def any_case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.getfixturevalue(request.param)
    return found


def some_rows(scored: ScoredSales, n: int) -> list[int]:
    """The worst misses, those without a price, and sales from all over the test, in no order of date."""
    table = scored.table
    worst = table.loc[error(scored.priced).abs().nlargest(n).index, "intake_row"]
    unpriced = table.loc[~table["priced"], "intake_row"].head(n)
    others = table["intake_row"].sample(n, random_state=1)
    return [int(row) for row in dict.fromkeys([*worst, *unpriced, *others])]


def test_explanation_is_of_the_estimate_scored_to_the_last_digit(any_case: Case) -> None:
    table = any_case.scored.table.set_index("intake_row")
    unpriced = 0
    for number in some_rows(any_case.scored, 6):
        miss, row = any_case.explainer.miss(number), table.loc[number]
        assert (miss.price, miss.estimate) == (row["sale_price"], row["estimate"])
        assert miss.error == pytest.approx(row["estimate"] / row["sale_price"] - 1)
        assert miss.inside == (row["low"] <= row["sale_price"] <= row["high"])
        assert miss.withheld == row["withheld"]
        if miss.explained is None:
            unpriced += 1
            assert np.isnan(miss.difference)
            continue
        assert miss.same_as_scored
        assert miss.explained.exact == pytest.approx(row["estimate"], rel=1e-12)
        assert (miss.explained.low, miss.explained.high) == (row["low"], row["high"])
        assert miss.explained.confidence == round(100 * row["confidence"])
        kinds = {flag.kind.value for flag in miss.explained.flags} - {FlagKind.COMPARABLES_DISAGREE.value}
        assert kinds == set(miss.flags)
        drivers = miss.explained.drivers
        assert drivers.typical + sum(one.amount for one in drivers.items) + drivers.rounding == drivers.point
    assert unpriced


def test_drivers_of_many_sales_are_those_of_each_and_leave_out_the_unpriced(any_case: Case) -> None:
    rows = some_rows(any_case.scored, 6)
    explained = [any_case.explainer.miss(row).explained for row in rows]
    told = [one.drivers for one in explained if one is not None]
    assert any_case.explainer.drivers(rows) == told
    assert 0 < len(told) < len(rows)
    assert any_case.explainer.drivers([]) == []


def test_drivers_are_summed_up_of_forty_priced_sales_and_of_none(case: Case) -> None:
    found = driver_summary(case.explainer, case.scored)
    assert {one.homes for one in found} == {40}
    assert [one.size for one in found] == sorted((one.size for one in found), reverse=True)
    assert found == driver_summary(case.explainer, case.scored)
    none = replace(case.scored, table=case.scored.table.loc[~case.scored.table["priced"]])
    assert driver_summary(case.explainer, none) == ()


def test_the_sale_itself_is_no_evidence(any_case: Case, problem: Problem) -> None:
    [number] = any_case.scored.priced["intake_row"].iloc[:1]
    market = any_case.store.versions.load(any_case.record.version_id)
    dearer = market.assign(sale_price=market["sale_price"].where(market["intake_row"] != number, 9e6))
    bundle = load_model(any_case.store, any_case.record.model_id)
    changed = Explainer(bundle, dearer, any_case.scored, problem).miss(int(number)).explained
    before = any_case.explainer.miss(int(number)).explained
    assert before is not None
    assert changed == before
    assert str(number) not in {one.sale_id for one in before.comparables}


def test_by_time_comparables_were_sold_before_the_month_began(by_time: Case) -> None:
    for number in some_rows(by_time.scored, 4):
        miss = by_time.explainer.miss(number)
        if miss.explained is not None:
            start = max(miss.sale_date.replace(day=1), by_time.scored.table["sale_date"].min().date())
            assert miss.explained.comparables
            assert all(one.sale_date < start for one in miss.explained.comparables)
            assert str(start.year) in miss.evidence


def test_at_random_comparables_are_no_sealed_test_sales(case: Case) -> None:
    sealed = set(case.scored.table["intake_row"].astype(str))
    for number in some_rows(case.scored, 4):
        miss = case.explainer.miss(number)
        if miss.explained is not None:
            assert not sealed & {one.sale_id for one in miss.explained.comparables}


def test_later_sales_are_explained_as_they_were_scored(by_time: Case, problem: Problem) -> None:
    later = later_scores(acting(by_time.store, MANAGER, problem), by_time.record.model_id, by_time.record.version_id)
    explainer = open_explainer(acting(by_time.store, MANAGER, problem), by_time.record.model_id, later)
    rows = later.priced["intake_row"].sample(4, random_state=2).tolist()
    misses = [explainer.miss(row) for row in rows]
    assert all(miss.same_as_scored for miss in misses)
    assert explainer.drivers(rows) == [miss.explained.drivers for miss in misses if miss.explained is not None]


def test_another_sale_or_actor_gets_no_explanation(case: Case, problem: Problem) -> None:
    seen = set(case.scored.table["intake_row"])
    sold = case.store.versions.load(case.record.version_id)["intake_row"]
    other = int(sold[~sold.isin(seen)].iloc[0])
    with pytest.raises(NotFound, match="not a test sale"):
        case.explainer.miss(other)
    with pytest.raises(NotFound, match="not a test sale"):
        case.explainer.drivers([other])
    with pytest.raises(AccessDenied):
        open_explainer(acting(case.store, AGENT, problem), case.record.model_id, case.scored)
    with pytest.raises(NotFound):
        open_explainer(acting(case.store, MANAGER, problem), "unknown", case.scored)


def test_partial_effects_are_of_homes_the_model_learned_from(case: Case) -> None:
    facts = case.explainer.facts
    assert {"living_area_sqft", "property_type"} <= set(facts)
    assert not {"zipcode", "latitude"} & set(facts)
    effect = case.explainer.partial("living_area_sqft")
    assert effect.homes == 200
    assert effect.mean[0] < 0 < effect.mean[-1]
    again = case.explainer.partial("living_area_sqft")
    assert (effect.mean == again.mean).all()
    halves = np.array(case.explainer.partial("bathrooms").values, dtype=float)
    assert (halves * 2 == np.round(halves * 2)).all()
    with pytest.raises(ValueError, match="zipcode"):
        case.explainer.partial("zipcode")


def test_verdicts_are_of_the_decisions_that_count(case: Case, problem: Problem) -> None:
    market = case.record.market_id
    empty = agent_decisions_of(acting(case.store, MANAGER, problem), market, None)
    assert (empty.estimates, empty.decided) == (0, 0)
    desk = open_desk(case.store, market, problem)
    homes = case.store.versions.load(case.record.version_id).dropna(subset=["living_area_sqft"]).head(4)
    names = list(load_model(case.store, case.record.model_id).model.facts.all)
    points, ids = [], []
    for home in homes[names].to_dict("records"):
        facts = {str(name): value for name, value in home.items() if not pd.isna(value)}
        asked = Question(facts, desk.valuation_date(pd.Timestamp("2025-01-01").date()), 0.8)
        given = price_and_record(acting(case.store, AGENT), desk, asked, "page")
        assert isinstance(given.result, Estimate)
        points.append(given.result.point)
        ids.append(str(given.estimate_id))
    decider = replace(AGENT, role=Role.AGENT)
    decide(
        acting(case.store, decider, problem),
        ids[0],
        DecisionInput("override", points[0] * 2, None, "other", "a mistake"),
    )
    decide(acting(case.store, decider, problem), ids[0], DecisionInput("accept", points[0]))
    decide(
        acting(case.store, decider, problem),
        ids[1],
        DecisionInput("override", points[1] * 1.2, None, "layout", "a loft"),
    )
    found = agent_decisions_of(acting(case.store, MANAGER, problem), market, case.record.model_id)
    assert (found.estimates, found.decided) == (4, 2)
    assert {one.name: one.n for one in found.kinds} == {"accept": 1, "adjust": 0, "override": 1}
    assert [(one.name, one.n) for one in found.reasons] == [("layout", 1)]
    assert found.reasons[0].label == problem.decisions.reasons["layout"]
    assert found.departure.value == pytest.approx(0.2)
    assert agent_decisions_of(acting(case.store, MANAGER, problem), market, "another").estimates == 0
    with pytest.raises(AccessDenied):
        agent_decisions_of(acting(case.store, AGENT, problem), market, None)
