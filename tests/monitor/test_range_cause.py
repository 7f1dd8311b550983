"""Why a range holds too few or too many sales, on made-up ranges."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.monitor.range_cause import range_cause


def ranges(error: float, n: int = 2_000) -> pd.DataFrame:
    """Sales around estimates of 100 whose 80% range was made for errors of 10."""
    price = 100 + error * np.random.default_rng(3).standard_normal(n)
    return pd.DataFrame({"sale_price": price, "point": 100.0, "low": 100 - 12.8, "high": 100 + 12.8})


def test_ranges_made_for_smaller_errors_are_too_narrow_by_the_factor_of_the_errors() -> None:
    words = range_cause(ranges(20.0), 0.8)
    assert "Ranges 2.0 times as wide would have held 80%: they are too narrow." in words
    assert "about 10% on each side" in words


def test_ranges_made_for_larger_errors_are_too_wide_and_no_sale_says_nothing() -> None:
    assert range_cause(ranges(5.0), 0.8).endswith("would have held 80%: they are too wide.")
    assert range_cause(ranges(5.0).head(0), 0.8) == ""


def test_sales_below_their_ranges_are_counted_apart_from_those_above() -> None:
    low = ranges(1.0, 10).assign(sale_price=[50.0] * 4 + [100.0] * 6)
    assert "40.0% sold below their range and 0.0% above it" in range_cause(low, 0.8)
