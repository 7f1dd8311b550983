"""Every figure of an evaluation equals an independent recomputation with pandas alone."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from core.evaluate.bias import area_bias
from core.evaluate.edge_cases import edge_cases
from core.evaluate.evaluation_report import build_evaluation_report
from core.evaluate.reliability import coverage_by_segment
from core.evaluate.scored_sales import ScoredSales, bounds_at
from core.evaluate.segmentation import Segmentation, available, segments_of
from core.evaluate.segments import MEASURES, by_segment
from core.problem import Problem
from tests.evaluate import recompute
from tests.evaluate.scored_sales import scored_sales

EXACT = 1e-9


@pytest.fixture(scope="module")
def scored() -> ScoredSales:
    return scored_sales(1_500)


def assert_equal_to_pandas(scored: ScoredSales, problem: Problem) -> None:
    """Recompute what an appraisal says of scored sales; used for made-up and for real sales."""
    table, report = scored.table[scored.table["priced"]], build_evaluation_report(scored, problem)
    assert report is not None
    for name, value in recompute.figures(table).items():
        assert report.headline.line(name).figure.value == pytest.approx(value, abs=EXACT), name
        assert report.headline.line(name).figure.n == len(table)
    hit_rate = report.headline.line("hit_rate").figure
    assert hit_rate.value == pytest.approx(scored.table["priced"].mean(), abs=EXACT)
    ratio = recompute.ratios(table)
    for one in report.ratio_judged:
        assert one.figure.value == pytest.approx(ratio[one.name], abs=EXACT), one.name
    assert report.calibration.error == pytest.approx(recompute.calibration_error(table, 0.10), abs=EXACT)
    recall, precision = recompute.recall_and_precision(table)
    assert report.flags.recall.value == pytest.approx(recall, abs=EXACT)
    assert report.flags.precision.value == pytest.approx(precision, abs=EXACT)
    for rival in report.headline.rivals:
        column = {"linear baseline": "baseline", "list price": "list_price"}[rival.name]
        both = table.dropna(subset=[column])
        theirs, ours = ((both[name] / both["sale_price"] - 1).abs() for name in (column, "estimate"))
        assert rival.saved.value == pytest.approx((theirs - ours).mean(), abs=EXACT)
        assert (rival.ours, rival.theirs) == pytest.approx((ours.mean(), theirs.mean()), abs=EXACT)


def assert_segments_equal(scored: ScoredSales, by: tuple[Segmentation, ...], problem: Problem) -> None:
    table = scored.table[scored.table["priced"]]
    labels = [segments_of(scored, one, problem)[table.index].rename(one.value) for one in by]
    expected = recompute.by_group(table, labels).reset_index()
    found = by_segment(scored, by, problem)
    assert found["n"].sum() == len(table)
    assert [*found["n"]] == [*expected["n"]]
    for name in (*(one.value for one in by), *MEASURES):
        for mine, theirs in zip(found[name], expected[name], strict=True):
            assert mine == (theirs if isinstance(theirs, str) else pytest.approx(theirs, abs=EXACT)), name
    for name in MEASURES:
        known = found.dropna(subset=[f"{name}_low", f"{name}_high"])
        assert (known[f"{name}_low"] <= known[name] + EXACT).all()
        assert (known[f"{name}_high"] >= known[name] - EXACT).all()
    assert (found["thin"] == (found["n"] < problem.estimate.small_sample_n)).all()


def test_figures_of_made_up_sales(scored: ScoredSales, problem: Problem) -> None:
    assert_equal_to_pandas(scored, problem)


@pytest.mark.parametrize("by", list(Segmentation))
def test_every_segmentation(scored: ScoredSales, by: Segmentation, problem: Problem) -> None:
    assert_segments_equal(scored, (by,), problem)


@pytest.mark.parametrize(
    "by",
    [(Segmentation.PRICE_TENTH, Segmentation.ZIPCODE), (Segmentation.CONFIDENCE, Segmentation.PROPERTY_TYPE)],
)
def test_crossed_segmentations(scored: ScoredSales, by: tuple[Segmentation, Segmentation], problem: Problem) -> None:
    assert_segments_equal(scored, by, problem)


def test_segmentations_without_a_fact_are_not_offered(scored: ScoredSales, problem: Problem) -> None:
    offered = available(scored, problem)
    assert Segmentation.NEIGHBOURHOOD not in offered
    assert {Segmentation.PRICE_BAND, Segmentation.PROPERTY_TYPE, Segmentation.QUARTER} <= set(offered)


def test_coverage_of_every_segment_and_level(scored: ScoredSales, problem: Problem) -> None:
    table = scored.priced
    bands = segments_of(scored, Segmentation.ESTIMATE_BAND, problem)[table.index]
    found = coverage_by_segment(scored, Segmentation.ESTIMATE_BAND, problem)
    assert len(found) == bands.nunique() * len(scored.terms.levels)
    for row in found.to_dict("records"):
        low, high = bounds_at(row["level"])
        cell = table[bands == row[Segmentation.ESTIMATE_BAND.value]]
        assert row["n"] == len(cell)
        assert row["coverage"] == pytest.approx(cell["sale_price"].between(cell[low], cell[high]).mean(), abs=EXACT)
        assert row["width"] == pytest.approx(((cell[high] - cell[low]) / cell["point"]).median(), abs=EXACT)


def test_areas(scored: ScoredSales, problem: Problem) -> None:
    table = scored.priced
    signed = table["estimate"] / table["sale_price"] - 1
    areas = area_bias(scored, problem).set_index("area")
    pd.testing.assert_series_equal(areas["bias"], signed.groupby(table["zipcode"]).median(), check_names=False)
    pd.testing.assert_series_equal(areas["mean_error"], signed.groupby(table["zipcode"]).mean(), check_names=False)
    pd.testing.assert_series_equal(areas["latitude"], table.groupby("zipcode")["latitude"].mean(), check_names=False)
    assert areas["n"].sum() == len(table)


def test_edge_cases(scored: ScoredSales, problem: Problem) -> None:
    table = scored.table
    masks = {
        "luxury": table["sale_price"] >= table["sale_price"].quantile(0.98),
        "above the standard scope": table["sale_price"] > 800_000,
        "below the standard scope": table["sale_price"] < 100_000,
        "houseboat": table["property_type"] == "houseboat",
        "historic": table["property_type"] == "historic",
        "commercial zoning": table["zoning"] == "Commercial C1",
        "multi-unit": table["units"] > 4,
        "tiny lots": table["lot_area_sqft"] <= table["lot_area_sqft"].quantile(0.02),
        "new builds": table["age"] <= 1,
        "missing facts": table["missing"] != "",
    }
    found = {one.name: one for one in edge_cases(scored, problem)}
    assert set(masks) <= set(found)
    assert found["historic"].n == 0
    for name, rows in masks.items():
        case, priced = found[name], table[rows & table["priced"]]
        assert (case.n, case.priced) == (rows.sum(), len(priced)), name
        if case.priced:
            signed = priced["estimate"] / priced["sale_price"] - 1
            assert case.mape.value == pytest.approx(signed.abs().mean(), abs=EXACT)
            assert math.isfinite(case.mape.high) == (case.priced >= 5), "two homes have no interval to speak of"
            assert case.bias.value == pytest.approx(signed.median(), abs=EXACT)
            assert case.reviewed.value == pytest.approx((priced["review"] != "").mean(), abs=EXACT)
            assert case.withheld.value == pytest.approx(1 - len(priced) / rows.sum(), abs=EXACT)
