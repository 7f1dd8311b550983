"""Limits of prices in the money of each country: what is impossible in dollars is usual in won."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pandas as pd

from core.problem import Limit, Problem

UNITS_PER_DOLLAR: Final[Mapping[str, float]] = {
    **dict.fromkeys(("VND", "IDR", "LAK", "IRR", "UZS"), 5_000.0),
    **dict.fromkeys(("KRW", "COP", "KHR", "MMK", "PYG", "LBP", "UGX", "TZS"), 500.0),
    **dict.fromkeys(("CLP", "ARS", "NGN", "IQD", "KZT", "HUF", "AMD", "CRC"), 100.0),
    **dict.fromkeys(("JPY", "ISK", "PKR", "LKR", "BDT", "KES", "DZD", "RSD", "NPR", "ETB"), 50.0),
    **dict.fromkeys(("INR", "RUB", "PHP", "UAH", "THB", "TWD", "EGP", "TRY", "UYU", "CZK"), 10.0),
    **dict.fromkeys(("MXN", "ZAR", "SEK", "NOK", "DKK", "CNY", "HKD", "MAD"), 4.0),
}
"""How many units of a currency stand for a dollar in the limits of prices: an order of magnitude, set low, no rate.

A price floor that is too low lets a nominal sum pass; one that is too high would reject cheap homes."""


_ROOM: Final = 10.0


def in_currency(problem: Problem, currency: str, prices: pd.Series) -> Problem:
    """Return the problem statement with its limits of prices, which are in US dollars, in another currency.

    Where the middle of ``prices`` comes near the limit above, the prices are in smaller money than the currency says:
    the limit then follows them, as one price in a hundred may be impossible, and half of them never.
    """
    factor = UNITS_PER_DOLLAR.get(currency.upper(), 1.0)
    limit = problem.limits["sale_price"]
    # The dollar may be worth ten times as much as assumed here; the upper limit must still hold.
    high = limit.high if factor == 1.0 else limit.high * factor * 10
    middle = float(prices[prices > 0].median())
    if middle * _ROOM > high:
        high = middle * _ROOM * _ROOM
    widened = Limit(limit.low * factor, high)
    return problem if widened == limit else replace(problem, limits={**problem.limits, "sale_price": widened})
