"""Error measures: known values by hand, and the identities that must hold for any prices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import mean_absolute_percentage_error, median_absolute_error, r2_score

from core.measures import mape, mdape, median_bias, ppe, ppe10, r_squared, relative_error

PRICES = st.integers(1, 40).flatmap(
    lambda size: st.tuples(*[arrays(float, size, elements=st.floats(1e3, 1e7)) for _ in range(2)])
)
PRICE = np.array([100.0, 200.0, 400.0, 500.0])
ESTIMATE = np.array([110.0, 180.0, 400.0, 700.0])


def test_measures_by_hand() -> None:
    assert relative_error(ESTIMATE, PRICE) == pytest.approx([0.1, -0.1, 0.0, 0.4])
    assert mape(ESTIMATE, PRICE) == pytest.approx(0.15)
    assert mdape(ESTIMATE, PRICE) == pytest.approx(0.10)
    assert ppe10(ESTIMATE, PRICE) == 0.75
    assert ppe(ESTIMATE, PRICE, 0.05) == 0.25
    assert median_bias(ESTIMATE, PRICE) == pytest.approx(0.05)
    assert r_squared(ESTIMATE, PRICE) == pytest.approx(1 - 40_500 / 100_000)


def test_exactly_ten_percent_off_is_within_ten_percent() -> None:
    price = np.arange(1.0, 1000.0)
    assert ppe10(price * 1.1, price) == ppe10(price * 0.9, price) == 1.0
    assert ppe10(price * 1.1001, price) == 0.0


@given(PRICES)
def test_measures_agree_with_scikit_learn(pair: tuple[np.ndarray, np.ndarray]) -> None:
    estimate, price = pair
    assert mape(estimate, price) == pytest.approx(mean_absolute_percentage_error(price, estimate))
    assert mdape(estimate, price) == pytest.approx(median_absolute_error(np.ones(len(price)), estimate / price))
    if len(price) > 1 and np.ptp(price) > 1:
        assert r_squared(estimate, price) == pytest.approx(r2_score(price, estimate))


@given(PRICES, st.floats(0.5, 2))
def test_currency_does_not_matter_and_direction_does(pair: tuple[np.ndarray, np.ndarray], rate: float) -> None:
    estimate, price = pair
    assert mape(estimate * rate, price * rate) == pytest.approx(mape(estimate, price))
    assert median_bias(price * 1.2, price) == pytest.approx(0.2)
    assert median_bias(price * 0.8, price) == pytest.approx(-0.2)
    assert mape(price, price) == 0.0
    assert ppe10(price, price) == r_squared(price, price) == 1.0


def test_constant_prices_have_no_explained_variance() -> None:
    assert r_squared([1.0, 3.0], [2.0, 2.0]) == 0.0
    assert r_squared([2.0, 2.0], [2.0, 2.0]) == 1.0


@pytest.mark.parametrize("measure", [mape, mdape, ppe10, median_bias, r_squared, relative_error])
@pytest.mark.parametrize(
    ("estimate", "price"),
    [([], []), ([1.0], [1.0, 2.0]), ([np.nan], [1.0]), ([1.0], [0.0]), ([1.0], [-1.0]), ([1.0], [np.inf]), (1.0, 1.0)],
)
def test_unusable_pairs_are_refused(measure: Callable[..., object], estimate: object, price: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        measure(estimate, price)
