"""A fit learns from homes as a random test sees them and as a live estimate does, and is measured in both ways."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.arrays import Floats
from core.demo.city import NOISE, STRUCTURAL, MarketModel, simulate
from core.prepare.features.facts import find_facts
from core.prepare.features.neighbours import Rule
from core.prepare.features.pipeline import under_rule
from core.problem import Problem
from core.progress import silent
from core.states import Family
from core.train.candidates import Candidate, for_homes
from core.train.leaderboard import Recipe, column_names, fit
from core.train.model import for_production
from core.train.model import under_rule as model_under_rule
from core.train.parts import Part, fit_part
from core.train.ranges import of_final_fit
from core.train.trainer import Trained, TrainingPlan, train

BLEND = Candidate(Family.BLEND, {"n_estimators": 150, "learning_rate": 0.1, "num_leaves": 15})
NONE = np.empty(0, dtype=np.int64)


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    table = simulate(MarketModel(parcels=3_000), 17, sales=3_000).drop(columns=[STRUCTURAL, NOISE])
    return table.reset_index(drop=True).assign(intake_row=np.arange(len(table)))


@pytest.fixture(scope="module")
def log_price(sales: pd.DataFrame) -> Floats:
    return np.log(sales["sale_price"].to_numpy(dtype=float))


def fitted(sales: pd.DataFrame, log_price: Floats, rule: Rule, candidate: Candidate = BLEND) -> Part:
    recipe = Recipe(find_facts(sales), rule, candidate, 7)
    held = np.arange(0, len(sales), 3)
    return fit_part(recipe, sales, log_price, None, np.setdiff1d(np.arange(len(sales)), held), held, NONE, None)


def test_with_earlier_sales_only_estimates_err_less_than_those_of_a_model_that_always_knew_later_ones(
    sales: pd.DataFrame, log_price: Floats
) -> None:
    held = np.arange(0, len(sales), 3)
    rest = np.setdiff1d(np.arange(len(sales)), held)
    recipe = Recipe(find_facts(sales), Rule.OTHERS, BLEND, 7)
    both = fit_part(recipe, sales, log_price, None, rest, held, NONE, None)
    features = recipe.features()
    matrix = features.fit_transform(sales.iloc[rest], log_price[rest])
    spoiled = fit(BLEND, matrix, log_price[rest], column_names(features), 7)
    live = under_rule(features, Rule.EARLIER).transform(sales.iloc[held])
    errors = [np.abs(one - log_price[held]).mean() for one in (both.as_live, spoiled.predict(live), both.held_out)]
    assert errors[0] < 0.98 * errors[1]
    assert errors[2] < errors[0]


def test_the_first_sale_is_learned_from_with_no_evidence_and_with_that_of_later_sales(
    sales: pd.DataFrame, log_price: Floats
) -> None:
    recipe = Recipe(find_facts(sales), Rule.OTHERS, BLEND, 7)
    part = fit_part(recipe, sales, log_price, None, np.arange(len(sales)), NONE, NONE, None)
    assert part.features is not None
    assert part.live_matrix is not None
    first = sales["sale_date"].argmin()
    counts = [column_names(part.features).index(name) for name in ("zipcode_sales", "near_sales")]
    assert (part.live_matrix[first, counts] == 0).all()
    assert (part.matrix[first, counts] > 0).all()


def test_no_sale_tells_its_own_price_in_either_way(sales: pd.DataFrame, log_price: Floats) -> None:
    recipe = Recipe(find_facts(sales), Rule.OTHERS, BLEND, 7)
    one, changed = 1_500, log_price.copy()
    changed[one] += 2.0
    parts = [
        fit_part(recipe, sales, prices, None, np.arange(len(sales)), NONE, NONE, None)
        for prices in (log_price, changed)
    ]
    # The market's trend is made of all its sales; one is a trace of it.
    columns = [place for place, name in enumerate(column_names(parts[0].features)) if name != "trend"]
    before, after = (np.asarray(part.live_matrix)[one, columns] for part in parts)
    np.testing.assert_allclose(before, after, atol=0.01)


@pytest.mark.parametrize(
    ("rule", "candidate"), [(Rule.EARLIER, BLEND), (Rule.OTHERS, Candidate(Family.LINEAR, {"alpha": 1.0}))]
)
def test_where_evidence_is_the_same_in_both_ways_it_is_seen_once(
    rule: Rule, candidate: Candidate, sales: pd.DataFrame, log_price: Floats
) -> None:
    part = fitted(sales, log_price, rule, candidate)
    assert part.live_matrix is None
    np.testing.assert_array_equal(part.held_out, part.as_live)


def test_a_home_seen_twice_makes_trees_no_larger() -> None:
    assert for_homes(BLEND, 1_500).settings["num_leaves"] == 8
    assert for_homes(BLEND, 50_000) == BLEND
    tree = Candidate(Family.TREE, {"min_samples_leaf": 15})
    assert for_homes(tree, 100) == tree


@pytest.fixture(scope="module")
def trained(sales: pd.DataFrame, problem: Problem) -> Trained:
    return train(sales, len(sales), TrainingPlan("random", 5, (Family.BLEND,), 0, 1, 4), problem, silent)


def test_a_live_estimate_has_the_ranges_measured_with_earlier_sales_only(sales: pd.DataFrame, trained: Trained) -> None:
    model, live = trained.model, for_production(trained.model)
    test = sales[trained.split.test]
    later_known, as_live = model.price(test, 0.8, 0.1), live.price(test, 0.8, 0.1)
    assert np.mean(as_live.high / as_live.low) > np.mean(later_known.high / later_known.low)
    price = test["sale_price"].to_numpy(dtype=float)
    # Of 300 sales, 80% is 74 to 86% in 99 of 100 markets.
    assert 0.74 < np.mean((as_live.low <= price) & (price <= as_live.high)) < 0.88
    again = model_under_rule(live, Rule.OTHERS).price(test, 0.8, 0.1)
    np.testing.assert_array_equal(again.low, later_known.low)


def test_ranges_are_as_much_narrower_as_a_fit_on_all_sales_errs_less(sales: pd.DataFrame, trained: Trained) -> None:
    model, test = trained.model, sales[trained.split.test]
    assert model.narrowing == of_final_fit(4) < of_final_fit(8) < 1
    final, folds = model.price(test, 0.8, 0.1), replace(model, narrowing=1.0).price(test, 0.8, 0.1)
    narrower = np.log(final.high / final.low).sum() / np.log(folds.high / folds.low).sum()
    assert narrower == pytest.approx(model.narrowing, abs=0.005)
    np.testing.assert_array_equal(final.exact, folds.exact)
    assert (final.confidence >= folds.confidence).all()


def test_a_model_older_than_its_ranges_by_rule_keeps_the_ranges_it_has(trained: Trained) -> None:
    older = replace(trained.model, ranges_by_rule=None)
    assert for_production(older).ranges is older.ranges
