"""A training run: fit candidates on training sales, choose on validation sales, refit, calibrate out of fold."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from core.arrays import Bools, Floats, Objects, drawn
from core.errors import TrainError
from core.parallel.calls import in_parallel
from core.prepare.features.columns import columns_of
from core.prepare.features.derived import days_since_2000
from core.prepare.features.facts import FactColumns, find_facts
from core.prepare.features.known_facts import KnownFacts, find_known_facts
from core.prepare.features.neighbours import Rule
from core.prepare.features.pipeline import baseline_features, dense, feature_pipeline
from core.prepare.features.profile import profile_market
from core.prepare.splits import TIME, Split, random_split, time_split
from core.problem import EstimateRules, Problem
from core.progress import Progress, part
from core.states import Family
from core.train.blend import BlendedBoosting
from core.train.candidates import (
    BOOSTING_SETTINGS,
    Candidate,
    fixed_candidates,
    forest_sizes,
    quick_of,
)
from core.train.curve import SHARES, CurvePoint, CurveSales, learning_curve
from core.train.forest_search import best_of, search_forest
from core.train.importance import Importance
from core.train.leaderboard import (
    COMPARED_MAX,
    ForestScore,
    Inputs,
    Recipe,
    Score,
    ScoredCandidate,
    fit_and_score,
    forest_at_sizes,
    forest_score,
)
from core.train.level import RECENT_DAYS
from core.train.live_model import residuals_of_table
from core.train.model import Model, has_evidence, property_kinds, with_own_sales
from core.train.own_sale import OutOfFold, before_sales, kept_sales
from core.train.parts import Part, fit_part
from core.train.ranges import RangeCalibration, UsualErrors, measure_horizon, of_final_fit, past_cuts
from core.train.unknown_facts import (
    RunHomes,
    RunResales,
    UnknownFactsModel,
    calibrate,
    folds_needed,
    join_hidden,
)

_WINDOW_MONTHS_MAX: Final = 1_200  # a century, longer than any record of sales
# How far a training is by its time when a step ends, as measured with 10,000 and 50,000 sales.
_PREPARED: Final = 0.01
_SEARCHED: Final = 0.12
_COMPARED: Final = 0.37
_DRAWN: Final = 0.43


@dataclass(frozen=True)
class TrainingPlan:
    """What a run does: split ("random" or "time"), seed, families to compare, settings to try for two of them, folds.

    ``test_from`` is the first day of the test sales of a time split; None uses the problem statement's shares.
    ``curve_shares`` are the increasing shares of the training sales, below 1, on which the winner is refitted for the
    learning curve; empty means no curve. Training uses only sales of the last ``window_months`` before the test of a
    time split (else before the latest sale), None for all; each has half the weight of a sale that is
    ``half_life_days`` newer, None for equal weights. Both affect only training; evidence brought up to date later uses
    all sales. Raises TrainError for a window below one month or above a century, or a half-life below one day.
    """

    split: str
    seed: int
    families: tuple[Family, ...]
    forest_budget: int
    boosting_budget: int
    folds: int
    test_from: date | None = None
    curve_shares: tuple[float, ...] = ()
    window_months: int | None = None
    half_life_days: float | None = None

    def __post_init__(self) -> None:
        """Check the window and half-life."""
        if self.window_months is not None and not 1 <= self.window_months <= _WINDOW_MONTHS_MAX:
            raise TrainError(f"A training window of {self.window_months:,} months is not from 1 to 1,200; correct it.")
        if self.half_life_days is not None and not 1 <= self.half_life_days < math.inf:
            raise TrainError(f"A half-life of {self.half_life_days:g} days is too short; choose at least 1 day.")


def default_plan(problem: Problem) -> TrainingPlan:
    """Return the plan of the problem statement: random split, all families, eight folds, a learning curve."""
    training = problem.training
    return TrainingPlan(
        split="random",
        seed=training.seed,
        families=tuple(Family),
        forest_budget=training.forest_budget,
        boosting_budget=BOOSTING_SETTINGS,
        folds=8,
        curve_shares=SHARES[:-1],
    )


@dataclass(frozen=True)
class Trained:
    """The result of a run, which has not touched the test sales of ``split``.

    ``forest_search`` holds the settings tried, most of them on fewer sales, and the best depth and leaf size at every
    number of trees. ``curve`` belongs to ``chosen``, smallest share first; its last point has all sales of the
    comparison.
    """

    plan: TrainingPlan
    model: Model
    split: Split
    chosen: Score
    leaderboard: tuple[Score, ...]
    forest_search: tuple[ForestScore, ...]
    curve: tuple[CurvePoint, ...]
    importance: tuple[Importance, ...]


def split_sales(sales: pd.DataFrame, rows_seen: int, plan: TrainingPlan, problem: Problem) -> Split:
    """Split sales (with ``intake_row``) by the plan, without those before its window; raises TooFewSales."""
    if plan.window_months is None:
        return _split(sales, rows_seen, plan, problem)
    inside = within_window(sales["sale_date"], plan)
    return _split(sales[inside], rows_seen, plan, problem).among(inside)


def within_window(dates: pd.Series, plan: TrainingPlan) -> Bools:
    """Return which sales are in the plan's window, shape (n,): the test sales and those used for training."""
    if plan.window_months is None:
        return np.ones(len(dates), dtype=bool)
    end = dates.max() if plan.test_from is None else pd.Timestamp(plan.test_from)
    return (dates >= end - pd.DateOffset(months=plan.window_months)).to_numpy()


