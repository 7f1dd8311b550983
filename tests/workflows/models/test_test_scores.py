"""From a sealed test to scores kept with the model: figures equal pandas alone, on simulated and on real sales."""

from __future__ import annotations

import gzip
import itertools
import shutil
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.access import Actor, Role
from core.arrays import Bools, Floats
from core.errors import AccessDenied, ArtifactCorrupt, NotFound, ReasonNeeded
from core.evaluate.accuracy import measure
from core.evaluate.behavior.month_ahead import price_month_ahead
from core.evaluate.evaluation_report import build_evaluation_report
from core.evaluate.scope import supports
from core.evaluate.scored_sales import ScoredSales
from core.evaluate.segmentation import Segmentation, available
from core.problem import Problem
from core.progress import silent
from core.serve.estimate import LiveMarket
from core.serve.estimate_many import estimate_many
from core.states import Family
from core.store import Market, NewModel, Store, open_store
from core.store.base.markets import AreaUnit
from core.train.bundle import Bundle, RangeCoverage, seal, to_bytes
from core.train.live_model import bring_up_to_date
from core.train.model import for_production
from core.train.trainer import Trained, TrainingPlan, train
from core.workflows.data.intake import ingest
from core.workflows.models.scope import sign_scope, signed_scope
from core.workflows.models.test_scores import (
    SCORES,
    OpenedTest,
    fit_of,
    keep_scores,
    later_scores,
    open_test,
    record_as_live,
    score_test,
    scores_of,
)
from core.workflows.source_files.reading import SourceFile
from tests.acting import acting
from tests.evaluate import recompute
from tests.evaluate.measured import evaluated
from tests.evaluate.test_figures import assert_equal_to_pandas, assert_segments_equal

MANAGER = Actor("mia", Role.MANAGER)
QUICK = TrainingPlan("random", 1, (Family.LINEAR,), 0, 1, 2)
ROWS = 1_500


@dataclass(frozen=True)
class Case:
    """A trained market with its opened test and scores, registered in a store of its own."""

    store: Store
    market: Market
    sales: pd.DataFrame
    trained: Trained
    bundle: Bundle
    opened: OpenedTest
    scored: ScoredSales
    model_id: str


def build(store: Store, plan: TrainingPlan, problem: Problem) -> Case:
    """Train, open the test and register, in the order the life of a model has."""
    market = store.markets.list()[0]
    version = store.versions.latest(market.market_id)
    assert version is not None
    sales = store.versions.load(version.version_id).sort_values("intake_row", kind="stable")
    trained = train(sales, version.rows_seen, plan, problem, silent)
    opened = open_test(trained, sales, problem)
    live = record_as_live(trained, opened, sales, problem)
    bundle = seal(
        trained,
        market_id=market.market_id,
        currency=market.currency,
        version_id=version.version_id,
        held=live.held,
        came_true=live.came_true,
        metrics=opened.evaluation.metrics(),
    )
    scored = score_test(opened, trained, bundle, sales, market, problem)
    card = bundle.card() | {SCORES: keep_scores(store, scored)}
    record = store.models.add(NewModel(market.market_id, version.version_id, to_bytes(bundle), card), MANAGER)
    return Case(store, market, sales, trained, bundle, opened, scored, record.model_id)


@pytest.fixture(scope="module")
def case(small_home: Path, tmp_path_factory: pytest.TempPathFactory, problem: Problem) -> Case:
    home = tmp_path_factory.mktemp("evaluated") / "home"
    shutil.copytree(small_home, home)
    return build(open_store(home), QUICK, problem)


@pytest.fixture(scope="module")
def by_time(case: Case, problem: Problem) -> Case:
    return build(case.store, replace(QUICK, split="time"), problem)


