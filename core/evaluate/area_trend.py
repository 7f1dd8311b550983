"""Price movement by area: the yearly trend of unit prices, with which an area's bias is compared."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from core.evaluate.intervals import mean_interval

WINDOW_DAYS: Final = 730.0
"""Two years of sales: enough to fit a line to an area's sales, and short enough to show its current direction."""

_YEAR: Final = 365.25


def area_trends(sales: pd.DataFrame, area: str, end: date, smallest: int) -> pd.DataFrame:
    """Return the price trend of every area with at least ``smallest`` sales in the two years before ``end``.

    ``sales`` has canonical columns; ``area`` names its column of area codes. One row per area: area, n, trend (the
    yearly price change, as a share: the least-squares slope of log price per sq ft on time, or of log price if most
    sales have no recorded living area), low and high (the slope's 95% interval, by Student's t).
    """
    columns = _unit_prices(sales, area, end)
    groups = columns.groupby("area", sort=True)
    n = groups["x"].transform("size")
    columns = columns.assign(
        x=columns["x"] - groups["x"].transform("mean"), y=columns["y"] - groups["y"].transform("mean")
    )[n >= smallest]
    columns = columns.assign(xx=columns["x"] ** 2, xy=columns["x"] * columns["y"], yy=columns["y"] ** 2)
    sums = columns.groupby("area", sort=True)[["xx", "xy", "yy"]].sum()
    sums = sums.assign(n=columns.groupby("area", sort=True).size())
    sums = sums[sums["xx"] > 0]
    slope = (sums["xy"] / sums["xx"]).to_numpy(dtype=float)
    left = np.maximum(sums["yy"].to_numpy(dtype=float) - slope * sums["xy"].to_numpy(dtype=float), 0.0)
    freedom = sums["n"].to_numpy(dtype=float) - 1
    # Student's interval of a mean of n has n - 1 degrees of freedom, the slope's n - 2.
    sd = np.sqrt(left / (freedom - 1) / sums["xx"].to_numpy(dtype=float)) * np.sqrt(freedom)
    low, high = mean_interval(slope, sd, freedom)
    figures = {"trend": np.expm1(slope), "low": np.expm1(low), "high": np.expm1(high)}
    return pd.DataFrame({"area": sums.index.to_numpy(), "n": sums["n"].to_numpy(), **figures})


def _unit_prices(sales: pd.DataFrame, area: str, end: date) -> pd.DataFrame:
    days = (sales["sale_date"] - pd.Timestamp(end)).dt.days
    price = np.log(sales["sale_price"].to_numpy(dtype=float))
    if "living_area_sqft" in sales:
        size = sales["living_area_sqft"].to_numpy(dtype=float)
        # Prices and unit prices do not mix in one fit: if most sales have a size, those without are left out.
        sized = np.isfinite(size) & (size > 0)
        if sized.mean() >= 0.5:
            price = np.where(sized, price - np.log(np.where(sized, size, 1.0)), np.nan)
    table = pd.DataFrame({"area": sales[area].to_numpy(), "x": days.to_numpy() / _YEAR, "y": price})
    recent = (days < 0).to_numpy() & (days >= -WINDOW_DAYS).to_numpy()
    return table[recent].dropna()
