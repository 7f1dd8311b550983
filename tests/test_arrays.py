"""Correlations without scipy.stats are those of scipy.stats, and a cold intake does not import it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from core.arrays import Floats, distinct, drawn, linear_correlation, rank_correlation

NUMBERS = st.lists(st.tuples(st.integers(0, 9), st.integers(-50, 50)), min_size=3, max_size=60)


@given(NUMBERS)
def test_correlations_are_those_of_scipy(pairs: list[tuple[int, int]]) -> None:
    one, other = (np.array(values, dtype="float64") for values in zip(*pairs, strict=True))
    if len(set(one)) < 2 or len(set(other)) < 2:
        assert np.isnan(linear_correlation(one, other))
        assert np.isnan(rank_correlation(one, other))
        return
    assert linear_correlation(one, other) == pytest.approx(pearsonr(one, other).statistic, abs=1e-9)
    assert rank_correlation(one, other) == pytest.approx(spearmanr(one, other).statistic, abs=1e-9)


def test_an_intake_by_the_command_line_waits_for_no_learning_package() -> None:
    code = (
        "import sys, core.cli.data, core.workflows.data.intake, core.workflows.source_files.mapped_files;"
        "print(*sorted({'scipy.stats', 'sklearn', 'lightgbm'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@given(st.lists(st.sampled_from([0.0, 1.5, np.nan]), min_size=1, max_size=30).map(lambda values: np.array([values]).T))
def test_distinct_rows_come_once_each_in_order_and_give_all_rows_back(rows: Floats) -> None:
    once, which = distinct(np.hstack([rows, rows]))
    assert len(once) == len({str(one) for one in rows[:, 0]})
    assert (np.diff(once) > 0).all()
    np.testing.assert_array_equal(rows[once][which], rows)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 9))
def test_rows_are_drawn_once_each_in_order_and_all_of_them_where_they_are_few(total: int, most: int, seed: int) -> None:
    rows = drawn(total, most, seed)
    assert len(rows) == min(total, most)
    assert sorted(set(rows.tolist())) == rows.tolist()
    assert set(rows.tolist()) <= set(range(total))
    assert drawn(total, most, seed).tolist() == rows.tolist()
