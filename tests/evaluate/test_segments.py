"""Segments: bands as managers name them, nothing lost, thin ones marked, and the sales of a cell worst first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.evaluate.scored_sales import ScoredSales
from core.evaluate.segmentation import NOT_KNOWN, Segmentation, available, segments_of
from core.evaluate.segments import by_segment, sales_of, surely_over, worst
from core.problem import Problem, load_problem
from tests.evaluate.scored_sales import TERMS, scored_sales


@pytest.fixture(scope="module")
def scored() -> ScoredSales:
    return scored_sales(800)


def test_price_bands_of_dollars_are_the_usual_ones(scored: ScoredSales, problem: Problem) -> None:
    bands = segments_of(scored, Segmentation.PRICE_BAND, problem)
    assert [*bands.cat.categories] == ["under $200K", "$200K to $500K", "$500K to $1M", "$1M and over"]
    price = scored.table["sale_price"]
    assert (bands == "under $200K").equals(price < 200_000)
    assert (bands == "$1M and over").equals(price >= 1_000_000)


def test_price_bands_elsewhere_are_quarters_of_the_market(problem: Problem) -> None:
    abroad = scored_sales(400, terms=replace(TERMS, currency="SGD"))
    bands = segments_of(abroad, Segmentation.PRICE_BAND, problem)
    assert bands.nunique() == 4
    assert bands.value_counts().between(95, 105).all()
    assert bands.cat.categories[0].startswith("under S$")


def test_confidence_words_are_those_the_agent_saw(scored: ScoredSales, problem: Problem) -> None:
    table = scored.table.assign(confidence=np.tile([0.444, 0.446, 0.646, 0.644], len(scored.table) // 4))
    words = segments_of(ScoredSales(scored.terms, table), Segmentation.CONFIDENCE, problem)
    assert words[:4].tolist() == ["low", "medium", "high", "medium"]


def test_missing_facts_are_a_segment_of_their_own(scored: ScoredSales, problem: Problem) -> None:
    sizes = segments_of(scored, Segmentation.SIZE, problem)
    assert (sizes == NOT_KNOWN).equals(scored.table["living_area_sqft"].isna())
    assert sizes.cat.categories[-1] == NOT_KNOWN
    metric = ScoredSales(replace(scored.terms, area_unit="sqm"), scored.table)
    assert "m²" in segments_of(metric, Segmentation.SIZE, problem).cat.categories[0]


def test_homes_sold_before_they_were_built_are_new(scored: ScoredSales, problem: Problem) -> None:
    table = scored.table.assign(age=np.where(scored.table.index == 0, -1.0, scored.table["age"]))
    assert segments_of(ScoredSales(scored.terms, table), Segmentation.AGE, problem)[0] == "up to 1 year"


def test_constant_column_is_one_segment_and_not_offered(scored: ScoredSales, problem: Problem) -> None:
    same = ScoredSales(scored.terms, scored.table.assign(sale_price=300_000.0, living_area_sqft=1_000.0))
    for by in (Segmentation.PRICE_TENTH, Segmentation.SIZE, Segmentation.PRICE_BAND):
        assert by not in available(same, problem)
        assert len(by_segment(same, (by,), problem)) == 1


def test_cell_of_one_sale_is_thin_and_has_no_interval_of_its_median(scored: ScoredSales, problem: Problem) -> None:
    kinds = scored.table["property_type"].mask(scored.table.index == scored.priced.index[0], "castle")
    found = by_segment(
        ScoredSales(scored.terms, scored.table.assign(property_type=kinds)), (Segmentation.PROPERTY_TYPE,), problem
    )
    assert "single family" in set(found["property type"])
    castle = found[found["property type"] == "castle"].iloc[0]
    assert castle["n"] == 1
    assert castle["thin"]
    assert np.isnan([castle["mdape_low"], castle["mape_high"]]).all()
    assert not worst(found)["thin"].any()


def test_small_samples_surely_over_a_limit_are_named_worst_first() -> None:
    table = pd.DataFrame(
        {
            "segment": ["many", "few and surely over", "few and perhaps over", "few, over by more"],
            "thin": [False, True, True, True],
            "mape": [0.30, 0.28, 0.20, 0.40],
            "mape_low": [0.25, 0.17, 0.08, 0.11],
        }
    )
    assert surely_over(table, 0.10)["segment"].tolist() == ["few, over by more", "few and surely over"]


def test_sales_of_a_cell_come_worst_first(scored: ScoredSales, problem: Problem) -> None:
    cells = by_segment(scored, (Segmentation.PRICE_BAND, Segmentation.PROPERTY_TYPE), problem)
    for cell in cells.to_dict("records"):
        chosen = {by: cell[by.value] for by in (Segmentation.PRICE_BAND, Segmentation.PROPERTY_TYPE)}
        sales = sales_of(scored, chosen, problem)
        assert len(sales) == cell["n"]
        assert sales["error"].abs().is_monotonic_decreasing
        assert sales["error"].abs().mean() == pytest.approx(cell["mape"], abs=1e-12)
    assert sales_of(scored, {Segmentation.ZIPCODE: "no such"}, problem).empty
    assert len(sales_of(scored, {}, problem)) == len(scored.priced)


@pytest.mark.parametrize("by", [(), (Segmentation.AGE, Segmentation.AGE), tuple(Segmentation)[:3]])
def test_one_or_two_different_segmentations(
    scored: ScoredSales, by: tuple[Segmentation, ...], problem: Problem
) -> None:
    with pytest.raises(ValueError, match="one segmentation, or two"):
        by_segment(scored, by, problem)


PROBLEM = load_problem()


@settings(max_examples=15)
@given(st.integers(1, 60), st.integers(0, 1_000), st.sampled_from(Segmentation), st.sampled_from(Segmentation))
def test_sales_of_all_segments_are_the_whole(n: int, seed: int, first: Segmentation, second: Segmentation) -> None:
    scored = scored_sales(n, seed)
    by = (first,) if first is second else (first, second)
    if scored.priced.empty:
        return
    found = by_segment(scored, by, PROBLEM)
    assert found["n"].sum() == len(scored.priced)
    shuffled = ScoredSales(scored.terms, scored.table.sample(frac=1.0, random_state=1))
    pd.testing.assert_frame_equal(by_segment(shuffled, by, PROBLEM), found)
