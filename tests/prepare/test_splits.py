"""Splits: reproducible, disjoint, by whole dates, and equal to scikit-learn's split of the raw file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from core.errors import TooFewSales
from core.prepare.splits import Split, random_split, time_split
from core.problem import Problem, Training, load_problem

TRAINING: Training = dataclasses.replace(load_problem().training, sales_min=10)


def fixed_split(size: int) -> tuple[list[int], list[int], list[int]]:
    """The split every published figure of the benchmark files refers to."""
    rest, test = train_test_split(range(size), test_size=0.2, random_state=42)
    train, valid = train_test_split(rest, test_size=0.25, random_state=42)
    return train, valid, test


def test_random_split_is_that_of_the_raw_file(sales_data: Path, problem: Problem) -> None:
    rows = len(pd.read_csv(sales_data / "king_county" / "kc_house_data_2014_2015.csv", usecols=["id"]))
    assert rows == 21_613
    split = random_split(np.arange(rows), rows, problem.training, problem.training.seed)
    for mask, expected in zip((split.train, split.validation, split.test), fixed_split(rows), strict=True):
        assert np.flatnonzero(mask).tolist() == sorted(expected)
    assert split.sizes == (12967, 4323, 4323)


def test_random_split_of_cleaned_rows_keeps_each_row_in_the_set_of_the_raw_file() -> None:
    kept = np.delete(np.arange(1000), [0, 17, 500, 999])[::-1]
    split = random_split(kept, 1000, TRAINING, seed=42)
    for mask, expected in zip((split.train, split.validation, split.test), fixed_split(1000), strict=True):
        assert set(kept[mask].tolist()) == set(expected) & set(kept.tolist())


@given(st.integers(10, 400), st.integers(0, 2**32 - 1), st.data())
def test_random_split_puts_each_row_in_one_set_and_repeats_itself(size: int, seed: int, data: st.DataObject) -> None:
    seen = size + data.draw(st.integers(0, 50))
    rows = np.random.default_rng(seed).permutation(seen)[:size]
    split = random_split(rows, seen, TRAINING, seed)
    assert ((split.train.astype(int) + split.validation + split.test) == 1).all()
    again = random_split(rows, seen, TRAINING, seed)
    assert np.array_equal(split.test, again.test)
    assert np.array_equal(split.validation, again.validation)


def test_random_split_depends_on_the_seed() -> None:
    rows = np.arange(100)
    assert not np.array_equal(random_split(rows, 100, TRAINING, 1).test, random_split(rows, 100, TRAINING, 2).test)


@pytest.mark.parametrize("rows", [np.r_[0, np.arange(0, 20)], np.arange(1, 22), np.arange(-1, 19)])
def test_random_split_refuses_positions_outside_the_intake(rows: np.ndarray) -> None:
    with pytest.raises(ValueError, match="intake rows"):
        random_split(rows, 21, TRAINING, 0)


def test_too_few_sales_are_named_with_the_limit(problem: Problem) -> None:
    with pytest.raises(TooFewSales, match=r"299 sales.*300 \(training\.sales_min\)"):
        random_split(np.arange(299), 299, problem.training, 42)
    with pytest.raises(TooFewSales, match=r"299 sales"):
        time_split(pd.Series(pd.date_range("2020-01-01", periods=299)), problem.training)
    assert sum(random_split(np.arange(300), 300, problem.training, 42).sizes) == 300


def test_time_split_tests_on_the_latest_fifth() -> None:
    dates = pd.Series(pd.date_range("2020-01-01", periods=100)).sample(frac=1, random_state=3, ignore_index=True)
    split = time_split(dates, TRAINING)
    assert split.name == "time"
    assert split.sizes == (60, 20, 20)
    assert dates[split.train].max() < dates[split.validation].min()
    assert dates[split.validation].max() < dates[split.test].min()


@given(st.lists(st.integers(0, 60), min_size=10, max_size=200).filter(lambda days: len(set(days)) >= 3))
def test_time_split_never_divides_a_date(days: list[int]) -> None:
    dates = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta(days, unit="D"))
    split = time_split(dates, TRAINING)
    assert min(split.sizes) > 0
    assert dates[split.train].max() < dates[split.validation].min()
    assert dates[split.validation].max() < dates[split.test].min()


@given(st.permutations(list(range(40))))
def test_time_split_follows_the_date_and_not_the_row_order(order: list[int]) -> None:
    dates = pd.Series(pd.Timestamp("2020-01-01") + pd.to_timedelta([day // 2 for day in range(40)], unit="D"))
    straight, shuffled = time_split(dates, TRAINING), time_split(dates[order].reset_index(drop=True), TRAINING)
    assert np.array_equal(straight.test[order], shuffled.test)
    assert np.array_equal(straight.validation[order], shuffled.validation)


def test_time_split_needs_three_dates_and_no_missing_one() -> None:
    two = pd.Series(pd.to_datetime(["2020-01-01"] * 10 + ["2020-01-02"] * 10))
    with pytest.raises(TooFewSales, match="at least 3"):
        time_split(two, TRAINING)
    with pytest.raises(ValueError, match="1 sales have no date"):
        time_split(pd.Series([pd.NaT, *pd.date_range("2020-01-01", periods=20)]), TRAINING)


def test_split_refuses_a_row_in_two_sets_or_in_none() -> None:
    train, none = np.array([True, False]), np.array([False, False])
    with pytest.raises(ValueError, match="1 rows are in none or several"):
        Split("random", train, none, none)
    with pytest.raises(ValueError, match="2 rows are in none or several"):
        Split("random", train, ~train, np.array([True, True]))
    with pytest.raises(ValueError, match="different shapes"):
        Split("random", train, ~train, np.array([False]))
