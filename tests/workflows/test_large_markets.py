"""Two large markets of real sales: what the evaluation shows equals a recomputation with pandas alone."""

from __future__ import annotations

import gzip
import itertools
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from core.access import Actor, Role
from core.evaluate.edge_cases import BIG_MISS
from core.evaluate.evaluation_report import EvaluationReport, build_evaluation_report
from core.evaluate.reliability import coverage_by_segment
from core.evaluate.scored_sales import ScoredSales
from core.evaluate.segmentation import Segmentation
from core.evaluate.segments import MEASURES
from core.problem import Problem
from core.progress import silent
from core.states import Family
from core.store import ModelRecord, Store, open_store
from core.train.trainer import TrainingPlan
from core.workflows.data.intake import ingest
from core.workflows.models.explanations import open_explainer
from core.workflows.models.test_scores import scores_of
from core.workflows.source_files.reading import SourceFile
from core.workflows.training import train_model
from tests.acting import acting
from tests.evaluate import recompute
from tests.evaluate.test_figures import EXACT, assert_equal_to_pandas

MANAGER = Actor("mia", Role.MANAGER)
# The quickest model there is: the figures are worked out from its estimates, however good.
CHEAPEST = TrainingPlan("random", 42, (Family.LINEAR,), 0, 1, 2)
# Of Singapore's 169,151 sales in the order of sale every eighth line: of all years, and six times as quick.
STEP = 8


@dataclass(frozen=True)
class Large:
    """A market with many sales, a model, its scored test sales and their figures."""

    store: Store
    record: ModelRecord
    scored: ScoredSales
    report: EvaluationReport


@pytest.fixture(scope="module", params=["king_county_home", "singapore_home"])
def large(request: pytest.FixtureRequest, problem: Problem) -> Large:
    store = open_store(request.getfixturevalue(request.param))
    record = store.models.champion(store.markets.list()[0].market_id)
    assert record is not None
    version = store.versions.get(record.version_id)
    scored = scores_of(acting(store, MANAGER), record.model_id)
    report = build_evaluation_report(scored, problem)
    assert report is not None
    assert report.sales == len(scored.table) > 0.19 * version.rows > 0.19 * 20_000
    return Large(store, record, scored, report)


@pytest.fixture(scope="module")
def singapore_home(sales_data: Path, tmp_path_factory: pytest.TempPathFactory, problem: Problem) -> Path:
    home = tmp_path_factory.mktemp("singapore")
    path = home / "sales.csv"
    with gzip.open(sales_data / "singapore" / "hdb_resale_2017_2023.csv.gz", "rt", encoding="utf-8") as lines:
        path.write_text(next(lines) + "".join(itertools.islice(lines, 0, None, STEP)), encoding="utf-8")
    # A range calibrated on few sales is a range as well, and takes a tenth of the time.
    quick = replace(problem, training=replace(problem.training, calibration_sales=2_000))
    with open_store(home) as store:
        market = store.markets.create("Singapore", "SGD", "sqm", False, MANAGER)
        today = acting(store, MANAGER, problem, today=date(2026, 1, 1))
        ingest(today, market.market_id, [SourceFile(path, path.name)], silent)
        train_model(acting(store, MANAGER, quick), market.market_id, CHEAPEST, silent)
    return home


def test_headline_ratio_study_confidence_and_flags(large: Large, problem: Problem) -> None:
    assert_equal_to_pandas(large.scored, problem)


def test_every_segmentation(large: Large, problem: Problem) -> None:
    scored, rules = large.scored, problem.estimate
    cuts = (rules.confidence_medium, rules.confidence_high)
    assert len(large.report.segments) >= 7
    for by, found in large.report.segments.items():
        numbers = recompute.segments(scored.table, by.value, scored.terms.currency, cuts)
        priced = scored.table["priced"]
        expected = recompute.by_group(scored.table[priced], [numbers[priced]])
        assert [*found["n"]] == [*expected["n"]], by
        for name in MEASURES:
            assert found[name].to_list() == pytest.approx(expected[name].to_list(), abs=EXACT, nan_ok=True), (by, name)
        assert found["thin"].to_list() == (expected["n"] < rules.small_sample_n).to_list()


def test_ranges_of_every_level(large: Large, problem: Problem) -> None:
    scored, by = large.scored, Segmentation.ESTIMATE_TENTH
    found = coverage_by_segment(scored, by, problem)
    numbers = recompute.segments(scored.table, by.value, scored.terms.currency, (0, 0))[scored.table["priced"]]
    for level in scored.terms.levels:
        lines = found[found["level"] == level]
        assert len(lines) == numbers.nunique()
        for line, (_, sales) in zip(lines.to_dict("records"), scored.priced.groupby(numbers), strict=True):
            expected = recompute.bounds(sales, level)
            assert {name: line[name] for name in expected} == pytest.approx(expected, abs=EXACT)
            assert line["n"] == len(sales)


def test_areas(large: Large) -> None:
    area = large.scored.area
    assert area is not None
    table = large.scored.priced
    signed = (table["estimate"] - table["sale_price"]) / table["sale_price"]
    by_area = signed.groupby(table[area])
    expected = {"n": by_area.size(), "bias": by_area.median(), "mean_error": by_area.mean()}
    found = large.report.areas.set_index("area")
    for name, values in expected.items():
        assert found[name].to_dict() == pytest.approx(values.to_dict(), abs=EXACT)


def test_edge_cases_and_what_their_flags_catch(large: Large) -> None:
    table, terms = large.scored.table, large.scored.terms
    sets = {
        "luxury": table["sale_price"] >= table["sale_price"].quantile(0.98),
        "above the standard scope": table["sale_price"] > terms.standard_high,
        "below the standard scope": table["sale_price"] < terms.standard_low,
        "missing facts": table["missing"] != "",
    }
    found = {one.name: one for one in large.report.edge_cases}
    for name, rows in sets.items():
        priced = table[rows & table["priced"]]
        miss = (priced["estimate"] - priced["sale_price"]).abs() / priced["sale_price"]
        case = found[name]
        assert (case.n, case.priced) == (int(rows.sum()), len(priced)), name
        if case.priced:
            assert case.mape.value == pytest.approx(miss.mean(), abs=EXACT)
            assert case.reviewed.value == pytest.approx((priced["review"] != "").mean(), abs=EXACT)
    priced = table[table["priced"]]
    missed = (priced["estimate"] - priced["sale_price"]).abs() / priced["sale_price"] > BIG_MISS
    kinds = priced["review"].str.get_dummies(sep=";")
    for line in large.report.flags.kinds.to_dict("records"):
        carried = kinds[line["kind"]] == 1
        assert line["flagged"] == carried.sum()
        assert line["precision"] == pytest.approx(missed[carried].mean(), abs=EXACT)
        assert line["recall"] == pytest.approx(carried[missed].mean(), abs=EXACT)


def test_the_worst_misses_are_explained_by_the_very_estimates_scored(large: Large, problem: Problem) -> None:
    explainer = open_explainer(acting(large.store, MANAGER, problem), large.record.model_id, large.scored)
    table = large.scored.priced
    size = ((table["estimate"] - table["sale_price"]) / table["sale_price"]).abs()
    for row in table.loc[size.nlargest(5).index, "intake_row"]:
        miss = explainer.miss(int(row))
        assert miss.same_as_scored
        assert miss.explained is not None
        assert (miss.explained.low, miss.explained.high) == (miss.low, miss.high)
