"""Prices per area, with no whole price in the file, are refused or asked about; whole prices of any market are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.prepare.quality.price_rates import ROWS_MIN, price_rate, usual_rates


def _sales(rows: int, power: float, level: float, noise: float = 0.15, seed: int = 3) -> pd.DataFrame:
    """Homes of 450 to 2,700 sq ft in four ZIP codes, at ``level`` for 1,000 sq ft times the area to a power."""
    rng = np.random.default_rng(seed)
    area = rng.uniform(450, 2_700, rows)
    place = rng.integers(0, 4, rows)
    price = level * (area / 1_000) ** power * np.exp(rng.normal(0, noise, rows)) * (1 + 0.2 * place)
    return pd.DataFrame({"sale_price": price, "living_area_sqft": area, "zipcode": [f"5030{n}" for n in place]}).astype(
        {"zipcode": "str"}
    )


def _at_rate(sales: pd.DataFrame, rate: float) -> pd.DataFrame:
    """The same sales with prices changed in one measure, so that their median price per square foot is ``rate``."""
    now = float((sales["sale_price"] / sales["living_area_sqft"]).median())
    return sales.assign(sale_price=sales["sale_price"] * rate / now)


@pytest.mark.parametrize(
    ("currency", "level", "power"),
    [("AED", 12_000, -0.3), ("USD", 2_200, 0.0), ("JPY", 290_000, -0.3), ("USD", 290_000, -0.4), ("EUR", 5_500, 0.05)],
)
def test_prices_that_do_not_rise_with_the_area_are_prices_per_area(currency: str, level: float, power: float) -> None:
    found = price_rate(_sales(200, power, level), currency)
    assert found is not None
    assert found.sure
    assert "a price per area" in found.why
    assert found.n == 200


@pytest.mark.parametrize(
    ("currency", "level", "power"),
    [("USD", 300_000, 0.6), ("USD", 60_000, 0.45), ("JPY", 25_000_000, 0.9), ("AED", 1_500_000, 1.2)],
)
@pytest.mark.parametrize("rows", [ROWS_MIN, 1_000])
def test_whole_prices_are_no_prices_per_area(currency: str, level: float, power: float, rows: int) -> None:
    assert price_rate(_sales(rows, power, level), currency) is None


def test_what_may_be_whole_prices_is_asked_about() -> None:
    flat = price_rate(_sales(400, 0.1, 300_000), "USD")
    assert flat is not None
    assert not flat.sure
    cheap = price_rate(_sales(400, 0.8, 2_500), "USD")
    assert cheap is not None
    assert not cheap.sure
    assert "which no home costs" in cheap.why


def test_large_homes_in_cheap_places_are_no_sign_of_prices_per_area() -> None:
    near, far = _sales(300, 0.7, 900_000, seed=1), _sales(300, 0.7, 90_000, seed=2)
    far["living_area_sqft"], far["sale_price"] = far["living_area_sqft"] * 3, far["sale_price"] * 3**0.7
    far["zipcode"] = "6" + far["zipcode"].str[1:]
    assert price_rate(pd.concat([near, far], ignore_index=True), "USD") is None


@pytest.mark.parametrize("currency", ["USD", "JPY", "SEK", "VND"])
def test_a_median_outside_the_usual_rates_of_its_currency_is_asked_about(currency: str) -> None:
    usual = usual_rates(currency)
    for rate, words in [
        (usual.low * 0.9, "prices per area, rents, or in thousands"),
        (usual.low * 1.1, ""),
        (usual.high * 0.9, ""),
        (usual.high * 1.1, "in cents"),
    ]:
        for rows in (25, 400):
            sales = _sales(rows, 0.8, 1.0)
            found = price_rate(_at_rate(sales, rate), currency)
            assert (found is not None) == bool(words)
            assert found is None or (not found.sure and words in found.why and found.n == rows)


def test_few_sales_and_homes_of_one_size_prove_nothing() -> None:
    few = price_rate(_sales(ROWS_MIN - 1, -0.3, 12_000), "AED")
    assert few is not None
    assert not few.sure
    assert price_rate(_sales(ROWS_MIN - 1, -0.3, 290_000), "USD") is None
    assert price_rate(_sales(15, 0.8, 2_500), "USD") is None
    alike = _sales(300, -0.3, 290_000)
    alike["living_area_sqft"] = 1_000 + np.arange(300) % 50
    assert price_rate(alike, "USD") is None


def test_sales_that_are_set_aside_do_not_count() -> None:
    gifts = _sales(300, -0.3, 12_000).assign(validity="non-market: gift")
    market = _sales(300, 0.7, 300_000).assign(validity="market")
    assert price_rate(pd.concat([gifts, market], ignore_index=True), "USD") is None
