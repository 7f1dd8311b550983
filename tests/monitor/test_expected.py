"""What confidences promise is what calibrated estimates keep, with an interval that holds what it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from core.evaluate.accuracy import Figure
from core.monitor.expected import (
    EXACT,
    calibration,
    came_true,
    expected_accuracy,
    expected_of_sums,
    unsold_words,
)


def test_a_promise_that_did_not_come_true_stands_beside_the_forecast() -> None:
    expected = expected_accuracy(np.full(100, 0.7))
    assert expected is not None
    broken = came_true(0.756, Figure(0.62, 0.60, 0.64, 2_363), 30)
    assert broken is not None
    assert broken.holds is False
    assert "Expect fewer: 75.6% of 2,363 sales were promised" in unsold_words(expected, broken)
    sound = came_true(0.63, Figure(0.62, 0.60, 0.64, 2_363), 30)
    assert sound is not None
    assert sound.holds is True
    assert unsold_words(expected, sound).startswith(expected.words)
    few = came_true(0.9, Figure(0.5, 0.1, 0.8, 4), 30)
    assert few is not None
    assert few.holds is None
    assert unsold_words(expected, few) == expected.words == unsold_words(expected, None)


def test_the_expected_share_is_the_mean_confidence() -> None:
    found = expected_accuracy([0.5, 0.7, 0.9])
    assert found is not None
    assert found.ppe10.value == pytest.approx(0.7)
    assert found.words.startswith("70% of 3 estimates are expected to end within 10% of the sale price")


@pytest.mark.parametrize("n", [1, 20, 400])
def test_of_equal_confidences_the_interval_is_the_binomial_one(n: int) -> None:
    found = expected_accuracy(np.full(n, 0.6))
    assert found is not None
    assert (found.ppe10.low * n, found.ppe10.high * n) == pytest.approx(binom.ppf([0.025, 0.975], n, 0.6))


@pytest.mark.parametrize("n", [60, 1_000])
def test_calibrated_estimates_end_inside_the_interval(n: int) -> None:
    rng = np.random.default_rng(n)
    held = []
    for _ in range(200):
        confidence = rng.uniform(0.3, 0.9, n)
        found = calibration(confidence, rng.random(n) < confidence)
        assert found is not None
        held.append(found.holds)
    # At least 95 %: counts are whole, so the interval of few holds a little more.
    assert 0.92 <= np.mean(held) <= 0.995


def test_confidences_that_promise_too_much_are_told_so() -> None:
    rng = np.random.default_rng(2)
    found = calibration(np.full(300, 0.7), rng.random(300) < 0.5)
    assert found is not None
    assert not found.holds
    assert "do not rely on the confidences" in found.words


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
@settings(max_examples=50)
def test_the_interval_holds_the_mean_within_a_sale_and_stays_a_share(confidence: list[float]) -> None:
    found = expected_accuracy(confidence)
    assert found is not None
    one = 1 / len(confidence)
    assert 0 <= found.ppe10.low <= found.ppe10.high <= 1
    assert found.ppe10.low - one <= found.ppe10.value <= found.ppe10.high + one


def test_sums_of_many_confidences_say_what_the_confidences_say() -> None:
    confidence = np.random.default_rng(3).uniform(0.2, 0.95, EXACT + 1)
    each = expected_accuracy(confidence)
    assert each == expected_of_sums(len(confidence), confidence.sum(), (confidence**2).sum())
    below = expected_accuracy(confidence[:EXACT])
    assert below is not None
    assert each is not None
    assert each.ppe10.low == pytest.approx(below.ppe10.low, abs=0.004)
    assert each.ppe10.high == pytest.approx(below.ppe10.high, abs=0.004)
    with pytest.raises(ValueError, match="pass the confidences"):
        expected_of_sums(EXACT, 200.0, 100.0)


def test_of_nothing_nothing_is_expected() -> None:
    assert expected_accuracy([]) is None
    assert calibration([], []) is None


@pytest.mark.parametrize("confidence", [[0.5, np.nan], [50.0], [-0.1], [[0.5]]])
def test_what_is_no_probability_is_refused(confidence: list[float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        expected_accuracy(confidence)


def test_other_sales_are_refused() -> None:
    with pytest.raises(ValueError, match="same sales"):
        calibration([0.5, 0.5], [True])
