"""Ratio statistics equal the tables of the standard and an independent package, and keep their invariants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.evaluate.ratio import RatioStudy, Uniformity, judged, ratio_by_segment, ratio_study, typical
from core.evaluate.segmentation import Segmentation
from core.evaluate.targets import Verdict
from core.problem import Problem
from tests.evaluate.scored_sales import scored_sales

Table = tuple[np.ndarray, np.ndarray]


def numbers(text: str) -> np.ndarray:
    return np.array([float(number) for number in text.split()])


# Appraised values and sale prices of worked examples in the IAAO Standard on Ratio Studies (April 2013), by its tables.
TABLE_1_1: Table = (
    numbers(
        """
    48_000 28_800 78_400 39_840 68_160 94_400 67_200 56_960 87_200 38_240 96_320 67_680 32_960 50_560 61_360 47_360
    58_080 47_040 136_000 103_200 59_040 168_000 128_000 132_000 160_000 160_000 200_000 184_000 160_000 157_200
    99_200 200_000 64_000 192_000 190_400 65_440
        """
    ),
    numbers(
        """
    138_000 59_250 157_500 74_400 114_900 159_000 111_900 93_000 138_720 59_700 146_400 99_000 47_400 70_500 78_000
    60_000 69_000 55_500 154_500 109_500 60_000 168_000 124_500 127_500 150_000 141_000 171_900 157_500 129_600
    126_000 77_700 153_000 48_750 144_000 141_000 48_000
        """
    ),
)
TABLE_1_4: Table = (
    numbers(
        """
    87_200 38_240 96_320 68_610 32_960 50_560 61_360 47_360 56_580 47_040 136_000 98_000 56_000 159_100 128_000
    132_000 160_000
        """
    ),
    numbers(
        """
    138_720 59_700 146_400 99_000 47_400 70_500 78_000 60_000 69_000 55_500 154_500 109_500 60_000 168_000 124_500
    127_500 150_000
        """
    ),
)
TABLE_D_2: Table = (
    numbers(
        """
    45_000 100_000 165_000 180_000 250_000 330_000 315_000 400_000 495_000 450_000 550_000 660_000 585_000 700_000
    825_000 1_875_000
        """
    ),
    numbers(
        """
    50_000 100_000 150_000 200_000 250_000 300_000 350_000 400_000 450_000 500_000 550_000 600_000 650_000 700_000
    750_000 2_500_000
        """
    ),
)


def study(table: Table) -> RatioStudy:
    return study_of(*table)


@pytest.mark.parametrize(
    ("table", "n", "cod", "prd", "prb"),
    [(TABLE_1_1, 36, 29.8, 0.98, 0.232), (TABLE_1_4, 17, 14.5, 0.98, 0.135), (TABLE_D_2, 16, 7.8, 1.056, -0.011)],
    ids=["table 1-1", "table 1-4", "table D-2"],
)
def test_statistics_are_those_the_standard_prints(table: Table, n: int, cod: float, prd: float, prb: float) -> None:
    found = study(table)
    assert found.n == n
    assert round(found.cod.value, 1) == cod
    assert round(found.prd.value, 3 if prd > 1 else 2) == prd
    assert round(found.prb.value, 3) == prb


def test_display_of_the_standard_in_full() -> None:
    found = study(TABLE_1_1)
    assert (round(found.median.value, 3), round(found.mean, 3)) == (0.864, 0.900)
    assert round(found.weighted_mean, 3) == 0.915


@pytest.mark.parametrize(
    ("table", "cod", "prd", "prb", "low", "high"),
    [
        (TABLE_1_1, 29.817714117168567, 0.9833048590255085, 0.2322612785167786, 0.0754833974, 0.3890391596),
        (TABLE_1_4, 14.523802339880449, 0.9765867483821249, 0.1354902750295528, 0.0128394005, 0.2581411495),
        (TABLE_D_2, 7.812500000000003, 1.0557965299684542, -0.0108504492990425, -0.0556326644, 0.0339317659),
    ],
    ids=["table 1-1", "table 1-4", "table D-2"],
)
def test_statistics_are_those_of_an_independent_package(
    table: Table, cod: float, prd: float, prb: float, low: float, high: float
) -> None:
    # What assesspy 2.0.2 (Cook County Assessor's Office) returned for the standard's tables; it is not used here.
    found = study(table)
    assert found.cod.value == pytest.approx(cod, abs=1e-9)
    assert found.prd.value == pytest.approx(prd, abs=1e-9)
    assert found.prb.value == pytest.approx(prb, abs=1e-9)
    assert (found.prb.low, found.prb.high) == pytest.approx((low, high), abs=1e-9)


def test_bootstrap_agrees_with_plain_resampling() -> None:
    values, prices = TABLE_1_1
    found = study(TABLE_1_1)
    order = np.lexsort((prices, values / prices))
    ratio = (values / prices)[order]
    rng = np.random.default_rng(1)
    cods = []
    for rows in rng.integers(0, 36, (300, 36), dtype=np.int32):
        drawn = ratio[rows]
        cods.append(100 * np.abs(drawn - np.median(drawn)).mean() / np.median(drawn))
    assert (found.cod.low, found.cod.high) == pytest.approx(tuple(np.percentile(cods, [2.5, 97.5])), abs=1e-9)


def test_standard_limits_are_judged_by_the_interval(problem: Problem) -> None:
    rng = np.random.default_rng(3)
    prices = rng.lognormal(12.5, 0.4, 2_000)
    level = {one.name: one.verdict for one in judged(study_of(prices * 1.3, prices), Uniformity.OLDER, 30)}
    assert level["median"] is Verdict.FAIL
    noisy = study_of(prices * rng.lognormal(0, 0.16, 2_000), prices)
    agent_decisions = {limit: {one.name: one.verdict for one in judged(noisy, limit, 30)} for limit in Uniformity}
    assert agent_decisions[Uniformity.OTHER]["cod"] is Verdict.PASS
    assert agent_decisions[Uniformity.NEWER]["cod"] is Verdict.FAIL
    few = judged(study_of(prices[:10] * 1.3, prices[:10]), Uniformity.OLDER, problem.estimate.small_sample_n)
    assert {one.verdict for one in few} == {Verdict.INCONCLUSIVE}


def test_regressive_estimates_show_in_prd_and_prb() -> None:
    prices = np.random.default_rng(4).lognormal(12.5, 0.5, 1_000)
    found = study_of(prices * (prices / prices.mean()) ** -0.3, prices)
    assert found.prd.low > 1.03
    assert found.prb.high < -0.05


def test_outliers_are_those_beyond_the_fences() -> None:
    prices = np.full(21, 100.0)
    values = np.array([*range(90, 110), 300], dtype=float)
    assert typical(values, prices).tolist() == [True] * 20 + [False]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_sales_give_figures_without_a_warning(n: int) -> None:
    found = ratio_study(np.array([90.0, 100.0, 120.0][:n]), np.full(n, 100.0), seed=1)
    assert found.n == n
    assert np.isnan(found.prb.value) == (n < 3)


def test_ratios_need_positive_prices() -> None:
    with pytest.raises(ValueError, match="positive"):
        study_of(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    with pytest.raises(ValueError, match="non-empty"):
        study_of(np.empty(0), np.empty(0))


def test_segments_of_a_study_add_up(problem: Problem) -> None:
    scored = scored_sales(600)
    found = ratio_by_segment(scored, Segmentation.PROPERTY_TYPE, Uniformity.OLDER, problem)
    assert found["n"].sum() == len(scored.priced)
    condos = scored.priced[scored.priced["property_type"] == "condo"]
    alone = ratio_study(condos["estimate"].to_numpy(), condos["sale_price"].to_numpy(), scored.terms.seed)
    row = found.set_index("property type").loc["condo"]
    assert (row["cod"], row["prb_low"], row["prd_high"]) == (alone.cod.value, alone.prb.low, alone.prd.high)


sales = hnp.arrays(float, st.integers(3, 40), elements=st.floats(0.5, 2.0)).flatmap(
    lambda ratio: st.tuples(
        st.just(ratio), hnp.arrays(float, len(ratio), elements=st.floats(10_000, 2_000_000, width=32))
    )
)


@settings(max_examples=25)
@given(sales, st.floats(0.01, 100.0), st.randoms(use_true_random=False))
def test_currency_and_order_change_nothing(pair: tuple[np.ndarray, np.ndarray], scale: float, random: object) -> None:
    ratio, prices = pair
    values = ratio * prices
    first = study_of(values, prices)
    order = list(range(len(prices)))
    random.shuffle(order)  # type: ignore[attr-defined]
    again, scaled = study_of(values[order], prices[order]), study_of(values * scale, prices * scale)
    assert_close(again.median, first.median)
    for name in ("cod", "prd", "prb"):
        assert_close(getattr(again, name), getattr(first, name))
        assert getattr(scaled, name).value == pytest.approx(getattr(first, name).value, rel=1e-6, abs=1e-6, nan_ok=True)


@settings(max_examples=25)
@given(sales, st.floats(0.5, 2.0))
def test_level_moves_the_median_only(pair: tuple[np.ndarray, np.ndarray], level: float) -> None:
    ratio, prices = pair
    first, moved = study_of(ratio * prices, prices), study_of(level * ratio * prices, prices)
    assert moved.median.value == pytest.approx(level * first.median.value)
    for name in ("cod", "prd", "prb"):
        assert getattr(moved, name).value == pytest.approx(getattr(first, name).value, rel=1e-6, abs=1e-6, nan_ok=True)


def assert_close(one: object, other: object) -> None:
    for name in ("value", "low", "high"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-9, nan_ok=True)


def study_of(values: np.ndarray, prices: np.ndarray) -> RatioStudy:
    return ratio_study(values, prices, seed=1)