@pytest.fixture(scope="module")
def king_county(sales_data: Path, tmp_path_factory: pytest.TempPathFactory, problem: Problem) -> Case:
    file = sales_data / "king_county" / "kc_house_data_2014_2015.csv"
    with file.open(encoding="utf-8") as lines:
        extract = "".join(itertools.islice(lines, ROWS + 1))
    return real_case(extract, ("King County", "USD", "sqft"), tmp_path_factory.mktemp("king-county"), problem)


@pytest.fixture(scope="module")
def singapore(sales_data: Path, tmp_path_factory: pytest.TempPathFactory, problem: Problem) -> Case:
    # Its file is in the order of sale: every hundredth line is of all years.
    with gzip.open(sales_data / "singapore" / "hdb_resale_2017_2023.csv.gz", "rt", encoding="utf-8") as lines:
        extract = next(lines) + "".join(itertools.islice(lines, 0, None, 100))
    return real_case(extract, ("Singapore", "SGD", "sqm"), tmp_path_factory.mktemp("singapore"), problem)


def real_case(extract: str, market: tuple[str, str, AreaUnit], folder: Path, problem: Problem) -> Case:
    path = folder / "sales.csv"
    path.write_text(extract, encoding="utf-8")
    store = open_store(folder / "home")
    made = store.markets.create(*market, False, MANAGER)
    ingest(
        acting(store, MANAGER, problem, today=date(2026, 1, 1)), made.market_id, [SourceFile(path, path.name)], silent
    )
    return build(store, QUICK, problem)


@pytest.fixture(params=["case", "by_time", "king_county", "singapore"])
def any_case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.getfixturevalue(request.param)
    return found


def test_figures_equal_pandas_alone(any_case: Case, problem: Problem) -> None:
    assert_equal_to_pandas(any_case.scored, problem)
    for by in available(any_case.scored, problem):
        assert_segments_equal(any_case.scored, (by,), problem)
    assert_segments_equal(any_case.scored, (Segmentation.PRICE_TENTH, Segmentation.CONFIDENCE), problem)


def test_scores_are_of_the_sealed_test_sales_each_once(any_case: Case) -> None:
    test = any_case.sales[any_case.trained.split.test].set_index("intake_row")
    table = any_case.scored.table.set_index("intake_row")
    assert sorted(table.index) == sorted(test.index)
    assert (table["sale_price"] == test["sale_price"][table.index]).all()
    assert (table["low"] == table["low_80"]).all()
    assert (table["low"] <= table["point"]).all()
    assert (table["point"] <= table["high"]).all()


def test_figures_of_the_opened_test_are_those_of_the_evaluation(case: Case, by_time: Case, problem: Problem) -> None:
    rules = problem.estimate
    test = case.sales[case.trained.split.test]
    expected = evaluated(case.trained.model, test, rules.level, rules.levels, 0.10, QUICK.seed)
    assert case.opened.evaluation == expected
    first = by_time.sales["sale_date"][by_time.trained.split.test].min().date()
    model = by_time.trained.model
    ahead = price_month_ahead(model, by_time.sales, first, rules.levels, 0.10)
    of_ahead = measure(ahead.priced, ahead.price, rules.level, QUICK.seed)
    assert by_time.opened.evaluation == of_ahead


def test_what_an_agent_reads_of_the_test_is_of_estimates_from_earlier_sales_only(case: Case, problem: Problem) -> None:
    plan = replace(QUICK, families=(Family.TREE,))
    trained = train(case.sales, int(case.sales["intake_row"].max()) + 1, plan, problem, silent)
    opened = open_test(trained, case.sales, problem)
    record = record_as_live(trained, opened, case.sales, problem)
    test = case.sales[trained.split.test]
    price = test["sale_price"].to_numpy(dtype=float)
    live = for_production(trained.model).price(test, 0.8, 0.1)
    inside = (live.low <= price) & (price <= live.high)
    assert record.held[0.8]["all homes"] == RangeCoverage(float(inside.mean()), len(test))
    figures = opened.evaluation.metrics()
    bundle = seal(
        trained,
        market_id="m",
        currency="USD",
        version_id="v",
        held=record.held,
        metrics=figures,
        came_true=record.came_true,
    )
    within = np.abs(price / live.exact - 1) <= 0.1
    for tenth in range(10):
        some = np.minimum((10 * live.confidence).astype(int), 9) == tenth
        expected = RangeCoverage(float(within[some].mean()), int(some.sum())) if some.any() else None
        assert bundle.confidence_record(10 * tenth + 5, 1) == expected
    # The figures of the test itself are of estimates that know later sales too.
    assert figures["coverage"]["value"] == pytest.approx(np.mean(opened_inside(opened, price)))
    assert not np.array_equal(live.exact, opened.priced[0.8].exact)


