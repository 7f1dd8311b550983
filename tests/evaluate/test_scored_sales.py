"""The scored table survives its file, refuses another release's, and narrows to sales asked for."""

from __future__ import annotations

import io
import json
from dataclasses import fields

import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.errors import ModelOutdated
from core.evaluate.edge_cases import edge_case_sales, edge_cases, flag_quality
from core.evaluate.reliability import calibration
from core.evaluate.scored_sales import FORMAT, ScoredSales, Terms, from_bytes, to_bytes
from core.problem import Problem
from tests.evaluate.scored_sales import scored_sales


@pytest.fixture(scope="module")
def scored() -> ScoredSales:
    return scored_sales(500)


def test_file_gives_the_same_scores_back(scored: ScoredSales) -> None:
    again = from_bytes(to_bytes(scored))
    assert again.terms == scored.terms
    pd.testing.assert_frame_equal(again.table, scored.table)


def test_file_of_another_release_is_refused(scored: ScoredSales) -> None:
    table = pq.read_table(io.BytesIO(to_bytes(scored)))
    other = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({}), other)
    with pytest.raises(ModelOutdated, match="Train a new model"):
        from_bytes(other.getvalue())


def test_file_of_the_release_before_whose_terms_had_another_name_is_refused(scored: ScoredSales) -> None:
    table = pq.read_table(io.BytesIO(to_bytes(scored)))
    terms = json.loads(table.schema.metadata[b"doorstep"]) | {"format": 1}
    terms["within"] = terms.pop("tolerance")
    old = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({b"doorstep": json.dumps(terms).encode()}), old)
    with pytest.raises(ModelOutdated, match="Train a new model"):
        from_bytes(old.getvalue())


def test_the_format_of_the_scores_is_raised_with_their_terms() -> None:
    # A name of the terms that changes without the format makes every market with an older model fail.
    names = (
        *("market_id", "data_version", "split", "seed", "currency", "area_unit", "level", "levels", "tolerance"),
        *("standard_low", "standard_high"),
    )
    assert (FORMAT, tuple(field.name for field in fields(Terms))) == (2, names)


def test_latest_months_are_those_before_the_latest_sale(scored: ScoredSales) -> None:
    latest = scored.latest(3)
    last = scored.table["sale_date"].max()
    assert 0 < len(latest.table) < len(scored.table)
    assert latest.table["sale_date"].min() > last - pd.DateOffset(months=3)
    assert latest.table["sale_date"].max() == last


def test_flags_are_counted_by_kind(scored: ScoredSales) -> None:
    found = flag_quality(scored)
    kinds = found.kinds.set_index("kind")
    review = scored.priced["review"]
    assert set(kinds.index) == {"low confidence", "unusual type"}
    assert kinds.loc["low confidence", "flagged"] == review.str.contains("low confidence").sum()
    assert found.flagged == (review != "").sum()
    missed = (scored.priced["estimate"] / scored.priced["sale_price"] - 1).abs() > 0.20
    unusual = missed[review.str.contains("unusual type")]
    assert kinds.loc["unusual type", "precision"] == pytest.approx(unusual.mean())


def test_no_flag_and_no_big_miss_have_no_share(scored: ScoredSales) -> None:
    perfect = scored.table.assign(estimate=scored.table["sale_price"], review="")
    found = flag_quality(ScoredSales(scored.terms, perfect))
    assert (found.misses, found.flagged, len(found.kinds)) == (0, 0, 0)
    assert found.recall.n == found.precision.n == 0


def test_sales_of_an_edge_case_are_worst_first(scored: ScoredSales, problem: Problem) -> None:
    for case in edge_cases(scored, problem):
        sales = edge_case_sales(scored, case.name, problem)
        assert len(sales) == case.n
        assert sales["error"].abs().dropna().is_monotonic_decreasing
        assert sales["error"].notna().sum() == case.priced
    with pytest.raises(KeyError):
        edge_case_sales(scored, "castles", problem)


def test_set_the_data_cannot_tell_is_left_out(scored: ScoredSales, problem: Problem) -> None:
    plain = scored.table.assign(units=float("nan"), zoning=pd.Series([float("nan")] * 500, dtype="str"))
    names = {case.name for case in edge_cases(ScoredSales(scored.terms, plain), problem)}
    assert names.isdisjoint({"multi-unit", "commercial zoning"})
    assert "houseboat" in names


def test_confidence_bins_account_for_every_sale(scored: ScoredSales) -> None:
    found = calibration(scored)
    assert found is not None
    assert sum(one.observed.n for one in found.bins) == len(scored.priced)
    assert all(one.observed.low <= one.observed.value <= one.observed.high for one in found.bins)
