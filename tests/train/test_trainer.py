"""A training run is reproducible, leaves the test sales alone, and compares what it says it compares."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import joblib
import numpy as np
import pandas as pd
import pytest
from joblib.externals.loky import reusable_executor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from core.demo.city import NOISE, STRUCTURAL, MarketModel, simulate
from core.errors import JobCancelled, ModelOutdated, TooFewSales, TrainError
from core.parallel.calls import end_processes
from core.problem import Problem
from core.progress import silent
from core.states import Family
from core.train import trainer
from core.train.blend import Start
from core.train.bundle import from_bytes, seal, to_bytes
from core.train.candidates import Candidate, forest_candidates
from core.train.leaderboard import Inputs, fit_and_score, forest_at_sizes, forest_score
from core.train.model import for_production, refreshed
from core.train.trainer import Trained, TrainingPlan, default_plan, train
from tests.one_process import ONE_PROCESS

QUICK = TrainingPlan("random", 42, (Family.LINEAR, Family.TREE, Family.BOOSTING, Family.BLEND), 0, 1, 2)
SIMPLEST = replace(QUICK, families=(Family.LINEAR,), curve_shares=(0.25, 0.5))


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    table = simulate(MarketModel(parcels=2_000), 11, sales=2_000).drop(columns=[STRUCTURAL, NOISE])
    return table.reset_index(drop=True).assign(intake_row=np.arange(len(table)))


@pytest.fixture(scope="module")
def few(sales: pd.DataFrame) -> pd.DataFrame:
    """Every third sale, for what holds at any size."""
    return sales.iloc[::3].reset_index(drop=True).assign(intake_row=lambda table: np.arange(len(table)))


@pytest.fixture(scope="module")
def trained(sales: pd.DataFrame, problem: Problem) -> Trained:
    return train(sales, len(sales), QUICK, problem, silent)


@pytest.fixture(scope="module")
def simplest(few: pd.DataFrame, problem: Problem) -> Trained:
    """The baseline, with its learning curve."""
    return train(few, len(few), SIMPLEST, problem, silent)


def test_same_data_and_seed_give_the_same_predictions_to_the_byte(
    few: pd.DataFrame, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(QUICK, families=(Family.BLEND,))
    first = train(few, len(few), plan, problem, silent).model.price(few, 0.8, 0.1)
    monkeypatch.delenv(ONE_PROCESS)
    with joblib.parallel_config(backend="loky"):  # in processes of their own, as a server's fits are
        second = train(few, len(few), plan, problem, silent).model.price(few, 0.8, 0.1)
    assert reusable_executor._executor is not None, "the fits had no processes of their own"
    end_processes()
    for name in ("point", "low", "high", "confidence", "fsd"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()


@pytest.mark.parametrize("split", ["random", "time"])
def test_test_prices_move_no_estimate(few: pd.DataFrame, problem: Problem, split: str) -> None:
    plan = replace(QUICK, split=split, families=(Family.TREE,))
    first = train(few, len(few), plan, problem, silent)
    test = first.split.test
    changed = few.assign(sale_price=few["sale_price"].where(~test, few["sale_price"] * 3 + 1))
    second = train(changed, len(few), plan, problem, silent)
    np.testing.assert_array_equal(first.split.test, second.split.test)
    assert first.model.estimate(few).tobytes() == second.model.estimate(changed).tobytes()
    dates = few["sale_date"]
    later = dates[test].min() > dates[first.split.validation].max() > dates[first.split.train].max()
    assert later == (split == "time")


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
        assert one.settings["n_estimators"] == min(problem.training.forest_trees)
        assert one.settings["max_depth"] in problem.training.forest_depth
        assert one.settings["min_samples_leaf"] in problem.training.forest_leaf
    assert len(forest_candidates(problem.training, 1_000, 42)) == 12


def test_forest_search_reports_progress_and_its_scores(few: pd.DataFrame, problem: Problem) -> None:
    heard: list[tuple[float, str]] = []
    plan = replace(QUICK, families=(Family.FOREST,), forest_budget=2)
    result = train(few, len(few), plan, problem, lambda fraction, message: heard.append((fraction, message)))
    assert result.curve == ()
    assert {score.trees for score in result.forest_search} >= {75, 150}
    best = result.forest_search[0]
    same = [score for score in result.forest_search if (score.depth, score.leaf) == (best.depth, best.leaf)]
    assert sorted(score.trees for score in same) == [50, 75, 100, 150, 200]
    assert len({score.trained_rows for score in result.forest_search}) == 1
    sizes = {score.trees: score.size_bytes for score in same}
    assert sizes[150] == pytest.approx(2 * sizes[75], rel=0.05)
    assert [fraction for fraction, _ in heard] == sorted(fraction for fraction, _ in heard)
    assert any(message.startswith("Trying settings") for _, message in heard)
    assert heard[-1][0] == 1.0


def test_a_forest_grown_on_is_the_forest_fitted_at_once(few: pd.DataFrame) -> None:
    homes = few[["living_area_sqft", "bedrooms"]].fillna(0.0).to_numpy()
    log_price = np.log(few["sale_price"].to_numpy())
    features = Pipeline([("same", FunctionTransformer(np.asarray, feature_names_out="one-to-one"))]).fit(homes)
    inputs = Inputs(features, homes[:400], log_price[:400], homes[400:], log_price[400:], pd.DataFrame(homes[:2]))
    forest = Candidate(Family.FOREST, {"n_estimators": 20, "max_depth": 5, "min_samples_leaf": 5})
    rows = np.arange(400)
    grown = forest_at_sizes(forest, inputs, rows, (5, 10, 20), 1)
    assert [one.candidate.settings["n_estimators"] for one in grown] == [5, 10, 20]
    for one in grown:
        apart = fit_and_score(one.candidate, inputs, rows, 1)
        assert one.score.mape == pytest.approx(apart.score.mape, rel=1e-12)
        assert forest_score(one).trees == one.candidate.settings["n_estimators"]
    assert grown[0].score.fit_seconds < grown[-1].score.fit_seconds


def test_learning_curve_ends_in_the_winner_itself_and_ignores_the_test_sales(
    few: pd.DataFrame, problem: Problem, simplest: Trained
) -> None:
    heard: list[str] = []
    first = simplest
    assert [point.share for point in first.curve] == [0.25, 0.5, 1.0]
    last = first.curve[-1]
    assert (last.rows, last.train_mape, last.mape) == (
        first.chosen.trained_rows,
        first.chosen.train_mape,
        first.chosen.mape,
    )
    test = first.split.test
    changed = few.assign(sale_price=few["sale_price"].where(~test, few["sale_price"] * 3 + 1))
    again = train(changed, len(few), SIMPLEST, problem, lambda _, message: heard.append(message))
    assert again.curve == first.curve
    assert any("learning curve" in message for message in heard)
    card = seal(first, market_id="m", currency="USD", version_id="v", held={}, metrics={}).card()
    assert json.loads(json.dumps(card["curve"])) == [asdict(point) for point in first.curve]
    assert default_plan(problem).curve_shares == (0.10, 0.25, 0.50)


def test_a_large_market_compares_candidates_on_some_sales_and_fits_the_winner_on_all(
    few: pd.DataFrame, problem: Problem, simplest: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = simplest
    monkeypatch.setattr(trainer, "COMPARED_MAX", 200)
    some = train(few, len(few), SIMPLEST, problem, silent)
    assert whole.chosen.trained_rows > some.chosen.trained_rows == 200
    assert [point.rows for point in some.curve] == [50, 100, 200]
    assert some.model.price(few, 0.8, 0.1).point.tobytes() == whole.model.price(few, 0.8, 0.1).point.tobytes()


def test_cancelled_run_stops(few: pd.DataFrame, problem: Problem) -> None:
    def cancel(fraction: float, message: str) -> None:
        if fraction > 0.3:
            raise JobCancelled("cancelled")

    with pytest.raises(JobCancelled):
        train(few, len(few), SIMPLEST, problem, cancel)


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


def test_blend_starts_from_three_views_and_beats_plain_boosting(trained: Trained) -> None:
    by_family = {score.family: score for score in trained.leaderboard}
    assert by_family["blended boosting"].mape < by_family["gradient boosting"].mape
    assert [member.start for member in trained.model.estimator.members_] == list(Start)


def test_evidence_made_anew_of_the_training_sales_changes_nothing(sales: pd.DataFrame, trained: Trained) -> None:
    live = for_production(trained.model)
    known = sales[trained.split.train | trained.split.validation]
    homes = live.fill(sales[trained.split.test].assign(sale_date=pd.Timestamp("2026-01-01")))
    np.testing.assert_array_equal(refreshed(live, known).matrix(homes), live.matrix(homes))


def test_newer_sales_move_the_evidence_and_nothing_the_model_has_learned(sales: pd.DataFrame, trained: Trained) -> None:
    live = for_production(trained.model)
    later = pd.Timestamp(live.profile.last_sale) + pd.Timedelta(days=30)
    dearer = sales.head(200).assign(
        sale_date=later,
        sale_price=sales["sale_price"].head(200) * 2,
        property_type=pd.Series(["castle"] * 200, dtype="str"),
    )
    homes = live.fill(sales.assign(sale_date=later + pd.Timedelta(days=1)))
    newer = refreshed(live, pd.concat([sales, dearer], ignore_index=True))
    before, after = live.matrix(homes), newer.matrix(homes)
    names = list(live.features[-1].get_feature_names_out())
    trend = names.index("trend")
    assert (after[:, trend] > before[:, trend] + 0.1).all()
    facts = [position for position, name in enumerate(names) if name in live.facts.numeric or "missing" in name]
    np.testing.assert_array_equal(before[:, facts], after[:, facts])
    assert newer.estimator is live.estimator
    assert newer.ranges is live.ranges
    np.testing.assert_array_equal(live.matrix(homes), before)


def test_a_sale_valued_later_is_not_told_its_own_price(sales: pd.DataFrame, trained: Trained) -> None:
    last = sales["sale_date"].max() + pd.Timedelta(days=10)
    market = pd.concat([sales, sales.iloc[[5]].assign(sale_date=last)], ignore_index=True)
    own = np.array([len(market) - 1])
    changed = market.assign(sale_price=market["sale_price"].where(market.index != own[0], market["sale_price"] * 9))
    live = for_production(trained.model)
    home = live.fill(market.iloc[own].assign(sale_date=last + pd.Timedelta(days=1)))
    first, second = refreshed(live, market), refreshed(live, changed)
    names = live.features[-1].get_feature_names_out()
    # The market's trend is made of all its sales; one is a trace of it.
    columns = np.flatnonzero(names != "trend")
    np.testing.assert_array_equal(first.matrix(home, own)[:, columns], second.matrix(home, own)[:, columns])
    stranger = np.array([-1])
    assert (first.matrix(home, stranger)[:, columns] != second.matrix(home, stranger)[:, columns]).any()
    np.testing.assert_array_equal(first.matrix(home, stranger), first.matrix(home))


def test_comparables_are_earlier_sales_most_alike_first(sales: pd.DataFrame, trained: Trained) -> None:
    live = refreshed(for_production(trained.model), sales)
    for day in ("2026-01-01", str(sales["sale_date"].quantile(0.1))):
        subject = sales.iloc[[40]].assign(sale_date=pd.Timestamp(day))
        found = live.comparables(live.fill(subject), 15)
        assert len(found.rows) == len(set(found.rows)) == 15
        chosen = sales.iloc[found.rows]
        assert (chosen["sale_date"] < pd.Timestamp(day)).all()
        assert (np.diff(found.distance) >= 0).all()
        gap = np.log(chosen["living_area_sqft"] / subject["living_area_sqft"].iloc[0]).abs().median()
        usual = np.log(sales["living_area_sqft"] / subject["living_area_sqft"].iloc[0]).abs().median()
        assert gap < usual
    first = sales.iloc[[40]].assign(sale_date=sales["sale_date"].min())
    assert len(live.comparables(live.fill(first), 15).rows) == 0


def test_without_coordinates_comparables_are_earlier_sales_of_the_smallest_area_shared(
    few: pd.DataFrame, problem: Problem
) -> None:
    placeless = few.drop(columns=["latitude", "longitude"])
    trained = train(placeless, len(few), replace(QUICK, families=(Family.TREE,)), problem, silent).model
    model = refreshed(for_production(trained), placeless)
    day, shared = few["sale_date"].sort_values().iloc[-60], []
    for _, subject in placeless.iloc[:40].assign(sale_date=day).iterrows():
        home = model.fill(pd.DataFrame([subject]))
        found = model.comparables(home, 5)
        chosen = placeless.iloc[found.rows]
        assert len(set(found.rows)) == 5
        assert (chosen["sale_date"] < day).all()
        assert (np.diff(found.distance) >= 0).all()
        shared.append((chosen["zipcode"] == subject["zipcode"]).mean())
    by_chance = (placeless["zipcode"].value_counts(normalize=True) ** 2).sum()
    assert np.mean(shared) > 10 * by_chance


def test_a_baseline_has_no_comparables(few: pd.DataFrame, simplest: Trained) -> None:
    baseline = simplest.model
    home = baseline.fill(few.head(1))
    assert len(baseline.comparables(home, 5).rows) == 0
    assert baseline.matrix(home).shape[0] == 1
    assert refreshed(baseline, few).estimate(few.head(1)) > 0
    assert refreshed(baseline, few) is baseline