def opened_inside(opened: OpenedTest, price: Floats) -> Bools:
    main = opened.priced[0.8]
    return (main.low <= price) & (price <= main.high)


def test_flags_are_those_an_agent_gets(case: Case, problem: Problem) -> None:
    # All test sales of one day are priced as a file of that day; the market's level alone sets the two apart.
    table = case.scored.table
    day = table["sale_date"].value_counts().index[0]
    rows = table[table["sale_date"] == day]
    homes = case.sales.set_index("intake_row").loc[rows["intake_row"]].reset_index(drop=True)
    facts = homes[list(case.bundle.model.facts.all)]
    evidence = LiveMarket(case.bundle, bring_up_to_date(case.bundle.model, case.sales), case.bundle.version_id, None)
    answers = estimate_many(evidence, facts, day.date(), problem, 0.8)
    assert rows["priced"].to_numpy().nonzero()[0].tolist() == answers.rows.tolist()
    follow_the_price = {"price out of scope", "low confidence", "wide range"}
    for row, flags in zip(rows[rows["priced"]]["flags"], answers.flags, strict=True):
        assert set(row.split(";")) - {""} - follow_the_price == {flag.kind.value for flag in flags} - follow_the_price


def test_homes_without_a_critical_fact_count_as_not_priced(case: Case, problem: Problem) -> None:
    table = case.scored.table
    assert 0 < (~table["priced"]).sum() < len(table)
    wide = table["withheld"].str.startswith("The range would be wider").fillna(False)
    unpriced = table[~table["priced"] & ~wide]
    assert unpriced["living_area_sqft"].isna().all()
    assert unpriced["withheld"].str.contains("Living area is missing").all()
    assert table.loc[table["living_area_sqft"].isna(), "missing"].str.contains("living_area_sqft").all()


def test_baseline_of_a_linear_winner_is_the_winner_itself(case: Case) -> None:
    table = case.scored.table
    assert np.median(np.abs(np.log(table["baseline"] / table["estimate"]))) < 0.01


def test_trend_is_of_the_area_and_from_other_sales(case: Case, problem: Problem) -> None:
    few = replace(problem, estimate=replace(problem.estimate, small_sample_n=5))
    scored = score_test(case.opened, case.trained, case.bundle, case.sales, case.market, few)
    known = scored.table.dropna(subset=["trend"])
    assert not known.empty
    others, end = case.sales[~case.trained.split.test], case.sales["sale_date"][case.trained.split.test].max()
    area = known["zipcode"].value_counts().index[0]
    expected = recompute.trend(others[others["zipcode"] == area], end)
    assert known.loc[known["zipcode"] == area, "trend"].tolist() == pytest.approx(
        [expected] * (known["zipcode"] == area).sum()
    )
    assert case.scored.table["trend"].notna().sum() <= len(known), "areas of few sales have no trend"


def test_scores_are_kept_with_the_model(case: Case, problem: Problem) -> None:
    again = scores_of(acting(case.store, Actor("ann", Role.ANALYST)), case.model_id)
    assert again.terms == case.scored.terms
    pd.testing.assert_frame_equal(again.table, case.scored.table)
    with pytest.raises(AccessDenied):
        scores_of(acting(case.store, Actor("al", Role.AGENT)), case.model_id)
    before = case.store.models.champion(case.market.market_id)
    assert before is not None
    if SCORES not in before.card:
        with pytest.raises(NotFound, match="Train a new model"):
            scores_of(acting(case.store, MANAGER), before.model_id)


