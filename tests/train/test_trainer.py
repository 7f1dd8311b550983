"""A training run is reproducible, leaves the test sales alone, and compares what it says it compares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.collect.demo_city import NOISE, STRUCTURAL, MarketModel, simulate
from core.errors import JobCancelled, ModelOutdated, TooFewSales, TrainError
from core.problem import Problem
from core.progress import silent
from core.train.blend import Start
from core.train.bundle import from_bytes, seal, to_bytes
from core.train.candidates import Family, forest_candidates
from core.train.model import for_production
from core.train.trainer import Trained, TrainingPlan, default_plan, train

QUICK = TrainingPlan("random", 42, (Family.LINEAR, Family.TREE, Family.BOOSTING), 0, 1, 3)


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    table = simulate(MarketModel(parcels=2_500), 11, sales=2_500).drop(columns=[STRUCTURAL, NOISE])
    return table.reset_index(drop=True).assign(intake_row=np.arange(len(table)))


@pytest.fixture(scope="module")
def trained(sales: pd.DataFrame, problem: Problem) -> Trained:
    return train(sales, len(sales), QUICK, problem, silent)


def test_same_data_and_seed_give_the_same_predictions_to_the_byte(
    sales: pd.DataFrame, problem: Problem, trained: Trained
) -> None:
    again = train(sales, len(sales), QUICK, problem, silent)
    first, second = (one.model.price(sales, 0.8, 0.1) for one in (trained, again))
    for name in ("point", "low", "high", "confidence", "fsd"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()


@pytest.mark.parametrize("split", ["random", "time"])
def test_test_prices_move_no_estimate(sales: pd.DataFrame, problem: Problem, split: str) -> None:
    plan = replace(QUICK, split=split, families=(Family.TREE,))
    first = train(sales, len(sales), plan, problem, silent)
    test = first.split.test
    changed = sales.assign(sale_price=sales["sale_price"].where(~test, sales["sale_price"] * 3 + 1))
    second = train(changed, len(sales), plan, problem, silent)
    np.testing.assert_array_equal(first.split.test, second.split.test)
    assert first.model.estimate(sales).tobytes() == second.model.estimate(changed).tobytes()


def test_by_time_every_test_sale_is_later_than_all_training_sales(sales: pd.DataFrame, problem: Problem) -> None:
    plan = replace(QUICK, split="time", families=(Family.LINEAR,))
    split = train(sales, len(sales), plan, problem, silent).split
    dates = sales["sale_date"]
    assert dates[split.test].min() > dates[split.validation].max() > dates[split.train].max()


def test_order_of_rows_to_be_priced_changes_nothing(sales: pd.DataFrame, trained: Trained) -> None:
    shuffled = sales.sample(frac=1, random_state=3)
    inverse = np.argsort(shuffled.index.to_numpy())
    for name in ("point", "low", "high", "confidence"):
        straight = getattr(trained.model.price(sales, 0.8, 0.1), name)
        np.testing.assert_array_equal(straight, getattr(trained.model.price(shuffled, 0.8, 0.1), name)[inverse])


def test_one_home_gets_the_same_estimate_as_among_many(sales: pd.DataFrame, trained: Trained) -> None:
    many = trained.model.price(sales, 0.8, 0.1)
    one = trained.model.price(sales.iloc[[17]], 0.8, 0.1)
    assert one.point[0] == many.point[17]
    assert one.low[0] == many.low[17]


def test_point_lies_inside_the_range(sales: pd.DataFrame, trained: Trained) -> None:
    for level in (0.5, 0.8, 0.9):
        priced = trained.model.price(sales, level, 0.1)
        assert ((priced.low <= priced.point) & (priced.point <= priced.high)).all()


def test_leaderboard_ranks_on_validation_and_boosting_beats_the_baseline(trained: Trained) -> None:
    errors = [score.mape for score in trained.leaderboard]
    assert errors == sorted(errors)
    assert trained.leaderboard[0] == trained.chosen
    by_family = {score.family: score for score in trained.leaderboard}
    assert set(by_family) == {family.value for family in QUICK.families}
    assert by_family["gradient boosting"].mape < by_family["linear baseline"].mape
    for score in trained.leaderboard:
        assert score.latency_ms > 0
        assert score.size_bytes > 0


def test_location_and_size_are_what_matters(trained: Trained) -> None:
    first = [one.fact for one in trained.importance[:3]]
    assert "location" in first
    assert "living_area_sqft" in first


def test_forest_search_draws_distinct_settings_of_the_problem_statement(problem: Problem) -> None:
    drawn = forest_candidates(problem.training, 12, 42)
    assert len({tuple(sorted(one.settings.items())) for one in drawn}) == 12
    assert drawn == forest_candidates(problem.training, 12, 42)
    for one in drawn:
        assert one.settings["n_estimators"] in problem.training.forest_trees
        assert one.settings["max_depth"] in problem.training.forest_depth
        assert one.settings["min_samples_leaf"] in problem.training.forest_leaf
    assert len(forest_candidates(problem.training, 1_000, 42)) == 48


def test_forest_search_reports_progress_and_its_scores(sales: pd.DataFrame, problem: Problem) -> None:
    heard: list[tuple[float, str]] = []
    plan = replace(QUICK, families=(Family.FOREST,), forest_budget=2)
    result = train(sales, len(sales), plan, problem, lambda fraction, message: heard.append((fraction, message)))
    assert len(result.forest_search) == 2
    assert [fraction for fraction, _ in heard] == sorted(fraction for fraction, _ in heard)
    assert any("forest" in message for _, message in heard)
    assert heard[-1][0] == 1.0


def test_cancelled_run_stops(sales: pd.DataFrame, problem: Problem) -> None:
    def cancel(fraction: float, message: str) -> None:
        if fraction > 0.3:
            raise JobCancelled("cancelled")

    with pytest.raises(JobCancelled):
        train(sales, len(sales), QUICK, problem, cancel)


def test_too_few_sales_say_how_many_are_needed(sales: pd.DataFrame, problem: Problem) -> None:
    with pytest.raises(TooFewSales, match=f"at least {problem.training.sales_min}"):
        train(sales.head(50), 50, QUICK, problem, silent)


def test_sales_without_price_are_refused(sales: pd.DataFrame, problem: Problem) -> None:
    with pytest.raises(TrainError, match="without price"):
        train(sales.assign(sale_price=np.nan), len(sales), QUICK, problem, silent)


def test_plan_without_families_is_refused(sales: pd.DataFrame, problem: Problem) -> None:
    with pytest.raises(TrainError, match="names no model family"):
        train(sales, len(sales), replace(default_plan(problem), families=()), problem, silent)


def test_bundle_survives_storage_unchanged(sales: pd.DataFrame, trained: Trained) -> None:
    bundle = seal(trained, market_id="m", currency="USD", version_id="v", held={}, metrics={})
    loaded = from_bytes(to_bytes(bundle))
    assert loaded.card() == bundle.card()
    assert loaded.model.estimate(sales).tobytes() == bundle.model.estimate(sales).tobytes()


def test_live_model_uses_no_sale_after_the_valuation_date(sales: pd.DataFrame, trained: Trained) -> None:
    live = for_production(trained.model)
    early = sales.assign(sale_date=sales["sale_date"].min())
    evidence = live.features[:-1].transform(early)
    assert (evidence["zipcode_sales"] == 0).all()
    assert (evidence["near_sales"] == 0).all()
    late = sales.assign(sale_date=pd.Timestamp("2026-01-01"))
    assert live.estimate(late).tobytes() == trained.model.estimate(late).tobytes()


def test_bundle_of_another_release_is_refused_with_its_remedy(trained: Trained) -> None:
    bundle = seal(trained, market_id="m", currency="USD", version_id="v", held={}, metrics={})
    with pytest.raises(ModelOutdated, match="Train a new model"):
        from_bytes(to_bytes(replace(bundle, format=1)))


def test_plan_that_tries_nothing_is_refused(sales: pd.DataFrame, problem: Problem) -> None:
    with pytest.raises(TrainError, match="budget of at least 1"):
        train(sales, len(sales), replace(QUICK, families=(Family.BOOSTING,), boosting_budget=0), problem, silent)


def test_blend_starts_from_three_views_and_beats_plain_boosting(sales: pd.DataFrame, problem: Problem) -> None:
    plan = replace(QUICK, families=(Family.BOOSTING, Family.BLEND))
    result = train(sales, len(sales), plan, problem, silent)
    by_family = {score.family: score for score in result.leaderboard}
    assert by_family["blended boosting"].mape < by_family["gradient boosting"].mape
    assert [member.start for member in result.model.estimator.members_] == list(Start)
