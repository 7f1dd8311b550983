"""What a pilot shows: worked examples by hand, and a verdict that claims no more than its intervals bear."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.monitor.pilot import (
    Comparisons,
    accuracy_of_sold,
    comparisons,
    decided_of,
    share_of,
    use_of,
    verdict_words,
)
from core.monitor.welch import difference_in_differences, welch
from core.problem import Problem

START = pd.Timestamp("2026-03-02")


def sold(days: list[int], inside: bool, after: bool, cuts: list[float] | None = None) -> pd.DataFrame:
    """Listings that sold after these days; ``cuts`` are shares of a first price of 100,000."""
    listed = START if after else START - pd.Timedelta(days=40)
    cut = np.array(cuts if cuts is not None else [0.0] * len(days))
    return pd.DataFrame(
        {
            "list_date": listed,
            "sale_date": listed + pd.to_timedelta(days, unit="D"),
            "first_list_price": 100_000.0,
            "list_price": 100_000.0 * (1 - cut),
            "inside": inside,
            "after": after,
        }
    )


def test_welchs_interval_is_that_of_scipy() -> None:
    first, second = np.array([4.0, 6.0, 8.0, 9.0]), np.array([9.0, 11.0, 16.0])
    expected = stats.ttest_ind(first, second, equal_var=False).confidence_interval()
    assert welch(first, second)[1:] == pytest.approx((expected.low, expected.high))


def test_a_difference_in_differences_worked_by_hand() -> None:
    # Means 6, 10, 12 and 13: (6 - 10) - (12 - 13) = -3. Each group has the variance 4 and n = 3, so the variance of
    # the contrast is 4 * 4/3 = 16/3; Welch's freedom is (16/3)**2 / (4 * (4/3)**2 / 2) = 8.
    groups = [np.array([mean - 2.0, mean, mean + 2.0]) for mean in (6.0, 10.0, 12.0, 13.0)]
    half = 2.306004135 * math.sqrt(16 / 3)
    assert difference_in_differences(*groups) == pytest.approx((-3.0, -3.0 - half, -3.0 + half))
    value, low, high = difference_in_differences(groups[0], groups[1][:1], groups[2], groups[3])
    assert (value, math.isnan(low), math.isnan(high)) == ((6.0 - 8.0) - (12.0 - 13.0), True, True)


def test_use_decisions_and_accuracy_worked_by_hand(problem: Problem) -> None:
    requests = pd.DataFrame({"actor": ["Ann", "Ann", "Ben"], "n": [3, 2, 1], "priced": [3, 1, 1]})
    use = use_of(requests, pd.Series([False, True, False]))
    assert (use.estimates, use.priced, use.agents, use.active) == (6, 5, 2, 1)
    decided = decided_of(pd.DataFrame({"kind": ["accept", "override", "accept"], "n": [2, 1, 1]}), 5)
    assert decided.kinds == {"accept": 3, "adjust": 0, "override": 1}
    assert (decided.decided.value, decided.accepted.value) == (0.8, 0.75)
    # Clopper and Pearson for 3 of 4.
    assert (decided.accepted.low, decided.accepted.high) == pytest.approx((0.19412, 0.99369), abs=1e-5)
    # Errors 0, 5, 10, 20, 30 and 40%: the median is 15%, and 10% itself counts as within.
    sales = pd.DataFrame({"point": [100.0, 95.0, 110.0, 120.0, 70.0, 140.0], "sale_price": 100.0})
    found = accuracy_of_sold(sales, problem)
    assert found is not None
    assert (found.n, found.thin) == (6, True)
    assert found.mdape.value == pytest.approx(0.15)
    assert (found.mdape.low, found.mdape.high) == pytest.approx((0.0, 0.40))
    assert found.within.value == pytest.approx(0.5)
    assert accuracy_of_sold(sales.head(0), problem) is None
    assert math.isnan(share_of(0, 0).value)


def test_listings_are_compared_with_the_others_and_with_before(problem: Problem) -> None:
    table = pd.concat(
        [
            sold([4, 6, 8], inside=True, after=True, cuts=[0.0, 0.0, 0.03]),
            sold([8, 10, 12], inside=True, after=False),
            sold([10, 12, 14], inside=False, after=True),
            sold([11, 13, 15], inside=False, after=False, cuts=[0.1, 0.2, 0.0]),
        ],
        ignore_index=True,
    )
    found = comparisons(table, problem)
    others, before, changes = ({one.name: one for one in part} for part in (found.others, found.before, found.changes))
    assert others["days_on_market"].difference.value == pytest.approx(6 - 12)
    assert before["days_on_market"].difference.value == pytest.approx(6 - 10)
    assert changes["days_on_market"].difference.value == pytest.approx((6 - 10) - (12 - 13))
    assert changes["price_cut"].difference.value == pytest.approx((0.01 - 0.0) - (0.0 - 0.1))
    assert changes["was_cut"].difference.value == pytest.approx((1 / 3 - 0) - (0 - 2 / 3))
    assert all(one.thin for one in changes.values())
    assert "too few to compare (3 listings in the smallest group)" in changes["days_on_market"].words
    assert verdict_words(20, found) == "There are too few sold listings to compare, so the pilot's effect is not known."


def of_size(n: int, effect: int, problem: Problem) -> Comparisons:
    """Four groups of n listings that took 13 to 27 days in turn, the pilot's later ones ``effect`` days less."""

    def days(mean: int) -> list[int]:
        return [mean - 7 + place % 15 for place in range(n)]

    groups = (
        sold(days(20 - effect), inside=True, after=True),
        sold(days(20), inside=True, after=False),
        sold(days(20), inside=False, after=True),
        sold(days(20), inside=False, after=False),
    )
    return comparisons(pd.concat(groups, ignore_index=True), problem)


