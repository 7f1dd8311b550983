"""What a plan learns from: all sales, those of a window, or recent ones with more weight."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from core.demo.city import NOISE, STRUCTURAL, MarketModel, simulate
from core.errors import TrainError
from core.prepare.splits import RANDOM, TIME
from core.problem import Problem
from core.progress import silent
from core.states import Family
from core.train.candidates import Candidate
from core.train.leaderboard import fit
from core.train.trainer import TrainingPlan, default_plan, recency_weight, split_sales, train, within_window

QUICK = TrainingPlan(TIME, 7, (Family.TREE,), 0, 1, 2, test_from=date(2024, 10, 1))
SETTINGS: dict[Family, dict[str, float]] = {
    Family.LINEAR: {"alpha": 1.0},
    Family.TREE: {"min_samples_leaf": 15},
    Family.FOREST: {"n_estimators": 10, "max_depth": 6, "min_samples_leaf": 5},
    Family.BOOSTING: {"max_iter": 30, "learning_rate": 0.2},
    Family.BLEND: {"n_estimators": 60, "learning_rate": 0.2},
}


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    table = simulate(MarketModel(parcels=1_000), 11, sales=1_000).drop(columns=[STRUCTURAL, NOISE])
    return table.reset_index(drop=True).assign(intake_row=np.arange(len(table)))


def test_the_default_plan_learns_from_all_sales_alike(problem: Problem, sales: pd.DataFrame) -> None:
    plan = default_plan(problem)
    assert (plan.window_months, plan.half_life_days) == (None, None)
    assert recency_weight(sales["sale_date"], plan) is None
    assert split_sales(sales, len(sales), plan, problem).left_out is None


@pytest.mark.parametrize("split", [RANDOM, TIME])
def test_sales_before_the_window_are_in_no_set(problem: Problem, sales: pd.DataFrame, split: str) -> None:
    test_from = QUICK.test_from if split == TIME else None
    found = split_sales(sales, len(sales), replace(QUICK, split=split, test_from=test_from, window_months=24), problem)
    assert found.left_out is not None
    used = found.train | found.validation | found.test
    np.testing.assert_array_equal(found.left_out, ~used)
    end = pd.Timestamp(test_from) if test_from else sales["sale_date"].max()
    assert sales["sale_date"][used].min() >= end - pd.DateOffset(months=24)
    assert sales["sale_date"][found.left_out].max() < end - pd.DateOffset(months=24)
    assert sum(found.sizes) == int(used.sum())


def test_prices_before_the_window_move_no_estimate(problem: Problem, sales: pd.DataFrame) -> None:
    plan = replace(QUICK, window_months=30)
    first = train(sales, len(sales), plan, problem, silent)
    old = ~within_window(sales["sale_date"], plan)
    assert old.sum() > 200
    assert first.model.profile.first_sale >= date(2022, 4, 1)
    changed = sales.assign(sale_price=sales["sale_price"].where(~old, sales["sale_price"] * 3))
    second = train(changed, len(sales), plan, problem, silent)
    assert first.model.estimate(sales).tobytes() == second.model.estimate(sales).tobytes()


def test_other_weights_give_other_estimates_and_another_learning_curve(problem: Problem, sales: pd.DataFrame) -> None:
    some, plan = sales.iloc[::2], replace(QUICK, curve_shares=(0.5,))
    alike, recent = (
        train(some, len(some), replace(plan, half_life_days=days), problem, silent) for days in (None, 200.0)
    )
    assert [point.mape for point in recent.curve] != [point.mape for point in alike.curve]
    assert recent.chosen.mape != alike.chosen.mape
    assert (recent.model.estimate(some) != alike.model.estimate(some)).mean() > 0.9


@pytest.mark.parametrize("family", list(Family))
def test_every_family_follows_the_sales_that_count_more(family: Family) -> None:
    rng = np.random.default_rng(3)
    size = rng.uniform(0, 1, 400)
    old = np.arange(400) < 300
    log_price = 12 + size + np.where(old, 0.0, 0.5)
    matrix = np.column_stack([size, rng.uniform(0, 1, 400)])
    candidate, columns = Candidate(family, SETTINGS[family]), ("living_area_sqft", "floors")
    weight = np.where(old, 1e-3, 1.0)
    alike, recent, scaled = (
        np.asarray(fit(candidate, matrix, log_price, columns, 5, one).predict(matrix))
        for one in (None, weight, 40 * weight)
    )
    assert np.mean(recent - 12 - size) == pytest.approx(0.5, abs=0.06)
    assert np.mean(alike - 12 - size) < 0.2
    np.testing.assert_allclose(recent, scaled, rtol=1e-6)


def test_a_sale_counts_half_as_much_as_one_a_half_life_newer() -> None:
    dates = pd.Series(pd.to_datetime(["2024-01-01", "2024-04-10", "2024-07-19"]))
    weight = recency_weight(dates, replace(QUICK, half_life_days=100.0))
    assert weight is not None
    np.testing.assert_allclose(weight, [0.25, 0.5, 1.0])


@pytest.mark.parametrize(
    ("change", "said"),
    [({"window_months": 0}, "0 months"), ({"half_life_days": 0.5}, "0.5 days"), ({"half_life_days": math.inf}, "inf")],
)
def test_a_window_that_means_nothing_is_refused(change: dict[str, float], said: str) -> None:
    with pytest.raises(TrainError, match=said):
        replace(QUICK, **change)  # type: ignore[arg-type]
