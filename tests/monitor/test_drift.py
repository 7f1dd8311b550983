"""Drift is found where it is, and hardly ever where it is not, whatever the size of the month."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.monitor.drift import (
    SMALLEST,
    DriftVerdict,
    FeatureDrift,
    Reference,
    drift_from,
    drifted,
    feature_drift,
    psi,
    reference_of,
    references_of,
)
from tests.monitor.homes import homes


@pytest.fixture(scope="module")
def references() -> tuple[Reference, ...]:
    learned = homes(5_000, np.random.default_rng(1))
    return references_of(learned, [str(name) for name in learned])


def one(reference: Sequence[object], current: Sequence[object]) -> FeatureDrift:
    """The drift of a single column."""
    return feature_drift(pd.DataFrame({"x": reference}), pd.DataFrame({"x": current}), ["x"])[0]


def labels(counts: list[int]) -> list[str]:
    return [name for place, number in enumerate(counts) for name in ["abcdef"[place]] * number]


@pytest.mark.parametrize(
    ("before", "now", "published"),
    [
        # Shares by income of 2020 and 2021: www.geeksforgeeks.org/data-science/population-stability-index-psi/
        ([40, 30, 30], [35, 25, 40], 0.0446),
        # Published test of the package strappy 0.0.3 on PyPI, tests/test_psi.py: 6 a, 5 b against 5 a, 4 b.
        ([6, 5], [5, 4], 0.00041),
    ],
)
def test_the_index_is_that_of_published_worked_examples(before: list[int], now: list[int], published: float) -> None:
    assert psi(labels(before), labels(now)) == pytest.approx(published, abs=5e-5)
    # The same shares as numbers give the same index: few distinct values are counted by value.
    reference, current = ([float("abcdef".index(name)) for name in labels(counts)] for counts in (before, now))
    assert psi(reference, current) == pytest.approx(published, abs=5e-5)


def test_the_index_of_samples_of_one_population_is_what_chance_makes_it() -> None:
    rng = np.random.default_rng(3)
    found = [psi(rng.normal(size=1_000), rng.normal(size=200)) for _ in range(200)]
    # (B - 1)(1/n + 1/m) with ten buckets (Yurdakul 2018), a little more for the buckets' own edges.
    assert np.mean(found) == pytest.approx(9 * (1 / 1_000 + 1 / 200), rel=0.15)


def test_buckets_are_open_at_both_ends() -> None:
    reference = np.arange(1_000.0)
    assert psi(reference, np.concatenate([reference, [1e12, -1e12]])) < 0.001
    # All beyond the reference: the outer bucket has them all, none is lost.
    assert psi(reference, np.full(500, 1e9)) > 5
    assert psi(reference, np.full(500, -1e9)) > 5


def test_missing_values_are_a_bucket_of_their_own() -> None:
    full, half = [1.0, 2.0] * 50, [1.0, np.nan] * 50
    found = one(half, full)
    assert (found.missing_before, found.missing_now) == (0.5, 0.0)
    assert found.verdict is DriftVerdict.DRIFTED
    assert one(half, half).verdict is DriftVerdict.STEADY
    assert "missing in 50%, was 0%" in one(full, half).words


@pytest.mark.parametrize("column", [[5.0] * 60, ["a"] * 60, [np.nan] * 60, [None] * 60], ids=str)
def test_a_column_that_never_differs_is_steady(column: list[object]) -> None:
    found = one(column, column)
    assert (found.verdict, found.psi) == (DriftVerdict.STEADY, 0.0)


def test_a_constant_that_became_another_has_drifted() -> None:
    found = one([5.0] * 500, [6.0] * 60)
    assert found.verdict is DriftVerdict.DRIFTED
    assert (found.unseen, found.unseen_share) == (("6.0",), 1.0)
    assert one([5.0] * 500, [np.nan] * 60).verdict is DriftVerdict.DRIFTED
    assert one([np.nan] * 500, [5.0] * 60).verdict is DriftVerdict.DRIFTED


def test_unseen_categories_are_named_the_most_frequent_first() -> None:
    found = one(["house", "condo"] * 300, ["house", "condo"] * 40 + ["boat"] * 5 + ["cave"] * 15)
    assert found.unseen == ("cave", "boat")
    assert found.unseen_share == pytest.approx(0.2)
    assert found.verdict is DriftVerdict.DRIFTED
    assert "20% have values the model has never seen (cave, boat)" in found.words


def test_few_values_are_not_judged() -> None:
    found = one([1.0, 2.0] * 300, [7.0] * (SMALLEST - 1))
    assert found.verdict is DriftVerdict.TOO_FEW
    assert "29 values are too few" in found.words
    assert one([1.0, 2.0] * 300, []).verdict is DriftVerdict.TOO_FEW


def test_no_reference_and_dates_are_refused() -> None:
    with pytest.raises(ValueError, match="no rows"):
        reference_of(pd.Series([], dtype=float), "bedrooms")
    with pytest.raises(ValueError, match="sale_date holds dates"):
        reference_of(pd.Series(pd.to_datetime(["2024-01-01"])), "sale_date")
    with pytest.raises(ValueError, match="rows on both sides"):
        psi([1.0, 2.0], [])


def test_only_fields_of_both_tables_are_compared() -> None:
    learned, current = (
        pd.DataFrame({"a": [1.0] * 50, "b": [1.0] * 50}),
        pd.DataFrame({"b": [1.0] * 50, "c": [1.0] * 50}),
    )
    assert [found.field for found in feature_drift(learned, current, ["a", "b", "c"])] == ["b"]


@given(st.lists(st.sampled_from([1.0, 2.0, 3.0, float("nan")]), min_size=1, max_size=40), st.data())
@settings(max_examples=50)
def test_the_index_is_never_negative_and_blind_to_order(before: list[float], data: st.DataObject) -> None:
    now = data.draw(st.lists(st.sampled_from([1.0, 2.0, 3.0, 9.0, float("nan")]), min_size=1, max_size=40))
    assert psi(before, now) >= 0
    assert psi(before, now) == pytest.approx(psi(before[::-1], now[::-1]))
    assert psi(before, before) == 0


@pytest.mark.parametrize("n", [100, 300, 1_000, 5_000])
def test_months_without_drift_hardly_ever_alarm(references: tuple[Reference, ...], n: int) -> None:
    """Any of fifteen facts found drifted, sure and large, makes a false alarm; the rule of two months is not used."""
    rng = np.random.default_rng(n)
    alarms = [bool(drifted(drift_from(references, homes(n, rng)))) for _ in range(40)]
    assert np.mean(alarms) <= 0.05


@pytest.mark.parametrize("n", [300, 1_000])
def test_real_drift_of_a_fact_is_found_in_its_first_month(references: tuple[Reference, ...], n: int) -> None:
    rng = np.random.default_rng(7)
    found = []
    for _ in range(20):
        month = homes(n, rng)
        month["living_area_sqft"] *= 1.15
        month.loc[rng.random(n) < 0.10, "property_type"] = "houseboat"
        found.append({drift.field for drift in drifted(drift_from(references, month))})
    # Both of them, nothing else, and hardly a month missed.
    assert np.mean([{"living_area_sqft", "property_type"} == fields for fields in found]) >= 0.9
    assert set.union(*found) == {"living_area_sqft", "property_type"}
