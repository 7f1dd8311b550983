"""A jump in assessed value beyond the area's: what an assessor saw of a renovation, never of a sale's price."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.collect.merge import Merged
from core.prepare.assessed_rise import roll_with_rise, with_assessed_rise

COUNT = 60


def roll_of(usual: float = 1.1, renovated: float = 1.32) -> pd.DataFrame:
    """Sixty homes in two zip codes: values rose by 10% in one and not at all in the other; two homes rose more."""
    north = np.arange(COUNT) < COUNT // 2
    ratio = np.where(north, usual, 1.0)
    ratio[[0, 59]] = renovated, 1.2
    prior = 200_000.0 + 1_000 * np.arange(COUNT)
    return pd.DataFrame(
        {
            "property_id": [f"P{n}" for n in range(COUNT)],
            "zipcode": np.where(north, "00101", "00102"),
            "assessed_value": prior * ratio,
            "prior_assessed_value": prior,
            "assessed_on": pd.Timestamp("2024-01-01"),
        }
    )


def merged_of(sales: pd.DataFrame, roll: pd.DataFrame | None) -> Merged:
    none = pd.DataFrame()
    return Merged(sales, none, 0, 0, 0, 0, (), none, none, roll)


def sold(roll: pd.DataFrame, day: str = "2024-06-01", price: float = 300_000.0) -> pd.DataFrame:
    return roll.assign(source_row=range(1, len(roll) + 1), sale_date=pd.Timestamp(day), sale_price=price)


def test_the_rise_is_that_beyond_what_is_usual_in_the_zip_code() -> None:
    rise = roll_with_rise(roll_of())["assessed_rise"]
    assert rise[0] == 20.0  # 1.32 / 1.10
    assert rise[59] == 20.0  # 1.20 / 1.00
    assert rise.drop([0, 59]).eq(0.0).all()


def test_an_area_of_few_homes_is_held_against_the_whole_roll() -> None:
    roll = roll_of()
    roll.loc[roll.index[:3], "zipcode"] = "00103"
    rise = roll_with_rise(roll)["assessed_rise"]
    usual = (roll["assessed_value"] / roll["prior_assessed_value"]).median()
    assert rise[1] == round(100 * (1.1 / usual - 1), 1)


@pytest.mark.parametrize(("day", "known"), [("2023-12-31", False), ("2024-01-01", False), ("2024-01-02", True)])
def test_a_sale_up_to_the_day_of_the_assessment_has_no_rise(day: str, known: bool) -> None:
    roll = roll_of()
    found = with_assessed_rise(merged_of(sold(roll, day), roll))
    assert found.frame["assessed_rise"].notna().all() == known
    assert found.frame["assessed_rise"].isna().all() == (not known)
    assert found.roll is not None
    assert found.roll["assessed_rise"].notna().all()


@pytest.mark.parametrize("missing", ["assessed_on", "prior_assessed_value", "assessed_value"])
def test_without_a_day_or_one_of_the_values_nothing_is_added(missing: str) -> None:
    roll = roll_of().drop(columns=missing)
    merged = merged_of(sold(roll), roll)
    assert with_assessed_rise(merged) is merged


def test_a_home_that_was_not_assessed_twice_has_none() -> None:
    roll = roll_of()
    roll.loc[[3, 4], "prior_assessed_value"] = [np.nan, 0.0]
    roll.loc[5, "assessed_on"] = pd.NaT
    rise = with_assessed_rise(merged_of(sold(roll), roll)).frame["assessed_rise"]
    assert rise[rise.isna()].index.tolist() == [3, 4, 5]


@given(scale=st.floats(0.2, 5.0), price=st.floats(10_000, 1e7))
def test_neither_prices_nor_the_level_of_the_whole_roll_move_a_rise(scale: float, price: float) -> None:
    roll = roll_of()
    higher = roll.assign(assessed_value=roll["assessed_value"] * scale)
    plain = with_assessed_rise(merged_of(sold(roll), roll)).frame["assessed_rise"]
    other = with_assessed_rise(merged_of(sold(higher, price=price), higher)).frame["assessed_rise"]
    np.testing.assert_allclose(other, plain, atol=0.11)  # to the rounding of 0.1
