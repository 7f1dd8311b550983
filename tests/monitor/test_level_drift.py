"""A fall of prices is found soon, noise is not, and a change of the homes sold is no change of the market."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.monitor.drift import drift_from, references_of
from core.monitor.level_drift import EVERYWHERE, LevelVerdict, Movement, level_drift, movement
from tests.monitor.homes import NOISE, sales

FIELDS = ["living_area_sqft", "bedrooms", "year_built", "property_type", "area", "grade", "estimate"]
BASE = np.random.default_rng(0).normal(0, NOISE, 1_000)


def months(n: int, seed: int) -> list[pd.DataFrame]:
    rng = np.random.default_rng(seed)
    return [sales(n, rng) for _ in range(2)]


@pytest.mark.parametrize("n", [100, 300])
def test_a_fall_of_ten_percent_is_found_within_two_months(n: int) -> None:
    missed = 0
    for seed in range(50):
        agent_decisions = []
        for month in months(n, seed):
            fallen = month.assign(sale_price=month["sale_price"] * 0.9)
            found = level_drift(fallen, BASE, ["property_type"])
            assert found is not None
            agent_decisions.append(found.overall.verdict is LevelVerdict.FELL and found.overall.shift < -0.05)
        missed += not all(agent_decisions)
    # In both months, the alert's rule of two periods in a row included.
    assert missed == 0


@pytest.mark.parametrize("n", [100, 1_000])
def test_prices_that_stand_hardly_ever_seem_to_move(n: int) -> None:
    rng = np.random.default_rng(n)
    alarms = []
    for _ in range(100):
        found = level_drift(sales(n, rng), BASE, ["property_type", "area"])
        assert found is not None
        alarms.append(bool(found.moved) or found.overall.verdict in (LevelVerdict.FELL, LevelVerdict.ROSE))
    assert np.mean(alarms) <= 0.05


def test_one_area_that_fell_is_found_and_the_others_are_not() -> None:
    table = sales(2_000, np.random.default_rng(5))
    table.loc[table["area"] == "98139", "sale_price"] *= 0.85
    found = level_drift(table, BASE, ["area"])
    assert found is not None
    assert [one.segment for one in found.moved] == ["98139"]
    moved = found.moved[0]
    assert moved.low < -0.15 < moved.high < 0
    assert (moved.by, moved.n) == ("area", int((table["area"] == "98139").sum()))


def test_the_level_is_held_against_where_it_started() -> None:
    table = sales(2_000, np.random.default_rng(2))
    always = level_drift(table.assign(sale_price=table["sale_price"] * 1.05), BASE + np.log(1.05))
    assert always is not None
    assert always.overall.verdict is LevelVerdict.STEADY
    assert always.overall.segment == EVERYWHERE


def test_few_sales_and_none_are_not_judged() -> None:
    table = sales(29, np.random.default_rng(4))
    found = level_drift(table, BASE)
    assert found is not None
    assert found.overall.verdict is LevelVerdict.TOO_FEW
    assert np.isnan(level_drift(table[:1], [], ["area"]).overall.low)  # type: ignore[union-attr]
    assert level_drift(table[:0], BASE) is None


def test_sales_without_a_segment_are_in_none() -> None:
    table = sales(100, np.random.default_rng(4))
    table["area"] = [None] * 60 + ["98101"] * 40
    found = level_drift(table.astype({"area": "str"}), BASE, ["area"])
    assert found is not None
    assert [(one.segment, one.n) for one in found.segments] == [("98101", 40)]


@pytest.mark.parametrize(
    ("larger", "level", "expected"),
    [
        (1.0, 1.0, Movement.STEADY),
        (1.25, 1.0, Movement.INPUTS),
        (1.0, 0.9, Movement.MARKET),
        (1.25, 0.9, Movement.BOTH),
    ],
)
def test_inputs_and_market_are_told_apart(larger: float, level: float, expected: Movement) -> None:
    rng = np.random.default_rng(8)
    learned, current = sales(3_000, rng), sales(500, rng)
    # Larger homes at the price they are worth, and all at another level.
    current["living_area_sqft"] *= larger
    current[["estimate", "sale_price"]] *= larger
    current["sale_price"] *= level
    drift = drift_from(references_of(learned, FIELDS), current)
    moved = movement(drift, level_drift(current, BASE, ["property_type"]))
    assert moved.movement is expected
    assert ("living_area_sqft" in moved.fields) == (larger > 1)
    assert ("living area" in moved.words) == (larger > 1)
    assert ("below the level the model expects" in moved.words) == (level < 1)


def test_without_sales_nobody_knows_whether_the_market_moved() -> None:
    moved = movement([], None)
    assert moved.movement is Movement.UNKNOWN
    assert moved.words == (
        "Whether the market moved is not known yet: no home that the live model priced blind has a known sale."
    )


def test_what_sales_cannot_show_is_said_with_the_reason() -> None:
    table = sales(100, np.random.default_rng(4))
    few = movement([], level_drift(table[:12], BASE))
    assert few.words.endswith("12 sales with an earlier estimate are too few to show it.")
    ratio = 0.975 * np.exp(BASE[:100] - np.median(BASE[:100]) + np.median(BASE))
    unsure = movement([], level_drift(table.assign(sale_price=table["estimate"] * ratio), BASE))
    assert unsure.movement is Movement.UNKNOWN
    assert "homes sell 2.5% below the level" in unsure.words
    assert unsure.words.endswith("by 100 sales that may be within the 2% that count as steady.")