def test_altered_scores_are_not_read(king_county: Case) -> None:
    path = king_county.store.scores.path(str(king_county.store.models.get(king_county.model_id).card[SCORES]))
    content = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(content[:-1] + b"x")
    with pytest.raises(ArtifactCorrupt, match="Train the model again"):
        scores_of(acting(king_county.store, MANAGER), king_county.model_id)
    path.write_bytes(content)


def test_later_sales_are_scored_month_ahead(by_time: Case, problem: Problem) -> None:
    version = by_time.bundle.version_id
    later = later_scores(acting(by_time.store, MANAGER, problem), by_time.model_id, version)
    assert later.terms.split == "later"
    assert later.table["sale_date"].min().date() > by_time.bundle.model.profile.last_sale
    # The sealed test of a split by time is these very sales, priced in the same way.
    sealed = by_time.scored.table.set_index("intake_row")["estimate"]
    assert later.table.set_index("intake_row")["estimate"].to_dict() == pytest.approx(sealed.to_dict())
    assert later.table["baseline"].isna().all()


def test_model_that_has_seen_every_sale_has_no_later_ones(case: Case, problem: Problem) -> None:
    last = case.bundle.model.profile.last_sale
    if (case.sales["sale_date"].dt.date > last).any():
        pytest.skip("the latest sale happens to be a test sale")
    with pytest.raises(NotFound, match="Import newer sales"):
        later_scores(acting(case.store, MANAGER, problem), case.model_id, case.bundle.version_id)


def test_scope_is_signed_by_a_manager_and_stays_on_record(case: Case, problem: Problem) -> None:
    chosen = supports(case.scored, 100_000.0, 800_000.0, problem)
    assert signed_scope(case.store, case.model_id) is None
    with pytest.raises(AccessDenied):
        sign_scope(acting(case.store, Actor("ann", Role.ANALYST)), case.model_id, chosen, "")
    with pytest.raises(ReasonNeeded, match="This scope misses its target, a mean error of at most 10%"):
        sign_scope(acting(case.store, MANAGER), case.model_id, chosen, "as it is")
    first = sign_scope(acting(case.store, MANAGER), case.model_id, chosen, "for the pilot")
    assert (first.scope.low, first.scope.high, first.note, first.signed_by) == (
        100_000.0,
        800_000.0,
        "for the pilot",
        "mia",
    )
    sign_scope(acting(case.store, MANAGER), case.model_id, replace(chosen, high=700_000.0), "narrower prices")
    latest = signed_scope(case.store, case.model_id)
    assert latest is not None
    assert (latest.scope.high, latest.note) == (700_000.0, "narrower prices")
    with pytest.raises(ValueError, match="no bounds"):
        sign_scope(acting(case.store, MANAGER), case.model_id, replace(chosen, low=float("nan")), "")


def test_fit_check_counts_the_openings_of_the_test(case: Case) -> None:
    found = fit_of(acting(case.store, MANAGER), case.model_id)
    assert found is not None
    assert found.opened >= 1
    assert found.test.n == case.opened.evaluation.n
    assert found.train > 0


def test_appraisal_of_real_sales_says_what_the_data_lacks(king_county: Case, problem: Problem) -> None:
    report = build_evaluation_report(king_county.scored, problem)
    assert report is not None
    assert Segmentation.PROPERTY_TYPE not in report.segments
    assert Segmentation.ZIPCODE in report.segments
    names = {case.name for case in report.edge_cases}
    assert "tiny lots" in names
    assert "houseboat" not in names
    # The model is the linear baseline itself, and no list price is known.
    assert report.headline.rivals == ()
