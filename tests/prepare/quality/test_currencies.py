"""Limits of prices in other money: won prices are possible, yen rents and nominal sums are not."""

from __future__ import annotations

import pandas as pd
import pytest

from core.prepare.quality.currencies import in_currency
from core.problem import load_problem


@pytest.mark.parametrize(
    ("currency", "price", "is_possible"),
    [
        ("USD", 622_000_000, False),
        ("KRW", 622_000_000, True),
        ("KRW", 90_000, False),
        ("JPY", 28_700_000, True),
        ("JPY", 80_000, False),
        ("INR", 20_500_000, True),
        ("EUR", 250_000, True),
        ("EUR", 900, False),
    ],
)
def test_a_price_is_possible_by_the_money_it_is_in(currency: str, price: float, is_possible: bool) -> None:
    limit = in_currency(load_problem(), currency, pd.Series([300_000.0])).limits["sale_price"]
    assert (limit.low <= price <= limit.high) is is_possible


def test_half_of_a_file_is_never_impossible_for_its_prices() -> None:
    prices = pd.Series([373e6, 622e6, 900e6])
    assert in_currency(load_problem(), "USD", prices).limits["sale_price"].high > prices.max()


def test_dollars_keep_the_limits_of_the_problem_statement() -> None:
    problem = load_problem()
    assert in_currency(problem, "USD", pd.Series([450_000.0])) is problem