def test_a_verdict_claims_only_what_its_interval_bears(problem: Problem) -> None:
    quicker = verdict_words(20, of_size(100, 6, problem))
    assert quicker.startswith(
        "In the pilot's offices, days on market fell by 6.0 days and elsewhere did not change, "
        "a difference of 6.0 days ("
    )
    assert "this may have other causes than the estimates" in quicker
    none = "The pilot shows no sure effect: every interval includes no difference."
    assert verdict_words(20, of_size(100, 0, problem)) == none
    assert verdict_words(13, of_size(100, 6, problem)) == (
        "It is too early to judge: the pilot has run 13 days, and 14 days are needed."
    )
    assert verdict_words(-1, Comparisons((), (), ())).startswith("It is too early to judge: the pilot has not begun")
    assert verdict_words(20, of_size(5, 6, problem)).startswith("There are too few sold listings to compare")
    without_before = Comparisons(of_size(100, 6, problem).others, (), ())
    assert "than in the other offices" in verdict_words(20, without_before)


def test_less_of_a_rise_is_never_told_as_a_fall(problem: Problem) -> None:
    def cut(share: float, inside: bool, after: bool) -> pd.DataFrame:
        cuts = [share + (0.002 if place % 2 else -0.002) for place in range(100)]
        return sold([20] * 100, inside, after, cuts)

    groups = [cut(0.040, True, True), cut(0.013, True, False), cut(0.062, False, True), cut(0.013, False, False)]
    said = verdict_words(20, comparisons(pd.concat(groups, ignore_index=True), problem))
    assert said.startswith(
        "In the pilot's offices, price cut before the sale rose by 2.7 points, 2.2 points less than "
    )
    assert "lower" not in said
    shared = "The other offices had estimates, too."
    assert verdict_words(20, of_size(100, 6, problem), shared) == f"{shared} So the pilot's effect is not known."


def test_a_pilot_of_today_has_begun() -> None:
    none = Comparisons((), (), ())
    assert "the pilot began today" in verdict_words(0, none)
    assert "the pilot has not begun" in verdict_words(-3, none)
    assert "the pilot has run 1 day," in verdict_words(1, none)