def _split(sales: pd.DataFrame, rows_seen: int, plan: TrainingPlan, problem: Problem) -> Split:
    if plan.split == TIME:
        return time_split(sales["sale_date"], problem.training, plan.test_from)
    return random_split(sales["intake_row"].to_numpy(), rows_seen, problem.training, plan.seed)


def recency_weight(dates: pd.Series, plan: TrainingPlan) -> Floats | None:
    """Return the weight of each sale, shape (n,), 1 for the latest; None for equal weights."""
    if plan.half_life_days is None:
        return None
    age = (dates.max() - dates).dt.days.to_numpy(dtype=float)
    weight: Floats = np.exp2(-age / plan.half_life_days)
    return weight


@dataclass(frozen=True)
class _Run:
    """The inputs shared by all steps of a run."""

    sales: pd.DataFrame
    log_price: Floats
    split: Split
    facts: FactColumns
    plan: TrainingPlan
    problem: Problem

    @property
    def rule(self) -> Rule:
        return Rule.EARLIER if self.split.name == TIME else Rule.OTHERS


def train(sales: pd.DataFrame, rows_seen: int, plan: TrainingPlan, problem: Problem, progress: Progress) -> Trained:
    """Run the plan on one data version's sales.

    ``sales`` has canonical columns and ``intake_row`` (0-based position among the ``rows_seen`` imported rows); the
    order of its rows has no effect. The split's masks are in the order of ``intake_row``.
    Raises TooFewSales, or TrainError if a required fact is unusable or the plan names no family.
    """
    with threadpool_limits(1):
        return _train(sales.sort_values("intake_row", kind="stable"), rows_seen, plan, problem, progress)


def _train(sales: pd.DataFrame, rows_seen: int, plan: TrainingPlan, problem: Problem, progress: Progress) -> Trained:
    progress(0.0, "Setting sales aside for the test")
    _demand_usable(sales, plan)
    split = split_sales(sales, rows_seen, plan, problem)
    log_price = np.log(sales["sale_price"].to_numpy(dtype=float))
    run = _Run(sales, log_price, split, find_facts(sales[split.train]), plan, problem)
    progress(0.005, "Preparing the facts of the homes")
    inputs = _inputs(run, feature_pipeline(run.facts, run.rule))
    search = _search_forest(run, inputs, part(progress, _PREPARED, _SEARCHED))
    best = best_of(search) if search else None
    fitted, sizes = _compare(run, inputs, best, part(progress, _SEARCHED, _COMPARED))
    winner = _choose(fitted, problem)
    del inputs
    drawn_at = _DRAWN if plan.curve_shares else _COMPARED
    curve = _curve(run, winner, part(progress, _COMPARED, drawn_at))
    model, importance = _refit(run, winner.candidate, part(progress, drawn_at, 1.0))
    return Trained(
        plan=plan,
        model=model,
        split=split,
        chosen=winner.score,
        leaderboard=tuple(sorted((one.score for one in fitted), key=lambda score: score.mape)),
        forest_search=_forest_scores([*(one for one in search if one is not best), *sizes]),
        curve=curve,
        importance=importance,
    )


def _demand_usable(sales: pd.DataFrame, plan: TrainingPlan) -> None:
    if sales["sale_price"].isna().any() or sales["sale_date"].isna().any():
        raise TrainError("Sales without price or date cannot train a model; ingest them again so they are rejected.")
    if not plan.families:
        raise TrainError(f"The plan names no model family; choose some of: {', '.join(Family)}.")


