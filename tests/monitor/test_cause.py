"""The cause of a rise is the one that made it, the parts add up, and chance gets no name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.measures import mape
from core.monitor.cause import Leading, RootCause, root_cause
from tests.monitor.homes import sales

Turn = Callable[[pd.DataFrame], pd.Series]


def larger(table: pd.DataFrame) -> pd.Series:
    return np.log(table["living_area_sqft"] / np.exp(7.5))


def level(table: pd.DataFrame) -> pd.Series:
    return pd.Series(-0.12, index=table.index)


def less_for_size(table: pd.DataFrame) -> pd.Series:
    return -0.35 * larger(table)


def less_for_luxury(table: pd.DataFrame) -> pd.Series:
    dear = np.log(table["estimate"])
    return -0.5 * np.maximum(dear - dear.median(), 0.0)


def one_area(table: pd.DataFrame) -> pd.Series:
    return (table["area"] == "98139") * -0.35


def turned(*turns: Turn, n: int = 1_000, seed: int = 1) -> RootCause:
    """The cause found after prices turned so, on sales of their own."""
    rng = np.random.default_rng(seed)
    reference, current = sales(3_000, rng), sales(n, rng)
    change = sum((turn(current) for turn in turns), pd.Series(0.0, index=current.index))
    found = root_cause(reference, current.assign(sale_price=current["sale_price"] * np.exp(change)), "USD", "sqft")
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(3))
def test_a_pure_shift_is_put_down_to_the_price_level(seed: int) -> None:
    found = turned(level, seed=seed)
    assert found.leading is Leading.LEVEL
    assert found.level.share >= 0.8
    assert abs(found.features.share) <= 0.1
    assert found.level_shift == pytest.approx(np.expm1(-0.12), abs=0.02)
    assert "Price level" in found.words


@pytest.mark.parametrize(("turn", "feature"), [(less_for_size, "living_area_sqft"), (less_for_luxury, "estimate")])
def test_what_buyers_pay_for_is_put_down_to_its_feature(turn: Turn, feature: str) -> None:
    found = turned(turn)
    assert found.leading is Leading.FEATURES
    assert found.by_feature[0].name == feature
    assert found.by_feature[0].share > 0.5 > found.level.share


def test_both_on_top_of_one_another_are_told_apart() -> None:
    found = turned(level, less_for_size, n=1_500)
    alone = turned(level, n=1_500)
    assert found.by_feature[0].name == "living_area_sqft"
    assert found.level.points > 0.01
    assert found.features.points > 0.01
    assert abs(alone.features.points) < 0.003
    assert "the largest homes sell" in found.words
    assert "below the level" in found.by_feature[0].words


def test_one_area_that_fell_comes_first() -> None:
    found = turned(one_area, n=2_000)
    assert found.leading is Leading.PLACES
    assert found.by_feature[0].name == "area"
    worst = found.segments[0]
    assert (worst.by, worst.segment) == ("area", "98139")
    assert worst.share > 0.6
    assert worst.bias > 0.2 > abs(worst.bias_before)
    assert "98139" in found.words


def test_a_place_of_few_sales_is_not_named_before_those_that_can_be_judged() -> None:
    rng = np.random.default_rng(6)
    reference, current = sales(3_000, rng), sales(1_000, rng)
    change = (current["area"] == "98139") * -0.35
    few = current.index[current["area"] == "98139"].to_numpy()[:4]
    # Four sales of a type of their own moved further than any area.
    current.loc[few, "property_type"] = "yurt"
    current["sale_price"] *= np.exp(change) * np.where(current.index.isin(few), 2.5, 1.0)
    found = root_cause(reference, current, "USD", "sqft")
    assert found is not None
    words = {part.name: part.words for part in found.by_feature}
    assert words["area"].startswith("98139 sells ")
    assert words["area"].endswith(f" below the rest ({(current['area'] == '98139').sum()} sales)")
    assert "yurt" not in words.get("property_type", "")


def test_the_cause_is_told_in_sentences_and_small_parts_together() -> None:
    found = turned(level, less_for_size, n=1_500)
    told = [one for one in (found.level, *found.by_feature) if one.points >= 0.0005]
    large = [one for one in told if one.share >= 0.10]
    assert len(large) > 0
    for one in large:
        assert f"{one.label} explains {100 * one.points:.1f} points ({one.share:.0%}): {one.words}." in found.words
    assert ("Lesser causes (" in found.words) == (len(large) < len(told))
    assert found.words.count(" explains ") == len(large)


def test_where_all_rose_alike_no_segment_stands_out() -> None:
    found = turned(level, n=3_000)
    assert max(one.excess for one in found.segments) < 0.15 * found.rise.value
    by_size = [one for one in found.segments if one.by == "living_area_sqft"]
    assert len(by_size) == 5
    assert all(one.share == pytest.approx(0.2, abs=0.1) for one in by_size)


def test_chance_gets_no_cause() -> None:
    named = [turned(n=400, seed=seed).leading for seed in range(20)]
    assert named.count(Leading.NONE) >= 18
    assert "no cause to name" in turned(n=400).words


@given(st.integers(10, 200), st.integers(10, 200), st.integers(0, 1_000), st.floats(-0.3, 0.3))
@settings(max_examples=15)
def test_the_parts_add_up_to_the_rise(before: int, now: int, seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    reference, current = sales(before, rng), sales(now, rng)
    current["sale_price"] *= np.exp(shift)
    found = root_cause(reference, current, "USD", "sqft", smallest=1)
    assert found is not None
    assert found.before == pytest.approx(mape(reference["estimate"], reference["sale_price"]))
    assert found.now == pytest.approx(mape(current["estimate"], current["sale_price"]))
    assert found.rise.value == pytest.approx(found.now - found.before)
    assert found.level.points + found.features.points + found.rest.points == pytest.approx(found.rise.value)
    assert sum(part.points for part in found.by_feature) == pytest.approx(found.features.points)
    for by, mix in found.mix.items():
        added = sum(one.points for one in found.segments if one.by == by)
        assert added + mix == pytest.approx(found.rise.value)


def test_facts_a_market_does_not_record_are_left_out() -> None:
    rng = np.random.default_rng(3)
    reference, current = (sales(300, rng)[["sale_price", "estimate"]] for _ in range(2))
    current["sale_price"] *= 0.85
    found = root_cause(reference, current.assign(living_area_sqft=np.nan), "USD", "sqft")
    assert found is not None
    assert found.leading is Leading.LEVEL
    assert {one.by for one in found.segments} == {"estimate"}


def test_no_sales_and_one_sale_have_no_cause() -> None:
    table = sales(50, np.random.default_rng(3))
    assert root_cause(table, table[:0], "USD", "sqft") is None
    assert root_cause(table[:0], table, "USD", "sqft") is None
    single = root_cause(table, table[:1], "USD", "sqft")
    assert single is not None
    assert single.leading is Leading.NONE