def _inputs(run: _Run, features: Pipeline) -> Inputs:
    train, validation = run.sales[run.split.train], run.sales[run.split.validation]
    return Inputs(
        features=features,
        train=features.fit_transform(train, run.log_price[run.split.train]),
        train_log_price=run.log_price[run.split.train],
        validation=features.transform(validation),
        validation_log_price=run.log_price[run.split.validation],
        sample=validation.iloc[:20],
        train_weight=recency_weight(train["sale_date"], run.plan),
    )


def _search_forest(run: _Run, inputs: Inputs, progress: Progress) -> tuple[ScoredCandidate, ...]:
    if Family.FOREST not in run.plan.families:
        return ()
    rows = drawn(inputs.train.shape[0], run.problem.training.forest_rows, run.plan.seed)
    return search_forest(inputs, rows, run.problem.training, run.plan.forest_budget, run.plan.seed, progress)


def _compare(
    run: _Run, inputs: Inputs, best: ScoredCandidate | None, progress: Progress
) -> tuple[tuple[ScoredCandidate, ...], tuple[ScoredCandidate, ...]]:
    """Return the compared candidates, and the search's best forest at every number of trees.

    It is grown once: the largest is the one that is compared.
    """
    training, seed = run.problem.training, run.plan.seed
    candidates = [one for one in fixed_candidates(run.plan.boosting_budget) if one.family in run.plan.families]
    if best is None and not candidates:
        raise TrainError("The plan tries no settings of its families; give it a budget of at least 1.")
    # Start the forest first: it takes longest, and the others fit in parallel.
    calls: list[tuple[Any, ...]] = []
    if best is not None:
        rows = drawn(inputs.train.shape[0], training.forest_fit_rows, seed)
        calls.append((forest_at_sizes, best.candidate, inputs, rows, forest_sizes(training), seed))
    plain = _inputs(run, baseline_features(run.facts)) if Family.LINEAR in run.plan.families else inputs
    for one in candidates:
        seen = plain if one.family is Family.LINEAR else inputs
        calls.append((fit_and_score, one, seen, drawn(seen.train.shape[0], COMPARED_MAX, seed), seed))
    results = in_parallel(_call, calls, progress, "Comparing models")
    sizes = results.pop(0) if best is not None else ()
    return (*sizes[-1:], *results), tuple(sizes)


def _forest_scores(forests: Sequence[ScoredCandidate]) -> tuple[ForestScore, ...]:
    return tuple(sorted(map(forest_score, forests), key=lambda score: score.mape))


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def _choose(fitted: tuple[ScoredCandidate, ...], problem: Problem) -> ScoredCandidate:
    in_time = [one for one in fitted if one.score.latency_ms <= problem.success.answer_ms]
    return min(in_time or fitted, key=lambda one: one.score.mape)


def _curve(run: _Run, winner: ScoredCandidate, progress: Progress) -> tuple[CurvePoint, ...]:
    """Compute the winner's learning curve on the sales of the comparison; its own score is the last point."""
    plan, score = run.plan, winner.score
    if not plan.curve_shares:
        return ()
    train, validation = np.flatnonzero(run.split.train), np.flatnonzero(run.split.validation)
    seen = train[drawn(len(train), score.trained_rows, plan.seed)]
    columns = list(run.facts.of_sales)
    sales = CurveSales(
        run.sales[columns].iloc[seen],
        run.log_price[seen],
        run.sales[columns].iloc[validation],
        run.log_price[validation],
        recency_weight(run.sales["sale_date"].iloc[seen], plan),
    )
    features = Recipe(run.facts, run.rule, winner.candidate, plan.seed).features
    points = learning_curve(winner.candidate, features, sales, plan.seed, progress, plan.curve_shares)
    return (*points, CurvePoint(1.0, score.trained_rows, score.train_mape, score.mape))


def _refit(run: _Run, candidate: Candidate, progress: Progress) -> tuple[Model, tuple[Importance, ...]]:
    """Fit the chosen candidate on training and validation sales and calibrate on its out-of-fold estimates.

    Importance is measured on the first fold's held-out sales, which that fold's model has not seen.
    """
    known = run.split.train | run.split.validation
    # Send only the columns the model reads to the other processes.
    homes = run.sales.loc[known, list(run.facts.of_sales)]
    log_price, weight = run.log_price[known], recency_weight(homes["sale_date"], run.plan)
    everything, nothing = np.arange(len(homes)), np.empty(0, dtype=np.int64)
    folds = list(KFold(run.plan.folds, shuffle=True, random_state=run.plan.seed).split(homes))
    enough = math.ceil(run.problem.training.calibration_sales * run.plan.folds / len(homes))
    (rest, first), *others = used = folds[:enough]
    recipe = Recipe(run.facts, run.rule, candidate, run.plan.seed)
    rows, days = np.concatenate([held for _, held in used]), days_since_2000(homes["sale_date"].to_numpy())
    cuts = past_cuts(days, rows, run.plan.seed)
    others += [(cut.before, cut.after) for cut in cuts]
    parts = [(everything, nothing, nothing), (rest, first, first), *((rest, held, nothing) for rest, held in others)]
    known_facts = find_known_facts(homes, run.facts, run.problem.estimate.critical)
    # The model of everything and the first folds learn to do without facts too.
    hiding = min(folds_needed(len(homes), run.plan.folds), len(used))
    learning = [known_facts if number <= hiding else None for number in range(len(parts))]
    # The past is only compared with itself and the folds, which the faster settings on fewer sales do as well.
    quick = replace(recipe, candidate=quick_of(candidate), sales_max=COMPARED_MAX)
    recipes = [recipe] * (len(parts) - len(cuts)) + [quick] * len(cuts)
    calls = [
        (own, homes, log_price, weight, *rows, facts) for own, rows, facts in zip(recipes, parts, learning, strict=True)
    ]
    doing = "Training the final model and measuring its ranges"
    final, *found = in_parallel(fit_part, calls, part(progress, 0.0, 0.9), doing)
    held_out, late = found[: len(used)], [one.held_out for one in found[len(used) :]]
    estimates = np.concatenate([one.held_out for one in held_out])
    as_live = np.concatenate([one.as_live for one in held_out])
    kinds = property_kinds(columns_of(homes, run.facts.all), run.facts)
    seen, level = dense(final.matrix[rows]), run.problem.estimate.level
    ways = [(seen, estimates), *([] if final.live_matrix is None else [(final.live_matrix[rows], as_live)])]
    measured = [(run.problem.estimate, run.plan.seed, *way, log_price[rows], kinds[rows]) for way in ways]
    (ranges, sizes), *live = in_parallel(_calibrated, measured, part(progress, 0.9, 0.93), doing)
    live_ranges, live_sizes = live[0] if live else (ranges, sizes)
    horizon = measure_horizon(cuts, late, UsualErrors(rows, estimates, sizes), days, log_price, level)
    by_rule = {run.rule: ranges, Rule.EARLIER: live_ranges}
    reach = live_ranges.reach(as_live, live_sizes, kinds[rows])
    errors = residuals_of_table(run.facts, homes.iloc[rows], log_price[rows] - as_live, reach)
    recent = errors.latest(RECENT_DAYS)
    everyone = RunHomes(final.features, homes, log_price)
    ends, prices = run.problem.scope.elsewhere, run.sales.loc[known, "sale_price"]
    profile = profile_market(homes, prices, run.facts, (ends.low_quantile, ends.high_quantile))
    model = Model(run.facts, final.features, final.estimator, ranges, profile, recent, horizon, ranges_by_rule=by_rule)
    resales = None
    if has_evidence(model):
        model = replace(model, narrowing=of_final_fit(run.plan.folds))
        kept = kept_sales(run.sales, known, run.split.left_out, run.facts, run.rule)
        priced = OutOfFold(rows, estimates, seen, kinds[rows])
        model = with_own_sales(model, kept, priced, level, run.plan.seed, part(progress, 0.93, 1))
        if model.own_sales is not None and model.own_effect is not None:
            resales = RunResales(*before_sales(model.own_sales, kept, everything), priced)
    unknown = _learn_unknowns(run, known_facts, final.learned, held_out, everyone, resales)
    model = replace(model, unknown=unknown)
    progress(1.0, "Model fitted")
    return model, held_out[0].importance


def _calibrated(
    rules: EstimateRules, seed: int, matrix: Floats, estimates: Floats, log_price: Floats, kinds: Objects
) -> tuple[RangeCalibration, Floats]:
    """Return ranges calibrated on out-of-fold log estimates, and the expected size of each error, (n,)."""
    ranges = RangeCalibration(rules, seed)
    return ranges, ranges.fit_sizes(matrix, estimates, log_price, kinds)


def _learn_unknowns(
    run: _Run,
    known: KnownFacts,
    learned: BlendedBoosting | None,
    held_out: Sequence[Part],
    homes: RunHomes,
    resales: RunResales | None,
) -> UnknownFactsModel | None:
    """Calibrate what prices homes with facts unknown; None where an agent must know every fact there is."""
    hidden = [part.hidden for part in held_out if part.hidden is not None]
    if learned is None or not hidden:
        return None
    return calibrate(known, learned, join_hidden(hidden), homes, resales, run.problem.estimate, run.plan.seed)
